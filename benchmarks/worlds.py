"""Simulated studies of two or more conditions, whose truth is known.

A run is right about a picture where its margin against one rival class is positive::

    margin = ease of the picture + its lasting response to the condition
             + shock of the run, common to all classes
             + shock of the run to the picture's class, less that to the rival
             + shock to a pair of classes, which one gains and the other loses
             + a logistic deviate for each run and picture

and predicts the rival elsewhere. All shocks are drawn anew for each condition; where runs are
pairs, one more common shock is shared by both. Responses are drawn for every condition from one
distribution, so that a world without drops has no effect on any class, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, special

from daclass.analysis.cells import Cells, Images
from daclass.analysis.conditions import Conditions

_nodes, _weights = np.polynomial.hermite_e.hermegauss(31)
NODES, WEIGHTS = _nodes, _weights / _weights.sum()  # a standard normal deviate's

EASE, EASE_OF_CLASS, EASE_SD = 1.5, 0.8, 2.0
"""Mean log-odds of a picture, their deviation between classes and within them: accuracies of about
.55 to .85, and between 16 real models' easiest and hardest ImageNet pictures."""


@dataclass(frozen=True)
class World:
    """Deviations are in log-odds.

    Attributes:
        classes: number of classes.
        pictures: the least and the most that a class has; log-uniform between.
        seeds: number of runs of each condition.
        paired: whether run s of one condition belongs to run s of the others.
        common: deviation of a run's shock to all classes.
        own: of a run's shock to one class.
        competing: of a run's shock to a pair of classes.
        uneven: share of the classes whose own shocks are 15 times as large.
        heavy: whether shocks have Student's t distribution with three degrees of freedom, scaled to
            the same deviation, instead of the normal one.
        response: deviation of a picture's lasting response to a condition.
    """

    classes: int
    pictures: tuple[int, int]
    seeds: tuple[int, ...]
    paired: bool = True
    common: float = 0.0
    own: float = 0.15
    competing: float = 0.0
    uneven: float = 0.0
    heavy: bool = False
    response: float = 1.1

    def ease(self) -> np.ndarray:
        """Mean log-odds of each class, [C]: evenly spread quantiles, the same in every study."""
        return EASE + EASE_OF_CLASS * special.ndtri((np.arange(self.classes) + 0.5) / self.classes)

    @property
    def spread(self) -> float:
        """Deviation of a margin over pictures and runs, but for the logistic deviate."""
        shocks = (1 + self.paired) * self.common**2 + 2 * self.own**2 + self.competing**2
        return float(np.sqrt(EASE_SD**2 + self.response**2 + shocks))

    def accuracy(self, shift: np.ndarray | float = 0.0) -> np.ndarray:
        """The accuracy of each class over all pictures and runs, [C]; exact for normal shocks."""
        margin = (self.ease() + shift)[:, None] + self.spread * NODES
        return np.asarray(special.expit(margin) @ WEIGHTS)

    def shift_for(self, drop: float) -> np.ndarray:
        """The change of log-odds that lowers each class's accuracy by `drop`, [C]."""
        start = self.accuracy()
        found = []
        for k, at in enumerate(start):
            one = lambda x, k=k, at=at: self.accuracy(x)[k] - at + drop  # noqa: E731
            found.append(optimize.brentq(one, -30.0, 30.0))
        return np.array(found)

    def draw(self, rng: np.random.Generator, shifts: np.ndarray) -> Study:
        """A study of K conditions; `shifts` are the changes of log-odds, [K, C]."""
        least, most = np.log(self.pictures)
        sizes = np.exp(rng.uniform(least, most, self.classes)).round().astype(int)
        labels = np.repeat(np.arange(self.classes), sizes)
        partner = labels ^ 1
        partner[partner == self.classes] = 0
        other = (labels + rng.integers(1, self.classes, len(labels))) % self.classes
        # Who competes does so for pictures that hardly any third class is a rival for.
        near = rng.random(len(labels)) < (0.9 if self.competing else 0.0)
        rivals = np.where(near, partner, other)
        ease = self.ease()[labels] + EASE_SD * rng.standard_normal(len(labels))
        scale = self.own * np.where(rng.random(self.classes) < self.uneven, 15.0, 1.0)
        shared = self.common * self._shocks(rng, (max(self.seeds), 1)) * self.paired
        correct = []
        for seeds, shift in zip(self.seeds, shifts, strict=True):
            level = ease + self.response * rng.standard_normal(len(labels)) + shift[labels]
            own = scale * self._shocks(rng, (seeds, self.classes))
            common = self.common * self._shocks(rng, (seeds, 1)) + shared[:seeds]
            pair = self.competing * self._shocks(rng, (seeds, (self.classes + 1) // 2))
            of_class = common + own
            if self.competing:
                sign = 1 - 2 * (np.arange(self.classes) % 2)
                of_class = of_class + sign * np.repeat(pair, 2, axis=1)[:, : self.classes]
            shock = of_class[:, labels] - own[:, rivals]
            chance = special.expit((level + shock).astype(np.float32))
            correct.append(rng.random(chance.shape, np.float32) < chance)
        return Study(labels, rivals, correct, self.paired)

    def _shocks(self, rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        if self.heavy:
            return rng.standard_t(3, shape) / np.sqrt(3)
        return rng.standard_normal(shape)


@dataclass(frozen=True)
class Study:
    """One simulated study; condition 0 is the tested one.

    Attributes:
        labels, rivals: class of each picture and of its rival, int64 [N], sorted by class.
        correct: correctness of each condition's runs, K x bool [S_k, N].
        paired: whether runs are pairs.
    """

    labels: np.ndarray
    rivals: np.ndarray
    correct: Sequence[np.ndarray]
    paired: bool

    def cells(self, n_classes: int) -> tuple[Cells, Conditions]:
        """The study as the analysis gets it; every second picture is in the selection half."""
        names = [f"condition {k}" for k in range(len(self.correct))]
        seeds = [np.arange(len(rows)) for rows in self.correct]
        if not self.paired:
            seeds = [own + 1000 * k for k, own in enumerate(seeds)]
        table = pd.DataFrame(
            {
                "policy": np.repeat(names, [len(own) for own in seeds]),
                "strength": np.nan,
                "seed": np.concatenate(seeds),
            }
        )
        n = len(self.labels)
        images = Images(pd.RangeIndex(n), self.labels, np.arange(n) % 2 == 0, n_classes)
        correct = np.concatenate(self.correct)
        predicted = np.where(correct, self.labels, self.rivals).astype(np.int32)
        every = np.ones(n, bool)
        cells = Cells(
            images,
            table,
            predicted,
            [],
            correct={"original": correct, "multi": correct},
            counted={"original": every, "multi": every},
            label_keys=np.arange(n) * n_classes + self.labels,
        )
        return cells, Conditions(tuple(names), names[-1], self.paired)
