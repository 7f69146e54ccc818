"""A study as a whole, through Snakemake: from a clone or from an installed package."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from daclass.atomic import replacing
from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.stages import jobs_of

# A job that failed in Snakemake's log; one of a group is indented.
_FAILED = re.compile(
    r"^(?:Error in | {8})rule (\w+):\n(?: .*\n)*? +log: (.+?)(?: \(check .*)?$", re.MULTILINE
)


def home() -> Path:
    """The folder that holds Snakefile and workflow/: the clone, or a part of the package."""
    package = Path(__file__).parent
    return next(
        folder
        for folder in (package / "_workflow", package.parent)
        if (folder / "Snakefile").is_file()
    )


def run_study(
    study: Study,
    layout: Layout,
    config: Path,
    changes: Sequence[str],
    *,
    cores: int | None = None,
    profile: str | None = None,
    arguments: Sequence[str] = (),
) -> None:
    """Run what is not done yet of a study.

    Snakemake runs in a process group of its own. SIGINT and SIGTERM reach all of it as Ctrl-C
    would, so that trainings write a last checkpoint.

    Args:
        config, changes: where `study` comes from; its jobs read it again.
        cores: that jobs may use together; all that this process may use where not given.
        profile: one of those in workflow/profiles by name, or a folder; where not given, everything
            runs here.
        arguments: more of Snakemake's.

    Raises:
        InputError: another study runs here, the run was interrupted, or a stage failed; the message
            says why and where its log is.
    """
    if find_spec("snakemake") is None:
        raise InputError("study needs Snakemake, which is not installed: daclass[workflow]")
    asked = {
        "study": str(config),
        "set": list(changes),
        "results": str(layout.results_root),
        "figures": str(layout.figures_root),
    }
    where = [f"--profile={_profile(profile)}"] if profile else [f"--workflow-profile={_profile()}"]
    if cores or not profile:
        where.append(f"--cores={cores or len(os.sched_getaffinity(0))}")
    command = [
        *(sys.executable, "-m", "snakemake", "--nolock", f"--snakefile={home() / 'Snakefile'}"),
        *(*where, "--configfile", str(layout.asked), *_foreign(study, layout), *arguments),
    ]
    before = set(_logs())
    with _alone(layout.results_root, config) as lock:
        # As a file: what stands behind Snakemake's --config is read as several kinds of things.
        with replacing(layout.asked) as partial:
            partial.write_text(json.dumps(asked))
        status, interrupted = _supervised(command, lock)
    if interrupted:
        raise InputError(f"{config}: interrupted; the same command goes on from here")
    if status < 0:  # as the kernel does where memory is short
        name = signal.Signals(-status).name
        raise InputError(f"{config}: Snakemake was ended by {name}; the same command goes on")
    if status:
        raise InputError(f"{config}: {_reason(sorted(set(_logs()) - before))}")


def _foreign(study: Study, layout: Layout) -> list[str]:
    """Snakemake's words for the results that are there but are not those the study asks for now.

    Snakemake compares with its own records, which can be lost or be of another folder; the results
    say themselves what they are of.
    """
    jobs = [job for job in jobs_of(study, layout, look=True) if job.receipt and job.why()]
    return ["--forcerun", *(str(job.receipt_path) for job in jobs)] if jobs else []


def with_loader_that_is_there(study: Study, changes: Sequence[str]) -> list[str]:
    """The changes, and the slower loader's where a study wants FFCV and it is not installed."""
    if study.sweep and study.training.loader == "ffcv" and find_spec("ffcv") is None:
        return [*changes, "training.loader=torchvision"]
    return list(changes)


def _profile(name: str = "default") -> Path:
    known = home() / "workflow" / "profiles" / name
    found = known if "/" not in name and known.is_dir() else Path(name)
    if not found.is_dir():
        names = ", ".join(sorted(each.name for each in known.parent.iterdir()))
        raise InputError(f"--profile {name}: no such folder, nor one of {names}")
    return found


def _supervised(command: Sequence[str], lock: int) -> tuple[int, bool]:
    """Exit status of a command, and whether somebody ended it."""
    environment = dict(os.environ)
    if not os.access(Path.home(), os.W_OK):  # Snakemake caches there, and ends in a traceback
        environment.setdefault("XDG_CACHE_HOME", str(Path(".snakemake", "cache").absolute()))
    children: list[subprocess.Popen[bytes]] = []
    asked: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        for child in children:
            os.killpg(child.pid, signal.SIGINT)

    # Before the child is there: what a shell has its background jobs ignore, children ignore too,
    # but for signals that their parent has a handler for.
    before = {each: signal.signal(each, forward) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        # The lock is the child's too: the kernel drops it with the last process that has it.
        children.append(
            subprocess.Popen(command, env=environment, process_group=0, pass_fds=[lock])
        )
        return children[0].wait(), bool(asked)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _alone(results: Path, config: Path) -> Iterator[int]:
    """Holds a lock on all studies below `results`; Snakemake's own would outlive a killed study."""
    results.mkdir(parents=True, exist_ok=True)
    with (results / ".lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            who = " ".join(file.read().split()) or "unknown"
            raise InputError(f"another study is running here ({who}): wait for it") from None
        file.truncate(0)
        file.write(f"process group of {os.getpid()}, {config}")
        file.flush()
        yield file.fileno()


def _logs() -> list[Path]:
    """Snakemake's own, oldest first."""
    return sorted(Path(".snakemake", "log").glob("*.snakemake.log"))


def _reason(logs: Sequence[Path]) -> str:
    """Why the last run failed, in one line, and where to read more."""
    if not logs:
        return "Snakemake failed; its last lines say why"
    text = logs[-1].read_text(encoding="utf-8", errors="replace")
    failed = re.search(_FAILED, text)
    if failed is None:
        lines = [line for line in text.splitlines() if line.strip()] or [""]
        return f"{lines[-1].strip()} (log: {logs[-1]})"
    stage, log = failed[1], Path(failed[2])
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    said = [line for line in lines if line.startswith("daclass: ")]
    why = (said or [line for line in lines if line.strip()] or ["no reason given"])[-1]
    return f"stage {stage} failed: {why.removeprefix('daclass: ').strip()} (log: {log})"
