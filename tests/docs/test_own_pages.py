"""The how-to's of own pictures, predictions, axes and designers do what they say."""

from __future__ import annotations

import shutil
import subprocess
from types import SimpleNamespace

import pandas as pd
import pytest

from daclass.cli import main
from tests.conftest import ROOT, save_pictures
from tests.docs.pages import blocks, run

LOAD = """
from pathlib import Path
from daclass.config import Study
print(Study.load(Path("study.yaml")).name)
"""


@pytest.fixture
def copy(tmp_path):
    """A copy of the package, changed as a page says: its first blocks are new files or diffs."""

    def changed(page, *more):
        shutil.copytree(ROOT / "daclass", tmp_path / "daclass")
        for part in more:
            shutil.copytree(ROOT / part, tmp_path / part)
        file, *others = blocks(page, "python")
        path, _, content = file.removeprefix("# ").partition("\n")
        (tmp_path / path).write_text(content)
        for diff in blocks(page, "diff"):
            subprocess.run(["git", "apply", "-"], input=diff, text=True, cwd=tmp_path, check=True)
        (study,) = blocks(page, "yaml")
        (tmp_path / "study.yaml").write_text(study)
        return SimpleNamespace(root=tmp_path, scripts=others)

    return changed


def printed(script):
    """What a script says that its last line prints."""
    return script.rstrip().rpartition("  # ")[2]


def test_the_axis_works_and_passes_the_tests_of_all_axes(copy, real_data, monkeypatch):
    made = copy("own-axis.md", "tests")
    (script,) = made.scripts
    (shown,) = blocks("own-axis.md", "console")
    _, _, _, file, _, axis = shown.removeprefix("$ ").split()
    # Of the axis's 11 tests these two; in the process that has torch, which is slow to import.
    few = [file, "-k", f"{axis} and (identity or class_policy)", "-q", "-p", "no:cacheprovider"]
    monkeypatch.setenv("DACLASS_TEST_DATA", str(real_data))
    said = run(f"{script}{LOAD}import pytest\npytest.main({few})\n", made.root, made.root)
    assert said[:2] == [printed(script), axis] and "2 passed" in said[-1]


def test_the_designer_designs_and_a_study_may_ask_for_it(copy):
    made = copy("own-designer.md")
    (script,) = made.scripts
    assert run(script + LOAD, made.root, made.root) == [printed(script), "demo"]


def test_the_folder_of_pictures_becomes_an_index(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    counts = {f"{split}/{name}": 2 for split in ("train", "val") for name in ("bunting", "gull")}
    for file in save_pictures(tmp_path / "birds", counts):
        file.rename(file.with_name(f"{int(file.stem) + 1:04d}.jpg"))
    (study,) = blocks("own-data.md", "yaml")
    labels, tree = blocks("own-data.md", "csv")
    for name, content in {"study.yaml": study, "labels.csv": labels, "classes.csv": tree}.items():
        (tmp_path / name).write_text(content)
    assert main(["index", "study.yaml"]) == 0
    found = pd.read_parquet("results/birds/data/annotations.parquet").set_index("image_id")
    sets = {name: list(labels) for name, labels in found["labels"].items()}
    assert sets == {
        "val/bunting/0001.jpg": [0],
        "val/bunting/0002.jpg": [],
        "val/gull/0001.jpg": [0, 1],
        "val/gull/0002.jpg": [1],
    }


def test_the_predictions_become_a_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (study,) = blocks("own-predictions.md", "yaml")
    predictions, labels = blocks("own-predictions.md", "csv")
    for name, content in {
        "mine.yaml": study, "predictions.csv": predictions, "labels.csv": labels,
    }.items():  # fmt: skip
        (tmp_path / name).write_text(content)
    for stage in ("predictions", "measure"):  # what `analyze` does first
        assert main([stage, "mine.yaml"]) == 0
    effects = pd.read_parquet("results/mine/effects.parquet")
    cat = effects.query("truth == 'original' and half == 'all' and reference == 'fixed'").iloc[0]
    assert cat["class_id"] == 0 and cat["drop"] == -0.5 and cat["seeds"] == 2
