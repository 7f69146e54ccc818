"""Accuracy against scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from daclass.analysis.accuracy import accuracy
from daclass.analysis.cells import arrange_cells
from daclass.tables import SCHEMAS


@pytest.mark.parametrize("half", ["select", "estimate", "all"])
def test_original_equals_accuracy_score(study, half: str) -> None:
    table = accuracy(study.cells(), confidence=0.95)
    rows = study.predictions.merge(study.index[["image_id", "class_id", "half"]], on="image_id")
    if half != "all":
        rows = rows[rows["half"] == half]
    for policy, run in rows.groupby("policy"):
        found = table[(table["policy"] == policy) & (table["half"] == half)].set_index("truth")
        expected = accuracy_score(run["class_id"], run["prediction"])
        assert found.loc["original", "accuracy"] == pytest.approx(expected)
        assert found.loc["original", "images"] == len(run) / 3


@pytest.mark.parametrize("empty_labels", ["drop", "wrong"])
def test_multi_is_the_share_within_the_label_sets(study, empty_labels: str) -> None:
    table = accuracy(study.cells(empty_labels), confidence=0.95)
    rows = study.predictions.merge(study.annotations, on="image_id")
    if empty_labels == "drop":
        rows = rows[rows["labels"].str.len() > 0]
    hit = [p in labels for p, labels in zip(rows["prediction"], rows["labels"], strict=True)]
    expected = rows.assign(hit=hit).groupby("policy")["hit"].mean()
    found = table[(table["truth"] == "multi") & (table["half"] == "all")].set_index("policy")
    np.testing.assert_allclose(found["accuracy"].sort_index(), expected.sort_index())


def test_real_predictions_for_imagenet(imagenet) -> None:
    known = {"resnet18": (69.76, 77.29), "resnet50": (76.13, 82.96), "alexnet": (56.52, 63.06)}
    chosen = [rank for rank, name in enumerate(imagenet.models) if name in known]
    predictions = pd.concat(
        pd.DataFrame(
            {
                "policy": imagenet.models[rank],
                "strength": np.nan,
                "seed": 0,
                "image_id": imagenet.index["image_id"],
                "prediction": imagenet.top1[rank],
            }
        )
        for rank in chosen
    )
    table = accuracy(
        arrange_cells(predictions, imagenet.index, imagenet.annotations, 1000, "drop"),
        confidence=0.95,
    )
    found = table[table["half"] == "all"].set_index(["policy", "truth"])
    assert len(chosen) == len(known)
    for model, (original, multi) in known.items():
        assert 100 * found.loc[(model, "original"), "accuracy"] == pytest.approx(original, abs=0.02)
        assert 100 * found.loc[(model, "multi"), "accuracy"] == pytest.approx(multi, abs=0.02)
        assert found.loc[(model, "multi"), "images"] == 46_837


def test_layout_and_intervals(study) -> None:
    table = accuracy(study.cells(), confidence=0.95)
    assert set(table) == set(SCHEMAS["accuracy"])
    assert len(table) == 3 * 3 * 2
    assert ((table["low"] < table["accuracy"]) & (table["accuracy"] < table["high"])).all()
    assert (table["seeds"] == 3).all()


def test_policies_may_lack_a_strength_or_have_one_seed(simulator) -> None:
    study = simulator(seeds=(4,))
    odd = study.predictions["strength"] == 0.3
    predictions = study.predictions.assign(strength=study.predictions["strength"].mask(odd))
    table = accuracy(arrange_cells(predictions, *study.data[1:], "drop"), confidence=0.95)
    assert table["strength"].isna().sum() == 6
    assert table["accuracy"].notna().all()
    assert table[["low", "high"]].isna().all(axis=None)
