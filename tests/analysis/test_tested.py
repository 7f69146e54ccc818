"""Which condition is tested, what it buys, and what its intervals hold for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.cells import arrange_cells
from daclass.analysis.effects import Affected, effects
from daclass.analysis.measures import measures
from daclass.analysis.nulls import Nulls
from daclass.analysis.tested import averages, condition_of, conditions_of, gains, strength_of
from daclass.tables import SCHEMAS

NAMES = ["uniform-0.08", "uniform-0.3", "uniform-0.99"]


def test_the_best_of_the_stronger_ones_is_tested(simulator):
    cells = simulator(per_class=40, loss=0.7).cells()
    found = conditions_of(cells, NAMES, NAMES[-1], None)
    means = dict(zip(NAMES, averages(cells, NAMES), strict=True))
    assert found.tested == max(NAMES[:-1], key=means.get)
    assert found.reference == NAMES[-1]
    assert found.family is not None


def test_a_named_condition_is_tested_with_intervals_of_its_own(simulator):
    cells = simulator().cells()
    found = conditions_of(cells, NAMES, NAMES[-1], NAMES[1])
    assert found.names == (NAMES[1], NAMES[0], NAMES[2])  # by distance from it
    assert found.family is None
    assert found.level(0.95) == 0.95


def test_of_two_strengths_one_alone_could_be_read_off(simulator):
    cells = simulator(strengths=(0.08, 0.99)).cells()
    assert conditions_of(cells, [NAMES[0], NAMES[2]], NAMES[2], None).family is None


def test_what_was_read_off_the_data_has_wider_intervals(simulator):
    """About as wide as Dunnett's (1955) for two contrasts: 1.13 times where both are alike."""
    cells = simulator(per_class=40, wobble=0.3, seeds=range(8)).cells()
    read, named = (
        conditions_of(cells, NAMES, NAMES[-1], condition)
        for condition in (None, conditions_of(cells, NAMES, NAMES[-1], None).tested)
    )
    affected, tables = Affected("top", share=0.1, at_least=2, q=0.05), []
    for conditions in (read, named):
        nulls = Nulls.draw(cells, conditions, confidence=0.95, replicates=100, random_seed=0)
        tables.append(effects(cells, conditions, nulls, affected, confidence=0.95))
    wide, narrow = ((one["high"] - one["low"]).to_numpy() for one in tables)
    known = ~np.isnan(wide)
    assert (wide[known] >= narrow[known] - 1e-12).all()
    inside = known & (tables[1]["low"] > -1) & (tables[1]["high"] < 1)
    assert 1.05 < np.median(wide[inside] / narrow[inside]) < 1.3
    assert (tables[0]["p"].dropna() >= tables[1]["p"].dropna() - 1e-12).all()
    pd.testing.assert_series_equal(tables[0]["drop"], tables[1]["drop"])


def test_gains_are_paired_differences_of_means_over_classes(simulator):
    study = simulator(n_classes=4, per_class=10, seeds=(0, 1))
    cells = study.cells()
    table = gains(cells, study.conditions, NAMES, confidence=0.95)
    assert set(table) == set(SCHEMAS["tested"])
    assert list(table["policy"]) == NAMES
    right = {
        name: cells.correct["original"][np.flatnonzero(cells.table["policy"] == name)].mean(axis=0)
        for name in NAMES
    }
    by_class = {
        name: np.array([own[cells.images.labels == k].mean() for k in range(4)])
        for name, own in right.items()
    }
    expected = [(by_class[name] - by_class[NAMES[-1]]).mean() for name in NAMES]
    np.testing.assert_allclose(table["gain"], expected, atol=1e-12)
    np.testing.assert_allclose(table["accuracy"], [by_class[n].mean() for n in NAMES])
    assert table.loc[table["reference"], "low"].isna().all()
    assert (table["low"].dropna() < table["gain"][~table["reference"]]).all()


def test_classes_count_alike_however_many_pictures_they_have():
    """A large class is better under one condition, two small ones under the other."""
    labels = np.repeat([0, 1, 2], [80, 4, 4])
    index = pd.DataFrame(
        {
            "image_id": [f"{n}" for n in range(88)], "split": "val", "draw": -1,
            "position": range(88), "class_id": labels,
            "half": np.where(np.arange(88) % 2, "select", "estimate"),
        }
    )  # fmt: skip
    annotations = pd.DataFrame({"image_id": index["image_id"], "labels": [[k] for k in labels]})
    predicted = {"a": np.zeros(88, int), "b": np.where(labels, labels, 1), "c": np.full(88, 1)}
    rows = [
        pd.DataFrame(
            {
                "policy": name, "strength": np.nan, "seed": seed, "image_id": index["image_id"],
                "prediction": said, "probability": 1.0,
            }
        )
        for name, said in predicted.items() for seed in (0, 1)
    ]  # fmt: skip
    cells = arrange_cells(pd.concat(rows), index, annotations, 3, "drop")
    found = conditions_of(cells, ["a", "b", "c"], "c", None)
    assert found.tested == "b"  # 2 of 3 classes, though "a" is right on 80 of 88 pictures


def test_roles_are_read_from_the_table(simulator):
    study = simulator()
    found = measures(
        study.cells(), NAMES, NAMES[-1], NAMES[0], Affected("top", 0.1, 2, 0.05),
        confidence=0.95, replicates=100, random_seed=0,
    )["tested"]  # fmt: skip
    assert condition_of(found, "tested") == NAMES[0]
    assert strength_of(found, "reference") == 0.99
    assert found["best"].sum() == 1
    assert not found["simultaneous"].any()


@pytest.mark.parametrize("strength", ["best", "strongest", 0.3])
def test_predictions_of_every_question_are_of_the_same_runs(simulator, strength):
    """What is tested decides no accuracy."""
    cells = simulator().cells()
    condition = {"best": None, "strongest": NAMES[0], 0.3: NAMES[1]}[strength]
    conditions = conditions_of(cells, NAMES, NAMES[-1], condition)
    table = gains(cells, conditions, NAMES, confidence=0.95)
    again = gains(cells, conditions_of(cells, NAMES, NAMES[-1], NAMES[0]), NAMES, confidence=0.95)
    pd.testing.assert_series_equal(table["gain"], again["gain"])
