"""How many pictures and classes a study has, as far as that can be known before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from daclass.config import FolderData, Layout, PetriData, PredictionsData, Study
from daclass.data.sources import image_hash, open_source
from daclass.errors import InputError
from daclass.plan.index import current_index

SAMPLE = 200  # pictures whose size is looked at


@dataclass(frozen=True)
class Counts:
    """Sizes of a study.

    Attributes:
        train: training pictures of a draw.
        val: validation pictures.
        classes: classes.
        origin: where the numbers come from, for the reader.
        sample: some of the picture files, as far as they are there.
    """

    train: int
    val: int
    classes: int
    origin: str
    sample: Sequence[Path] = ()


def count(study: Study, layout: Layout) -> Counts:
    """Sizes by the study's index; before there is one, by what the source offers.

    Raises:
        InputError: the pictures are not there yet, and the settings do not say how many there are.
    """
    if isinstance(study.data, PredictionsData):
        raise InputError("data.source: a study of predictions trains nothing: nothing to plan")
    index = current_index(study, layout)
    if index is not None:
        return _counts(study, layout, index, str(layout.table("index")))
    if isinstance(study.data, PetriData):
        from daclass.data.petri.planted import CLASSES

        petri, number = study.data.petri, len(CLASSES)
        return Counts(
            petri.train_per_class * number, petri.val_per_class * number, number, "data.petri"
        )
    source = open_source(study.data, layout.pictures)
    pictures = source.pictures.assign(class_id=source.pictures["name"])
    return _counts(study, layout, pictures, f"the pictures in {source.root}")


def _counts(study: Study, layout: Layout, rows: pd.DataFrame, origin: str) -> Counts:
    """Sizes by a table with a row per picture, columns image_id, split, draw and class_id."""
    assert not isinstance(study.data, PredictionsData)
    root = study.data.root if isinstance(study.data, FolderData) else layout.pictures
    train = rows[rows["split"] == "train"]
    chosen = sorted(train["image_id"].unique(), key=image_hash)[:SAMPLE]
    return Counts(
        int(train.groupby("draw").size().max()),
        int((rows["split"] == "val").sum()),
        int(rows["class_id"].nunique()),
        origin,
        [root / name for name in chosen if (root / name).is_file()],
    )
