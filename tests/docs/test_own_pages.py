"""The how-to's of own pictures, predictions, axes and designers do what they say."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

from daclass.cli import main, study_of
from daclass.commands import make_parser
from daclass.data.predictions import read_predictions
from tests.conftest import ROOT, save_pictures
from tests.data import test_forms as forms
from tests.docs.pages import blocks, run

CHECK = """
from pathlib import Path
from daclass.config import Study
study = Study.load(Path("study.yaml"))
print(study.name, study.plugins())
"""


@pytest.fixture
def package(tmp_path):
    """The package that a page makes, installed apart from all others."""

    def installed(page, version="1.0"):
        (script,) = blocks(page, "toml")
        file, *others = blocks(page, "python")
        folder = tmp_path / f"{page}-{version}"
        for block in (script.replace('"1.0"', f'"{version}"'), file):
            path, _, content = block.removeprefix("# ").partition("\n")
            folder.mkdir(exist_ok=True)
            (folder / path).write_text(content)
        target = tmp_path / f"site-{page}-{version}"
        pip = ["pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
        subprocess.run(
            [sys.executable, "-m", *pip, "--target", str(target), str(folder)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return SimpleNamespace(site=target, scripts=others)

    return installed


def printed(script):
    """What a script says that its last print prints."""
    return re.findall(r"^print.*  # (.*)$", script, re.M)[-1]


def test_the_axis_works_and_keeps_what_axes_have_to_keep(package, tmp_path):
    made = package("own-axis.md")
    (tmp_path / "study.yaml").write_text(blocks("own-axis.md", "yaml")[0])
    use, keep = made.scripts
    said = run(use + keep + CHECK, tmp_path, ROOT, made.site)
    assert said == [printed(use), "desaturation {'desaturation': 'our-axes 1.0'}"]


def test_the_designer_designs_and_a_study_may_ask_for_it(package, tmp_path):
    made = package("own-designer.md")
    (tmp_path / "study.yaml").write_text(blocks("own-designer.md", "yaml")[0])
    (script,) = made.scripts
    said = run(script + CHECK, tmp_path, ROOT, made.site)
    assert said == [printed(script), "demo {'one_step': 'our-designers 1.0'}"]


BOTH = """
import json, sys
from pathlib import Path
from daclass.config import Study
from daclass.wording.policies import policy_words
study = Study.load(Path("study.yaml"))
row = {"policy": "p", "designer": "one_step", "m": 1, "draw": 0, "parent": "", "control": ""}
name = policy_words([row | {"strength": None}])["p"].name
print(study.training_digest(), study.digest("interventions"), study.digest("analysis"))
print("one_step" in study.policy_names("interventions"), name, sep="; ")
print("torch" in sys.modules, "one_step" in json.dumps(Study.model_json_schema()))
"""


def test_a_study_uses_a_designer_and_an_axis_from_outside(package, tmp_path):
    """Its digests hold the packages' versions, where the packages decide and nowhere else."""
    axis, designer = (blocks(page, "yaml")[0] for page in ("own-axis.md", "own-designer.md"))
    study = yaml.safe_load(designer) | {"augmentation": yaml.safe_load(axis)["augmentation"]}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    digests = []
    for versions in (("1.0", "1.0"), ("1.1", "1.0"), ("1.0", "1.1")):
        pages = zip(("own-axis.md", "own-designer.md"), versions, strict=True)
        sites = [package(page, version).site for page, version in pages]
        first, *words = run(BOTH, tmp_path, ROOT, *sites)
        digests.append(first.split())
        assert words == ["True; one step weaker for affected", "False True"]
    plain, other_axis, other_designer = digests
    assert [a == b for a, b in zip(plain, other_axis, strict=True)] == [False, True, True]
    assert [a == b for a, b in zip(plain, other_designer, strict=True)] == [True, False, True]


def test_the_folder_of_pictures_becomes_an_index(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    counts = {f"{split}/{name}": 2 for split in ("train", "val") for name in ("bunting", "gull")}
    for file in save_pictures(tmp_path / "birds", counts):
        file.rename(file.with_name(f"{int(file.stem) + 1:04d}.jpg"))
    study = blocks("own-data.md", "yaml")[0]
    labels, tree = blocks("own-data.md", "csv")
    for name, content in {"study.yaml": study, "labels.csv": labels, "classes.csv": tree}.items():
        (tmp_path / name).write_text(content)
    assert main(["index", "study.yaml"]) == main(["annotations", "study.yaml"]) == 0
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


def test_the_notebook_prints_what_the_page_says(tmp_path):
    (script,) = blocks("own-predictions.md", "python")
    said = run(script, tmp_path)
    assert f"prints `{said[-1]}`" in (ROOT / "docs/own-predictions.md").read_text()
    assert "cup" in (tmp_path / "report.html").read_text()


FILES = {
    "strong.csv weak.csv": lambda r, root: target_csv(r, root),
    "timm_strong.csv timm_weak.csv": forms.timm,
    "strong.npy weak.npy": forms.npy,
    "strong.pt weak.pt": forms.pt,
    "strong.parquet weak.parquet": forms.hugging_face,
    "wide.csv": forms.column_for_each_model,
    "softmax_strong.csv softmax_weak.csv": forms.column_for_each_class,
    "lines.jsonl": forms.jsonl,
    "strong.tsv.gz weak.tsv.gz": lambda r, root: tsv_gz(r, root),
    "odd.csv": lambda r, root: odd_csv(r, root),
}
"""Files that the page's commands name, and what writes them under names of its own."""


def by_model(records):
    table = forms.long(records).assign(target=[record["label"] for record in records] * 2)
    return {model: own.drop(columns="model") for model, own in table.groupby("model")}


def target_csv(records, root):
    for model, own in by_model(records).items():
        own.rename(columns={"image": "filename", "prediction": "index"}).to_csv(
            root / f"{model}.csv", index=False
        )
    return {"files": ["new.csv", "old.csv"]}


def tsv_gz(records, root):
    for model, own in by_model(records).items():
        own.drop(columns="target").to_csv(root / f"{model}.tsv.gz", sep="\t", index=False)
    return {"files": ["new.tsv.gz", "old.tsv.gz"]}


def odd_csv(records, root):
    names = {"image": "file", "prediction": "argmax", "target": "truth"}
    parts = [own.assign(recipe=model) for model, own in by_model(records).items()]
    pd.concat(parts).rename(columns=names).to_csv(root / "odd.csv", index=False)
    return {"files": ["odd.csv"]}


def commands():
    """The page's commands with files, once for each set of them."""
    text = (ROOT / "docs/own-predictions.md").read_text()
    found = re.findall(
        r"(?:^\$ |`)daclass analyze ((?:\S+\.(?!yaml)\S+ ?)+)((?:--[^`\n]*)?)", text, re.M
    )
    return {files.strip().rstrip("`"): flags.strip() for files, flags in reversed(found)}


@pytest.mark.parametrize("files", FILES)
def test_each_recipe_reads_its_files_exactly(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = shlex.split(commands()[files])
    named = files.split()
    written = FILES[files](forms.RECORDS, tmp_path)["files"]
    for old, new in zip(written, named, strict=True):
        (tmp_path / old).rename(tmp_path / new)
    labels = pd.DataFrame(forms.RECORDS)[["image", "label"]]
    if "softmax_strong" in files:  # whose columns name the classes
        labels["label"] = [forms.NAMES[label] for label in labels["label"]]
    labels.to_csv("labels.csv", index=False)
    options = make_parser().parse_args(["analyze", *named, *flags])
    study = study_of(options)
    table = read_predictions(study.data, study.comparison).predictions
    stems = [Path(name).name.split(".")[0] for name in named] if len(named) > 1 else None
    for model, stem in zip(forms.MODELS, stems or forms.MODELS, strict=True):
        own = table[table["policy"] == stem].set_index("image_id")["prediction"]
        assert own.to_dict() == {record["image"]: record[model] for record in forms.RECORDS}


def test_no_recipe_goes_untested():
    assert set(commands()) == set(FILES)
