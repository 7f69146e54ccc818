"""Axes: the augmentation parameters that a study can vary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Axis:
    """One augmentation parameter, its range and which end of it is strong.

    Attributes:
        name: the name configs and policy files use.
        low: smallest allowed strength, inclusive.
        high: largest allowed strength, inclusive.
        stronger: the direction in which the augmentation gets stronger.
        identity: the strength at which the augmentation does (next to) nothing.
        meaning: what the number is, with its unit.
        label: a short meaning for the axes of figures.
    """

    name: str
    low: float
    high: float
    stronger: Literal["lower", "higher"]
    identity: float
    meaning: str
    label: str

    def check(self, strength: float) -> float:
        """Return `strength` as a float; raise ValueError where it is outside the range."""
        value = float(strength)
        if not self.low <= value <= self.high:  # also refuses NaN
            raise ValueError(
                f"{self.name} is {self.meaning} and lies in [{self.low:g}, {self.high:g}]; "
                f"got {value:g}"
            )
        return value

    def strongest(self, strengths: Iterable[float]) -> float:
        return min(strengths) if self.stronger == "lower" else max(strengths)

    def weakest(self, strengths: Iterable[float]) -> float:
        return max(strengths) if self.stronger == "lower" else min(strengths)


RRC_SCALE = Axis(
    name="rrc_scale",
    low=0.001,
    high=1.0,
    stronger="lower",
    identity=1.0,
    meaning="the lower bound of a random resized crop's share of the picture's area",
    label="smallest crop, share of the picture",
)

AXES = {axis.name: axis for axis in (RRC_SCALE,)}
