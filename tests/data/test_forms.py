"""Every form of predictions against every fault: read exactly, or one clear line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daclass.config import Comparison, PredictionsData
from daclass.data.predictions import read_parts, read_predictions
from daclass.data.predictions.plain import conditions_in
from daclass.errors import InputError

NAMES = ["ant", "bee", "cat", "dog"]
MODELS = ("new", "old")
LABELS = np.repeat(range(4), 3)
RNG = np.random.default_rng(1)
RECORDS = [
    {
        "image": f"val/{NAMES[label]}/{number:02d}.jpg",
        "label": int(label),
        **{model: int(RNG.integers(4)) for model in MODELS},
    }
    for number, label in enumerate(LABELS)
]
IMAGES = [record["image"] for record in RECORDS]
Records = list[dict[str, Any]]


def long(records: Records) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": np.repeat(MODELS, len(records)),
            "image": [record["image"] for record in records] * 2,
            "prediction": pd.Series(
                [record[model] for model in MODELS for record in records], dtype=object
            ),
        }
    )


def scores(records: Records, model: str) -> np.ndarray:
    """[N, 4] that add up to 1, highest for the prediction; NaN where that is missing."""
    found = np.full((len(records), 4), 0.1)
    for row, record in zip(found, records, strict=True):
        row[record[model] if record[model] is not None else 0] = 0.7
        row[:] = row if record[model] is not None else np.nan
    return found


def csv(records: Records, root: Path, sep: str = ",") -> dict:
    name = "p.csv" if sep == "," else "p.tsv"
    long(records).to_csv(root / name, sep=sep, index=False)
    return {"files": [name]}


def tsv(records: Records, root: Path) -> dict:
    return csv(records, root, sep="\t")


def csv_gz(records: Records, root: Path) -> dict:
    (root / "p.csv.gz").write_bytes(gzip.compress(long(records).to_csv(index=False).encode()))
    return {"files": ["p.csv.gz"]}


def mapped(records: Records, root: Path) -> dict:
    names = {"model": "net", "image": "path of it", "prediction": "argmax"}
    long(records).rename(columns=names).assign(prediction="cow").to_csv(root / "p.csv", index=False)
    return {"files": ["p.csv"], "columns": names}


def jsonl(records: Records, root: Path) -> dict:
    rows = long(records).to_dict("records")
    (root / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"files": ["p.jsonl"]}


def json_list(records: Records, root: Path) -> dict:
    (root / "p.json").write_text(json.dumps(long(records).to_dict("records")))
    return {"files": ["p.json"]}


def parquet(records: Records, root: Path) -> dict:
    table = long(records)
    table["prediction"] = [
        name if name is None or isinstance(name, str) else [*NAMES, *"?" * 9][int(name * 1)]
        for name in table["prediction"]
    ]
    table.to_parquet(root / "p.parquet", compression=None)
    return {"files": ["p.parquet"]}


def floats(records: Records, root: Path) -> dict:
    table = long(records)
    table["prediction"] = [f"{v}.0" if isinstance(v, int) else v for v in table["prediction"]]
    table.to_csv(root / "p.csv", index=False)
    return {"files": ["p.csv"]}


def windows_paths(records: Records, root: Path) -> dict:
    table = long(records)
    table["image"] = ["D:\\data\\" + name.replace("/", "\\") for name in table["image"]]
    table.to_csv(root / "p.csv", index=False)
    return {"files": ["p.csv"]}


def without_endings(records: Records, root: Path) -> dict:
    table = long(records)
    table["image"] = [Path(name).stem for name in table["image"]]
    table.to_csv(root / "p.csv", index=False)
    return {"files": ["p.csv"]}


def column_for_each_model(records: Records, root: Path) -> dict:
    table = pd.DataFrame(records, dtype=object)
    table.to_csv(root / "p.csv", index=False)
    return {"files": ["p.csv"]}


def column_for_each_class(records: Records, root: Path) -> dict:
    for model in MODELS:
        table = pd.DataFrame(scores(records, model), columns=[f"prob_{name}" for name in NAMES])
        table = table.astype(object).where(table.notna(), None)
        table.insert(0, "image", [record["image"] for record in records])
        table.to_csv(root / f"{model}.csv", index=False)
    return {"files": ["new.csv", "old.csv"]}


def timm(records: Records, root: Path, *, separate: bool = False) -> dict:
    """As timm's inference.py writes it with --include-index, and with --results-separate-col."""
    for model in MODELS:
        end = "_0" if separate else ""
        known = [record[model] for record in records]
        table = {
            "filename": [Path(record["image"]).name for record in records],
            f"index{end}": pd.Series(known, dtype=object),
            f"label{end}": ["a word from WordNet" for _ in records],
            f"prob{end}": [0.7 for _ in records],
        }
        if separate:
            table["index_1"] = pd.Series([(v + 1) % 4 if v in range(4) else 0 for v in known])
            table["prob_1"] = 0.1
        pd.DataFrame(table).to_csv(root / f"{model}.csv", index=False)
    return {"files": ["new.csv", "old.csv"]}


def timm_separate(records: Records, root: Path) -> dict:
    return timm(records, root, separate=True)


def hugging_face(records: Records, root: Path) -> dict:
    """Pictures as structs of bytes and path, class names in the metadata, lists of scores."""
    features = {"label": {"names": NAMES, "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    for model in MODELS:
        table = pa.table(
            {
                "image": pa.array(
                    [{"bytes": b"x" * 99, "path": record["image"]} for record in records]
                ),
                "label": [record["label"] for record in records],
                "logits": pa.array(scores(records, model).tolist()),
            }
        )
        pq.write_table(table.replace_schema_metadata(metadata), root / f"{model}.parquet")
    return {"files": ["new.parquet", "old.parquet"]}


def lists_of_ranks(records: Records, root: Path) -> dict:
    rows = long(records).to_dict("records")
    for row in rows:
        known = row["prediction"]
        row["prediction"] = [known, *[k for k in range(4) if k != known][:2]]
    (root / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"files": ["p.jsonl"]}


def npy(records: Records, root: Path) -> dict:
    for model in MODELS:
        np.save(root / f"{model}.npy", np.log(scores(records, model)).astype(np.float32))
    return {"files": ["new.npy", "old.npy"]}


def npz(records: Records, root: Path) -> dict:
    values = [[-1 if r[m] is None else r[m] for r in records] for m in MODELS]
    images = [record["image"] for record in records]
    np.savez(root / "p.npz", models=MODELS, predictions=np.array(values), images=images)
    return {"files": ["p.npz"]}


def npz_scores(records: Records, root: Path) -> dict:
    values = np.stack([scores(records, model) for model in MODELS])
    images = [record["image"] for record in records]
    np.savez(root / "p.npz", models=MODELS, probabilities=values, images=images)
    return {"files": ["p.npz"]}


def pt(records: Records, root: Path) -> dict:
    torch = pytest.importorskip("torch")
    for model in MODELS:
        content = {"logits": torch.tensor(np.log(scores(records, model))).half()}
        torch.save(content, root / f"{model}.pt")
    return {"files": ["new.pt", "old.pt"]}


FORMS: list[Callable[[Records, Path], dict]] = [
    csv, tsv, csv_gz, mapped, jsonl, json_list, parquet, floats, windows_paths, without_endings,
    column_for_each_model, column_for_each_class, timm, timm_separate, hugging_face, lists_of_ranks,
    npy, npz, npz_scores, pt,
]  # fmt: skip
BY_SCORES = {column_for_each_class, hugging_face, npy, npz_scores, pt}
BY_PLACE = {npy, pt}  # arrays alone: pictures are told by their place


def missing(records: Records) -> Records:
    return records[:4] + records[5:]


def extra(records: Records) -> Records:
    return [*records, {"image": "val/eel/99.jpg", "label": 0, "new": 0, "old": 0}]


def doubled(records: Records) -> Records:
    return [*records, records[2]]


def shuffled(records: Records) -> Records:
    return [records[n] for n in np.random.default_rng(3).permutation(len(records))]


def changed(value: object) -> Callable[[Records], Records]:
    def change(records: Records) -> Records:
        return [*records[:3], {**records[3], "new": value}, *records[4:]]

    return change


null, negative, beyond, text = changed(None), changed(-1), changed(4), changed("eel")
fraction, huge, long_number = changed(1.5), changed(99999999999), changed("9" * 5000)


def read(root: Path, form: Callable, records: Records, **more: Any) -> pd.DataFrame:
    table = pd.DataFrame(RECORDS)[["image", "label"]]
    table.assign(label=[NAMES[label] for label in table["label"]]).to_csv(
        root / "labels.csv", index=False
    )
    pd.DataFrame({"name": NAMES}).to_csv(root / "classes.csv", index=False)
    settings = {"labels": "labels.csv", "classes": "classes.csv", **form(records, root), **more}
    data = PredictionsData.model_validate({"source": "predictions", "root": root, **settings})
    return read_predictions(data, Comparison(conditions=MODELS)).predictions


def exact(table: pd.DataFrame, records: Records = RECORDS) -> None:
    found = {
        (row.run, row.image_id): row.prediction
        for row in table.astype({"run": str, "image_id": str}).itertuples()
    }
    assert found == {(m, record["image"]): record[m] for record in records for m in MODELS}
    assert (table["policy"].astype(str) == table["run"].astype(str)).all()


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_read_exactly(tmp_path: Path, form: Callable) -> None:
    exact(read(tmp_path, form, RECORDS))


def test_numbers_are_no_classes_where_labels_are_names(tmp_path: Path) -> None:
    """They were taken for places in the alphabet."""
    for form in (csv, timm, npy, npz_scores, pt, lists_of_ranks):
        with pytest.raises(InputError, match=r"nothing says in which order .*data\.classes"):
            read(tmp_path, form, RECORDS, classes=None)
    for form in (parquet, column_for_each_class, hugging_face):
        exact(read(tmp_path, form, RECORDS, classes=None))


@pytest.mark.parametrize("form", [form for form in FORMS if form not in BY_PLACE])
def test_the_order_of_rows_means_nothing(tmp_path: Path, form: Callable) -> None:
    exact(read(tmp_path, form, shuffled(RECORDS)))


@pytest.mark.parametrize("form", [form for form in FORMS if form not in BY_PLACE])
def test_common_pictures_are_joined_on_request(tmp_path: Path, form: Callable) -> None:
    kept = [record for record in RECORDS if record != RECORDS[4]]
    exact(read(tmp_path, form, missing(extra(RECORDS)), pictures="common"), kept)


REFUSED = [
    (missing, r"model new lacks 1 of 12|covers 11 pictures, there are 12"),
    (extra, r"row 13: .*no such picture|covers 13 pictures, there are 12"),
    (doubled, r"row 13.* predicts val/ant/02.jpg more than once|covers 13 pictures"),
    (null, r"row 4\b.*(missing|''|is no class|NaN|no number|'nan')"),
    (negative, r"row 4\b.*-1(.0)?'? is no class"),
    (beyond, r"row 4\b.*(4|4.0|'\?')'? is no class"),
    (text, r"row 4\b.*'eel(.0)?' is no class"),
    (fraction, r"row 4\b.*1.5'? is no class"),
    (huge, r"row 4\b.*99999999999(.0)?'? is no class"),
    (long_number, r"row 4\b.*9{57}\.\.\.' is no class"),
]


@pytest.mark.parametrize(("fault", "message"), REFUSED)
@pytest.mark.parametrize("form", FORMS)
def test_each_fault_is_one_line_with_file_and_row(tmp_path, form, fault, message) -> None:
    if form in BY_SCORES and fault not in (missing, extra, doubled, null):
        pytest.skip("scores name no class")
    if form is parquet and fault in (negative, fraction, huge):
        pytest.skip("its classes are names")
    if form is npz and fault in (text, fraction, long_number):
        pytest.skip("an array of one such value is one of other values throughout")
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path, form, fault([dict(record) for record in RECORDS]))
    assert "\n" not in str(error.value) and len(str(error.value)) < 600
    named = read_names(tmp_path)
    assert any(name in str(error.value) for name in named), str(error.value)


WIDE = pd.DataFrame(
    {"image": IMAGES, "label": LABELS, **{m: [r[m] for r in RECORDS] for m in MODELS}}
)


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "__index_level_0__", "index", "nr", "...1"])
@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_a_column_that_numbers_the_rows_is_no_model(tmp_path, name, start, ending) -> None:
    """pandas' index, written as the first column, was the tested condition."""
    table = WIDE.copy()
    table.insert(0, name, range(start, start + len(table)))
    if ending == "csv":
        table.to_csv(tmp_path / "p.csv", index=False)
    elif ending == "json":
        table.to_json(tmp_path / "p.json", orient="records")
    else:
        table.to_parquet(tmp_path / "p.parquet", index=False)
    settings = {"source": "predictions", "root": tmp_path, "files": [f"p.{ending}"]}
    data = PredictionsData.model_validate(settings)
    assert conditions_in(data) == list(MODELS)
    exact(read(tmp_path, lambda records, root: settings, RECORDS, labels=None))
    _, (part,) = read_parts(data, ())
    assert part.notes == (
        f"{tmp_path / f'p.{ending}'}: left out what numbers the rows and is no prediction: "
        f"the column {name!r}.",
    )


def test_a_column_that_numbers_the_rows_is_no_class(tmp_path) -> None:
    settings = column_for_each_class(RECORDS, tmp_path)
    for name in settings["files"]:
        pd.read_csv(tmp_path / name).to_csv(tmp_path / name)
    exact(read(tmp_path, lambda records, root: settings, RECORDS))


def test_one_picture_for_each_class_may_be_counted(tmp_path) -> None:
    table = pd.DataFrame({"image": list("abcd"), "label": range(4), "new": range(4), "old": 0})
    table.assign(old=[0, 0, 1, 1]).to_csv(tmp_path / "p.csv", index=False)
    settings = {"source": "predictions", "root": tmp_path, "files": ["p.csv"]}
    assert conditions_in(PredictionsData.model_validate(settings)) == ["new", "old"]


def test_a_column_of_one_value_is_asked_about(tmp_path) -> None:
    WIDE.assign(epoch=3).to_csv(tmp_path / "p.csv", index=False)
    settings = {"source": "predictions", "root": tmp_path, "files": ["p.csv"]}
    with pytest.raises(InputError, match=r"p\.csv: the column epoch holds '3' in every row: .*"):
        conditions_in(PredictionsData.model_validate(settings))
    named = PredictionsData.model_validate({**settings, "columns": {"models": list(MODELS)}})
    assert conditions_in(named) == list(MODELS)
    # Who names the conditions has named the columns.
    exact(read(tmp_path, lambda records, root: settings, RECORDS, labels=None))


def read_names(root: Path) -> list[str]:
    return [file.name for file in root.iterdir() if file.name not in ("labels.csv", "classes.csv")]


@pytest.mark.parametrize("part", ["cut", "flipped", "empty", "zeros"])
@pytest.mark.parametrize("form", FORMS)
def test_damage_is_one_line_or_the_very_numbers(tmp_path: Path, form: Callable, part: str) -> None:
    """A flipped byte in a text may be another text: then it is no class, or no such picture."""
    name = form(RECORDS, tmp_path)["files"][0]
    whole = (tmp_path / name).read_bytes()
    middle = len(whole) // 2
    content = {
        "cut": whole[:middle],
        "flipped": whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :],
        "empty": b"",
        "zeros": bytes(len(whole)),
    }[part]

    def damaged(records: Records, root: Path) -> dict:
        settings = form(records, root)
        (root / name).write_bytes(content)
        return settings

    try:
        exact(read(tmp_path, damaged, RECORDS))
    except InputError as error:
        assert name in str(error) and "\n" not in str(error)
    else:
        assert part == "flipped"
