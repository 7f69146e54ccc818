"""The code blocks of the documentation's pages, and how they are run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)


def blocks(page: str, language: str) -> list[str]:
    """The page's blocks of a language, in order."""
    text = (ROOT / "docs" / page).read_text()
    return [code for kind, code in BLOCK.findall(text) if kind == language]


def run(command: str | list[str], folder: Path, *paths: Path) -> list[str]:
    """What a script, or Python with arguments, prints in a folder, with packages in `paths`."""
    if isinstance(command, str):
        (folder / "script.py").write_text(command)
        command = ["script.py"]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, paths or (ROOT,))),
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()
