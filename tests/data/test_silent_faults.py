"""What was once scored as something else, or ended in a traceback: each is one line or a note."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daclass.analysis.notes import suspicions
from daclass.data import limits
from daclass.data.annotations import read_annotations
from daclass.data.classes import Classes, names_of, whole_number
from daclass.data.names import match_pictures
from daclass.data.tabular import read_csv, row_of
from daclass.errors import InputError
from tests.data.test_forms import IMAGES, MODELS, NAMES, RECORDS, csv, exact, long, read

LABELS_OF = [record["label"] for record in RECORDS]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3), ("3", 3), ("3.0", 3), (3.0, 3), (" 3 ", 3), (np.int8(3), 3), (np.float32(3), 3),
        ("03", None), ("007", None), (-1, None), ("-1", None), (True, None), (np.True_, None),
        (1.5, None), ("1.5", None), (float("nan"), None), (float("inf"), None), ("", None),
        ("²", None), ("٣", None), ("1e3", None), (10**9, None), ("9" * 5000, None), (None, None),
    ],
)  # fmt: skip
def test_what_is_a_class_number(value, number):
    assert whole_number(value) == number


def test_a_null_class_name_is_not_the_last_class(tmp_path: Path) -> None:
    """61 nulls in a Parquet column once turned an accuracy of .78 into .20, exit status 0."""

    def nulls(records, root):
        table = long(records)
        table["prediction"] = [NAMES[k] for k in table["prediction"]]
        table.loc[table.index[::5], "prediction"] = None
        table.to_parquet(root / "p.parquet")
        return {"files": ["p.parquet"]}

    with pytest.raises(InputError, match=r"p\.parquet: row 1: prediction is missing"):
        read(tmp_path, nulls, RECORDS)


@pytest.mark.parametrize("column", ["model", "condition", "image"])
def test_other_nulls_are_named(tmp_path: Path, column: str) -> None:
    def nulls(records, root):
        table = long(records).assign(condition=lambda t: t["model"]).astype(object)
        table.loc[4, column] = None
        table.to_parquet(root / "p.parquet")
        return {"files": ["p.parquet"]}

    with pytest.raises(InputError, match=rf"row 5: ({column} is missing|names no picture)"):
        read(tmp_path, nulls, RECORDS)


def test_a_second_guess_that_is_never_there_is_unknown(tmp_path: Path) -> None:
    def with_second(records, root):
        long(records).assign(second=None).to_parquet(root / "p.parquet")
        return {"files": ["p.parquet"]}

    def columns(records, root):
        table = long(records)
        table["prediction"] = table["prediction"].astype(int)
        table["second"] = pd.Series([None] * len(table), dtype=object)
        table.to_parquet(root / "p.parquet")
        return {"files": ["p.parquet"]}

    table = read(tmp_path, columns, RECORDS)
    exact(table)
    assert (table["second"] == -1).all()


@pytest.mark.parametrize("kind", ["int64", "float64", "object"])
def test_numbers_of_a_parquet_and_of_a_csv_agree(tmp_path: Path, kind: str) -> None:
    """A CSV holds texts: "3" and 3 were two labels of one picture."""

    def mixed(records, root):
        table = long(records)
        table["label"] = np.tile([record["label"] for record in records], len(MODELS))
        first, second = (rows for _, rows in table.groupby("model", sort=False))
        first.astype({"label": kind}).to_parquet(root / "a.parquet")
        second.to_csv(root / "b.csv", index=False)
        return {"files": ["a.parquet", "b.csv"], "labels": None}

    exact(read(tmp_path, mixed, RECORDS))

    def other(records, root):
        made = mixed(records, root)
        table = pd.read_csv(root / "b.csv")
        table.loc[1, "label"] = (table.loc[1, "label"] + 1) % 4
        table.to_csv(root / "b.csv", index=False)
        return made

    with pytest.raises(
        InputError, match=r"b\.csv: line 3, row 2: .* is labelled \d, but \d in an earlier"
    ):
        read(tmp_path, other, RECORDS)


def test_a_ranking_does_not_repeat_itself(tmp_path: Path) -> None:
    def repeated(records, root):
        table = long(records)
        table.assign(second=table["prediction"]).to_csv(root / "p.csv", index=False)
        return {"files": ["p.csv"]}

    with pytest.raises(
        InputError, match=r"p\.csv: line 2, row 1: prediction and second are both '\w+'"
    ):
        read(tmp_path, repeated, RECORDS)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.eye(4, dtype=int)[np.zeros((2, 12), int)], "one-hot rows are no rankings"),
        (np.eye(2, dtype=int)[np.zeros((2, 12), int)], "one-hot, or a ranking of two classes"),
        (np.eye(4, dtype=bool)[np.zeros((2, 12), int)], "one-hot rows are no rankings"),
        (np.zeros((2, 12, 3), int) + 2, "prediction and second are both 'cat'"),
    ],
)
def test_one_hot_numbers_are_no_rankings(tmp_path: Path, array, message) -> None:
    def one_hot(records, root):
        np.savez(root / "p.npz", models=MODELS, predictions=array)
        return {"files": ["p.npz"]}

    with pytest.raises(InputError, match=message):
        read(tmp_path, one_hot, RECORDS)


def test_labels_are_names_where_numbers_say_nothing_else() -> None:
    def place(row):
        return f"f: row {row + 1}"

    def names(labels, *others):
        return names_of([pd.Series(labels, dtype=object), *map(pd.Series, others)], place).names

    assert names(["007", "010", "101"]) == ("007", "010", "101")
    assert names(["1", "2", "3"], [1, 3]) == ("1", "2", "3")  # no class 0
    assert names([0, 1, 255]) == ("0", "1", "255")  # not 256 classes
    assert names([0, 2], [1]) == ("0", "1", "2")
    for odd in ("", None, "x", "99999999999", "9" * 5000):
        with pytest.raises(InputError, match=r"f: row 3: label .*(is no class|is missing)"):
            names(["0", "1", odd])


def test_folders_called_by_numbers_are_not_taken_for_places() -> None:
    classes = Classes(["0", "1", "10", "2"])
    assert classes.number("10") == 2 and classes.number("3") == -1
    with pytest.raises(InputError, match="called by numbers that are not their places"):
        classes.numbers(pd.Series([0, 1]), "prediction", str)
    padded = Classes([f"{k:03d}" for k in range(12)])
    assert padded.number("011") == 11 and padded.number(11) == 11
    assert Classes(["007", "010"]).number("7") == -1


def joined(records, tmp_path):
    from daclass.config import Comparison, PredictionsData
    from daclass.data.predictions import read_predictions

    table = pd.DataFrame(records)
    table[["image", "label"]].to_csv(tmp_path / "labels.csv", index=False)
    data = PredictionsData.model_validate(
        {
            "source": "predictions",
            "root": tmp_path,
            "labels": "labels.csv",
            **csv(records, tmp_path),
        }
    )
    return read_predictions(data, Comparison(conditions=MODELS))


def records(labels, **predictions):
    return [
        {
            "image": f"{n:03d}.jpg",
            "label": int(label),
            **{m: int(p[n]) for m, p in predictions.items()},
        }
        for n, label in enumerate(labels)
    ]


def noted(rows, tmp_path):
    found = joined(rows, tmp_path)
    names = list(found.index.classes["name"])
    return suspicions(found.predictions, found.index.index, names)


LABELS = np.repeat(range(4), 25)
GOOD = np.where(np.random.default_rng(0).random(100) < 0.8, LABELS, (LABELS + 1) % 4)


def test_good_predictions_have_no_notes(tmp_path) -> None:
    assert noted(records(LABELS, new=GOOD, old=GOOD), tmp_path) == ()


def test_numbers_from_1_are_said(tmp_path) -> None:
    notes = noted(records(LABELS, new=GOOD + 1, old=GOOD), tmp_path)
    assert any("each number is 1 too high" in note and "new" in note for note in notes)
    assert any("at or below chance for the run new" in note for note in notes)
    assert any("No picture has the label of the class 4" in note for note in notes)


def test_another_order_of_classes_is_said_with_its_gain(tmp_path) -> None:
    order = np.array([2, 0, 3, 1])
    notes = noted(records(LABELS, new=order[GOOD], old=GOOD), tmp_path)
    assert len([n for n in notes if n.startswith("Another order of the classes")]) == 1
    assert "the run new" in " ".join(notes) and "the run old" not in " ".join(notes)


def test_classes_that_are_never_predicted_are_said(tmp_path) -> None:
    notes = noted(
        records([*LABELS, *[255] * 5], new=[*GOOD, *[0] * 5], old=[*GOOD, *[1] * 5]), tmp_path
    )
    said = "No run ever predicts the class 255, which has 5 pictures."
    assert notes == (f"{said} Is 255 what marks pictures to be ignored?",)


def test_one_class_alone_is_not_below_chance(tmp_path) -> None:
    assert noted(records([0] * 40, new=[0] * 40, old=[0] * 40), tmp_path) == ()


@pytest.mark.parametrize(
    ("names", "value", "hint"),
    [
        (NAMES, 255, "; where 255 marks pictures to be ignored, leave them out"),
        (NAMES, "-1", "; where -1 marks pictures to be ignored, leave them out"),
        (NAMES, "", "; an empty text names none"),
        (["007", "010", "101"], "7", "; has 007 lost its zeros? Give names as text"),
        (NAMES, "eel", "from 'ant' to 'dog'"),
    ],
)
def test_what_is_no_class_has_a_reason(names, value, hint) -> None:
    with pytest.raises(InputError) as error:
        Classes(names).numbers(pd.Series([value], dtype=object), "label", str)
    assert str(error.value).endswith(hint)


def test_a_message_is_short_whatever_it_echoes(tmp_path) -> None:
    assert str(InputError(f"f: {'9' * 5000} is no class")) == f"f: {'9' * 57}... is no class"
    path = "/".join(["x" * 255] * 4)
    assert str(InputError(f"{path}: no such file")) == f"{path}: no such file"


@pytest.mark.parametrize("column", ["second", "probability"])
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("of", ["all", "new"])
def test_what_is_known_of_no_picture_of_a_model_is_unknown(tmp_path, column, ending, of) -> None:
    def columns(records, root):
        table = long(records)
        some = 0.5 if column == "probability" else (table["prediction"] + 1) % 4
        known = (table["model"] != of) & (of != "all")
        table[column] = pd.Series(some, table.index, dtype=object).where(known, None)
        if ending == "csv":
            table.to_csv(root / "p.csv", index=False)
        elif ending == "jsonl":
            table.to_json(root / "p.jsonl", orient="records", lines=True)
        else:
            number = "float64" if column == "probability" else "Int64"
            table.astype({"prediction": int, column: number}).to_parquet(root / "p.parquet")
        return {"files": [f"p.{ending}"]}

    table = read(tmp_path, columns, RECORDS)
    exact(table)
    new = table[column][table["run"] == "new"]
    assert ((new == -1) | new.isna()).all()
    if of == "new":
        assert (table[column][table["run"] == "old"] >= 0).all()


def test_a_file_that_lacks_a_label_is_the_one_that_is_named(tmp_path) -> None:
    def files(records, root, label):
        table = long(records)
        table["label"] = [record["label"] for record in records] * 2
        for model, own in table.groupby("model", sort=False):
            own = own.astype(object).reset_index(drop=True)
            if model == "old":
                own.loc[4, "label"] = label
            own.drop(columns="model").to_json(root / f"{model}.jsonl", orient="records", lines=True)
        return {"files": ["new.jsonl", "old.jsonl"], "labels": None}

    with pytest.raises(InputError, match=r"old\.jsonl: row 5: label is missing"):
        read(tmp_path, lambda r, root: files(r, root, None), RECORDS)
    with pytest.raises(InputError, match=r"old\.jsonl: row 5: .* is labelled 9, but 1 in an"):
        read(tmp_path, lambda r, root: files(r, root, 9), RECORDS)


@pytest.mark.parametrize("spelling", ["windows", "bare", "file"])
def test_pictures_of_two_files_with_labels_are_joined_in_either_spelling(tmp_path, spelling):
    change = {
        "windows": lambda name: "D:\\x\\" + name.replace("/", "\\"),
        "bare": lambda name: name.removesuffix(".jpg"),
        "file": lambda name: name.split("/")[-1],
    }[spelling]

    def files(records, root):
        table = long(records)
        table["label"] = [record["label"] for record in records] * 2
        for model, own in table.groupby("model", sort=False):
            own = own.drop(columns="model")
            if model == "old":
                own["image"] = own["image"].map(change)
            own.to_csv(root / f"{model}.csv", index=False)
        return {"files": ["new.csv", "old.csv"], "labels": None}

    exact(read(tmp_path, files, RECORDS))


@pytest.mark.parametrize("name", ["l.parquet", "l.json", "l.jsonl", "l.tsv", "object.json"])
def test_labels_come_in_every_form_of_table(tmp_path, name) -> None:
    table = pd.DataFrame(RECORDS)[["image", "label"]]
    if name == "l.parquet":
        table.to_parquet(tmp_path / name)
    elif name == "l.tsv":
        table.to_csv(tmp_path / name, sep="\t")
    elif name == "object.json":
        (tmp_path / name).write_text(json.dumps(dict(zip(IMAGES, LABELS_OF, strict=True))))
    else:
        table.to_json(tmp_path / name, orient="records", lines=name.endswith("l"))
    exact(read(tmp_path, csv, RECORDS, labels=name))
    table.rename(columns={"label": "truth"}).to_parquet(tmp_path / "l.parquet")
    with pytest.raises(
        InputError, match=r"l\.parquet: lacks the column label \(needs image, label"
    ):
        read(tmp_path, csv, RECORDS, labels="l.parquet")


def test_a_pickle_is_told_how_to_be_a_tensor(tmp_path) -> None:
    torch = pytest.importorskip("torch")

    def pickled(records, root):
        torch.save({"logits": Path()}, root / "new.pt")
        return {"files": ["new.pt", "new.pt"]}

    with pytest.raises(
        InputError, match=r"nothing is unpickled: save a tensor, .* torch\.save"
    ) as e:
        read(tmp_path, pickled, RECORDS)
    assert "weights_only" not in str(e.value)


def test_a_renaming_that_fits_noise_is_not_said(tmp_path) -> None:
    rng = np.random.default_rng(1)
    rows = records(rng.integers(20, size=60), new=rng.integers(20, size=60), old=np.zeros(60))
    assert not any(note.startswith("Another order") for note in noted(rows, tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label,label\na,b,c\n", "2 columns called 'label'"),
        ("image,label\na\n", "row 1: a row has fewer fields"),
        ("image,label\na,b,c\n", "row 1: a row has more fields"),
        ('image,label\n"a,b\n', "not a CSV file"),
        ("image,label\na,\0\n", "not a CSV file|zero"),
    ],
)
def test_damaged_csv_is_one_line(tmp_path, text, message) -> None:
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_csv(tmp_path / "f.csv", "image", "label")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": [0], "b": [0], "a": [1]}', "the key 'a' is there twice"),
        ('{"a": [' + "1" * 5000 + "]}", "not a JSON file"),
        ("[" * 100_000, "nests too deeply"),
        ('{"a": [' + "1" * 4000 + "]}", "a: a number of more than 60 digits is no class"),
    ],
)
def test_damaged_json_is_one_line(tmp_path, text, message) -> None:
    (tmp_path / "f.json").write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_annotations(tmp_path / "f.json", ["a", "b"], Classes(["x", "y"]))
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_an_array_that_promises_more_than_it_holds_is_refused(tmp_path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<i8", "fortran_order": False, "shape": (10**9, 10**6)}
    )
    with zipfile.ZipFile(tmp_path / "p.npz", "w") as archive:
        archive.writestr("predictions.npy", header.getvalue() + bytes(80))

    def huge(records, root):
        return {"files": ["p.npz"]}

    with pytest.raises(InputError, match=r"p\.npz: not a readable .npz file .*holds less"):
        read(tmp_path, huge, RECORDS)


@pytest.mark.parametrize("name", ["p.csv.gz", "p.npz", "p.parquet", "p.npy", "p.jsonl"])
def test_input_may_not_ask_for_more_memory_than_there_is(tmp_path, name, monkeypatch) -> None:
    def large(records, root):
        table = pd.concat([long(records)] * 400)
        if name == "p.csv.gz":
            table.to_csv(root / name, index=False)
        elif name == "p.jsonl":
            table.to_json(root / name, orient="records", lines=True)
        elif name == "p.parquet":
            pq.write_table(pa.Table.from_pandas(table.astype(str)), root / name)
        elif name == "p.npy":
            np.save(root / name, np.zeros((2, 50_000)))
        else:
            np.savez_compressed(root / name, models=MODELS, predictions=np.zeros((2, 50_000), int))
        return {"files": [name]}

    monkeypatch.setattr(limits, "memory_for_input", lambda: 50_000)
    with pytest.raises(InputError, match=rf"{name}: would take .* GiB of memory"):
        read(tmp_path, large, RECORDS)


@pytest.mark.parametrize(
    "pattern", ["{:0999999999d}.jpg", "{:>99999999}", "{0.__class__}", "{}{x}"]
)
def test_a_pattern_of_names_has_no_room_to_allocate(tmp_path, pattern) -> None:
    (tmp_path / "l.txt").write_text("0\n" * 12)
    with pytest.raises(InputError, match=r"data\.images: .* is no pattern"):
        read(tmp_path, csv, RECORDS, labels="l.txt", images=pattern)


def test_a_row_of_a_csv_is_named_with_its_line(tmp_path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('\nimage,label\n"a\nb",1\n\nc,2\n')
    assert [row_of(file, row) for row in (1, 2, 3)] == [
        f"{file}: line 3, row 1", f"{file}: line 6, row 2", f"{file}: row 3",
    ]  # fmt: skip
    assert row_of("y_pred['a.csv']", 1) == "y_pred['a.csv']: row 1"
    assert row_of(tmp_path / "b.jsonl", 1).endswith("b.jsonl: row 1")
    with pytest.raises(InputError, match=r"a\.csv: line 6, row 2: c: no such picture"):
        match_pictures(read_csv(file, "image")["image"], ["a\nb"], file)


def test_accents_composed_or_not_are_one(tmp_path) -> None:
    composed, parted = "caf\u00e9/1.jpg", "cafe\u0301/1.jpg"
    assert list(match_pictures(pd.Series([parted]), [composed], "f")) == [composed]
    assert Classes(["caf\u00e9", "x"]).number("cafe\u0301") == 0


def test_annotations_of_other_pictures_are_refused(tmp_path) -> None:
    truth = {record["image"]: record["label"] for record in records(LABELS, new=GOOD)}
    rows = records(LABELS, new=GOOD, old=GOOD)
    (tmp_path / "right.json").write_text(json.dumps({i: [k] for i, k in truth.items()}))
    moved = dict(
        zip(truth, [[k] for k in [*LABELS.tolist()[30:], *LABELS.tolist()[:30]]], strict=True)
    )
    (tmp_path / "moved.json").write_text(json.dumps(moved))
    doubtful = dict(list(moved.items())[:30])
    (tmp_path / "few.json").write_text(json.dumps(doubtful))
    (tmp_path / "none.json").write_text("{}")
    (tmp_path / "empty.json").write_text(json.dumps({image: [] for image in truth}))
    from daclass.config import Comparison, PredictionsData
    from daclass.data.predictions import read_predictions

    joined(rows, tmp_path)

    def annotated(name):
        data = {"source": "predictions", "root": tmp_path, "labels": "labels.csv"}
        data |= {"files": ["p.csv"], "annotations": name}
        return read_predictions(PredictionsData.model_validate(data), Comparison(conditions=MODELS))

    annotated("right.json")
    with pytest.raises(InputError, match=r"0\.0% of 100 label sets .* belong to other pictures"):
        annotated("moved.json")
    said = annotated("few.json").notes  # somebody may have looked at none but doubtful pictures
    assert "seem to belong to other pictures" in said[0]
    (tmp_path / "all.json").write_text(json.dumps({image: [0, 1, 2, 3] for image in truth}))
    pd.DataFrame({"image": [*truth] * 4, "label": np.repeat(range(4), len(truth))}).to_csv(
        tmp_path / "all.csv", index=False
    )
    for name in ("all.json", "all.csv"):
        with pytest.raises(InputError, match=r"hold 4\.0 of the 4 classes on average"):
            annotated(name)
    for name in ("none.json", "empty.json"):
        with pytest.raises(InputError, match="hold no label"):
            annotated(name)


def test_one_picture_for_each_class_is_no_traceback(tmp_path, monkeypatch) -> None:
    from daclass.cli import main
    from daclass.config import Layout

    monkeypatch.chdir(tmp_path)
    joined(records(range(8), new=range(8), old=[0] * 8), tmp_path)
    (tmp_path / "s.yaml").write_text(
        "name: s\ndata: {source: predictions, files: [p.csv], labels: labels.csv}\n"
        "comparison: {conditions: [new, old]}\nanalysis: {bootstrap: 100}\n"
    )
    assert main(["analyze", "s.yaml"]) == 0
    assert Layout("s").report.is_file()


def test_conditions_without_models_are_runs_of_their_own(tmp_path) -> None:
    def alone(records, root):
        table = long(records).rename(columns={"model": "condition"})
        table.to_csv(root / "p.csv", index=False)
        return {"files": ["p.csv"]}

    exact(read(tmp_path, alone, RECORDS))


def test_a_class_tree_that_is_not_there_is_said(monkeypatch, tmp_path) -> None:
    """Without WordNet's files 27 fine-grained confusions of ImageNet became none, in silence."""
    from daclass.data.imagenet import class_names
    from daclass.data.predictions.given import join_given
    from daclass.data.wordnet import _nouns

    pytest.importorskip("timm")
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path))
    _nouns.cache_clear()
    labels = np.arange(1000)
    found = join_given(
        labels, {"a": labels, "b": labels}, images=None, annotations=None, classes="imagenet",
        paired=False, split_seed=0,
    )  # fmt: skip
    _nouns.cache_clear()
    assert list(found.index.classes["name"]) == class_names()
    assert "WordNet's files are not installed" in found.notes[0]
