"""Accuracy and calibration of each run by itself, by its name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from daclass.analysis.cells import Cells
from daclass.inference.arrays import Bools, Floats
from daclass.tables import SCHEMAS

BINS = 15  # of calibration, as Guo et al. 2017 have them


def models(cells: Cells, names: Sequence[str], predictions: pd.DataFrame) -> pd.DataFrame:
    """Accuracy and calibration of each run.

    Args:
        cells: what `arrange_cells` gives.
        names: of the runs, in the order of `cells.table`.
        predictions: table "predictions", or its columns run, image_id and probability.

    Returns:
        Table "models": one row for each run.
    """
    top = cells.depths[-1]
    of_top = cells.correct_in_top("original", top)
    original, multi, counted = (
        cells.correct["original"], cells.correct["multi"], cells.counted["multi"],
    )  # fmt: skip
    known = _probabilities(cells, names, predictions)
    rows = []
    for run, name in enumerate(names):
        rows.append(
            {
                "run": name,
                "policy": cells.table["policy"].iloc[run],
                "seed": cells.table["seed"].iloc[run],
                "accuracy": original[run].mean(),
                "accuracy_multi": multi[run, counted].mean() if counted.any() else np.nan,
                "top": top,
                "accuracy_top": of_top[run].mean(),
                "confidence": known[run].mean(),
                "calibration_error": calibration_error(known[run], original[run]),
                "images": original.shape[1],
                "labelled": counted.sum(),
            }
        )
    return pd.DataFrame(rows, columns=list(SCHEMAS["models"]))


def calibration_error(probability: Floats, right: Bools) -> float:
    """Expected calibration error (Guo et al. 2017, "On Calibration of Modern Neural Networks").

    Args:
        probability: of each prediction, [N] in [0, 1]; a NaN makes the result NaN.
        right: whether it is right, [N].
    """
    if np.isnan(probability).any():
        return float("nan")
    bins = np.minimum(np.ceil(probability * BINS).astype(np.int64) - 1, BINS - 1).clip(0)
    gap = np.bincount(bins, probability - right, minlength=BINS)
    return float(np.abs(gap).sum() / len(right))


def _probabilities(cells: Cells, names: Sequence[str], predictions: pd.DataFrame) -> Floats:
    """Probability of each cell's prediction, [R, N]."""
    found = np.full((len(names), len(cells.images.ids)), np.nan)
    run = pd.Index(names).get_indexer(pd.Index(predictions["run"].astype(object)))
    image = cells.images.ids.get_indexer(pd.Index(predictions["image_id"].astype(object)))
    found[run, image] = predictions["probability"].to_numpy()
    return found
