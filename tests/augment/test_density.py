"""The probability of a crop box against the frequency of boxes that are really drawn."""

from __future__ import annotations

import numpy as np
import pytest

from daclass.augment import epoch_key, image_keys, random_resized_crop_boxes
from daclass.augment.density import box_probabilities, view_log_likelihoods

DRAWS = 400_000


@pytest.mark.parametrize(("height", "width"), [(9, 9), (8, 12), (14, 7)])
@pytest.mark.parametrize("strength", [0.08, 0.5, 0.9])
def test_probabilities_are_frequencies(height, width, strength):
    keys = image_keys(epoch_key(0, 5, 0), np.arange(DRAWS))
    drawn = random_resized_crop_boxes(keys, height, width, strength)
    boxes, counts = np.unique(drawn, axis=0, return_counts=True)
    (expected,) = box_probabilities(boxes, height, width, [strength]).T
    assert expected.sum() == pytest.approx(1, abs=0.01)  # what was not drawn is rare
    common = expected * DRAWS > 50
    error = np.sqrt(expected * (1 - expected) / DRAWS) + 1e-12  # 14 x 7 px at 0.9: never a fit
    deviation = (counts / DRAWS - expected)[common] / error[common]
    assert common.any() and np.abs(deviation).max() < 5.5
    assert np.abs(deviation).mean() < 1.1  # 0.8 of a normal variate's


def test_a_small_crop_is_impossible_under_a_weak_strength():
    box = np.array([[1, 1, 10, 10]])
    strong, weak = box_probabilities(box, 32, 32, [0.08, 0.9])[0]
    assert strong > 0 and weak == 0
    whole = np.array([[0, 0, 32, 32]])
    assert np.diff(box_probabilities(whole, 32, 32, [0.08, 0.5, 0.9])[0]).min() > 0


def test_each_picture_counts_with_its_own_size():
    boxes = np.array([[0, 0, 8, 8], [1, 2, 6, 6], [0, 0, 20, 15], [3, 3, 6, 7]])
    heights, widths = np.array([9, 9, 20, 20]), np.array([9, 9, 15, 15])
    together = box_probabilities(boxes, heights, widths, [0.08, 0.5, 1.0])
    for row, box in enumerate(boxes):
        alone = box_probabilities(box[None], heights[row], widths[row], [0.08, 0.5, 1.0])
        np.testing.assert_array_equal(together[row], alone[0])


def test_a_whole_strength_gives_whole_pictures():
    boxes = np.array([[0, 0, 20, 20], [0, 0, 12, 18]])
    found = box_probabilities(boxes, [20, 12], [20, 18], [1.0])
    # A fit needs the very ratio of the picture, up to rounding; else the centred box is taken,
    # which of 12 x 18 px is 16 px wide.
    assert found[0, 0] > 0.9 and found[1, 0] < 0.5


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_likelihoods_are_what_bayes_says_of_drawn_boxes(share):
    """Of many boxes, drawn for two classes equally often: how many of each kind were of each."""
    levels, own = np.array([0.5, 0.9]), np.eye(2)
    shares = (1 - share) * own + share * np.array([0.75, 0.25])
    keys = image_keys(epoch_key(0, 5, 0), np.arange(DRAWS))
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 2, DRAWS)
    level = (rng.random(DRAWS) > shares[classes, 0]).astype(int)
    drawn = random_resized_crop_boxes(keys, 10, 10, levels[level])
    boxes, kind = np.unique(drawn, axis=0, return_inverse=True)
    counts = np.stack(
        [np.bincount(kind.ravel()[classes == k], minlength=len(boxes)) for k in (0, 1)]
    )
    many = counts.sum(axis=0) > 2000
    found = np.exp(view_log_likelihoods(boxes[many], 10, 10, levels, shares))
    posterior = found / found.sum(axis=1, keepdims=True)
    observed = (counts / counts.sum(axis=0))[:, many].T
    assert many.sum() > 20 and np.abs(posterior - observed).max() < 0.06
    assert found.max(axis=1) == pytest.approx(1)
    small = boxes[:, 2] * boxes[:, 3] < 60
    impossible = view_log_likelihoods(boxes[small], 10, 10, levels, shares)[:, 1]
    if share:
        assert impossible.min() > -3
    else:
        assert impossible == pytest.approx(np.log(1e-6))
