"""One run trained by two processes: gloo on a CPU, started by torchrun as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from daclass.errors import InputError
from daclass.training.batches import Samples
from daclass.training.checkpoint import load_checkpoint
from tests.training.conftest import NAMES, assert_equal, runs_in, study_of, train, weights

# A network without batch normalisation: what two processes give then differs from one by rounding.
RECIPE = {"model": "test_vit", "epochs": 6, "learning_rate": 0.01}

CHILD = """
import os, signal, sys
from pathlib import Path
import numpy as np
from daclass.training.batches import Samples
from tests.training.conftest import NAMES, runs_in, study_of, train
from tests.training.test_distributed import RECIPE, odd_one_out
from tests.training.test_resume import at_step
folder, store = Path(sys.argv[1]), Path(sys.argv[2])
files = sorted(folder.glob("*.png"))
samples = Samples(folder / "smooth.beton", files, np.arange(len(files)) % 2)
class Patch:
    setattr = staticmethod(setattr)
study = study_of("torchvision", {"validate_every": 2}, processes=2, **RECIPE)
interrupts = os.environ["RANK"] == "1" and not (store / "alone").exists()
train(study, runs_in(store / "alone", "weak"), samples, NAMES, odd_one_out(samples))
if interrupts:
    at_step(Patch, 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
train(study, runs_in(store / "stopped", "weak"), samples, NAMES, odd_one_out(samples))
"""


def odd_one_out(samples):
    """39 pictures: two processes cannot share them evenly."""
    return Samples(samples.beton, samples.files[1:], samples.labels[1:])


@pytest.fixture(scope="module")
def torchrun(tmp_path_factory, smooth_samples):
    """Trains in a store, twice: to the end, and until a signal or, after one, from there on."""
    store = tmp_path_factory.mktemp("pair")
    (store / "child.py").write_text(CHILD)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*launch, str(store / "child.py"), str(smooth_samples.files[0].parent), str(store)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    def start():
        return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)

    return store, start, start()


def test_two_processes_give_what_one_gives(tmp_path, torchrun, smooth_samples):
    """The same batches, the mean gradient, the same rate: the same weights but for rounding."""
    (alone,), (pair,) = runs_in(tmp_path, "weak"), runs_in(torchrun[0] / "alone", "weak")
    study = study_of("torchvision", {"validate_every": 2}, **RECIPE)
    train(study, [alone], smooth_samples, NAMES, odd_one_out(smooth_samples))
    first, second = weights(alone), weights(pair)
    for key in first:
        torch.testing.assert_close(first[key], second[key], rtol=1e-3, atol=1e-4)
    ours, theirs = (
        [json.loads(line) for line in run.metrics.read_text().splitlines()] for run in (alone, pair)
    )
    for one, two in zip(ours, theirs, strict=True):
        assert one["loss"] == pytest.approx(two["loss"], rel=1e-3)
        assert ("val_accuracy" in one) == ("val_accuracy" in two) == (one["epoch"] % 2 == 0)
    counts = np.array([39 * row["val_accuracy"] for row in theirs if "val_accuracy" in row])
    np.testing.assert_allclose(counts, counts.round(), atol=1e-4)  # of 39 pictures, not of 40
    np.testing.assert_allclose(
        counts, [39 * row["val_accuracy"] for row in ours if "val_accuracy" in row], atol=1.01
    )


def test_a_signal_to_one_process_stops_both_at_one_step(torchrun):
    store, start, first = torchrun
    assert first.returncode != 0
    (left_alone,), (stopped,) = runs_in(store / "alone", "weak"), runs_in(store / "stopped", "weak")
    state = load_checkpoint(stopped)
    assert state is not None, first.stderr
    assert (state["epoch"], state["step"]) == (0, 4), first.stderr
    second = start()
    assert second.returncode == 0, second.stderr
    assert_equal(weights(left_alone), weights(stopped))


AGAIN = """
import os, time
from daclass.training.distributed import crew
for number in range(30):
    with crew(2) as team:
        team.wait()
        time.sleep(0.001 * int(os.environ["RANK"]) * (number % 7))
        assert team.any(team.leads)
"""


def test_one_process_can_train_again_and_again(tmp_path):
    """Who joins a second time must not find the address that another had the first time."""
    (tmp_path / "again.py").write_text(AGAIN)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [*launch, str(tmp_path / "again.py")]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_another_number_of_processes_is_refused(tmp_path, smooth_samples):
    study = study_of("torchvision", processes=2)
    with pytest.raises(InputError, match=r"training\.processes is 2, but 1 .*torchrun"):
        train(study, runs_in(tmp_path, "weak"), smooth_samples, NAMES)
