"""What the strongest augmentation costs each class."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from daclass.analysis.cells import (
    HALVES,
    TRUTHS,
    Bools,
    Cells,
    EmptyLabels,
    Floats,
    Half,
    Ints,
    Truth,
    arrange_cells,
    grid,
    level_of,
)
from daclass.analysis.crossed import Crossed, crossed
from daclass.analysis.discoveries import q_values

AffectedRule = Literal["top", "fdr"]


def effects(
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    annotations: pd.DataFrame,
    n_classes: int,
    *,
    strongest: float,
    reference: float,
    affected_rule: AffectedRule,
    affected_share: float,
    affected_at_least: int,
    q: float,
    empty_labels: EmptyLabels,
    confidence: float,
) -> pd.DataFrame:
    """Accuracy of each class at a reference strength less that at the strongest.

    Two references:

    - "fixed": the strength `reference`, named before looking. The difference is paired over seeds
      and pictures, and uses all cells of the half.
    - "best": the class's best strength, which makes the drop of Kirichenko et al. (NeurIPS 2023),
      ``max_s a_k(s) - a_k(strongest)``. A maximum over noisy accuracies is too large on
      the data that it was taken from (`plug_in` shows that number), so it is cross-fitted: seeds
      are split into two groups by even and odd rank, and a cell is compared at the strength that
      was best on pictures or seeds that it is not part of.

      - "select": chosen on the selection half and the other seeds. Pictures are shared, so this
        serves to choose classes, not to report them.
      - "estimate": chosen on the selection half and the other seeds: fresh pictures, fresh seeds.
      - "all": chosen on the other half and the other seeds; every cell is estimated once.

      Ties go to the stronger strength, so that a tie never makes a drop. Intervals and p are
      conditional on the strengths chosen. With one seed nothing can be cross-fitted: drop is NaN.

    Args:
        predictions: table "predictions" with the uniform policies of the sweep alone, every
            strength with the same seeds.
        index, annotations: the tables of those names.
        n_classes: C.
        strongest, reference: strengths that occur in `predictions`.
        affected_rule: "top" takes the `affected_share` of the classes (at least
            `affected_at_least`) with the largest drop on the selection half under original labels
            against the best strength (against the fixed one where that is NaN); "fdr" takes the
            classes with a positive drop and q-value of at most `q` on the selection half under
            original labels against the fixed strength, which may be none.
        empty_labels: as for `arrange_cells`.
        confidence: level of the intervals, in (0, 1).

    Returns:
        Table "effects": one row for each (truth, half, reference, class). q-values are
        Benjamini-Hochberg's over the classes of one (truth, half, reference).

    Raises:
        InputError: as `arrange_cells`; a strength lacks a seed, or `strongest` or `reference` does
            not occur.
    """
    cells = arrange_cells(predictions, index, annotations, n_classes, empty_labels)
    levels, seeds, rows = grid(cells.table, "strength")
    level_of(levels, reference, "strength")
    at_strongest = level_of(levels, strongest, "strength")
    # Strongest first: the first maximum is then the strongest of those that tie.
    order = np.argsort(np.abs(np.arange(len(levels)) - at_strongest), kind="stable")
    strengths = np.asarray(levels, np.float64)[order]
    frames = []
    for truth in TRUTHS:
        sweep = _Sweep(cells, truth, strengths, cells.correct[truth][rows[order]])
        for half in HALVES:
            fixed, best = sweep.fixed(half, reference, confidence), sweep.best(half, confidence)
            frames.append(pd.concat([fixed, best]).assign(truth=truth, half=half))
    table = pd.concat(frames, ignore_index=True)
    chosen = _affected(table, affected_rule, affected_share, affected_at_least, q)
    return table.assign(affected=table["class_id"].isin(chosen), seeds=len(seeds))


@dataclass(frozen=True)
class _Sweep:
    """Correctness under one truth, bool [K, S, N], strongest strength first."""

    cells: Cells
    truth: Truth
    strengths: Floats
    correct: Bools

    def fixed(self, half: Half, reference: float, confidence: float) -> pd.DataFrame:
        level = int(np.flatnonzero(self.strengths == reference)[0])
        found = self._estimate(self.correct[level], half, confidence)
        return self._frame(found, half, "fixed", np.full(len(found.mean), reference))

    def best(self, half: Half, confidence: float) -> pd.DataFrame:
        images, seeds = self.cells.images, self.correct.shape[1]
        if seeds < 2:
            found = self._estimate(self.correct[0], half, confidence)
            nowhere = np.ones(images.n_classes, bool)
            unknown = np.full(images.n_classes, np.nan)
            return self._frame(_without(found, nowhere), half, "best", unknown)
        # choices[h, g]: each class's best strength on half h (0 select, 1 estimate) and seeds g.
        group = np.arange(seeds) % 2
        choices = np.array(
            [
                [self._choose(images.half(h) & self._counted, group == g) for g in (0, 1)]
                for h in ("select", "estimate")
            ]
        )
        # The half that each picture's strength was chosen on: the other one, except that the
        # selection half alone has only itself.
        source = images.select.astype(np.int64)
        if half == "select":
            source = np.zeros_like(source)
        level = choices[source[None, :], 1 - group[:, None], images.labels[None, :]]
        at_best = np.take_along_axis(self.correct, np.maximum(level, 0)[None], axis=0)[0]
        found = self._estimate(at_best, half, confidence)
        used = choices[{"select": [0], "estimate": [0], "all": [0, 1]}[half]].reshape(
            -1, images.n_classes
        )
        undefined: Bools = np.any(used < 0, axis=0)
        strength = np.where(undefined, np.nan, self.strengths[used].mean(axis=0))
        return self._frame(_without(found, undefined), half, "best", strength)

    @property
    def _counted(self) -> Bools:
        return self.cells.counted[self.truth]

    def _estimate(self, better: Bools, half: Half, confidence: float) -> Crossed:
        """Each class's mean of `better` less the strongest, both [S, N]."""
        chosen = self._counted & self.cells.images.half(half)
        difference = better[:, chosen].astype(np.int8) - self.correct[0][:, chosen]
        images = self.cells.images
        return crossed(difference, images.labels[chosen], images.n_classes, confidence=confidence)

    def _hits(self, chosen: Bools, seeds: Bools) -> Ints:
        """Right predictions of each strength and class over chosen pictures and seeds, [K, C]."""
        images = self.cells.images
        per_image = self.correct[:, seeds][:, :, chosen].sum(axis=1)
        counts = [
            np.bincount(images.labels[chosen], row, minlength=images.n_classes) for row in per_image
        ]
        return np.asarray(counts).astype(np.int64)

    def _choose(self, chosen: Bools, seeds: Bools) -> Ints:
        """Each class's best strength, [C]; -1 for a class without chosen pictures."""
        images = self.cells.images
        empty = np.bincount(images.labels[chosen], minlength=images.n_classes) == 0
        return np.where(empty, -1, np.argmax(self._hits(chosen, seeds), axis=0))

    def _plug_in(self, half: Half) -> Floats:
        """The class's best accuracy less that at the strongest, on the same cells, [C]."""
        images, seeds = self.cells.images, self.correct.shape[1]
        chosen = self._counted & images.half(half)
        hits = self._hits(chosen, np.ones(seeds, bool))
        n = np.bincount(images.labels[chosen], minlength=images.n_classes) * seeds
        return np.where(n > 0, (hits.max(axis=0) - hits[0]) / np.maximum(n, 1), np.nan)

    def _frame(
        self, found: Crossed, half: Half, reference: str, reference_strength: Floats
    ) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "class_id": np.arange(len(found.mean)),
                "reference": reference,
                "reference_strength": reference_strength,
                "drop": found.mean,
                "low": found.low,
                "high": found.high,
                "seeds_low": found.seeds_low,
                "seeds_high": found.seeds_high,
                "p": found.p,
                "q": q_values(found.p, "bh"),
                "plug_in": self._plug_in(half),
                "rank": _rank(found.mean),
                "images": found.images,
            }
        )


def _without(found: Crossed, classes: Bools) -> Crossed:
    """`found` with NaN for the marked classes."""
    return replace(
        found,
        mean=np.where(classes, np.nan, found.mean),
        low=np.where(classes, np.nan, found.low),
        high=np.where(classes, np.nan, found.high),
        seeds_low=np.where(classes, np.nan, found.seeds_low),
        seeds_high=np.where(classes, np.nan, found.seeds_high),
        p=np.where(classes, np.nan, found.p),
    )


def _rank(drop: Floats) -> Ints:
    """Rank from 1, largest drop first; ties in the order of the classes, NaN last."""
    ranks = np.empty(len(drop), np.int64)
    ranks[np.argsort(-drop, kind="stable")] = np.arange(1, len(drop) + 1)
    return ranks


def _affected(
    table: pd.DataFrame, rule: AffectedRule, share: float, at_least: int, q: float
) -> list[int]:
    """The affected classes, chosen on the selection half under original labels."""
    if rule == "fdr":
        fixed = _selection(table, "fixed")
        return list(fixed.index[(fixed["q"] <= q) & (fixed["drop"] > 0)])
    drop = selection_drop(table)
    # Rounded first: a share such as .07 of 100 is a little more than 7 in floating point.
    wanted = max(math.ceil(round(share * len(drop), 9)), at_least)
    return list(drop.dropna().index[:wanted])


def selection_drop(effects: pd.DataFrame) -> pd.Series:
    """What classes are chosen by: the drop on the selection half under original labels.

    Against the best strength where there is one (two seeds or more), else against the fixed one.

    Returns:
        Index: class id; values: drop, largest first, ties by class id, NaN last.
    """
    best, fixed = (_selection(effects, reference)["drop"] for reference in ("best", "fixed"))
    return best.fillna(fixed).sort_values(ascending=False, kind="stable")


def _selection(effects: pd.DataFrame, reference: str) -> pd.DataFrame:
    chosen = (effects["half"] == "select") & (effects["truth"] == "original")
    return effects[chosen & (effects["reference"] == reference)].set_index("class_id").sort_index()
