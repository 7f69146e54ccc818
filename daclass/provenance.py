"""What a result was made with: versions, the code's revision, and the time it took."""

from __future__ import annotations

import csv
import importlib.metadata
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path

from daclass import __version__


def versions() -> dict[str, str]:
    """Versions of Python, of daclass and of the packages that results depend on."""
    versions = {"python": platform.python_version(), "daclass": __version__}
    for package in ("torch", "torchvision", "ffcv", "numpy", "scipy", "pandas", "snakemake"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def git_revision() -> str:
    """The revision of the working tree that daclass runs from; "" outside of one."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    folder = Path(__file__).parent
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def wall_seconds(times: Path, jobs: Callable[[str], bool]) -> dict[str, float]:
    """Seconds a stage, summed over its jobs, from Snakemake's benchmark files.

    Args:
        times: folder of the files, one a job, called <stage>[.<what it was for>].tsv.
        jobs: whether a job's record counts; those of an earlier form of the study do not.
    """
    seconds: dict[str, float] = {}
    for file in sorted(times.glob("*.tsv")):
        if not jobs(file.stem):
            continue
        with file.open() as rows:
            row = next(csv.DictReader(rows, delimiter="\t"))
        stage = file.stem.split(".")[0]
        seconds[stage] = round(seconds.get(stage, 0.0) + float(row["s"]), 1)
    return seconds
