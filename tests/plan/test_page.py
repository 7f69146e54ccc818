"""`daclass plan` as people meet it; for a finished study see tests/test_workflow.py."""

from __future__ import annotations

import re

import pytest

from daclass.cli import main
from daclass.config import Study
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_demo_is_planned_before_anything_exists(capsys, tmp_path):
    changed = ["--set", "title=what Anna's will cost"]
    assert main(["plan", str(ROOT / "configs/demo.yaml"), *changed]) == 0
    text, study = capsys.readouterr().out, Study.load(ROOT / "configs/demo.yaml")
    designed = len(study.policy_names("interventions"))
    assert "sweep: 16 = 2 policies x 8 seeds; 0 stored, 16 missing" in text
    assert f"at most {3 * designed} = {designed} policies x 3 seeds; 0 stored" in text
    assert "core-hours" in text and "2 cores of an AMD EPYC" in text
    assert "an estimate, by other machines; --measure times this one: " in text
    views = f"at most {16 + 3 * designed} runs x 2 views x 2,400 pictures: 23.8% as many pixels"
    assert views in text  # 2 x 2,400 judged and 12 x 1,680 trained, both of 32 px
    assert " 12 beton: not done yet" in text
    assert " 11 train: not done yet" in text
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("configs/predictions.yaml", "a study of predictions trains nothing"),
        ("configs/gone.yaml", "cannot read the study"),
    ],
)
def test_what_cannot_be_planned_is_said(capsys, config, message):
    assert main(["plan", str(ROOT / config)]) == 2
    assert message in capsys.readouterr().err


def test_pictures_that_are_not_here_can_be_counted_by_hand(capsys, monkeypatch):
    monkeypatch.setattr("daclass.plan.page.jobs", lambda *_: [])
    config = [str(ROOT / "configs/imagenet-fast.yaml"), "--set", "data.root=gone"]
    assert main(["plan", *config]) == 0
    text = capsys.readouterr().out
    assert "sweep: 40 = 8 policies x 5 seeds" in text
    assert "hours and disk: unknown; gone/train: no such folder" in text
    assert main(["plan", *config, "--sizes", "1281167", "50000", "1000"]) == 0
    text = capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["plan", *config, "--sizes", "0", "0", "0"])
    assert "0 is below 1" in capsys.readouterr().err
    assert "sweep: 23 A100-hours; 4.7 hours if all 5 jobs run at once" in text
    designed = len(Study.load(ROOT / "configs/imagenet-fast.yaml").policy_names("interventions"))
    assert f"{40 + 5 * designed} runs x 46.8 MB" in text and "betons: unknown" in text


def test_one_seed_and_one_job_are_said_in_the_singular(capsys, monkeypatch):
    monkeypatch.setattr("daclass.plan.page.jobs", lambda *_: [])
    one = ["--set", "sweep.seeds=[0]", "--set", "interventions=null"]
    assert main(["plan", str(ROOT / "configs/demo.yaml"), *one, "--measure", "0.1"]) == 0
    text = capsys.readouterr().out
    assert "sweep: 2 = 2 policies x 1 seed; 0 stored" in text
    assert "core here, 1 job at a time" in text or "cores here, 1 job at a time" in text
    assert "measured here, without reading pictures: " in text


def test_hours_on_cores_are_those_of_the_jobs_that_fit_at_a_time(capsys, monkeypatch):
    monkeypatch.setattr("daclass.plan.page.jobs", lambda *_: [])
    config = [str(ROOT / "configs/demo.yaml"), "--set", "interventions=null"]
    hours = {}
    for cores in (1, 2, 16):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, number=cores: set(range(number)))
        assert main(["plan", *config]) == 0
        said = capsys.readouterr().out
        found = re.search(r"core-hours; (\S+) hours on the (.*) here, (\d) jobs? at a time", said)
        hours[found[2], found[3]] = float(found[1])
    assert list(hours) == [("1 core", "1"), ("2 cores", "2"), ("16 cores", "8")]
    one, two, many = hours.values()
    assert one == pytest.approx(8 * many, rel=0.1) and two == pytest.approx(4 * many, rel=0.1)
