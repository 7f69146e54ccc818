"""The scripts of docs/use-elsewhere.md run as they stand, where the framework is installed."""

from __future__ import annotations

import importlib.util
import shutil

import pytest

from tests.docs.pages import blocks, run

SCRIPTS = dict(
    zip(
        ("timm", "lightning", "transformers", "albumentations", "ultralytics"),
        blocks("use-elsewhere.md", "python"),
        strict=True,
    )
)


def needs(framework):
    if not importlib.util.find_spec(framework):
        pytest.skip(f"{framework} is not installed; pip install the group `frameworks`")


@pytest.fixture
def folder(tmp_path, photographs, monkeypatch):
    """The policy and 16 pictures of two classes, for training and for validation."""
    for number, picture in enumerate(photographs[:16]):
        file = tmp_path / "train" / ("shark", "tench")[number % 2] / f"{number:02d}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        picture.save(file)
    shutil.copytree(tmp_path / "train", tmp_path / "val")
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))  # where Ultralytics keeps its settings
    monkeypatch.setenv("YOLO_OFFLINE", "true")
    (policy,) = blocks("use-elsewhere.md", "yaml")
    (tmp_path / "policy.yaml").write_text(policy)
    return tmp_path


@pytest.mark.parametrize("framework", SCRIPTS)
def test_the_script_of(framework, folder):
    needs(framework)
    expected = ["0 True", "1 True"] if framework == "timm" else ["epoch 0", "epoch 1"]
    said = run(SCRIPTS[framework], folder)
    assert [line for line in said if line in expected] == expected  # frameworks talk as well


def test_a_trainer_that_goes_on_within_an_epoch_shows_that_epochs_crops(folder):
    needs("transformers")
    script = SCRIPTS["transformers"].replace('strategy="no"', 'strategy="steps", save_steps=1')
    run(script, folder)
    again = script.replace(".train()", ".train(resume_from_checkpoint='trained/checkpoint-3')")
    assert again != script
    said = [line for line in run(again, folder) if line.startswith("epoch")]
    assert said == ["epoch 1"]  # of the four steps, the third was the first of that epoch
