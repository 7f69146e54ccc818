"""Axes: the augmentation parameters that a study can vary.

Every axis has a strength at which it is as good as off, its `identity`: the axes of batches then
leave pictures and targets as they are, to the bit; `rrc_scale` takes the whole picture, or the
largest centred box where its aspect ratio is not permitted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from daclass.augment.errors import AugmentError


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


RRC_SCALE = Axis(
    name="rrc_scale",
    low=0.001,
    high=1.0,
    stronger="lower",
    identity=1.0,
    meaning="the lower bound of a random resized crop's share of the picture's area",
    label="smallest crop, share of the picture",
)

COLOR_JITTER = Axis(
    name="color_jitter",
    low=0.0,
    high=1.0,
    stronger="higher",
    identity=0.0,
    meaning="the strength of SimCLR's colour jitter (brightness, contrast and saturation change by "
    "up to 0.8 of it, hue by up to 0.2 of it)",
    label="colour jitter",
)

RANDAUGMENT = Axis(
    name="randaugment",
    low=0.0,
    high=30.0,
    stronger="higher",
    identity=0.0,
    meaning="the magnitude of RandAugment's two operations on torchvision's scale",
    label="RandAugment magnitude",
)

RANDOM_ERASING = Axis(
    name="random_erasing",
    low=0.0,
    high=1.0,
    stronger="higher",
    identity=0.0,
    meaning="the probability that a rectangle of 2% to 33% of the picture is erased",
    label="probability of erasing",
)

MIXUP = Axis(
    name="mixup",
    low=0.0,
    high=10.0,
    stronger="higher",
    identity=0.0,
    meaning="mixup's alpha, the parameter of the Beta distribution of mixing shares",
    label="mixup's alpha",
)

CUTMIX = Axis(
    name="cutmix",
    low=0.0,
    high=10.0,
    stronger="higher",
    identity=0.0,
    meaning="CutMix's alpha, the parameter of the Beta distribution of area shares",
    label="CutMix's alpha",
)

BLUR = Axis(
    name="blur",
    low=0.0,
    high=10.0,
    stronger="higher",
    identity=0.0,
    meaning="the largest standard deviation of a Gaussian blur in px of the training picture",
    label="largest blur, px",
)

AXES = {
    axis.name: axis
    for axis in (RRC_SCALE, COLOR_JITTER, RANDAUGMENT, RANDOM_ERASING, MIXUP, CUTMIX, BLUR)
}
