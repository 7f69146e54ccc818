"""Accuracy against scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    precision_recall_fscore_support,
    top_k_accuracy_score,
)

from daclass.analysis.accuracy import accuracy, class_accuracy
from daclass.analysis.cells import arrange_cells
from daclass.analysis.counts import count
from daclass.analysis.nulls import Nulls
from daclass.tables import RUNNERS_UP, SCHEMAS


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


def test_macro_and_precision_are_scikit_learns(study) -> None:
    cells = study.cells()
    kept = study.index["class_id"].isin([0, 1]) | (study.index.groupby("class_id").cumcount() < 9)
    index = study.index[kept]
    predictions = study.predictions[study.predictions["image_id"].isin(index["image_id"])]
    annotations = study.annotations[study.annotations["image_id"].isin(index["image_id"])]
    cells = arrange_cells(predictions, index, annotations, 10, "drop")
    table = accuracy(cells, confidence=0.95)
    table = table[(table["truth"] == "original") & (table["half"] == "all")].set_index("policy")
    nulls = Nulls.draw(cells, study.conditions, confidence=0.95, replicates=50, random_seed=0)
    classes = class_accuracy(cells, study.conditions, nulls, confidence=0.95)
    classes = classes[classes["truth"] == "original"]
    rows = predictions.merge(index[["image_id", "class_id"]], on="image_id")
    for policy, run in rows.groupby("policy"):
        expected = balanced_accuracy_score(run["class_id"], run["prediction"])
        assert table.loc[policy, "macro"] == pytest.approx(expected)
        assert table.loc[policy, "macro_low"] < expected < table.loc[policy, "macro_high"]
        own = classes[classes["policy"] == policy].sort_values("class_id")
        scores = precision_recall_fscore_support(
            run["class_id"], run["prediction"], labels=range(10), zero_division=np.nan
        )
        np.testing.assert_allclose(own[["precision", "accuracy", "f1"]].T, scores[:3])
    assert not np.allclose(table["macro"], table["accuracy"], atol=1e-4)


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


@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("half", ["select", "estimate", "all"])
def test_top_k_equals_scikit_learns(simulator, depth: int, half: str) -> None:
    study = simulator(depth=depth, per_class=8, seeds=(0, 1))
    table = accuracy(study.cells(), confidence=0.95)
    assert set(table["k"]) == {1, depth}
    found = table[(table["truth"] == "original") & (table["half"] == half) & (table["k"] == depth)]
    found = found.set_index("policy")["accuracy"]
    rows = study.predictions.merge(study.index[["image_id", "class_id", "half"]], on="image_id")
    rows = rows if half == "all" else rows[rows["half"] == half]
    for policy, run in rows.groupby("policy"):
        ranks = run[["prediction", *RUNNERS_UP[: depth - 1]]].to_numpy()
        scores = np.zeros((len(run), 10))
        np.put_along_axis(scores, ranks, np.arange(depth, 0, -1)[None, :], axis=1)
        expected = top_k_accuracy_score(run["class_id"], scores, k=depth, labels=range(10))
        assert found[policy] == pytest.approx(expected)


def test_top_k_by_several_labels_is_a_hit_of_any_rank(simulator) -> None:
    study = simulator(depth=3, per_class=8, seeds=(0, 1))
    table = accuracy(study.cells(), confidence=0.95).query("truth == 'multi' and half == 'all'")
    rows = study.predictions.merge(study.annotations, on="image_id")
    rows = rows[rows["labels"].str.len() > 0]
    ranks = rows[["prediction", "second", "third"]].to_numpy()
    hit = [bool(set(own) & set(labels)) for own, labels in zip(ranks, rows["labels"], strict=True)]
    expected = rows.assign(hit=hit).groupby("policy")["hit"].mean()
    found = table[table["k"] == 3].set_index("policy")["accuracy"]
    np.testing.assert_allclose(found.sort_index(), expected.sort_index())


def test_a_rank_that_some_run_lacks_is_not_used(simulator) -> None:
    study = simulator(depth=3)
    some = study.predictions["seed"] == 7
    predictions = study.predictions.assign(third=study.predictions["third"].mask(some, -1))
    table = accuracy(arrange_cells(predictions, *study.data[1:], "drop"), confidence=0.95)
    assert set(table["k"]) == {1, 2}


# Top-1 and ReaL accuracy of torchvision's first weights, as published (see README of the data).
PUBLISHED = {
    "resnet18": (69.76, 77.29),
    "resnet50": (76.13, 82.96),
    "resnet152": (78.31, 84.82),
    "vgg16": (71.59, 79.04),
    "alexnet": (56.52, 63.06),
}


def test_real_predictions_for_imagenet(imagenet) -> None:
    """All 16 models at once; top-5 equals scikit-learn's."""
    predictions = pd.concat(
        pd.DataFrame(
            {
                "policy": name,
                "strength": np.nan,
                "seed": 0,
                "image_id": imagenet.index["image_id"],
                **dict(zip(("prediction", *RUNNERS_UP), imagenet.top5[rank].T, strict=True)),
            }
        )
        for rank, name in enumerate(imagenet.models)
    )
    cells = arrange_cells(predictions, imagenet.index, imagenet.annotations, 1000, "drop")
    table = accuracy(cells, confidence=0.95)
    found = 100 * table[table["half"] == "all"].set_index(["policy", "truth", "k"])["accuracy"]
    assert len(found) == 16 * 2 * 2
    for model, (original, multi) in PUBLISHED.items():
        assert found[model, "original", 1] == pytest.approx(original, abs=0.03)
        assert found[model, "multi", 1] == pytest.approx(multi, abs=0.03)
    images = table[table["half"] == "all"].groupby("truth")["images"].unique()
    assert (list(images["original"]), list(images["multi"])) == ([50_000], [46_837])
    labels = imagenet.index["class_id"].to_numpy()
    for rank, model in enumerate(imagenet.models):
        hit = (imagenet.top5[rank] == labels[:, None]).any(axis=1)
        assert found[model, "original", 5] == pytest.approx(100 * hit.mean())
        assert found[model, "original", 5] > found[model, "original", 1]


def test_label_sets_of_imagenet(imagenet) -> None:
    sizes = imagenet.annotations["labels"].str.len()
    assert (sizes.eq(0).sum(), sizes.eq(1).sum(), sizes.gt(1).sum()) == (3163, 39_394, 7443)
    table = imagenet.index.merge(imagenet.annotations, on="image_id")
    table = table[table["labels"].str.len() > 0]
    held = [k in labels for k, labels in zip(table["class_id"], table["labels"], strict=True)]
    assert 100 * np.mean(held) == pytest.approx(90.02, abs=0.005)


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


def by_class(study, conditions=None) -> pd.DataFrame:
    cells, conditions = study.cells(), conditions or study.conditions
    nulls = Nulls.draw(cells, conditions, confidence=0.95, replicates=50, random_seed=0)
    return class_accuracy(cells, conditions, nulls, confidence=0.95)


def test_accuracy_of_each_class_is_its_recall(study) -> None:
    table = by_class(study)
    rows = study.predictions.merge(study.index[["image_id", "class_id"]], on="image_id")
    found = table[(table["truth"] == "original")].set_index(["policy", "class_id"])
    for policy, run in rows.groupby("policy"):
        recall = precision_recall_fscore_support(
            run["class_id"], run["prediction"], labels=range(10), zero_division=0
        )[1]
        np.testing.assert_allclose(found.loc[policy, "accuracy"], recall)
    assert (found["images"] == 16).all() and (found["seeds"] == 3).all()


def test_accuracy_in_the_top_k_of_each_class(simulator) -> None:
    study = simulator(depth=4, per_class=8, seeds=(0, 1))
    table = by_class(study)
    rows = study.predictions.merge(study.index[["image_id", "class_id"]], on="image_id")
    ranks = rows[["prediction", "second", "third", "fourth"]].to_numpy()
    rows = rows.assign(hit=(ranks == rows[["class_id"]].to_numpy()).any(axis=1))
    expected = rows.groupby(["policy", "class_id"])["hit"].mean()
    found = table[(table["truth"] == "original") & (table["k"] == 4)]
    found = found.set_index(["policy", "class_id"])
    np.testing.assert_allclose(found["accuracy"].sort_index(), expected.sort_index())
    unknown = ["null_low", "null_high", "false_negatives", "false_positives"]
    assert found[unknown].isna().all(axis=None)


def test_errors_of_each_class_are_means_of_the_counts(study) -> None:
    table = by_class(study).set_index(["policy", "class_id", "truth"])
    counts = count(study.cells()).query("half == 'all'")
    means = counts.groupby(["policy", "class_id"]).mean(numeric_only=True)
    for truth, suffix in (("original", ""), ("multi", "_multi")):
        found = table.xs(truth, level="truth").sort_index()
        for name in ("false_negatives", "false_positives"):
            np.testing.assert_allclose(found[name], means[name + suffix])


def test_intervals_of_each_class_lie_around_its_accuracy(study) -> None:
    table = by_class(study)
    assert set(table) == set(SCHEMAS["class_accuracy"])
    assert len(table) == 3 * 2 * 10
    assert table["low"].between(0, table["accuracy"]).all()
    assert table["high"].between(table["accuracy"], 1).all()
    known = table.dropna(subset="seeds_low")
    assert known["seeds_low"].between(0, known["accuracy"]).all()
    assert known["seeds_high"].between(known["accuracy"], 1).all()
    assert (table["null_low"] >= 0).all() and (table["null_high"] <= 1).all()
