"""Predictions of other programs: every format gives the same tables, every fault is named."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from daclass.config import Comparison, PredictionsData
from daclass.data.index import Index
from daclass.data.predictions import read_predictions
from daclass.errors import InputError
from daclass.predictions import validate_predictions
from daclass.tables import RUNNERS_UP, SCHEMAS
from tests.conftest import absent

NAMES = ["ant", "bee", "cat", "dog"]
LABELS = np.repeat(range(4), 3)
IMAGES = [f"val/{NAMES[k]}/{rank:02d}.jpg" for rank, k in enumerate(LABELS)]
MODELS = {
    "big": {"condition": "new", "replicate": "x"},
    "small": {"condition": "new", "replicate": "y"},
    "old-small": {"condition": "old", "replicate": "y"},
    "old-big": {"condition": "old", "replicate": "x"},
}
RNG = np.random.default_rng(0)
# [models, pictures, ranks]: each picture's classes in a random order.
RANKED = np.stack([[RNG.permutation(4) for _ in IMAGES] for _ in MODELS])
PROBABILITIES = RNG.uniform(0.3, 1, (4, len(IMAGES))).astype(np.float32)


def rows(depth: int = 1, probability: bool = False) -> pd.DataFrame:
    """One row a (model, picture), shuffled, with class numbers."""
    table = pd.DataFrame(
        {"model": np.repeat(list(MODELS), len(IMAGES)), "image": np.tile(IMAGES, len(MODELS))}
    )
    for rank, name in enumerate(("prediction", *RUNNERS_UP)[:depth]):
        table[name] = RANKED[:, :, rank].ravel()
    if probability:
        table["probability"] = PROBABILITIES.ravel()
    return table.sample(frac=1, random_state=1).reset_index(drop=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    labels = pd.DataFrame({"image": IMAGES, "label": [NAMES[k] for k in LABELS]})
    labels.to_csv(tmp_path / "labels.csv", index=False)
    tree = pd.DataFrame({"name": NAMES, "path": [f"animal/{name}" for name in NAMES]})
    tree.to_csv(tmp_path / "classes.csv", index=False)
    return tmp_path


def read(root: Path, *files: str, **changes) -> tuple[Index, pd.DataFrame]:
    """What the stage `predictions` does, without writing."""
    content = {
        "source": "predictions",
        "root": root,
        "files": files,
        "labels": "labels.csv",
        "classes": "classes.csv",
        "models": MODELS,
        **changes,
    }
    joined = read_predictions(
        PredictionsData.model_validate(content), Comparison(conditions=("new", "old"))
    )
    index, table = joined.index, joined.predictions
    validate_predictions(table, index.index, len(index.classes))
    return index, table


def check(table: pd.DataFrame, depth: int = 1, probability: bool = False) -> None:
    """Every cell is the one that was written, under the condition and pair of its model."""
    assert list(table) == list(SCHEMAS["predictions"])
    found = table.astype({"run": str, "image_id": str}).set_index(["run", "image_id"]).sort_index()
    assert len(found) == len(MODELS) * len(IMAGES)
    for m, (model, settings) in enumerate(MODELS.items()):
        for i, image in enumerate(IMAGES):
            cell = found.loc[(model, image)]
            known = [cell[name] for name in ("prediction", *RUNNERS_UP)]
            assert known == [*RANKED[m, i, :depth], *[-1] * (5 - depth)]
            assert cell["policy"] == settings["condition"]
            assert cell["seed"] == {"x": 0, "y": 1}[settings["replicate"]]
            if probability:
                assert cell["probability"] == pytest.approx(PROBABILITIES[m, i])
            else:
                assert np.isnan(cell["probability"])
    assert table["strength"].isna().all()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(("depth", "probability"), [(1, False), (1, True), (3, False), (4, True)])
def test_rows(root: Path, ending: str, depth: int, probability: bool) -> None:
    table = rows(depth, probability)
    if ending == "csv":
        table.to_csv(root / "p.csv", index=False)
    else:
        table.to_parquet(root / "p.parquet")
    check(read(root, f"p.{ending}")[1], depth, probability)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_classes_by_name(root: Path, ending: str) -> None:
    table = rows(2)
    for column in ("prediction", "second"):
        table[column] = [NAMES[k] for k in table[column]]
    write = {"csv": pd.DataFrame.to_csv, "parquet": pd.DataFrame.to_parquet}[ending]
    write(table, root / f"p.{ending}")
    check(read(root, f"p.{ending}")[1], depth=2)


def test_numeric_names_are_names_before_they_are_numbers(root: Path) -> None:
    """Class "2" is the class of that name, though it is not the third."""
    pd.DataFrame({"name": list("3210"), "path": list("3210")}).to_csv(root / "classes.csv")
    pd.DataFrame({"image": IMAGES, "label": LABELS}).to_csv(root / "labels.csv", index=False)
    rows().to_csv(root / "p.csv", index=False)
    index, table = read(root, "p.csv")
    np.testing.assert_array_equal(index.index.set_index("image_id")["class_id"], 3 - LABELS)
    np.testing.assert_array_equal(
        table.sort_values(["run", "image_id"])["prediction"],
        3 - rows().sort_values(["model", "image"])["prediction"],
    )


@pytest.mark.parametrize("with_images", [True, False])
@pytest.mark.parametrize("as_names", [True, False])
@pytest.mark.parametrize("depth", [None, 1, 3])
def test_npz(root: Path, with_images: bool, as_names: bool, depth: int | None) -> None:
    ranked = RANKED[:, :, 0] if depth is None else RANKED[:, :, :depth]
    order = RNG.permutation(len(IMAGES)) if with_images else np.arange(len(IMAGES))
    arrays = {
        "models": np.array(list(MODELS)),
        "predictions" if depth is None else "top5": (
            np.array(NAMES)[ranked[:, order]] if as_names else ranked[:, order].astype(np.int16)
        ),
        "probabilities": PROBABILITIES[:, order] if depth is None else np.repeat(
            PROBABILITIES[:, order, None], depth, axis=2
        ),
    }  # fmt: skip
    if with_images:
        arrays["images"] = np.array(IMAGES)[order]
    np.savez(root / "p.npz", **arrays)
    check(read(root, "p.npz")[1], depth or 1, probability=True)


def test_names_of_pictures_from_a_pattern(root: Path) -> None:
    """Labels as a text file and predictions without names: both are named by the pattern."""
    (root / "labels.txt").write_text("\n".join(map(str, LABELS)) + "\n")
    np.savez(root / "p.npz", models=list(MODELS), predictions=RANKED[:, :, 0])
    index, table = read(root, "p.npz", labels="labels.txt", images="pic_{:03d}.png")
    assert list(index.index["image_id"]) == [f"pic_{n:03d}.png" for n in range(1, 13)]
    assert list(index.index["class_id"]) == list(LABELS)
    found = table[table["run"] == "small"].set_index("image_id")["prediction"]
    assert list(found[index.index["image_id"]]) == list(RANKED[1, :, 0])


def test_pictures_may_be_named_by_file_name(root: Path) -> None:
    table = rows()
    table["image"] = [image.rsplit("/", 1)[1] for image in table["image"]]
    table.to_csv(root / "p.csv", index=False)
    check(read(root, "p.csv")[1])


def test_one_model_a_file(root: Path) -> None:
    for model, own in rows(2).groupby("model"):
        own.drop(columns="model").to_csv(root / f"{model}.csv", index=False)
    check(read(root, *(f"{model}.csv" for model in MODELS))[1], depth=2)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_conditions_beside_the_predictions(root: Path, ending: str) -> None:
    table = rows()
    for column in ("condition", "replicate"):
        table[column] = [MODELS[model][column] for model in table["model"]]
    write = {"csv": pd.DataFrame.to_csv, "parquet": pd.DataFrame.to_parquet}[ending]
    write(table, root / f"p.{ending}")
    check(read(root, f"p.{ending}", models=None)[1])


def test_conditions_from_a_table_of_models(root: Path) -> None:
    rows().to_csv(root / "p.csv", index=False)
    table = pd.DataFrame([{"model": name, **row} for name, row in MODELS.items()])
    table.to_csv(root / "models.csv", index=False)
    check(read(root, "p.csv", models="models.csv")[1])


def test_without_replicates_no_two_runs_are_a_pair(root: Path) -> None:
    rows().to_csv(root / "p.csv", index=False)
    models = {name: {"condition": row["condition"]} for name, row in MODELS.items()}
    _, table = read(root, "p.csv", models=models)
    assert table.groupby("run", observed=True)["seed"].nunique().eq(1).all()
    assert table.groupby("seed")["run"].nunique().eq(1).all()


def test_replicates_of_their_own_are_no_pairs(root: Path) -> None:
    rows().to_csv(root / "p.csv", index=False)
    models = {name: {**row, "replicate": name} for name, row in MODELS.items()}
    _, table = read(root, "p.csv", models=models)
    assert table.groupby("seed")["run"].nunique().eq(1).all()


def test_models_of_other_conditions_and_unnamed_models_are_left_out(root: Path) -> None:
    rows().to_csv(root / "p.csv", index=False)
    models = {**MODELS, "big": {"condition": "third", "replicate": "x"}}
    del models["old-big"]
    _, table = read(root, "p.csv", models=models)
    assert set(table["run"]) == {"small", "old-small"}
    assert set(table["policy"]) == {"new", "old"}


def test_without_a_list_of_classes_names_come_from_the_labels(root: Path) -> None:
    named = rows().assign(prediction=lambda table: [NAMES[k] for k in table["prediction"]])
    named.to_csv(root / "p.csv", index=False)
    index, table = read(root, "p.csv", classes=None)
    assert list(index.classes["name"]) == NAMES  # sorted
    check(table)
    rows().to_csv(root / "p.csv", index=False)
    pd.DataFrame({"image": IMAGES, "label": LABELS + 7}).to_csv(root / "labels.csv", index=False)
    index, _ = read(root, "p.csv", classes=None)
    # The numbers that occur: three that are only predicted, and no class between them and 7.
    assert list(index.classes["name"]) == [str(n) for n in (0, 1, 2, 3, 7, 8, 9, 10)]
    assert list(index.index["class_id"]) == list(LABELS + 4)


def test_labels_in_both_files_may_agree(root: Path) -> None:
    table = rows()
    label = dict(zip(IMAGES, LABELS, strict=True))
    table.assign(label=[label[image] for image in table["image"]]).to_csv(root / "p.csv")
    check(read(root, "p.csv")[1])


def test_annotations_are_joined_by_picture(root: Path) -> None:
    rows().to_csv(root / "p.csv", index=False)
    lines = [f"{IMAGES[5]},dog", f"{IMAGES[0]},bee", f"{IMAGES[0]},ant", f"{IMAGES[7]},"]
    (root / "a.csv").write_text("\n".join(["image,label", *lines]))
    index, _ = read(root, "p.csv", annotations="a.csv")
    sets = index.annotations.set_index("image_id")["labels"]
    assert [sets[IMAGES[n]] for n in (0, 5, 7, 8)] == [[0, 1], [3], [], [2]]


def test_halves_are_balanced_and_do_not_depend_on_the_order_of_the_labels(root: Path) -> None:
    rows().to_csv(root / "p.csv", index=False)
    first = read(root, "p.csv")[0].index.set_index("image_id")["half"]
    labels = pd.read_csv(root / "labels.csv").sample(frac=1, random_state=3)
    labels.to_csv(root / "labels.csv", index=False)
    second = read(root, "p.csv")[0].index.set_index("image_id")["half"]
    pd.testing.assert_series_equal(first.sort_index(), second.sort_index())
    selected = (first == "select").groupby(LABELS).sum()
    assert selected.isin([1, 2]).all()  # of 3


def spoilt(row: int, column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def spoil(table: pd.DataFrame) -> pd.DataFrame:
        table[column] = table[column].astype(object)
        table.loc[row, column] = value
        return table

    return spoil


FIRST = rows().iloc[0]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda t: pd.concat([t, t.iloc[[3]]]),
            rf"row 49: model {rows().iloc[3]['model']} predicts {rows().iloc[3]['image']} more",
        ),
        (
            lambda t: t.drop(index=0),
            rf"p\.\w+: model {FIRST['model']} lacks 1 of 12 .* the first is {FIRST['image']}",
        ),
        (spoilt(2, "prediction", "4"), r"p\.\w+: .*row 3: prediction '4' is no class.* 0 to 3"),
        (spoilt(2, "prediction", "-1"), r"p\.\w+: .*row 3: prediction '-1' is no class"),
        (spoilt(2, "prediction", "1.5"), r"p\.\w+: .*row 3: prediction '1.5' is no class"),
        (spoilt(2, "prediction", ""), r"p\.\w+: .*row 3: prediction '' is no class"),
        (spoilt(2, "prediction", "²"), r"p\.\w+: .*row 3: prediction '²' is no class"),
        (spoilt(2, "prediction", "eel"), r"p\.\w+: .*row 3: prediction 'eel' is no class"),
        (spoilt(2, "second", "9"), r"p\.\w+: .*row 3: second '9' is no class"),
        (spoilt(5, "probability", "1.01"), r"p\.\w+: .*row 6: probability 1.01 is not in \[0, 1\]"),
        (spoilt(5, "probability", "-0.5"), r"p\.\w+: .*row 6: probability -0.5"),
        (spoilt(5, "probability", "nan"), r"p\.\w+: .*row 6: probability nan"),
        (spoilt(5, "probability", ""), r"p\.\w+: .*row 6: probability"),
        (spoilt(5, "probability", "much"), r"p\.\w+: .*row 6: probability much"),
        (spoilt(1, "image", "val/eel/77.jpg"), r"p\.\w+: .*row 2: val/eel/77.jpg: no such picture"),
        (spoilt(1, "model", "eel"), r"model \S+ lacks 1 of 12"),
        (lambda t: t.drop(columns="image"), r"p\.\w+: lacks the column image"),
        (lambda t: t.drop(columns="prediction"), r"p\.\w+: lacks the column prediction"),
        (lambda t: t.iloc[:0], r"p\.\w+: holds no predictions"),
        (lambda t: t[t["model"] != "big"], r"data\.models: .* no predictions of model 'big'"),
    ],
)  # fmt: skip
def test_faulty_rows_are_named(root: Path, ending: str, spoil: Callable, message: str) -> None:
    table = spoil(rows(2, probability=True).astype(str))
    if ending == "csv":
        table.to_csv(root / "p.csv", index=False)
    else:
        table.to_parquet(root / "p.parquet")
    with pytest.raises(InputError, match=message) as error:
        read(root, f"p.{ending}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("column", ["prediction", "probability"])
def test_missing_numbers_in_parquet_are_named(root: Path, column: str) -> None:
    table = rows(1, probability=True)
    table[column] = table[column].astype(float)
    table.loc[4, column] = np.nan
    table.to_parquet(root / "p.parquet")
    with pytest.raises(InputError, match=rf"p\.parquet: row 5: {column} (is missing|nan)"):
        read(root, "p.parquet")


def test_a_model_in_two_files_is_named(root: Path) -> None:
    table = rows()
    table.to_csv(root / "one.csv", index=False)
    table[table["model"] == "small"].to_csv(root / "two.csv", index=False)
    with pytest.raises(InputError, match=r"two\.csv: model small is in more than one file"):
        read(root, "one.csv", "two.csv")


def test_labels_that_disagree_are_named(root: Path) -> None:
    table = rows()
    label = dict(zip(IMAGES, LABELS, strict=True))
    table["label"] = [label[image] for image in table["image"]]
    table.loc[6, "label"] = (table.loc[6, "label"] + 1) % 4
    table.to_csv(root / "p.csv", index=False)
    told, known = NAMES[table.loc[6, "label"]], NAMES[label[table.loc[6, "image"]]]
    message = rf"p\.csv: line 8, row 7: {table.loc[6, 'image']} is labelled {told}, but {known} in"
    with pytest.raises(InputError, match=message):
        read(root, "p.csv")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (f"image,label\n{IMAGES[0]},ant\n{IMAGES[0]},ant\n", rf"row 2: {IMAGES[0]} is there twice"),
        (f"image,label\n{IMAGES[0]},eel\n", r"row 1: label 'eel' is no class"),
        (f"image,label\n{IMAGES[0]},\n", r"row 1: label '' is no class"),
        (f"image,label\n{IMAGES[0]},4\n", r"row 1: label '4' is no class"),
        ("picture,label\na,ant\n", r"lacks the column image"),
        ("image,label\n", r"holds no labels"),
        ("", r"not a CSV file"),
    ],
)
def test_bad_labels_are_named(root: Path, labels: str, message: str) -> None:
    rows().to_csv(root / "p.csv", index=False)
    (root / "labels.csv").write_text(labels)
    with pytest.raises(InputError, match=rf"labels\.csv: (line \d+, )?{message}"):
        read(root, "p.csv")


@pytest.mark.parametrize("odd", ["", "-1", "bee"])
def test_labels_are_all_numbers_or_all_names(root: Path, odd: str) -> None:
    """One odd label among numbers would renumber all classes by their sorted texts."""
    rows().to_csv(root / "p.csv", index=False)
    table = pd.DataFrame({"image": IMAGES, "label": list(map(str, LABELS))})
    table.loc[4, "label"] = odd
    table.to_csv(root / "labels.csv", index=False)
    with pytest.raises(InputError, match=rf"labels\.csv: line 6, row 5: label '{odd}'"):
        read(root, "p.csv", classes=None)


@pytest.mark.parametrize(
    ("content", "pattern", "message"),
    [
        (b"0\n1\n", None, r"data\.images: .*labels\.txt names no pictures"),
        (b"", "{}", r"labels\.txt: holds no labels"),
        (b"0 1 2", "{:q}", r"data\.images: '\{:q\}' is no pattern"),
        (b"0 1 2", "{nothing}", r"data\.images: '\{nothing\}' is no pattern"),
        (b"0 1 2", "same.jpg", r"data\.images: 'same\.jpg' gives all pictures the same name"),
        (b"0 1 7", "{}", r"labels\.txt: row 3: label '7' is no class"),
        (b"\xff\xfe\x00\x80", "{}", r"labels\.txt: not a text file"),
    ],
)
def test_bad_label_lists_are_named(root, content: bytes, pattern: str | None, message: str) -> None:
    rows().to_csv(root / "p.csv", index=False)
    (root / "labels.txt").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read(root, "p.csv", labels="labels.txt", images=pattern)


FINE = {"models": np.array(list(MODELS)), "predictions": RANKED[:, :, 0]}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({**FINE, "models": np.array(list(MODELS), object)}, r"not a readable .npz file"),
        ({"models": FINE["models"]}, r"(needs one array of predictions|covers 4 pictures)"),
        (
            {"predictions": FINE["predictions"]},
            r"no model of|no predictions of",
        ),
        ({**FINE, "predictions": RANKED[0, :, 0]}, r"shape \(12,\) and models \(4,\)"),
        ({**FINE, "predictions": RANKED[:3, :, 0]}, r"shape \(3, 12\) and models \(4,\)"),
        ({**FINE, "models": np.array("big")}, r"and models \(\)"),
        ({**FINE, "predictions": RANKED[:, :11, 0]}, r"covers 11 pictures, there are 12 names"),
        ({**FINE, "images": np.array(IMAGES[:11])}, r"covers 12 pictures, there are 11 names"),
        (
            {**FINE, "images": np.array([*IMAGES[:11], IMAGES[0]])},
            rf"row 12 of model big: .* predicts {IMAGES[0]} more than once",
        ),
        (
            {**FINE, "images": np.array([*IMAGES[:11], "eel"])},
            r"p\.npz: row 12: eel: no such picture",
        ),
        (
            {**FINE, "predictions": np.where(FINE["predictions"] == 3, 4, FINE["predictions"])},
            r"p\.npz: row \d+ of model \S+: prediction \S+ is no class",
        ),
        (
            {**FINE, "probabilities": np.full((4, 11), 0.5)},
            r"p\.npz: predictions: probabilities have shape \(4, 11\)",
        ),
        (
            {**FINE, "probabilities": np.where(np.arange(48).reshape(4, 12) == 13, np.nan, 0.5)},
            r"p\.npz: row 2 of model small: probability nan",
        ),
        ({**FINE, "models": np.array(["big"] * 4)}, r"p\.npz: model big is there twice"),
    ],
)
def test_bad_arrays_are_named(root: Path, arrays: dict, message: str) -> None:
    np.savez(root / "p.npz", **arrays)
    with pytest.raises(InputError, match=message):
        read(root, "p.npz")


def npz() -> bytes:
    import io

    stream = io.BytesIO()
    np.savez_compressed(stream, **FINE)
    return stream.getvalue()


def npy() -> bytes:
    import io

    stream = io.BytesIO()
    np.save(stream, RANKED)
    return stream.getvalue()


def parquet() -> bytes:
    return rows(4, probability=True).to_parquet(compression=None)


def damaged(content: bytes, first: int, last: int) -> bytes:
    return content[:first] + bytes(255 - byte for byte in content[first:last]) + content[last:]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.npz", b""),
        ("text.npz", b"no arrays"),
        ("array.npz", npy()),
        ("half.npz", npz()[: len(npz()) // 2]),
        ("damaged.npz", damaged(npz(), 100, 400)),
        ("empty.parquet", b""),
        ("text.parquet", b"no table"),
        ("half.parquet", parquet()[: len(parquet()) // 2]),
        ("damaged.parquet", damaged(parquet(), 4, 300)),
        ("binary.csv", b"image,prediction\n\xff\xfe,\x80\n"),
        ("ragged.csv", b"image,prediction\na,b,c,d\ne\n,,,,,\n"),
        ("p.json", b"[]"),
        ("gone.csv", None),
        ("gone.npz", None),
    ],
)
def test_unreadable_files_are_named(root: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (root / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        read(root, name)
    assert name in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            {**MODELS, "eel": {"condition": "old", "replicate": "z"}},
            "no predictions of model 'eel'",
        ),
        (
            {name: {**row, "condition": "new"} for name, row in MODELS.items()},
            "no model of the condition 'old'",
        ),
        (
            {**MODELS, "big": {"condition": "new"}},
            "model big has no replicate, though others have one",
        ),
        (
            {**MODELS, "big": {"condition": "new", "replicate": "z"}},
            "condition 'new' has no model with the replicate 'x'; conditions share all",
        ),
        (
            {**MODELS, "old-big": {"condition": "other", "replicate": "x"}},
            "condition 'old' has no model with the replicate 'x'",
        ),
        (
            {
                "big": {"condition": "new", "replicate": "y"},
                "small": {"condition": "new", "replicate": "y"},
                "old-small": {"condition": "old", "replicate": "y"},
            },
            "repeats policy new with seed 0",
        ),
    ],
)
def test_bad_models_are_named(root: Path, models: dict, message: str) -> None:
    rows().to_csv(root / "p.csv", index=False)
    with pytest.raises(InputError, match=message):
        read(root, "p.csv", models=models)


def test_a_bad_table_of_models_is_named(root: Path) -> None:
    rows().to_csv(root / "p.csv", index=False)
    with pytest.raises(InputError, match=r"p\.csv: no column condition .* model \S+ belongs"):
        read(root, "p.csv", models=None)
    (root / "models.csv").write_text("model,condition\nbig,new\nbig,old\n")
    with pytest.raises(InputError, match=r"models\.csv: model big is there twice"):
        read(root, "p.csv", models="models.csv")
    (root / "models.csv").write_text("model\nbig\n")
    with pytest.raises(InputError, match=r"models\.csv: lacks the column condition"):
        read(root, "p.csv", models="models.csv")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ("name,path\nant,ant\nant,ant\n", r"classes\.csv: ant twice"),
        ("path\nant\n", r"classes\.csv: lacks the column name"),
        ("name,path\nant,ant\n", r"row \d+: label 'bee' is no class"),
    ],
)
def test_bad_classes_are_named(root: Path, classes: str, message: str) -> None:
    rows().to_csv(root / "p.csv", index=False)
    (root / "classes.csv").write_text(classes)
    with pytest.raises(InputError, match=message):
        read(root, "p.csv")


def test_file_names_that_several_pictures_share_do_not_match(root: Path) -> None:
    same = [image.replace("01.jpg", "00.jpg") for image in IMAGES]
    same[1] = "val/other/00.jpg"
    pd.DataFrame({"image": same, "label": LABELS}).to_csv(root / "labels.csv", index=False)
    rows().assign(image="00.jpg").to_csv(root / "p.csv", index=False)
    with pytest.raises(InputError, match=r"row 1: 00\.jpg: several pictures have that name"):
        read(root, "p.csv")


def test_real_predictions_for_imagenet(real_data: Path) -> None:
    """From files to accuracies as published; ids, labels and sets are joined by file name."""
    folder = real_data / "imagenet_val"
    if not folder.is_dir() or find_spec("timm") is None:
        absent("timm, or the folder imagenet_val of the real data,")
    index, table = read(
        folder,
        "top5_16models.npz",
        labels="val_labels.txt",
        images="ILSVRC2012_val_{:08d}.JPEG",
        classes="imagenet",
        annotations="real",
        models={"vgg16": {"condition": "new"}, "resnet50": {"condition": "old"}},
    )
    sizes = index.annotations["labels"].str.len()
    assert (sizes.eq(0).sum(), sizes.eq(1).sum(), sizes.gt(1).sum()) == (3163, 39_394, 7443)
    assert list(index.classes["name"][[0, 151, 837]]) == ["tench", "Chihuahua", "sunglasses"]
    label = index.index.set_index("image_id")["class_id"]
    sets = index.annotations.set_index("image_id")["labels"]
    for model, original, multi in (("vgg16", 71.59, 79.04), ("resnet50", 76.13, 82.96)):
        own = table[table["run"] == model].set_index("image_id")
        assert 100 * (own["prediction"] == label[own.index]).mean() == pytest.approx(
            original, abs=0.03
        )
        judged = [
            p in labels
            for p, labels in zip(own["prediction"], sets[own.index], strict=True)
            if labels
        ]
        assert len(judged) == 46_837
        assert 100 * np.mean(judged) == pytest.approx(multi, abs=0.03)
