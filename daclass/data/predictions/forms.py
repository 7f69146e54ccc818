"""Tables of predictions in the forms that people have them, as rows.

Long ones have a row for each model and picture. Wide ones have one for each picture, and a column
for each model, or for each class with its score. Cells may be lists: ranked classes or scores.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from daclass.config import Columns
from daclass.data.classes import whole_number
from daclass.data.predictions.rows import COLUMNS, RANKS, Rows
from daclass.data.predictions.scores import DEPTH, ranked
from daclass.data.tabular import is_unnamed, row_of, shorten
from daclass.errors import InputError

SYNONYMS = {
    "image": ("filename", "file_name", "image_path", "image_id", "path", "file"),
    "prediction": ("predictions", "pred", "y_pred", "predicted"),
    "label": ("target", "y_true", "true_label"),
    "scores": ("logits", "probabilities", "probs", "logit", "prob"),
}
"""What columns are called where neither the config nor the command line says so; first come, first
served."""
_TIMM = re.compile(r"(index|label|prob|logit)(_(\d{1,6}))?")


def rows_of_table(
    frame: pd.DataFrame,
    columns: Columns,
    file: str,
    models: Collection[str] = (),
    names: Sequence[str] = (),
) -> Rows:
    """Tell the form of a table and make rows of it.

    Args:
        frame: the table, with values as the file has them.
        columns: which of its columns holds what, as far as the user says so.
        file: where it comes from, for messages and as the model's name.
        models: names of models that are known beforehand.
        names: class names by number, where the file tells them.

    Raises:
        InputError: a column is missing, or a row holds something else than its column should.
    """
    if frame.empty:
        raise InputError(f"{file}: holds no predictions")
    table, said = _renamed(frame, columns, file)
    if "image" not in table:
        raise InputError(f"{file}: lacks the column image; it has {_listed(frame)}")
    if columns.models:
        return _melted(table, columns.models, file, names)
    if "prediction" in table and "scores" not in said:
        table = _unlisted(table, file)
        return Rows(table[[name for name in COLUMNS if name in table]], file, tuple(names))
    named = {*models, *(columns.scores if isinstance(columns.scores, tuple) else ())}
    table, notes = _without_counting(table, named, file)
    chosen = [] if "prediction" in table else _model_columns(table, models, file)
    found = (
        _melted(table, chosen, file, names) if chosen else _from_scores(table, columns, file, names)
    )
    return replace(found, notes=(*notes, *found.notes))


def _renamed(frame: pd.DataFrame, columns: Columns, file: str) -> tuple[pd.DataFrame, set[str]]:
    """The table with the columns' names of `COLUMNS`, and which of them the user gave."""
    given = {
        wanted: name
        for wanted, name in columns.model_dump().items()
        if isinstance(name, str) and not (wanted == "scores" and name not in frame)
    }
    for wanted, name in given.items():
        if name not in frame:
            raise InputError(
                f"{file}: lacks the column {name}, which is to hold {wanted}; it has "
                f"{_listed(frame)}"
            )
    if not given.keys() & {"prediction", "scores"} and not columns.models and _is_timm(frame):
        given = {**_timm(frame), **given}
    if "label" not in given and _is_timm(frame) and "label" not in given.values():
        frame = frame.drop(columns="label", errors="ignore")  # the prediction in words
    for wanted, others in SYNONYMS.items():
        taken = {*given, *given.values()}
        known = wanted in taken or wanted in frame
        if known or (wanted == "scores" and ("prediction" in taken or "prediction" in frame)):
            continue
        found = [name for name in others if name in frame and name not in taken]
        if found and (wanted != "scores" or not _scalar(frame[found[0]])):
            given[wanted] = found[0]
    taken = set(given.values())
    parts: dict[str, pd.Series] = {str(name): frame[name] for name in frame if name not in taken}
    parts.update({wanted: frame[name] for wanted, name in given.items()})
    return pd.DataFrame(parts), set(given)


def _is_timm(frame: pd.DataFrame) -> bool:
    """Whether timm's `inference.py` wrote it, whose `label` is the predicted class's name."""
    scored = any(name in frame for name in ("prob", "logit", "prob_0", "logit_0"))
    return "filename" in frame and "prediction" not in frame and scored


def _timm(frame: pd.DataFrame) -> dict[str, str]:
    places: dict[str, dict[int, str]] = {}
    for name in frame:
        found = _TIMM.fullmatch(str(name))
        if found:
            places.setdefault(found[1], {})[int(found[3] or 0)] = str(name)
    classes = places.get("index") or places.get("label")
    if not classes:
        return {"image": "filename"}
    ranks = {RANKS[rank]: name for rank, name in sorted(classes.items()) if rank < DEPTH}
    chance = {"probability": places["prob"][0]} if 0 in places.get("prob", {}) else {}
    if chance and not _scalar(frame[chance["probability"]]):
        chance = {}
    return {"image": "filename", **ranks, **chance}


def _scalar(values: pd.Series) -> bool:
    return not isinstance(values.iloc[0], (list, tuple, np.ndarray)) and not (
        isinstance(values.iloc[0], str) and values.iloc[0].startswith("[")
    )


def _without_counting(
    table: pd.DataFrame, named: Collection[str], file: str
) -> tuple[pd.DataFrame, list[str]]:
    """The table without columns that number its rows, as pandas' index does, and what to say."""
    # Where each picture has a class of its own, predictions may be counted too.
    classes = table["label"].nunique() if "label" in table else 0
    left_out = [
        str(name)
        for name in table
        if name not in (*COLUMNS, "scores", *named)
        and (is_unnamed(str(name)) or (classes < len(table) and _counts(table[name])))
    ]
    if not left_out:
        return table, []
    called = ", ".join(repr(name) for name in left_out)
    note = f"{file}: left out what numbers the rows and is no prediction: the column {called}."
    return table.drop(columns=left_out), [note]


def _counts(values: pd.Series) -> bool:
    """Whether a column holds 0, 1, 2, ... or 1, 2, 3, ... in any order."""
    numbers = [whole_number(value) if np.isscalar(value) else None for value in values]
    first = min((number for number in numbers if number is not None), default=2)
    return first < 2 and set(numbers) == set(range(first, first + len(numbers)))


def _model_columns(table: pd.DataFrame, models: Collection[str], file: str) -> list[str]:
    """The columns that hold one model's predictions each."""
    others = [str(name) for name in table if name not in (*COLUMNS, "scores")]
    known = [name for name in others if name in models]
    if known or "label" not in table:
        return known
    if any(_fractions(table[name]) or not _scalar(table[name]) for name in others):
        return []
    if len(others) > 1 and table["label"].drop_duplicates().size > 1:
        for name in others:  # an epoch or a fold is a class number too, if labels are numbers
            only = table[name].iloc[0]
            if whole_number(only) is not None and (table[name] == only).all():
                raise InputError(
                    f"{file}: the column {name} holds {shorten(only)} in every row: are these "
                    "predictions? Remove it, or name the columns with predictions in a config "
                    "(data.columns.models)"
                )
    return others


def _fractions(values: pd.Series) -> bool:
    """Whether most of a column are numbers that are not whole: scores, and not classes."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return bool((np.isfinite(numbers) & (numbers != np.floor(numbers))).mean() > 0.5)


def _melted(table: pd.DataFrame, models: Sequence[str], file: str, names: Sequence[str]) -> Rows:
    """One row for each model and picture of a table with a column for each model."""
    absent = [name for name in models if name not in table]
    if absent:
        raise InputError(
            f"{file}: lacks the column {absent[0]} of a model; it has {_listed(table)}"
        )
    kept = [name for name in ("image", "label") if name in table]
    parts = [
        table[kept].assign(prediction=table[name].astype(object), model=name) for name in models
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame["model"] = pd.Categorical(frame["model"], list(models))
    return Rows(frame, file, tuple(names), block=len(table))


def _unlisted(table: pd.DataFrame, file: str) -> pd.DataFrame:
    """Predictions that are lists of ranked classes, as columns."""
    if _scalar(table["prediction"]):
        return table
    lists = [_list(cell, file, row) for row, cell in enumerate(table["prediction"], 1)]
    depth = min({len(cell) for cell in lists})
    if depth == 0:
        row = next(row for row, cell in enumerate(lists, 1) if not cell)
        raise InputError(f"{row_of(file, row)}: prediction is an empty list")
    ranks = {
        name: pd.Series([cell[rank] for cell in lists], table.index, dtype=object)
        for rank, name in enumerate(RANKS[:depth])
    }
    return table.assign(**ranks)


def _list(cell: object, file: str, row: int) -> list:
    """A cell's list; numpy's way to print one, which timm's CSV files hold, is one too."""
    if isinstance(cell, (list, tuple, np.ndarray)):
        return list(cell)
    if isinstance(cell, str) and cell.startswith("[") and cell.endswith("]"):
        parts = cell[1:-1].replace(",", " ").split()
        if "..." not in parts and all(re.fullmatch(r"[-+0-9.eEinfa]+", part) for part in parts):
            return parts
    raise InputError(f"{row_of(file, row)}: {shorten(cell)} is no list of classes or scores")


def _from_scores(table: pd.DataFrame, columns: Columns, file: str, names: Sequence[str]) -> Rows:
    """Rows of a table with a score for each class, in columns or in lists."""
    if "scores" in table:
        lists = [_list(cell, file, row) for row, cell in enumerate(table["scores"], 1)]
        lengths = [len(cell) for cell in lists]
        if min(lengths) != max(lengths):
            row = next(row for row, length in enumerate(lengths, 1) if length != lengths[0])
            raise InputError(
                f"{row_of(file, row)}: has {lengths[row - 1]} scores, the first row {lengths[0]}"
            )
        values = _floats(pd.DataFrame(lists), file)
        called = list(map(str, range(values.shape[1])))
    else:
        chosen = _score_columns(table, columns)
        if len(chosen) < 2:
            raise InputError(
                f"{file}: lacks the column prediction, and has no column for each model or class; "
                f"it has {_listed(table)}. Say which one holds what: data.columns, or --prediction"
            )
        values = _floats(table[chosen], file)
        called = _class_names(chosen)
    top, probability, ties = ranked(values, file)
    numbered = [whole_number(name) for name in called] == list(range(len(called)))
    classes = np.arange(len(called)) if numbered else np.array(called, object)
    kept = [name for name in ("image", "model", "condition", "replicate", "label") if name in table]
    frame = table[kept].copy()
    for rank, name in enumerate(RANKS[: top.shape[1]]):
        frame[name] = classes[top[:, rank]]
    if not np.isnan(probability).any():
        frame["probability"] = probability
    note = (
        f"{file}: the highest score is that of several classes for {ties} of {len(table)} "
        "predictions; the first of them was taken."
    )
    return Rows(frame, file, tuple(names), len(called) if numbered else 0, (note,) if ties else ())


def _score_columns(table: pd.DataFrame, columns: Columns) -> list[str]:
    others = [str(name) for name in table if name not in COLUMNS]
    if isinstance(columns.scores, tuple):
        return list(columns.scores)
    if columns.scores:  # the beginning of the columns' names
        others = [name for name in others if name.startswith(columns.scores)]
    return others


def _class_names(columns: Sequence[str]) -> list[str]:
    """The columns' names less what all of them begin with, up to a "_" or a space."""
    beginnings = {re.match(r"(.*[_ ])?", name)[0] for name in columns}  # type: ignore[index]
    shared = beginnings.pop()
    return list(columns) if beginnings else [name.removeprefix(shared) for name in columns]


def _floats(cells: pd.DataFrame, file: str) -> np.ndarray:
    values = cells.apply(pd.to_numeric, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = np.isnan(values)
    if wrong.any():
        row, column = (int(place) for place in np.argwhere(wrong)[0])
        raise InputError(
            f"{row_of(file, row + 1)}: score {shorten(cells.iloc[row, column])} of column "
            f"{cells.columns[column]} is no number"
        )
    return values


def _listed(frame: pd.DataFrame) -> str:
    names = [str(name) for name in frame]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
