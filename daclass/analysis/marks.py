"""Whether a network tells a policy's classes by how much of a picture is shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from daclass.errors import InputError
from daclass.inference.arrays import Bools
from daclass.inference.crossed import crossed


class Shown(NamedTuple):
    """The classes that a policy shows fuller than others, and what it is compared with.

    Attributes:
        baseline: the uniform policy of the strength that most other classes have.
        class_ids: of these classes, ascending.
    """

    baseline: str
    class_ids: tuple[int, ...]


def shown_fuller(
    policies: pd.DataFrame, policy_classes: pd.DataFrame, *, otherwise: str
) -> dict[str, Shown]:
    """Which classes each policy of random resized crops shows fuller than most.

    Those at a larger lower bound of the crop's area than most classes have (of bounds that as many
    have, the smaller one); where there are none, all that have this bound: then it is the others'
    pictures that are cut. A policy of one bound for all has none, and is left out.

    Args:
        policies: table "policies" of the phases after the sweep.
        policy_classes: table "policy_classes" of the same.
        otherwise: baseline of policies whose most frequent strength no uniform policy has.
    """
    parent = policies.set_index("policy")["parent"]
    strength = policies.set_index("policy")["strength"]
    found = {}
    for name, rows in policy_classes[policy_classes["own"]].groupby("policy", sort=False):
        own = rows.set_index("class_id")["strength"]
        if own.nunique() < 2:
            continue
        most = own.mode().min()
        fuller = own[own > most] if (own > most).any() else own[own == most]
        same = strength.index[(strength == most) & (parent == parent[name])]
        baseline = str(same[0]) if len(same) else otherwise
        found[str(name)] = Shown(baseline, tuple(int(k) for k in sorted(fuller.index)))
    return found


def marks(
    predictions: pd.DataFrame,
    pictures: pd.DataFrame,
    shown: Mapping[str, Shown],
    *,
    confidence: float,
) -> pd.DataFrame:
    """What share of predictions the classes get that a policy shows fuller, view by view.

    A policy that gives few classes weaker crops makes whole pictures rare among the others.
    Networks that have learnt this predict these classes the more, the more of a picture is shown. A
    shift that is the same however much is shown is another thing, such as an easier class: the mark
    is what the difference from the baseline *gains* from the least that is shown.

    Args:
        predictions: table "predictions" of the interventions' runs; rows with a logit shift do not
            count. Every view with the same policies, seeds and pictures.
        pictures: image_id and class_id of the pictures that count: those of the estimation half.
        shown: policy -> its classes, as `shown_fuller` gives them.
        confidence: level of the intervals, in (0, 1).

    Returns:
        Table "marks": one row for each (policy, view), least shown first. Intervals are for new
        seeds and new pictures (`crossed`), paired by seed and picture; NaN with one seed.

    Raises:
        InputError: a view lacks a policy's run, or a picture.
    """
    labels = pictures.set_index("image_id")["class_id"]
    wanted = {name for policy, (baseline, _) in shown.items() for name in (policy, baseline)}
    plain = predictions[~predictions["shifted"] & predictions["policy"].isin(wanted)]
    predicted = {
        view: _predicted(plain[plain["view"] == view], labels.index, wanted)
        for view in sorted(plain["view"].unique().tolist())
    }
    one_group = np.zeros(len(labels), np.int64)
    rows = []
    for policy, (baseline, classes) in shown.items():
        least = None
        for view, said in predicted.items():
            taken: dict[str, Bools] = {
                name: np.isin(said[name], classes) for name in (policy, baseline)
            }
            change = taken[policy].astype(np.int8) - taken[baseline].astype(np.int8)
            differs = crossed(change, one_group, 1, confidence=confidence)
            known, least = least is not None, change if least is None else least
            gains = crossed(change - least, one_group, 1, confidence=confidence, span=(-2.0, 2.0))
            rows.append(
                {
                    "policy": policy,
                    "baseline": baseline,
                    "view": view,
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
    return pd.DataFrame(rows, columns=list(COLUMNS))


COLUMNS = (
    "policy", "baseline", "view", "classes", "due", "share", "share_baseline", "difference", "low",
    "high", "mark", "mark_low", "mark_high", "seeds", "images",
)  # fmt: skip


def marked(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of table "marks" at the fullest view, with `marks`: whether the policy marks.

    It does where the interval of its mark lies above 0. Where there is one view alone, or one seed,
    nobody can tell, and it does not count.
    """
    fullest = table[table["view"] == table["view"].max()]
    return fullest.assign(marks=fullest["mark_low"] > 0)


def _predicted(
    table: pd.DataFrame, images: pd.Index, policies: Collection[str]
) -> dict[str, np.ndarray]:
    """Predicted class ids of each policy, [seeds, images], all over the same seeds."""
    wide = table.pivot_table(
        index=["policy", "seed"],
        columns="image_id",
        values="prediction",
        aggfunc="first",
        observed=True,
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
