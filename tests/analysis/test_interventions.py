"""Policies compared on the estimation half, group by group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.cells import arrange_cells
from daclass.analysis.interventions import interventions
from daclass.errors import InputError
from daclass.tables import SCHEMAS

GROUPS = {"all": set(range(10)), "affected": {0, 4}, "swallowers": {1, 4}, "both": {0, 1, 4}}
POLICIES = {
    "uniform-0.08": "uniform_strongest",
    "uniform-0.3": "fp_informed",
    "uniform-0.99": "uniform_best",
}


def run(study, affected=(0, 4), swallowers=(4, 1), **changes) -> pd.DataFrame:
    predictions = study.predictions.assign(
        policy=study.predictions["policy"].map(POLICIES), strength=np.nan
    )
    return interventions(
        arrange_cells(predictions, *study.data[1:], "drop"),
        affected=list(affected),
        swallowers=list(swallowers),
        **{"confidence": 0.95, **changes},
    )


@pytest.fixture(scope="module")
def table(study) -> pd.DataFrame:
    return run(study)


def test_layout(table) -> None:
    assert set(table) == set(SCHEMAS["interventions"])
    assert len(table) == 3 * 4 * 2 * 2


@pytest.mark.parametrize("group", GROUPS)
def test_differences_are_paired_accuracies_of_the_estimation_half(study, table, group) -> None:
    rows = study.predictions.merge(study.index[["image_id", "class_id", "half"]], on="image_id")
    rows = rows[(rows["half"] == "estimate") & rows["class_id"].isin(GROUPS[group])]
    right = rows["prediction"] == rows["class_id"]
    accuracy = right.groupby(rows["policy"].map(POLICIES)).mean()
    found = table[(table["group"] == group) & (table["truth"] == "original")]
    for row in found.itertuples():
        assert row.accuracy == pytest.approx(accuracy[row.policy])
        assert row.accuracy_low <= row.accuracy <= row.accuracy_high
        expected = accuracy[row.policy] - accuracy[row.baseline]
        assert row.difference == pytest.approx(expected)
        assert row.images == len(rows) / 9
        assert row.classes == len(GROUPS[group])
        if row.policy != row.baseline:
            assert row.low <= row.difference <= row.high


def test_a_baseline_is_not_tested_against_itself(table) -> None:
    itself = table["policy"] == table["baseline"]
    assert (table.loc[itself, "difference"] == 0).all()
    assert table.loc[itself, ["low", "high", "p"]].isna().all(axis=None)
    assert table.loc[~itself, ["low", "high", "p"]].notna().all(axis=None)


def test_multi_leaves_pictures_without_labels_out(table) -> None:
    whole = table[table["group"] == "all"].groupby("truth")["images"].first()
    assert whole["original"] == 80
    assert whole["multi"] < 80


def test_no_affected_class(study) -> None:
    table = run(study, affected=(), swallowers=())
    empty = table[table["group"] != "all"]
    assert (empty["images"] == 0).all()
    assert empty[["accuracy", "difference", "low", "p"]].isna().all(axis=None)
    assert table.loc[table["group"] == "all", "accuracy"].notna().all()


def test_faults_are_named(study) -> None:
    with pytest.raises(InputError, match="no run of naive"):
        run(study, baselines=("naive",))
    lacking = study.predictions.query("not (strength == 0.3 and seed == 7)")
    with pytest.raises(InputError, match=r"uniform-0.3 has no run with seed 7"):
        interventions(
            arrange_cells(lacking, *study.data[1:], "drop"),
            affected=[0],
            swallowers=[1],
            baselines=("uniform-0.08",),
            confidence=0.95,
        )
