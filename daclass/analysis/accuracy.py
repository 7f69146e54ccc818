"""Accuracy of each condition: on average, and class by class."""

from __future__ import annotations

import numpy as np
import pandas as pd

from daclass.analysis.cells import HALVES, TRUTHS, Cells
from daclass.analysis.conditions import Conditions
from daclass.analysis.nulls import Nulls
from daclass.inference.arrays import Bools, Floats, Ints
from daclass.inference.averages import average
from daclass.inference.crossed import crossed


def accuracy(cells: Cells, *, confidence: float) -> pd.DataFrame:
    """Accuracy of each policy over all pictures, under both truths and on each half.

    Over pictures (micro) and over classes (macro): where classes have unlike numbers of pictures,
    the two differ. Intervals speak for new seeds and new pictures drawn like these (see `crossed`);
    those of the macro average take the classes for given (see `averages`). A policy with one seed
    gets NaN for them. Where the predictions rank several classes, a picture is right
    "in the top k" if one of the first k is right (see `Runs.depths`).

    Args:
        cells: what `arrange_cells` gives.
        confidence: level of the intervals, in (0, 1).

    Returns:
        Table "accuracy": one row for each (policy, half, truth) and each k that the predictions
        allow, 1 always among them.
    """
    rows = []
    for (policy, strength), runs in cells.table.groupby(["policy", "strength"], dropna=False):
        for k in cells.depths:
            for truth in TRUTHS:
                correct = cells.correct_in_top(truth, k)[runs.index]
                for half in HALVES:
                    counted = cells.counted[truth] & cells.images.half(half)
                    groups = np.zeros(counted.sum(), np.int64)
                    found = crossed(
                        correct[:, counted], groups, 1, confidence=confidence, span=(0.0, 1.0)
                    )
                    macro = average(
                        correct[:, counted],
                        cells.images.labels[counted],
                        "macro",
                        confidence=confidence,
                        span=(0.0, 1.0),
                    )
                    rows.append(
                        {
                            "policy": policy,
                            "strength": strength,
                            "half": half,
                            "truth": truth,
                            "k": k,
                            "accuracy": found.mean[0],
                            "low": found.low[0],
                            "high": found.high[0],
                            "macro": macro.mean[0],
                            "macro_low": macro.low[0],
                            "macro_high": macro.high[0],
                            "seeds": found.seeds,
                            "images": found.images[0],
                        }
                    )
    return pd.DataFrame(rows)


def class_accuracy(
    cells: Cells, conditions: Conditions, nulls: Nulls, *, confidence: float
) -> pd.DataFrame:
    """Accuracy, false negatives and false positives of each class at each condition.

    Over all pictures of both halves. `null_low` and `null_high` say where the accuracy would lie if
    conditions did not matter (see `Nulls.class_band`). Counts are means over runs of what `count`
    counts; precision and F1 are those of the mean counts. For k above 1 there are accuracies only.

    Args:
        cells: what `arrange_cells` gives.
        conditions: which of its policies are compared.
        nulls: what `Nulls.draw` gives for them.
        confidence: level of the intervals, in (0, 1).

    Returns:
        Table "class_accuracy": one row for each (policy, truth, k, class).

    Raises:
        InputError: as `Conditions.replicates`.
    """
    n_classes, labels = cells.images.n_classes, cells.images.labels
    frames = []
    rows = conditions.replicates(cells.table)
    for truth in TRUTHS:
        counted = cells.counted[truth]
        null_low, null_high = nulls.class_band(truth, confidence)
        for level, (name, own) in enumerate(zip(conditions.names, rows, strict=True)):
            for k in cells.depths:
                correct = cells.correct_in_top(truth, k)[own][:, counted]
                found = crossed(
                    correct,
                    labels[counted],
                    n_classes,
                    confidence=confidence,
                    span=(0.0, 1.0),
                    moderate=True,
                )
                frame = pd.DataFrame(
                    {
                        "class_id": np.arange(n_classes),
                        "accuracy": found.mean,
                        "low": found.low,
                        "high": found.high,
                        "seeds_low": np.maximum(found.seeds_low, 0.0),
                        "seeds_high": np.minimum(found.seeds_high, 1.0),
                        "images": found.images,
                    }
                )
                if k == 1:
                    negatives, positives = _errors(cells, own, ~correct, counted)
                    right = found.images - negatives
                    with np.errstate(invalid="ignore"):
                        precision = right / (right + positives)
                        f1 = 2 * right / (2 * right + positives + negatives)
                    frame = frame.assign(
                        precision=precision,
                        f1=f1,
                        null_low=null_low[level],
                        null_high=null_high[level],
                        false_negatives=negatives,
                        false_positives=positives,
                    )
                strength = cells.table["strength"].iloc[own[0]]
                frames.append(
                    frame.assign(
                        policy=name, strength=strength, truth=truth, k=k, seeds=found.seeds
                    )
                )
    return pd.concat(frames, ignore_index=True)


def _errors(cells: Cells, own: Ints, wrong: Bools, counted: Bools) -> tuple[Floats, Floats]:
    """False negatives and positives of each class, means over the runs `own`, 2 x [C]."""
    n_classes, labels = cells.images.n_classes, cells.images.labels[counted]
    predicted = cells.predicted[own][:, counted]
    negatives = np.bincount(labels, wrong.sum(axis=0), minlength=n_classes)
    foreign = wrong & (predicted != labels)
    positives = np.bincount(predicted[foreign], minlength=n_classes)
    return negatives / len(own), positives / len(own)
