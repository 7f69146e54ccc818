"""What no effect looks like: against studies that have none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.cells import Cells, arrange_cells
from daclass.analysis.conditions import Conditions
from daclass.analysis.nulls import Nulls
from daclass.inference.crossed import crossed, crossed_difference
from daclass.tables import SCHEMAS


def draw(
    cells: Cells, conditions: Conditions, replicates: int = 400, random_seed: int = 0
) -> Nulls:
    return Nulls.draw(
        cells, conditions, confidence=0.95, replicates=replicates, random_seed=random_seed
    )


@pytest.fixture(scope="module")
def nulls(study) -> Nulls:
    return draw(study.cells(), study.conditions, replicates=2000)


@pytest.mark.parametrize("truth", ["original", "multi"])
def test_draws_of_the_contrast_have_its_standard_error(study, nulls, truth: str) -> None:
    cells = study.cells()
    counted = cells.counted[truth]
    weak, strong = (
        cells.correct[truth][(cells.table["strength"] == s).to_numpy()][:, counted].astype(int)
        for s in (0.99, 0.08)
    )
    labels = cells.images.labels[counted]
    error = crossed(weak - strong, labels, 10, confidence=0.95, moderate=True).error
    drawn = nulls.difference(truth)
    np.testing.assert_allclose(drawn.std(axis=0), error, rtol=1e-3)
    assert (abs(drawn.mean(axis=0)) < 5 * error / np.sqrt(2000)).all()


def test_unpaired_draws_too(study) -> None:
    runs = study.predictions["policy"].map({name: n for n, name in enumerate("abc")})
    own = study.predictions["seed"] + 100 * (study.predictions["strength"] > 0.5) + runs.fillna(0)
    cells = arrange_cells(study.predictions.assign(seed=own.astype(int)), *study.data[1:], "drop")
    conditions = Conditions.of(study.conditions.names[::2], "uniform-0.99", cells.table)
    assert not conditions.paired
    weak, strong = (
        cells.correct["original"][(cells.table["strength"] == s).to_numpy()] for s in (0.99, 0.08)
    )
    error = crossed_difference(
        weak, strong, cells.images.labels, 10, paired=False, confidence=0.95, moderate=True
    ).error
    found = draw(cells, conditions).difference("original")
    np.testing.assert_allclose(found.std(axis=0), error, rtol=1e-3)


def test_same_seed_same_nulls(study) -> None:
    one, again = (draw(study.cells(), study.conditions, 50, 3) for _ in range(2))
    pd.testing.assert_frame_equal(one.sorted_drops(0.95), again.sorted_drops(0.95))


def test_max_t_orders_classes_as_their_p_values_do_and_is_no_smaller(nulls) -> None:
    for truth in ("original", "multi"):
        p, adjusted = nulls.contrast[truth].p, nulls.max_t(truth)
        order = np.argsort(p)
        assert (np.diff(adjusted[order]) >= 0).all()
        # The bootstrap's tail is not the t distribution's, hence the slack.
        assert (adjusted >= p - 0.02).all()
        assert (adjusted >= 1 / 2001).all() and (adjusted <= 1).all()


@pytest.mark.parametrize("seeds", [2, 4])
def test_max_t_seldom_raises_a_single_false_alarm(no_effect, seeds: int) -> None:
    studies = no_effect(200, n_classes=15, per_class=20, seeds=range(seeds), strengths=(0.08, 0.99))
    alarms = [draw(*study, 200).max_t("original").min() <= 0.05 for study in studies]
    assert np.mean(alarms) < 0.08  # .05 and two standard errors of 200 studies


def test_max_t_finds_a_class_that_loses_much(simulator) -> None:
    study = simulator(per_class=60, loss=0.7, seeds=range(4))
    found = draw(study.cells(), study.conditions).max_t("original")
    assert found[0] < 0.001 and (found[1:] > 0.05).all()


def test_sorted_drops_descend_and_those_of_a_fixed_contrast_are_symmetric(nulls) -> None:
    table = nulls.sorted_drops(0.95)
    for (truth, reference), part in table.groupby(["truth", "reference"]):
        assert list(part["rank"]) == list(range(1, 11))
        for name in ("expected", "low", "high"):
            assert part[name].is_monotonic_decreasing
        expected = part["expected"].to_numpy()
        if reference == "fixed":
            assert (part["low"] <= expected).all() and (expected <= part["high"]).all()
            error = nulls.contrast[truth].error.mean()
            np.testing.assert_allclose(expected, -expected[::-1], atol=0.25 * error)
        else:
            assert (part["low"] >= 0).all() and expected[0] > 0


def test_expected_plug_in_drops_are_those_of_studies_without_an_effect(no_effect) -> None:
    """The paper's drop is large where there is none at all; the band says how large."""
    observed, expected = [], []
    for cells, conditions in no_effect(40, n_classes=20, per_class=50, seeds=range(8)):
        tables = [cells.correct["original"][rows] for rows in conditions.replicates(cells.table)]
        means = np.array(
            [[table[:, cells.images.labels == k].mean() for k in range(20)] for table in tables]
        )
        drops = means.max(axis=0) - means[0]
        observed.append([drops.mean(), np.sort(drops)[-3:].mean()])
        band = draw(cells, conditions, 100).sorted_drops(0.95)
        band = band[(band["truth"] == "original") & (band["reference"] == "plug_in")]
        expected.append([band["expected"].mean(), band["expected"].head(3).mean()])
    mean, worst = np.mean(observed, axis=0)
    assert mean > 0.015 and worst > 0.04
    np.testing.assert_allclose(np.mean(expected, axis=0), [mean, worst], rtol=0.1)


def test_the_band_of_the_worst_classes_holds_studies_without_an_effect(no_effect) -> None:
    inside = []
    for cells, conditions in no_effect(80, n_classes=30, per_class=20, strengths=(0.08, 0.99)):
        band = draw(cells, conditions, 200).sorted_drops(0.95)
        band = band[(band["truth"] == "original") & (band["reference"] == "fixed")]
        strong, weak = (
            cells.correct["original"][rows] for rows in conditions.replicates(cells.table)
        )
        drops = [(weak.astype(int) - strong)[:, cells.images.labels == k].mean() for k in range(30)]
        ordered = np.sort(drops)[::-1]
        inside.append((band["low"] <= ordered) & (ordered <= band["high"]))
    assert np.mean(inside) > 0.9
    assert np.mean(inside, axis=0)[0] > 0.85  # the worst class of all


def test_the_class_band_holds_accuracies_without_an_effect(no_effect) -> None:
    inside = []
    for cells, conditions in no_effect(30, n_classes=20, per_class=30, seeds=range(3)):
        low, high = draw(cells, conditions, 200).class_band("original", 0.95)
        for level, rows in enumerate(conditions.replicates(cells.table)):
            correct = cells.correct["original"][rows]
            for k in range(20):
                accuracy = correct[:, cells.images.labels == k].mean()
                inside.append(low[level, k] <= accuracy <= high[level, k])
    assert 0.93 < np.mean(inside) < 0.995


def test_an_effect_leaves_the_class_band(simulator) -> None:
    study = simulator(per_class=60, loss=0.7, seeds=range(4))
    cells = study.cells()
    low, _ = draw(cells, study.conditions).class_band("original", 0.95)
    strong = cells.correct["original"][study.conditions.replicates(cells.table)[0]]
    assert strong[:, cells.images.labels == 0].mean() < low[0, 0]


def test_one_seed_has_no_null(simulator) -> None:
    study = simulator(seeds=(4,))
    found = draw(study.cells(), study.conditions, 20)
    assert found.sorted_drops(0.95).empty
    assert list(found.sorted_drops(0.95)) == list(SCHEMAS["null_band"])
    assert np.isnan(found.max_t("original")).all()
    assert np.isnan(found.class_band("original", 0.95)).all()


def test_classes_without_pictures_stay_unknown(study) -> None:
    cells = arrange_cells(*study.data[:3], 12, "drop")
    found = draw(cells, study.conditions, 50)
    for numbers in (found.max_t("original"), found.class_band("multi", 0.9)[0][0]):
        np.testing.assert_array_equal(np.isnan(numbers), np.arange(12) >= 10)
    assert found.sorted_drops(0.95)["rank"].max() == 10
