"""Label sets that a caller holds in memory, as those of a file are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from daclass.data.annotations import read_annotations
from daclass.data.classes import UNORDERED, Classes
from daclass.data.predictions.values import array, index_of
from daclass.data.tabular import shorten
from daclass.errors import InputError


def given_sets(given: Any, pictures: Sequence[str], classes: Classes) -> pd.DataFrame | None:
    """Columns image_id and name, one row a label, as `read_annotations` has them.

    Args:
        given: what `daclass.compare` takes as annotations.
        pictures: ids of the pictures.
        classes: the classes.

    Raises:
        InputError: naming the picture, or the row, that is wrong.
    """
    if given is None:
        return None
    if isinstance(given, (str, Path)):
        return read_annotations("real" if given == "real" else Path(given), pictures, classes)
    own = index_of(given)
    if isinstance(given, Mapping):
        names, sets = [str(name) for name in given], list(given.values())
    else:
        names = list(pictures) if own is None else own
        sets = _marked(given, classes) if _is_table(given, classes) else _listed(given)
        if len(sets) != len(names):
            raise InputError(f"annotations: {len(sets)} sets for {len(names)} pictures")
    known = set(pictures)
    missing = [name for name in names if name not in known]
    if missing:
        raise InputError(f"annotations: {shorten(missing[0])} is no picture of y_true")
    rows = []
    for picture, labels in zip(names, sets, strict=True):
        for label in _labels(picture, labels) or [""]:
            number = -1 if isinstance(label, str) and label == "" else classes.number(label)
            if number < 0 and not (isinstance(label, str) and label == ""):
                raise InputError(
                    f"annotations: {picture}: {shorten(label)} is no class: {classes.described()}"
                )
            rows.append((picture, classes.names[number] if number >= 0 else ""))
    return pd.DataFrame(rows, columns=["image_id", "name"])


def _is_table(given: Any, classes: Classes) -> bool:
    """Whether each picture has a value for each class, rather than a list of its classes."""
    if not isinstance(given, (list, tuple)):
        return getattr(given, "ndim", 1) == 2
    # Of three classes or more, a list of zeros and ones for each would name a class twice.
    return len(classes) > 2 and all(
        isinstance(row, (list, tuple, np.ndarray))
        and len(row) == len(classes)
        and all(isinstance(v, (bool, np.bool_)) or (_number(v) and v in (0, 1)) for v in row)
        for row in given
    )


def _number(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating))


def _marked(given: Any, classes: Classes) -> list[np.ndarray]:
    """The classes of each picture where a truth value says so for each class."""
    if isinstance(given, pd.DataFrame) and not isinstance(given.columns, pd.RangeIndex):
        order = [classes.number(name) for name in given]
        if -1 in order:
            name = given.columns[order.index(-1)]
            raise InputError(f"annotations: the column {shorten(name)} is no class")
        if sorted(order) != list(range(len(classes))):
            raise InputError(
                f"annotations: has columns for {len(set(order))} of {len(classes)} classes"
            )
        given = given.iloc[:, np.argsort(order)]
    elif not classes.ordered:
        raise InputError(
            f"annotations: has a column for each class, but classes are called "
            f"{shorten(classes.names[0])} to {shorten(classes.names[-1])}, {UNORDERED}"
        )
    values = array(given, "annotations")
    if values.shape[1] != len(classes):
        raise InputError(
            f"annotations: has shape {values.shape}, but there are {len(classes)} classes"
        )
    odd = np.zeros(values.shape, bool) if values.dtype == bool else (values != 0) & (values != 1)
    if odd.any():
        row, column = (int(place) for place in np.argwhere(odd)[0])
        raise InputError(
            f"annotations: row {row + 1}: {shorten(values[row, column])} for class "
            f"{shorten(classes.names[column])} is neither 0 nor 1, and a class is a label or not: "
            "of probabilities give, for example, annotations >= 0.1, of counts of votes "
            "votes >= 0.1 * votes.sum(axis=1, keepdims=True)"
        )
    return [np.flatnonzero(row) for row in values]


def _listed(given: Any) -> list[Any]:
    if isinstance(given, Iterable):
        return list(given)
    raise InputError(f"annotations: {type(given).__name__} is no list of label sets")


def _labels(picture: str, labels: Any) -> list[Any]:
    if isinstance(labels, Iterable) and not isinstance(labels, (str, bytes)):
        return list(labels)
    raise InputError(
        f"annotations: {picture}: {shorten(labels)} is no list of classes; a single one is a list "
        "of one"
    )
