"""Pictures whose classes stand in a file: Kaggle's forms and others that people have."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from daclass.cli import main
from daclass.config import FolderData, Labels, Study
from daclass.data.annotated import annotations_of
from daclass.data.index import build_index
from daclass.data.labels import draft_labels
from daclass.data.sources import open_source
from daclass.errors import InputError
from tests.conftest import save_pictures


@pytest.fixture
def root(tmp_path):
    """Six pictures in a flat folder, 000.png to 005.png, and two in one below it."""
    save_pictures(tmp_path / "set", {".": 6})
    for number, file in enumerate(save_pictures(tmp_path / "set", {"more": 2}, seed=1)):
        file.rename(file.with_name(f"00{number + 6}.png"))
    return tmp_path / "set"


def opened(root, text, val_share=0.5, **labels):
    file = root.parent / "train.csv"
    file.write_text(text)
    data = FolderData(
        source="folder", root=root, val_share=val_share, labels=Labels(file=file, **labels)
    )
    source = open_source(data, root)
    found = build_index(source, 0)
    return source, found, annotations_of(data, root, found.index, found.classes)


def classes_of(source):
    return dict(zip(source.pictures["image_id"], source.pictures["name"], strict=True))


EACH = {f"00{n}.png": "cat" if n < 3 else "dog" for n in range(6)} | {
    "more/006.png": "cat",
    "more/007.png": "dog",
}


@pytest.mark.parametrize(
    ("head", "row", "labels"),
    [
        ("id,label", "{stem},{name}", {}),
        ("Image,Category", "{file},{name}", {}),
        ("filename;class", "{file};{name}", {}),
        ("path,x,label", "set\\{windows},1,{name}", {}),
        ("which,what", "{path},{name}", {"picture": "which", "label": "what"}),
        ("id,cat,dog", "{stem},{cat},{dog}", {}),
        ("id,weight,cat,dog", "{stem},3.5,{cat},{dog}", {"label": ("cat", "dog")}),
    ],
)
def test_forms_of_labels(root, head, row, labels):
    rows = []
    for path, name in EACH.items():
        file = path.split("/")[-1]
        marks = {each: int(name == each) for each in ("cat", "dog")}
        windows = path.replace("/", "\\")
        rows.append(
            row.format(path=path, file=file, stem=file[:3], name=name, windows=windows, **marks)
        )
    source, index, sets = opened(root, "\n".join([head, *rows]), **labels)
    assert classes_of(source) == EACH
    assert index.index.groupby(["split", "class_id"]).size().tolist() == [2, 2, 2, 2]
    assert (sets["labels"].str.len() == 1).all()


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("id,tags\n{}004,dog\n005,dog\n", {"separator": " "}),
        ("id,label\n{}004,dog\n005,dog\n", {}),
        ("id,cat,dog\n{}004,0,1\n005,0,1\n", {}),
        ("id,y\n{}004,[dog]\n005,\"['dog']\"\n", {}),
        ("id,target\n{}004,[dog]\n005,dog\n", {}),
    ],
    ids=["a field", "rows", "columns", "a list as pandas writes it", "a list as JSON has it"],
)
def test_several_labels_are_the_label_set(root, text, labels):
    both = {
        "tags": "00{0},cat dog\n", "label": "00{0},cat\n00{0},dog\n", "cat": "00{0},1,1\n",
        "y": "00{0},\"['cat', 'dog']\"\n", "target": '00{0},"[""cat"", ""dog""]"\n',
    }  # fmt: skip
    row = next(row for name, row in both.items() if f",{name}" in text)
    source, index, sets = opened(root, text.format("".join(map(row.format, range(4)))), **labels)
    assert classes_of(source)["000.png"] == "cat" and len(source.pictures) == 6
    val = index.index.merge(sets, on="image_id").set_index("class_id")["labels"]
    assert {tuple(labels) for labels in val.loc[[0]]} == {(0, 1)}
    assert {tuple(labels) for labels in val.loc[[1]]} == {(1,)}


def test_a_column_says_which_pictures_are_for_validation(root):
    said = ["train", "train", "valid", "Train", "train", "VALID", "test", "test"]
    rows = [f"00{n},{'cat' if n < 3 else 'dog'},{split}" for n, split in enumerate(said)]
    source, *_ = opened(root, "\n".join(["id,label,fold", *rows]), val_share=None, split="fold")
    splits = source.pictures.set_index("image_id")["split"]
    assert sorted(splits.index[splits == "val"]) == ["002.png", "005.png"]
    assert sorted(splits.index[splits == "train"]) == ["000.png", "001.png", "003.png", "004.png"]


def test_the_one_column_that_is_left_is_the_class(root):
    rows = [f"{path.split('/')[-1]},{name}" for path, name in EACH.items()]
    source, *_ = opened(root, "\n".join(["id,breed", *rows]))
    assert classes_of(source) == EACH


def test_a_label_that_is_never_the_first_is_said(root, caplog):
    rows = [f"{path.split('/')[-1]},{name}" for path, name in EACH.items()]
    rows += [f"{path.split('/')[-1]},pet" for path in EACH]
    source, *_ = opened(root, "\n".join(["id,label", *rows]))
    assert classes_of(source) == EACH
    assert "pet is never a picture's first label" in caplog.text


def test_names_that_look_like_several_are_said_with_what_parts_them(root, caplog):
    rows = [f"{path.split('/')[-1]},{name}" for path, name in EACH.items()]
    opened(root, "\n".join(["id,label", *(row.replace("dog", "dog|cat") for row in rows)]))
    assert "|cat' is taken for one class; data.labels.separator: '|' makes" in caplog.text
    caplog.clear()
    opened(root, "\n".join(["id,label", *rows]))
    assert caplog.text == ""


def test_a_fold_that_says_no_split_is_said(root, caplog):
    caplog.set_level("INFO")
    (root / "l.csv").write_text("id,label,fold\n000,cat,1\n001,dog,2\n")
    assert draft_labels(root / "l.csv").split == ""
    assert "the column fold is passed over: it says no split, since it holds '1'" in caplog.text


@pytest.mark.parametrize(
    ("text", "labels", "message"),
    [
        ("id,label\n000,cat\n009,dog\n", {}, "row 2: 009: no such picture"),
        ("id,label\n000,cat\n001,\n", {}, "row 2: column label names no class"),
        ("a,b\n000,cat\n", {}, "data.labels.picture has to name one of its columns (--picture of"),
        ("id,b,c\n000,x,y\n", {}, "columns (--label of init does): b, c"),
        ("id,label\n000,cat\n", {"label": "breed"}, "lacks the column breed (data.labels.label)"),
        ("id,cat,dog\n000,0,0\n", {}, "row 1: is marked as none of the classes"),
        ("id,cat,dog\n000,2,0\n", {"label": ("cat", "dog")}, "column cat: '2' is neither 0 nor 1"),
        ("id,label\n000,cat,more\n", {}, "row 1: a row has more fields"),
        ("id,label,s\n000,cat,left\n", {"split": "s"}, "row 1: split 'left' is none of train"),
        ("id,label,s\n000,c,train\n000,c,val\n", {"split": "s"}, "000.png is of two splits"),
        ("id,label,s\n000,c,train\n", {"split": "s"}, "its splits hold no validation"),
        ("id,label\n000,['cat' 'dog']\n", {}, "row 1: column label: ['cat' 'dog'] is no list of"),
        ("id,label\n000,[]\n", {}, "row 1: column label names no class"),
        ("id,label\n000,[[cat]]\n", {}, "row 1: column label: [[cat]] is no list of labels"),
        ("id,label\n000,cat\n", {"split": "s"}, "lacks the column s (data.labels.split)"),
    ],
)
def test_bad_labels_are_named(root, text, labels, message):
    with pytest.raises(InputError, match=re.escape(message)):
        opened(root, text, val_share=None if "split" in labels else 0.5, **labels)


def test_what_is_for_validation_is_said_once(root):
    for share, split in ((0.5, "s"), (None, "")):
        labels = Labels(file=root / "a.csv", split=split)
        with pytest.raises(ValidationError, match="says what is for validation"):
            FolderData(source="folder", root=root, labels=labels, val_share=share)


def test_pictures_without_a_row_are_passed_over_with_a_word(root, caplog):
    caplog.set_level("INFO")
    rows = [f"00{n},{'cat' if n < 2 else 'dog'}" for n in range(4)]
    source, *_ = opened(root, "\n".join(["id,label", *rows]))
    assert len(source.pictures) == 4
    assert "4 of the 8 pictures below" in caplog.text


@pytest.mark.parametrize("split", [False, True])
def test_init_drafts_a_study_of_labelled_pictures(tmp_path, capsys, split):
    save_pictures(tmp_path / "my set", {".": 60})
    rows = [
        f"{n:03d},class {n % 5},{'valid' if n < 20 else 'train'}" if split else f"{n:03d},c{n % 5}"
        for n in range(60)
    ]
    file = tmp_path / "my labels #1.csv"
    file.write_text("\n".join(["id,breed,fold" if split else "id,label", *rows]))
    if split:
        file.write_text(file.read_text().replace("breed", "class"))
    config = tmp_path / "mine.yaml"
    assert main(["init", str(tmp_path / "my set"), "--labels", str(file), "-o", str(config)]) == 0
    said = capsys.readouterr().out
    assert ("for training: 40 pictures" if split else "for training: 60 pictures") in said
    study = Study.load(config)
    assert study.data.labels.file == file and study.data.labels.split == ("fold" if split else "")
    found = build_index(open_source(study.data, study.data.root), 0)
    assert len(found.classes) == 5 and found.index["split"].value_counts()["val"] in (10, 20)


def test_init_says_where_labels_are_looked_for(tmp_path, capsys):
    save_pictures(tmp_path / "set", {".": 3})
    (tmp_path / "set" / "train.csv").write_text("id,label\n000,cat\n")
    assert main(["init", str(tmp_path / "set"), "-o", str(tmp_path / "a.yaml")]) == 2
    assert "--labels takes their classes from a CSV file, such as " in capsys.readouterr().err
