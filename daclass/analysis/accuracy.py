"""Average accuracy of each policy."""

from __future__ import annotations

import numpy as np
import pandas as pd

from daclass.analysis.cells import HALVES, TRUTHS, EmptyLabels, arrange_cells
from daclass.analysis.crossed import crossed


def accuracy(
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    annotations: pd.DataFrame,
    n_classes: int,
    empty_labels: EmptyLabels,
    confidence: float,
) -> pd.DataFrame:
    """Accuracy of each policy over all pictures, under both truths and on each half.

    The interval speaks for new seeds and new pictures drawn like these (see `crossed`); a policy
    with one seed gets NaN for it.

    Returns:
        Table "accuracy": one row for each (policy, half, truth).

    Raises:
        InputError: as `arrange_cells`.
    """
    cells = arrange_cells(predictions, index, annotations, n_classes, empty_labels)
    rows = []
    for (policy, strength), runs in cells.table.groupby(["policy", "strength"], dropna=False):
        for truth in TRUTHS:
            correct = cells.correct[truth][runs.index]
            for half in HALVES:
                counted = cells.counted[truth] & cells.images.half(half)
                groups = np.zeros(counted.sum(), np.int64)
                found = crossed(
                    correct[:, counted], groups, 1, confidence=confidence, span=(0.0, 1.0)
                )
                rows.append(
                    {
                        "policy": policy,
                        "strength": strength,
                        "half": half,
                        "truth": truth,
                        "accuracy": found.mean[0],
                        "low": found.low[0],
                        "high": found.high[0],
                        "seeds": found.seeds,
                        "images": found.images[0],
                    }
                )
    return pd.DataFrame(rows)
