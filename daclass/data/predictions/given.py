"""Labels and predictions that a caller holds in memory, joined as those of files are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from daclass.data.classes import Classes
from daclass.data.imagenet import class_tree
from daclass.data.predictions.arrays import array_rows, is_one_hot
from daclass.data.predictions.join import Joined, join
from daclass.data.predictions.labels import Labels, classes_of, listed_classes, tree_notes
from daclass.data.predictions.models import numbered_models
from daclass.data.predictions.rows import RANKS, Rows
from daclass.data.predictions.sets import given_sets
from daclass.data.predictions.values import array, index_of, texts
from daclass.data.tabular import shorten
from daclass.data.wordnet import class_path
from daclass.errors import InputError


def arguments(y_true: Any, labels: Any, y_pred: Any) -> tuple[Any, dict[str, Any]]:
    """The labels under either name, and the predictions by the condition's name as text.

    Raises:
        InputError: labels are given twice or not at all, or predictions are no mapping.
    """
    if labels is not None and y_true is not None:
        raise InputError("labels: another name of y_true, which is given too; or is it classes?")
    if labels is None and y_true is None:
        raise InputError("y_true: the original classes of the pictures are missing")
    if not isinstance(y_pred, Mapping):
        raise InputError(
            "y_pred: expected predictions by condition, such as {'strong': ..., 'weak': ...}, "
            f"the tested one first; got {'nothing' if y_pred is None else type(y_pred).__name__}"
        )
    conditions = texts(list(y_pred), "y_pred")
    if len(set(conditions)) < len(conditions):
        raise InputError(f"y_pred: several conditions are called alike: {', '.join(conditions)}")
    return labels if y_true is None else y_true, dict(zip(conditions, y_pred.values(), strict=True))


def join_given(
    y_true: Any,
    y_pred: Mapping[str, Any],
    *,
    images: Sequence[str] | None,
    annotations: Any,
    classes: Any,
    paired: bool,
    split_seed: int,
) -> Joined:
    """Join labels and predictions; the arguments are those of `daclass.compare`.

    Raises:
        InputError: naming the argument, and the row, that is wrong.
    """
    labels = _labels(y_true, images)
    parts = [
        part
        for name, values in y_pred.items()
        for part in _parts(str(name), values, labels, paired=paired)
    ]
    known, paths = _classes(classes, labels, parts)
    conditions = [str(name) for name in y_pred]

    def models_of(found: pd.DataFrame) -> pd.DataFrame:
        return numbered_models(found, list(found["run"]), conditions, "y_pred")

    def annotations_of(pictures: list[str]) -> pd.DataFrame | None:
        return given_sets(annotations, pictures, known)

    joined = join(
        labels, known, paths, parts, models_of, annotations_of,
        common=False, split_seed=split_seed,
    )  # fmt: skip
    if isinstance(classes, str) and classes == "imagenet":
        return replace(joined, notes=(*tree_notes(known, paths), *joined.notes))
    return joined


def _labels(y_true: Any, images: Sequence[str] | None) -> Labels:
    values = array(y_true, "y_true")
    if values.ndim != 1 or not len(values):
        raise InputError(f"y_true has shape {values.shape}; expected [pictures]")
    if images is not None:
        names = texts(images, "images")
    else:
        names = index_of(y_true) or [str(number) for number in range(1, len(values) + 1)]
    if len(names) != len(values):
        raise InputError(f"images: {len(names)} names, but y_true has {len(values)} pictures")
    return Labels(pd.Series(names, dtype=object), pd.Series(values), "y_true")


def _parts(name: str, values: Any, labels: Labels, *, paired: bool) -> list[Rows]:
    """The predictions of a condition: one array of one or several runs, or one for each model."""
    if isinstance(values, Mapping):
        if paired:
            raise InputError(
                f"y_pred[{name!r}]: names its models; paired runs are rows of one array [runs, "
                "pictures]"
            )
        return [
            _part(f"y_pred[{name!r}][{model!r}]", own, name, str(model), labels)
            for model, own in values.items()
        ]
    part = _part(f"y_pred[{name!r}]", values, name, name, labels)
    run = part.frame["model"].cat.codes.astype(str)
    return [replace(part, frame=part.frame.assign(replicate=run)) if paired else part]


def _part(where: str, values: Any, condition: str, model: str, labels: Labels) -> Rows:
    given, pictures = array(values, where), len(labels.images)
    frame = isinstance(values, pd.DataFrame)
    by_picture = not frame or len(values) == pictures  # a frame may have a row for each run, too
    own = index_of(values) if by_picture else None
    if frame and by_picture and _are_runs(given):
        given = given.T

    def names(number: int) -> pd.Series:
        return labels.images if own is None else pd.Series(own, dtype=object)

    rows = array_rows(given, where, where, model, None, pictures, names)
    if frame and rows.scores:
        rows = _named(rows, values.columns, where)
    return replace(rows, frame=rows.frame.assign(condition=condition), stem=model)


def _are_runs(values: np.ndarray) -> bool:
    """Whether the columns of a frame hold a run's class numbers or names each, and no scores."""
    if values.shape[1] < 2 or is_one_hot(values):
        return False
    return values.dtype.kind != "f" or bool((values == np.floor(values)).all())


def _named(rows: Rows, columns: pd.Index, where: str) -> Rows:
    """Rankings by the names of a frame's columns, where it names them: they may lie in another
    order than the classes."""
    if isinstance(columns, pd.RangeIndex) or len(columns) != rows.scores:
        return rows
    names = np.array(texts(columns, where), object)
    ranks = [rank for rank in RANKS if rank in rows.frame]
    return replace(
        rows, frame=rows.frame.assign(**{k: names[rows.frame[k]] for k in ranks}), scores=0
    )


def _by_number(given: Mapping[Any, Any]) -> list[Any]:
    """Names in the order of their numbers, from a mapping either way."""
    places = set(range(len(given)))
    if set(given) == places:
        return [given[number] for number in range(len(given))]
    numbers = list(given.values())
    if all(isinstance(number, int) for number in numbers) and set(numbers) == places:
        return sorted(given, key=given.__getitem__)
    raise InputError("classes: maps no names to the numbers from 0, nor these to names")


def _classes(given: Any, labels: Labels, parts: Sequence[Rows]) -> tuple[Classes, list[str]]:
    if isinstance(given, str) and given == "imagenet":
        return listed_classes(class_tree(), "classes")
    if isinstance(given, pd.DataFrame):
        return listed_classes(given.astype(str), "classes")
    if isinstance(given, Mapping):
        given = _by_number(given)
    if given is not None and not isinstance(given, str):
        return listed_classes(pd.DataFrame({"name": texts(given, "classes")}), "classes")
    if given not in (None, "wordnet"):
        raise InputError(
            f"classes: {shorten(given)} is neither a list of names nor imagenet nor wordnet"
        )
    found = classes_of(labels, parts)
    names = list(found.names)
    return found, [class_path(name) for name in names] if given else names
