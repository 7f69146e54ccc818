"""Whether a network tells a policy's classes by how much of a picture is shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from daclass.errors import InputError
from daclass.inference.arrays import Bools
from daclass.inference.crossed import crossed


def marks(
    shown: Mapping[float, pd.DataFrame],
    pictures: pd.DataFrame,
    own: Mapping[str, Collection[int]],
    *,
    baseline: str,
    confidence: float,
) -> pd.DataFrame:
    """What share of predictions the classes that a policy changes get, by how much is shown.

    A policy that gives few classes weaker crops makes whole pictures rare among the others.
    Networks that have learnt this predict these classes the more, the more of a picture is shown. A
    shift that is the same however much is shown is another thing, such as an easier class: the mark
    is what the difference from the baseline *gains* from the least that is shown.

    Args:
        shown: share of each picture's area that the networks were shown, in (0, 1] -> table
            "predictions" of the interventions' runs under that view; every table with the same
            policies, seeds and pictures.
        pictures: image_id and class_id of the pictures that count: those of the estimation half.
        own: policy -> class ids whose strength is not that of the baseline. A policy without any
            has no mark, and no row.
        baseline: the policy that gives all classes one strength.
        confidence: level of the intervals, in (0, 1).

    Returns:
        Table "marks": one row for each (policy, shown), least shown first. Intervals are for new
        seeds and new pictures (`crossed`), paired by seed and picture; NaN with one seed.

    Raises:
        InputError: a table lacks a policy's run, or a picture.
    """
    labels = pictures.set_index("image_id")["class_id"]
    areas = sorted(shown)
    asked = {policy: sorted(classes) for policy, classes in own.items() if classes}
    predicted = {area: _predicted(shown[area], labels.index, {*asked, baseline}) for area in areas}
    one_group = np.zeros(len(labels), np.int64)
    rows = []
    for policy, classes in asked.items():
        least = None
        for area in areas:
            taken: dict[str, Bools] = {
                name: np.isin(predicted[area][name], classes) for name in (policy, baseline)
            }
            change = taken[policy].astype(np.int8) - taken[baseline].astype(np.int8)
            least = change if least is None else least
            differs = crossed(change, one_group, 1, confidence=confidence)
            gains = crossed(change - least, one_group, 1, confidence=confidence, span=(-2.0, 2.0))
            known = area != areas[0]
            rows.append(
                {
                    "policy": policy,
                    "shown": area,
                    "classes": len(classes),
                    "due": float(np.isin(labels, classes).mean()),
                    "share": float(taken[policy].mean()),
                    "share_baseline": float(taken[baseline].mean()),
                    "difference": differs.mean[0],
                    "low": differs.low[0],
                    "high": differs.high[0],
                    "mark": gains.mean[0] if known else np.nan,
                    "mark_low": gains.low[0] if known else np.nan,
                    "mark_high": gains.high[0] if known else np.nan,
                    "seeds": len(change),
                    "images": len(labels),
                }
            )
    return pd.DataFrame(rows)


def _predicted(
    table: pd.DataFrame, images: pd.Index, policies: Collection[str]
) -> dict[str, np.ndarray]:
    """Predicted class ids of each policy, [seeds, images], all over the same seeds."""
    wide = table[table["policy"].isin(policies)].pivot_table(
        index=["policy", "seed"], columns="image_id", values="prediction", aggfunc="first"
    )
    missing = images.difference(wide.columns)
    if len(missing):
        raise InputError(f"predictions: there is none of the picture {missing[0]}")
    wide = wide[images]
    seeds = sorted({seed for _, seed in wide.index})
    found = {}
    for policy in sorted(policies):
        runs = [(policy, seed) for seed in seeds]
        for _, seed in (run for run in runs if run not in wide.index):
            raise InputError(f"predictions: {policy} has no run with seed {seed}")
        cells = wide.loc[runs].to_numpy()
        if np.isnan(cells.astype(float)).any():
            raise InputError(f"predictions: a run of {policy} lacks pictures that others have")
        found[policy] = cells.astype(np.int64)
    return found
