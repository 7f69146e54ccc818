"""Stages that fail, and are asked for once more: the end is that of a study in which none did."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from daclass.config import Layout, Study
from daclass.stages import STAGES, jobs_of
from daclass.stages.receipts import Receipt, write_receipt
from tests.conftest import ROOT
from tests.stages.failing import ask, assert_equal_tables, fail_in_turn

SMALL = (
    "data.draws=2", "training.epochs=2", "sweep.seeds=[0]", "analysis.bootstrap=100",
    "interventions.seeds=[1]", "interventions.random_draws=1",
    "interventions.designers=[fp_informed, random_classes, label_preserving]",
    "interventions.fine_tuning={epochs: 1, learning_rate: 0.02}",
    f"training.loader={'ffcv' if find_spec('ffcv') else 'torchvision'}",
)  # fmt: skip
CHANGE = "data.petri.seed=7"
"""Decides the results of every stage."""


def load(*changes: str) -> Study:
    return Study.load(ROOT / "tests" / "tiny.yaml", [*SMALL, *changes])


@pytest.fixture(scope="module")
def used(tmp_path_factory) -> Layout:
    """Where a finished study lies."""
    folder = tmp_path_factory.mktemp("used")
    layout = Layout("tiny", folder / "results", folder / "figures")
    ask(load(), layout)
    return layout


def test_a_receipt_that_could_not_be_written_is_no_receipt(used, monkeypatch):
    for job in list(jobs_of(load(), used))[-3:]:

        def refuses(content: Receipt, path: Path, job=job) -> None:
            if path == job.receipt_path:
                raise OSError(28, "No space left on device")
            write_receipt(content, path)

        with monkeypatch.context() as patch:
            patch.setattr("daclass.stages.job.write_receipt", refuses)
            with pytest.raises(OSError, match="No space"):
                job.run()
        assert job.why() == "not done yet"
        assert ask(load(), used)[0].name == job.name


@pytest.mark.timeout(1200)
def test_every_stage_fails_in_turn_and_is_asked_for_again(used, tmp_path, monkeypatch):
    changed = load(CHANGE)
    failed = fail_in_turn(changed, used, monkeypatch)
    assert set(failed) >= set(STAGES) - {"predictions", "beton"}, "predictions: see test_job"
    undisturbed = Layout("tiny", tmp_path / "results", tmp_path / "figures")
    ask(changed, undisturbed)
    assert_equal_tables(changed, used, undisturbed)
