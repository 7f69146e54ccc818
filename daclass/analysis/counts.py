"""Right and wrong predictions of each run and class."""

from __future__ import annotations

import numpy as np
import pandas as pd

from daclass.analysis.cells import HALVES, TRUTHS, Cells
from daclass.tables import SCHEMAS


def count(cells: Cells) -> pd.DataFrame:
    """Count false negatives and false positives of every class under both truths.

    With X_k the pictures whose original class is k, f(x) the prediction and l(x) the label set,
    Kirichenko et al. (NeurIPS 2023) count ``FN_k = #{x in X_k: f(x) not in l(x)}`` and
    ``FP_k = #{x not in X_k: f(x) = k, k not in l(x)}``: the columns ``*_multi``. Those without the
    suffix take {original class} for l(x).

    Args:
        cells: what `arrange_cells` gives. Where it dropped pictures with an empty label set, they
            are left out of `labelled` and of all ``*_multi`` columns; else they are false
            negatives, and false positives of the class that they are taken for.

    Returns:
        Table "counts": one row for each (policy, seed, half, class).
    """
    n_classes, runs = cells.images.n_classes, len(cells.table)
    frames = []
    for half in HALVES:
        counts = _count_half(cells, cells.images.half(half))
        frame = pd.DataFrame({name: values.ravel() for name, values in counts.items()})
        keys = cells.table.loc[np.repeat(cells.table.index, n_classes)].reset_index(drop=True)
        frames.append(frame.assign(**keys, half=half, class_id=np.tile(np.arange(n_classes), runs)))
    return pd.concat(frames, ignore_index=True)[list(SCHEMAS["counts"])]


def _count_half(cells: Cells, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """Column name -> counts [R, C] over the chosen pictures."""
    labels, n_classes, runs = cells.images.labels, cells.images.n_classes, len(cells.table)
    ends = np.searchsorted(labels, np.arange(n_classes + 1))

    def per_class(which: np.ndarray) -> np.ndarray:
        """How many of the pictures `which` [..., N] each class has, int [..., C]."""
        total = np.cumsum(which, axis=-1, dtype=np.int64)
        padded = np.concatenate([np.zeros_like(total[..., :1]), total], axis=-1)
        return np.diff(padded[..., ends], axis=-1)

    columns: dict[str, np.ndarray] = {}
    for truth in TRUTHS:
        suffix, total = ("", "images") if truth == "original" else ("_multi", "labelled")
        counted = chosen & cells.counted[truth]
        images = np.broadcast_to(per_class(counted), (runs, n_classes))
        correct = np.stack([per_class(row & counted) for row in cells.correct[truth]])
        columns[total] = images
        columns["correct" + suffix] = correct
        columns["false_negatives" + suffix] = images - correct
        columns["false_positives" + suffix] = np.stack(
            [
                np.bincount(row[counted & ~right & (row != labels)], minlength=n_classes)
                for row, right in zip(cells.predicted, cells.correct[truth], strict=True)
            ]
        )
    return columns
