"""Results are used where they belong, and nowhere else."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.stages import STAGES, Jobs, jobs_of
from daclass.stages.verify import verify
from daclass.tables import read_table
from tests.stages.failing import ask, assert_equal_tables, fail_in_turn
from tests.stages.settings_walk import walk

NAMES = ("ant", "bee", "cat")
IMAGES = [f"{name}{n}" for name in NAMES for n in range(8)]


@pytest.fixture
def root(tmp_path: Path, monkeypatch) -> Path:
    """A study of predictions: two conditions of two models, and label sets."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = [name[:3] for name in IMAGES]
    pd.DataFrame({"image": IMAGES, "label": labels}).to_csv("labels.csv", index=False)
    rows = [
        (image, rng.choice(NAMES) if rng.random() < hurt else label, f"{condition}{n}", condition)
        for condition, hurt in (("new", 0.6), ("old", 0.2))
        for n in range(2)
        for image, label in zip(IMAGES, labels, strict=True)
    ]
    pd.DataFrame(rows, columns=["image", "prediction", "model", "condition"]).to_csv(
        "p.csv", index=False
    )
    sets(["ant"])
    content = {
        "name": "small",
        "data": {
            "source": "predictions",
            "files": ["p.csv"],
            "labels": "labels.csv",
            "annotations": "sets.json",
        },
        "comparison": {"conditions": ["new", "old"], "replicates": "models"},
        "analysis": {"bootstrap": 100},
    }
    Path("study.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def sets(of_first: list[str]) -> None:
    given = {image: [image[:3]] for image in IMAGES} | {IMAGES[0]: of_first}
    Path("sets.json").write_text(json.dumps(given))


def load(*changes: str) -> Jobs:
    study = Study.load(Path("study.yaml"), changes)
    return jobs_of(study, Layout(study.name), look=True)


def finish(jobs: Jobs) -> list[str]:
    """Run what has to be run; the stages that ran."""
    ran = []
    for job in jobs:
        if job.why():
            job.run()
            ran.append(job.stage.name)
    return ran


def test_a_finished_study_has_nothing_to_do(root):
    assert finish(load()) == [
        "predictions", "measure", "categories", "decision", "planted", "figures", "summary",
        "report",
    ]  # fmt: skip
    assert finish(load()) == []


@pytest.mark.parametrize(
    ("change", "first"),
    [
        ("seed=5", "measure"),
        ("analysis.confidence=0.9", "measure"),
        ("analysis.categories.overlap=0.2", "categories"),
        ("title=Another", "summary"),
        ("data.split_seed=3", "predictions"),
    ],
)
def test_a_changed_setting_runs_the_stages_that_it_decides(root, change, first):
    finish(load())
    jobs = load(change)
    reasons = {job.stage.name: job.why() for job in jobs}
    assert next(name for name, why in reasons.items() if why) == first
    assert reasons[first] == f"{change.split('=')[0]} changed"
    finish(jobs)
    assert finish(load()) and finish(load()) == [], "and back"


def test_old_tables_under_new_settings_are_an_error(root):
    """The worst fault: a summary that states a setting beside numbers of another one."""
    finish(load())
    with pytest.raises(
        InputError, match=r"small/\w+\.parquet: of other settings \(seed changed\).*measure"
    ):
        load("seed=5").get("summary").run()


def test_a_stage_that_failed_leaves_no_result_to_believe(root, monkeypatch):
    """A setting is changed, a stage fails, and the same is asked for once more."""
    finish(load())
    old = read_table("effects", Layout("small").table("effects"))
    jobs = load("analysis.confidence=0.5")
    full = OSError(28, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr("daclass.stages.job.write_table", lambda *_: (_ for _ in ()).throw(full))
        with pytest.raises(OSError, match="No space"):
            finish(jobs)
    with pytest.raises(InputError, match="not a finished one"):
        load().get("categories").run()
    assert finish(load("analysis.confidence=0.5"))[0] == "measure"
    new = read_table("effects", Layout("small").table("effects"))
    assert (new["low"] > old["low"]).any(), "narrower intervals"
    assert finish(load())[0] == "measure", "back to the first settings"
    pd.testing.assert_frame_equal(read_table("effects", Layout("small").table("effects")), old)


def test_an_older_annotation_file_is_noticed(root):
    finish(load())
    sets(["ant", "bee"])
    os.utime("sets.json", (0, 0))
    jobs = load()
    assert jobs.get("predictions").why() == "data holds something else"
    assert finish(jobs)[:2] == ["predictions", "measure"]


def test_a_touched_file_is_the_same(root):
    finish(load())
    os.utime("sets.json")
    assert finish(load()) == []


def test_a_table_that_was_replaced_is_refused_and_made_again(root):
    finish(load())
    layout = Layout("small")
    other = layout.table("accuracy").read_bytes()
    finish(load("analysis.confidence=0.5"))
    layout.table("accuracy").write_bytes(other)
    jobs = load("analysis.confidence=0.5")
    with pytest.raises(InputError, match=r"accuracy\.parquet: is not what its receipt says"):
        jobs.get("summary").run()
    assert jobs.get("measure").why().endswith("accuracy.parquet is another one")


@pytest.mark.parametrize("place", ["summary", "report"])
def test_a_file_that_is_not_what_was_written_is_made_again(root, place):
    finish(load())
    path = getattr(Layout("small"), place)
    before = path.read_bytes()
    path.write_bytes(before.replace(b"ant", b"bat", 1))
    assert load().get(place).why() == f"{path} is another one"
    with pytest.raises(InputError, match="1 files are damaged"):
        verify(load())
    assert finish(load())[0] == place
    assert place == "summary" or path.read_bytes() == before, "the summary says its seconds"


def test_a_table_that_is_gone_is_made_again(root):
    finish(load())
    Layout("small").table("effects").unlink()
    assert finish(load())[0] == "measure"


def test_a_new_version_of_a_stage_runs_it_again(root, monkeypatch):
    finish(load())
    monkeypatch.setitem(STAGES, "measure", replace(STAGES["measure"], version=99))
    assert load().get("measure").why() == "daclass computes it otherwise now"


def test_a_damaged_receipt_is_named(root):
    finish(load())
    path = Layout("small").receipts / "measure.json"
    path.write_text(path.read_text()[:40])
    with pytest.raises(InputError, match=r"measure\.json: damaged"):
        finish(load())


def test_every_digest_follows_from_the_config_and_outside_files_alone(root):
    before = {job.name: job.digest for job in load()}
    finish(load())
    assert {job.name: job.digest for job in load()} == before


def test_every_setting_runs_what_it_decides(root):
    """All settings of a study of predictions; `tests.stages.settings_walk` takes any study."""
    study = Study.load(Path("study.yaml"))
    tried = [each for each in walk(study, root) if each.now]
    assert len(tried) >= 15 and [each.setting for each in tried if each.stale] == []


def test_every_stage_fails_in_turn_and_is_asked_for_again(root, monkeypatch):
    """`test_failures` has the same of a study that trains."""
    finish(load())
    changed = Study.load(Path("study.yaml"), ["data.split_seed=3"])
    assert len(fail_in_turn(changed, Layout("small"), monkeypatch)) >= 7
    fresh = Layout("small", root / "fresh", root / "fresh-figures")
    ask(changed, fresh)
    assert_equal_tables(changed, Layout("small"), fresh)
    assert Layout("small").report.is_file()


def test_what_is_kept_of_outside_files_is_verified(root, caplog):
    finish(load())
    kept = sorted(Layout("small").outside.iterdir())
    assert kept
    kept[0].write_bytes(kept[0].read_bytes()[:-20])
    for _ in range(2):
        with pytest.raises(InputError, match="1 files are damaged"):
            verify(load())
    assert f"{kept[0]}: damaged; what it is about is read again" in caplog.text
    assert finish(load()) == []
    jobs = load()
    jobs.get("predictions").run()
    verify(load())
