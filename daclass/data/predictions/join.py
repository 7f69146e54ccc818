"""Labels, models, predictions and annotations, joined by picture into a study's tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from daclass.data.annotated import Annotated, label_sets
from daclass.data.classes import Classes
from daclass.data.index import halves
from daclass.data.names import match_pictures
from daclass.data.predictions.labels import Labels
from daclass.data.predictions.rows import RANKS, Rows
from daclass.errors import InputError
from daclass.tables import SCHEMAS


@dataclass(frozen=True)
class Joined:
    """What a study of predictions starts from.

    Attributes:
        index: the tables that describe the pictures.
        predictions: table "predictions".
        notes: what a reader should know of how they were read, in whole sentences.
    """

    index: Annotated
    predictions: pd.DataFrame
    notes: tuple[str, ...]


def join(
    labels: Labels,
    classes: Classes,
    paths: Sequence[str],
    parts: Sequence[Rows],
    models_of: Callable[[pd.DataFrame], pd.DataFrame],
    annotations_of: Callable[[list[str]], pd.DataFrame | None],
    *,
    common: bool,
    split_seed: int,
) -> Joined:
    """Join all by picture.

    Args:
        labels: the labelled pictures.
        classes, paths: the classes, and each one's way through the class tree.
        parts: predictions, one part for each file.
        models_of: from one row for each model (columns run, condition, replicate and stem) to the
            models that are compared (columns run, policy, strength and seed).
        annotations_of: from picture ids to the columns image_id and name.
        common: whether pictures that a model or the labels lack are left out rather than refused.
        split_seed: of the halves.

    Raises:
        InputError: naming the file, and the row or model, that is wrong.
    """
    numbers = classes.numbers(labels.values, "label", labels.place)
    pictures = _distinct_pictures(labels)
    runs = pd.concat(
        [_encoded(part, pictures, numbers, classes, common) for part in parts], ignore_index=True
    )
    twice = runs.groupby("run", observed=True, sort=False)["file"].nunique()
    if (twice > 1).any():
        name = twice.idxmax()
        raise InputError(
            f"{runs.loc[runs['run'] == name, 'file'].iloc[-1]}: model {name} is in more than one "
            "file; where that is a column which holds the predictions, data.columns.prediction, or "
            f"--prediction {name}, says so"
        )
    models = models_of(_models(runs))
    chosen = runs["run"].isin(models["run"]).to_numpy()
    runs = runs[chosen]
    kept, notes = _pictures_of_all(runs, list(models["run"]), pictures, labels.file, common=common)
    runs = runs[kept[runs["picture"].to_numpy()] & (runs["picture"] >= 0).to_numpy()]
    ids = [picture for picture, keep in zip(pictures, kept, strict=True) if keep]
    table = runs.drop(columns=["condition", "replicate", "file", "stem"]).merge(models, on="run")
    table["image_id"] = pd.Categorical.from_codes(
        (np.cumsum(kept) - 1)[table.pop("picture").to_numpy()], categories=pd.Index(ids)
    )
    val = pd.DataFrame(
        {"image_id": ids, "class_id": numbers[kept], "split": "val", "draw": -1, "content": ""}
    ).assign(position=range(len(ids)))
    val["half"] = halves(val, split_seed)
    names = list(classes.names)
    sets, said = label_sets(
        annotations_of(ids), val, {name: number for number, name in enumerate(names)}
    )
    tree = pd.DataFrame({"name": names, "path": list(paths), "class_id": range(len(names))})
    truth = pd.DataFrame({name: [] for name in SCHEMAS["truth"]})
    return Joined(
        Annotated(val, tree, truth, sets),
        table[list(SCHEMAS["predictions"])],
        (*(note for part in parts for note in part.notes), *notes, *said),
    )


def _distinct_pictures(labels: Labels) -> list[str]:
    images = labels.images
    missing = (images.isna() | (images.astype(str).str.strip() == "")).to_numpy()
    if missing.any():
        raise InputError(f"{labels.place(int(missing.argmax()))}: names no picture")
    again = images.duplicated().to_numpy()
    if again.any():
        row = int(again.argmax())
        raise InputError(f"{labels.place(row)}: {images.iloc[row]} is there twice")
    return [str(image) for image in images]


def _encoded(
    part: Rows, pictures: list[str], labels: np.ndarray, classes: Classes, others: bool
) -> pd.DataFrame:
    """A part's rows with class and picture numbers: columns run, picture (-1 for a picture without
    label), ranks, probability, condition, replicate, file and stem."""
    frame = part.frame
    ids = match_pictures(frame["image"], pictures, part.file, others=others)
    picture = pd.Index(pictures).get_indexer(pd.Index(ids.astype(object)))
    found = pd.DataFrame(
        {
            "run": pd.Categorical(_texts(part, "model", needed=True)),
            "picture": picture,
            "view": np.nan,
            "shifted": False,
            "condition": _texts(part, "condition", needed=True),
            "replicate": _texts(part, "replicate", needed=False),
            "file": part.file,
            "stem": part.stem,
        }
    )
    found["probability"] = _probabilities(part, found["run"])
    again = (found["run"].cat.codes.astype(np.int64) * (len(pictures) + 1) + picture).duplicated()
    repeated = again.to_numpy() & (picture >= 0)
    if repeated.any():
        row = int(repeated.argmax())
        raise InputError(
            f"{part.place(row)}: model {found['run'].iloc[row]} predicts {ids.iloc[row]} more than "
            "once"
        )
    for rank in RANKS:
        ranked = np.full(len(frame), -1, np.int32)
        if rank == RANKS[0]:
            ranked = classes.numbers(frame[rank], rank, part.place)
        elif rank in frame and len(rows := _given(frame[rank], found["run"])):
            place = partial(_place, part, rows)
            ranked[rows] = classes.numbers(frame[rank].iloc[rows], rank, place)
        found[rank] = ranked
    _check_ranking(part, found, classes)
    if "label" in frame and not frame["label"].isna().all():
        own = classes.numbers(frame["label"], "label", part.place)
        odd = (picture >= 0) & (own != labels[picture])
        if odd.any():
            row = int(odd.argmax())
            raise InputError(
                f"{part.place(row)}: {frame['image'].iloc[row]} is labelled "
                f"{classes.names[own[row]]}, but {classes.names[labels[picture[row]]]} in the file "
                "of the labels"
            )
    return found


def _texts(part: Rows, column: str, *, needed: bool) -> pd.Series:
    """A column as text; a missing value is refused where it is needed, and "" elsewhere."""
    if column not in part.frame:
        return pd.Series("", part.frame.index)
    values = part.frame[column]
    missing = values.isna().to_numpy()
    if needed and missing.any():
        raise InputError(f"{part.place(int(missing.argmax()))}: {column} is missing")
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    texts = np.array([*(str(value) for value in distinct), ""], object)  # -1 is the last
    return pd.Series(texts[codes], part.frame.index)


def _given(values: pd.Series, models: pd.Series) -> npt.NDArray[np.intp]:
    """The rows of models that have the column at all: one may have none in any of its rows."""
    missing = values.isna().to_numpy() | (values.astype(object) == "").to_numpy()
    codes = models.cat.codes.to_numpy()
    return np.flatnonzero(np.bincount(codes, ~missing)[codes] > 0)


def _place(part: Rows, rows: npt.NDArray[np.intp], row: int) -> str:
    return part.place(int(rows[row]))


def _probabilities(part: Rows, models: pd.Series) -> np.ndarray:
    found = np.full(len(part.frame), np.nan, np.float32)
    if "probability" not in part.frame:
        return found
    rows = _given(part.frame["probability"], models)
    given = part.frame["probability"].iloc[rows]
    numbers = pd.to_numeric(given, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = np.asarray(~((numbers >= 0) & (numbers <= 1)), bool)  # True for NaN
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"{_place(part, rows, row)}: probability {given.iloc[row]} is not in [0, 1]"
        )
    found[rows] = numbers
    return found


def _check_ranking(part: Rows, found: pd.DataFrame, classes: Classes) -> None:
    """The places of a ranking are distinct, and none is known behind one that is not."""
    for place, rank in enumerate(RANKS):
        for before in RANKS[:place]:
            known = found[rank].to_numpy() >= 0
            gap = known & (found[before].to_numpy() < 0)
            same = known & (found[rank].to_numpy() == found[before].to_numpy())
            if gap.any():
                raise InputError(
                    f"{part.place(int(gap.argmax()))}: {before} is missing before {rank}"
                )
            if same.any():
                row = int(same.argmax())
                raise InputError(
                    f"{part.place(row)}: {before} and {rank} are both "
                    f"{classes.names[found[rank].iloc[row]]!r}; the places of a ranking differ"
                )


def _models(runs: pd.DataFrame) -> pd.DataFrame:
    """One row for each model; a model of several conditions or replicates has several."""
    columns = ["run", "condition", "replicate", "stem"]
    return runs[columns].drop_duplicates().astype(str).reset_index(drop=True)


def _pictures_of_all(
    runs: pd.DataFrame, models: list[str], pictures: list[str], labelled: str, *, common: bool
) -> tuple[np.ndarray, list[str]]:
    """Which labelled pictures are compared, bool [N], and what to say of the others."""
    number = pd.Index(models).get_indexer(pd.Index(runs["run"].astype(object)))
    picture = runs["picture"].to_numpy()
    inside = picture >= 0
    present = np.zeros((len(models), len(pictures)), bool)
    present[number[inside], picture[inside]] = True
    for model, row in zip(models, present, strict=True):
        if not (row.all() or common):
            file = runs.loc[(runs["run"] == model).to_numpy(), "file"].iloc[0]
            raise InputError(
                f"{file}: model {model} lacks {(~row).sum()} of {len(pictures)} labelled pictures, "
                f"the first is {pictures[int((~row).argmax())]}; --common (data.pictures: common) "
                "compares those that all have"
            )
    kept: np.ndarray = np.all(present, axis=0)
    if not kept.any():
        raise InputError(f"{labelled}: no picture has a label and a prediction of every model")
    notes = []
    if not kept.all():
        notes.append(
            f"{kept.sum()} of {len(kept)} labelled pictures have a prediction of every model, and "
            f"are compared; {(~kept).sum()} are left out, the first is "
            f"{pictures[int((~kept).argmax())]}."
        )
    if not inside.all():
        others = len(runs) - int(inside.sum())
        notes.append(f"{others} predictions are of pictures without a label, and are left out.")
    return kept, notes
