"""GPUs given to jobs, as far as it can be seen without a GPU: claims are locks on names."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
import torch

from daclass.config import Machine
from daclass.errors import InputError
from daclass.training import devices as room
from daclass.training import loop
from daclass.training.devices import claim, devices
from tests.training.conftest import NAMES, assert_equal, runs_in, study_of, train, weights

GPUS = ["a", "b", "c"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(room, "POLL_SECONDS", 0.01)


def test_jobs_get_devices_of_their_own(tmp_path):
    with claim(GPUS, 1, tmp_path) as first, claim(GPUS, 2, tmp_path) as second:
        assert (first, second) == ([0], [1, 2])
    with claim(GPUS, 3, tmp_path) as places:
        assert places == [0, 1, 2]


def test_a_job_waits_until_enough_devices_are_free(tmp_path, caplog):
    caplog.set_level("INFO")
    got = []

    def job():
        with claim(GPUS, 2, tmp_path) as places:
            got.append(places)

    with claim(GPUS, 2, tmp_path):
        waiting = threading.Thread(target=job)
        waiting.start()
        time.sleep(0.2)
        assert not got
    waiting.join(5)
    assert len(got) == 1 and len(got[0]) == 2
    assert "waiting for 1 of 3 GPUs" in caplog.text


def test_a_killed_job_gives_its_devices_back(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from daclass.training.devices import claim\n"
        f"with claim({GPUS}, 3, Path(sys.argv[1])): print('mine', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "mine\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    with claim(GPUS, 3, tmp_path) as places:
        assert places == [0, 1, 2]


def test_jobs_that_share_are_spread_and_no_more_than_said(tmp_path):
    def shared():
        return claim(["a", "b"], 1, tmp_path, sharing=2)

    with shared() as one, shared() as two, shared() as three:
        assert (one, two, three) == ([0], [1], [0])
        got = []

        def job(sharing):
            with claim(["a", "b"], 1, tmp_path, sharing=sharing) as places:
                got.append(places)

        with shared() as four:
            assert four == [1]
            waiting = threading.Thread(target=job, args=[2])
            waiting.start()
            time.sleep(0.2)
            assert not got
        waiting.join(5)
        assert got == [[1]]


def test_a_job_that_shares_with_nobody_has_a_device_for_itself(tmp_path):
    with claim(GPUS, 1, tmp_path, sharing=4) as shared, claim(GPUS, 2, tmp_path) as alone:
        assert (shared, alone) == ([0], [1, 2])
    with claim(GPUS, 1, tmp_path) as alone, claim(GPUS, 1, tmp_path, sharing=4) as shared:
        assert (alone, shared) == ([0], [1])


@pytest.mark.parametrize("name", ["cuda", "cuda:1"])
def test_gpus_that_are_not_there_are_named(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with (
        pytest.raises(InputError, match=rf"machine\.device: {name}, \d GPUs wanted, but no usable"),
        devices(Machine(device=name)),
    ):
        pass


def test_runs_on_several_devices_equal_runs_on_one(monkeypatch, tmp_path, smooth_samples):
    """Two names for the CPU stand in for two GPUs."""
    study = study_of("torchvision")
    one = runs_in(tmp_path / "one", "strong", "weak", "mixed")
    train(study, one, smooth_samples, NAMES)
    places = [torch.device("cpu"), torch.device("cpu", 0)]

    @contextmanager
    def pair(_machine, _crew):
        yield places

    used = []
    real = loop.on_devices

    def watched(batches, devices):
        used.append(list(devices))
        return real(batches, devices)

    monkeypatch.setattr(loop, "devices", pair)
    monkeypatch.setattr(loop, "on_devices", watched)
    two = runs_in(tmp_path / "two", "strong", "weak", "mixed")
    train(study, two, smooth_samples, NAMES)
    assert used[0] == places
    for first, second in zip(one, two, strict=True):
        assert_equal(weights(first), weights(second))
