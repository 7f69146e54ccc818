"""Right and wrong predictions of each run and class."""

from __future__ import annotations

import numpy as np
import pandas as pd

from daclass.analysis.cells import HALVES, TRUTHS, Cells, EmptyLabels, arrange_cells


def count(
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    annotations: pd.DataFrame,
    n_classes: int,
    empty_labels: EmptyLabels,
) -> pd.DataFrame:
    """Count false negatives and false positives of every class under both truths.

    With X_k the pictures whose original class is k, f(x) the prediction and l(x) the label set,
    Kirichenko et al. (NeurIPS 2023) count ``FN_k = #{x in X_k: f(x) not in l(x)}`` and
    ``FP_k = #{x not in X_k: f(x) = k, k not in l(x)}``: the columns ``*_multi``. Those without the
    suffix take {original class} for l(x).

    Args:
        predictions, index, annotations: the tables of those names.
        n_classes: C.
        empty_labels: "drop" leaves pictures with an empty label set out of `labelled` and of all
            ``*_multi`` columns; "wrong" keeps them, as false negatives, and as false positives of
            the class that they are taken for.

    Returns:
        Table "counts": one row for each (policy, seed, half, class).

    Raises:
        InputError: as `arrange_cells`.
    """
    cells = arrange_cells(predictions, index, annotations, n_classes, empty_labels)
    halves = {half: _count_half(cells, cells.images.half(half)) for half in HALVES}
    columns = [*cells.table.columns, "half", "class_id", *halves["all"]]
    frames = []
    for run, policy, strength, seed in cells.table.itertuples():
        for half, counts in halves.items():
            frame = pd.DataFrame({name: values[run] for name, values in counts.items()})
            frame["class_id"] = np.arange(n_classes)
            frames.append(frame.assign(policy=policy, strength=strength, seed=seed, half=half))
    return pd.concat(frames, ignore_index=True)[columns]


def _count_half(cells: Cells, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """Column name -> counts [R, C] over the chosen pictures."""
    labels, n_classes, runs = cells.images.labels, cells.images.n_classes, len(cells.table)
    offsets = np.arange(runs)[:, None] * n_classes

    def per_class(classes: np.ndarray, which: np.ndarray) -> np.ndarray:
        """How many of the cells `which` [R, N] belong to each class [R, N], int [R, C]."""
        flat = (classes + offsets)[which]
        return np.bincount(flat, minlength=runs * n_classes).reshape(runs, n_classes)

    own = np.broadcast_to(labels, cells.predicted.shape)
    foreign = cells.predicted != labels
    columns: dict[str, np.ndarray] = {}
    for truth in TRUTHS:
        suffix, total = ("", "images") if truth == "original" else ("_multi", "labelled")
        counted = np.broadcast_to(chosen & cells.counted[truth], own.shape)
        correct = cells.correct[truth]
        columns[total] = per_class(own, counted)
        columns["correct" + suffix] = per_class(own, counted & correct)
        columns["false_negatives" + suffix] = per_class(own, counted & ~correct)
        columns["false_positives" + suffix] = per_class(
            cells.predicted, counted & foreign & ~correct
        )
    return columns
