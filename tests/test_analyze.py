"""`daclass analyze`: from files with predictions to tables, and nothing from bad ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from daclass.cli import main
from daclass.config import Layout, Study
from daclass.plots.titles import figures_of
from daclass.stages.analysis import MEASURED
from daclass.tables import content_digest, read_table
from tests.conftest import ROOT
from tests.planting import run

NAMES = ["ant", "bee", "cat", "dog", "eel"]
PER_CLASS, RUNS = 40, 4
LABELS = np.repeat(range(5), PER_CLASS)
IMAGES = np.array([f"val/{NAMES[k]}/{rank:03d}.jpg" for rank, k in enumerate(LABELS)])


def ranked(rng, hurt: float) -> np.ndarray:
    """Two classes per picture [RUNS, N, 2]; ants are taken for bees with the chance `hurt` more."""
    right = rng.random((RUNS, len(LABELS))) < 0.8 - hurt * (LABELS == 0)
    others = (LABELS + rng.integers(2, 5, right.shape)) % 5
    wrong = np.where(LABELS == 0, 1, others)
    return np.stack([np.where(right, LABELS, wrong), np.where(right, wrong, LABELS)], axis=2)


@pytest.fixture
def root(tmp_path: Path, monkeypatch) -> Path:
    """New models in an .npz, old ones in a .csv, by file name; every third ant is also a bee."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(LABELS))
    new, old = ranked(rng, 0.5), ranked(rng, 0.0)
    np.savez(
        tmp_path / "new.npz",
        models=[f"new{n}" for n in range(RUNS)],
        top2=new[:, order].astype(np.int16),
        images=IMAGES[order],
    )
    table = pd.DataFrame(
        {
            "image": [name.rsplit("/", 1)[1] for name in np.tile(IMAGES, RUNS)],
            "model": np.repeat([f"old{n}" for n in range(RUNS)], len(LABELS)),
            "prediction": np.array(NAMES)[old[:, :, 0].ravel()],
            "second": np.array(NAMES)[old[:, :, 1].ravel()],
        }
    )
    table.sample(frac=1, random_state=0).to_csv(tmp_path / "old.csv", index=False)
    pd.DataFrame({"image": IMAGES, "label": LABELS}).to_csv(tmp_path / "labels.csv", index=False)
    pd.DataFrame({"name": NAMES, "path": [f"animal/{name}" for name in NAMES]}).to_csv(
        tmp_path / "classes.csv", index=False
    )
    sets = {image: [NAMES[k]] for image, k in zip(IMAGES, LABELS, strict=True)}
    sets.update({image: ["ant", "bee"] for image in IMAGES[:PER_CLASS:3]})
    (tmp_path / "sets.json").write_text(json.dumps(sets))
    study = {
        "name": "foreign",
        "title": "New against old",
        "data": {
            "source": "predictions",
            "root": str(tmp_path),
            "files": ["new.npz", "old.csv"],
            "labels": "labels.csv",
            "classes": "classes.csv",
            "annotations": "sets.json",
            "models": {
                f"{condition}{n}": {"condition": condition}
                for condition in ("new", "old")
                for n in range(RUNS)
            },
        },
        "comparison": {"conditions": ["new", "old"], "replicates": "models"},
        "analysis": {"bootstrap": 100},
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(name: str) -> pd.DataFrame:
    return read_table(name, Layout("foreign").table(name))


def truth(root: Path) -> pd.DataFrame:
    """Every prediction with its label and set, read from the files themselves."""
    old = pd.read_csv(root / "old.csv")
    with np.load(root / "new.npz") as stored:
        new = pd.DataFrame(
            {
                "image": np.tile([i.rsplit("/", 1)[1] for i in stored["images"]], RUNS),
                "model": np.repeat(stored["models"], len(LABELS)),
                "prediction": np.array(NAMES)[stored["top2"][:, :, 0].ravel()],
                "second": np.array(NAMES)[stored["top2"][:, :, 1].ravel()],
            }
        )
    rows = pd.concat([old, new], ignore_index=True)
    short = [image.rsplit("/", 1)[1] for image in IMAGES]
    rows["label"] = rows["image"].map(dict(zip(short, np.array(NAMES)[LABELS], strict=True)))
    sets = json.loads((root / "sets.json").read_text())
    rows["set"] = rows["image"].map({name.rsplit("/", 1)[1]: s for name, s in sets.items()})
    return rows.assign(condition=rows["model"].str[:3])


@pytest.fixture
def pictures(root: Path) -> Path:
    """All but one of the pictures, under the names that the predictions have."""
    rng = np.random.default_rng(0)
    for image in IMAGES[1:]:
        file = root / "photographs" / image
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8)).save(file)
    return root


def test_the_report_shows_pictures_where_it_is_said_where_they_lie(pictures: Path, capsys) -> None:
    """Those that most models of one condition get right, and of the other wrong, come first."""
    change = "--set=data.images_root=photographs"
    assert main(["analyze", "study.yaml", change]) == 0
    shown = table("examples")
    ants = shown[shown["class_id"] == 0]
    assert IMAGES[0] not in set(shown["image_id"]) and set(shown["image_id"]) <= set(IMAGES)
    lost = ants[ants["chosen"] == "lost"]
    assert len(lost) == 3 and (lost["right_reference"] > lost["right_tested"]).all()
    assert not (shown["chosen"] == "training").any()
    page = Path("figures/foreign/report.html").read_text()
    assert page.count("data:image/jpeg;base64,/9j/") >= 5
    assert main(["analyze", "study.yaml"]) == 0  # without: no pictures, no table of them
    assert "base64,/9j/" not in Path("figures/foreign/report.html").read_text()


def test_a_folder_of_pictures_that_is_not_there_is_named_before_anything_runs(root, capsys) -> None:
    assert main(["check", "study.yaml", "--set=data.images_root=gone"]) == 2
    assert "data.images_root: " in (said := capsys.readouterr().err) and "no such folder" in said


def test_a_folder_of_other_pictures_is_refused(root: Path, capsys) -> None:
    Image.new("RGB", (32, 32)).save(root / "other.png")
    (root / "others").mkdir()
    (root / "other.png").rename(root / "others" / "other.png")
    assert main(["analyze", "study.yaml", "--set=data.images_root=others"]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "images_root" in said and "holds none of the pictures, such as val/ant/000.jpg" in said


def test_tables_agree_with_the_files(root: Path) -> None:
    study = Study.load(root / "study.yaml")
    run(study, Layout("foreign"), "predictions", "measure", "categories", "planted")
    rows = truth(root)
    multi = [p in s for p, s in zip(rows["prediction"], rows["set"], strict=True)]
    rows = rows.assign(
        original=rows["prediction"] == rows["label"],
        multi=multi,
        top2=(rows["prediction"] == rows["label"]) | (rows["second"] == rows["label"]),
    )
    accuracy = table("accuracy").query("half == 'all'").set_index(["policy", "truth", "k"])
    for condition, own in rows.groupby("condition"):
        for key in (("original", 1), ("multi", 1)):
            assert accuracy.loc[(condition, *key), "accuracy"] == pytest.approx(own[key[0]].mean())
        found = accuracy.loc[(condition, "original", 2), "accuracy"]
        assert found == pytest.approx(own["top2"].mean())
    assert (accuracy["seeds"] == RUNS).all() and (accuracy["images"] == len(LABELS)).all()
    effects = table("effects").query("half == 'all' and reference == 'fixed'")
    for name in ("original", "multi"):
        means = rows.groupby(["condition", "label"])[name].mean()
        found = effects[effects["truth"] == name].set_index("class_id")["drop"]
        for k, label in enumerate(NAMES):
            assert found[k] == pytest.approx(means["old", label] - means["new", label])
    original = effects[effects["truth"] == "original"].set_index("class_id")
    assert (original["q"] <= 0.05).to_dict() == {0: True, 1: False, 2: False, 3: False, 4: False}
    row = table("categories").set_index("class_id").loc[0]
    assert (row["swallower_id"], row["category"]) == (1, "co-occurring")
    assert row["both"] == len(IMAGES[:PER_CLASS:3])
    explained = table("explained").set_index(["group", "reference"]).loc[("all", "fixed")]
    drops = rows.groupby("condition")[["original", "multi"]].mean().diff().loc["old"]
    assert explained["explained"] == pytest.approx(1 - drops["multi"] / drops["original"])
    assert table("confusions")["images"].isin([PER_CLASS, PER_CLASS // 2]).all()
    assert table("truth").empty and table("planted").empty


def test_the_summary_names_classes_and_replicates(root: Path) -> None:
    study, layout = Study.load(root / "study.yaml"), Layout("foreign")
    run(study, layout, "predictions", "measure", "categories", "planted")
    run(study, layout, "decision", "summary")
    content = json.loads((root / "results/foreign/summary.json").read_text())
    assert content["discoveries"]["original"] == {"hurt": 1, "helped": 0, "tested": 5}
    assert content["affected"][0]["name"] == "ant" and content["affected"][0]["swallower"] == "bee"
    assert (content["conditions"], content["reference"]) == (["new", "old"], "old")
    assert content["replicates"] == "models" and content["runs_trained"] == 0
    assert content["findings"]["classes"]["seeds"] == 4


def test_analyze_ends_in_a_report(root: Path, capsys) -> None:
    assert main(["analyze", "study.yaml"]) == 0
    out = capsys.readouterr().out
    assert "New against old" in out and "Classes that lose: " in out
    page = (root / "figures/foreign/report.html").read_text()
    assert "New against old" in page and "ant" in page
    drawn = {file.stem for file in (root / "figures/foreign").glob("*.svg")}
    assert drawn == set(figures_of(())) and "planted_vs_found" not in drawn
    assert not list(root.rglob("*.partial"))


def test_the_same_rows_give_the_same_tables_in_any_order(root: Path) -> None:
    study, layout = Study.load(root / "study.yaml"), Layout("foreign")
    found = []
    for seed in (1, 2):
        pd.read_csv(root / "old.csv").sample(frac=1, random_state=seed).to_csv(
            root / "old.csv", index=False
        )
        run(study, layout, "predictions", "measure")
        found.append({name: content_digest(table(name)) for name in MEASURED})
    assert found[0] == found[1]


def test_files_are_read_and_analysed_without_torch(root: Path) -> None:
    code = """if True:
        import sys
        from daclass.cli import main
        for stage in ("predictions", "measure", "categories", "planted"):
            assert main([stage, "study.yaml"]) == 0
        sys.exit(bool({"torch", "timm", "ffcv", "numba"} & set(sys.modules)))
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, check=False)
    assert done.returncode == 0


def spoil(root: Path, file: str, old: str, new: str) -> None:
    path = root / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("old.csv", "old3,ant", "old3,cow", "old.csv: line "),
        (
            "old.csv",
            "\n039.jpg,old0",
            "\n038.jpg,old0",
            "model old0 predicts val/ant/038.jpg more than once",
        ),
        ("old.csv", "old2", "old9", "model old2 lacks 1 of 200"),
        (
            "labels.csv",
            "val/ant/007.jpg",
            "val/ant/008.jpg",
            "labels.csv: line 10, row 9: val/ant/008.jpg is there",
        ),
        (
            "labels.csv",
            "007.jpg,0",
            "007.jpg,5",
            "labels.csv: line 9, row 8: label '5' is no class",
        ),
        ("sets.json", '"dog"', '"cow"', "sets.json: val/dog/120.jpg: 'cow' is no class name"),
        ("sets.json", "{", "[", "sets.json: not a JSON file"),
        ("classes.csv", "dog,", "cat,", "classes.csv: cat twice"),
        ("study.yaml", "new3:", "new4:", "no predictions of model 'new4'"),
        ("study.yaml", "- old.csv", "- gone.csv", "gone.csv: no such file"),
        ("study.yaml", "- old\n", "- older\n", "no model of the condition 'older'"),
        ("study.yaml", "labels.csv", "new.npz", "new.npz names no pictures"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(root, capsys, file, old, new, message) -> None:
    spoil(root, file, old, new)
    assert main(["analyze", "study.yaml"]) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("daclass: ") and error.count("\n") == 1
    assert not (root / "results").exists() and not (root / "figures").exists()


def test_pickled_arrays_are_refused_unread(root: Path, capsys) -> None:
    class Trap:
        def __reduce__(self):
            return Path.touch, (root / "unpickled",)

    models = np.array([Trap()] * RUNS, object)
    np.savez(root / "new.npz", models=models, predictions=np.zeros((RUNS, len(LABELS)), int))
    assert main(["analyze", "study.yaml"]) == 2
    assert "new.npz: not a readable .npz file" in capsys.readouterr().err
    assert not (root / "unpickled").exists() and not (root / "results").exists()


def test_one_model_a_condition_is_judged_as_a_network(root: Path) -> None:
    models = {f"{name}0": {"condition": name} for name in ("new", "old")}
    change = f"data.models={json.dumps(models)}"
    study = Study.load(root / "study.yaml", [change])
    run(study, Layout("foreign"), "predictions", "measure", "categories")
    effects = table("effects").query("reference == 'fixed'")
    assert effects["drop"].notna().all()
    assert (effects["speaks_of"] == "networks").all()
    original = effects[effects["truth"] == "original"]
    assert original[["low", "high", "p", "q"]].notna().all(axis=None)
    assert effects[["seeds_low", "seeds_high", "p_max", "detectable"]].isna().all(axis=None)
    assert table("accuracy")[["low", "high"]].isna().all(axis=None)
    assert table("confusions")[["low", "high", "p", "q"]].isna().all(axis=None)
    assert table("explained")["explained"].isna().all()
    assert table("null_band").empty
    assert effects.loc[effects["affected"], "class_id"].nunique() == 2


def test_the_report_of_one_model_a_condition_does_not_contradict_itself(root: Path) -> None:
    models = {f"{name}0": {"condition": name} for name in ("new", "old")}
    assert main(["analyze", "study.yaml", f"--set=data.models={json.dumps(models)}"]) == 0
    page = Path("figures/foreign/report.html").read_text()
    assert "One model per condition: what a class loses has its interval and q-value" in page
    assert "Of these two networks: " in page and "cannot tell which classes" not in page
    assert "could be zero, and there is no share of nothing" not in page
    assert "has no interval, since there is one model per condition" in page
    drops = Path("figures/foreign/class_effects.txt").read_text()
    assert "there are no intervals" not in drops and "intervals for new pictures" in drops


def test_classes_with_one_picture_or_none_are_gaps(root: Path) -> None:
    """The last class has no picture, the one before it a single one."""
    (root / "classes.csv").write_text(
        "name,path\n" + "".join(f"{n},{n}\n" for n in [*NAMES, "fox"])
    )
    labels = pd.read_csv(root / "labels.csv")
    labels.loc[labels["label"] == 4, "label"] = [4] + [0] * (PER_CLASS - 1)
    labels.to_csv(root / "labels.csv", index=False)
    study = Study.load(root / "study.yaml", ["data.annotations=null"])
    run(study, Layout("foreign"), "predictions", "measure", "categories")
    effects = table("effects").query("reference == 'fixed' and half == 'all'")
    effects = effects.set_index(["truth", "class_id"])
    for truth_ in ("original", "multi"):
        one, none = effects.loc[(truth_, 4)], effects.loc[(truth_, 5)]
        assert (one["images"], none["images"]) == (1, 0)
        assert np.isfinite(one["drop"]) and np.isnan(none["drop"])
        for row in (one, none):
            assert row[["low", "high", "p", "q", "p_max", "shrunken", "detectable"]].isna().all()
    assert not effects.xs(5, level="class_id")["affected"].any()
    by_class = table("class_accuracy").set_index(["truth", "class_id"])
    assert by_class.xs(5, level="class_id")["accuracy"].isna().all()
