"""Whose label sets tell the overlap of classes, and which names readers see."""

from __future__ import annotations

from importlib.util import find_spec

import pandas as pd
import pytest

from daclass.config import Layout, Study
from daclass.data.wordnet import DEFAULT_FOLDER
from daclass.errors import InputError
from daclass.tables import SCHEMAS, read_table, with_readable_names
from tests.conftest import absent, save_pictures
from tests.planting import plant, run

DESKTOP, MONITOR, DESK = "n03180011", "n03782006", "n03179701"


@pytest.fixture
def folder(tmp_path):
    """A study of pictures in folders called by WordNet ids, with its index: (study, layout)."""
    if find_spec("timm") is None or not (DEFAULT_FOLDER / "data.noun").is_file():
        absent("timm or WordNet")
    names = (DESKTOP, MONITOR, DESK)
    save_pictures(tmp_path / "set", {f"{s}/{n}": 2 for s in ("train", "val") for n in names})
    study = Study.model_validate(
        {
            "name": "folder",
            "data": {
                "source": "folder",
                "root": tmp_path / "set",
                "classes": "wordnet",
                "overlap": "real",
            },
            "training": {"val_resolution": 16},
            "sweep": {"strengths": [0.08, 0.75], "seeds": [0]},
        }
    )
    layout = Layout("folder", tmp_path / "results", tmp_path / "figures")
    run(study, layout, "index", "annotations")
    return study, layout


def frame(table, *rows):
    """A table with what is given, the rest being the type's nothing."""
    nothing = {"string": "", "double": 0.0, "bool": False}
    return pd.DataFrame(
        [
            {
                name: row.get(name, nothing.get(str(kind), 0))
                for name, kind in SCHEMAS[table].items()
            }
            for row in rows
        ]
    )


def test_overlap_by_class_is_reals(folder):
    """Numbers that were computed from the 50,000 label sets by class number, independently."""
    _, layout = folder
    names = read_table("classes", layout.table("classes"))["name"]
    table = read_table("overlaps", layout.table("overlaps"))
    table = table.replace({column: dict(names) for column in ("class_id", "other_id")})
    row = table.set_index(["class_id", "other_id"]).loc[(DESKTOP, MONITOR)]
    shares = row[["overlap", "overlap_reverse", "jaccard"]]
    assert list(shares.round(2)) == [0.94, 0.68, 0.65]
    assert row["both"] == table.set_index(["class_id", "other_id"]).loc[(MONITOR, DESKTOP), "both"]


def test_categories_read_the_overlap_that_the_study_names(folder):
    """The pictures themselves have no second label: without ReaL, no pair would overlap."""
    study, layout = folder
    ids = read_table("classes", layout.table("classes")).set_index("name")["class_id"]
    pair = {"class_id": ids[MONITOR], "predicted_id": ids[DESKTOP], "growth": 0.5}
    effects = frame("effects", {"class_id": ids[MONITOR], "affected": True})
    confusions = frame("confusions", *({**pair, "half": h} for h in ("select", "estimate", "all")))
    index = read_table("index", layout.table("index"))
    images = index.loc[index["split"] == "val", "image_id"]
    predictions = frame(
        "predictions",
        *(
            {"policy": name, "image_id": image, "view": study.training.val_crop}
            for name in study.conditions
            for image in images
        ),
    )
    planted = {
        ("predictions", "sweep"): predictions, "effects": effects, "confusions": confusions
    }  # fmt: skip
    plant(study, layout, planted)
    run(study, layout, "categories")
    found = read_table("categories", layout.table("categories")).iloc[0]
    assert found["overlap_reverse"] == pytest.approx(0.94, abs=0.005)
    assert found["category"] == "co-occurring"
    own = study.model_copy(update={"data": study.data.model_copy(update={"overlap": None})})
    described = {n: read_table(n, layout.table(n)) for n in ("index", "classes", "annotations")}
    plant(own, layout, {**described, **planted})
    run(own, layout, "categories")
    assert read_table("categories", layout.table("categories")).iloc[0]["category"] == "unrelated"


def test_the_overlap_of_classes_that_imagenet_lacks_is_refused(folder, tmp_path):
    study, layout = folder
    save_pictures(tmp_path / "set", {"train/entity": 1, "val/entity": 1})
    with pytest.raises(InputError, match="ReaL labels need"):
        run(study, layout, "index", "annotations")


def test_readers_see_names_and_policies_folders(folder):
    _, layout = folder
    classes = read_table("classes", layout.table("classes"))
    assert list(classes["name"]) == [DESK, DESKTOP, MONITOR]
    assert list(with_readable_names(classes)["name"]) == ["desk", "desktop computer", "monitor"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (["animal/cat", "animal/dog"], ["cat", "dog"]),
        (["bird/crane", "machine/crane"], ["crane (a)", "crane (b)"]),
        (["a", "b"], ["a", "b"]),
        (["", "x/b"], ["a", "b"]),
    ],
)
def test_readable_names_are_distinct(path, names):
    classes = pd.DataFrame({"class_id": [0, 1], "name": ["a", "b"], "path": path})
    assert list(with_readable_names(classes)["name"]) == names
