"""Whole studies as jobs of a real Slurm: undisturbed, queued again, and out of time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest

from daclass.config import Layout
from tests.conftest import ROOT, absent
from tests.integration.slurm import missing, slurm

pytestmark = pytest.mark.timeout(1200)  # on a busy machine
# The reference loader starts quickest. A checkpoint is only written when a signal asks for one.
CHANGES = "training.loader=torchvision training.epochs=5 machine.checkpoint_minutes=60"
LAYOUT = Layout("tiny")
CLOCKED = ["seconds", "seconds_relative"]
PROFILE = ROOT / "workflow" / "profiles" / "slurm"
# What this Slurm has less of than the profile asks for, no accounting, and polls for the impatient.
HERE = [
    "--default-resources", "runtime=5", "mem_mb=1000",
    "--set-resources", *(f"{rule}:mem_mb=1500" for rule in ("train", "predict", "measure")),
    "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1",
    "--seconds-between-status-checks", "1", "--latency-wait", "10",
]  # fmt: skip


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, str]]:
    """The environment of a cluster's user."""
    if missing():
        absent(f"for a Slurm on this machine: {', '.join(missing())}")
    with slurm() as environment:
        yield {**environment, "PYTHONPATH": str(ROOT)}


def command(*arguments: str, changes: str = CHANGES) -> list[str]:
    study = ["--config", f"study={ROOT / 'tests' / 'tiny.yaml'}", f"set={changes}"]
    snakefile = ["--snakefile", str(ROOT / "Snakefile")]
    return [sys.executable, "-m", "snakemake", *snakefile, *arguments, *study]


def through_slurm(*arguments: str, changes: str = CHANGES) -> list[str]:
    return command("--profile", str(PROFILE), *HERE, *arguments, changes=changes)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    """The folder of a study that ran on this machine without Slurm."""
    folder = tmp_path_factory.mktemp("local")
    done = subprocess.run(
        command("--cores", "2"),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    """All tables of a study by their path, without those that say when and where they were made.

    And without the columns that hold a clock's time.
    """
    root = folder / LAYOUT.results
    paths = [path for path in root.rglob("*.parquet") if LAYOUT.runs.name not in path.parts]
    return {
        str(path.relative_to(root)): pd.read_parquet(path).drop(columns=CLOCKED, errors="ignore")
        for path in paths
    }


def weights(folder: Path) -> dict[str, object]:
    from safetensors.numpy import load_file

    files = (folder / LAYOUT.runs).glob("*/weights.safetensors")
    return {path.parent.name: load_file(path) for path in files}


def assert_equal_to_the_bit(folder: Path, reference: Path, *, but: Sequence[str] = ()) -> None:
    """Whatever is in `folder` is the same in `reference`, but for some tables."""
    expected = tables(reference)
    found = tables(folder)
    assert set(but) <= found.keys() < expected.keys() or not but
    for name, table in found.items():
        if name in but:
            continue
        pd.testing.assert_frame_equal(table, expected[name], check_exact=True, obj=name)
    trained = weights(reference)
    for run, tensors in weights(folder).items():
        assert all((tensors[key] == trained[run][key]).all() for key in trained[run]), run


def test_a_study_through_slurm_has_the_tables_of_a_local_one(cluster, undisturbed, tmp_path):
    """With the seeds of a phase as a job array."""
    done = subprocess.run(
        through_slurm("--slurm-array-jobs", "train"),
        cwd=tmp_path,
        env=cluster,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.count("Submitted array job") == 2, "one for each phase"
    assert tables(tmp_path).keys() == tables(undisturbed).keys()
    assert weights(tmp_path).keys() == weights(undisturbed).keys()
    assert_equal_to_the_bit(tmp_path, undisturbed)


def training(folder: Path, seed: int) -> psutil.Process | None:
    """The process that trains a seed of the study in `folder`."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = process.cmdline()
            trains = words[1:4] == ["-m", "daclass", "train"] and words[-1] == str(seed)
            if trains and Path(process.cwd()) == folder:
                return process
    return None


def held_in_training(folder: Path, seed: int) -> psutil.Process:
    """The process that trains a seed, stopped in its first steps.

    Slurm looks at the clock every half minute, which this training would not last. Slurm itself
    continues stopped processes before it terminates them.
    """
    end = time.monotonic() + 120
    while not begun(folder, seed):
        assert time.monotonic() < end, f"seed {seed} does not train"
        time.sleep(0.02)
    process = training(folder, seed)
    assert process is not None, f"seed {seed} was too quick"
    process.suspend()
    return process


def begun(folder: Path, seed: int) -> bool:
    """Whether the log says from which step on the seed trains."""
    try:
        return "from step " in log(folder, seed)
    except FileNotFoundError:
        return False


def slurm_job(process: psutil.Process) -> str:
    return process.environ()["SLURM_JOB_ID"]


def log(folder: Path, seed: int) -> str:
    return (folder / LAYOUT.results / "logs" / f"train.sweep.seed{seed}.log").read_text()


def first_step(folder: Path, seed: int) -> int:
    """Where the process that wrote the log began."""
    return int(log(folder, seed).split("from step ")[1].split()[0])


def test_jobs_that_are_queued_again_or_out_of_time_go_on(cluster, undisturbed, tmp_path):
    """Seed 0 is queued again by Slurm, seed 1 is killed by its time limit and queued again by
    Snakemake."""
    study = subprocess.Popen(
        through_slurm(changes=f"{CHANGES} interventions=null"),
        cwd=tmp_path,
        env=cluster,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    def scontrol(*words: str) -> None:
        subprocess.run(["scontrol", *words], env=cluster, check=True)

    held = []
    try:
        for seed in (0, 1):
            held.append(held_in_training(tmp_path, seed))
        assert [first_step(tmp_path, seed) for seed in (0, 1)] == [0, 0]
        late = slurm_job(held[1])
        scontrol("requeue", slurm_job(held[0]))
        scontrol("update", f"JobId={late}", "EndTime=now")
        output, _ = study.communicate(timeout=300)
    finally:
        if study.poll() is None:
            for process in held:  # Snakemake waits for its jobs
                with suppress(psutil.NoSuchProcess):
                    process.resume()
            study.send_signal(signal.SIGINT)
            study.communicate()
    assert study.returncode == 0, output
    assert f"SLURM-job '{late}' failed, SLURM status is: 'TIMEOUT'" in output
    assert output.count("Trying to restart job") == 1, "Slurm alone queued the other job again"
    # Of five epochs of six steps. Only SIGTERM wrote a checkpoint.
    assert all(0 < first_step(tmp_path, seed) < 30 for seed in (0, 1)), output
    assert len(weights(tmp_path)) == 4
    # Without policies there is less to decide.
    assert_equal_to_the_bit(tmp_path, undisturbed, but=["decision.parquet"])
