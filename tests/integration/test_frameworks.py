"""The scripts of docs/use-elsewhere.md with their frameworks, which an environment of its own gets:
about a minute. They are not in the tests' own environment, because they bring an OpenCV."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from tests.conftest import ROOT


def test_every_script_runs_with_its_framework(tmp_path):
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    # torch and the other large packages are those of this environment.
    site = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv")}))
    (site / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    install = ["install", "--quiet", "--constraint", "constraints.txt", "--group", "frameworks"]
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, *install], cwd=ROOT, check=True
    )
    done = subprocess.run(
        [python, "-m", "pytest", "-rs", "tests/docs/test_use_elsewhere.py"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
    assert "skipped" not in done.stdout, done.stdout
