"""What random resized crops keep of a study's own pictures, from the sizes of a sample of them, and
how sharp they are beside the pictures that are judged."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from daclass.augment.boxes import realised_area
from daclass.config import Study

PICTURES_AT_MOST = 200
CROPS = 4096  # a size and strength: the standard error of a share is at most 0.8 points


def sample(image_ids: Iterable[str]) -> list[str]:
    """At most `PICTURES_AT_MOST` pictures, the first by a hash of their name."""
    return sorted(image_ids, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[
        :PICTURES_AT_MOST
    ]


def realised_areas(
    sizes: Iterable[tuple[int, int]], strengths: Sequence[float], side: int
) -> pd.DataFrame:
    """Mean area, share of fallback boxes and sharpness for every strength and picture size.

    Args:
        sizes: (height, width) in px of each picture of the sample.
        strengths: lower area bounds, in (0, 1].
        side: of the square in px that crops are resized to.

    Returns:
        Table "realised_area", by strength and size.
    """
    rows = [
        (strength, height, width, images)
        for strength in sorted(strengths)
        for (height, width), images in sorted(Counter(sizes).items())
    ]
    frame = pd.DataFrame(rows, columns=["strength", "height", "width", "images"])
    found = realised_area(frame["strength"], frame["height"], frame["width"], CROPS, side)
    return frame.assign(
        mean_area=found.mean,
        fallback_share=found.fallback,
        enlarged_share=found.enlarged,
        exact_share=found.exact,
    )


def known_sizes(study: Study) -> list[tuple[int, int]]:
    """The size of the pictures, where the source decides it."""
    side = study.picture_side
    return [(side, side)] if side else []


def view_lines(study: Study, sizes: Sequence[tuple[int, int]]) -> Iterator[str]:
    """How sharp training crops and judged pictures are, one line per strength and one more.

    Args:
        sizes: (height, width) in px of some pictures, at least one.
    """
    side, judged_side = study.training.resolution, study.training.val_resolution
    table = realised_areas(sizes, study.crop_scales, side)
    for strength, rows in table.groupby("strength"):
        enlarged, exact = (
            np.average(rows[name], weights=rows["images"])
            for name in ("enlarged_share", "exact_share")
        )
        yield (
            f"crops of at least {strength:g} of the area: {enlarged:.0%} are enlarged to "
            f"{side} px, {exact:.0%} are shown pixel by pixel"
        )
    squares = [int(study.training.val_crop * min(size)) for size in sizes]
    smaller, same = (
        np.mean([square < judged_side for square in squares]),
        np.mean([square == judged_side for square in squares]),
    )
    yield (
        f"validation pictures, central {study.training.val_crop:g} of the side: {smaller:.0%} are "
        f"enlarged to {judged_side} px, {same:.0%} are shown pixel by pixel"
    )
