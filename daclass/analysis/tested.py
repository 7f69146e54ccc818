"""Which condition is tested, and what it buys on average: a study's first question.

People train what is best on average. So that is tested unless the config names a strength. It is
read off the selection half, and intervals of the contrasts that use the same runs then hold for all
the strengths that might have been read off (see `daclass.inference.simultaneous`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from daclass.analysis.best import best_level
from daclass.analysis.cells import Cells
from daclass.analysis.conditions import Conditions, replicates
from daclass.inference.arrays import Bools, Floats
from daclass.inference.averages import average, average_difference
from daclass.inference.own_best import picture_correlations
from daclass.inference.simultaneous import Family


def conditions_of(
    cells: Cells, names: Sequence[str], reference: str, tested: str | None
) -> Conditions:
    """The conditions of a study in order of their distance from the tested one.

    Args:
        cells: what `arrange_cells` gives.
        names: the conditions in order, of strengths the strongest first.
        reference: one of them.
        tested: one of them; None for the one that is best on average on the selection half, of
            those before the reference.

    Raises:
        InputError: as `Conditions.replicates`.
    """
    family = None
    if tested is None:
        stronger = list(names[: names.index(reference)])
        tested = stronger[best_level(averages(cells, stronger))]
        if len(stronger) > 1:
            family = _family(cells, [*stronger, reference])
    place = list(names).index(tested)
    ordered = sorted(names, key=lambda name: abs(names.index(name) - place))
    return Conditions.of(ordered, reference, cells.table, family)


def averages(cells: Cells, names: Sequence[str]) -> Floats:
    """Accuracy of conditions on the selection half: the mean over classes, [K].

    Original labels, mean over each condition's runs; classes without pictures are left out.
    """
    chosen = cells.images.half("select") & cells.counted["original"]
    labels = cells.images.labels[chosen]
    images = np.bincount(labels, minlength=cells.images.n_classes)
    hits = [
        np.bincount(labels, rows, cells.images.n_classes) for rows in _right(cells, names, chosen)
    ]
    return np.array([(one[images > 0] / images[images > 0]).mean() for one in hits])


def gains(
    cells: Cells, conditions: Conditions, names: Sequence[str], *, confidence: float
) -> pd.DataFrame:
    """What each condition buys against the reference: the mean over classes, on all pictures.

    Args:
        cells: what `arrange_cells` gives.
        conditions: what `conditions_of` gives for them.
        names: as of `conditions_of`: the order of the rows.
        confidence: level of the intervals, in (0, 1).

    Returns:
        Table "tested": one row for each condition, under original labels. `gain` and its interval
        are paired over pictures and, where runs are pairs, over seeds; they hold for all conditions
        at once where `simultaneous` is set, because the data decided which one is tested.
    """
    counted = cells.counted["original"]
    labels = cells.images.labels[counted]
    rows = dict(zip(conditions.names, conditions.replicates(cells.table), strict=True))
    right = {name: cells.correct["original"][own][:, counted] for name, own in rows.items()}
    best = names[best_level(averages(cells, names))]
    found = []
    for name in names:
        own = average(right[name], labels, "macro", confidence=confidence, span=(0.0, 1.0))
        row = {
            "policy": name,
            "strength": cells.table["strength"].iloc[rows[name][0]],
            "tested": name == conditions.tested,
            "reference": name == conditions.reference,
            "best": name == best,
            "simultaneous": conditions.family is not None,
            "accuracy": own.mean[0],
            "accuracy_low": own.low[0],
            "accuracy_high": own.high[0],
            "gain": 0.0,
            "low": np.nan,
            "high": np.nan,
            "p": np.nan,
            "seeds": own.seeds,
            "images": own.images[0],
        }
        if name != conditions.reference:
            gain = average_difference(
                right[name],
                right[conditions.reference],
                labels,
                "macro",
                paired=conditions.paired,
                confidence=confidence,
            )
            held = conditions.holding(gain, confidence)
            row |= {
                "gain": held.mean[0],
                "low": held.low[0],
                "high": held.high[0],
                "p": held.p[0],
                "seeds": held.seeds,
            }
        found.append(row)
    return pd.DataFrame(found)


def _right(cells: Cells, names: Sequence[str], chosen: Bools) -> list[Floats]:
    """Of each condition, the share of its runs that are right on each chosen picture, K x [N]."""
    rows = replicates(cells.table, names, paired=False)
    return [cells.correct["original"][own][:, chosen].mean(axis=0) for own in rows]


def _family(cells: Cells, names: Sequence[str]) -> Family:
    """The contrasts of all conditions with the last one.

    What they share, the reference's runs and the pictures, shows in any of their pictures; runs of
    different strengths have no more in common than that.
    """
    chosen = cells.counted["original"]
    labels, n_classes = cells.images.labels[chosen], cells.images.n_classes
    right = _right(cells, names, chosen)
    return Family.of(picture_correlations(right, len(names) - 1, labels, n_classes))


def condition_of(tested: pd.DataFrame, role: str) -> str:
    """The condition with a role in table "tested": "tested", "reference" or "best"."""
    return str(tested.loc[tested[role], "policy"].iloc[0])


def strength_of(tested: pd.DataFrame, role: str) -> float:
    """The strength of such a condition."""
    return float(tested.loc[tested[role], "strength"].iloc[0])
