"""Crops of a batch on a device: torchvision's, one picture at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from daclass.augment import AugmentError, epoch_key, image_keys, random_resized_crop_boxes
from daclass.augment.crops import BatchPolicyCrop, resized_crops
from daclass.augment.variates import flips

N = 12


@pytest.fixture(scope="module")
def images(photographs):
    sized = [np.asarray(picture.resize((200, 160))) for picture in photographs[:N]]
    return torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2)


@pytest.mark.parametrize("side", [24, 96, 180])
@pytest.mark.parametrize("strength", [0.08, 0.99])
def test_crops_are_torchvisions_of_each_picture(images, side, strength):
    keys = image_keys(epoch_key(0, 0, 0), np.arange(N))
    boxes = random_resized_crop_boxes(keys, 160, 200, strength)
    mirrored = flips(keys, 0.5)
    floats = resized_crops(images.float(), boxes, side, mirrored)
    bytes_ = resized_crops(images, boxes, side, mirrored)
    assert bytes_.dtype == torch.uint8
    for number, box in enumerate(boxes.tolist()):
        for got, picture, tolerance in (
            (floats[number], images[number].float(), 1e-2),
            (bytes_[number].float(), images[number], 1),
        ):
            expected = tv.resized_crop(picture, *box, [side, side]).float()
            expected = expected.flip(-1) if mirrored[number] else expected
            torch.testing.assert_close(got, expected, rtol=0, atol=tolerance)


def test_a_batch_is_cut_at_the_boxes_of_its_positions(images):
    table = np.stack([np.full(2 * N, strength) for strength in (0.08, 0.5)])
    cut = BatchPolicyCrop(32, table, run_seed=3)
    cut.set_epoch(4)
    order = np.random.default_rng(0).permutation(2 * N)[:N]
    crops = cut(images, order)
    assert crops.shape == (N, 2, 3, 32, 32) and crops.dtype == torch.uint8
    keys = image_keys(epoch_key(0, 3, 4), order)
    for k, strength in enumerate((0.08, 0.5)):
        boxes = random_resized_crop_boxes(keys, 160, 200, strength)
        expected = resized_crops(images, boxes, 32, flips(keys, 0.5))
        assert torch.equal(crops[:, k], expected)
    half = cut(images[:7], order[:7])
    assert torch.equal(half, crops[:7])


@pytest.mark.parametrize("positions", [np.arange(N - 1), np.full(N, 2 * N), np.full(N, -1)])
def test_bad_positions_are_refused(images, positions):
    cut = BatchPolicyCrop(32, np.full((1, 2 * N), 0.5), run_seed=0)
    with pytest.raises(AugmentError, match=r"shape|cover"):
        cut(images, positions)
