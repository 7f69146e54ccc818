"""How much of the drop multi-label annotations explain away: the paper's headline question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from daclass.analysis.cells import TRUTHS, Cells
from daclass.analysis.conditions import Conditions
from daclass.analysis.effects import Affected
from daclass.analysis.folds import (
    FOLD_HALVES,
    best_levels,
    cross_fitted,
    fold_of,
    seed_groups,
)
from daclass.inference.arrays import Bools, Floats, Ints
from daclass.inference.crossed import (
    Crossed,
    Sums,
    crossed_difference,
    crossed_from_sums,
    difference_from_sums,
)
from daclass.inference.discoveries import q_values
from daclass.inference.ratios import RATIOS, fieller, quadratic, sums_at

_TRUTHS = (*TRUTHS, "control")
_ENDS = ("", "_low", "_high")
_SHARES = [f"{name}{end}" for name in ("explained", "control") for end in _ENDS]
SHARES = (0.05, 0.1, 0.2)
"""Shares of the classes that are taken for affected beside the study's own rule: what is found
should not hang on one of them."""
_NUMBERS = [*(f"drop_{truth}{end}" for truth in _TRUTHS for end in _ENDS), *_SHARES]


def explained(
    cells: Cells, conditions: Conditions, affected: Affected, *, confidence: float
) -> pd.DataFrame:
    """Which share of the original-label drop disappears when all labels of a picture count.

    ``1 - sum(multi-label drop) / sum(original-label drop)``, both sums over the same pictures
    (those with labels) of a group of classes. A picture's wrong label is forgiven under multi-label
    truth in both conditions, so *any* additional label shrinks a drop. The control gives each
    picture its original label and as many random other labels as its annotation has beside the
    original one; its value is the expectation over all ways to draw them, which needs no drawing: a
    wrong prediction is forgiven with probability ``extra labels / (C - 1)``.

    Groups and references:

    - "all": every class, against the fixed reference, and against each class's own best condition,
      which is cross-fitted.
    - "affected": the classes that the study's rule chooses, cross-fitted like the conditions: each
      fold of pictures and seeds chooses classes and their best conditions, and they are measured on
      the other pictures with the other seeds. So the pooled drop is free of the optimism that the
      drop of classes chosen on shared seeds has. Folds may choose different classes.
    - "top 5%" and so on: the same for other shares of the classes (`SHARES`), by the rule "top".

    Intervals speak for new seeds and new pictures of these classes. That of a ratio is Fieller's
    (1954): the ratios that the data do not reject, with the standard errors of `crossed`. A share
    is withheld (NaN) where the interval of the original-label drop holds 0: a share of nothing; and
    where no picture has a label beyond its original one: nobody looked, so nothing is known.

    Args:
        cells: what `arrange_cells` gives.
        conditions: which of its policies are compared.
        affected: the rule for affected classes.
        confidence: level of the intervals, in (0, 1).

    Returns:
        Table "explained". Rows that need cross-fitting are left out where there are no folds (see
        `folds.seed_groups`); "affected" under the rule "fdr" needs four seeds, two to test with in
        either group.

    Raises:
        InputError: as `Conditions.replicates`.
    """
    rows = conditions.replicates(cells.table)
    counted = cells.counted["multi"]
    truths = _truths(cells, rows)
    right = [cells.correct["original"][own] for own in rows]
    at_tested = {truth: correct[0] for truth, correct in truths.items()}
    at_reference = {truth: correct[conditions.reference_level] for truth, correct in truths.items()}
    everywhere = np.broadcast_to(counted, (1, len(counted)))
    pools = [_Pool("all", "fixed", at_reference, at_tested, everywhere, conditions.paired)]
    if seed_groups(right) is not None:
        chosen_levels = best_levels(right, cells.images, counted)
        level, _ = cross_fitted(right, cells.images, chosen_levels, "all")
        at_best = {truth: _at(correct, level) for truth, correct in truths.items()}
        known = (level >= 0) & counted
        pools.append(_Pool("all", "best", at_best, at_tested, known, True))
        rules = {f"top {share:.0%}": replace(affected, rule="top", share=share) for share in SHARES}
        if affected.rule == "top" or len(right[0]) >= 4:
            rules = {"affected": affected, **rules}
        for group, rule in rules.items():
            members = _members(cells, right, chosen_levels, conditions, rule, confidence)
            pools.append(_Pool(group, "best", at_best, at_tested, known & members, True))
    return _table(cells, conditions, truths, rows, pools, confidence)


def explained_by_kind(
    cells: Cells, conditions: Conditions, categories: pd.DataFrame, *, confidence: float
) -> pd.DataFrame:
    """What each kind of affected classes loses under original labels and under all labels.

    On the estimation half: classes and kinds were chosen on the other one, but with the same seeds,
    so that what these seeds have in common flatters the drop. Against each class's own best
    condition where it can be cross-fitted, and against the fixed reference.

    Args:
        cells, conditions, confidence: as for `explained`.
        categories: the table of that name.

    Returns:
        Table "kind_drops": one row for each kind that occurs and reference.
    """
    rows = conditions.replicates(cells.table)
    counted = cells.counted["multi"] & cells.images.half("estimate")
    truths = _truths(cells, rows)
    right = [cells.correct["original"][own] for own in rows]
    at_tested = {truth: correct[0] for truth, correct in truths.items()}
    at_reference = {truth: correct[conditions.reference_level] for truth, correct in truths.items()}
    level, at_best = None, at_reference
    if seed_groups(right) is not None:
        levels = best_levels(right, cells.images, cells.counted["multi"])
        level, _ = cross_fitted(right, cells.images, levels, "estimate")
        at_best = {truth: _at(correct, level) for truth, correct in truths.items()}
    pools = []
    for kind, own in categories.groupby("category", sort=False):
        inside = (counted & np.isin(cells.images.labels, own["class_id"]))[None]
        pools.append(_Pool(str(kind), "fixed", at_reference, at_tested, inside, conditions.paired))
        if level is not None:
            known = inside & (level >= 0)
            pools.append(_Pool(str(kind), "best", at_best, at_tested, known, True))
    return _table(cells, conditions, truths, rows, pools, confidence)


def _table(
    cells: Cells,
    conditions: Conditions,
    truths: Mapping[str, Sequence[Floats]],
    rows: Sequence[Ints],
    pools: Sequence[_Pool],
    confidence: float,
) -> pd.DataFrame:
    """One row per pool; shares are withheld where nobody looked for other labels."""
    held, table = conditions.level(confidence), []
    contrast = (rows[0], rows[conditions.reference_level])
    for pool in pools:
        images = pool.mask.any(axis=0)
        row = pool.numbers(held) if images.any() else dict.fromkeys(_NUMBERS, np.nan)
        table.append(
            {
                "group": pool.group,
                "reference": pool.reference,
                **row,
                "classes": len(np.unique(cells.images.labels[images])),
                "images": int(images.sum()),
                "seeds": min(map(len, contrast if pool.reference == "fixed" else rows)),
            }
        )
    columns = ["group", "reference", *_NUMBERS, "classes", "images", "seeds"]
    found = pd.DataFrame(table, columns=columns)
    original, multi = truths["original"], truths["multi"]
    if all(map(np.array_equal, original, multi)) and not cells.extra_labels.any():
        found[_SHARES] = np.nan
    return found


def _truths(cells: Cells, rows: Sequence[Ints]) -> dict[str, list[Floats]]:
    """Correctness of each condition's runs under both truths and under the control, [S_k, N]."""
    truths: dict[str, list[Floats]] = {
        truth: [cells.correct[truth][own].astype(np.float64) for own in rows] for truth in TRUTHS
    }
    chance = cells.extra_labels / max(cells.images.n_classes - 1, 1)
    control = [np.where(correct > 0, 1.0, chance) for correct in truths["original"]]
    return {**truths, "control": control}


def _at(correct: Sequence[Floats], level: Ints) -> Floats:
    """Each cell's correctness at its level, [S, N]; 0 where there is none."""
    found = np.zeros(level.shape)
    for rank, rows in enumerate(correct):
        found = np.where(level == rank, rows, found)
    return found


def _members(
    cells: Cells,
    original: Sequence[Bools],
    levels: Ints,
    conditions: Conditions,
    affected: Affected,
    confidence: float,
) -> Bools:
    """Whether the fold that chooses for a cell took its class for affected, bool [S, N]."""
    groups = seed_groups(original)
    assert groups is not None
    images, n_classes = cells.images, cells.images.n_classes
    chosen = np.zeros((2, 2, n_classes), bool)
    for h, half in enumerate(FOLD_HALVES):
        own = images.half(half) & cells.counted["multi"]
        labels = images.labels[own]
        for g in (0, 1):
            of_fold = [rows[groups == g][:, own] for rows in original]
            fixed = crossed_difference(
                of_fold[conditions.reference_level],
                of_fold[0],
                labels,
                n_classes,
                paired=True,
                confidence=confidence,
                moderate=True,
            )
            drop = fixed.mean
            if affected.rule == "top":
                hits = [np.bincount(labels, rows.mean(axis=0), n_classes) for rows in of_fold]
                with np.errstate(invalid="ignore"):
                    drop = (np.max(hits, axis=0) - hits[0]) / fixed.images
            ids = affected.choose(drop, q_values(fixed.p, "bh"))
            chosen[h, g, ids] = levels[h, g, ids] >= 0
    source, group = fold_of(images, groups, "all")
    return chosen[source[None, :], group[:, None], images.labels[None, :]]


@dataclass(frozen=True)
class _Pool:
    """The cells of a group of classes at a reference and at the tested condition.

    Attributes:
        group, reference: as in the table.
        at_reference, at_tested: truth -> correctness, [S, N] and [T, N].
        mask: cells that belong to the group, bool [S, N], or [1, N] where seeds do not matter.
        paired: whether rows of the two belong together.
    """

    group: str
    reference: str
    at_reference: Mapping[str, Floats]
    at_tested: Mapping[str, Floats]
    mask: Bools
    paired: bool

    def numbers(self, confidence: float) -> dict[str, float]:
        """Pooled drops and shares, by column."""
        found: dict[str, float] = {}
        drops = {truth: self._drops(truth, confidence) for truth in _TRUTHS}
        for truth in _TRUTHS:
            drop = drops[truth](0.0)
            found[f"drop_{truth}"] = drop.mean[0]
            found[f"drop_{truth}_low"], found[f"drop_{truth}_high"] = drop.low[0], drop.high[0]
        for truth, name in (("multi", "explained"), ("control", "control")):
            share, low, high = fieller(drops[truth], found[f"drop_{truth}"], drops["original"](0.0))
            found[name], found[f"{name}_low"], found[f"{name}_high"] = 1 - share, 1 - high, 1 - low
        return found

    def _drops(self, truth: str, confidence: float) -> Callable[[float], Crossed]:
        """Mean drop under `truth` less `ratio` times that under original labels, by the ratio."""
        inside = self.mask.any(axis=0)
        images, groups = np.array([inside.sum()]), np.zeros(inside.sum(), np.int64)

        def arm(values: Mapping[str, Floats], ratio: float) -> Floats:
            return (values[truth] - ratio * values["original"])[:, inside]

        if self.paired:
            # Cells outside the mask count 0 and the mean over all is scaled up. What the folds
            # chose is given, so the mask is no random number.
            weight = self.mask[:, inside] / self.mask[:, inside].mean()
            tables = [
                Sums.of(
                    (arm(self.at_reference, ratio) - arm(self.at_tested, ratio)) * weight, groups, 1
                )
                for ratio in RATIOS
            ]
            return lambda ratio: crossed_from_sums(
                sums_at(ratio, tables), images, confidence=confidence, span=(-np.inf, np.inf)
            )
        arms = [(arm(self.at_reference, r), arm(self.at_tested, r)) for r in RATIOS]
        first, second = ([Sums.of(pair[k], groups, 1) for pair in arms] for k in (0, 1))
        both = [np.array([one.sum(axis=0) @ other.sum(axis=0)]) for one, other in arms]
        return lambda ratio: difference_from_sums(
            sums_at(ratio, first),
            sums_at(ratio, second),
            quadratic(ratio, both),
            images,
            confidence=confidence,
            span=(-np.inf, np.inf),
        )
