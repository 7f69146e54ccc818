"""Predictions, index and annotations joined by picture into dense arrays.

A *cell* is one run's verdict on one validation picture. Every analysis starts from the arrays here,
so that tables are joined once, by `image_id`, and never by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from daclass.errors import InputError
from daclass.inference.arrays import Bools, Ints
from daclass.tables import RUNNERS_UP

Truth = Literal["original", "multi"]
Half = Literal["select", "estimate", "all"]
EmptyLabels = Literal["drop", "wrong"]
TRUTHS: tuple[Truth, ...] = ("original", "multi")
HALVES: tuple[Half, ...] = ("select", "estimate", "all")

PREDICTION_COLUMNS = (
    "policy", "strength", "seed", "image_id", "view", "shifted", "prediction", *RUNNERS_UP,
)  # fmt: skip
"""The columns of table "predictions" that the analysis needs."""


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
        table: columns policy, strength and seed, one row per run, in the order of the rows.
        predicted: predicted class, int32 [R, N].
        runners_up: the classes ranked behind it, k - 1 arrays int32 [R, N]; none where the
            predictions hold the first class alone.
    """

    images: Images
    table: pd.DataFrame
    predicted: npt.NDArray[np.int32]
    runners_up: Sequence[npt.NDArray[np.int32]]

    @property
    def depths(self) -> tuple[int, ...]:
        """For which k accuracies in the top k are known: 1, and the deepest that says something."""
        depth = 1 + len(self.runners_up)
        return (1, depth) if 1 < depth < self.images.n_classes else (1,)


@dataclass(frozen=True)
class Cells(Runs):
    """Runs, and whether each prediction is right.

    Attributes:
        correct: truth -> bool [R, N].
        counted: truth -> bool [N], the pictures that enter the figures of that truth.
        label_keys: sorted ``picture * C + label`` of all label sets, int64 [L].
    """

    correct: Mapping[Truth, Bools]
    counted: Mapping[Truth, Bools]
    label_keys: Ints

    @property
    def extra_labels(self) -> Ints:
        """Labels of each picture beside its original class, int64 [N]."""
        picture, label = np.divmod(self.label_keys, self.images.n_classes)
        return np.bincount(
            picture[label != self.images.labels[picture]], minlength=len(self.images.ids)
        )

    def correct_in_top(self, truth: Truth, k: int) -> Bools:
        """Whether one of the k classes that a run ranks first is right, bool [R, N]."""
        found = self.correct[truth]
        for other in self.runners_up[: k - 1]:
            found = found | _is_right(other, truth, self.images, self.label_keys)
        return found


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


def one_view(
    predictions: pd.DataFrame, view: float | None = None, *, shifted: bool = False
) -> pd.DataFrame:
    """The rows of table "predictions" that hold one view of each picture.

    Args:
        view: side of the central square, as a share of the shorter side. None takes the only view
            there is; predictions from elsewhere do not say theirs, and have one.
        shifted: those after the logit shift instead of those before it.

    Raises:
        InputError: there is no such view, or several and none is named.
    """
    if "view" not in predictions:
        return predictions
    rows = predictions[predictions["shifted"] == shifted]
    if view is not None:
        rows = rows[np.isclose(rows["view"], view) | rows["view"].isna()]
    views = rows["view"].unique()
    if len(views) != 1:
        there = ", ".join(f"{view:g}" for view in sorted(predictions["view"].unique()))
        wanted = "one of them is to be named" if view is None else f"not {view:g}"
        raise InputError(f"predictions: the views are {there}, {wanted}; run predict again")
    return rows


def arrange_runs(
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    n_classes: int,
    view: float | None = None,
    *,
    shifted: bool = False,
) -> Runs:
    """Join table "predictions" to the pictures; runs come sorted by policy and seed.

    `view` and `shifted` choose the rows, as in `one_view`.

    Text columns may be categories, as `daclass.tables.read_table` gives them: joining then touches
    each distinct text once, not each row.

    Raises:
        InputError: a run names an unknown picture, lacks one or has one twice.
    """
    images = validation_images(index, n_classes)
    predictions = one_view(predictions, view, shifted=shifted)
    policy, policies = _codes(predictions["policy"])
    seed, seeds = _codes(predictions["seed"])
    picture, pictures = _codes(predictions["image_id"])
    column = images.ids.get_indexer(pictures)[picture]
    if (column < 0).any():
        unknown = predictions["image_id"].iloc[int(np.argmax(column < 0))]
        raise InputError(f"predictions: {unknown} is no validation picture of the index")
    # Codes are ranks, so that runs come sorted by policy and seed.
    key = policy * len(seeds) + seed
    occurs = np.flatnonzero(np.bincount(key, minlength=len(policies) * len(seeds)))
    rank = np.full(len(policies) * len(seeds), -1)
    rank[occurs] = np.arange(len(occurs))
    run = rank[key]
    strength = np.empty(len(occurs))
    strength[run] = predictions["strength"].to_numpy()
    table = pd.DataFrame(
        {
            "policy": policies.to_numpy()[occurs // len(seeds)],
            "strength": strength,
            "seed": seeds.to_numpy()[occurs % len(seeds)],
        }
    )
    predicted = np.full((len(table), len(images.ids)), -1, np.int32)
    predicted[run, column] = predictions["prediction"].to_numpy()
    lacking = np.argwhere(predicted < 0)
    if lacking.size:
        row, absent = table.iloc[lacking[0, 0]], images.ids[lacking[0, 1]]
        raise InputError(
            f"predictions: policy {row['policy']}, seed {row['seed']} lacks the picture {absent}"
        )
    if len(predictions) > predicted.size:
        raise InputError("predictions: a run predicts a picture more than once")
    return Runs(images, table, predicted, _runners_up(predictions, predicted.shape, run, column))


def _runners_up(
    predictions: pd.DataFrame, shape: tuple[int, int], run: Ints, column: Ints
) -> list[npt.NDArray[np.int32]]:
    """The ranks behind the first, as deep as every run goes."""
    found: list[npt.NDArray[np.int32]] = []
    for name in RUNNERS_UP:
        if name not in predictions or (predictions[name] < 0).any():
            break
        found.append(np.empty(shape, np.int32))
        found[-1][run, column] = predictions[name].to_numpy()
    return found


def _codes(column: pd.Series) -> tuple[Ints, pd.Index]:
    """Each value's rank among the sorted distinct values, int64 [rows], and these values."""
    if column.isna().any():  # its code would be -1, which as an index is the last value
        raise InputError(
            f"predictions: {column.name} is missing in row {column.isna().argmax() + 1}"
        )
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories, codes = column.cat.categories, column.cat.codes.to_numpy()
        used = np.flatnonzero(np.bincount(codes, minlength=len(categories)))
        order = used[categories[used].argsort()]
        rank = np.empty(len(categories), np.int64)
        rank[order] = np.arange(len(order))
        return rank[codes], categories[order]
    codes, values = pd.factorize(column, sort=True)
    return codes.astype(np.int64), pd.Index(values)


def arrange_cells(
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    annotations: pd.DataFrame,
    n_classes: int,
    empty_labels: EmptyLabels,
    view: float | None = None,
    *,
    shifted: bool = False,
) -> Cells:
    """Join all three tables and mark each prediction right or wrong under both truths.

    A prediction is right under "original" where it is the picture's class, and under "multi" where
    it is in the picture's label set (Beyer et al. 2020, "ReaL"; Kirichenko et al., NeurIPS 2023).
    With `empty_labels` "drop", pictures whose set is empty leave the figures of "multi"; with
    "wrong" they stay and no prediction for them is right. `view` and `shifted` choose what is
    judged, as in `one_view`.

    Raises:
        InputError: a run or the annotations lack a picture, or name an unknown one.
    """
    runs = arrange_runs(predictions, index, n_classes, view, shifted=shifted)
    images = runs.images
    picture, label = label_pairs(annotations, images)
    keys = np.unique(picture * n_classes + label)
    labelled = np.bincount(picture, minlength=len(images.ids)) > 0
    everything = np.ones(len(images.ids), bool)
    return Cells(
        images,
        runs.table,
        runs.predicted,
        runs.runners_up,
        correct={truth: _is_right(runs.predicted, truth, images, keys) for truth in TRUTHS},
        counted={
            "original": everything,
            "multi": labelled if empty_labels == "drop" else everything,
        },
        label_keys=keys,
    )


def _is_right(predicted: npt.NDArray[np.int32], truth: Truth, images: Images, keys: Ints) -> Bools:
    if truth == "original":
        return predicted == images.labels
    # Membership is a binary search among the keys of each (picture, label): a dense matrix of
    # pictures by classes would not fit for many classes. Row by row, for the same reason.
    right = np.zeros(predicted.shape, bool)
    first = np.arange(len(images.ids)) * images.n_classes
    for row, found in zip(predicted, right, strict=True):
        if len(keys):
            wanted = first + row
            place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            found[:] = keys[place] == wanted
    return right


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
