"""Axes: the augmentation parameters that a study can vary.

Every axis has a strength at which it is as good as off, its `identity`: the axes of batches then
leave pictures and targets as they are, to the bit; `rrc_scale` takes the whole picture, or the
largest centred box where its aspect ratio is not permitted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from daclass.augment.errors import AugmentError
from daclass.augment.registry import Registry
from daclass.augment.variates import OPERATION_BITS, RESERVED


@dataclass(frozen=True)
class Axis:
    """One augmentation parameter, its range and which end of it is strong.

    Raises:
        AugmentError: `draws` is taken, or out of its range.

    Attributes:
        name: the name configs and policy files use.
        low: smallest allowed strength, inclusive.
        high: largest allowed strength, inclusive.
        stronger: the direction in which the augmentation gets stronger.
        identity: the strength at which the augmentation does (next to) nothing.
        meaning: what the number is, with its unit.
        label: a short meaning for the axes of figures.
        draws: the number of the axis's random draws, at least 2 and below 2^31; it must never
            change, since pictures would be treated otherwise. Crops and flips, which every study
            has, use 0 and 1; two axes never meet in a study, and may share a number.
        operation: what the axis does to a batch, None for the crop's own axis. A function of
            pictures, strengths and keys that returns pictures; see `batch.BatchOperation`.
        mixes: `operation` mixes pictures and targets: a function of pictures, labels, strengths,
            keys and the number of classes that returns pictures and targets.
        fills: `operation` also takes `fill`, the colour that is nothing to the network.
        setting: the setting of the section `training` that the strength is, for an axis that
            changes no picture; "" for augmentations.
    """

    name: str
    low: float
    high: float
    stronger: Literal["lower", "higher"]
    identity: float
    meaning: str
    label: str
    draws: int
    operation: Callable[..., Any] | None = field(default=None, compare=False, repr=False)
    mixes: bool = False
    fills: bool = False
    setting: str = ""

    def __post_init__(self) -> None:
        if self.operation and (self.draws in RESERVED or not 0 < self.draws < 2**31):
            raise AugmentError(
                f"the axis {self.name} draws by number {self.draws!r}: choose another one "
                f"from 2 to 2^31 - 1; taken are {RESERVED}"
            )

    def counter(self, part: int = 0) -> int:
        """Number of one of the axis's random variates, for `variates.uniform`."""
        return (self.draws << OPERATION_BITS) + part

    def check(self, strength: float) -> float:
        """Return `strength` as a float.

        Raises:
            AugmentError: it lies outside the range, or is NaN.
        """
        try:
            value = float(strength)
        except OverflowError:  # of an integer with hundreds of digits
            value = math.inf if strength > 0 else -math.inf
        if not self.low <= value <= self.high:  # also refuses NaN
            raise AugmentError(
                f"{self.name} is {self.meaning} and lies in [{self.low:g}, {self.high:g}]; "
                f"got {value:g}"
            )
        return value

    def check_all(self, strengths: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return an array of strengths as float64 of the same shape.

        Raises:
            AugmentError: one of them lies outside the range, or is NaN; the first is named.
        """
        values = np.asarray(strengths, np.float64)
        outside = values[~((values >= self.low) & (values <= self.high))]
        if outside.size:
            self.check(outside[0])
        return values

    def strongest(self, strengths: Iterable[float]) -> float:
        return min(strengths) if self.stronger == "lower" else max(strengths)

    def weakest(self, strengths: Iterable[float]) -> float:
        return max(strengths) if self.stronger == "lower" else min(strengths)


AXES = Registry("daclass.axes", Axis)
"""The axes of all installed packages, by name."""
