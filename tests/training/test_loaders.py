"""The FFCV loader against torchvision's: same order, same boxes, nearly the same pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from daclass.errors import InputError
from daclass.training.loaders import Samples, train_loader, val_batches
from tests.training.conftest import study_of

COUNT = 40


def read(study, samples, *, seed=0, epoch=0, strengths=(0.08, 0.9)):
    table = np.repeat(np.array(strengths)[:, None], len(samples.labels), axis=1)
    batches = [
        (c.clone(), y.clone()) for c, y in train_loader(study, samples, table, seed).epoch(epoch)
    ]
    return torch.cat([c for c, _ in batches]), torch.cat([y for _, y in batches])


@pytest.mark.usefixtures("ffcv")
def test_ffcv_and_torchvision_agree(smooth_samples):
    ours, labels = read(study_of("ffcv"), smooth_samples, epoch=3)
    reference, expected = read(study_of("torchvision"), smooth_samples, epoch=3)
    torch.testing.assert_close(labels, expected)
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
    first, labels = read(study, smooth_samples)
    again, _ = read(study, smooth_samples)
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    other, other_labels = read(study, smooth_samples, epoch=1)
    assert not torch.equal(first, other) and not torch.equal(labels, other_labels)


@pytest.mark.parametrize("loader", ["ffcv", "torchvision"])
def test_validation_sees_every_picture_once_in_order(request, loader, smooth_samples):
    if loader == "ffcv":
        request.getfixturevalue("ffcv")
    study = study_of(loader)
    labels = torch.cat([labels.clone() for _, labels in val_batches(study, smooth_samples)])
    np.testing.assert_array_equal(labels.numpy(), smooth_samples.labels)


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


def test_a_batch_larger_than_the_data_is_refused(smooth_samples):
    with pytest.raises(InputError, match="batch_size"):
        read(study_of("ffcv", batch_size=64), smooth_samples)
