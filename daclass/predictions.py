"""The door for predictions, whoever made them: what every later stage may rely on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from daclass.atomic import replacing
from daclass.errors import InputError
from daclass.tables import RUNNERS_UP, SCHEMAS, write_table


def validate_predictions(predictions: pd.DataFrame, index: pd.DataFrame, n_classes: int) -> None:
    """Check that every run predicts every validation picture exactly once.

    Args:
        predictions: table "predictions", any number of runs in any order.
        index: table "index"; its pictures with a half are the validation pictures.
        n_classes: predictions must lie in [0, n_classes).

    Raises:
        InputError: naming the run and the picture (or the column) that is wrong: a missing column,
            no rows, a missing seed, an unknown or repeated picture, a run that lacks pictures or
            mixes policies or seeds, two runs of one policy and seed, a class out of range, a
            probability outside [0, 1].
    """
    missing = [column for column in SCHEMAS["predictions"] if column not in predictions]
    if missing:
        raise InputError(f"predictions: the column {missing[0]} is missing")
    if predictions.empty:
        raise InputError("predictions: the table holds no rows")
    _check_texts(predictions)
    _check_values(predictions, n_classes)
    _check_pictures(predictions, index)
    _check_runs(predictions)


def _check_texts(predictions: pd.DataFrame) -> None:
    """A missing text would be numbered -1, which is the last one where it is an index."""
    for column in ("run", "policy", "image_id"):
        missing = predictions[column].isna().to_numpy()
        _refuse(predictions, missing, partial(_missing, column))


def write_predictions(predictions: pd.DataFrame, path: Path) -> None:
    """Write table "predictions" for a study of predictions to read.

    Args:
        predictions: for a .csv file, those of one view.
        path: ends in .csv, which `daclass.data.predictions` reads, or is a table of daclass's own.
    """
    if path.suffix != ".csv":
        write_table(predictions, "predictions", path)
        return
    unknown = [rank for rank in RUNNERS_UP if (predictions[rank] < 0).all()]
    names = {"run": "model", "policy": "condition", "seed": "replicate", "image_id": "image"}
    with replacing(path) as partial:
        unsaid = ["strength", "view", "shifted", *unknown]
        shown = predictions.drop(columns=unsaid).rename(columns=names)
        shown.to_csv(partial, index=False)


def _check_values(predictions: pd.DataFrame, n_classes: int) -> None:
    predicted = _numbers(predictions, "prediction")
    whole = predicted == np.floor(predicted)  # False for NaN
    _refuse(
        predictions,
        ~(whole & (predicted >= 0) & (predicted < n_classes)),
        lambda row: f"prediction {row.prediction} is no class: they run from 0 to {n_classes - 1}",
    )
    for name in RUNNERS_UP:
        other = _numbers(predictions, name)
        _refuse(
            predictions,
            ~((other == np.floor(other)) & (other >= -1) & (other < n_classes)),
            partial(_no_runner_up, name),
        )
    ranks = ("prediction", *RUNNERS_UP)
    for place, name in enumerate(ranks):
        own = predictions[name].to_numpy()
        for before in ranks[:place]:
            _refuse(
                predictions,
                (own >= 0) & (own == predictions[before].to_numpy()),
                partial(_repeated, name),
            )
    probability = _numbers(predictions, "probability")
    run = pd.factorize(predictions["run"])[0]
    # A run without probabilities has NaN for all; one NaN among numbers is a fault.
    known = np.bincount(run, ~np.isnan(probability)) > 0
    _refuse(
        predictions,
        ~((probability >= 0) & (probability <= 1)) & known[run],  # True for NaN
        lambda row: f"probability {row.probability} lies outside [0, 1]",
    )
    seed = _numbers(predictions, "seed")
    _refuse(
        predictions,
        ~(seed == np.floor(seed)),
        lambda row: f"seed {row.seed} is no whole number",
    )


def _missing(column: str, row: Any) -> str:
    return f"{column} is missing"


def _repeated(name: str, row: Any) -> str:
    return f"{name} repeats class {row[name]} of an earlier rank"


def _no_runner_up(name: str, row: Any) -> str:
    return f"{name} {row[name]} is no class, and not -1 for unknown"


def _numbers(predictions: pd.DataFrame, column: str) -> np.ndarray:
    """A column as float64 [rows]; what cannot be read as a number becomes NaN."""
    return pd.to_numeric(predictions[column], errors="coerce").to_numpy(float, na_value=np.nan)


def _check_pictures(predictions: pd.DataFrame, index: pd.DataFrame) -> None:
    ids = pd.Index(index.loc[index["half"] != "", "image_id"])
    code, pictures = pd.factorize(predictions["image_id"])
    position = ids.get_indexer(pd.Index(pictures))[code]
    _refuse(
        predictions, position < 0, lambda row: "the picture is no validation picture of the index"
    )
    run, names = pd.factorize(predictions["run"])
    cell = run * len(ids) + position
    times = np.bincount(cell, minlength=len(names) * len(ids))
    _refuse(predictions, times[cell] > 1, lambda row: "the picture is predicted more than once")
    absent = np.flatnonzero(times == 0)
    if absent.size:
        name, picture = names[absent[0] // len(ids)], ids[absent[0] % len(ids)]
        lacking = (times.reshape(len(names), -1)[absent[0] // len(ids)] == 0).sum()
        raise InputError(
            f"predictions: run {name} lacks {lacking} of {len(ids)} validation pictures, "
            f"the first is {picture}"
        )


def _check_runs(predictions: pd.DataFrame) -> None:
    runs = predictions[["run", "policy", "strength", "seed"]].drop_duplicates()
    mixed = runs["run"].duplicated()
    if mixed.any():
        raise InputError(
            f"predictions: run {runs.loc[mixed, 'run'].iloc[0]} has more than one policy, "
            "strength or seed"
        )
    twice = runs.duplicated(["policy", "seed"])
    if twice.any():
        row = runs[twice].iloc[0]
        raise InputError(
            f"predictions: run {row['run']} repeats policy {row['policy']} with seed {row['seed']}"
        )


def _refuse(predictions: pd.DataFrame, wrong: np.ndarray, why: Callable[[Any], str]) -> None:
    """Raise for the first row that is wrong."""
    if wrong.any():
        row = predictions.iloc[int(np.argmax(wrong))]
        raise InputError(f"predictions: run {row['run']}, image {row['image_id']}: {why(row)}")
