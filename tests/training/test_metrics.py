"""Rows of metrics, TensorBoard, and progress on a terminal and in a log."""

from __future__ import annotations

import io
import json
import logging
import os
import sys

import pytest

from daclass.errors import InputError
from daclass.training import progress
from daclass.training.metrics import Journal
from daclass.training.progress import Progress
from tests.training.conftest import NAMES, predict, runs_in, study_of, train


@pytest.fixture(scope="module")
def measured(tmp_path_factory, smooth_samples):
    """A run with all that can be measured, in pictures that grow from 16 to 24 px."""
    (run,) = runs_in(tmp_path_factory.mktemp("measured"), "weak")
    resizing = {"from_resolution": 16, "start_epoch": 1, "end_epoch": 2, "multiple": 8}
    study = study_of(
        "torchvision",
        {"validate_every": 2, "tensorboard": True},
        resolution=24,
        val_resolution=24,
        resizing=resizing,
        val_flip=True,
    )
    train(study, [run], smooth_samples, NAMES, smooth_samples)
    return study, run


def rows_of(run):
    return [json.loads(line) for line in run.metrics.read_text().splitlines()]


def test_a_row_an_epoch(measured):
    rows = rows_of(measured[1])
    assert [(row["epoch"], row["step"], row["resolution"]) for row in rows] == [
        (1, 5, 16), (2, 10, 16), (3, 15, 24),
    ]  # fmt: skip
    for row in rows:
        assert row["images_per_second"] == pytest.approx(8 / row["step_seconds"])
        assert 0 < row["loader_wait_share"] < 1
        assert 10**7 < row["memory_bytes"] < 10**11
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_validation_accuracy_is_that_of_the_predictions(measured, smooth_samples):
    study, run = measured
    rows = rows_of(run)
    assert [row["epoch"] for row in rows if "val_accuracy" in row] == [2, 3]
    ids = [str(n) for n in range(len(smooth_samples.labels))]
    table = predict(study, [run], smooth_samples, ids, 2, "p")
    expected = (table["prediction"].to_numpy() == smooth_samples.labels).mean()
    assert rows[-1]["val_accuracy"] == pytest.approx(expected)


def test_tensorboard_holds_the_rows(measured):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(measured[1].folder / "tensorboard")).Reload()
    losses = [(event.step, event.value) for event in board.Scalars("loss")]
    assert losses == [(row["epoch"], pytest.approx(row["loss"])) for row in rows_of(measured[1])]


def test_tensorboard_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(InputError, match=r"machine\.tensorboard: .*daclass\[tensorboard\]"):
        Journal(runs_in(tmp_path, "weak")[0], 0, tensorboard=True)


def test_rows_after_the_checkpoint_and_half_rows_are_dropped(tmp_path):
    (run,) = runs_in(tmp_path, "weak")
    run.folder.mkdir(parents=True)
    run.metrics.write_text('{"epoch": 1}\n{"epoch": 2}\n{"epo')
    Journal(run, 1, tensorboard=False).write({"epoch": 2, "loss": 0.5})
    assert rows_of(run) == [{"epoch": 1}, {"epoch": 2, "loss": 0.5}]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_a_bar(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sys, "stderr", Terminal())
    bar = Progress("seed 0", 20, 5)
    for _ in range(15):
        if bar.due():
            bar.report("loss 0.7")
    bar.close()
    shown = sys.stderr.getvalue()
    assert "20/20" in shown and "loss 0.7" in shown and not caplog.records


def test_a_log_shows_plain_lines_that_get_rarer(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    lines = Progress("seed 0", 20_000, 0)
    for _ in range(20_000):
        clock[0] += 1.0
        if lines.due():
            lines.report("loss 0.7")
    assert sys.stderr.getvalue() == ""
    assert caplog.messages[0] == "seed 0: step 5/20000, loss 0.7, 5:33:15 left"
    assert caplog.messages[-1] == "seed 0: step 20000/20000, loss 0.7, 0:00:00 left"
    assert 50 < len(caplog.messages) < 150  # 4,000 at an even pace


def test_a_follower_is_silent(monkeypatch, caplog):
    monkeypatch.setattr(sys, "stderr", Terminal())
    follower = Progress("seed 0", 2, 0, shown=False)
    assert not any(follower.due() for _ in range(2))
    assert sys.stderr.getvalue() == "" and os.environ is not None
