"""Predictions are refused, with the run and the picture named, when a later stage would err."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from daclass.errors import InputError
from daclass.predictions import validate_predictions
from daclass.tables import RUNNERS_UP

INDEX = pd.DataFrame(
    {
        "image_id": ["a", "b", "c", "t"],
        "class_id": [0, 1, 1, 0],
        "half": ["select", "estimate", "select", ""],
    }
)


def predictions() -> pd.DataFrame:
    runs = [("r0", 0.1, 0), ("r1", 0.1, 1), ("r2", 0.9, 0)]
    return pd.DataFrame(
        [
            {
                "run": run,
                "policy": f"u{strength}",
                "strength": strength,
                "seed": seed,
                "image_id": image,
                "view": 1.0,
                "shifted": False,
                "prediction": 1,
                "second": 0,
                **dict.fromkeys(RUNNERS_UP[1:], -1),
                "probability": 0.75,
            }
            for run, strength, seed in runs
            for image in "cab"
        ]
    )


def change(row: int, column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def changed(table: pd.DataFrame) -> pd.DataFrame:
        table[column] = table[column].astype(object)
        table.loc[row, column] = value
        return table

    return changed


def test_complete_predictions_pass_in_any_order() -> None:
    validate_predictions(predictions(), INDEX, 2)
    validate_predictions(predictions().sample(frac=1, random_state=0), INDEX, 2)


def test_policies_without_a_strength_pass() -> None:
    table = predictions()
    table["strength"] = np.where(table["run"] == "r2", np.nan, table["strength"])
    validate_predictions(table, INDEX, 2)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.drop(columns="seed"), "column seed is missing"),
        (lambda t: t.iloc[:0], "no rows"),
        (lambda t: t.drop(index=4), "run r1 lacks 1 of 3 validation pictures, the first is a"),
        (lambda t: pd.concat([t, t.tail(1)]), "run r2, image b: .*more than once"),
        (change(0, "image_id", "zebra"), "run r0, image zebra: .*no validation picture"),
        (change(0, "image_id", "t"), "run r0, image t: .*no validation picture"),
        (change(2, "prediction", 2), "run r0, image b: prediction 2 is no class"),
        (change(2, "prediction", -1), "run r0, image b: prediction -1 is no class"),
        (change(2, "prediction", 0.5), "run r0, image b: prediction 0.5 is no class"),
        (change(2, "prediction", None), "run r0, image b: prediction"),
        (change(2, "prediction", "cat"), "run r0, image b: prediction cat is no class"),
        (change(2, "second", 2), "run r0, image b: second 2 is no class"),
        (change(2, "second", -2), "run r0, image b: second -2 is no class"),
        (change(2, "third", 0.5), "run r0, image b: third 0.5 is no class"),
        (change(2, "fifth", float("nan")), "run r0, image b: fifth nan is no class"),
        (change(5, "probability", 1.5), "run r1, image b: probability 1.5"),
        (change(5, "probability", -0.1), "run r1, image b: probability -0.1"),
        (change(5, "probability", float("nan")), "run r1, image b: probability nan"),
        (change(5, "seed", float("nan")), "run r1, image b: seed nan"),
        (change(5, "seed", 7), "run r1 has more than one"),
        (change(5, "run", None), "image b: run is missing"),
        (change(5, "policy", None), "image b: policy is missing"),
        (change(5, "image_id", None), "image_id is missing"),
        (change(2, "second", 1), "run r0, image b: second repeats class 1"),
        (change(2, "third", 0), "run r0, image b: third repeats class 0"),
        (lambda t: t.assign(policy="u", strength=0.1), "run r2 repeats policy u with seed 0"),
    ],
)
def test_faults_are_named(spoil: Callable, message: str) -> None:
    with pytest.raises(InputError, match=message):
        validate_predictions(spoil(predictions()), INDEX, 2)
