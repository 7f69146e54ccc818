"""What a folder's study reads of its pictures, and what its annotations decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from daclass.config import Layout, Study
from daclass.stages import Jobs, jobs_of, outside
from tests.conftest import save_pictures


@pytest.fixture
def config(tmp_path: Path) -> Study:
    save_pictures(tmp_path / "set", {f"{s}/{c}": 3 for s in ("train", "val") for c in ("a", "b")})
    (tmp_path / "sets.csv").write_text("image,label\nval/a/000.png,a\n")
    return Study.model_validate(
        {
            "name": "small",
            "data": {
                "source": "folder",
                "root": tmp_path / "set",
                "annotations": tmp_path / "sets.csv",
            },
            "training": {"val_resolution": 16},
            "sweep": {"strengths": [0.08, 0.75], "seeds": [0]},
        }
    )


def look(study: Study, tmp_path: Path) -> Jobs:
    return jobs_of(study, Layout("small", tmp_path / "r", tmp_path / "f"), look=True)


def test_annotations_decide_no_beton_and_no_training(config, tmp_path):
    before = {job.name: job.digest for job in look(config, tmp_path)}
    (tmp_path / "sets.csv").write_text("image,label\nval/a/000.png,a\nval/a/000.png,b\n")
    after = {job.name: job.digest for job in look(config, tmp_path)}
    moved = {name.split(".")[0] for name in before if before[name] != after[name]}
    assert moved >= {"annotations", "measure", "categories", "report"}
    assert not moved & {"index", "beton", "policies", "train", "predict"}


def test_every_picture_is_read_once_for_its_hash(config, tmp_path, monkeypatch):
    """By whoever looks at the outside files; the index takes the hashes from there."""
    read: list[str] = []
    hashed = outside._hash
    monkeypatch.setattr("daclass.stages.outside._hash", lambda f: read.append(f) or hashed(f))
    known: list[int] = []

    def content_hashes(root, image_ids, contents=None):
        known.append(sum(str(root / image_id) in contents for image_id in image_ids))
        return [contents[str(root / image_id)] for image_id in image_ids]

    monkeypatch.setattr("daclass.data.index.content_hashes", content_hashes)
    look(config, tmp_path).get("index").run()
    assert sorted(read) == sorted(map(str, (tmp_path / "set").rglob("*.png")))
    assert known == [12]
