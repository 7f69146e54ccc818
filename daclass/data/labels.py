"""Pictures whose classes stand in a CSV file, as Kaggle's do, and not in the names of folders."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from daclass.augment.plain_yaml import load_yaml
from daclass.config import Labels
from daclass.data.listing import TRAIN, VAL, every_picture
from daclass.data.names import match_pictures
from daclass.data.tabular import is_unnamed, read_table, row_of, shorten
from daclass.errors import InputError

PICTURE = ("image", "image_id", "imageid", "id", "picture", "file", "filename", "file_name", "path",
           "filepath", "image_name", "img", "name")  # fmt: skip
LABEL = ("label", "labels", "class", "classes", "class_name", "category", "target", "tags", "y")
SPLIT = ("split", "set", "subset", "fold", "partition", "phase")
"""Usual names of columns, whatever their case; of several the first is taken."""


def draft_labels(file: Path, picture: str = "", label: str = "") -> Labels:
    """Settings for a file of labels: its columns by their usual names, and which says the split.

    Args:
        picture, label: columns that are called otherwise.

    Raises:
        InputError: the file is missing or no CSV.
    """
    table = read_table(file)
    called = [name for name in table if str(name).strip().lower() in SPLIT]
    said = [name for name in called if set(table[name].str.strip().str.lower()) <= {*TRAIN, *VAL}]
    if called and not said:
        logging.info(
            "%s: the column %s is passed over: it says no split, since it holds %s and not %s",
            file,
            called[0],
            shorten(table[called[0]].iloc[0]) if len(table) else "nothing",
            " or ".join((TRAIN[0], VAL[0])),
        )
    return Labels(file=file.absolute(), picture=picture, label=label, split=said[0] if said else "")


def labelled_pictures(root: Path, labels: Labels) -> pd.DataFrame:
    """The pictures below a folder that a file labels, sorted by class and name.

    A picture may have several rows. Pictures that the file does not name are passed over, with a
    word in the log.

    Returns:
        Columns image_id, name (the first of the picture's labels), names (all of them, a list) and
        split ("train", "val", or "" where the file does not say).

    Raises:
        InputError: the file or a column is missing, a row names no picture, no class or another
            split than the picture's row before, or there are no pictures.
    """
    table = read_table(labels.file)
    picture = _column(table, labels.picture, PICTURE, "picture", labels.file)
    pictures = every_picture(root)
    ids = match_pictures(table[picture], pictures, labels.file)
    split = _splits(table[labels.split], labels.file) if labels.split in table else None
    if labels.split and split is None:
        raise InputError(f"{labels.file}: lacks the column {labels.split} (data.labels.split)")
    rows = pd.DataFrame(
        {
            "image_id": ids,
            "names": _names(table, labels, {picture, labels.split}),
            "split": "" if split is None else split,
        }
    )
    rows = rows[rows["split"] != _UNUSED]
    mixed = rows.groupby("image_id")["split"].nunique()
    if (mixed > 1).any():
        raise InputError(f"{labels.file}: {mixed.idxmax()} is of two splits")
    found = rows.groupby("image_id").agg({"names": _together, "split": "first"}).reset_index()
    if len(found) < len(pictures):
        logging.info(
            "%s: %d of the %d pictures below %s have no row and are passed over",
            labels.file,
            len(pictures) - len(found),
            len(pictures),
            root,
        )
    found["name"] = found["names"].str[0]
    never = sorted({name for names in found["names"] for name in names} - set(found["name"]))
    if never:
        logging.warning(
            "%s: %s is never a picture's first label, so it is no class of the study%s",
            labels.file,
            never[0],
            f" (nor are {len(never) - 1} more)" if len(never) > 1 else "",
        )
    return found.sort_values(["name", "image_id"], ignore_index=True)


def all_labels(pictures: pd.DataFrame, classes: Collection[str]) -> pd.DataFrame:
    """All labels of pictures: columns image_id and name, one row per label.

    Args:
        pictures: columns image_id and names.
        classes: names of the classes that pictures count for. Labels that are never the first of a
            picture are no class of the study, and are left out.
    """
    rows = pictures[["image_id", "names"]].explode("names", ignore_index=True)
    rows = rows.set_axis(["image_id", "name"], axis=1)
    return rows[rows["name"].isin(classes)].reset_index(drop=True)


_UNUSED = "unused"


def _column(table: pd.DataFrame, given: str, usual: Sequence[str], setting: str, file: Path) -> str:
    """The column that a setting names, or the first with a usual name."""
    known = {str(name).strip().lower(): str(name) for name in reversed(list(table))}
    found = [known[name] for name in usual if name in known]
    if given and given not in table:
        raise InputError(f"{file}: lacks the column {given} (data.labels.{setting})")
    if not given and not found:
        columns = ", ".join(map(str, table))
        raise InputError(
            f"{file}: data.labels.{setting} has to name one of its columns (--{setting} of init "
            f"does): {columns}"
        )
    return given or found[0]


def _names(table: pd.DataFrame, labels: Labels, others: set[str]) -> list[list[str]]:
    """The labels in each row."""
    columns = [labels.label] if isinstance(labels.label, str) else list(labels.label)
    rest = [str(name) for name in table if name not in others and not is_unnamed(str(name))]
    if columns == [""]:
        usual = any(str(name).strip().lower() in LABEL for name in rest)
        marks = [name for name in rest if set(table[name]) <= _MARKS]
        columns = marks if not usual and len(marks) > 1 and marks == rest else [""]
    if len(columns) > 1:
        return _marked(table, columns, labels.file)
    if columns == [""] and len(rest) == 1:
        columns = rest  # whatever it is called: there is no other
    column = _column(table[rest], columns[0], LABEL, "label", labels.file)
    found = []
    for row, value in enumerate(table[column], 1):
        try:
            parts = _parts(value, labels.separator)
        except ValueError as error:
            where = f"{row_of(labels.file, row)}: column {column}"
            raise InputError(f"{where}: {value[:200]} is no list of labels ({error})") from None
        names = [unicodedata.normalize("NFC", part.strip()) for part in parts if part.strip()]
        if not names:
            raise InputError(f"{row_of(labels.file, row)}: column {column} names no class")
        found.append(names)
    _say_joined(found, labels)
    return found


def _say_joined(rows: Sequence[Sequence[str]], labels: Labels) -> None:
    """Say where names look like several in one, and nothing says what parts them."""
    names = {name for row in rows for name in row}
    for separator in "|;," if not labels.separator else "":
        joined = sorted(name for name in names if separator in name)
        parts = {part.strip() for name in joined for part in name.split(separator)}
        if joined and parts & names:
            logging.warning(
                "%s: %s is taken for one class; data.labels.separator: %r makes several of it",
                labels.file,
                shorten(joined[0]),
                separator,
            )
            return


def _parts(value: str, separator: str) -> list[str]:
    """The labels in one field: parted as the study says, or a list in brackets, as JSON and pandas
    write them.

    Raises:
        ValueError: what stands in brackets is no list of names.
    """
    if not (value.startswith("[") and value.endswith("]")):
        return value.split(separator) if separator else [value]
    found = load_yaml(value)  # which takes both kinds of quotes, and no blank for a comma
    if not all(isinstance(name, str | int) for name in found):
        raise ValueError("it holds more than names")
    return [str(name) for name in found]


_MARKS = {"0", "1", "0.0", "1.0", ""}


def _marked(table: pd.DataFrame, columns: Sequence[str], file: Path) -> list[list[str]]:
    """Labels that stand as 1 in a column per class."""
    for column in columns:
        if column not in table:
            raise InputError(f"{file}: lacks the column {column} (data.labels.label)")
        odd = ~table[column].isin(_MARKS).to_numpy()
        if odd.any():
            row = int(odd.argmax())
            value = table[column].iloc[row]
            where = f"{row_of(file, row + 1)}: column {column}"
            raise InputError(f"{where}: {value!r} is neither 0 nor 1")
    marks = table[list(columns)].isin({"1", "1.0"}).to_numpy()
    empty = ~marks.any(axis=1)
    if empty.any():
        raise InputError(
            f"{row_of(file, int(empty.argmax()) + 1)}: is marked as none of the classes"
        )
    names = [unicodedata.normalize("NFC", column.strip()) for column in columns]
    return [[name for name, mark in zip(names, row, strict=True) if mark] for row in marks]


def _splits(values: pd.Series, file: Path) -> pd.Series:
    """Each row's "train", "val" or what is left out, from the usual names of splits."""
    lower = values.str.strip().str.lower()
    unknown = ~lower.isin({*TRAIN, *VAL}).to_numpy()
    if unknown.any():
        row = int(unknown.argmax())
        raise InputError(
            f"{row_of(file, row + 1)}: split {values.iloc[row]!r} is none of "
            f"{', '.join((*TRAIN, *VAL))}"
        )
    present = [name for name in VAL if (lower == name).any()]
    if not present or not lower.isin(TRAIN).any():
        raise InputError(f"{file}: its splits hold no {'validation' if not present else 'train'}")
    return lower.map(
        lambda name: "train" if name in TRAIN else "val" if name == present[0] else _UNUSED
    )


def _together(lists: pd.Series) -> list[str]:
    """The labels of several rows, each once, in their order."""
    return list(dict.fromkeys(name for names in lists for name in names))
