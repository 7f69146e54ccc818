"""A study of predictions from its files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from daclass.config import Comparison, PredictionsData
from daclass.data.annotations import read_annotations
from daclass.data.predictions.arrays import read_arrays, rows_of
from daclass.data.predictions.forms import rows_of_table
from daclass.data.predictions.join import Joined, join
from daclass.data.predictions.labels import (
    Labels,
    labels_of,
    names_from,
    read_classes,
    read_labels,
    tree_notes,
)
from daclass.data.predictions.models import models_found, models_said, numbered_models
from daclass.data.predictions.rows import Rows
from daclass.data.predictions.tables import ENDINGS, read_file
from daclass.data.tabular import kind
from daclass.errors import InputError

ARRAYS = (".npy", ".npz", ".pt", ".pth")


def read_predictions(data: PredictionsData, comparison: Comparison) -> Joined:
    """Read and join labels, annotations, models and predictions.

    Raises:
        InputError: naming the file, and the row or model, that is wrong.
    """
    said = models_said(data.root / data.models if isinstance(data.models, Path) else data.models)
    named = set(comparison.conditions) if said is None else set(said["run"])
    labels, parts = read_parts(data, named)
    classes, paths = read_classes(data, labels, parts)
    source = "data.models" if isinstance(data.models, dict) else str(data.models or data.files[0])

    def models_of(found: pd.DataFrame) -> pd.DataFrame:
        models = models_found(found, comparison.conditions, source) if said is None else said
        return numbered_models(models, list(found["run"]), comparison.conditions, source)

    def annotations_of(pictures: list[str]) -> pd.DataFrame | None:
        if data.annotations is None:
            return None
        file = data.root / data.annotations if data.annotations != "real" else data.annotations
        return read_annotations(file, pictures, classes)

    joined = join(
        labels,
        classes,
        paths,
        parts,
        models_of,
        annotations_of,
        common=data.pictures == "common",
        split_seed=data.split_seed,
    )
    if data.classes == "imagenet":
        return replace(joined, notes=(*tree_notes(classes, paths), *joined.notes))
    return joined


def read_parts(data: PredictionsData, models: Collection[str]) -> tuple[Labels, list[Rows]]:
    """The labels, and the predictions of each file.

    Args:
        data: the section of the config.
        models: names of models that are known beforehand.
    """
    labels = read_labels(data.root / data.labels, data.images) if data.labels else None
    parts = [_read(data.root / file, data, labels, models) for file in data.files]
    return labels or labels_of(parts), parts


def _read(
    file: Path, data: PredictionsData, labels: Labels | None, models: Collection[str]
) -> Rows:
    def names(number: int) -> pd.Series:
        if data.images is not None:
            return names_from(data.images, number)
        if labels is not None:
            return labels.images
        return pd.Series(np.arange(1, number + 1).astype(str), dtype=object)

    stem = Path(file.stem).stem if file.suffix.lower() == ".gz" else file.stem
    if kind(file) in ARRAYS and file.suffix.lower() != ".gz":
        pictures = None if labels is None else len(labels.images)
        found = rows_of(read_arrays(file), file, names, pictures)
    elif kind(file) in ENDINGS:
        frame, told = read_file(file)
        found = rows_of_table(frame, data.columns, str(file), models, told)
    else:
        if not file.is_file():
            raise InputError(f"{file}: no such file")
        raise InputError(
            f"{file}: predictions are {', '.join((*ENDINGS, *ARRAYS))}, not {kind(file)!r}"
        )
    found = replace(found, stem=stem)
    return found if "model" in found.frame else _named(found, alone=len(data.files) == 1)


def _named(found: Rows, *, alone: bool) -> Rows:
    """Rows that name no model: the file is one, or each of its conditions and replicates."""
    parts = [found.frame[name] for name in ("condition", "replicate") if name in found.frame]
    if not parts or any(part.isna().any() for part in parts):  # which `join` refuses
        model = pd.Series(found.stem, found.frame.index)
    else:
        model = parts[0].astype(str) if alone else found.stem + " " + parts[0].astype(str)
        for part in parts[1:]:
            model = model + " " + part.astype(str)
    return replace(found, frame=found.frame.assign(model=pd.Categorical(model)))
