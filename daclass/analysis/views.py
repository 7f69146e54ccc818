"""What accuracy owes to the view: the central square of each picture that networks judge.

Networks that were trained on small crops see larger objects than whole pictures show, and do best
on a smaller square (the train-test discrepancy: Touvron et al., NeurIPS 2019). Where all strengths
are judged at one view, a difference between them is in part the view's: it can be had back without
any training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from daclass.analysis.cells import HALVES, Half, Images, arrange_runs
from daclass.analysis.conditions import Conditions, replicates
from daclass.inference.arrays import Bools, Ints
from daclass.inference.averages import average
from daclass.inference.crossed import Crossed, crossed
from daclass.inference.discoveries import q_values

PREDICTION_COLUMNS = (
    "policy", "strength", "seed", "image_id", "view", "shifted", "prediction",
)  # fmt: skip
"""The columns of table "predictions" that views need."""

_DIGITS = 12
"""Averages that agree so far tie: they differ by the order of additions."""


class _Shown(NamedTuple):
    """What is judged: the view, as a share of the shorter side, and whether logits are shifted."""

    view: float
    shifted: bool


class _Judged(NamedTuple):
    """The runs' verdicts on every view.

    Attributes:
        table: columns policy, strength and seed, one row per run.
        correct: by what is shown, bool [R, N], the runs in the order of `table`.
    """

    images: Images
    table: pd.DataFrame
    correct: Mapping[_Shown, Bools]

    @property
    def views(self) -> list[float]:
        """The views without a shift, in order."""
        return sorted(shown.view for shown in self.correct if not shown.shifted)

    def best(self, rows: Ints, half: Half, common: float) -> float:
        """The view at which the runs in `rows` have the best average over classes, on one half."""
        chosen = self.images.half(half)
        labels = self.images.labels[chosen]
        images = np.bincount(labels, minlength=self.images.n_classes)
        averages = {}
        for view in self.views:
            right = self.correct[_Shown(view, False)][np.ix_(rows, chosen)].mean(axis=0)
            hits = np.bincount(labels, right, self.images.n_classes)
            averages[view] = (hits[images > 0] / images[images > 0]).mean()
        return best_view(averages, common)


def best_view(averages: Mapping[float, float], common: float) -> float:
    """The view with the largest average; of those that tie, the nearest to the common one.

    Args:
        averages: view -> accuracy; NaN is never best, and where all are NaN the common view is.
        common: the view that the study judges all networks at.
    """
    known = {v: round(float(a), _DIGITS) for v, a in averages.items() if not np.isnan(a)}
    if not known:
        return common
    return min(known, key=lambda view: (-known[view], abs(view - common), view))


def views(
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    n_classes: int,
    common: float,
    *,
    confidence: float,
) -> pd.DataFrame:
    """Average accuracy of each policy at each view, and after the logit shift.

    Under original labels; all classes count alike.

    Args:
        predictions: table "predictions" of one phase.
        index: table "index".
        n_classes: number of classes.
        common: the study's own view, `training.val_crop`.
        confidence: level of the intervals, in (0, 1).

    Returns:
        Table "views": one row for each (policy, view, shifted, half). Intervals are for new seeds
        and new pictures; NaN with one seed, and of the differences where predictions are the same.

    Raises:
        InputError: the common view is not among the predictions, or a run lacks pictures.
    """
    judged = _judge(predictions, index, n_classes, common)
    rows = []
    for (policy, strength), runs in judged.table.groupby(["policy", "strength"], dropna=False):
        own = runs.index.to_numpy()
        best = judged.best(own, "select", common)
        for shown, correct in judged.correct.items():
            for half in HALVES:
                chosen = judged.images.half(half)
                labels = judged.images.labels[chosen]
                right = correct[own][:, chosen].astype(np.int8)
                at_common = judged.correct[_Shown(common, False)][own][:, chosen]
                level = average(right, labels, "macro", confidence=confidence, span=(0.0, 1.0))
                gain = average(right - at_common, labels, "macro", confidence=confidence)
                same = shown == (common, False)
                rows.append(
                    {
                        "policy": policy,
                        "strength": strength,
                        "view": shown.view,
                        "shifted": shown.shifted,
                        "half": half,
                        "accuracy": level.mean[0],
                        "low": level.low[0],
                        "high": level.high[0],
                        "difference": gain.mean[0],
                        "difference_low": np.nan if same else gain.low[0],
                        "difference_high": np.nan if same else gain.high[0],
                        "common": same,
                        "best": shown == (best, False),
                        "seeds": level.seeds,
                        "images": level.images[0],
                    }
                )
    return pd.DataFrame(rows)


def view_effects(
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    n_classes: int,
    conditions: Conditions,
    common: float,
    *,
    confidence: float,
) -> pd.DataFrame:
    """Each class's drop where both strengths are judged at their own best view; and the average.

    A strength's best view is the one with the best average over all classes. It is chosen on the
    half that a picture is not in: on half "estimate" by the selection half, on half "all" also the
    other way round, so that every picture counts once.

    Args:
        predictions, index, n_classes, common, confidence: as for `views`.
        conditions: of the sweep; they say which strength is tested and which is the reference.

    Returns:
        Table "view_effects": one row for each (half, class), original labels, and one for the
        average of all classes, whose class_id is -1. `view_part` is what the drop at the common
        view has more than this one: the view's share of it. q-values are Benjamini and Hochberg's
        over the classes of one half. Where the data decided which strength is tested, intervals
        and tests hold for all that might have been (`Conditions.holding`).

    Raises:
        InputError: as for `views`, or a policy lacks a seed that the other has.
    """
    names = [conditions.tested, conditions.reference]
    judged = _judge(predictions[predictions["policy"].isin(names)], index, n_classes, common)
    rows = replicates(judged.table, names, paired=True)
    at_best, chosen_views = [], []
    for own in rows:
        halves: Sequence[Half] = ("select", "estimate")
        by_select, by_estimate = (judged.best(own, half, common) for half in halves)
        select = judged.images.select[None, :]
        correct = [judged.correct[_Shown(view, False)][own] for view in (by_estimate, by_select)]
        at_best.append(np.where(select, *correct).astype(np.int8))
        chosen_views.append(by_select)
    at_common = [judged.correct[_Shown(common, False)][own].astype(np.int8) for own in rows]
    drop, own_drop = (pair[1] - pair[0] for pair in (at_best, at_common))

    def estimate(values: npt.NDArray, labels: Ints, class_ids: Ints, span: float) -> Crossed:
        limits = (-span, span)
        if len(class_ids) == 1:
            return average(values, labels, "macro", confidence=confidence, span=limits)
        return crossed(values, labels, n_classes, confidence=confidence, span=limits, moderate=True)

    frames = []
    for half in ("estimate", "all"):
        chosen = judged.images.half(half)
        labels = judged.images.labels[chosen]
        shared = {
            "half": half,
            "tested_view": chosen_views[0],
            "reference_view": chosen_views[1],
        }
        for class_ids in (np.arange(n_classes), np.array([-1])):
            found, part = (
                conditions.holding(estimate(values[:, chosen], labels, class_ids, span), confidence)
                for values, span in ((drop, 1.0), (own_drop - drop, 2.0))
            )
            frames.append(
                pd.DataFrame(
                    {
                        "class_id": class_ids,
                        **shared,
                        "drop": found.mean,
                        "low": found.low,
                        "high": found.high,
                        "p": found.p,
                        "q": q_values(found.p, "bh") if len(class_ids) > 1 else np.nan,
                        "view_part": part.mean,
                        "part_low": part.low,
                        "part_high": part.high,
                        "seeds": found.seeds,
                        "images": found.images,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def _judge(
    predictions: pd.DataFrame, index: pd.DataFrame, n_classes: int, common: float
) -> _Judged:
    """Join every view to the pictures; all views have the same runs."""
    there = predictions[["view", "shifted"]].drop_duplicates()
    keys = [_Shown(float(view), bool(shifted)) for view, shifted in there.to_numpy()]
    correct = {}
    for shown in sorted(keys, key=lambda key: (key.shifted, key.view)):
        runs = arrange_runs(predictions, index, n_classes, shown.view, shifted=shown.shifted)
        own = _Shown(common, shown.shifted) if np.isclose(shown.view, common) else shown
        correct[own] = runs.predicted == runs.images.labels
    if _Shown(common, False) not in correct:  # says which there are
        arrange_runs(predictions, index, n_classes, common)
    return _Judged(runs.images, runs.table, correct)
