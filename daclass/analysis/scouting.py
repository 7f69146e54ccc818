"""What a few trainings say about a study before it is trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from daclass.analysis.cells import Cells
from daclass.analysis.conditions import Conditions
from daclass.inference.arrays import Floats
from daclass.inference.crossed import crossed_difference
from daclass.inference.power import detectable, with_runs

MOST_SEEDS = 50


def coarse(strengths: Sequence[float]) -> list[float]:
    """Every other strength of a grid, both ends included, in the grid's order.

    Args:
        strengths: the grid, the strongest first, of three or more; a shorter one is taken whole.
    """
    if len(strengths) <= 3:
        return list(strengths)
    last = len(strengths) - 1
    return [one for place, one in enumerate(strengths) if place % 2 == 0 or place == last]


def finer(strengths: Sequence[float], tried: Sequence[float], best: float) -> list[float]:
    """The strengths of the grid around the best one that nobody has tried, in the grid's order.

    Args:
        strengths: the grid, the strongest first.
        tried: some of them, and `best` one of these.
    """
    places = sorted(strengths.index(one) for one in tried)
    here = places.index(strengths.index(best))
    low = places[here - 1] if here else places[0]
    high = places[here + 1] if here + 1 < len(places) else places[-1]
    return [one for one in strengths[low : high + 1] if one not in tried]


def kept(tried: Sequence[float], best: float, reference: float) -> list[float]:
    """The strengths that are worth a study's seeds, in order.

    Args:
        tried: the strengths that were tried, the strongest first.
        best: one of them, which is kept with its neighbours.
        reference: one of them, what the best is compared with.
    """
    place = tried.index(best)
    return [one for k, one in enumerate(tried) if abs(k - place) <= 1 or one == reference]


def detectable_by_seeds(
    cells: Cells, conditions: Conditions, seeds: Sequence[int], *, q: float
) -> Floats:
    """The drop that a middling class would be found to have, by the number of seeds, [len(seeds)].

    The median over classes of what a study with so many seeds and these pictures finds with a
    probability of .8, under original labels: tested against reference, at a level of `q` over the
    number of classes, which is Benjamini and Hochberg's where this class alone is found. NaN where
    not even the loss of all accuracy would be found.

    Args:
        cells: runs of two seeds or more.
        conditions: the tested one first, and the reference.
        seeds: numbers of seeds, each at least two.
        q: false discovery rate.
    """
    rows = dict(zip(conditions.names, conditions.replicates(cells.table), strict=True))
    counted = cells.counted["original"]
    labels, right = cells.images.labels[counted], cells.correct["original"]
    found = crossed_difference(
        right[rows[conditions.reference]][:, counted],
        right[rows[conditions.tested]][:, counted],
        labels,
        cells.images.n_classes,
        paired=conditions.paired,
        confidence=1 - q,
        moderate=True,
    )
    there = found.images > 0
    alpha = q / max(int(there.sum()), 1)
    by_class = [detectable(with_runs(found.spread, number), alpha)[there] for number in seeds]
    # A class that cannot be found at all is worse than any that can.
    middling = [float(np.median(np.nan_to_num(drops, nan=np.inf))) for drops in by_class]
    return np.array([drop if np.isfinite(drop) else np.nan for drop in middling])


def seeds_needed(
    cells: Cells, conditions: Conditions, drop: float, *, q: float, least: int = 3
) -> int | None:
    """The fewest seeds with which a middling class's drop is found; None where no 50 do.

    Args:
        cells, conditions, q: as of `detectable_by_seeds`.
        drop: of accuracy, a share.
        least: fewer are never enough.
    """
    numbers = list(range(max(2, least), MOST_SEEDS + 1))
    enough = detectable_by_seeds(cells, conditions, numbers, q=q) <= drop
    return next((n for n, is_enough in zip(numbers, enough, strict=True) if is_enough), None)
