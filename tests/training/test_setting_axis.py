"""Studies that vary a setting: each run is trained as if the recipe said its value."""

from __future__ import annotations

import pytest

from daclass.augment import Policy
from daclass.augment.settings import SETTINGS
from daclass.config import Study
from daclass.training.runs import Run
from tests.training.conftest import NAMES, assert_equal, study_of, train, weights


def varying(setting, loader="torchvision"):
    content = study_of(loader).model_dump()
    content["augmentation"] = {"axis": {"setting": setting}, "crop_scale": 0.3}
    content["sweep"]["strengths"] = [0.0, 0.5]
    return Study.model_validate(content)


@pytest.mark.parametrize("setting", SETTINGS)
def test_each_run_is_trained_with_its_own_value(tmp_path, smooth_samples, setting):
    study, axis = varying(setting), SETTINGS[setting]
    assert study.axis == axis and study.conditions == (f"{setting}=0.5", f"{setting}=0")
    runs = [Run(f"{s}", Policy(axis, s), 0, "x", tmp_path / "a") for s in (0.0, 0.5)]
    train(study, runs, smooth_samples, NAMES)
    for run, value in zip(runs, (0.0, 0.5), strict=True):
        said = study_of("torchvision", **{axis.setting: value}).model_dump()
        said["augmentation"] = {"axis": "color_jitter", "crop_scale": 0.3}  # at 0 it does nothing
        said["sweep"]["strengths"] = [0.0, 1.0]
        plain = Study.model_validate(said)
        alone = Run("alone", Policy(plain.axis, 0.0), 0, "y", tmp_path / f"{value}")
        train(plain, [alone], smooth_samples, NAMES)
        assert_equal(weights(alone), weights(run))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"augmentation": {"axis": {"setting": "training.epochs"}}}, "training.weight_decay"),
        ({"augmentation": {"axis": {"setting": "training.momentum", "of": 1}}}, "of"),
        ({"training": {"weight_decay": 0.1}}, "is what the study varies: leave it out"),
        ({"interventions": {"seeds": [5, 6]}}, "one for all classes"),
        ({"sweep": {"strengths": [0.0, -1.0], "seeds": [0]}}, "lies in"),
    ],
)
def test_what_cannot_be_varied_is_refused(changes, message):
    content = {
        "name": "tiny",
        "data": {"source": "petri"},
        "augmentation": {"axis": {"setting": "training.weight_decay"}},
        "sweep": {"strengths": [0.0, 0.001], "seeds": [0]},
    }
    Study.model_validate(content)
    with pytest.raises(ValueError, match=message):
        Study.model_validate(content | changes)


def test_both_ways_of_writing_it_are_one_study():
    study = varying("training.weight_decay")
    again = study.model_validate(study.model_dump())
    assert again == study and again.training_digest() == study.training_digest()
    assert study.plugins() == {}
