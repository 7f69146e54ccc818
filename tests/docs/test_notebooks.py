"""The notebooks of docs/examples run from top to bottom, and hold no output that could be stale."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "examples").glob("*.ipynb"))


def read(notebook):
    return nbformat.read(notebook, as_version=4)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_only_what_is_written_by_hand_is_committed(notebook):
    for cell in read(notebook).cells:
        assert not cell.get("outputs") and not cell.get("execution_count")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_it_runs(notebook, tmp_path, monkeypatch):
    """With the daclass that is tested, in an empty folder."""
    commands = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    ran = read(notebook)
    NotebookClient(
        ran,
        timeout=900,
        skip_cells_with_tag="skip-execution",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    shown = ran.cells[-1]["outputs"][-1]["data"]
    if notebook.stem == "own-axis":
        assert "'unchanged': [False, True, False, True, True]" in shown["text/plain"]
        return
    assert "srcdoc" in shown["text/html"] and "base64,/9j/" in shown["text/html"]
    if notebook.stem == "own-predictions":
        (answer,) = (c for c in ran.cells if c["source"].endswith("\nfound"))
        assert "2 of 10 are found to lose accuracy" in answer["outputs"][-1]["data"]["text/plain"]
