"""Predictions, index and annotations joined by picture into dense arrays.

A *cell* is one run's verdict on one validation picture. Every analysis starts from the arrays here,
so that tables are joined once, by `image_id`, and never by position.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from daclass.errors import InputError

Truth = Literal["original", "multi"]
Half = Literal["select", "estimate", "all"]
EmptyLabels = Literal["drop", "wrong"]
TRUTHS: tuple[Truth, ...] = ("original", "multi")
HALVES: tuple[Half, ...] = ("select", "estimate", "all")

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Images:
    """The validation pictures, sorted by class and then id.

    Attributes:
        ids: image ids, [N].
        labels: original class of each picture, int64 [N], in [0, n_classes).
        select: whether the picture is in the selection half, bool [N].
        n_classes: number of classes, those without pictures included.
    """

    ids: pd.Index
    labels: Ints
    select: Bools
    n_classes: int

    def half(self, half: Half) -> Bools:
        """Which pictures belong to a half, bool [N]."""
        if half == "all":
            return np.ones_like(self.select)
        return self.select if half == "select" else ~self.select


@dataclass(frozen=True)
class Runs:
    """What each run predicts for each picture.

    Attributes:
        images: the pictures, in the order of the columns of `predicted`.
        table: columns policy, strength and seed, one row a run, in the order of the rows.
        predicted: predicted class, int32 [R, N].
    """

    images: Images
    table: pd.DataFrame
    predicted: npt.NDArray[np.int32]


@dataclass(frozen=True)
class Cells(Runs):
    """Runs, and whether each prediction is right.

    Attributes:
        correct: truth -> bool [R, N].
        counted: truth -> bool [N], the pictures that enter the figures of that truth.
    """

    correct: Mapping[Truth, Bools]
    counted: Mapping[Truth, Bools]


def validation_images(index: pd.DataFrame, n_classes: int) -> Images:
    """The validation pictures of table "index".

    Raises:
        InputError: there are none, an id is there twice, or a class is out of range.
    """
    rows = index.loc[index["half"] != "", ["image_id", "class_id", "half"]]
    rows = rows.sort_values(["class_id", "image_id"], kind="stable")
    ids, labels = pd.Index(rows["image_id"]), rows["class_id"].to_numpy(np.int64)
    if rows.empty:
        raise InputError("index: there are no validation pictures")
    if not ids.is_unique:
        raise InputError(f"index: the picture {ids[ids.duplicated()][0]} is there twice")
    if labels[0] < 0 or labels[-1] >= n_classes:
        raise InputError(f"index: a class_id lies outside 0 to {n_classes - 1}")
    return Images(ids, labels, (rows["half"] == "select").to_numpy(bool), n_classes)


def arrange_runs(predictions: pd.DataFrame, index: pd.DataFrame, n_classes: int) -> Runs:
    """Join table "predictions" to the pictures; runs come sorted by policy and seed.

    Raises:
        InputError: a run names an unknown picture or lacks one.
    """
    images = validation_images(index, n_classes)
    keys = ["policy", "seed"]
    table = predictions[[*keys, "strength"]].drop_duplicates(keys).sort_values(keys)
    table = table.reset_index(drop=True)[["policy", "strength", "seed"]]
    run = pd.MultiIndex.from_frame(table[keys]).get_indexer(
        pd.MultiIndex.from_frame(predictions[keys])
    )
    column = images.ids.get_indexer(pd.Index(predictions["image_id"]))
    if (column < 0).any():
        unknown = predictions["image_id"].iloc[int(np.argmax(column < 0))]
        raise InputError(f"predictions: {unknown} is no validation picture of the index")
    predicted = np.full((len(table), len(images.ids)), -1, np.int32)
    predicted[run, column] = predictions["prediction"].to_numpy()
    lacking = np.argwhere(predicted < 0)
    if lacking.size:
        row, picture = table.iloc[lacking[0, 0]], images.ids[lacking[0, 1]]
        raise InputError(
            f"predictions: policy {row['policy']}, seed {row['seed']} lacks the picture {picture}"
        )
    return Runs(images, table, predicted)


def arrange_cells(
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    annotations: pd.DataFrame,
    n_classes: int,
    empty_labels: EmptyLabels,
) -> Cells:
    """Join all three tables and mark each prediction right or wrong under both truths.

    A prediction is right under "original" where it is the picture's class, and under "multi" where
    it is in the picture's label set (Beyer et al. 2020, "ReaL"; Kirichenko et al., NeurIPS 2023).
    With `empty_labels` "drop", pictures whose set is empty leave the figures of "multi"; with
    "wrong" they stay and no prediction for them is right.

    Raises:
        InputError: a run or the annotations lack a picture, or name an unknown one.
    """
    runs = arrange_runs(predictions, index, n_classes)
    images = runs.images
    picture, label = label_pairs(annotations, images)
    # One sorted key for each (picture, label): membership of [R, N] predictions is a binary search,
    # where a dense [N, C] matrix would not fit for many classes.
    keys = np.unique(picture * n_classes + label)
    wanted = np.arange(len(images.ids)) * n_classes + runs.predicted
    place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    within = keys[place] == wanted if len(keys) else np.zeros(wanted.shape, bool)
    labelled = np.bincount(picture, minlength=len(images.ids)) > 0
    everything = np.ones(len(images.ids), bool)
    return Cells(
        images,
        runs.table,
        runs.predicted,
        correct={"original": runs.predicted == images.labels, "multi": within},
        counted={
            "original": everything,
            "multi": labelled if empty_labels == "drop" else everything,
        },
    )


def label_pairs(annotations: pd.DataFrame, images: Images) -> tuple[Ints, Ints]:
    """The label sets of the pictures as two flat arrays: picture's rank and label, int64 [L].

    Raises:
        InputError: the annotations lack a picture, name one twice, or a label is out of range.
    """
    row = pd.Index(annotations["image_id"]).get_indexer_for(images.ids)
    if len(row) != len(images.ids):
        raise InputError("annotations: a picture is there twice")
    if (row < 0).any():
        raise InputError(
            f"annotations: the picture {images.ids[int(np.argmax(row < 0))]} is missing"
        )
    sets = [np.asarray(labels, np.int64) for labels in annotations["labels"].iloc[row]]
    picture = np.repeat(np.arange(len(sets)), [len(labels) for labels in sets])
    label = np.concatenate([np.empty(0, np.int64), *sets])
    if label.size and (label.min() < 0 or label.max() >= images.n_classes):
        raise InputError(f"annotations: a label lies outside 0 to {images.n_classes - 1}")
    return picture, label


def grid(
    table: pd.DataFrame, by: Literal["policy", "strength"]
) -> tuple[list[Any], list[int], Ints]:
    """Lay runs out as a full grid of levels by seeds.

    Args:
        table: the runs, with the columns policy, strength and seed.
        by: the column whose sorted values are the levels.

    Returns:
        levels [K], seeds [S] (both sorted), and the rank of each run in `table`, int64 [K, S].

    Raises:
        InputError: a level is NaN, lacks one of the seeds, or has it twice. Contrasts are paired
            over seeds, so every level needs the same ones.
    """
    if table[by].isna().any():
        policy = table.loc[table[by].isna(), "policy"].iloc[0]
        raise InputError(f"predictions: policy {policy} is not uniform and has no strength")
    levels, seeds = sorted(table[by].unique()), sorted(table["seed"].unique())
    level = pd.Index(levels).get_indexer(table[by])
    seed = pd.Index(seeds).get_indexer(table["seed"])
    times = np.zeros((len(levels), len(seeds)), np.int64)
    np.add.at(times, (level, seed), 1)
    if (times != 1).any():
        k, s = np.argwhere(times != 1)[0]
        raise InputError(
            f"predictions: {by} {levels[k]} has {times[k, s]} runs with seed {seeds[s]}; "
            f"paired contrasts need exactly one for every {by} and seed"
        )
    rows = np.empty_like(times)
    rows[level, seed] = np.arange(len(table))
    return levels, [int(value) for value in seeds], rows


def level_of(levels: list[Any], wanted: float | str, by: str) -> int:
    """Rank of `wanted` in `levels`.

    Raises:
        InputError: it is not there.
    """
    if wanted not in levels:
        raise InputError(f"predictions: no run has {by} {wanted}; there are {levels}")
    return levels.index(wanted)
