"""The labelled pictures, and the classes that there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from daclass.config import PredictionsData
from daclass.data.classes import UNORDERED, Classes, names_of, whole_number
from daclass.data.imagenet import class_tree
from daclass.data.limits import read_bytes
from daclass.data.names import match_pictures
from daclass.data.predictions.rows import RANKS, Rows
from daclass.data.predictions.tables import ENDINGS, read_file
from daclass.data.tabular import SEPARATORS, kind, read_csv, read_json, row_of, shorten
from daclass.data.wordnet import class_path
from daclass.errors import InputError, refuse_unshowable

_FIELD = re.compile(r"\{\d?(:(0?\d{1,2})?d?)?\}")


@dataclass(frozen=True)
class Labels:
    """The labels as their file has them.

    Attributes:
        images: names of the pictures, [N].
        values: their original classes, as names or numbers, [N].
        file: where they come from, for messages.
        places: the place of a row, from 0, where they come from several files.
    """

    images: pd.Series
    values: pd.Series
    file: str
    places: Callable[[int], str] | None = None

    def place(self, row: int) -> str:
        return self.places(row) if self.places else row_of(self.file, row + 1)


def read_labels(file: Path, pattern: str | None) -> Labels:
    """Labels from a table with the columns image and label, a JSON object of labels by picture, or
    a text file of labels alone.

    Raises:
        InputError: the file is missing, damaged or empty, or there are no names for its pictures.
    """
    if kind(file) in ENDINGS:
        table = _labelled(file)
        if table.empty:
            raise InputError(f"{file}: holds no labels")
        return Labels(table["image"], table["label"], str(file))
    content = read_bytes(file, times=12)
    if pattern is None:
        raise InputError(f"data.images: {file} names no pictures, so their names are needed here")
    try:
        lines = pd.Series(content.decode("utf-8-sig").split(), dtype=object)
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not a text file ({error})") from None
    if lines.empty:
        raise InputError(f"{file}: holds no labels")
    return Labels(names_from(pattern, len(lines)), lines, str(file))


def _labelled(file: Path) -> pd.DataFrame:
    """The columns image and label of a table."""
    if kind(file) in SEPARATORS:
        return read_csv(file, "image", "label")
    if kind(file) == ".json":
        content = read_json(file)
        if isinstance(content, dict) and not any(isinstance(v, dict) for v in content.values()):
            pairs = {"image": list(content), "label": list(content.values())}
            return pd.DataFrame(pairs, dtype=object)
    table, _ = read_file(file)
    for column in ("image", "label"):
        if column not in table:
            raise InputError(f"{file}: lacks the column {column} (needs image, label)")
    return table


def labels_of(parts: Sequence[Rows]) -> Labels:
    """The labels that stand beside the predictions.

    Raises:
        InputError: a file has none, or two rows of a picture disagree.
    """
    for part in parts:
        if "label" not in part.frame:
            raise InputError(
                f"{part.file}: lacks the column label, and data.labels names no file with labels"
            )
        missing = part.frame["label"].isna().to_numpy()
        if missing.any():
            raise InputError(f"{part.place(int(missing.argmax()))}: label is missing")
    images = pd.concat(_one_spelling(parts), ignore_index=True)
    values = pd.concat([part.frame["label"].astype(object) for part in parts], ignore_index=True)
    if len({type(value) for value in values.dropna()}) > 1:
        values = values.map(_written)
    first = (~images.duplicated()).to_numpy()
    rows = np.flatnonzero(first)
    found = Labels(
        images[first].reset_index(drop=True),
        values[first].reset_index(drop=True),
        parts[0].file,
        lambda row: _row_of(parts, int(rows[row])),
    )
    told = images.map(dict(zip(found.images, found.values, strict=True)))
    odd = (told != values).to_numpy()
    if odd.any():
        row = int(odd.argmax())
        raise InputError(
            f"{_row_of(parts, row)}: {images[row]} is labelled {values[row]}, but {told[row]} "
            "in an earlier row"
        )
    return found


def _one_spelling(parts: Sequence[Rows]) -> list[pd.Series]:
    """The pictures of each part, called as in the first part that has them: other files may part
    folders otherwise, or leave out endings."""
    found: list[pd.Series] = []
    known: dict[str, None] = {}
    for part in parts:
        images = part.frame["image"].astype(object)
        if known and not images.isna().any():  # which `join` refuses
            images = match_pictures(images, list(known), part.file, others=True).fillna(images)
        known |= dict.fromkeys(images.dropna().astype(str))
        found.append(images)
    return found


def _written(label: object) -> str:
    """A label as one form of file would have it: a CSV holds texts, where Parquet holds numbers."""
    number = whole_number(label)
    return str(label) if number is None else str(number)


def _row_of(parts: Sequence[Rows], row: int) -> str:
    for part in parts:
        if row < len(part.frame):
            return part.place(row)
        row -= len(part.frame)
    raise IndexError(row)


def names_from(pattern: str, number: int) -> pd.Series:
    """Names of pictures from a pattern such as ILSVRC2012_val_{:08d}.JPEG, filled with 1, 2, ...

    Raises:
        InputError: the pattern has no place for a number, or anything else in braces.
    """
    if "{" in _FIELD.sub("", pattern) or "}" in _FIELD.sub("", pattern):
        raise InputError(
            f"data.images: {pattern!r} is no pattern for a number, such as picture_{{:05d}}.jpg"
        )
    if not _FIELD.search(pattern):
        raise InputError(f"data.images: {pattern!r} gives all pictures the same name")
    bare = re.sub(r"\{\d?", "{", pattern)
    fields = len(_FIELD.findall(pattern))
    return pd.Series([bare.format(*[rank] * fields) for rank in range(1, number + 1)], dtype=object)


def read_classes(
    data: PredictionsData, labels: Labels, parts: Sequence[Rows]
) -> tuple[Classes, list[str]]:
    """The classes, and each one's way through the class tree.

    Raises:
        InputError: the list of classes is bad, or the labels name no classes.
    """
    if data.classes == "imagenet":
        return listed_classes(class_tree(), "data.classes")
    if data.classes not in (None, "wordnet"):
        file = data.root / data.classes
        return listed_classes(read_csv(file, "name", optional=("path",)), str(file))
    classes = classes_of(labels, parts)
    names = list(classes.names)
    return classes, [class_path(name) for name in names] if data.classes else names


def classes_of(labels: Labels, parts: Sequence[Rows]) -> Classes:
    """The classes where no list names them: see `names_of`."""
    for part in parts:
        refuse_unshowable(str(part.file), "class", part.names or ())
    told = {part.names for part in parts if part.names}
    if len(told) == 1:
        return Classes(told.pop())
    scores = max((part.scores for part in parts), default=0)
    others = [part.frame[rank] for part in parts for rank in RANKS if rank in part.frame]
    found = names_of([labels.values, *others, pd.Series(range(scores), dtype=object)], labels.place)
    if scores and not found.ordered:
        part = next(part for part in parts if part.scores)
        raise InputError(
            f"{part.file}: has {part.scores} scores for each picture, but classes are called "
            f"{shorten(found.names[0])} to {shorten(found.names[-1])}, {UNORDERED}"
        )
    if found.numbered and scores:
        beyond = [name for name in found.names if int(name) >= scores]
        if beyond:
            raise InputError(
                f"{labels.file}: class {beyond[0]} has no score: {parts[0].file} has {scores} for "
                f"each picture, of the classes 0 to {scores - 1}"
            )
    return found


def tree_notes(classes: Classes, paths: Sequence[str]) -> tuple[str, ...]:
    """What to say where ImageNet's class tree is asked for and WordNet's files are absent."""
    if any("/" in path for path in paths):
        return ()
    return (
        "WordNet's files are not installed (Debian's wordnet-base), so there is no class tree: how "
        "similar two classes are is not known, and no confusion is called ambiguous, co-occurring, "
        "fine-grained or unrelated.",
    )


def listed_classes(tree: pd.DataFrame, file: str) -> tuple[Classes, list[str]]:
    """Classes from a list with the columns name and, for a tree of classes, path.

    Raises:
        InputError: it is empty, or a name is empty or there twice.
    """
    if "name" not in tree:
        raise InputError(f"{file}: lacks the column name")
    if tree.empty:
        raise InputError(f"{file}: names no class")
    empty = (tree["name"].str.strip() == "").to_numpy()
    if empty.any():
        raise InputError(f"{row_of(file, int(empty.argmax()) + 1)}: names no class")
    if not tree["name"].is_unique:
        raise InputError(f"{file}: {tree['name'][tree['name'].duplicated()].iloc[0]} twice")
    paths = tree["path" if "path" in tree else "name"]
    refuse_unshowable(file, "class", [*tree["name"], *paths])
    return Classes(list(tree["name"])), list(paths)
