"""The FFCV loader against torchvision's: same order, same boxes, nearly the same pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from daclass.errors import InputError
from daclass.training.batches import Order, Part, Samples
from tests.training.conftest import loader_of, study_of, val_loader_of

COUNT = 40


def read(study, samples, *, seed=0, epoch=0, start=0, strengths=(0.08, 0.9)):
    """Crops, labels and positions of an epoch."""
    table = np.repeat(np.array(strengths)[:, None], len(samples.labels), axis=1)
    loader = loader_of(study, samples, table, seed)
    batches = [
        [t.clone() for t in batch]
        for batch in loader.epoch(epoch, start, study.training.resolution)
    ]
    return tuple(torch.cat(parts) for parts in zip(*batches, strict=True))


@pytest.mark.usefixtures("ffcv")
def test_ffcv_and_torchvision_agree(smooth_samples):
    ours, labels, positions = read(study_of("ffcv"), smooth_samples, epoch=3)
    reference, expected, places = read(study_of("torchvision"), smooth_samples, epoch=3)
    torch.testing.assert_close(labels, expected)
    torch.testing.assert_close(positions, places)
    np.testing.assert_array_equal(labels, smooth_samples.labels[positions])
    difference = (ours.int() - reference.int()).abs().float()
    # Smooth pictures, where the two resize filters hardly differ: another box would show at once.
    assert difference.mean() < 1.5, difference.mean()
    shuffled = (ours.int() - reference.int().roll(1, 0)).abs().float()
    assert shuffled.mean() > 10 * difference.mean()


@pytest.mark.parametrize("loader", ["ffcv", "torchvision"])
def test_epochs_of_a_seed_shuffle_apart_and_come_again(request, loader, smooth_samples):
    if loader == "ffcv":
        request.getfixturevalue("ffcv")
    study = study_of(loader)
    first, labels, _ = read(study, smooth_samples)
    again, _, _ = read(study, smooth_samples)
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    other, other_labels, _ = read(study, smooth_samples, epoch=1)
    assert not torch.equal(first, other) and not torch.equal(labels, other_labels)


@pytest.mark.parametrize("loader", ["ffcv", "torchvision"])
def test_validation_sees_every_picture_once_in_order(request, loader, smooth_samples):
    if loader == "ffcv":
        request.getfixturevalue("ffcv")
    study = study_of(loader)
    loader = val_loader_of(study, smooth_samples)
    for _ in range(2):  # the same again when it is read again
        labels, positions = [
            torch.cat(parts)
            for parts in zip(*[(b.labels.clone(), b.positions) for b in loader], strict=True)
        ]
        np.testing.assert_array_equal(labels, smooth_samples.labels)
        np.testing.assert_array_equal(positions, np.arange(COUNT))


@pytest.mark.usefixtures("ffcv")
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: path.write_bytes(b""), "cut short, or not"),
        (lambda path: path.write_bytes(b"nonsense" * 1000), "cut short, or not"),
        (lambda path: path.write_bytes(path.read_bytes()[:20_000]), "cut short, or not"),
        (lambda path: path.write_bytes(path.read_bytes()[:-4_000_000]), "cut short, or not"),
    ],
)
def test_a_damaged_beton_is_named(smooth_samples, tmp_path, damage, message):
    path = tmp_path / "copy.beton"
    path.write_bytes(smooth_samples.beton.read_bytes())
    damage(path)
    samples = Samples(path, smooth_samples.files, smooth_samples.labels)
    with pytest.raises(InputError, match=message) as error:
        read(study_of("ffcv"), samples)
    assert "copy.beton" in str(error.value)


@pytest.mark.usefixtures("ffcv")
def test_a_beton_of_other_pictures_is_refused(smooth_samples):
    labels = 1 - smooth_samples.labels
    with pytest.raises(InputError, match="differ from the index"):
        read(study_of("ffcv"), Samples(smooth_samples.beton, smooth_samples.files, labels))


@pytest.mark.parametrize("loader", ["ffcv", "torchvision"])
def test_an_epoch_can_start_at_any_step(request, loader, smooth_samples):
    if loader == "ffcv":
        request.getfixturevalue("ffcv")
    study = study_of(loader)
    whole = read(study, smooth_samples, epoch=2)
    rest = read(study, smooth_samples, epoch=2, start=3)
    for part, all_of_it in zip(rest, whole, strict=True):
        torch.testing.assert_close(part, all_of_it[3 * 8 :], rtol=0, atol=0)


@pytest.mark.usefixtures("ffcv")
def test_ffcv_cuts_crops_of_another_side_from_one_epoch_to_the_next(smooth_samples):
    study = study_of("ffcv")
    table = np.full((2, COUNT), 0.3)
    one = loader_of(study, smooth_samples, table, 0)
    sides = [(0, 16), (1, 24), (2, 24), (3, 16)]
    for epoch, side in sides:
        fresh = loader_of(study_of("ffcv", resolution=side), smooth_samples, table, 0)
        batches = zip(one.epoch(epoch, 0, side), fresh.epoch(epoch, 0, side), strict=True)
        for ours, expected in batches:
            assert ours.pictures.shape == (8, 2, 3, side, side)
            torch.testing.assert_close(ours.pictures, expected.pictures, rtol=0, atol=0)


def test_the_parts_of_a_step_make_up_a_single_processes_batch():
    whole = Order(50, 8, seed=3)
    parts = [Order(50, 8, 3, Part(rank, 4)) for rank in range(4)]
    assert len(whole) == 6
    for epoch, start in ((0, 0), (1, 4)):
        expected = whole.positions(epoch, start)
        assert expected.shape == (6 - start, 8) and len(np.unique(expected)) == expected.size
        found = np.concatenate([part.positions(epoch, start) for part in parts], axis=1)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("loader", ["ffcv", "torchvision"])
def test_processes_validate_every_picture_once(request, loader, smooth_samples):
    if loader == "ffcv":
        request.getfixturevalue("ffcv")
    positions = [
        position
        for rank in range(3)  # 40 pictures: parts of 14, 13 and 13
        for batch in val_loader_of(study_of(loader), smooth_samples, Part(rank, 3))
        for position in batch.positions.tolist()
    ]
    assert sorted(positions) == list(range(COUNT))


def test_a_batch_larger_than_the_data_is_refused(smooth_samples):
    with pytest.raises(InputError, match="batch_size"):
        read(study_of("ffcv", batch_size=64), smooth_samples)
