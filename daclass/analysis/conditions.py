"""What is compared: the conditions of a study, and the runs that replicate each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from daclass.errors import InputError
from daclass.inference.arrays import Floats, Ints
from daclass.inference.crossed import Crossed
from daclass.inference.simultaneous import Family


@dataclass(frozen=True)
class Conditions:
    """The conditions whose class accuracies are compared.

    A condition is what its runs have in common: a uniform policy of a sweep, or a name such as
    "with batch norm" for models that others made. Its runs (seeds, or models) are its replicates.

    Attributes:
        names: values of the column `policy`, in order; the first is the tested one, such as the
            strength that is best on average, and the others come in order of distance from it.
        reference: the one that the fixed contrast compares the tested one with.
        paired: whether runs of one `seed` belong together across conditions. If they do, every
            condition needs the same seeds.
        family: the contrasts that the tested condition was read off, where the same data decided
            it; None where it was named before they were seen.

    Raises:
        ValueError: fewer than two names, one twice, or a reference that is not among the others.
    """

    names: tuple[str, ...]
    reference: str
    paired: bool = True
    family: Family | None = None

    def __post_init__(self) -> None:
        if len(set(self.names)) < max(2, len(self.names)):
            raise ValueError(f"conditions must be two or more distinct names, got {self.names}")
        if self.reference not in self.names[1:]:
            raise ValueError(f"the reference {self.reference} is not one of {self.names[1:]}")

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        reference: str,
        runs: pd.DataFrame,
        family: Family | None = None,
    ) -> Conditions:
        """Conditions that are paired unless each has runs with numbers of its own.

        Args:
            names, reference, family: as the attributes.
            runs: one row per run with the columns policy and seed, such as `Runs.table`.
        """
        own = [set(runs.loc[runs["policy"] == name, "seed"]) for name in names]
        paired = len(set().union(*own)) < sum(map(len, own))
        return cls(tuple(names), reference, paired, family)

    @property
    def tested(self) -> str:
        return self.names[0]

    @property
    def reference_level(self) -> int:
        """Rank of the reference in `names`."""
        return self.names.index(self.reference)

    def replicates(self, runs: pd.DataFrame) -> list[Ints]:
        """The rows of `runs` that replicate each condition, int64 [S_k] in order of their seeds.

        Args:
            runs: one row per run with the columns policy and seed, such as `Runs.table`.

        Raises:
            InputError: a condition has no run, has a seed twice or, where runs are paired, lacks a
                seed that another has.
        """
        return replicates(runs, self.names, paired=self.paired)

    def level(self, confidence: float) -> float:
        """The confidence of an interval for the tested condition alone at which intervals hold for
        all conditions that might have been read off; both in (0, 1)."""
        return confidence if self.family is None else 1 - self.family.alpha(1 - confidence)

    def p(self, p: npt.ArrayLike) -> Floats:
        """Two-sided p-values of the tested condition as they are for all of these, [G]."""
        return np.asarray(p, np.float64) if self.family is None else self.family.p(p)

    def holding(self, found: Crossed, confidence: float) -> Crossed:
        """An estimate for the tested condition with intervals and p that hold for all of these.

        Args:
            found: a contrast with the tested condition, for any groups.
            confidence: level of the intervals, in (0, 1).
        """
        return found if self.family is None else self.family.simultaneous(found, confidence)


def replicates(runs: pd.DataFrame, names: Sequence[str], *, paired: bool) -> list[Ints]:
    """`Conditions.replicates` for any policies."""
    rows = [_rows(runs, name) for name in names]
    for name, own in zip(names, rows, strict=True):
        if not len(own):
            known = ", ".join(sorted(map(str, runs["policy"].unique())))
            raise InputError(f"predictions: no run of {name}; there are {known}")
    if paired:
        wanted = set().union(*(runs["seed"].iloc[own] for own in rows))
        for name, own in zip(names, rows, strict=True):
            missing = sorted(wanted - set(runs["seed"].iloc[own]))
            if missing:
                raise InputError(
                    f"predictions: {name} has no run with seed {missing[0]}; paired contrasts "
                    "need one for every condition and seed"
                )
    return rows


def _rows(runs: pd.DataFrame, name: str) -> Ints:
    rows = np.flatnonzero(runs["policy"] == name)
    seeds = runs["seed"].to_numpy()[rows]
    order = np.argsort(seeds, kind="stable")
    twice = seeds[order][1:][np.diff(seeds[order]) == 0]
    if len(twice):
        raise InputError(f"predictions: {name} has more than one run with seed {twice[0]}")
    return rows[order].astype(np.int64)
