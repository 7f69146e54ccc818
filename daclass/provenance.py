"""What a result was made with: versions and the code's revision."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path

from daclass import __version__


def versions() -> dict[str, str]:
    """Versions of Python, of daclass and of the packages that results depend on."""
    packages = ("torch", "torchvision", "ffcv", "numpy", "scipy", "pandas", "snakemake")
    return {
        "python": platform.python_version(),
        "daclass": __version__,
        **{package: version(package) for package in packages},
    }


def version(package: str) -> str:
    """Of an installed package; "not installed" of another."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


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
