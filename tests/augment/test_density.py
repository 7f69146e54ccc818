"""The probability of a crop box against the frequency of boxes that are really drawn."""

from __future__ import annotations

import numpy as np
import pytest

from daclass.augment import epoch_key, image_keys, random_resized_crop_boxes
from daclass.augment.density import box_probabilities

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
