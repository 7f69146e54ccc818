from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torchvision.transforms import RandomResizedCrop

from daclass.augment import AugmentError, random_resized_crop_boxes, realised_area
from daclass.augment.__main__ import main
from daclass.augment.variates import epoch_key, flips, image_keys, uniform

N = 2000


def keys(n: int = N, seed: int = 0, epoch: int = 0) -> np.ndarray:
    return image_keys(epoch_key(0, seed, epoch), np.arange(n))


def test_splitmix64_gives_the_published_numbers():
    """The first outputs of the reference implementation (Vigna, splitmix64.c) for seed 1234567."""
    got = [int(uniform(np.array([1234567], np.uint64), counter)[0] * 2**53) for counter in range(3)]
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert got == [number >> 11 for number in published]


def test_variates_are_uniform_and_independent_of_each_other():
    first, second = uniform(keys(), 0), uniform(keys(), 1)
    assert stats.kstest(first, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.06
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.06


@pytest.mark.parametrize("other", [{"seed": 1}, {"epoch": 1}])
def test_seeds_and_epochs_draw_apart(other):
    assert not np.intersect1d(keys(), keys(**other)).size


def test_occurrences_draw_apart():
    epoch = epoch_key(0, 0, 0)
    assert (
        image_keys(epoch, np.arange(9), 0) != image_keys(epoch, np.arange(9), np.ones(9, int))
    ).all()


@pytest.mark.parametrize("images", [np.array([-1]), np.array([0.5]), np.array([True])])
def test_positions_are_counted_from_zero(images):
    with pytest.raises(AugmentError, match="integers of at least 0"):
        image_keys(epoch_key(0, 0, 0), images)


def test_flips_come_at_their_rate():
    assert abs(flips(keys(), 0.3).mean() - 0.3) < 0.03
    assert not flips(keys(), 0).any() and flips(keys(), 1).all()


@given(
    height=st.integers(1, 400),
    width=st.integers(1, 400),
    strength=st.floats(0.001, 1.0),
    seed=st.integers(0, 2**40),
)
def test_boxes_lie_inside_the_picture(height, width, strength, seed):
    top, left, h, w = random_resized_crop_boxes(keys(50, seed), height, width, strength).T
    assert (h >= 1).all() and (w >= 1).all() and (top >= 0).all() and (left >= 0).all()
    assert (top + h <= height).all() and (left + w <= width).all()


@given(st.permutations(range(30)))
def test_boxes_do_not_depend_on_the_order(order):
    boxes = random_resized_crop_boxes(keys(30), 40, 50, 0.08)
    np.testing.assert_array_equal(
        random_resized_crop_boxes(keys(30)[list(order)], 40, 50, 0.08), boxes[list(order)]
    )


def test_strengths_of_a_key_share_their_variates():
    weak, strong = (random_resized_crop_boxes(keys(), 224, 224, s) for s in (0.5, 0.08))
    area = [(box[:, 2] * box[:, 3]) for box in (weak, strong)]
    assert np.corrcoef(*area)[0, 1] > 0.8


def torchvisions(shape, strength):
    torch.manual_seed(0)
    picture = torch.empty(3, *shape)
    draw = partial(RandomResizedCrop.get_params, picture, (strength, 1.0), (3 / 4, 4 / 3))
    return np.array([draw() for _ in range(N)])


def ffcvs(shape, strength):
    from ffcv.fields.rgb_image import get_random_crop

    np.random.seed(0)  # noqa: NPY002 (FFCV draws from the global generator)
    limits = np.array([strength, 1.0]), np.array([3 / 4, 4 / 3])
    return np.array([get_random_crop(*shape, *limits) for _ in range(N)])


@pytest.mark.parametrize("strength", [0.08, 0.25, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("shape", [(224, 224), (350, 400), (48, 48), (60, 300)])
@pytest.mark.parametrize("sampler", [torchvisions, ffcvs])
def test_boxes_are_distributed_as(request, sampler, shape, strength):
    if sampler is ffcvs:
        request.getfixturevalue("ffcv")
    ours = random_resized_crop_boxes(keys(seed=5), *shape, strength)
    theirs = sampler(shape, strength)
    for what, measure in {
        "area": lambda b: b[:, 2] * b[:, 3],
        "aspect": lambda b: b[:, 3] / b[:, 2],
        "top": lambda b: b[:, 0],
        "left": lambda b: b[:, 1],
    }.items():
        # 160 comparisons at fixed seeds: a level of 1e-4 keeps chance out.
        p = stats.ks_2samp(measure(ours), measure(theirs), method="asymp").pvalue
        assert p > 1e-4, f"{what} differs, p = {p:.2g}"


def test_the_comparison_would_see_a_difference():
    """The test above at these sizes: a lower bound that is off by .05 does not pass."""
    ours = random_resized_crop_boxes(keys(seed=5), 350, 400, 0.30)
    theirs = torchvisions((350, 400), 0.25)
    areas = [box[:, 2] * box[:, 3] for box in (ours, theirs)]
    assert stats.ks_2samp(*areas, method="asymp").pvalue < 1e-4


def test_fallback_is_torchvisions():
    """A picture of 3 x 300 never fits a try: both fall back to the same centred box."""
    torch.manual_seed(0)
    theirs = RandomResizedCrop.get_params(torch.empty(3, 300, 3), (0.99, 1.0), (3 / 4, 4 / 3))
    ours = random_resized_crop_boxes(keys(20), 300, 3, 0.99)
    assert (ours == theirs).all()


@pytest.mark.parametrize(("height", "width"), [(0, 10), (10, 0), (-1, 5)])
def test_a_picture_without_pixels_is_refused(height, width):
    with pytest.raises(AugmentError, match="less than one pixel"):
        random_resized_crop_boxes(keys(3), height, width, 0.5)


@pytest.mark.parametrize("strength", [0.0, 1.2, np.nan])
def test_a_strength_outside_the_range_is_refused(strength):
    with pytest.raises(AugmentError, match="lies in"):
        random_resized_crop_boxes(keys(3), 10, 10, np.array([0.5, strength, 0.5]))


# The area that crops really show


@pytest.mark.parametrize("strength", [0.08, 0.5, 0.99])
def test_realised_area_is_torchvisions(strength):
    found = realised_area(strength, 350, 400)
    boxes = torchvisions((350, 400), strength)
    share = boxes[:, 2] * boxes[:, 3] / (350 * 400)
    assert abs(found.mean - share.mean()) < 4 * share.std() / np.sqrt(N) + 1e-3
    centred = (boxes == [0, 0, 350, 400]).all(axis=1).mean()
    assert abs(found.fallback - centred) < 0.05


def test_realised_area_broadcasts_and_repeats():
    table = realised_area(np.array([0.08, 0.5, 0.99])[:, None], [350, 224], [400, 224])
    assert table.mean.shape == table.fallback.shape == (3, 2)
    assert table.mean[1, 0] == realised_area(0.5, 350, 400).mean
    assert (np.diff(table.mean, axis=0) > 0).all() and (np.diff(table.fallback, axis=0) >= 0).all()
    assert (table.smallest <= table.mean).all()


def test_at_one_every_crop_is_the_largest_permitted_box():
    found = realised_area(1.0, 100, 300)
    assert found.fallback == 1 and found.mean == pytest.approx(133 / 300)


def test_realised_area_is_shown_on_the_command_line(capsys):
    assert main(["0.08", "0.99", "--size", "400x350"]) == 0
    assert "76.7%" in capsys.readouterr().out
    assert main(["7"]) == 2
    assert "lies in" in capsys.readouterr().err
