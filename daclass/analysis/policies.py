"""Designers: policies made from what the sweep shows.

A designer sees nothing but the selection half and the sweep's seeds. What its policy does is
measured on the estimation half with fresh seeds. A new designer is one function and one line in
`DESIGNERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from daclass.analysis.cells import Floats, Ints
from daclass.augment.axis import Axis
from daclass.augment.policy import Policy
from daclass.errors import InputError


@dataclass(frozen=True)
class Evidence:
    """All that a designer may look at.

    Attributes:
        counts: table "counts" of the sweep's uniform policies; only half "select" is read.
        effects: table "effects"; only `affected`, which is chosen on the selection half, is read.
        categories: table "categories"; only `swallower_id`, chosen there too, is read.
        classes: table "classes".
        axis: the axis of the sweep.
        strengths: strengths of the sweep, in any order.
        strongest, reference: two of them.
        m: number of classes that fp_informed and random_classes change at most.
        random_seed: deals the classes of random_classes.
    """

    counts: pd.DataFrame
    effects: pd.DataFrame
    categories: pd.DataFrame
    classes: pd.DataFrame
    axis: Axis
    strengths: Sequence[float]
    strongest: float
    reference: float
    m: int
    random_seed: int = 0

    @property
    def names(self) -> list[str]:
        """Class names by class id."""
        return list(self.classes.sort_values("class_id")["name"])

    @property
    def affected(self) -> list[int]:
        return sorted(self.effects.loc[self.effects["affected"], "class_id"].unique())

    @property
    def swallowers(self) -> list[int]:
        return sorted(set(self.categories["swallower_id"]) - {-1})

    @property
    def ordered(self) -> list[float]:
        """The strengths, the strongest first."""
        return sorted(self.strengths, reverse=bool(self.strongest == max(self.strengths)))

    def total(self, column: str) -> Floats:
        """Sum over seeds of a column of counts on the selection half, [K, C], strongest first.

        Raises:
            InputError: the counts lack one of the strengths.
        """
        chosen = self.counts[self.counts["half"] == "select"]
        table = chosen.pivot_table(
            index="strength", columns="class_id", values=column, aggfunc="sum"
        )
        missing = [strength for strength in self.ordered if strength not in table.index]
        if missing:
            raise InputError(f"counts: there is no run with strength {missing[0]:g}")
        return table.loc[self.ordered, range(len(self.classes))].to_numpy(np.float64)


@dataclass(frozen=True)
class Design:
    """A policy and why it is as it is.

    Attributes:
        policy: strength of every class.
        reasons: ``{"summary": str, "classes": {name: str}}``; the classes are those that the
            designer picked, also where it left them at the strongest strength.
    """

    policy: Policy
    reasons: dict[str, Any]


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


def design(names: Sequence[str], evidence: Evidence) -> dict[str, Design]:
    """Run designers by name.

    Raises:
        InputError: a name is unknown.
    """
    for name in names:
        if name not in DESIGNERS:
            raise InputError(f"no such designer: {name}; known: {', '.join(DESIGNERS)}")
    return {name: DESIGNERS[name](evidence) for name in names}


def uniform_strongest(evidence: Evidence) -> Design:
    """The strongest strength for every class: what is to be improved on."""
    summary = f"every class at the strongest strength, {evidence.strongest:g}"
    return _design(evidence, evidence.strongest, {}, summary)


def uniform_best(evidence: Evidence) -> Design:
    """The strength with the best average accuracy (original labels); ties: the stronger one."""
    right, images = evidence.total("correct").sum(axis=1), evidence.total("images").sum(axis=1)
    accuracy = right / np.maximum(images, 1)
    best = int(np.argmax(accuracy))
    summary = (
        f"every class at {evidence.ordered[best]:g}, the best on average: "
        f"{accuracy[best]:.1%} against {accuracy[0]:.1%} at the strongest"
    )
    return _design(evidence, evidence.ordered[best], {}, summary)


def naive_removal(evidence: Evidence) -> Design:
    """No augmentation where it hurts: the weakest strength for the affected classes.

    Balestriero et al. (2022) ask for it; Kirichenko et al. (2023) find that it does not help.
    """
    weakest = evidence.ordered[-1]
    strengths = dict.fromkeys(evidence.affected, weakest)
    reasons = dict.fromkeys(strengths, "affected")
    if strengths:
        summary = f"the affected classes at the weakest strength, {weakest:g}"
    else:
        summary = "no class is affected: the same as uniform_strongest"
    return _design(evidence, evidence.strongest, strengths, summary, reasons)


def fp_informed(evidence: Evidence) -> Design:
    """Weaker augmentation for the classes that swallow others.

    Kirichenko et al. (NeurIPS 2023): the m classes whose false positives grow most from
    the reference strength to the strongest each get ``argmin_s FP_k(s) + FN_k(s)``, the others the
    strongest. FP and FN are the multi-label ones. Of strengths that tie, the stronger one is taken:
    a class leaves the strongest strength no further than the counts ask for.
    """
    strengths, growth = _informed(evidence)
    errors = _errors(evidence)
    seeds = _seeds(evidence)
    reasons = {}
    for class_id, strength in strengths.items():
        level = evidence.ordered.index(strength)
        reasons[class_id] = (
            f"false positives grow by {growth[class_id] / seeds:.1f} a run from "
            f"{evidence.reference:g} to {evidence.strongest:g}; false positives and negatives are "
            f"fewest at {strength:g}: {errors[level, class_id] / seeds:.1f} a run, "
            f"{errors[0, class_id] / seeds:.1f} at {evidence.strongest:g}"
        )
    changed = sum(strength != evidence.strongest for strength in strengths.values())
    summary = (
        f"{len(strengths)} classes whose false positives grow most (at most {evidence.m}), "
        f"{changed} of them best at a weaker strength"
    )
    return _design(evidence, evidence.strongest, strengths, summary, reasons)


def random_classes(evidence: Evidence) -> Design:
    """The control: fp_informed's strengths, dealt to random classes.

    The classes are neither affected, nor swallowers, nor fp_informed's own. Where there are too few
    of them, swallowers and fp_informed's own are let in, then all; the reasons say so.
    """
    informed, _ = _informed(evidence)
    everything = set(range(len(evidence.names)))
    affected = set(evidence.affected)
    pools = {
        "outside the affected classes, their swallowers and fp_informed's choice": everything
        - affected
        - set(evidence.swallowers)
        - set(informed),
        "outside the affected classes alone, because too few others are left": everything
        - affected,
        "among all classes, because too few others are left": everything,
    }
    where, pool = next((k, v) for k, v in pools.items() if len(v) >= len(informed))
    generator = np.random.default_rng(evidence.random_seed)
    dealt = generator.choice(sorted(pool), size=len(informed), replace=False)
    strengths = {int(k): v for k, v in zip(dealt, informed.values(), strict=True)}
    reasons = {
        taker: f"drawn at random; gets the strength of {evidence.names[giver]}"
        for taker, giver in zip(strengths, informed, strict=True)
    }
    summary = f"fp_informed's {len(informed)} strengths for random classes, drawn {where}"
    return _design(evidence, evidence.strongest, strengths, summary, reasons)


def _informed(evidence: Evidence) -> tuple[dict[int, float], Floats]:
    """fp_informed's classes with their strengths, most growth first; and the growth of all [C]."""
    false_positives = evidence.total("false_positives_multi")
    growth = false_positives[0] - false_positives[evidence.ordered.index(evidence.reference)]
    order = np.argsort(-growth, kind="stable")[: evidence.m]
    best: Ints = np.argmin(_errors(evidence), axis=0)
    return {int(k): evidence.ordered[best[k]] for k in order if growth[k] > 0}, growth


def _errors(evidence: Evidence) -> Floats:
    """False positives and negatives, [K, C], strongest first."""
    return evidence.total("false_positives_multi") + evidence.total("false_negatives_multi")


def _seeds(evidence: Evidence) -> int:
    return int(evidence.counts["seed"].nunique())


def _design(
    evidence: Evidence,
    default: float,
    strengths: dict[int, float],
    summary: str,
    reasons: dict[int, str] | None = None,
) -> Design:
    names = evidence.names
    policy = Policy(evidence.axis, default, {names[k]: v for k, v in strengths.items()})
    why = {names[k]: text for k, text in (reasons or {}).items()}
    return Design(policy, {"summary": summary, "classes": why})


DESIGNERS: dict[str, Callable[[Evidence], Design]] = {
    "uniform_strongest": uniform_strongest,
    "uniform_best": uniform_best,
    "naive_removal": naive_removal,
    "fp_informed": fp_informed,
    "random_classes": random_classes,
}
