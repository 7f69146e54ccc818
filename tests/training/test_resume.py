"""Interrupted for real and started again: to the bit what a training gives that was left alone."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch

from daclass.errors import InputError
from daclass.training import loop
from daclass.training.checkpoint import load_checkpoint, save_checkpoint
from tests.conftest import ROOT
from tests.training.conftest import NAMES, assert_equal, predict, runs_in, study_of, train, weights

PAIR = ("strong", "mixed")
LONG = {"epochs": 24, "batch_size": 4}  # 240 steps, a few seconds: time to be killed in
OFTEN = {"checkpoint_minutes": 0.0005}


def epochs_of(run):
    return [json.loads(line)["epoch"] for line in run.metrics.read_text().splitlines()]


def predictions(study, runs, samples):
    ids = [str(n) for n in range(len(samples.labels))]
    return predict(study, runs, samples, ids, 2, "p").drop(columns="run")


def at_step(monkeypatch, number, act):
    """Call `act` when the first run of a process is about to do its step `number`, from 0."""
    calls, real = [0], loop.inputs_of

    def counted(batch, place):
        if place == 0:
            if calls[0] == number:
                act()
            calls[0] += 1
        return real(batch, place)

    monkeypatch.setattr(loop, "inputs_of", counted)


CHILD = """
import sys
from pathlib import Path
import numpy as np
from daclass.training.batches import Samples
from tests.training.conftest import NAMES, runs_in, study_of, train
from tests.training.test_resume import LONG, OFTEN, PAIR
folder, store, loader = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
files = sorted(folder.glob("*.png"))
samples = Samples(folder / "smooth.beton", files, np.arange(len(files)) % 2)
train(study_of(loader, OFTEN, **LONG), runs_in(store, *PAIR), samples, NAMES)
"""


@pytest.mark.parametrize(("loader", "kills"), [("torchvision", 3), ("ffcv", 1)])
def test_killed_at_random_moments_and_started_again(
    request, tmp_path, smooth_samples, loader, kills
):
    if loader == "ffcv":
        request.getfixturevalue("ffcv")
    folder = smooth_samples.files[0].parent
    store = tmp_path / "disturbed"
    command = [sys.executable, "-c", CHILD, str(folder), str(store), loader]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    rng, reached = np.random.default_rng(), [0]
    disturbed = runs_in(store, *PAIR)
    for _ in range(kills):
        child = subprocess.Popen(command, env=environment)
        while child.poll() is None and done(disturbed[0]) <= reached[-1]:
            time.sleep(0.01)
        time.sleep(float(rng.uniform(0, 0.3)))
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL, "too late: the training had ended"
        reached.append(done(disturbed[0]))
    assert reached == sorted(set(reached)), "no process got further than the one before"
    study = study_of(loader, **LONG)
    train(study, disturbed, smooth_samples, NAMES)
    undisturbed = runs_in(tmp_path / "undisturbed", *PAIR)
    train(study, undisturbed, smooth_samples, NAMES)
    for first, second in zip(undisturbed, disturbed, strict=True):
        assert_equal(weights(first), weights(second))
        assert not second.checkpoint.exists()
        assert epochs_of(first) == epochs_of(second) == list(range(1, 25))
    pd.testing.assert_frame_equal(
        predictions(study, undisturbed, smooth_samples),
        predictions(study, disturbed, smooth_samples),
    )


def done(run):
    """Steps in the checkpoint that a process is writing anew all the time."""
    state = load_checkpoint(run)
    return 10 * state["epoch"] + state["step"] if state else 0


@pytest.mark.parametrize(
    ("loader", "steps", "epoch"),
    [("torchvision", (0, 2), 0), ("torchvision", (7, 4), 2), ("ffcv", (6,), 1)],
)
def test_sigterm_leaves_a_checkpoint_at_the_very_step(
    request, monkeypatch, tmp_path, smooth_samples, loader, steps, epoch
):
    """Stopped after each of `steps` in turn, in and at the end of an epoch of 5 steps."""
    if loader == "ffcv":
        request.getfixturevalue("ffcv")
    study, left_alone = study_of(loader), runs_in(tmp_path / "alone", *PAIR)
    train(study, left_alone, smooth_samples, NAMES)
    stopped, total = runs_in(tmp_path / "stopped", *PAIR), 0
    for step in steps:
        with monkeypatch.context() as patch, pytest.raises(SystemExit) as ended:
            at_step(patch, step, lambda: os.kill(os.getpid(), signal.SIGTERM))
            train(study, stopped, smooth_samples, NAMES)
        assert ended.value.code == 143
        total += step + 1
        state = load_checkpoint(stopped[1])
        assert (state["epoch"], state["step"]) == divmod(total, 5)
    assert state["epoch"] == epoch
    train(study, stopped, smooth_samples, NAMES)
    for first, second in zip(left_alone, stopped, strict=True):
        assert_equal(weights(first), weights(second))
        rows = [pd.read_json(run.metrics, lines=True) for run in (first, second)]
        same = ["epoch", "step", "loss", "learning_rate"]
        pd.testing.assert_frame_equal(rows[0][same], rows[1][same])
        assert second.seconds > 0


def test_sigusr1_writes_a_checkpoint_and_goes_on(monkeypatch, tmp_path, smooth_samples):
    (run,) = runs_in(tmp_path, "weak")
    found = []
    at_step(monkeypatch, 6, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    at_step(monkeypatch, 7, lambda: found.append(load_checkpoint(run)))
    train(study_of("torchvision"), [run], smooth_samples, NAMES)
    assert (found[0]["epoch"], found[0]["step"]) == (1, 2)
    assert run.trained


def test_a_later_run_joins_those_that_are_half_way(monkeypatch, tmp_path, smooth_samples):
    """A strength was added after an interruption: each run goes on from where it is."""
    study = study_of("torchvision")
    both = runs_in(tmp_path / "joined", *PAIR)
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        at_step(patch, 6, lambda: os.kill(os.getpid(), signal.SIGTERM))
        train(study, both[1:], smooth_samples, NAMES)
    train(study, both, smooth_samples, NAMES)
    alone = runs_in(tmp_path / "alone", *PAIR)
    train(study, alone, smooth_samples, NAMES)
    for first, second in zip(alone, both, strict=True):
        assert_equal(weights(first), weights(second))


def test_dropout_neither_minds_neighbours_nor_interruptions(monkeypatch, tmp_path, smooth_samples):
    study = study_of("torchvision", model="test_vit", epochs=2)
    real = loop.start

    def with_dropout(*args, **more):
        trainees = real(*args, **more)
        for trainee in trainees:
            trainee.model.head_drop = torch.nn.Dropout(0.5)
        return trainees

    monkeypatch.setattr(loop, "start", with_dropout)
    alone, pair = runs_in(tmp_path / "alone", "weak"), runs_in(tmp_path / "pair", "strong", "weak")
    train(study, alone, smooth_samples, NAMES)
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        at_step(patch, 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
        train(study, pair, smooth_samples, NAMES)
    train(study, pair, smooth_samples, NAMES)
    assert_equal(weights(alone[0]), weights(pair[1]))


def test_a_damaged_checkpoint_is_named(tmp_path, smooth_samples):
    (run,) = runs_in(tmp_path, "weak")
    save_checkpoint(run, {"epoch": 1})
    run.checkpoint.write_bytes(run.checkpoint.read_bytes()[: run.checkpoint.stat().st_size // 2])
    with pytest.raises(InputError, match=r"checkpoint\.pt: damaged"):
        train(study_of("torchvision"), [run], smooth_samples, NAMES)


@pytest.mark.parametrize(
    ("other", "named"), [({"settings": "other"}, "settings"), ({"seed": 1}, "seed")]
)
def test_a_checkpoint_of_other_settings_is_refused(tmp_path, smooth_samples, other, named):
    (run,), (stranger,) = runs_in(tmp_path, "weak"), runs_in(tmp_path, "weak", **other)
    save_checkpoint(stranger, {"epoch": 1})
    run.folder.mkdir(parents=True)
    stranger.checkpoint.rename(run.checkpoint)
    with pytest.raises(InputError, match=rf"another run \(another {named}\)"):
        train(study_of("torchvision"), [run], smooth_samples, NAMES)


def test_a_full_disk_is_said_and_the_last_checkpoint_kept(monkeypatch, tmp_path, smooth_samples):
    """The limit on a file's size stands in for the disk: the same failing write."""
    study, (run,) = study_of("torchvision"), runs_in(tmp_path, "weak")
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        at_step(patch, 6, lambda: os.kill(os.getpid(), signal.SIGTERM))
        train(study, [run], smooth_samples, NAMES)
    kept = run.checkpoint.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(kept) // 2, limits[1]))
        impatient = study_of("torchvision", {"checkpoint_minutes": 0})
        with pytest.raises(InputError, match=r"checkpoint\.pt: cannot be written .* is kept"):
            train(impatient, [run], smooth_samples, NAMES)
        with pytest.raises(InputError, match=r"weights\.safetensors: cannot be written"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (8000, limits[1]))
            train(study, [run], smooth_samples, NAMES)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert run.checkpoint.read_bytes() == kept
    left = sorted(path.name for path in run.folder.iterdir())
    assert left == ["checkpoint.pt", "lock", "metrics.jsonl"]
    train(study, [run], smooth_samples, NAMES)
    (alone,) = runs_in(tmp_path / "alone", "weak")
    train(study, [alone], smooth_samples, NAMES)
    assert_equal(weights(alone), weights(run))


def test_weights_that_are_not_finite_never_replace_a_checkpoint(
    monkeypatch, tmp_path, smooth_samples
):
    (run,) = runs_in(tmp_path, "weak")
    kept = []
    at_step(monkeypatch, 7, lambda: kept.append(run.checkpoint.read_bytes()))
    real = loop.inputs_of

    def broken(batch, place):
        pictures, labels = real(batch, place)
        return (pictures.float() * float("nan") if kept else pictures), labels

    monkeypatch.setattr(loop, "inputs_of", broken)
    study = study_of("torchvision", {"checkpoint_minutes": 0})
    with pytest.raises(InputError, match=r"diverged: run weak, seed 0, step 8: .* is not finite"):
        train(study, [run], smooth_samples, NAMES)
    assert not run.trained
    assert run.checkpoint.read_bytes() == kept[0]


def test_a_gpu_out_of_memory_names_the_batch(monkeypatch, tmp_path, smooth_samples):
    def full():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore")

    (run,) = runs_in(tmp_path, "weak")
    at_step(monkeypatch, 3, full)
    study = study_of("torchvision", {"checkpoint_minutes": 0})
    with pytest.raises(InputError, match=r"training\.batch_size: 8 .*Tried to allocate"):
        train(study, [run], smooth_samples, NAMES)
    assert load_checkpoint(run)["step"] == 3


def test_a_second_process_does_not_train_what_one_is_training(tmp_path, smooth_samples):
    """It ends in one line; what the first one has is untouched, and free when that one is gone."""
    study, runs = study_of("torchvision"), runs_in(tmp_path, "strong", "weak")
    code = (
        "import sys; from pathlib import Path; from daclass.training.locks import claimed\n"
        "from tests.training.conftest import runs_in\n"
        "with claimed(runs_in(Path(sys.argv[1]), 'weak')): print('mine', flush=True); input()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "mine\n"
    with pytest.raises(InputError, match=rf"{runs[1].folder.name}: another process is training"):
        train(study, runs, smooth_samples, NAMES)
    assert not any(run.trained or run.metrics.exists() for run in runs)
    child.kill()
    child.wait()
    train(study, runs, smooth_samples, NAMES)
    assert all(run.trained for run in runs)


def test_a_file_system_without_locks_trains_all_the_same(
    monkeypatch, caplog, tmp_path, smooth_samples
):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    (run,) = runs_in(tmp_path, "strong")
    train(study_of("torchvision"), [run], smooth_samples, NAMES)
    assert run.trained and "no locks on this file system" in caplog.text
