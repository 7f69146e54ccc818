"""Predictions that other programs made, as a study's tables.

Formats, told by the file's ending:

- .csv and .parquet, one row a (model, picture): `image`; `prediction`, the class ranked first, and
  optionally `second` to `fifth`; `model`, unless the file holds one, which is then named as the
  file is; optionally `condition` and `replicate` (where no separate table of models gives them),
  `probability` of the prediction in [0, 1], and `label`, which must agree with the labels' file.
- .npz: `models` [M] (names), and `predictions` or `top5` (any array with that name or starting with
  "top"): class numbers [M, N] or, ranked, [M, N, k]; optionally `images` [N] and `probabilities`
  [M, N] or [M, N, k]. Object arrays, which would have to be unpickled, are refused.

Classes are class numbers or class names. Pictures are joined by id or file name, and by position
only in an .npz without `images`, which then must have one column for every labelled picture.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from daclass.config import Comparison, PredictionsData
from daclass.data.annotations import read_annotations
from daclass.data.imagenet import class_tree
from daclass.data.index import Index, halves, label_sets
from daclass.data.names import match_pictures
from daclass.data.tabular import read_csv
from daclass.data.wordnet import class_path
from daclass.errors import InputError
from daclass.tables import RUNNERS_UP, SCHEMAS

_RANKS = ("prediction", *RUNNERS_UP)
_OPTIONAL = (*RUNNERS_UP, "model", "condition", "replicate", "probability", "label")


def read_predictions(data: PredictionsData, comparison: Comparison) -> tuple[Index, pd.DataFrame]:
    """Read and join labels, annotations, models and predictions.

    Runs of a condition are numbered by their replicate's rank among all replicates, so that runs
    with one replicate are pairs; without replicates each run has a number of its own.

    Returns:
        The tables that describe the pictures, and table "predictions".

    Raises:
        InputError: naming the file, and the row or model, that is wrong.
    """
    classes, labels = _classes_and_labels(data)
    pictures = list(labels["image_id"])
    runs = pd.concat(
        [_read(data.root / file, labels, classes, data.images) for file in data.files],
        ignore_index=True,
    )
    twice = runs.groupby("run", observed=True)["file"].nunique()
    if (twice > 1).any():
        raise InputError(f"{data.files[-1]}: model {twice.idxmax()} is in more than one file")
    models = _models(data, runs, comparison)
    runs = runs[runs["run"].isin(models["run"])]
    table = runs.drop(columns=["condition", "replicate", "file"]).merge(models, on="run")
    table["image_id"] = pd.Categorical(table["image_id"], pictures)
    annotations = None
    if data.annotations is not None:
        annotations = read_annotations(
            _below(data.root, data.annotations), pictures, list(classes["name"])
        )
    val = labels.assign(split="val", draw=-1, position=range(len(labels)), content="")
    val["half"] = halves(val, data.split_seed)
    ids = {name: number for number, name in enumerate(classes["name"])}
    truth = pd.DataFrame({name: [] for name in SCHEMAS["truth"]})
    index = Index(val, classes, label_sets(annotations, val, ids), truth)
    return index, table[list(SCHEMAS["predictions"])]


def _below(root: Path, file: Path | Literal["real"]) -> Path | Literal["real"]:
    return root / file if isinstance(file, Path) else file


def _classes_and_labels(data: PredictionsData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table "classes", and the columns image_id and class_id."""
    images, labels = _labels(data)
    if data.classes == "imagenet":
        tree = class_tree()
    elif data.classes == "wordnet":
        names = _class_names(labels, data.labels)
        tree = pd.DataFrame({"name": names, "path": [class_path(name) for name in names]})
    elif data.classes is not None:
        tree = read_csv(data.root / data.classes, "name", "path")
    else:
        names = _class_names(labels, data.labels)
        tree = pd.DataFrame({"name": names, "path": names})
    if tree.empty:
        raise InputError(f"{data.classes}: names no class")
    if not tree["name"].is_unique:
        raise InputError(f"{data.classes}: {tree['name'][tree['name'].duplicated()].iloc[0]} twice")
    numbers = _numbers(labels, list(tree["name"]), data.labels, "label")
    frame = pd.DataFrame({"image_id": images, "class_id": numbers})
    again = frame["image_id"].duplicated()
    if again.any():
        raise InputError(f"{data.labels}: {frame.loc[again, 'image_id'].iloc[0]} is there twice")
    return tree.assign(class_id=range(len(tree))), frame


def _class_names(labels: pd.Series, file: Path) -> list[str]:
    """Names for want of a list: the numbers up to the largest, or the sorted distinct texts."""
    numbers = labels.str.fullmatch(r"\d+")
    if numbers.all():
        return [str(number) for number in range(int(labels.astype(int).max()) + 1)]
    # One stray text among numbers would make texts of them all, and number them in another order.
    odd = ~numbers if numbers.any() else labels.str.strip() == ""
    if odd.any():
        row = int(odd.to_numpy().argmax())
        raise InputError(f"{file}: row {row + 1}: label {labels.iloc[row]!r} is no class")
    return sorted(labels.unique())


def _labels(data: PredictionsData) -> tuple[pd.Series, pd.Series]:
    """Picture ids and labels, as text."""
    file = data.root / data.labels
    if file.suffix.lower() == ".csv":
        table = read_csv(file, "image", "label")
        if table.empty:
            raise InputError(f"{file}: holds no labels")
        return table["image"], table["label"]
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    if data.images is None:
        raise InputError(f"data.images: {file} names no pictures, so their names are needed here")
    try:
        lines = pd.Series(file.read_text(encoding="utf-8").split(), dtype=str)
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not a text file ({error})") from None
    if lines.empty:
        raise InputError(f"{file}: holds no labels")
    return _names(data.images, len(lines)), lines


def _names(pattern: str, number: int) -> pd.Series:
    try:
        names = pd.Series([pattern.format(rank) for rank in range(1, number + 1)])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"data.images: {pattern!r} is no pattern for a number ({error})") from None
    if not names.is_unique:
        raise InputError(f"data.images: {pattern!r} gives all pictures the same name")
    return names


def _read(
    file: Path, labels: pd.DataFrame, classes: pd.DataFrame, pattern: str | None
) -> pd.DataFrame:
    """One file's predictions: the columns of table "predictions" but policy, strength and seed,
    with condition, replicate and file beside them."""
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    match file.suffix.lower():
        case ".csv":
            rows = read_csv(file, "image", "prediction", optional=_OPTIONAL)
        case ".parquet":
            rows = _read_parquet(file)
        case ".npz":
            rows = _read_npz(file, labels, pattern)
        case other:
            raise InputError(f"{file}: predictions are .csv, .parquet or .npz, not {other!r}")
    if rows.empty:
        raise InputError(f"{file}: holds no predictions")
    names = list(classes["name"])
    found = pd.DataFrame(
        {
            "run": pd.Categorical(rows["model"] if "model" in rows else [file.stem] * len(rows)),
            "image_id": match_pictures(rows["image"], list(labels["image_id"]), file),
            "probability": _probabilities(rows, file),
            "file": str(file),
        }
    )
    for rank in _RANKS:
        found[rank] = _numbers(rows[rank], names, file, rank) if rank in rows else -1
    for column in ("condition", "replicate"):
        found[column] = rows[column].astype(str) if column in rows else ""
    if "label" in rows:
        _check_labels(file, rows, found, labels, names)
    return found


def _read_parquet(file: Path) -> pd.DataFrame:
    try:
        present = pq.read_schema(file).names
        missing = [name for name in ("image", "prediction") if name not in present]
        if missing:
            raise InputError(f"{file}: lacks the column {missing[0]} (needs image, prediction)")
        columns = [name for name in ("image", "prediction", *_OPTIONAL) if name in present]
        return pq.read_table(file, columns=columns).to_pandas()
    except (pa.ArrowInvalid, OSError) as error:
        what = " ".join(str(error).split())
        raise InputError(f"{file}: not a readable Parquet file ({what})") from None


def _read_npz(file: Path, labels: pd.DataFrame, pattern: str | None) -> pd.DataFrame:
    try:
        stored = np.load(file, allow_pickle=False)
        if isinstance(stored, np.ndarray):
            raise ValueError("it holds one array without a name")
        with stored:
            arrays = {name: stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        what = " ".join(str(error).split())
        raise InputError(f"{file}: not a readable .npz file ({what})") from None
    key = next((n for n in arrays if n == "predictions" or n.startswith("top")), None)
    if key is None or "models" not in arrays:
        raise InputError(
            f"{file}: needs the arrays models and predictions (or top5); has {[*arrays]}"
        )
    ranked = arrays[key][:, :, None] if arrays[key].ndim == 2 else arrays[key]
    if ranked.ndim != 3 or arrays["models"].shape != ranked.shape[:1]:
        raise InputError(
            f"{file}: {key} has shape {arrays[key].shape} and models {arrays['models'].shape}; "
            "expected [models, pictures] or [models, pictures, ranks], and [models]"
        )
    models, pictures, depth = ranked.shape
    if "images" in arrays:
        images = pd.Series(arrays["images"].astype(str))
    elif pattern is not None:
        images = _names(pattern, pictures)
    else:
        images = labels["image_id"]
    if len(images) != pictures:
        raise InputError(f"{file}: {key} covers {pictures} pictures, there are {len(images)} names")
    rows = pd.DataFrame(
        {
            "model": np.repeat(arrays["models"].astype(str), pictures),
            "image": pd.Categorical(np.tile(images.to_numpy(), models)),
        }
    )
    for rank, name in enumerate(_RANKS[:depth]):
        rows[name] = ranked[:, :, rank].ravel()
    if "probabilities" in arrays:
        given = arrays["probabilities"]
        if given.shape[:2] != (models, pictures):
            raise InputError(
                f"{file}: probabilities have shape {given.shape}, {key} {ranked.shape}"
            )
        rows["probability"] = given.reshape(models * pictures, -1)[:, 0]
    return rows


def _numbers(values: pd.Series, names: Sequence[str], file: Path, what: str) -> np.ndarray:
    """Class numbers from class numbers or names."""
    known = {name: number for number, name in enumerate(names)}
    called = {name: number for name, number in known.items() if name.isdecimal()}
    if any(name != str(number) for name, number in called.items()):
        # Folders called 0, 1, 10, 11, 2: is 2 the third class or the one called so?
        if pd.api.types.is_numeric_dtype(values):
            raise InputError(
                f"{file}: {what}: classes are called by numbers that are not their places, such as "
                f"{names[-1]!r}; give their names as text"
            )
        known.update({str(number): -1 for number in range(len(names)) if str(number) not in known})
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(np.float64)
    else:
        # By distinct value, since there are few classes and many rows. A class that is called "7"
        # is that class, whatever its number.
        codes, distinct = pd.factorize(values.astype(str))
        numbers = np.array([known.get(t, _whole(t)) for t in distinct], np.float64)[codes]
    wrong = ~((numbers >= 0) & (numbers < len(names)) & (numbers == np.floor(numbers)))
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"{file}: row {row + 1}: {what} {str(values.iloc[row])!r} is no class: they are "
            f"numbered 0 to {len(names) - 1}, from {names[0]!r} to {names[-1]!r}"
        )
    return numbers.astype(np.int32)


def _whole(text: str) -> float:
    return float(text) if text.strip().isdecimal() else np.nan


def _probabilities(rows: pd.DataFrame, file: Path) -> np.ndarray:
    if "probability" not in rows:
        return np.full(len(rows), np.nan, np.float32)
    found = pd.to_numeric(rows["probability"], errors="coerce").to_numpy(np.float32)
    wrong = ~((found >= 0) & (found <= 1))  # True for NaN
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"{file}: row {row + 1}: probability {rows['probability'].iloc[row]} is not in [0, 1]"
        )
    return found


def _check_labels(
    file: Path, rows: pd.DataFrame, found: pd.DataFrame, labels: pd.DataFrame, names: Sequence[str]
) -> None:
    own = _numbers(rows["label"], names, file, "label")
    wanted = labels.set_index("image_id")["class_id"].reindex(found["image_id"]).to_numpy()
    if (own != wanted).any():
        row = int((own != wanted).argmax())
        raise InputError(
            f"{file}: row {row + 1}: {rows['image'].iloc[row]} is labelled {names[own[row]]}, but "
            f"{names[wanted[row]]} in the file of the labels"
        )


def _models(data: PredictionsData, runs: pd.DataFrame, comparison: Comparison) -> pd.DataFrame:
    """Columns run, policy, strength and seed, one row a model of the compared conditions."""
    source: object
    if isinstance(data.models, dict):
        source = "data.models"
        rows = [(name, m.condition, m.replicate) for name, m in data.models.items()]
        table = pd.DataFrame(rows, columns=["run", "condition", "replicate"])
    elif data.models is not None:
        source = data.root / data.models
        table = read_csv(source, "model", "condition", optional=("replicate",))
        table = table.rename(columns={"model": "run"})
    else:
        table = runs[["run", "condition", "replicate"]].drop_duplicates().astype(str)
        source = data.files[0]
        if (table["condition"] == "").any():
            raise InputError(
                f"{source}: no column condition says what model {table['run'].iloc[0]} belongs to; "
                "add it, or give data.models"
            )
    again = table["run"].duplicated()
    if again.any():
        raise InputError(f"{source}: model {table.loc[again, 'run'].iloc[0]} is there twice")
    table = table[table["condition"].isin(comparison.conditions)].reset_index(drop=True)
    for condition in comparison.conditions:
        if condition not in set(table["condition"]):
            raise InputError(f"{source}: no model of the condition {condition!r}")
    absent = sorted(set(table["run"]) - set(runs["run"].astype(str)))
    if absent:
        raise InputError(f"{source}: there are no predictions of model {absent[0]!r}")
    replicates = table["replicate"] if "replicate" in table else pd.Series("", table.index)
    if (replicates == "").all():
        seeds = pd.Series(range(len(table)), table.index)
    elif (replicates == "").any():
        name = table.loc[replicates == "", "run"].iloc[0]
        raise InputError(f"{source}: model {name} has no replicate, though others have one")
    else:
        _check_pairs(source, table)
        seeds = pd.Series(pd.factorize(replicates, sort=True)[0], table.index)
    return pd.DataFrame(
        {"run": table["run"], "policy": table["condition"], "strength": np.nan, "seed": seeds}
    )


def _check_pairs(source: object, models: pd.DataFrame) -> None:
    """Conditions share all of their replicates, as pairs, or none."""
    own = models.groupby("condition", sort=False)["replicate"].agg(set)
    every = set().union(*own)
    if len(every) == sum(map(len, own)):
        return
    for condition, found in own.items():
        for replicate in sorted(every - found):
            raise InputError(
                f"{source}: condition {condition!r} has no model with the replicate {replicate!r}; "
                "conditions share all replicates or none"
            )
