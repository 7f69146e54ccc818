"""Recorded steps, as far as a machine without a GPU shows them: a stand-in for CUDA notes what is
asked. What a recording computes, benchmarks/gpu.py holds against plain steps on a GPU."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext

import pytest
import torch

from daclass.config import Study
from daclass.errors import InputError
from daclass.training.graphs import WARM_UP, StepGraph
from tests.training.conftest import assert_equal, runs_in, study_of, train, weights


class Stream:
    def wait_stream(self, other):
        pass


@pytest.fixture
def done(monkeypatch):
    """What was done, in order: ("plain" | "recorded" | "replayed", the inputs' first numbers)."""
    noted, recording = [], []

    class Graph:
        def replay(self):
            noted.append(("replayed", [float(each.flatten()[0]) for each in self.inputs]))

    @contextmanager
    def record(graph, **_options):
        recording.append(graph)
        yield
        recording.pop()

    def act(*inputs):
        if recording:
            recording[0].inputs = inputs
        noted.append(
            ("recorded" if recording else "plain", [float(x.flatten()[0]) for x in inputs])
        )

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream())
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream())
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", record)
    return StepGraph(act, torch.device("cpu")), noted


def batch(number, size=4):
    return torch.full((size, 3), float(number)), torch.full((size,), number)


def test_every_step_is_taken_once_and_on_its_own_inputs(done):
    step, noted = done
    for number in range(WARM_UP + 3):
        step(*batch(number))
    plain = [("plain", [number, number]) for number in range(WARM_UP)]
    replayed = [("replayed", [number, number]) for number in range(WARM_UP, WARM_UP + 3)]
    assert noted == [*plain, ("recorded", [WARM_UP, WARM_UP]), *replayed]


def test_another_shape_is_recorded_anew(done):
    """Progressive resizing."""
    step, noted = done
    for number in range(WARM_UP + 1):
        step(*batch(number))
    noted.clear()
    for number in range(WARM_UP + 1):
        step(*batch(number, size=5))
    assert [what for what, _ in noted] == ["plain"] * WARM_UP + ["recorded", "replayed"]


def test_a_callers_batch_may_be_written_over(done):
    step, noted = done
    given = batch(1)
    for number in range(WARM_UP + 2):
        for each in given:
            each.fill_(number)
        step(*given)
    assert noted[-1] == ("replayed", [WARM_UP + 1, WARM_UP + 1])


def test_a_step_that_cannot_be_recorded_is_named(done, monkeypatch):
    step, _ = done

    @contextmanager
    def refuse(*_args, **_options):
        yield
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(torch.cuda, "graph", refuse)
    with pytest.raises(InputError, match=r"machine\.cuda_graphs: .* stream is capturing\)"):
        for number in range(WARM_UP + 1):
            step(*batch(number))


def test_on_a_cpu_nothing_is_recorded(tmp_path, smooth_samples):
    kept = []
    for name, machine in (("plain", {}), ("graphs", {"cuda_graphs": True})):
        (run,) = runs_in(tmp_path / name, "weak")
        train(study_of("torchvision", machine), [run], smooth_samples, ["green", "red"])
        kept.append(weights(run))
    assert_equal(*kept)


def test_processes_that_share_a_run_do_not_record():
    with pytest.raises(ValueError, match=r"machine\.cuda_graphs"):
        Study.model_validate(
            study_of(processes=2).model_dump() | {"machine": {"cuda_graphs": True}}
        )
