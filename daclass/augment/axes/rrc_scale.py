"""Random resized crops, by the smallest share of the picture that they may show.

The crops themselves are cut while pictures are decoded, by `boxes` and by loaders.
"""

from __future__ import annotations

from daclass.augment.axis import Axis

RRC_SCALE = Axis(
    name="rrc_scale",
    low=0.001,
    high=1.0,
    stronger="lower",
    identity=1.0,
    meaning="the lower bound of a random resized crop's share of the picture's area",
    label="smallest crop, share of the picture",
    draws=0,
)
