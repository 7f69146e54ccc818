"""Counts against scikit-learn's confusion matrix and against the definitions, word for word."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from daclass.analysis.cells import arrange_cells
from daclass.analysis.counts import count
from daclass.tables import SCHEMAS

HALVES = {"select": ["select"], "estimate": ["estimate"], "all": ["select", "estimate"]}


def joined(study):
    table = study.predictions.merge(study.index[["image_id", "class_id", "half"]], on="image_id")
    return table.merge(study.annotations, on="image_id")


@pytest.mark.parametrize("half", HALVES)
def test_original_counts_equal_the_confusion_matrix(study, half: str) -> None:
    counts = count(study.cells())
    rows = joined(study)
    rows = rows[rows["half"].isin(HALVES[half])]
    for (policy, seed), run in rows.groupby(["policy", "seed"]):
        matrix = confusion_matrix(run["class_id"], run["prediction"], labels=range(10))
        chosen = (counts["policy"] == policy) & (counts["seed"] == seed) & (counts["half"] == half)
        found = counts[chosen].sort_values("class_id")
        np.testing.assert_array_equal(found["images"], matrix.sum(axis=1))
        np.testing.assert_array_equal(found["correct"], np.diag(matrix))
        np.testing.assert_array_equal(found["false_negatives"], (matrix.sum(1) - np.diag(matrix)))
        np.testing.assert_array_equal(found["false_positives"], (matrix.sum(0) - np.diag(matrix)))


@pytest.mark.parametrize("empty_labels", ["drop", "wrong"])
def test_multi_counts_follow_the_definitions(study, empty_labels: str) -> None:
    counts = count(study.cells(empty_labels))
    rows = joined(study)
    for row in counts[counts["half"] == "all"].sample(40, random_state=0).itertuples():
        run = rows[(rows["policy"] == row.policy) & (rows["seed"] == row.seed)]
        if empty_labels == "drop":
            run = run[run["labels"].str.len() > 0]
        k = row.class_id
        negatives = positives = labelled = 0
        for x in run.itertuples():
            labelled += x.class_id == k
            negatives += x.class_id == k and x.prediction not in x.labels
            positives += x.class_id != k and x.prediction == k and k not in x.labels
        assert row.labelled == labelled
        assert row.false_negatives_multi == negatives
        assert row.false_positives_multi == positives
        assert row.correct_multi == labelled - negatives


def test_halves_add_up_and_the_layout_holds(study) -> None:
    counts = count(study.cells())
    assert set(counts) == set(SCHEMAS["counts"])
    assert len(counts) == 9 * 3 * 10
    keys = ["policy", "seed", "class_id"]
    numbers = list(SCHEMAS["counts"])[5:]
    parts = counts[counts["half"] != "all"].groupby(keys)[numbers].sum()
    whole = counts[counts["half"] == "all"].set_index(keys).sort_index()[numbers]
    np.testing.assert_array_equal(parts, whole)


def test_classes_without_pictures_are_counted_as_zero(study) -> None:
    counts = count(arrange_cells(*study.data[:3], 12, "drop"))
    last = counts[counts["class_id"] >= 10]
    assert (last[["images", "labelled", "correct", "false_positives"]] == 0).all(axis=None)
