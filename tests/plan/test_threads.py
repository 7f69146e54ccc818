from __future__ import annotations

import os

import pytest

from daclass.config import Study
from daclass.plan import threads
from daclass.plan.counts import Counts
from daclass.plan.speed import Speed
from daclass.plan.threads import best_threads
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("cores", "speeds", "load", "best"),
    [
        (2, {}, 0.0, 1),  # as many jobs as cores: nothing to choose
        (3, {}, 0.0, 1),
        (16, {8: 500.0, 1: 300.0}, 0.0, 8),
        (16, {8: 39.0, 1: 241.0}, 0.0, 1),  # small batches are slower with threads
        (16, {8: 500.0, 1: 300.0}, 12.0, 1),  # busy: what is measured now says nothing
    ],
)
def test_threads_are_chosen_by_measuring(monkeypatch, cores, speeds, load, best):
    study = Study.load(ROOT / "tests" / "tiny.yaml")  # two seeds
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(
        threads,
        "measured",
        lambda study, counts, seconds: Speed(speeds[study.machine.threads], 32, 1, "core", ""),
    )
    assert best_threads(study, Counts(9, 9, 3, ""), cores) == best


def test_real_steps_are_measured(monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    study = Study.load(ROOT / "tests" / "tiny.yaml")
    assert best_threads(study, Counts(32, 32, 3, ""), 4, seconds=0.05) in (1, 2)


@pytest.mark.parametrize(
    ("cores", "gpus", "rate", "best"),
    [
        (64, 1, 3e6, 7),  # 1.1 x 1e6 decodes x 3 crops x 1.8 ns x 1,024 pixels
        (4, 1, 3e6, 4),  # as many as there are
        (4, 4, 3e6, 2),  # the two seeds' jobs share the cores
        (4, 1, 1e4, 1),
    ],
)
def test_on_gpus_the_loader_keeps_up(monkeypatch, cores, gpus, rate, best):
    study = Study.load(ROOT / "tests" / "tiny.yaml")
    cuda = study.machine.model_copy(update={"device": "auto"})
    study = study.model_copy(update={"machine": cuda})
    monkeypatch.setattr(threads.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(threads.torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(threads, "measured", lambda *_: Speed(rate, 32, 1, "a GPU", ""))
    assert best_threads(study, Counts(9, 9, 3, ""), cores) == best
