"""How training ends when something is wrong: a real process, one line, and soon."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from daclass import atomic
from daclass.training.checkpoint import load_checkpoint
from tests.conftest import ROOT
from tests.training.conftest import NAMES, runs_in, study_of, train

LONG = {"epochs": 2000, "batch_size": 4}
SECONDS = 120  # far more than any of these takes, and far less than for ever

CHILD = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from daclass.errors import InputError
from daclass.training.batches import Samples
from tests.training.conftest import NAMES, runs_in, study_of, train
from tests.training.test_endings import LONG
folder, store, loader, what = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
files = sorted(folder.glob("*.png"))
samples = Samples(folder / "smooth.beton", files, np.arange(len(files)) % 2)
more = {"learning_rate": 1e4} if what == "diverges" else {}
if what == "full disk":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
machine = {"threads": 2, "checkpoint_minutes": 0 if what != "diverges" else 5}
try:
    train(study_of(loader, machine, **LONG | more), runs_in(store, "strong"), samples, NAMES)
except InputError as error:
    print(f"daclass: {error}", file=sys.stderr)
    sys.exit(2)
"""


def start(folder, store, loader, what="", *prefix):
    command = [*prefix, sys.executable, "-c", CHILD, str(folder), str(store), loader, what]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    return subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def end(child):
    """Its status and what it said; a process that does not end is a failure, and ended here."""
    try:
        _, said = child.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        pytest.fail(f"still running after {SECONDS} s")
    return child.returncode, said


def last_line(said):
    return said.strip().splitlines()[-1]


@pytest.fixture
def own(tmp_path, smooth_samples):
    """The pictures, to be damaged."""
    return shutil.copytree(smooth_samples.files[0].parent, tmp_path / "own")


def test_a_damaged_picture_ends_training(own, tmp_path):
    (own / "07.png").write_bytes((own / "07.png").read_bytes()[:60])
    status, said = end(start(own, tmp_path / "store", "torchvision"))
    assert status == 2 and re.search(r"daclass: .*07\.png: not a readable picture", last_line(said))


@pytest.mark.usefixtures("ffcv")
def test_a_damaged_beton_ends_training(own, tmp_path):
    content = bytearray((own / "smooth.beton").read_bytes())
    place = content.find(Image.open(own / "03.png").tobytes()[:64])
    assert place > 0
    content[place + 5] ^= 1
    (own / "smooth.beton").write_bytes(content)
    status, said = end(start(own, tmp_path / "store", "ffcv"))
    assert status == 2
    assert re.search(r"sample 3 of the .beton is damaged, set aside as", last_line(said)), said
    assert (own / "smooth.beton.damaged-1").is_file() and not (own / "smooth.beton").exists()


@pytest.mark.parametrize("loader", ["torchvision", "ffcv"])
@pytest.mark.parametrize(
    ("what", "line"),
    [("diverges", r"diverged: .* lower training\.learning_rate"), ("full disk", "File too large")],
)
def test_what_training_runs_into_ends_it(request, smooth_samples, tmp_path, loader, what, line):
    if loader == "ffcv":
        request.getfixturevalue("ffcv")
    status, said = end(start(smooth_samples.files[0].parent, tmp_path, loader, what))
    assert status == 2 and re.search(f"daclass: .*{line}", last_line(said)), said


def test_a_small_shared_memory_ends_training(smooth_samples, tmp_path):
    mount = ["unshare", "--map-root-user", "--mount", "bash", "-c"]
    mount.append('mount -t tmpfs -o size=64k tmpfs /dev/shm && exec "$@"')
    if subprocess.run([*mount, "bash", "true"], check=False, capture_output=True).returncode:
        pytest.skip("a small /dev/shm cannot be mounted here")
    folder = smooth_samples.files[0].parent
    status, said = end(start(folder, tmp_path, "torchvision", "", *mount, "bash"))
    assert status == 2, said
    assert re.search(r"daclass: reading pictures: .* of /dev/shm are free", last_line(said)), said


@pytest.mark.parametrize("loader", ["torchvision", "ffcv"])
def test_ctrl_c_leaves_a_checkpoint_and_no_process(request, smooth_samples, tmp_path, loader):
    """A terminal sends it to the whole group: workers too."""
    if loader == "ffcv":
        request.getfixturevalue("ffcv")
    (run,) = runs_in(tmp_path, "strong")
    child = start(smooth_samples.files[0].parent, tmp_path, loader)
    until = time.monotonic() + SECONDS
    while not run.checkpoint.is_file() and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(child.pid, signal.SIGINT)
    status, said = end(child)
    assert status == 130 and "Traceback" not in said, said
    assert load_checkpoint(run) is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)


def test_the_next_start_cleans_up_after_a_killed_process(tmp_path, smooth_samples):
    (run,) = runs_in(tmp_path, "strong")
    with subprocess.Popen(["true"]) as gone:
        pass
    run.folder.mkdir(parents=True)
    left = [
        run.folder / f".checkpoint.pt.{atomic._HOST}.{gone.pid}.partial",
        run.folder / f".weights.safetensors.{atomic._HOST}.{gone.pid}.partial",
    ]
    other = run.folder / f".checkpoint.pt.another-machine.{gone.pid}.partial"
    mine = run.folder / f".x.{atomic._HOST}.{os.getpid()}.partial"
    for path in (*left, other, mine):
        path.write_text("half")
    train(study_of("torchvision"), [run], smooth_samples, NAMES)
    assert not any(path.exists() for path in left)
    assert other.exists() and mine.exists(), "their writers may be alive"
