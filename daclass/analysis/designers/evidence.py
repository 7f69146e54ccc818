"""What a designer may look at, and what it hands back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from daclass.analysis.best import best_level
from daclass.augment.axis import Axis
from daclass.augment.policy import Policy
from daclass.errors import InputError
from daclass.inference.arrays import Floats


@dataclass(frozen=True)
class Evidence:
    """All that a designer may look at: what the tables say of other pictures is taken away.

    Attributes:
        counts: table "counts" of the sweep's uniform policies; half "select" alone is kept.
        effects: table "effects"; class_id and affected alone are kept. Affected classes are chosen
            on the selection half.
        categories: table "categories"; class_id and swallower_id alone are kept, chosen there too.
        classes: table "classes".
        training_pictures: of each class that a run trains on (mean over draws), floats [C].
        axis: the axis of the sweep.
        strengths: strengths of the sweep, in any order.
        tested: one of them, b: what the study would train for all. Every class that a policy does
            not change has it.
        reference: one of them, what the drop is measured from; the weakest where nothing else is
            said. It may be the tested one.
        m: number of classes that the FP-informed designers and their controls change at most.
        strength: of the sweep, for uniform_each alone.
        draw: number of the draw, from 1, for random_classes alone.
        random_seed: deals the classes of random_classes.
        one_run: table "preserved", for designers that look at one run alone.
    """

    counts: pd.DataFrame
    effects: pd.DataFrame
    categories: pd.DataFrame
    classes: pd.DataFrame
    training_pictures: npt.NDArray[np.number]
    axis: Axis
    strengths: Sequence[float]
    tested: float
    reference: float
    m: int
    strength: float | None = None
    draw: int = 1
    random_seed: int = 0
    one_run: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        kept = {
            "counts": self.counts[self.counts["half"] == "select"],
            "effects": self.effects[["class_id", "affected"]],
            "categories": self.categories[["class_id", "swallower_id"]],
        }
        for name, table in kept.items():
            object.__setattr__(self, name, table)

    @cached_property
    def names(self) -> list[str]:
        """Class names by class id."""
        return list(self.classes.sort_values("class_id")["name"])

    @property
    def affected(self) -> list[int]:
        return sorted(self.effects.loc[self.effects["affected"], "class_id"].unique())

    @property
    def swallowers(self) -> list[int]:
        return sorted(set(self.categories["swallower_id"]) - {-1})

    @cached_property
    def ordered(self) -> list[float]:
        """The strengths, the strongest first."""
        return sorted(self.strengths, reverse=self.axis.stronger == "higher")

    @property
    def tested_level(self) -> int:
        """Rank of the tested strength in `ordered`."""
        return self.ordered.index(self.tested)

    @property
    def reference_level(self) -> int:
        """Rank of the reference in `ordered`."""
        return self.ordered.index(self.reference)

    @property
    def seeds(self) -> int:
        """Number of the sweep's seeds."""
        return int(self.counts["seed"].nunique())

    def by_seed(self, column: str) -> Floats:
        """A column of counts on the selection half, [S, K, C], strongest first.

        Raises:
            InputError: the counts lack a strength, or one of its seeds.
        """
        shape = (-1, len(self.ordered), len(self.classes))
        return self._selection[column].to_numpy(np.float64).reshape(shape)

    @cached_property
    def _selection(self) -> pd.DataFrame:
        """The counts by seed, strength (strongest first) and class."""
        keys = ["seed", "strength", "class_id"]
        chosen = self.counts.set_index(keys)
        seeds, classes = chosen.index.unique("seed").sort_values(), range(len(self.classes))
        wanted = pd.MultiIndex.from_product([seeds, self.ordered, classes], names=keys)
        for seed, strength, _ in wanted[~wanted.isin(chosen.index)]:
            raise InputError(f"counts: there is no run with seed {seed} and strength {strength:g}")
        return chosen.loc[wanted]

    def total(self, column: str) -> Floats:
        """Sum over seeds of a column of counts on the selection half, [K, C], strongest first."""
        return self.by_seed(column).sum(axis=0)

    def accuracy(self) -> Floats:
        """Share of original labels met on the selection half, [K, C], strongest first.

        NaN for a class without pictures.
        """
        with np.errstate(invalid="ignore"):
            return self.total("correct") / self.total("images")

    @property
    def preserved(self) -> tuple[Floats, Floats]:
        """Of the pictures that one network was shown under each strength, how many it recognised,
        and how many there were, both [K, C], strongest first.

        Raises:
            InputError: the table lacks a strength, or there is none.
        """
        if self.one_run is None:
            raise InputError("preserved: no network was asked what it knows under each strength")
        table = self.one_run.set_index(["strength", "class_id"])
        wanted = pd.MultiIndex.from_product([self.ordered, range(len(self.classes))])
        for strength, _ in wanted[~wanted.isin(table.index)]:
            raise InputError(f"preserved: nothing is known of strength {strength:g}")
        found = table.loc[wanted, ["correct", "shown"]].to_numpy(np.float64)
        right, shown = found.T.reshape(2, len(self.ordered), -1)
        return right, shown

    def average(self) -> Floats:
        """Its mean over the classes that have pictures, [K]."""
        by_class = self.accuracy()
        return np.asarray(by_class[:, ~np.isnan(by_class).all(axis=0)].mean(axis=1))

    def best_level(self) -> int:
        """Rank in `ordered` of the best average, as `daclass.analysis.best` has it."""
        return best_level(self.average())


@dataclass(frozen=True)
class Design:
    """A policy and why it is as it is.

    Attributes:
        policy: strength of every class, and weights in the loss where the designer sets them.
        reasons: ``{"summary": str, "classes": {name: str}}``; the classes are those that the
            designer picked, also where it gave them the strength of all others.
    """

    policy: Policy
    reasons: dict[str, Any]


def designed(
    evidence: Evidence,
    default: float,
    summary: str,
    strengths: Mapping[int, float] | None = None,
    reasons: Mapping[int, str] | None = None,
    loss_weights: Mapping[int, float] | None = None,
) -> Design:
    """A design in the words of a `Policy`, from what a designer found by class id."""

    def named(by_class: Mapping[int, Any] | None) -> dict[Any, Any]:
        return {evidence.names[k]: value for k, value in (by_class or {}).items()}

    policy = Policy(evidence.axis, default, named(strengths), named(loss_weights))
    return Design(policy, {"summary": summary, "classes": named(reasons)})


def resolve_m(setting: float, n_classes: int) -> int:
    """Number of classes that ``interventions.classes`` stands for.

    Args:
        setting: a share of the classes below 1 (rounded, at least one class), else a count.
        n_classes: C.

    Raises:
        InputError: a count that is no whole number, or larger than C.
    """
    if setting < 1:
        return max(1, round(setting * n_classes))
    if setting != int(setting):
        raise InputError(f"interventions.classes: {setting:g} is neither a share nor a count")
    if setting > n_classes:
        raise InputError(
            f"interventions.classes: {setting:g} classes are to change, there are {n_classes}"
        )
    return int(setting)
