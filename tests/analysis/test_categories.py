"""Overlap, similarity and the four kinds of pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.categories import (
    CATEGORIES,
    categories,
    kinds_by_share,
    overlaps,
    overlaps_of_sets,
    sensitivity,
    similarity,
    swallowers,
)
from daclass.tables import SCHEMAS


def test_overlaps_follow_the_definition(study) -> None:
    table = overlaps(study.index, study.annotations, study.n_classes)
    sets = [set(labels) for labels in study.annotations["labels"]]
    for k in range(study.n_classes):
        for m in range(study.n_classes):
            both = sum({k, m} <= labels for labels in sets)
            row = table[(table["class_id"] == k) & (table["other_id"] == m)]
            if k == m or not both:
                assert row.empty
                continue
            own, other = (sum(c in labels for labels in sets) for c in (k, m))
            expected = [both / own, both / other, both / (own + other - both), both]
            found = row[["overlap", "overlap_reverse", "jaccard", "both"]].to_numpy()[0]
            np.testing.assert_allclose(found, expected)
    alone = overlaps_of_sets(list(study.annotations["labels"]), study.n_classes)
    pd.testing.assert_frame_equal(alone, table, check_dtype=False)


def test_a_label_named_twice_counts_once() -> None:
    index = pd.DataFrame({"image_id": ["a"], "class_id": [0], "half": ["select"]})
    annotations = pd.DataFrame({"image_id": ["a"], "labels": [[0, 1, 1]]})
    table = overlaps(index, annotations, 2)
    assert list(table["both"]) == [1, 1]
    assert list(table["overlap"]) == [1.0, 1.0]


@pytest.fixture(scope="module")
def real_overlaps(imagenet) -> pd.DataFrame:
    return overlaps(imagenet.index, imagenet.annotations, 1000)


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ((836, 837), (0.87, 0.91, 0.81)),  # sunglass, sunglasses
        ((638, 639), (0.82, 0.73, 0.63)),  # maillot, maillot
        ((620, 681), (0.86, 0.89, 0.78)),  # laptop, notebook
        ((744, 657), (0.83, 0.79, 0.68)),  # projectile, missile
        ((527, 664), (0.94, 0.68, 0.65)),  # desktop computer, monitor
        ((400, 667), (0.72, 0.61, 0.50)),  # academic gown, mortarboard
        ((461, 524), (0.71, 0.63, 0.50)),  # breastplate, cuirass
        ((479, 817), (0.14, 0.71, 0.13)),  # car wheel, sports car
        ((479, 751), (0.11, 0.52, 0.10)),  # car wheel, racer
        ((73, 815), (0.21, 0.14, 0.09)),  # barn spider, spider web
        ((499, 623), (0.04, 0.05, 0.02)),  # cleaver, letter opener
    ],
)
def test_overlaps_of_imagenets_real_labels(real_overlaps, pair, expected) -> None:
    row = real_overlaps.set_index(["class_id", "other_id"]).loc[pair]
    found = row[["overlap", "overlap_reverse", "jaccard"]]
    np.testing.assert_array_equal(found.round(2), expected)


def test_classes_that_overlap_in_imagenets_real_labels(real_overlaps) -> None:
    largest = real_overlaps.groupby("class_id")["overlap"].max()
    thresholds = (0.05, 0.10, 0.15, 0.20, 0.30, 0.50)
    assert [(largest >= t).sum() for t in thresholds] == [618, 413, 274, 200, 119, 41]


def test_similarity_is_wu_palmers() -> None:
    found = similarity(["animal/bird/gull", "animal/bird/owl", "animal/fish", "tool", "animal"])
    expected = [
        [1, 6 / 8, 4 / 7, 2 / 6, 4 / 6],
        [6 / 8, 1, 4 / 7, 2 / 6, 4 / 6],
        [4 / 7, 4 / 7, 1, 2 / 5, 4 / 5],
        [2 / 6, 2 / 6, 2 / 5, 1, 2 / 4],
        [4 / 6, 4 / 6, 4 / 5, 2 / 4, 1],
    ]
    np.testing.assert_allclose(found, expected)


def test_nodes_of_one_name_in_two_branches_are_two_nodes() -> None:
    assert similarity(["a/x/p", "b/x/q"])[0, 1] == pytest.approx(2 / 8)


def test_without_a_tree_nothing_is_known() -> None:
    for paths in (["cat", "dog"], ["", ""]):
        np.testing.assert_equal(similarity(paths), [[1, np.nan], [np.nan, 1]])
    assert similarity(["cat", "animal/dog"])[0, 1] == pytest.approx(2 / 5)


def test_without_a_tree_the_kind_is_unknown() -> None:
    flat = CLASSES.assign(path=CLASSES["name"])
    table = categories(
        affected(0, 2),
        grown((0, 1, 0.4), (2, 3, 0.0)),
        shared((0, 1, 0.9, 0.9)),
        flat,
        overlap=0.1,
        similarity=0.7,
    )
    assert list(table["category"]) == ["unknown", "none"]
    counts = sensitivity(table, overlap=(0.1,), similarity=(0.7,)).set_index("category")["classes"]
    assert counts["unknown"] == 1 and counts.sum() == 2


# Classes 0 and 1 are siblings, 2 and 3 are siblings elsewhere.
CLASSES = pd.DataFrame(
    {"class_id": range(4), "name": list("abcd"), "path": ["x/y/a", "x/y/b", "z/c", "z/d"]}
)


def grown(*rows: tuple[int, int, float]) -> pd.DataFrame:
    """Confusions that grow alike on the selection half, and by half as much on the other."""
    return pd.DataFrame(
        [
            {
                "class_id": k,
                "predicted_id": other,
                "half": half,
                "rate_tested": growth * factor,
                "growth": growth * factor,
                "low": growth * factor - 0.1,
                "high": growth * factor + 0.1,
            }
            for k, other, growth in rows
            for half, factor in (("select", 1.0), ("estimate", 0.5))
        ]
    )


def shared(*rows: tuple[int, int, float, float]) -> pd.DataFrame:
    names = ["class_id", "other_id", "overlap", "overlap_reverse"]
    return pd.DataFrame(rows, columns=names).assign(jaccard=0.05, both=3)


def affected(*classes: int) -> pd.DataFrame:
    ids = np.repeat(range(4), 2)
    return pd.DataFrame({"class_id": ids, "affected": np.isin(ids, classes)})


@pytest.mark.parametrize(
    ("swallower", "overlap", "reverse", "category"),
    [
        (1, 0.2, 0.0, "ambiguous"),
        (1, 0.0, 0.2, "ambiguous"),
        (1, 0.1, 0.0, "ambiguous"),
        (2, 0.2, 0.0, "co-occurring"),
        (2, 0.0, 0.1, "co-occurring"),
        (1, 0.09, 0.09, "fine-grained"),
        (2, 0.0, 0.09, "unrelated"),
    ],
)
def test_the_four_kinds(swallower, overlap, reverse, category) -> None:
    table = categories(
        affected(0),
        grown((0, swallower, 0.4), (0, 3, 0.1)),
        shared((0, swallower, overlap, reverse)),
        CLASSES,
        overlap=0.1,
        similarity=0.7,
    )
    assert set(table) == set(SCHEMAS["categories"])
    row = table.iloc[0]
    assert (row["class_id"], row["swallower_id"], row["category"]) == (0, swallower, category)
    assert row["growth"] == pytest.approx(0.2)  # the estimation half's
    assert row["low"] == pytest.approx(0.1)
    assert row["similarity"] == pytest.approx(0.75 if swallower == 1 else 2 / 7)


def test_nothing_shared_and_nothing_grown() -> None:
    confusions = grown((0, 1, 0.2), (2, 3, 0.0), (2, 1, -0.3))
    table = categories(
        affected(0, 2, 3), confusions, shared(), CLASSES, overlap=0.1, similarity=0.7
    ).set_index("class_id")
    assert list(table["swallower_id"]) == [1, -1, -1]
    assert list(table["category"]) == ["fine-grained", "none", "none"]
    assert table.loc[0, ["overlap", "overlap_reverse", "jaccard", "both"]].eq(0).all()
    assert table.loc[2, ["growth", "low", "similarity", "overlap"]].isna().all()


def test_no_class_is_affected() -> None:
    table = categories(
        affected(), grown((0, 1, 0.2)), shared(), CLASSES, overlap=0.1, similarity=0.7
    )
    assert set(table) == set(SCHEMAS["categories"])
    assert table.empty


def test_swallowers_are_chosen_on_the_selection_half_and_ties_are_settled() -> None:
    confusions = grown((0, 3, 0.2), (0, 2, 0.2), (0, 1, 0.1), (1, 2, 0.3), (1, 3, 0.3))
    confusions.loc[
        (confusions["class_id"] == 1) & (confusions["predicted_id"] == 3), "rate_tested"
    ] += 0.1
    late = confusions["half"].eq("estimate") & confusions["predicted_id"].eq(1)
    confusions.loc[late, "growth"] = 0.9
    found = swallowers(confusions, [0, 1, 2])
    assert found.to_dict() == {0: 2, 1: 3, 2: -1}


def test_sensitivity_counts_every_class_once_at_every_threshold() -> None:
    table = categories(
        affected(0, 1, 2, 3),
        grown((0, 1, 0.4), (1, 2, 0.3), (2, 3, 0.2)),
        shared((0, 1, 0.12, 0.0), (1, 2, 0.3, 0.1)),
        CLASSES,
        overlap=0.1,
        similarity=0.7,
    )
    grid = sensitivity(table, overlap=(0.1, 0.2), similarity=(0.7, 0.9))
    assert len(grid) == 4 * len(CATEGORIES)
    assert (grid.groupby(["overlap", "similarity"])["classes"].sum() == 4).all()
    counts = grid.set_index(["overlap", "similarity", "category"])["classes"]
    assert counts[0.1, 0.7, "ambiguous"] == 1
    assert counts[0.2, 0.7, "ambiguous"] == 0
    assert counts[0.1, 0.9, "co-occurring"] == 2
    assert (counts.xs("none", level="category") == 1).all()


def test_other_shares_of_the_classes() -> None:
    drops = pd.DataFrame({"class_id": range(4), "shrunken": [0.3, 0.1, 0.2, np.nan]})
    effects = drops.assign(
        drop=drops["shrunken"], half="select", truth="original", reference="best", affected=False
    )
    effects = pd.concat([effects, effects.assign(reference="fixed")])
    found = kinds_by_share(
        effects,
        grown((0, 1, 0.4), (2, 1, 0.3), (1, 0, -0.2)),
        shared(),
        CLASSES,
        overlap=0.1,
        similarity=0.7,
        shares=(0.3, 0.6, 1.0),
    )
    assert set(found) == set(SCHEMAS["share_sensitivity"])
    assert list(found.groupby("share")["classes"].sum()) == [1, 2, 3]  # one drop is not known
    counts = found.set_index(["share", "category"])
    assert counts.loc[(0.3, "fine-grained"), "classes"] == 1
    assert counts.loc[(0.6, "unrelated"), "classes"] == 1
    assert counts.loc[(1.0, "none"), "classes"] == 1
    # The first class's confusion grows by 0.2 [0.1, 0.3] on the other half.
    assert counts.loc[(0.3, "fine-grained"), "growing"] == 1


def test_embeddings_stand_in_for_a_tree_and_beside_it() -> None:
    vectors = np.array([[1.0, 0.0], [3.0, 3.0], [0.0, 1.0], [-1.0, 0.0]])
    confusions = grown((0, 1, 0.4), (2, 3, 0.4), (3, 1, -0.1))
    shown = {"overlap": 0.1, "similarity": 0.6, "vectors": vectors}
    flat = CLASSES.assign(path=CLASSES["name"])
    found = categories(affected(0, 2, 3), confusions, shared(), flat, **shown)
    np.testing.assert_allclose(found["embedding"], [np.sqrt(0.5), 0, np.nan])
    assert found["similarity"].isna().all()
    assert list(found["category"]) == ["fine-grained", "unrelated", "none"]
    tree = categories(affected(0, 2, 3), confusions, shared(), CLASSES, **shown)
    np.testing.assert_allclose(tree["embedding"], [np.sqrt(0.5), 0, np.nan])
    assert list(tree["category"]) == ["fine-grained", "fine-grained", "none"]  # the tree decides
