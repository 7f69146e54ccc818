"""Confusion rates against scikit-learn; their intervals against the dense computation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix
from statsmodels.stats.multitest import multipletests

from daclass.analysis.cells import arrange_runs
from daclass.analysis.conditions import Conditions
from daclass.analysis.confusions import confusions, false_positives
from daclass.inference.crossed import crossed, crossed_difference
from daclass.tables import SCHEMAS


@pytest.fixture(scope="module")
def table(study):
    return confusions(study.cells(), study.conditions, confidence=0.95)


@pytest.mark.parametrize("half", ["select", "estimate", "all"])
def test_rates_equal_the_confusion_matrix(study, table, half: str) -> None:
    rows = study.predictions.merge(study.index[["image_id", "class_id", "half"]], on="image_id")
    if half != "all":
        rows = rows[rows["half"] == half]
    found = table[table["half"] == half].set_index(["class_id", "predicted_id"])
    occurring = np.zeros((10, 10), bool)
    for strength, column in ((0.08, "rate_tested"), (0.99, "rate_reference")):
        run = rows[rows["strength"] == strength]
        matrix = confusion_matrix(run["class_id"], run["prediction"], labels=range(10))
        rates = matrix / matrix.sum(axis=1, keepdims=True)
        occurring |= matrix > 0
        for (k, other), row in found.iterrows():
            assert row[column] == pytest.approx(rates[k, other])
    np.fill_diagonal(occurring, False)
    pairs = set(zip(*np.nonzero(occurring), strict=True))
    assert pairs == set(found.index) if half == "all" else pairs <= set(found.index)
    np.testing.assert_allclose(found["growth"], found["rate_tested"] - found["rate_reference"])


@pytest.mark.parametrize("half", ["select", "estimate", "all"])
def test_sparse_sums_give_the_dense_interval(study, table, half: str) -> None:
    runs = arrange_runs(study.predictions, study.index, study.n_classes)
    strong, weak = (
        runs.predicted[runs.table.index[runs.table["strength"] == s]] for s in (0.08, 0.99)
    )
    for row in table[table["half"] == half].sample(25, random_state=1).itertuples():
        chosen = runs.images.half(half) & (runs.images.labels == row.class_id)
        cells = (strong[:, chosen] == row.predicted_id).astype(int)
        cells -= weak[:, chosen] == row.predicted_id
        dense = crossed(cells, np.zeros(chosen.sum(), int), 1, confidence=0.95)
        np.testing.assert_allclose(
            [row.growth, row.low, row.high, row.p, row.images],
            [dense.mean[0], dense.low[0], dense.high[0], dense.p[0], dense.images[0]],
        )


def test_layout_and_q(table) -> None:
    assert set(table) == set(SCHEMAS["confusions"])
    assert (table["class_id"] != table["predicted_id"]).all()
    for _, part in table.groupby("half"):
        assert not part.duplicated(["class_id", "predicted_id"]).any()


def test_false_positives_are_those_of_the_confusion_matrix(study) -> None:
    found = false_positives(study.cells(), study.conditions, confidence=0.95)
    assert set(found) == set(SCHEMAS["false_positives"])
    own = found[found["half"] == "all"].set_index("class_id")
    for strength, column in ((0.08, "tested"), (0.99, "reference")):
        rows = study.predictions[study.predictions["strength"] == strength]
        rows = rows.merge(study.index[["image_id", "class_id"]], on="image_id")
        wrong = rows[rows["prediction"] != rows["class_id"]]
        counts = wrong["prediction"].value_counts().reindex(own.index, fill_value=0)
        np.testing.assert_allclose(own[column], counts / rows["seed"].nunique())
    np.testing.assert_allclose(own["q"], multipletests(own["p"], method="fdr_bh")[1])
    assert ((own["low"] <= own["growth"]) & (own["growth"] <= own["high"])).all()


def test_pairs_are_tested_within_the_classes_that_grow(study, table) -> None:
    positives = false_positives(study.cells(), study.conditions, confidence=0.95)
    for half, part in table.groupby("half"):
        classes = positives[positives["half"] == half].set_index("class_id")["q"]
        grown = classes.index[classes <= 0.05]
        assert part.loc[~part["predicted_id"].isin(grown), "q"].isna().all()
        for class_id, pairs in part[part["predicted_id"].isin(grown)].groupby("predicted_id"):
            adjusted = multipletests(pairs["p"], method="fdr_bh")[1] * len(classes) / len(grown)
            np.testing.assert_allclose(pairs["q"], np.minimum(adjusted, 1), err_msg=str(class_id))


def test_every_half_has_the_same_pairs(table) -> None:
    pairs = [
        set(zip(part["class_id"], part["predicted_id"], strict=True))
        for _, part in table.groupby("half")
    ]
    assert pairs[0] == pairs[1] == pairs[2]


def test_no_errors_give_no_rows(study) -> None:
    right = study.predictions.merge(study.index[["image_id", "class_id"]], on="image_id")
    right = right.assign(prediction=right["class_id"])
    table = confusions(
        arrange_runs(right, study.index, study.n_classes), study.conditions, confidence=0.95
    )
    assert set(table) == set(SCHEMAS["confusions"])
    assert table.empty


def test_one_seed_gives_growth_without_interval(simulator) -> None:
    study = simulator(seeds=(1,))
    table = confusions(study.cells(), study.conditions, confidence=0.95)
    assert table["growth"].notna().all()
    assert table[["low", "high", "p", "q"]].isna().all(axis=None)


@pytest.mark.parametrize("others", [3, 2, 1])
def test_sparse_sums_give_the_dense_interval_of_runs_without_pairs(study, others: int) -> None:
    last = study.predictions["strength"] == 0.99
    own = study.predictions["seed"].rank(method="dense") <= others
    predictions = study.predictions[~last | own]
    predictions = predictions.assign(seed=predictions["seed"] + 100 * last)
    runs = arrange_runs(predictions, study.index, study.n_classes)
    conditions = Conditions.of(("uniform-0.08", "uniform-0.99"), "uniform-0.99", runs.table)
    assert not conditions.paired
    table = confusions(runs, conditions, confidence=0.95)
    assert (table["seeds"] == others).all()
    strong, weak = (runs.predicted[rows] for rows in conditions.replicates(runs.table))
    for row in table.sample(40, random_state=2).itertuples():
        chosen = runs.images.half(row.half) & (runs.images.labels == row.class_id)
        arms = [arm[:, chosen] == row.predicted_id for arm in (strong, weak)]
        dense = crossed_difference(
            *arms, np.zeros(chosen.sum(), int), 1, paired=False, confidence=0.95
        )
        np.testing.assert_allclose(
            [row.rate_tested, row.rate_reference, row.growth, row.low, row.high, row.p],
            [
                arms[0].mean(),
                arms[1].mean(),
                dense.mean[0],
                dense.low[0],
                dense.high[0],
                dense.p[0],
            ],
        )
        assert np.isnan(row.p) == (others == 1)
