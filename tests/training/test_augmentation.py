"""Every axis trains: a few real steps on photographs, together as alone, changed as asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from daclass.augment import AXES, AugmentError, Policy
from daclass.config import Beton, Study
from daclass.data.beton import write_beton
from daclass.errors import InputError
from daclass.training.augmentation import BatchAugmentation, crop_strengths
from daclass.training.batches import Samples
from daclass.training.runs import Run
from tests.training.conftest import (
    NAMES,
    assert_equal,
    recipe_of,
    study_of,
    train,
    val_loader_of,
    weights,
)

COUNT = 24
STRONG = {
    "rrc_scale": 0.08,
    "color_jitter": 1.0,
    "randaugment": 15.0,
    "random_erasing": 1.0,
    "mixup": 1.0,
    "cutmix": 1.0,
    "blur": 2.0,
}


def study_with(axis, loader="torchvision", **augmentation):
    content = study_of(loader, epochs=2).model_dump()
    content["augmentation"] = {"axis": axis, **augmentation}
    content["sweep"]["strengths"] = [AXES[axis].identity, STRONG[axis]]
    return Study.model_validate(content)


@pytest.fixture(scope="module")
def photograph_samples(tmp_path_factory, photographs):
    folder = tmp_path_factory.mktemp("photographs")
    files = [folder / f"{number:02d}.png" for number in range(COUNT)]
    for file, picture in zip(files, photographs[:COUNT], strict=True):
        picture.resize((64, 48)).save(file)
    return Samples(folder / "p.beton", files, np.arange(COUNT) % 2)


def runs_of(axis, store):
    policies = {
        "off": Policy(AXES[axis], AXES[axis].identity),
        "on": Policy(AXES[axis], STRONG[axis]),
        "mixed": Policy(AXES[axis], AXES[axis].identity, {"red": STRONG[axis]}),
    }
    return [Run(name, policy, 0, "x", store) for name, policy in policies.items()]


def test_all_axes_are_tried():
    assert set(STRONG) == set(AXES)


@pytest.mark.parametrize("axis", AXES)
def test_an_axis_trains(tmp_path, axis, photograph_samples):
    """Three policies differ, and one of them alone gives the same weights to the bit."""
    study = study_with(axis)
    together = runs_of(axis, tmp_path / "together")
    train(study, together, photograph_samples, NAMES)
    trained = [weights(run) for run in together]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert any(not torch.equal(trained[first][k], trained[second][k]) for k in trained[0])
    alone = runs_of(axis, tmp_path / "alone")[2]
    train(study, [alone], photograph_samples, NAMES)
    assert_equal(weights(alone), trained[2])


@pytest.mark.parametrize("axis", ["mixup", "blur"])
def test_the_identity_trains_as_if_there_were_no_axis(tmp_path, axis, photograph_samples):
    """Against the crop's own axis at the fixed scale: the same pictures, the same first loss."""
    runs = runs_of(axis, tmp_path / axis)[:1]
    train(study_with(axis, crop_scale=0.3), runs, photograph_samples, NAMES)
    crop = [Run("crop", Policy(AXES["rrc_scale"], 0.3), 0, "x", tmp_path / "crop")]
    train(study_with("rrc_scale"), crop, photograph_samples, NAMES)
    first, second = weights(runs[0]), weights(crop[0])
    for key in first:
        torch.testing.assert_close(first[key], second[key], rtol=1e-3, atol=1e-3)


def test_an_axis_of_batches_trains_under_ffcv(tmp_path, photograph_samples, ffcv):
    samples = photograph_samples
    write_beton(samples.files, samples.labels, Beton(), samples.beton)
    runs = runs_of("cutmix", tmp_path)[:2]
    train(study_with("cutmix", "ffcv"), runs, samples, NAMES)
    first, second = map(weights, runs)
    assert any(not torch.equal(first[key], second[key]) for key in first)


def test_all_runs_share_the_one_crop_of_other_axes():
    labels, policies = np.array([0, 1, 1]), [Policy(AXES["blur"], s) for s in (0.0, 2.0)]
    np.testing.assert_array_equal(
        crop_strengths(recipe_of(study_with("blur", crop_scale=0.3)), policies, labels, NAMES),
        [[0.3, 0.3, 0.3]],
    )
    assert crop_strengths(recipe_of(study_with("blur")), policies, labels, NAMES)[0, 0] == 0.08


def test_a_policy_of_another_axis_is_refused():
    labels, policies = np.array([0, 1]), [Policy(AXES["blur"], 2.0)]
    with pytest.raises(AugmentError, match="mixup are needed, got blur"):
        BatchAugmentation(recipe_of(study_with("mixup")), policies, labels, NAMES, 0)
    with pytest.raises(AugmentError, match="rrc_scale are needed, got blur"):
        crop_strengths(recipe_of(study_with("rrc_scale")), policies, labels, NAMES)


def test_pictures_come_on_a_scale_of_255():
    study, labels = study_with("random_erasing"), np.array([0, 1])
    policy = Policy(AXES["random_erasing"], 1.0)
    erase = BatchAugmentation(recipe_of(study), [policy], labels, NAMES, 0)
    white = torch.full((2, 3, 16, 16), 255, dtype=torch.uint8)
    pictures, targets = erase(white, torch.tensor(labels), torch.tensor([0, 1]), 0, 0)
    erased = pictures.amin((0, 2, 3)) / 255
    torch.testing.assert_close(erased, torch.tensor(study.training.mean))
    assert pictures.max() == 255 and targets.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("augmentation", "message"),
    [
        ({"axis": "rrc_scale", "crop_scale": 0.3}, "crop_scale is what the axis"),
        ({"axis": "blur", "crop_scale": 0.0}, "lies in"),
        ({"axis": "hue"}, "unknown axis"),
    ],
)
def test_bad_settings_are_refused(augmentation, message):
    content = study_of("torchvision").model_dump() | {"augmentation": augmentation}
    with pytest.raises(ValueError, match=message):
        Study.model_validate(content)


@pytest.mark.parametrize("loader", ["ffcv", "torchvision"])
def test_a_validation_crop_without_pixels_is_refused(request, tmp_path, loader, photograph_samples):
    samples = photograph_samples
    if loader == "ffcv":
        request.getfixturevalue("ffcv")
        write_beton(samples.files, samples.labels, Beton(), samples.beton)
    study = study_of(loader, val_crop=0.02)
    with pytest.raises(InputError, match=r"val_crop: 0\.02 leaves less than one pixel of .*png"):
        list(val_loader_of(study, samples))
