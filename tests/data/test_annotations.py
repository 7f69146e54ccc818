"""Label sets from CSV, JSON and ReaL, joined by picture."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from daclass.data.annotations import read_annotations
from daclass.data.classes import Classes
from daclass.data.imagenet import class_names, real_labels_file, synsets
from daclass.errors import InputError
from tests.conftest import absent

CLASSES = ["ant", "bee", "cat"]
PICTURES = ["val/ant/1.jpg", "val/ant/2.jpg", "val/bee/1.jpg", "val/cat/3.jpg"]


def sets(table: pd.DataFrame) -> dict[str, list[str]]:
    return {image: list(rows) for image, rows in table.groupby("image_id")["name"]}


def write(folder: Path, name: str, content: object) -> Path:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.fixture
def timm() -> None:
    if find_spec("timm") is None:
        absent("timm, which carries the ReaL labels,")


def test_csv_and_json_say_the_same(tmp_path: Path) -> None:
    lines = ["val/cat/3.jpg,bee", "val/ant/1.jpg,ant", "val/cat/3.jpg,cat", "val/ant/2.jpg,"]
    csv = write(tmp_path, "a.csv", "\n".join(["image,label", *lines]))
    expected = {"val/ant/1.jpg": ["ant"], "val/ant/2.jpg": [""], "val/cat/3.jpg": ["bee", "cat"]}
    assert sets(read_annotations(csv, PICTURES, Classes(CLASSES))) == expected
    for name, cat in (("by-name.json", ["bee", "cat"]), ("by-number.json", [1, 2])):
        content = {"val/cat/3.jpg": cat, "val/ant/1.jpg": ["ant"], "val/ant/2.jpg": []}
        found = read_annotations(write(tmp_path, name, content), PICTURES, Classes(CLASSES))
        assert sets(found) == expected


def test_pictures_may_be_named_by_file_name_where_it_is_theirs_alone(tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", {"2.jpg": ["ant"], "/far/val/cat/3.jpg": ["cat"]})
    found = sets(read_annotations(file, PICTURES, Classes(CLASSES)))
    assert found == {"val/ant/2.jpg": ["ant"], "val/cat/3.jpg": ["cat"]}
    with pytest.raises(InputError, match=r"cow/3\.jpg: the picture of that file name is val/cat"):
        read_annotations(
            write(tmp_path, "b.json", {"cow/3.jpg": ["cat"]}), PICTURES, Classes(CLASSES)
        )
    with pytest.raises(InputError, match=r"b\.json: row 1: 1\.jpg: several pictures have that"):
        read_annotations(write(tmp_path, "b.json", {"1.jpg": ["ant"]}), PICTURES, Classes(CLASSES))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "image,label\nval/ant/1.jpg,ant\nval/eel/9.jpg,ant\n", "row 2: val/eel/9.jpg"),
        ("a.csv", "image,name\nval/ant/1.jpg,ant\n", "lacks the column label"),
        ("a.csv", "image,label\n1.jpg,eel\n", "row 1: 1.jpg has the unknown class 'eel'"),
        ("a.json", {"val/ant/1.jpg": ["ant", "eel"]}, "val/ant/1.jpg: 'eel' is no class name"),
        ("a.json", {"val/eel/9.jpg": ["ant"]}, "row 1: val/eel/9.jpg: no such picture"),
        ("a.json", {"val/ant/1.jpg": "ant"}, "val/ant/1.jpg: expected a list of labels, got 'ant'"),
        ("a.json", {"val/ant/1.jpg": [3]}, "val/ant/1.jpg: 3 is no class name .* below 3"),
        ("a.json", {"val/ant/1.jpg": [-1]}, "val/ant/1.jpg: -1 is no class"),
        ("a.json", {"val/ant/1.jpg": [True]}, "val/ant/1.jpg: True is no class"),
        ("a.json", {"val/ant/1.jpg": [1.5]}, "val/ant/1.jpg: 1.5 is no class"),
        ("a.json", {"val/ant/1.jpg": [None]}, "val/ant/1.jpg: None is no class"),
        ("a.json", '{"val/ant/1.jpg": ["ant"', "not a JSON file"),
        ("a.json", '"ant"', "expected an object of label lists"),
        ("a.json", "7", "expected an object of label lists"),
        ("a.json", [[0], [1]], "ReaL labels need ImageNet's 1,000 classes"),
    ],
)  # fmt: skip
def test_faults_are_named(tmp_path: Path, timm, name: str, content: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        read_annotations(write(tmp_path, name, content), PICTURES, Classes(CLASSES))
    assert name in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["gone.csv", "gone.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=rf"{name}: no such file"):
        read_annotations(tmp_path / name, PICTURES, Classes(CLASSES))


def test_a_binary_file_is_named(tmp_path: Path) -> None:
    for name in ("a.csv", "a.json"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00image")
        with pytest.raises(InputError, match=rf"{name}: not a"):
            read_annotations(tmp_path / name, PICTURES, Classes(CLASSES))


def validation(*numbers: int) -> list[str]:
    return [f"val/ILSVRC2012_val_{number:08d}.JPEG" for number in numbers]


def test_real_is_joined_by_the_number_in_the_file_name(timm) -> None:
    real = json.loads(real_labels_file().read_text())
    empty = next(n for n, labels in enumerate(real, 1) if not labels)
    several = next(n for n, labels in enumerate(real, 1) if len(labels) > 2)
    names = [f"class {k}" for k in range(1000)]
    numbers = (50_000, several, empty, 2)  # not in order
    pictures = validation(*numbers)
    found = sets(read_annotations("real", pictures, Classes(names)))
    for picture, number in zip(pictures, numbers, strict=True):
        assert found[picture] == ([names[k] for k in real[number - 1]] or [""])


@pytest.mark.parametrize(
    "names",
    [
        synsets,
        class_names,
        lambda: [str(k) for k in range(1000)],
        lambda: [f"class {k:03d}" for k in reversed(range(1000))],  # in an order of their own
    ],
    ids=["WordNet ids", "names", "numbers", "own names"],
)
def test_real_numbers_classes_as_imagenet_does(timm, names) -> None:
    """Also where the study's own numbers are others, those of sorted names."""
    real, own = json.loads(real_labels_file().read_text()), names()
    picture = next(n for n, labels in enumerate(real, 1) if len(labels) == 3)
    wanted = {own[k] for k in real[picture - 1]}
    found = read_annotations("real", validation(picture), Classes(own))
    assert set(found["name"]) == wanted
    if not own[0].startswith("class"):
        found = read_annotations("real", validation(picture), Classes(sorted(own)))
        assert set(found["name"]) == wanted


def test_folders_with_names_of_their_own_have_no_imagenet_numbers(timm) -> None:
    """Numbered by the alphabet, they would get the labels of other classes."""
    names = sorted(f"folder {k}" for k in range(1000))
    with pytest.raises(InputError, match=r"1,000 classes in its order, or .* 'folder 0' is none"):
        read_annotations("real", validation(1), Classes(names))


def test_real_of_classes_named_by_wordnet_id_is_translated_and_thinned(timm) -> None:
    """As for a folder of some of ImageNet's classes, in whatever order."""
    real = json.loads(real_labels_file().read_text())
    chosen = [837, 836, 3]  # sunglasses, sunglass, tiger shark
    classes = [synsets()[k] for k in chosen]
    numbers = [n for n, labels in enumerate(real, 1) if set(labels) & set(chosen)][:60]
    numbers.append(next(n for n, labels in enumerate(real, 1) if labels and 3 not in labels))
    found = sets(read_annotations("real", validation(*numbers), Classes(classes)))
    for number in numbers:
        kept = [synsets()[k] for k in real[number - 1] if k in chosen]
        assert found[validation(number)[0]] == (kept or [""])


@pytest.mark.parametrize(
    "picture",
    ["val/0001.jpg", "ILSVRC2012_val_00050001.JPEG", "ILSVRC2012_val_00000000.JPEG",
     "ILSVRC2012_val_001.JPEG"],
)  # fmt: skip
def test_real_knows_imagenets_validation_pictures_alone(timm, picture: str) -> None:
    with pytest.raises(InputError, match=rf"{picture} has no number of an ImageNet validation"):
        read_annotations("real", [picture], Classes([str(k) for k in range(1000)]))


@pytest.mark.parametrize("label", [1000, -1, "3", None, {"label": 3}])
def test_a_list_of_other_things_is_not_real(tmp_path: Path, timm, label: object) -> None:
    """Such a label would drop out without a word, and its picture would seem to have none."""
    file = write(tmp_path, "r.json", [[3], [label]])
    with pytest.raises(InputError, match=r"r\.json: entry 2: .* is no class number below 1000"):
        read_annotations(file, validation(1, 2), Classes([str(k) for k in range(1000)]))
    file = write(tmp_path, "r.json", [[3], 4])
    with pytest.raises(InputError, match=r"r\.json: entry 2: expected a list of class numbers"):
        read_annotations(file, validation(1, 2), Classes([str(k) for k in range(1000)]))


def test_real_agrees_with_the_original_labels(timm, real_data: Path) -> None:
    """Joined to another class's pictures, it would agree with almost none."""
    labels = np.loadtxt(real_data / "imagenet_val" / "val_labels.txt", dtype=int)
    names = [str(k) for k in range(1000)]
    pictures = validation(*range(1, 50_001))
    found = read_annotations("real", pictures, Classes(names))
    own = dict(zip(pictures, map(str, labels), strict=True))
    some = found[found["name"] != ""]
    held = (some["name"] == some["image_id"].map(own)).sum()
    assert 100 * held / some["image_id"].nunique() == pytest.approx(90.02, abs=0.005)
