"""What a study has stored, held against its checksums."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.stages import jobs_of
from daclass.stages.verify import verify
from daclass.tables import read_table
from tests.conftest import ROOT
from tests.stages.failing import ask

SMALL = ("data.draws=1", "sweep.seeds=[0]", "interventions=null", "data.petri.train_per_class=2")


@pytest.mark.parametrize("fault", ["changed", "gone"])
def test_a_picture_that_the_study_drew_is_drawn_again(tmp_path, caplog, fault):
    study = Study.load(ROOT / "tests" / "tiny.yaml", SMALL)
    layout = Layout(study.name, tmp_path / "results", tmp_path / "figures")

    def stages():
        jobs = jobs_of(study, layout, look=True)
        return jobs, jobs.get("pictures"), jobs.get("index")

    jobs, pictures, index = stages()
    pictures.run()
    index.run()
    verify(jobs)
    path = sorted((layout.results / "data" / "pictures" / "val").rglob("*.jpg"))[3]
    before = path.read_bytes()
    if fault == "changed":
        path.write_bytes(before[:-30] + bytes([before[-30] ^ 4]) + before[-29:])
    else:
        path.unlink()
    with pytest.raises(InputError, match="1 files are damaged"):
        verify(stages()[0])
    assert str(path) in caplog.text
    _, pictures, index = stages()
    assert pictures.why() and not index.why()  # it is drawn to the bit, so nothing else is stale
    pictures.run()
    assert path.read_bytes() == before
    verify(stages()[0])


WHOLE = (
    "data.draws=1", "training.epochs=2", "sweep.seeds=[0]", "analysis.bootstrap=100",
    "interventions.seeds=[1]", "interventions.random_draws=1",
    "interventions.designers=[naive_removal]",
    f"training.loader={'ffcv' if find_spec('ffcv') else 'torchvision'}",
)  # fmt: skip
EMPTY = "lock"
"""The one kind of file that says nothing: what is locked while a run is trained."""
FIRST = re.compile(r"index|classes\.parquet|policies|receipts|metrics")
"""What tells which other files there are to be checked; and what weights alone tell of."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The folder of a finished study, not to be written to."""
    folder = tmp_path_factory.mktemp("finished")
    study = Study.load(ROOT / "tests" / "tiny.yaml", WHOLE)
    ask(study, Layout(study.name, folder / "results", folder / "figures"))
    return folder


@pytest.fixture
def used(finished, tmp_path) -> tuple[Study, Layout]:
    """A copy of it."""
    for folder in ("results", "figures"):
        shutil.copytree(finished / folder, tmp_path / folder)
    study = Study.load(ROOT / "tests" / "tiny.yaml", WHOLE)
    return study, Layout(study.name, tmp_path / "results", tmp_path / "figures")


def written(layout: Layout) -> list[Path]:
    found = [*layout.results_root.rglob("*"), *layout.figures.rglob("*")]
    return sorted(path for path in found if path.is_file() and path.name != EMPTY)


def damage(paths: Iterable[Path], how: str) -> None:
    for path in paths:
        content = path.read_bytes()
        middle = len(content) // 2
        rest = bytes([content[middle] ^ 1]) + content[middle + 1 :] if how == "flipped" else b""
        path.write_bytes(content[:middle] + rest)


def unnamed(study: Study, layout: Layout, caplog, paths: Iterable[Path]) -> list[Path]:
    """Which of the damaged files `verify` does not name."""
    caplog.clear()
    with pytest.raises(InputError, match=r"damaged, named above.*`daclass study .*tiny\.yaml"):
        verify(jobs_of(study, layout, look=True))
    return [path for path in paths if str(path) not in caplog.text]


def readable(path: Path, before: pd.DataFrame) -> bool:
    """Whether a table says what it said before."""
    try:
        return read_table("predictions", path).astype(before.dtypes).equals(before)
    except InputError:
        return False


@pytest.mark.parametrize("how", ["truncated", "flipped"])
def test_every_damaged_file_is_named_each_time_until_it_is_made_again(used, caplog, how):
    study, layout = used
    verify(jobs_of(study, layout, look=True))
    every = written(layout)
    hurt = [path for path in every if not FIRST.search(str(path))]
    kinds = {path.suffix for path in hurt}
    assert kinds >= {".parquet", ".safetensors", ".json", ".jpg", ".csv", ".svg", ".html"}
    parts = {path: pd.read_parquet(path) for path in hurt if path.name.startswith("predictions-v")}
    damage(hurt, how)
    # No receipt lists a run's own predictions: a byte of theirs that no value hangs on is no harm.
    harmless = {path for path, before in parts.items() if readable(path, before)}
    for _ in range(2):
        assert set(unnamed(study, layout, caplog, hurt)) <= harmless
    ask(study, layout)
    verify(jobs_of(study, layout, look=True))
    assert set(written(layout)) >= set(every)


@pytest.mark.parametrize("how", ["truncated", "flipped"])
def test_damaged_metrics_are_named_until_they_are_removed(used, caplog, how):
    study, layout = used
    metrics = sorted(layout.runs.glob("*/metrics.jsonl"))
    damage(metrics, how)
    for _ in range(2):
        assert unnamed(study, layout, caplog, metrics) == []
    assert ask(study, layout) == [], "nothing is made from them"
    for path in metrics:
        path.unlink()
    verify(jobs_of(study, layout, look=True))


@pytest.mark.parametrize("how", ["truncated", "flipped"])
def test_every_damaged_receipt_is_named(used, caplog, how):
    study, layout = used
    receipts = sorted(layout.receipts.iterdir())
    damage(receipts, how)
    for _ in range(2):
        assert unnamed(study, layout, caplog, receipts) == []
    ask(study, layout)
    verify(jobs_of(study, layout, look=True))


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("data/index.parquet", "pictures: pictures are not checked"),
        ("data/classes.parquet", "train.sweep.seed0: weights, checkpoints and metrics"),
        ("policies/sweep.parquet", "predict.sweep: predictions beside the weights"),
        ("policies/sweep/rrc_scale=0.9.yaml", "train.sweep.seed0: weights"),
    ],
)
def test_what_cannot_be_checked_is_said_and_the_rest_is_checked(used, caplog, name, left):
    """A damaged index used to end the check of pictures and runs without a word."""
    study, layout = used
    hurt = [layout.results / name, layout.figures / "class_effects.csv"]
    damage(hurt, "truncated")
    for _ in range(2):
        assert unnamed(study, layout, caplog, hurt) == []
        assert left in caplog.text


def test_a_study_that_has_not_come_to_its_trainings_has_nothing_unchecked(tmp_path, caplog):
    study = Study.load(ROOT / "tests" / "tiny.yaml", SMALL)
    jobs = jobs_of(study, Layout(study.name, tmp_path / "results", tmp_path / "figures"))
    jobs.get("pictures").run()
    verify(jobs)
    assert "pictures are not checked" in caplog.text and "weights" not in caplog.text


def test_an_interrupted_training_is_checked(used, caplog):
    study, layout = used
    run = next(layout.runs.iterdir())
    (run / "checkpoint.pt").write_bytes((run / "weights.safetensors").read_bytes())
    (run / "weights.safetensors").unlink()
    for _ in range(2):
        assert unnamed(study, layout, caplog, [run / "checkpoint.pt"]) == []
