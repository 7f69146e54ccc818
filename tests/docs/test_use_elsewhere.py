"""The scripts of docs/use-elsewhere.md run as they stand, where the framework is installed."""

from __future__ import annotations

import importlib.util

import pytest

from tests.docs.pages import blocks, run

SCRIPTS = dict(
    zip(
        ("timm", "lightning", "transformers", "albumentations"),
        blocks("use-elsewhere.md", "python"),
        strict=True,
    )
)


@pytest.mark.parametrize("framework", SCRIPTS)
def test_the_script_of(framework, tmp_path, photographs):
    if not importlib.util.find_spec(framework):
        pytest.skip(f"{framework} is not installed; pip install the group `frameworks`")
    for number, picture in enumerate(photographs[:16]):
        file = tmp_path / "train" / ("shark", "tench")[number % 2] / f"{number:02d}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        picture.save(file)
    (policy,) = blocks("use-elsewhere.md", "yaml")
    (tmp_path / "policy.yaml").write_text(policy)
    expected = ["0 True", "1 True"] if framework == "timm" else ["epoch 0", "epoch 1"]
    said = run(SCRIPTS[framework], tmp_path)
    assert [line for line in said if line in expected] == expected  # frameworks talk as well
