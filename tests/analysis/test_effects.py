"""Drops against loops over cells, the folds of the cross-fit, and the choice of classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

from daclass.analysis.cells import Cells, arrange_cells
from daclass.analysis.conditions import Conditions
from daclass.analysis.effects import Affected, effects
from daclass.analysis.nulls import Nulls
from daclass.errors import InputError
from daclass.inference.crossed import crossed_difference
from daclass.tables import SCHEMAS

TOP = Affected("top", share=0.05, at_least=2, q=0.05)
FDR = Affected("fdr", share=0.05, at_least=2, q=0.05)
KEYS = ["truth", "half", "reference"]


def run(
    study,
    affected: Affected = TOP,
    conditions: Conditions | None = None,
    cells: Cells | None = None,
    replicates: int = 50,
) -> pd.DataFrame:
    cells, conditions = cells or study.cells(), conditions or study.conditions
    nulls = Nulls.draw(cells, conditions, confidence=0.95, replicates=replicates, random_seed=0)
    return effects(cells, conditions, nulls, affected, confidence=0.95)


@pytest.fixture(scope="module")
def table(study) -> pd.DataFrame:
    return run(study)


def cell_table(study, truth: str) -> pd.DataFrame:
    rows = study.predictions.merge(study.index[["image_id", "class_id", "half"]], on="image_id")
    rows = rows.merge(study.annotations, on="image_id")
    if truth == "original":
        return rows.assign(right=rows["prediction"] == rows["class_id"])
    rows = rows[rows["labels"].str.len() > 0]
    pairs = zip(rows["prediction"], rows["labels"], strict=True)
    return rows.assign(right=[p in labels for p, labels in pairs])


def test_layout(study, table) -> None:
    assert set(table) == set(SCHEMAS["effects"])
    assert len(table) == 2 * 3 * 2 * 10
    assert not table.duplicated(["class_id", *KEYS]).any()


@pytest.mark.parametrize("truth", ["original", "multi"])
@pytest.mark.parametrize("half", ["select", "estimate", "all"])
def test_fixed_drop_and_plug_in_are_differences_of_accuracies(study, table, truth, half) -> None:
    cells = cell_table(study, truth)
    if half != "all":
        cells = cells[cells["half"] == half]
    means = cells.pivot_table(index="class_id", columns="strength", values="right")
    found = table[(table["truth"] == truth) & (table["half"] == half)]
    fixed = found[found["reference"] == "fixed"].set_index("class_id")
    np.testing.assert_allclose(fixed["drop"], means[0.99] - means[0.08], atol=1e-12)
    np.testing.assert_allclose(fixed["plug_in"], means.max(axis=1) - means[0.08], atol=1e-12)
    assert (fixed["reference_strength"] == 0.99).all()
    assert (fixed["low"] <= fixed["drop"]).all() and (fixed["drop"] <= fixed["high"]).all()


def folds(half: str) -> list[tuple[str, str]]:
    """(half that a strength is chosen on, half that it is applied to)."""
    crossed = [("select", "estimate"), ("estimate", "select")]
    return {"select": [("select", "select")], "estimate": crossed[:1], "all": crossed}[half]


@pytest.mark.parametrize("truth", ["original", "multi"])
@pytest.mark.parametrize("half", ["select", "estimate", "all"])
def test_best_drop_is_cross_fitted(study, table, truth: str, half: str) -> None:
    cells = cell_table(study, truth)
    seeds = sorted(study.predictions["seed"].unique())
    groups = [seeds[0::2], seeds[1::2]]
    found = table[(table["truth"] == truth) & (table["half"] == half)]
    found = found[found["reference"] == "best"].set_index("class_id")
    for class_id, own in cells.groupby("class_id"):
        differences, chosen = [], []
        for chosen_on, applied_to in folds(half):
            for here, there in (groups, groups[::-1]):
                past = own[(own["half"] == chosen_on) & own["seed"].isin(here)]
                hits = past.groupby("strength")["right"].sum()
                best = min(hits[hits == hits.max()].index)  # the smaller is the stronger
                new = own[(own["half"] == applied_to) & own["seed"].isin(there)]
                wide = new.set_index(["strength", "image_id", "seed"])["right"].astype(int) % 40
                differences += list(wide[best] - wide[0.08])
                chosen += [best] * len(new[new["strength"] == best])
        assert found.loc[class_id, "drop"] == pytest.approx(np.mean(differences))
        assert found.loc[class_id, "reference_strength"] == pytest.approx(np.mean(chosen))


def test_q_is_benjamini_hochberg_within_each_table_and_ranks_order_the_drops(table) -> None:
    for _, part in table.groupby(KEYS):
        np.testing.assert_allclose(part["q"], multipletests(part["p"], method="fdr_bh")[1])
        ordered = part.sort_values("rank")
        assert list(ordered["rank"]) == list(range(1, 11))
        assert ordered["drop"].is_monotonic_decreasing


def test_the_cross_fit_does_not_see_drops_where_there_are_none(simulator) -> None:
    study = simulator(n_classes=60, per_class=40, loss=0.0, random_seed=5)
    table = run(study)
    best = table[(table["truth"] == "original") & (table["reference"] == "best")]
    drops = best.set_index(["half", "class_id"])
    assert drops.loc["all", "plug_in"].mean() > 0.03
    assert abs(drops.loc["all", "drop"].mean()) < 0.012
    assert abs(drops.loc["estimate", "drop"].mean()) < 0.015


def test_a_true_drop_is_found(simulator) -> None:
    study = simulator(per_class=60, loss=0.7, seeds=(0, 1, 2, 3))
    table = run(study, FDR)
    assert sorted(table.loc[table["affected"], "class_id"].unique()) == [0]
    first = table[(table["class_id"] == 0) & (table["half"] == "estimate")]
    assert (first["low"] > 0).all()
    assert (first["rank"] == 1).all()


@pytest.mark.parametrize(
    ("share", "at_least", "number"), [(0.05, 2, 2), (0.3, 2, 3), (0.31, 1, 4), (1.0, 1, 10)]
)
def test_top_takes_a_share_of_the_classes(study, share, at_least, number) -> None:
    table = run(study, Affected("top", share, at_least, q=0.05))
    affected = set(table.loc[table["affected"], "class_id"])
    assert len(affected) == number
    chosen = table[(table["truth"] == "original") & (table["half"] == "select")]
    chosen = chosen[chosen["reference"] == "best"].sort_values("rank")
    assert affected == set(chosen["class_id"].head(number))
    assert table["affected"].equals(table["class_id"].isin(affected).rename("affected"))


def test_top_does_not_round_up_a_whole_number_of_classes(simulator) -> None:
    study = simulator(n_classes=100, per_class=2, seeds=(0, 1))
    table = run(study, Affected("top", 0.07, at_least=1, q=0.05))
    assert table.loc[table["affected"], "class_id"].nunique() == 7


def test_fdr_may_find_nothing(simulator) -> None:
    study = simulator(loss=0.0)
    assert not run(study, Affected("fdr", 0.05, 2, q=1e-6))["affected"].any()


def test_one_seed_speaks_of_its_two_networks(simulator) -> None:
    study = simulator(seeds=(4,))
    table = run(study)
    fixed, best = (table[table["reference"] == name] for name in ("fixed", "best"))
    assert (fixed["speaks_of"] == "networks").all()
    for (truth, half), part in fixed.groupby(["truth", "half"]):
        cells = cell_table(study, truth)
        cells = cells if half == "all" else cells[cells["half"] == half]
        pairs = cells.pivot_table(
            index=["class_id", "image_id"], columns="strength", values="right"
        )
        p = [
            binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
            for _, own in pairs.groupby(level=0)
            for wins, losses in [(int((own[0.99] > own[0.08]).sum()),
                                  int((own[0.99] < own[0.08]).sum()))]
        ]  # fmt: skip
        np.testing.assert_allclose(part["p"], p)
        np.testing.assert_allclose(part["q"], multipletests(p, method="fdr_bh")[1])
    assert ((fixed["low"] <= fixed["drop"]) & (fixed["drop"] <= fixed["high"])).all()
    nothing = ["seeds_low", "seeds_high", "p_max", "detectable", "at_least"]
    assert table[nothing].isna().all(axis=None)
    assert best[["drop", "low", "p", "q", "reference_strength"]].isna().all(axis=None)
    assert best["plug_in"].notna().all()
    # Falls back to the fixed reference, and to what is left of a drop after shrinking.
    chosen = fixed[(fixed["truth"] == "original") & (fixed["half"] == "select")]
    assert set(chosen.nlargest(2, "shrunken")["class_id"]) == set(
        table.loc[table["affected"], "class_id"]
    )


def test_one_picture_a_half_and_classes_without_pictures(simulator) -> None:
    study = simulator(per_class=2)
    predictions, index, annotations, n_classes = study.data
    table = run(study, cells=arrange_cells(predictions, index, annotations, n_classes + 1, "drop"))
    halves = table[(table["half"] != "all") & (table["truth"] == "original")]
    assert halves[["low", "high", "p"]].isna().all(axis=None)
    empty = table[table["class_id"] == n_classes]
    assert empty[["drop", "low", "high", "p", "q", "plug_in"]].isna().all(axis=None)
    assert (empty["images"] == 0).all() and (empty["rank"] == n_classes + 1).all()
    assert not empty["affected"].any()


def test_a_class_with_pictures_in_one_half_only(study) -> None:
    index = study.index.copy()
    index.loc[(index["class_id"] == 3) & (index["half"] == "estimate"), "half"] = "select"
    table = run(study, cells=arrange_cells(study.predictions, index, *study.data[2:], "drop"))
    own = table[(table["class_id"] == 3) & (table["truth"] == "original")].set_index(
        ["half", "reference"]
    )
    assert np.isfinite(own.loc[("select", "best"), "drop"])
    assert np.isnan(own.loc[("estimate", "best"), "drop"])
    assert np.isnan(own.loc[("all", "best"), "drop"])  # nothing to choose a strength on
    assert np.isfinite(own.loc[("all", "fixed"), "drop"])


def test_two_strengths_and_a_rising_axis(simulator) -> None:
    study = simulator(strengths=(1.0, 9.0))
    table = run(study, conditions=Conditions(("uniform-9", "uniform-1"), "uniform-1"))
    best = table[table["reference"] == "best"]
    assert best["reference_strength"].between(1, 9).all()


def test_ties_go_to_the_stronger_strength(study) -> None:
    right = study.predictions.merge(study.index[["image_id", "class_id"]], on="image_id")
    right = right.assign(prediction=right["class_id"]).drop(columns="class_id")
    table = run(study, cells=arrange_cells(right, *study.data[1:], "drop"))
    best = table[table["reference"] == "best"]
    assert (best["reference_strength"] == 0.08).all()
    assert (best["drop"] == 0).all()


def test_faults_are_named(study) -> None:
    with pytest.raises(InputError, match=r"no run of uniform-0.5"):
        run(study, conditions=Conditions(("uniform-0.08", "uniform-0.5"), "uniform-0.5"))
    lacking = study.predictions.query("not (strength == 0.3 and seed == 7)")
    with pytest.raises(InputError, match=r"uniform-0.3 has no run with seed 7"):
        run(study, cells=arrange_cells(lacking, *study.data[1:], "drop"))


def test_only_the_fixed_contrast_on_all_pictures_has_a_max_t(study, table) -> None:
    there = (table["half"] == "all") & (table["reference"] == "fixed")
    assert table.loc[there, "p_max"].between(1 / 51, 1).all()
    assert table.loc[~there, "p_max"].isna().all()
    nulls = Nulls.draw(
        study.cells(), study.conditions, confidence=0.95, replicates=50, random_seed=0
    )
    for truth in ("original", "multi"):
        found = table[there & (table["truth"] == truth)]
        np.testing.assert_array_equal(found["p_max"], nulls.max_t(truth))


def test_shrunken_drops_lie_nearer_to_each_other(table) -> None:
    for _, part in table.groupby(KEYS):
        drop, shrunken = part["drop"].to_numpy(), part["shrunken"].to_numpy()
        assert ((drop.min() <= shrunken) & (shrunken <= drop.max())).all()
        assert np.ptp(shrunken) < np.ptp(drop)


def test_half_as_much_power_needs_more_effect(simulator) -> None:
    few, many = (
        run(simulator(seeds=range(seeds), per_class=per_class))
        .query("half == 'all' and reference == 'fixed' and truth == 'original'")["detectable"]
        .mean()
        for seeds, per_class in ((3, 20), (8, 80))
    )
    assert many < 0.6 * few


def with_a_drop(cells: Cells, drop: float, rng: np.random.Generator) -> Cells:
    """Each picture has a probability of its own to be right, less `drop` at the tested strength."""
    labels = cells.images.labels
    chance = np.broadcast_to(rng.uniform(0.35, 0.9, len(labels)), cells.predicted.shape)
    tested = (cells.table["policy"] == "uniform-0.08").to_numpy()[:, None]
    right = rng.random(chance.shape) < chance - drop * tested
    return replace(cells, correct={"original": right, "multi": right})


def test_the_detectable_drop_is_found_in_four_of_five_studies(simulator) -> None:
    """Every class of the second study has lost what the first could have found."""
    study = simulator(n_classes=150, per_class=60, seeds=range(5), strengths=(0.08, 0.99))
    rng, whole = np.random.default_rng(0), "half == 'all' and reference == 'fixed'"
    quiet = run(study, cells=with_a_drop(study.cells(), 0.0, rng)).query(whole)
    assert (quiet["q"] > 0.05).all()
    drop = quiet["detectable"].mean()
    assert 0.1 < drop < 0.4
    p = run(study, cells=with_a_drop(study.cells(), drop, rng)).query(whole)["p"]
    assert 0.7 < np.mean(p <= 0.05 / 150) < 0.9  # Benjamini-Hochberg's first threshold


NAN = float("nan")


@pytest.mark.parametrize(
    ("rule", "drop", "q", "chosen"),
    [
        (Affected("top", 0.5, 1, 0.05), [0.1, 0.4, 0.2, 0.3], [1, 1, 1, 1], [1, 3]),
        (Affected("top", 0.1, 3, 0.05), [0.1, 0.4, 0.2, 0.3], [1, 1, 1, 1], [1, 3, 2]),
        (Affected("top", 1.0, 1, 0.05), [0.1, NAN, 0.2, NAN], [1, NAN, 1, NAN], [2, 0]),
        (Affected("top", 0.5, 1, 0.05), [0.2, 0.2, 0.2, -0.1], [1, 1, 1, 1], [0, 1]),
        (Affected("fdr", 0.5, 1, 0.05), [0.1, 0.4, -0.2, 0.3], [0.05, 0.01, 0.01, 0.06], [1, 0]),
        (Affected("fdr", 0.5, 1, 0.05), [NAN, NAN], [NAN, NAN], []),
        (Affected("top", 0.5, 2, 0.05), [NAN, NAN], [NAN, NAN], []),
    ],
)
def test_the_rule_for_affected_classes(rule: Affected, drop, q, chosen) -> None:
    assert list(rule.choose(np.array(drop), np.array(q))) == chosen


def unpaired(study, seeds: dict[float, int]) -> Cells:
    """The first runs of each strength, as many as said, with numbers of their own."""
    kept = []
    for rank, (strength, n) in enumerate(seeds.items()):
        own = study.predictions[study.predictions["strength"] == strength]
        own = own[own["seed"].isin(sorted(own["seed"].unique())[:n])]
        kept.append(own.assign(seed=own["seed"] + 100 * rank))
    return arrange_cells(pd.concat(kept), *study.data[1:], "drop")


def conditions_of(study, cells: Cells) -> Conditions:
    names = study.conditions.names
    return Conditions.of(names, names[-1], cells.table)


def test_runs_without_pairs_have_the_same_drops_and_intervals_of_their_own(study, table) -> None:
    cells = unpaired(study, {0.08: 3, 0.3: 3, 0.99: 3})
    conditions = conditions_of(study, cells)
    assert not conditions.paired
    found = run(study, cells=cells, conditions=conditions)
    pd.testing.assert_series_equal(found["drop"], table["drop"])  # best: matched by rank
    fixed = found[found["reference"] == "fixed"]
    assert not np.allclose(fixed["low"], table.loc[fixed.index, "low"])
    for (truth, half), part in fixed.groupby(["truth", "half"]):
        counted = cells.counted[truth] & cells.images.half(half)
        weak, strong = (
            cells.correct[truth][(cells.table["strength"] == s).to_numpy()][:, counted]
            for s in (0.99, 0.08)
        )
        own = crossed_difference(
            weak,
            strong,
            cells.images.labels[counted],
            10,
            paired=False,
            confidence=0.95,
            moderate=True,
        )
        part = part.sort_values("class_id")
        np.testing.assert_allclose(part[["low", "high", "p"]].T, [own.low, own.high, own.p])


def test_numbers_of_runs_that_differ_leave_nothing_to_cross_fit_but_a_bound(study) -> None:
    cells = unpaired(study, {0.08: 3, 0.3: 1, 0.99: 2})
    found = run(study, cells=cells, conditions=conditions_of(study, cells))
    fixed, best = (found[found["reference"] == name] for name in ("fixed", "best"))
    unknown = ["drop", "low", "high", "shrunken", "detectable", "reference_strength"]
    assert best[unknown].isna().all(axis=None)
    assert best[["at_least", "p", "q"]].notna().all(axis=None)
    assert (best["reference_policy"] == "").all() and best["plug_in"].notna().all()
    assert fixed[["drop", "low", "high", "p", "q"]].notna().all(axis=None)
    assert (fixed["seeds"] == 2).all()  # the fewest of its two conditions
    assert (best["seeds"] == 1).all()  # the fewest of all
    chosen = fixed[(fixed["truth"] == "original") & (fixed["half"] == "select")]
    assert set(chosen.nlargest(2, "shrunken")["class_id"]) == set(
        found.loc[found["affected"], "class_id"]
    )


def test_a_bound_on_the_own_best_is_that_of_all_conditions(simulator) -> None:
    study = simulator(per_class=60, loss=0.8)
    # With two conditions there is one contrast, and the bound is its one-sided one.
    names = ("uniform-0.08", "uniform-0.99")
    pair = run(study, conditions=Conditions(names, names[1]))
    own = pair[(pair["half"] == "all") & (pair["truth"] == "original")].set_index("class_id")
    fixed, best = (own[own["reference"] == name] for name in ("fixed", "best"))
    cells = study.cells()
    weak, strong = (
        cells.correct["original"][(cells.table["policy"] == name).to_numpy()]
        for name in reversed(names)
    )
    found = crossed_difference(
        weak, strong, cells.images.labels, 10, paired=True, confidence=0.95, moderate=True
    )
    level = 0.05 * max((best["q"] <= 0.05).sum(), 1) / 10
    bound = np.maximum(found.at_least(1 - level), 0)
    np.testing.assert_allclose(best["at_least"], bound, atol=2e-3)
    assert (bound > 0).any() and ((bound > 0) == (best["q"] <= 0.05)).all()
    rising = fixed["drop"] > 0
    np.testing.assert_allclose(best.loc[rising, "p"], fixed.loc[rising, "p"] / 2, rtol=0.05)


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_small_classes_do_not_fill_the_list(simulator, seeds) -> None:
    """Of classes that lose nothing, those with few pictures scatter most."""
    study = simulator(n_classes=40, per_class=40, seeds=seeds, loss=0.0)
    rank = study.index["image_id"].str.extract(r"/(\d+)\.jpg", expand=False).astype(int) % 40
    index = study.index[(study.index["class_id"] % 2 == 0) | (rank < 6)]
    kept = [
        table[table["image_id"].isin(index["image_id"])]
        for table in (study.predictions, study.annotations)
    ]
    cells = arrange_cells(kept[0], index, kept[1], 40, "drop")
    table = run(study, Affected("top", 0.2, at_least=8, q=0.05), cells=cells)
    chosen = table.loc[table["affected"], "class_id"].unique()
    half = table[(table["half"] == "select") & (table["truth"] == "original")]
    worst = half[half["reference"] == "fixed"].nlargest(8, "drop")["class_id"]
    assert (worst % 2).sum() >= 5
    assert (chosen % 2).sum() <= 2
