"""The label sets of a study's validation pictures, wherever they come from: table "annotations"."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from daclass.config import Cifar10hData, FolderData, PetriData, PicturesData
from daclass.data import cifar10h
from daclass.data.agreement import check_agreement, check_sizes
from daclass.data.annotations import read_annotations
from daclass.data.classes import Classes
from daclass.data.index import Index
from daclass.data.labels import all_labels, labelled_pictures
from daclass.data.tabular import read_csv
from daclass.errors import InputError


@dataclass(frozen=True)
class Annotated(Index):
    """The tables that describe pictures, classes, and what annotators see in the pictures."""

    annotations: pd.DataFrame


def annotations_of(
    data: PicturesData, pictures: Path, index: pd.DataFrame, classes: pd.DataFrame
) -> pd.DataFrame:
    """The label sets of the validation pictures of a source.

    Args:
        data: the study's data section.
        pictures: where `daclass pictures` has put the pictures of sources that need it.
        index, classes: the study's tables.

    Raises:
        InputError: a file is missing or damaged, or as `label_sets`.
    """
    val = index.loc[index["split"] == "val", ["image_id", "class_id"]]
    names = list(classes["name"])
    given: pd.DataFrame | None = None
    match data:
        case PetriData():
            given = read_csv(pictures / "annotations.csv", "image", "label")
            given = given.set_axis(["image_id", "name"], axis=1)
        case FolderData() if data.annotations:
            given = read_annotations(data.annotations, list(val["image_id"]), Classes(names))
        case FolderData() if data.labels:
            listed = labelled_pictures(data.root, data.labels)
            given = all_labels(listed[listed["image_id"].isin(val["image_id"])], names)
        case Cifar10hData():
            given = cifar10h.votes(data.root, pictures, data.vote_share)
            given = given[given["image_id"].isin(val["image_id"])]
    found, notes = label_sets(given, val, {name: number for number, name in enumerate(names)})
    for note in notes:
        logging.warning("%s", note)
    return found


def label_sets(
    given: pd.DataFrame | None, val: pd.DataFrame, ids: Mapping[str, int]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The label set of every validation picture: table "annotations"; and what to say of the sets.

    A row with an empty label says that the picture was looked at and shows none of the classes: its
    set is empty. A picture without any row was not annotated: its original label stands.

    Args:
        given: columns image_id and name, one row a label; None where there are no annotations.
        val: columns image_id and class_id of the validation pictures.
        ids: class number by name.

    Raises:
        InputError: an unknown picture or class, no label at all, or sets that are not these
            pictures' (see `check_agreement`) or hold nearly all classes (see `check_sizes`).
    """
    if given is None:
        alone = [[label] for label in val["class_id"]]
        return pd.DataFrame({"image_id": val["image_id"], "labels": alone}), ()
    known = given["image_id"].isin(set(val["image_id"]))
    if not known.all():
        row = int(np.flatnonzero(~known)[0])
        raise InputError(
            f"annotations, row {row + 2}: {given['image_id'].iloc[row]} is not a validation picture"
        )
    labelled = given[given["name"] != ""]
    if labelled.empty:
        raise InputError("annotations: they hold no label")
    unknown = ~labelled["name"].isin(ids)
    if unknown.any():
        bad = labelled[unknown].iloc[0]
        raise InputError(f"annotations: {bad['image_id']} has the unknown class {bad['name']}")
    pictures = pd.Index(val["image_id"])
    keys = np.unique(
        pictures.get_indexer(pd.Index(labelled["image_id"])) * len(ids)
        + labelled["name"].map(ids).to_numpy(np.int64)
    )
    ends = np.searchsorted(keys, np.arange(1, len(pictures)) * len(ids))
    sets = [(part % len(ids)).tolist() for part in np.split(keys, ends)]
    of_listed = pictures.isin(given["image_id"].unique())
    labels = [
        own if told else [label]
        for own, told, label in zip(sets, of_listed, val["class_id"], strict=True)
    ]
    given_alone = [own for own, told in zip(labels, of_listed, strict=True) if told]
    notes = check_sizes(given_alone, len(ids)) + check_agreement(
        given_alone, val["class_id"].to_numpy()[of_listed], share=float(of_listed.mean())
    )
    return pd.DataFrame({"image_id": val["image_id"], "labels": labels}), notes
