"""Area averages against OpenCV's and against the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from daclass.augment import epoch_key, image_keys, random_resized_crop_boxes
from daclass.augment.resample import area_crop, mirror


def shrunk(picture, box, side, mirrored=False):
    out = np.zeros((side, side, 3), np.uint8)
    area_crop(picture, *map(int, box), mirrored, out)
    return out


def overlaps(length, side):
    """Share of each of `length` pixels in each of `side` equal parts, shape [side, length]."""
    edges = np.arange(side + 1) * length / side
    low, high = edges[:-1, None], edges[1:, None]
    pixels = np.arange(length)
    covered = np.minimum(high, pixels + 1) - np.maximum(low, pixels)
    return np.maximum(covered, 0) * side / length


@settings(max_examples=60, deadline=None)
@given(
    side=st.integers(1, 24),
    extra=st.tuples(*[st.integers(0, 90)] * 2),
    margins=st.tuples(*[st.integers(0, 5)] * 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_value_is_the_mean_of_its_area(side, extra, margins, seed):
    height, width = side + extra[0], side + extra[1]
    top, left, below, right = margins
    rng = np.random.default_rng(seed)
    shape = (top + height + below, left + width + right, 3)
    picture = rng.integers(0, 256, shape, np.uint8)
    box = picture[top : top + height, left : left + width].astype(float)
    expected = np.einsum("ih,hwc,jw->ijc", overlaps(height, side), box, overlaps(width, side))
    got = shrunk(picture, (top, left, height, width), side)
    assert np.abs(got - expected).max() <= 0.5 + 1e-3
    mirrored = shrunk(picture, (top, left, height, width), side, mirrored=True)
    np.testing.assert_array_equal(mirrored, got[:, ::-1])


@pytest.mark.parametrize("strength", [0.25, 0.99])
def test_photographs_are_opencvs_but_for_rounding(photographs, strength):
    cv2 = pytest.importorskip("cv2")
    keys = image_keys(epoch_key(0, 0, 0), np.arange(len(photographs)))
    side, differ = 96, []
    boxes = random_resized_crop_boxes(keys, 227, 227, strength)
    for photograph, (top, left, h, w) in zip(photographs, boxes, strict=True):
        picture = np.asarray(photograph)
        crop = picture[top : top + h, left : left + w]
        expected = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
        got = shrunk(picture, (top, left, h, w), side)
        difference = np.abs(got.astype(int) - expected)
        assert difference.max() <= 1
        differ.append(difference.mean())
    assert np.mean(differ) < 1e-3, f"{np.mean(differ):.2g} of the values differ"


def test_a_box_of_the_crops_size_is_copied(photographs):
    picture = np.asarray(photographs[0])
    np.testing.assert_array_equal(shrunk(picture, (20, 31, 64, 64), 64), picture[20:84, 31:95])


@pytest.mark.parametrize("width", [6, 7])
def test_mirroring(width):
    picture = np.random.default_rng(0).integers(0, 256, (4, width, 3), np.uint8)
    expected = picture[:, ::-1].copy()
    mirror(picture)
    np.testing.assert_array_equal(picture, expected)
