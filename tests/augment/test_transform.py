"""The torchvision transform: the module's boxes, inside ordinary v2 pipelines and loaders."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from daclass.augment import (
    RRC_SCALE,
    AugmentError,
    Policy,
    epoch_key,
    image_keys,
    random_resized_crop_boxes,
)
from daclass.augment.dataset import IndexedDataset
from daclass.augment.transform import PolicyCrop, SampleIndex
from daclass.augment.variates import flips

SIDE = 64


class Photographs(torch.utils.data.Dataset):
    """(picture, label), as torchvision's own data sets have it."""

    def __init__(self, pictures):
        self.pictures = pictures

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, number):
        return self.pictures[number], number % 2


@pytest.fixture(scope="module")
def pictures(photographs):
    return Photographs(photographs[:24])


def crop(strength=0.25, count=24, **settings):
    return PolicyCrop(SIDE, np.full(count, strength), run_seed=7, **settings)


def pipeline(step):
    return v2.Compose([v2.ToImage(), step, v2.ToDtype(torch.float32, scale=True)])


def test_crops_are_torchvisions_at_the_modules_boxes(pictures):
    step = crop()
    step.set_epoch(3)
    data = IndexedDataset(pictures, pipeline(step))
    keys = image_keys(epoch_key(0, 7, 3), np.arange(24))
    mirrored = flips(keys, 0.5)
    assert 0 < mirrored.sum() < 24
    for number, box in enumerate(random_resized_crop_boxes(keys, 227, 227, 0.25).tolist()):
        expected = tv.resized_crop(tv.to_image(pictures[number][0]), *box, [SIDE, SIDE])
        expected = tv.horizontal_flip(expected) if mirrored[number] else expected
        got, label, position = data[number]
        torch.testing.assert_close(got, expected / 255)
        assert (label, position) == (number % 2, number)


def test_pil_pictures_are_cut_at_the_same_boxes(pictures):
    tensors, pil = (
        IndexedDataset(pictures, v2.Compose(steps))
        for steps in ([v2.ToImage(), crop()], [crop(), v2.ToImage()])
    )
    for number in range(24):
        difference = (tensors[number][0].int() - pil[number][0].int()).abs()
        assert difference.max() <= 1


def test_masks_and_bounding_boxes_go_with_the_picture(pictures):
    """A mask that is the picture's own red channel stays it; a box around all fills the crop."""
    step = crop(interpolation=v2.InterpolationMode.NEAREST)
    image = tv.to_image(pictures[0][0])
    around = tv_tensors.BoundingBoxes(
        [[0.0, 0.0, 227.0, 227.0]], format="XYXY", canvas_size=(227, 227)
    )
    for number in range(5):
        cut, mask, box, position = step(
            image, tv_tensors.Mask(image[0]), around, SampleIndex(number)
        )
        assert torch.equal(cut[0], mask.data) and int(position) == number
        torch.testing.assert_close(box.data, torch.tensor([[0.0, 0.0, SIDE, SIDE]]))


def test_a_class_policy_changes_its_classes_and_no_others(pictures):
    labels = np.arange(24) % 2
    plain, changed = (
        IndexedDataset(pictures, pipeline(PolicyCrop(SIDE, strengths, run_seed=0)))
        for policy in (Policy(RRC_SCALE, 0.08), Policy(RRC_SCALE, 0.08, {"b": 0.9}))
        for strengths in [policy.sample_strengths(RRC_SCALE, labels, "ab")]
    )
    for number in range(24):
        assert torch.equal(plain[number][0], changed[number][0]) == (labels[number] == 0)


def epochs(data, step, workers, numbers=(0, 1, 2)):
    """Crops by epoch and position, from one loader whose workers stay."""
    loader = DataLoader(data, 5, shuffle=True, num_workers=workers, persistent_workers=workers > 0)
    found = {}
    for number in numbers:
        step.set_epoch(number)
        batches = [(images.clone(), positions.clone()) for images, _, positions in loader]
        images, positions = (torch.cat(parts) for parts in zip(*batches, strict=True))
        found[number] = images[positions.argsort()]
    return found


def test_workers_order_and_resuming_change_nothing(pictures):
    """An epoch reaches workers that stay; a run that starts at epoch 2 goes on as it would have."""
    step = crop()
    data = IndexedDataset(pictures, pipeline(step))
    alone = epochs(data, step, 0)
    assert not torch.equal(alone[0], alone[1])
    for workers in (1, 2, 4):
        for number, images in epochs(data, step, workers).items():
            assert torch.equal(images, alone[number])
    resumed = crop()
    data = IndexedDataset(pictures, pipeline(resumed))
    assert torch.equal(epochs(data, resumed, 0, numbers=(2,))[2], alone[2])


def test_a_sample_must_have_its_position(pictures):
    with pytest.raises(AugmentError, match="IndexedDataset"):
        crop()(pictures[0][0])


def test_strengths_must_cover_the_data_set(pictures):
    for count in (23, 25):
        with pytest.raises(AugmentError, match=f"cover {count} samples, the data set has 24"):
            IndexedDataset(pictures, pipeline(crop(count=count)))
    with pytest.raises(AugmentError, match="none for 24"):
        crop()(pictures[0][0], SampleIndex(24))


def test_a_data_set_without_a_length_is_refused():
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(())

    with pytest.raises(AugmentError, match="no length"):
        IndexedDataset(Stream(), crop())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": 0}, "side"),
        ({"flip": 1.5}, "flip"),
        ({"strengths": np.zeros(24)}, "lies in"),
        ({"strengths": np.full((2, 24), 0.5)}, "policies, samples"),
        ({"run_seed": -1}, "run_seed"),
        ({"run_seed": 0.5}, "run_seed"),
        ({"study_seed": 2**63}, "study_seed"),
    ],
)
def test_bad_settings_are_refused(change, message):
    settings = {"side": SIDE, "strengths": np.full(24, 0.5), "run_seed": 0} | change
    with pytest.raises(AugmentError, match=message):
        PolicyCrop(settings.pop("side"), settings.pop("strengths"), **settings)


def test_an_epoch_is_not_negative():
    with pytest.raises(AugmentError, match="epoch"):
        crop().set_epoch(-1)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_forgotten_epoch_is_said_once(pictures, workers, recwarn):
    step = crop()
    data = IndexedDataset(pictures, pipeline(step))
    loader = torch.utils.data.DataLoader(data, 8, num_workers=workers)
    passes = [torch.cat([images for images, *_ in loader])]
    assert not step._epoch._said and not recwarn
    step.set_epoch(1)
    passes += [torch.cat([images for images, *_ in loader])]
    assert not step._epoch._said  # the two passes were two epochs
    passes += [torch.cat([images for images, *_ in loader]) for _ in range(2)]
    assert not torch.equal(passes[0], passes[1]) and torch.equal(passes[1], passes[2])
    assert step._epoch._said
    if not workers:  # else a worker says it
        (warning,) = recwarn
        assert "call set_epoch(epoch) before every epoch" in str(warning.message)


def test_a_process_of_several_has_a_shorter_pass(monkeypatch, recwarn):
    monkeypatch.setenv("WORLD_SIZE", "4")
    step = crop()
    for number in range(6):
        step(torch.zeros(3, 80, 80), SampleIndex(number))
    assert not recwarn
    step(torch.zeros(3, 80, 80), SampleIndex(6))
    assert "epoch 0 has given a whole pass" in str(recwarn.pop().message)


def test_a_picture_outside_a_data_set_is_told_what_to_do(photographs):
    with pytest.raises(
        AugmentError, match=r"IndexedDataset\(data, transforms\) of daclass.augment"
    ):
        pipeline(crop())(photographs[0])
