"""What annotations explain: against loops, drawn labels, textbook Fieller and simulation."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from daclass.analysis.cells import Cells, arrange_cells
from daclass.analysis.conditions import Conditions
from daclass.analysis.effects import Affected, effects
from daclass.analysis.explained import SHARES, explained, explained_by_kind
from daclass.analysis.nulls import Nulls
from daclass.tables import SCHEMAS

TOP = Affected("top", share=0.05, at_least=2, q=0.05)
TRUTHS = ["original", "multi", "control"]
POOLS = [("all", "fixed"), ("all", "best"), ("affected", "best")]


def run(cells: Cells, conditions: Conditions, affected: Affected = TOP) -> pd.DataFrame:
    table = explained(cells, conditions, affected, confidence=0.95)
    assert set(table) == set(SCHEMAS["explained"])
    return table.set_index(["group", "reference"])


@pytest.fixture(scope="module")
def study(simulator):
    """Five classes, of which one loses nearly all; up to three random labels beside the others."""
    found = simulator(n_classes=5, per_class=30, loss=0.9)
    rng = np.random.default_rng(0)
    sets = [
        sorted({*labels, *rng.choice(5, rng.integers(0, 4))}) if labels else []
        for labels in found.annotations["labels"]
    ]
    return replace(found, annotations=found.annotations.assign(labels=sets))


def scores(study) -> pd.DataFrame:
    """One row per cell of a picture with labels: what it counts under each truth."""
    rows = study.predictions.merge(study.index[["image_id", "class_id", "half"]], on="image_id")
    rows = rows.merge(study.annotations, on="image_id")
    rows = rows[rows["labels"].str.len() > 0]
    found = []
    for row in rows.itertuples():
        right = float(row.prediction == row.class_id)
        extra = len(set(row.labels) - {row.class_id})
        found.append((right, float(row.prediction in row.labels), right or extra / 4))
    return rows.assign(**dict(zip(TRUTHS, np.array(found).T, strict=True)))


def test_pooled_drops_are_means_over_cells(study) -> None:
    rows = scores(study)
    row = run(study.cells(), study.conditions).loc[("all", "fixed")]
    means = rows.groupby("strength")[TRUTHS].mean()
    drops = means.loc[0.99] - means.loc[0.08]
    for truth in drops.index:
        assert row[f"drop_{truth}"] == pytest.approx(drops[truth])
    assert row["explained"] == pytest.approx(1 - drops["multi"] / drops["original"])
    assert row["control"] == pytest.approx(1 - drops["control"] / drops["original"])
    assert (row["images"], row["classes"], row["seeds"]) == (rows["image_id"].nunique(), 5, 3)


@pytest.mark.parametrize("group", ["all", "affected"])
def test_choices_are_cross_fitted(study, group: str) -> None:
    """Each half and group of seeds chooses for the other half and the other group."""
    rows = scores(study)
    seeds = sorted(rows["seed"].unique())
    strengths = sorted(rows["strength"].unique())
    differences, cells = [], 0
    for (half, other_half), (own, others) in product(
        [("select", "estimate"), ("estimate", "select")],
        [(seeds[0::2], seeds[1::2]), (seeds[1::2], seeds[0::2])],
    ):
        past = rows[(rows["half"] == half) & rows["seed"].isin(own)]
        hits = past.pivot_table(index="class_id", columns="strength", values="original")
        drop = hits.max(axis=1) - hits[0.08]
        members = drop.sort_values(ascending=False, kind="stable").index[:2]
        new = rows[(rows["half"] == other_half) & rows["seed"].isin(others)]
        for k in members if group == "affected" else hits.index:
            best = max(strengths, key=lambda s, k=k: (hits.loc[k, s], -s))
            mine = new[new["class_id"] == k].set_index("strength")[TRUTHS]
            differences.append(mine.loc[[best]].sum() - mine.loc[[0.08]].sum())
            cells += len(mine.loc[[0.08]])
    row = run(study.cells(), study.conditions).loc[(group, "best")]
    for truth in TRUTHS:
        total = sum(difference[truth] for difference in differences)
        assert row[f"drop_{truth}"] == pytest.approx(total / cells)


def test_other_shares_are_what_the_rule_would_give(study) -> None:
    table = run(study.cells(), study.conditions)
    for share in SHARES:
        own = Affected("top", share, at_least=2, q=0.05)
        expected = run(study.cells(), study.conditions, own).loc[("affected", "best")]
        pd.testing.assert_series_equal(
            table.loc[(f"top {share:.0%}", "best")], expected, check_names=False
        )


def test_kinds_are_pools_of_their_classes_on_the_estimation_half(study) -> None:
    kinds = pd.DataFrame(
        {"class_id": [0, 2, 3], "category": ["ambiguous", "unrelated", "unrelated"]}
    )
    found = explained_by_kind(study.cells(), study.conditions, kinds, confidence=0.95)
    assert set(found) == set(SCHEMAS["kind_drops"])
    fixed = found[found["reference"] == "fixed"].set_index("group")
    assert list(found["reference"].value_counts()) == [2, 2]
    rows = scores(study)
    rows = rows[rows["half"] == "estimate"]
    for kind, classes in (("ambiguous", [0]), ("unrelated", [2, 3])):
        means = rows[rows["class_id"].isin(classes)].groupby("strength")[TRUTHS].mean()
        for truth in TRUTHS:
            drop = means.loc[0.99, truth] - means.loc[0.08, truth]
            assert fixed.loc[kind, f"drop_{truth}"] == pytest.approx(drop)
        assert fixed.loc[kind, "classes"] == len(classes)
    assert fixed.loc["ambiguous", "drop_original_low"] > 0.3  # the class that loses nearly all
    nothing = explained_by_kind(study.cells(), study.conditions, kinds[:0], confidence=0.95)
    assert nothing.empty and set(nothing) == set(SCHEMAS["kind_drops"])


def test_the_control_is_the_mean_over_random_labels(study) -> None:
    cells, conditions = study.cells(), study.conditions
    strong, weak = (cells.predicted[rows] for rows in conditions.replicates(cells.table)[::2])
    images, rng = cells.images, np.random.default_rng(1)
    counted = np.flatnonzero(cells.counted["multi"])
    drops = []
    for _ in range(200):
        member = np.zeros((len(images.ids), 5), bool)
        for i in counted:
            others = np.delete(np.arange(5), images.labels[i])
            member[i, rng.choice(others, cells.extra_labels[i], replace=False)] = True
            member[i, images.labels[i]] = True
        right = [member[counted, arm[:, counted]].mean() for arm in (weak, strong)]
        drops.append(right[0] - right[1])
    row = run(cells, conditions).loc[("all", "fixed")]
    error = np.std(drops) / np.sqrt(len(drops))
    assert row["drop_control"] == pytest.approx(np.mean(drops), abs=4 * error)
    assert abs(row["drop_control"] - row["drop_original"]) > 8 * error  # else nothing is tested


def one_contrast(reference: np.ndarray, tested: np.ndarray, partner_in_labels: np.ndarray):
    """Cells of two classes of [S, N/2] pictures each, of which the wrong ones are taken for class
    2; pictures may have that label too."""
    n = reference.shape[1]
    ids = np.array([f"p{rank:04d}" for rank in range(n)])
    labels = np.repeat([0, 1], n // 2)
    index = pd.DataFrame(
        {
            "image_id": ids,
            "class_id": labels,
            "half": np.where(np.arange(n) % 2, "select", "estimate"),
        }
    )
    sets = [[k, 2] if both else [k] for k, both in zip(labels, partner_in_labels, strict=True)]
    predictions = pd.concat(
        pd.DataFrame(
            {
                "policy": policy,
                "strength": np.nan,
                "seed": seed,
                "image_id": ids,
                "prediction": np.where(right[seed], labels, 2),
            }
        )
        for policy, right in (("strong", tested), ("weak", reference))
        for seed in range(len(right))
    )
    annotations = pd.DataFrame({"image_id": ids, "labels": sets})
    cells = arrange_cells(predictions, index, annotations, 12, "drop")
    return cells, Conditions(("strong", "weak"), "weak")


@pytest.mark.parametrize(("share", "expected"), [(0.5, 0.5), (1.0, 1.0)])
def test_annotations_that_explain_half_and_all(share: float, expected: float) -> None:
    n = 200
    reference = np.ones((3, n), bool)
    tested = np.broadcast_to(np.arange(n) % 4 > 0, (3, n))  # one in four is lost
    lost = np.flatnonzero(~tested[0])
    row = run(
        *one_contrast(reference, tested, np.isin(np.arange(n), lost[: int(share * len(lost))]))
    ).loc[("all", "fixed")]
    assert row["drop_original"] == pytest.approx(0.25)
    assert row["explained"] == pytest.approx(expected)
    assert row["explained_low"] <= expected + 1e-12 and row["explained_high"] >= expected - 1e-12
    # One of eleven random labels forgives an error.
    assert row["control"] == pytest.approx(share / 11)


def test_annotations_of_other_pictures_explain_nothing() -> None:
    tested = np.broadcast_to(np.arange(200) % 4 > 0, (3, 200))
    row = run(*one_contrast(np.ones((3, 200), bool), tested, tested[0])).loc[("all", "fixed")]
    assert row["explained"] == pytest.approx(0)
    assert row["explained_low"] <= 0 <= row["explained_high"]


def test_without_annotations_nothing_is_known() -> None:
    tested = np.broadcast_to(np.arange(200) % 4 > 0, (3, 200))
    table = run(*one_contrast(np.ones((3, 200), bool), tested, np.zeros(200, bool)))
    assert (table["drop_multi"] == table["drop_original"]).all()
    assert table.filter(regex="^(explained|control)").isna().all(axis=None)


def test_the_interval_of_the_share_is_fiellers() -> None:
    """Where seeds agree, pictures are a simple random sample of pairs (x, y)."""
    rng = np.random.default_rng(3)
    n, seeds = 120, 3
    reference = np.broadcast_to(rng.random(n) < 0.9, (seeds, n))
    tested = reference & (rng.random(n) < 0.6) | (~reference & (rng.random(n) < 0.2))
    both = rng.random(n) < 0.5
    row = run(*one_contrast(reference, tested, both)).loc[("all", "fixed")]
    x = reference[0].astype(float) - tested[0]
    y = (reference[0] | both).astype(float) - (tested[0] | both)
    t2 = stats.t.ppf(0.975, n - 1) ** 2 / n
    (sxx, sxy), (_, syy) = np.cov(x, y)
    # (mean y - r mean x)^2 = t^2 (syy - 2 r sxy + r^2 sxx) / n
    low, high = np.sort(
        np.roots(
            [
                x.mean() ** 2 - t2 * sxx,
                -2 * (x.mean() * y.mean() - t2 * sxy),
                y.mean() ** 2 - t2 * syy,
            ]
        )
    )
    assert row["explained"] == pytest.approx(1 - y.mean() / x.mean())
    assert [row["explained_low"], row["explained_high"]] == pytest.approx([1 - high, 1 - low])
    interval = x.mean() - np.array([1, -1]) * np.sqrt(t2 * sxx)
    assert [row["drop_original_low"], row["drop_original_high"]] == pytest.approx(list(interval))


@pytest.mark.parametrize("others", [4, 3])
def test_the_interval_of_the_share_covers(others: int) -> None:
    """Pictures with difficulties and responses, seeds that shift all of them."""
    rng = np.random.default_rng(5)
    n = 120

    def draw() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        level, response = rng.normal(1.5, 1.5, n), rng.normal(-1, 1, n)
        right = [
            rng.random((runs, n)) < 1 / (1 + np.exp(-z - rng.normal(0, 0.2, (runs, 1))))
            for z, runs in ((level, 4), (level + response, others))
        ]
        # Hard pictures show both classes more often.
        return *right, rng.random(n) < 1 / (1 + np.exp(level))

    cells, conditions = one_contrast(*draw())
    if others != 4:  # numbers of runs that differ cannot be pairs
        table = cells.table.assign(seed=np.arange(len(cells.table)))
        cells, conditions = replace(cells, table=table), replace(conditions, paired=False)
    drops, found = [], []
    for repeat in range(900):
        reference, tested, both = draw()
        drops.append(
            [
                reference.mean() - tested.mean(),
                (reference | both).mean() - (tested | both).mean(),
            ]
        )
        if repeat < 40:
            original = np.concatenate([tested, reference])
            now = replace(cells, correct={"original": original, "multi": original | both})
            row = run(now, conditions).loc[("all", "fixed")]
            found.append((row["explained_low"], row["explained_high"]))
    original, multi = np.mean(drops, axis=0)
    low, high = np.array(found).T
    known = ~np.isnan(low)
    assert known.mean() > 0.8
    truth = 1 - multi / original
    assert np.mean((low <= truth) & (truth <= high), where=known) > 0.84  # .95 less 3 errors


def test_a_share_of_nothing_is_withheld(no_effect) -> None:
    rows = [
        run(*study).loc[("all", "fixed")]
        for study in no_effect(40, n_classes=10, per_class=20, seeds=range(4))
    ]
    table = pd.DataFrame(rows)
    nothing = (table["drop_original_low"] <= 0) & (table["drop_original_high"] >= 0)
    assert nothing.mean() > 0.8
    withheld = table[nothing]
    assert withheld.filter(regex="^(explained|control)").isna().all(axis=None)
    assert withheld.filter(regex="^drop").notna().all(axis=None)


def test_a_gain_has_a_share_too(simulator) -> None:
    """Where the tested condition is better the same share is defined."""
    study = simulator(per_class=60, loss=0.7, seeds=range(4))
    cells = study.cells()
    names = study.conditions.names
    there = run(cells, Conditions(names, names[-1])).loc[("all", "fixed")]
    back = run(cells, Conditions((names[-1], names[0]), names[0])).loc[("all", "fixed")]
    assert back["drop_original"] == pytest.approx(-there["drop_original"])
    for name in ("explained", "explained_low", "explained_high", "control"):
        assert back[name] == pytest.approx(there[name], abs=1e-6)


def test_affected_classes_are_measured_without_optimism(no_effect) -> None:
    """With no effect at all, runs that shift whole classes make some look affected on both halves:
    classes chosen on one half with all seeds lose on the other half too, cross-fitted ones not."""
    fitted, naive, covered = [], [], []
    for cells, conditions in no_effect(
        120, wobble=0.5, n_classes=40, per_class=20, seeds=range(4), strengths=(0.08, 0.99)
    ):
        row = run(cells, conditions).loc[("affected", "best")]
        fitted.append(row["drop_original"])
        covered.append(row["drop_original_low"] <= 0 <= row["drop_original_high"])
        weak, strong = (
            cells.correct["original"][rows] for rows in conditions.replicates(cells.table)[::-1]
        )
        difference = (weak.astype(int) - strong).mean(axis=0)
        select, labels = cells.images.select, cells.images.labels
        drops = [difference[select & (labels == k)].mean() for k in range(40)]
        worst = np.argsort(drops)[-2:]
        naive.append(difference[~select & np.isin(labels, worst)].mean())
    error = np.std(fitted) / np.sqrt(len(fitted))
    assert abs(np.mean(fitted)) < 3 * error
    assert np.mean(covered) > 0.89  # .95 less three errors
    assert np.mean(naive) > 4 * np.std(naive) / np.sqrt(len(naive))


def test_fdr_may_leave_no_class(simulator) -> None:
    study = simulator(loss=0.0, seeds=range(4))
    row = run(study.cells(), study.conditions, Affected("fdr", 0.05, 2, q=1e-6))
    empty = row.loc[("affected", "best")]
    assert (empty["classes"], empty["images"]) == (0, 0)
    assert empty.filter(regex="drop|explained|control").isna().all()


def test_fdr_needs_two_seeds_to_test_with_in_every_fold(simulator) -> None:
    study = simulator(seeds=range(3))
    row = run(study.cells(), study.conditions, Affected("fdr", 0.05, 2, q=0.05))
    assert ("affected", "best") not in row.index and ("all", "best") in row.index


def test_affected_classes_agree_with_the_table_of_effects_where_the_effect_is_large(simulator):
    study = simulator(per_class=60, loss=0.7, seeds=range(4))
    cells, conditions = study.cells(), study.conditions
    rule = Affected("top", share=0.05, at_least=1, q=0.05)
    row = run(cells, conditions, rule).loc[("affected", "best")]
    nulls = Nulls.draw(cells, conditions, confidence=0.95, replicates=20, random_seed=0)
    table = effects(cells, conditions, nulls, rule, confidence=0.95)
    assert list(table.loc[table["affected"], "class_id"].unique()) == [0]
    assert (row["classes"], row["images"]) == (1, sum(cells.counted["multi"][:60]))


@pytest.mark.parametrize(
    ("seeds", "pools"), [((1, 1), POOLS[:1]), ((2, 3), POOLS[:1]), ((2, 2), POOLS)]
)
def test_what_cannot_be_cross_fitted_is_left_out(simulator, seeds, pools) -> None:
    study = simulator(seeds=range(5), strengths=(0.08, 0.99))
    kept = [
        study.predictions[
            (study.predictions["strength"] == strength)
            & study.predictions["seed"].between(first, first + n - 1)
        ]
        for strength, first, n in ((0.08, 0, seeds[0]), (0.99, 2, seeds[1]))
    ]
    cells = arrange_cells(pd.concat(kept), *study.data[1:], "drop")
    conditions = Conditions.of(("uniform-0.08", "uniform-0.99"), "uniform-0.99", cells.table)
    assert not conditions.paired
    table = run(cells, conditions)
    assert [pool for pool in table.index if not pool[0].startswith("top")] == pools
    assert table["drop_original"].notna().all()
    assert (table["seeds"] == min(seeds)).all()
    assert table.loc[("all", "fixed")].notna()["drop_original_low"] == (seeds != (1, 1))


def test_no_picture_has_labels(study) -> None:
    nothing = study.annotations.assign(labels=[[] for _ in range(len(study.annotations))])
    cells = arrange_cells(study.predictions, study.index, nothing, study.n_classes, "drop")
    table = run(cells, study.conditions)
    assert (table["images"] == 0).all()
    assert table.filter(regex="drop|explained|control").isna().all(axis=None)
