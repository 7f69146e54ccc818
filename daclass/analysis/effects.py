"""What the tested condition, such as the strength that is best on average, costs each class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from daclass.analysis.cells import HALVES, TRUTHS, Cells, Half, Truth
from daclass.analysis.conditions import Conditions
from daclass.analysis.folds import best_levels, cross_fitted, seed_groups
from daclass.analysis.nulls import Nulls
from daclass.inference.arrays import Bools, Floats, Ints
from daclass.inference.crossed import Crossed, crossed, crossed_difference
from daclass.inference.discoveries import q_values
from daclass.inference.mcnemar import mcnemar
from daclass.inference.own_best import OwnBest, picture_correlations
from daclass.inference.power import detectable
from daclass.inference.shrinkage import shrink

AffectedRule = Literal["top", "fdr"]


@dataclass(frozen=True)
class Affected:
    """Which classes count as affected.

    Attributes:
        rule: "top" takes the classes with the largest drop against their own best condition (the
            rule of Kirichenko et al., NeurIPS 2023), or against the reference where no best one can
            be cross-fitted. Drops are shrunken first, so that classes of few pictures, whose drops
            scatter most, do not fill the list. "fdr" takes the classes with a positive drop against
            the reference and a q-value of at most `q`, which may be none.
        share: "top": share of the classes with a known drop.
        at_least: "top": number of classes, where the share gives fewer.
        q: "fdr": false discovery rate.
    """

    rule: AffectedRule
    share: float
    at_least: int
    q: float

    def choose(self, drop: Floats, q: Floats) -> Ints:
        """Class ids, those that pay most first.

        Args:
            drop: drop of each class, [C]; NaN where it is unknown. Ties go to the lower id.
            q: q-value of each class's drop against the reference, [C].
        """
        order = np.argsort(-drop, kind="stable")
        order = order[~np.isnan(drop[order])]
        if self.rule == "fdr":
            return order[(q[order] <= self.q) & (drop[order] > 0)]
        # Rounded first: a share such as .07 of 100 is a little more than 7 in floating point.
        return order[: max(math.ceil(round(self.share * len(order), 9)), self.at_least)]


def effects(
    cells: Cells, conditions: Conditions, nulls: Nulls, affected: Affected, *, confidence: float
) -> pd.DataFrame:
    """Accuracy of each class at a reference less that at the tested condition.

    Two references:

    - "fixed": the reference condition, named before looking. The difference uses all cells of the
      half and is paired over pictures and, where runs are pairs, over seeds.
    - "best": the class's best condition, which makes the drop of Kirichenko et al. (NeurIPS 2023),
      ``max_s a_k(s) - a_k(tested)``. A maximum over noisy accuracies is too large on the data that
      it was taken from (`plug_in` shows that number), so it is cross-fitted: a cell is compared at
      the condition that was best on pictures and seeds that it is not part of (see `folds`).

      - "select": chosen on the selection half and the other seeds. Pictures are shared, so this
        serves to choose classes, not to report them.
      - "estimate": chosen on the selection half and the other seeds: fresh pictures, fresh seeds.
      - "all": chosen on the other half and the other seeds; every cell is estimated once.

      Ties go to the condition nearer to the tested one, so that a tie never makes a drop. What is
      cross-fitted is too low where the chosen condition is not the best one, and its interval is
      conditional on the conditions chosen; `reference_policy` is the one that served most cells and
      `reference_strength` the mean strength over cells. NaN with one seed, or where runs are not
      paired and conditions differ in their number of runs: nothing can be cross-fitted.

      `at_least` is what holds for the true drop from the best condition of the grid: a one-sided
      bound, from all cells of the half, with any numbers of runs (see `OwnBest`). p and q are of
      the same test. The bound's level is the p-value at which Benjamini and Hochberg's procedure
      ended, so that it is above 0 for the classes that are named as below their own best, and of
      those at most a share of `affected.q` loses less than it says, on average (Benjamini and
      Yekutieli 2005, J. Am. Stat. Assoc. 100, 71).

    Where the tested and the reference condition have one run each, what "fixed" has beside the
    drop is of these two networks on new pictures (see `mcnemar`), and `speaks_of` says so.

    Args:
        cells: what `arrange_cells` gives for table "predictions".
        conditions: which of its policies are compared.
        nulls: what `Nulls.draw` gives for them.
        affected: the rule that chooses classes, on the selection half under original labels.
        confidence: level of the intervals, in (0, 1).

    Returns:
        Table "effects": one row for each (truth, half, reference, class). q-values are
        Benjamini-Hochberg's over the classes of one (truth, half, reference). `detectable` is the
        drop that these seeds and pictures would find in 80% of studies, where a p-value counts that
        passes the Benjamini-Hochberg threshold of this table (or .05 / C, if nothing passes).

    Raises:
        InputError: as `Conditions.replicates`.
    """
    rows = conditions.replicates(cells.table)
    strengths = np.array([cells.table["strength"].iloc[own[0]] for own in rows])
    frames = []
    for truth in TRUTHS:
        sweep = _Sweep(cells, truth, conditions, [cells.correct[truth][own] for own in rows])
        for half in HALVES:
            fixed = sweep.fixed(half, confidence, affected.q).assign(
                reference_policy=conditions.reference,
                reference_strength=strengths[conditions.reference_level],
            )
            if half == "all":
                fixed["p_max"] = nulls.max_t(truth)
            frames += [
                frame.assign(truth=truth, half=half)
                for frame in (fixed, sweep.best(half, strengths, confidence, affected.q))
            ]
    table = pd.concat(frames, ignore_index=True)
    fixed = _selection(table, "fixed")
    drop = selection_drop(table).sort_index() if affected.rule == "top" else fixed["drop"]
    chosen = affected.choose(drop.to_numpy(np.float64), fixed["q"].to_numpy(np.float64))
    runs = {"fixed": [len(rows[0]), len(rows[conditions.reference_level])]}
    return table.assign(
        affected=table["class_id"].isin(chosen),
        seeds=table["reference"].map(
            {name: min(runs.get(name, map(len, rows))) for name in ("fixed", "best")}
        ),
    )


@dataclass(frozen=True)
class _Sweep:
    """Correctness of each condition's runs under one truth, K x bool [S_k, N]."""

    cells: Cells
    truth: Truth
    conditions: Conditions
    correct: Sequence[Bools]

    def fixed(self, half: Half, confidence: float, q: float) -> pd.DataFrame:
        chosen, labels = self._chosen(half)
        found = self._contrast(self.conditions.reference_level, half, confidence)
        frame = self._frame(self.conditions.holding(found, confidence), half, "fixed", q)
        at_reference, at_tested = self.correct[self.conditions.reference_level], self.correct[0]
        if len(at_reference) == len(at_tested) == 1:
            alone = mcnemar(
                at_reference[0, chosen],
                at_tested[0, chosen],
                labels,
                self.cells.images.n_classes,
                confidence=self.conditions.level(confidence),
            )
            p = self.conditions.p(alone.p)
            return frame.assign(
                low=alone.low,
                high=alone.high,
                shrunken=shrink(alone.mean, alone.error),
                p=p,
                q=q_values(p, "bh"),
                speaks_of="networks",
            )
        return frame

    def _contrast(self, level: int, half: Half, confidence: float) -> Crossed:
        """A condition less the tested one."""
        chosen, labels = self._chosen(half)
        return crossed_difference(
            self.correct[level][:, chosen],
            self.correct[0][:, chosen],
            labels,
            self.cells.images.n_classes,
            paired=self.conditions.paired,
            confidence=confidence,
            moderate=True,
        )

    def _bounds(self, half: Half, confidence: float, q: float) -> dict[str, Floats]:
        """What each class loses at least against its own best condition, with p and q."""
        chosen, labels = self._chosen(half)
        contrasts = [
            self._contrast(level, half, confidence) for level in range(1, len(self.correct))
        ]
        alike = picture_correlations(
            [rows[:, chosen].mean(axis=0) for rows in self.correct],
            0,
            labels,
            self.cells.images.n_classes,
        )
        found = OwnBest.of(contrasts, alike)
        p = self.conditions.p(found.p())
        level = self.conditions.level(1 - _threshold(q_values(p, "bh"), q))
        return {"at_least": found.at_least(level), "p": p, "q": q_values(p, "bh")}

    def best(self, half: Half, strengths: Floats, confidence: float, q: float) -> pd.DataFrame:
        images = self.cells.images
        chosen, labels = self._chosen(half)
        if seed_groups(self.correct) is None:
            nothing = crossed(
                np.zeros((1, len(labels))), labels, images.n_classes, confidence=confidence
            )
            nothing = nothing.without(np.ones(images.n_classes, bool))
            unknown = self._frame(nothing, half, "best", q)
            bounds = self._bounds(half, confidence, q)
            return unknown.assign(reference_policy="", reference_strength=np.nan, **bounds)
        counted = self.cells.counted[self.truth]
        levels = best_levels(self.correct, images, counted)
        level, at_best = cross_fitted(self.correct, images, levels, half)
        difference = at_best[:, chosen].astype(np.int8) - self.correct[0][:, chosen]
        found = crossed(difference, labels, images.n_classes, confidence=confidence, moderate=True)
        undefined = np.zeros(images.n_classes, bool)
        undefined[images.labels[chosen][(level[:, chosen] < 0).any(axis=0)]] = True
        # How often each condition was the reference of a class's cells, [K, C].
        used = np.stack(
            [
                np.bincount(labels, (level[:, chosen] == k).sum(axis=0), images.n_classes)
                for k in range(len(self.correct))
            ]
        )
        names = np.array(self.conditions.names, object)[used.argmax(axis=0)]
        with np.errstate(invalid="ignore"):
            strength = strengths @ used / used.sum(axis=0)
        held = self.conditions.holding(found.without(undefined), confidence)
        return self._frame(held, half, "best", q).assign(
            reference_policy=np.where(undefined | (used.sum(axis=0) == 0), "", names),
            reference_strength=np.where(undefined, np.nan, strength),
            **self._bounds(half, confidence, q),
        )

    def _chosen(self, half: Half) -> tuple[Bools, Ints]:
        """The pictures that a half counts, bool [N], and their classes."""
        chosen = self.cells.counted[self.truth] & self.cells.images.half(half)
        return chosen, self.cells.images.labels[chosen]

    def _plug_in(self, half: Half) -> Floats:
        """The class's best accuracy less that at the tested condition, on the same cells, [C]."""
        chosen, labels = self._chosen(half)
        n_classes = self.cells.images.n_classes
        means = [
            np.bincount(labels, rows[:, chosen].mean(axis=0), minlength=n_classes)
            for rows in self.correct
        ]
        images = np.bincount(labels, minlength=n_classes)
        with np.errstate(invalid="ignore"):
            return (np.max(means, axis=0) - means[0]) / images

    def _frame(self, found: Crossed, half: Half, reference: str, q: float) -> pd.DataFrame:
        adjusted = q_values(found.p, "bh")
        return pd.DataFrame(
            {
                "class_id": np.arange(len(found.mean)),
                "reference": reference,
                "drop": found.mean,
                "low": found.low,
                "high": found.high,
                "seeds_low": found.seeds_low,
                "seeds_high": found.seeds_high,
                "shrunken": shrink(found.mean, found.error),
                "at_least": np.nan,
                "p": found.p,
                "q": adjusted,
                "p_max": np.nan,
                "detectable": _detectable(found, adjusted, q, self.conditions),
                "plug_in": self._plug_in(half),
                "rank": _rank(found.mean),
                "images": found.images,
                "speaks_of": "runs",
            }
        )


def _detectable(found: Crossed, adjusted: Floats, q: float, conditions: Conditions) -> Floats:
    """The smallest true drop that is found with a probability of `POWER`, [C].

    A test of level alpha finds a drop of ``reach(alpha) + t_power * error`` with about that
    probability; alpha is the threshold that Benjamini and Hochberg's procedure ended at. NaN where
    not even the loss of all accuracy would be found.
    """
    alpha = 1 - conditions.level(1 - _threshold(adjusted, q))
    return detectable(found.spread, alpha)


def _threshold(adjusted: Floats, q: float) -> float:
    """The p-value at which Benjamini and Hochberg's procedure ended, or would find a first class.

    Args:
        adjusted: q-values, [C]; NaN for classes that were not tested.
        q: the false discovery rate.
    """
    return q * max(int((adjusted <= q).sum()), 1) / max(int(np.isfinite(adjusted).sum()), 1)


def _rank(drop: Floats) -> Ints:
    """Rank from 1, largest drop first; ties in the order of the classes, NaN last."""
    ranks = np.empty(len(drop), np.int64)
    ranks[np.argsort(-drop, kind="stable")] = np.arange(1, len(drop) + 1)
    return ranks


def selection_drop(effects: pd.DataFrame) -> pd.Series:
    """What classes are chosen by: the shrunken drop on the selection half under original labels.

    Against the best condition where any can be cross-fitted, else against the fixed reference; the
    drop as it is where nothing tells how far to shrink. A class that tells less than the others,
    such as one with a single picture in the half, is not known.

    Returns:
        Index: class id; values: drop, largest first, ties by class id, NaN last.
    """
    best, fixed = (_selection(effects, reference) for reference in ("best", "fixed"))
    found = next(
        (drops for drops in (best["shrunken"], fixed["shrunken"]) if drops.notna().any()),
        fixed["drop"],
    )
    return found.sort_values(ascending=False, kind="stable")


def _selection(effects: pd.DataFrame, reference: str) -> pd.DataFrame:
    chosen = (effects["half"] == "select") & (effects["truth"] == "original")
    return effects[chosen & (effects["reference"] == reference)].set_index("class_id").sort_index()
