"""The ImageNet studies on a made-up tree: three classes and a few pictures under original names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from daclass.config import Layout, Study
from daclass.data.imagenet import real_labels_file, synsets
from daclass.data.wordnet import DEFAULT_FOLDER
from daclass.tables import read_table, with_readable_names
from tests.conftest import ROOT, absent, save_pictures
from tests.planting import run

IDS = ("n03179701", "n03180011", "n03782006")  # desk, desktop computer, monitor
CONFIGS = [ROOT / "configs" / f"{name}.yaml" for name in ("imagenet", "imagenet-fast")]


@pytest.fixture(scope="module")
def real():
    """ReaL's label sets as WordNet ids, by the number in a picture's name."""
    if find_spec("timm") is None or not (DEFAULT_FOLDER / "data.noun").is_file():
        absent("timm or WordNet")
    every, sets = synsets(), json.loads(real_labels_file().read_text())
    return {number: {every[label] for label in labels} for number, labels in enumerate(sets, 1)}


@pytest.fixture(scope="module")
def tree(real, tmp_path_factory):
    """An ImageFolder by WordNet id; validation pictures are some that ReaL gives two labels."""
    root = tmp_path_factory.mktemp("imagenet")
    save_pictures(root / "train", dict.fromkeys(IDS, 3))
    pool = save_pictures(root / "pool", {"x": 6})
    for name in IDS:
        (root / "val" / name).mkdir(parents=True)
        both = [number for number, labels in real.items() if name in labels and len(labels) > 1]
        for number, file in zip(both[:6], pool, strict=True):
            target = root / "val" / name / f"ILSVRC2012_val_{number:08d}.JPEG"
            target.write_bytes(file.read_bytes())
    return root


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_real_labels_are_joined_by_file_name(config, tree, real, tmp_path):
    study = Study.load(config, [f"data.root={tree}"])
    layout = Layout(study.name, tmp_path / "results", tmp_path / "figures")
    run(study, layout, "index", "annotations")
    classes = read_table("classes", layout.table("classes"))
    names = list(classes["name"])
    assert names == sorted(IDS)
    readable = with_readable_names(classes)["name"]
    assert list(readable) == ["desk", "desktop computer", "monitor"]
    annotations = read_table("annotations", layout.table("annotations"))
    assert len(annotations) == 18
    assert annotations["labels"].str.len().max() > 1
    for image_id, labels in annotations.itertuples(index=False):
        number = int(image_id[-13:-5])
        assert {names[label] for label in labels} == real[number] & set(IDS)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_dry_run_plans_every_job(config, tree, tmp_path):
    study = Study.load(config)
    planned = subprocess.run(
        [
            sys.executable, "-m", "snakemake", "--dry-run", "--cores", "2",
            "--directory", str(tmp_path), "--snakefile", str(ROOT / "Snakefile"),
            "--config", f"study={config}", f"set=data.root={tree}",
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )  # fmt: skip
    assert planned.returncode == 0, planned.stdout + planned.stderr
    jobs = dict(line.split() for line in planned.stdout.splitlines() if len(line.split()) == 2)
    seeds = sum(len(study.seeds(phase)) for phase in study.phases)
    assert {
        name: jobs[name] for name in ("index", "train_beton", "val_beton", "report")
    } == dict.fromkeys(("index", "train_beton", "val_beton", "report"), "1")
    assert jobs["train"] == str(seeds)
    assert not list(tmp_path.glob("results/*"))
