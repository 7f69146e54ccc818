"""What random resized crops keep of a study's own pictures, from the sizes of a sample of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd

from daclass.augment.boxes import realised_area

PICTURES_AT_MOST = 200
CROPS = 4096  # a size and strength: the standard error of a share is at most 0.8 points


def sample(image_ids: Iterable[str]) -> list[str]:
    """At most `PICTURES_AT_MOST` pictures, the first by a hash of their name."""
    return sorted(image_ids, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[
        :PICTURES_AT_MOST
    ]


def realised_areas(sizes: Iterable[tuple[int, int]], strengths: Sequence[float]) -> pd.DataFrame:
    """Mean area and share of fallback boxes for every strength and picture size.

    Args:
        sizes: (height, width) in px of each picture of the sample.
        strengths: lower area bounds, in (0, 1].

    Returns:
        Table "realised_area", by strength and size.
    """
    rows = [
        (strength, height, width, images)
        for strength in sorted(strengths)
        for (height, width), images in sorted(Counter(sizes).items())
    ]
    frame = pd.DataFrame(rows, columns=["strength", "height", "width", "images"])
    found = realised_area(frame["strength"], frame["height"], frame["width"], CROPS)
    return frame.assign(mean_area=found.mean, fallback_share=found.fallback)
