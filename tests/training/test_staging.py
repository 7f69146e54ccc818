"""Copies on a node's own disk: made once, shared, named by content; no lock outlives its job."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from dataclasses import replace

import numpy as np
import pytest

from daclass.config import Machine
from daclass.errors import InputError
from daclass.training import staging
from daclass.training.batches import Samples
from daclass.training.staging import staged
from tests.training.conftest import NAMES, assert_equal, runs_in, study_of, train, weights

pytestmark = pytest.mark.usefixtures("ffcv")


def beton(folder, content=b"pictures", sums=b"sums"):
    path = folder / "train.draw0.beton"
    path.write_bytes(content)
    (folder / "train.draw0.beton.sums.npy").write_bytes(sums)
    return Samples(path, [], np.zeros(0, np.int64))


@pytest.fixture
def machine(tmp_path):
    return Machine(scratch=str(tmp_path / "scratch"))


def test_a_copy_is_made_once_and_another_content_is_another_copy(tmp_path, machine):
    original = beton(tmp_path)
    first = staged(original, machine).beton
    assert first.is_relative_to(machine.scratch) and first.read_bytes() == b"pictures"
    assert first.with_name(f"{first.name}.sums.npy").read_bytes() == b"sums"
    made = first.stat().st_ino
    assert staged(original, machine).beton == first and first.stat().st_ino == made
    other = staged(beton(tmp_path, b"others", b"other sums"), machine).beton
    assert other != first and other.read_bytes() == b"others" and first.is_file()


def test_without_sums_a_copy_is_of_that_very_file(tmp_path, machine):
    original = beton(tmp_path)
    (tmp_path / "train.draw0.beton.sums.npy").unlink()
    first = staged(original, machine).beton
    assert staged(original, machine).beton == first
    original.beton.write_bytes(b"written again")
    assert staged(original, machine).beton.read_bytes() == b"written again"


def test_jobs_wait_for_the_copy_that_another_makes(tmp_path, machine, monkeypatch):
    original, copied, real = beton(tmp_path), [], shutil.copyfile

    def slow(source, target):
        copied.append(source)
        time.sleep(0.2)
        real(source, target)

    monkeypatch.setattr(staging.shutil, "copyfile", slow)
    found = []
    jobs = [
        threading.Thread(target=lambda: found.append(staged(original, machine).beton))
        for _ in range(3)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(10)
    assert len(found) == 3 and len(set(found)) == 1
    assert copied.count(original.beton) == 1


def test_a_job_that_is_killed_while_it_copies_leaves_no_lock_and_nothing_half(tmp_path, machine):
    original = beton(tmp_path)
    code = (
        "import sys, time; from pathlib import Path; import numpy as np\n"
        "from daclass.config import Machine; from daclass.training import staging\n"
        "def stuck(source, target):\n"
        "    Path(target).write_bytes(b'half'); print('copying', flush=True); time.sleep(60)\n"
        "staging.shutil.copyfile = stuck\n"
        "samples = staging.Samples(Path(sys.argv[1]), [], np.zeros(0, np.int64))\n"
        "staging.staged(samples, Machine(scratch=sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(original.beton), machine.scratch]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "copying\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    copy = staged(original, machine).beton
    assert copy.read_bytes() == b"pictures"
    assert not list(copy.parent.glob(".*partial"))


def test_a_full_disk_is_said_and_the_original_read(tmp_path, machine, monkeypatch, caplog):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(staging.shutil, "disk_usage", lambda _: usage(0, 0, 10))
    original = beton(tmp_path)
    assert staged(original, machine) is original
    assert "machine.scratch" in caplog.text and "read where it lies" in caplog.text


@pytest.mark.parametrize(
    ("scratch", "message"),
    [("$DACLASS_UNSET/x", "not set here"), ("/proc/none", r"machine\.scratch: /proc/none")],
)
def test_a_folder_that_cannot_be_had_is_named(tmp_path, scratch, message):
    with pytest.raises(InputError, match=message):
        staged(beton(tmp_path), Machine(scratch=scratch))


def test_training_reads_the_copy(tmp_path, smooth_samples):
    """And ends in the weights of a training from the original."""
    from daclass.augment.sums import sums_path

    (plain,) = runs_in(tmp_path / "plain", "weak")
    train(study_of(), [plain], smooth_samples, NAMES)
    scratch = {"scratch": str(tmp_path / "scratch")}
    original = tmp_path / "original.beton"
    for path in (smooth_samples.beton, sums_path(smooth_samples.beton)):
        shutil.copy(path, path.name.replace(smooth_samples.beton.name, str(original)))
    samples = replace(smooth_samples, beton=original)
    staged(samples, Machine(**scratch))
    original.write_bytes(bytes(original.stat().st_size))  # whoever reads it finds it damaged
    (run,) = runs_in(tmp_path / "staged", "weak")
    train(study_of(machine=scratch), [run], samples, NAMES)
    assert_equal(weights(run), weights(plain))
