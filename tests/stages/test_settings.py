"""What a stage sees of a study: what it declares, and nothing else."""

from __future__ import annotations

import pytest

from daclass.config import PetriData, Study
from daclass.stages.settings import FOLDER, Settings, UndeclaredSetting, values

CONTENT = {
    "name": "small",
    "data": {"source": "petri", "draws": 4},
    "sweep": {"strengths": [0.08, 0.5], "seeds": [0, 1]},
}


def study(**changes) -> Study:
    return Study.model_validate(CONTENT | changes)


def test_declared_settings_are_the_studys_own():
    view = Settings(study(), ["analysis.confidence", "sweep"])
    assert view.analysis.confidence == 0.95 and view.sweep.seeds == (0, 1)


@pytest.mark.parametrize("setting", ["seed", "analysis", "analysis.bootstrap", "data.draws"])
def test_what_is_not_declared_cannot_be_seen(setting):
    view = Settings(study(), ["analysis.confidence", "data.source"])
    with pytest.raises(UndeclaredSetting, match=setting.split(".")[0]):
        for name in [*setting.split("."), "empty_labels"]:
            view = getattr(view, name)


def test_what_follows_from_settings_is_seen_with_them_alone():
    view = Settings(study(), ["sweep", "augmentation.axis"])
    assert view.strengths == (0.08, 0.5) and view.uniform_name(0.5) == "rrc_scale=0.5"
    with pytest.raises(UndeclaredSetting, match="augmentation"):
        Settings(study(), ["sweep"]).strengths  # noqa: B018 (looked at for its error)


def test_a_view_of_a_source_is_told_from_that_of_another():
    view = Settings(study(), ["data.draws"])
    assert isinstance(view.data, PetriData) and view.draw(5) == 1


def test_a_section_that_is_left_out_is_none():
    assert Settings(study(), ["interventions.seeds"]).interventions is None


def test_values_are_those_of_the_declared_settings(tmp_path):
    other = study(data={"source": "folder", "root": tmp_path, "annotations": tmp_path / "a.csv"})
    declared = ["data", "analysis.confidence", "interventions.seeds", "data.petri"]
    found = values(other, declared)
    assert set(found) == {"data", "analysis.confidence"}
    assert (found["data"]["root"], found["data"]["annotations"]) == (FOLDER, "a.csv")
