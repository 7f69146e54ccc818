"""Policies compared on the estimation half, group by group and class by class."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from daclass.analysis.cells import Cells, arrange_cells
from daclass.analysis.interventions import intervention_classes, interventions
from daclass.errors import InputError
from daclass.tables import SCHEMAS

GROUPS = {"all": set(range(10)), "affected": {0, 4}, "swallowers": {1, 4}, "both": {0, 1, 4}}
BASELINES = ("uniform_tested", "uniform_best", "uniform_reference")
# Policy -> the run of the simulated sweep that stands in for it. Two policies share each run of .3.
POLICIES = {
    "uniform_tested": "uniform-0.08",
    "fp_informed": "uniform-0.3",
    "same": "uniform-0.3",
    "uniform_best": "uniform-0.99",
    "uniform_reference": "uniform-0.99",
    "random_1": "uniform-0.3",
    "random_2": "uniform-0.99",
}
CONTROLS = {"random": ("random_1", "random_2")}


def renamed(study) -> pd.DataFrame:
    parts = [
        study.predictions[study.predictions["policy"] == run].assign(policy=name, strength=np.nan)
        for name, run in POLICIES.items()
    ]
    return pd.concat(parts, ignore_index=True)


def compare(cells: Cells, affected=(0, 4), swallowers=(4, 1), baselines=BASELINES, **changes):
    classes = intervention_classes(cells, baselines, confidence=0.95)
    table = interventions(
        cells,
        affected=list(affected),
        swallowers=list(swallowers),
        **{
            "baselines": baselines,
            "controls": CONTROLS,
            "classes": classes,
            "q": 0.05,
            "confidence": 0.95,
            **changes,
        },
    )
    return table, classes


@pytest.fixture(scope="module")
def cells(study) -> Cells:
    return arrange_cells(renamed(study), *study.data[1:], "drop")


@pytest.fixture(scope="module")
def tables(cells):
    return compare(cells)


@pytest.fixture(scope="module")
def table(tables) -> pd.DataFrame:
    return tables[0]


@pytest.fixture(scope="module")
def classes(tables) -> pd.DataFrame:
    return tables[1]


@pytest.fixture(scope="module")
def right(study) -> pd.DataFrame:
    """Correctness of each policy's runs on the estimation half, one row a prediction."""
    index = study.index[study.index["half"] == "estimate"][["image_id", "class_id"]]
    rows = renamed(study).merge(index, on="image_id")
    return rows.assign(right=(rows["prediction"] == rows["class_id"]).astype(float))


def test_layout(table, classes) -> None:
    assert set(table) == set(SCHEMAS["interventions"])
    assert set(classes) == set(SCHEMAS["intervention_classes"])
    # Seven policies and their pooled control against three baselines and it, less its own draws.
    assert len(table) == 4 * 2 * (8 * 4 - 2)
    assert len(classes) == 2 * 10 * (7 * 3 - 3)


@pytest.mark.parametrize("group", GROUPS)
def test_differences_are_paired_accuracies_of_the_estimation_half(right, table, group) -> None:
    rows = right[right["class_id"].isin(GROUPS[group])]
    accuracy = rows.groupby("policy")["right"].mean()
    accuracy["random"] = (accuracy["random_1"] + accuracy["random_2"]) / 2
    found = table[(table["group"] == group) & (table["truth"] == "original")]
    assert set(found["policy"]) == {*POLICIES, "random"}
    for row in found.itertuples():
        assert row.accuracy == pytest.approx(accuracy[row.policy])
        assert row.accuracy_low <= row.accuracy <= row.accuracy_high
        expected = accuracy[row.policy] - accuracy[row.baseline]
        assert row.difference == pytest.approx(expected)
        assert row.images == rows["image_id"].nunique()
        assert row.classes == len(GROUPS[group])
        if np.isfinite(row.low):
            assert row.low <= row.difference <= row.high


def test_a_policy_is_not_tested_against_its_own_runs(table, classes) -> None:
    own = table["policy"] == table["baseline"]
    own |= table["policy"].map(POLICIES) == table["baseline"].map(POLICIES)
    assert (table.loc[own, "difference"] == 0).all()
    assert table.loc[own, ["low", "high", "p"]].isna().all(axis=None)
    assert table.loc[~own, ["low", "high", "p"]].notna().all(axis=None)
    equal = classes.query("policy == 'uniform_best' and baseline == 'uniform_reference'")
    assert (equal["difference"] == 0).all() and equal[["low", "p", "q"]].isna().all(axis=None)


def test_draws_are_not_compared_with_the_control_that_they_belong_to(table) -> None:
    against = table[table["baseline"] == "random"]
    assert set(against["policy"]) == {*POLICIES, "random"} - {"random_1", "random_2"}


@pytest.mark.parametrize("group", GROUPS)
def test_the_share_of_the_drop_that_is_recovered(right, table, group) -> None:
    rows = right[right["class_id"].isin(GROUPS[group])]
    accuracy = rows.groupby("policy")["right"].mean()
    found = table[(table["group"] == group) & (table["truth"] == "original")]
    found = found.groupby("policy").first()
    drop = accuracy["uniform_reference"] - accuracy["uniform_tested"]
    interval = table.query(
        "policy == 'uniform_reference' and baseline == 'uniform_tested' "
        f"and group == '{group}' and truth == 'original'"
    ).iloc[0]
    shares = found[["recovered", "recovered_low", "recovered_high"]]
    if interval["low"] <= 0 <= interval["high"]:
        assert shares.isna().all(axis=None)
        return
    assert shares.loc["uniform_tested", "recovered"] == 0
    assert shares.loc["uniform_reference", "recovered"] == 1
    assert shares.loc["uniform_best", "recovered"] == 1  # runs of an equal policy
    assert shares.loc["uniform_reference", ["recovered_low", "recovered_high"]].isna().all()
    expected = (accuracy["fp_informed"] - accuracy["uniform_tested"]) / drop
    row = shares.loc["fp_informed"]
    assert row["recovered"] == pytest.approx(expected)
    assert row["recovered_low"] < row["recovered"] < row["recovered_high"]


def test_q_values_are_those_of_statsmodels(classes) -> None:
    for _, part in classes.groupby(["policy", "baseline", "truth"]):
        known = part["p"].notna()
        if known.any():
            expected = multipletests(part.loc[known, "p"], method="fdr_bh")[1]
            np.testing.assert_allclose(part.loc[known, "q"], expected)
        assert part.loc[~known, "q"].isna().all()


def test_classes_are_compared_as_by_hand(right, classes) -> None:
    accuracy = right.groupby(["policy", "class_id"])["right"].mean()
    for row in classes[classes["truth"] == "original"].itertuples():
        expected = accuracy[row.policy, row.class_id] - accuracy[row.baseline, row.class_id]
        assert row.difference == pytest.approx(expected)


def test_classes_that_are_worse_and_better_are_counted(table, classes) -> None:
    found = classes[classes["q"] <= 0.05]
    for row in table[table["policy"] == "fp_informed"].itertuples():
        part = found[
            (found["policy"] == row.policy)
            & (found["baseline"] == row.baseline)
            & (found["truth"] == row.truth)
            & found["class_id"].isin(GROUPS[row.group])
        ]
        if row.baseline == "random":
            assert np.isnan(row.worse) and np.isnan(row.better)
        else:
            assert row.worse == (part["difference"] < 0).sum()
            assert row.better == (part["difference"] > 0).sum()


def test_multi_leaves_pictures_without_labels_out(table) -> None:
    whole = table[table["group"] == "all"].groupby("truth")["images"].first()
    assert whole["original"] == 80
    assert whole["multi"] < 80


def test_no_affected_class(cells) -> None:
    table, _ = compare(cells, affected=(), swallowers=())
    empty = table[table["group"] != "all"]
    assert (empty["images"] == 0).all()
    assert empty[["accuracy", "difference", "low", "p", "recovered"]].isna().all(axis=None)
    assert table.loc[table["group"] == "all", "accuracy"].notna().all()


def test_one_seed_gives_no_intervals(study) -> None:
    one = renamed(study).query("seed == 7")
    table, classes = compare(arrange_cells(one, *study.data[1:], "drop"))
    assert table["difference"].notna().all()
    assert table[["low", "p", "recovered"]].isna().all(axis=None)
    told = table.dropna(subset="worse")  # two policies that are one differ in no class
    assert (told["difference"] == 0).all() and (told[["worse", "better"]] == 0).all(axis=None)
    assert classes["q"].isna().all()


def test_faults_are_named(study, cells) -> None:
    with pytest.raises(InputError, match="no run of naive"):
        intervention_classes(cells, ["naive"], confidence=0.95)
    with pytest.raises(InputError, match="no run of random_3"):
        compare(cells, controls={"random": ("random_1", "random_3")})
    lacking = renamed(study).query("not (policy == 'fp_informed' and seed == 7)")
    with pytest.raises(InputError, match=r"fp_informed has no run with seed 7"):
        compare(arrange_cells(lacking, *study.data[1:], "drop"))


LOSS, GAIN = 0.4, 0.25


def planted(gain: float, random_seed: int, classes: int = 10, images: int = 60, seeds: int = 5):
    """Runs of a study in which strong augmentation costs classes 0 to 3 forty points, of which
    the policy gives `gain` back; random classes give nothing back, and nothing else changes."""
    rng = np.random.default_rng(random_seed)
    labels = np.repeat(np.arange(classes), images)
    ids = np.array([f"p{i:05d}" for i in range(len(labels))], object)
    index = pd.DataFrame({"image_id": ids, "class_id": labels, "half": "estimate"})
    difficulty = rng.normal(0, 0.15, len(labels))  # what all runs of all policies share
    frames = []
    for seed in range(seeds):
        shared = rng.normal(0, 0.02, classes)[labels]
        for policy, back in (
            ("uniform_tested", 0.0), ("uniform_reference", LOSS), ("fp_informed", gain),
            ("random_1", 0.0), ("random_2", 0.0), ("random_3", 0.0),
        ):  # fmt: skip
            own = rng.normal(0, 0.02, classes)[labels]
            share = 0.75 + difficulty + shared + own - (LOSS - back) * (labels < 4)
            correct = rng.random(len(labels)) < share
            run = {
                "policy": policy,
                "strength": np.nan,
                "seed": seed,
                "image_id": ids,
                "prediction": np.where(correct, labels, (labels + 1) % classes),
            }
            frames.append(pd.DataFrame(run))
    annotations = pd.DataFrame({"image_id": ids, "labels": [[int(k)] for k in labels]})
    cells = arrange_cells(pd.concat(frames), index, annotations, classes, "drop")
    baselines = ("uniform_tested", "uniform_reference")
    controls = {"random": ("random_1", "random_2", "random_3")}
    return compare(cells, range(4), (7,), baselines=baselines, controls=controls)


def test_a_policy_that_helps_is_found_to_beat_random_classes() -> None:
    table, classes = planted(GAIN, 1)
    found = table[table["truth"] == "original"].set_index(["policy", "group", "baseline"])
    row = found.loc[("fp_informed", "affected", "random")]
    assert 0.1 < row["low"] < GAIN < row["high"]
    assert 0.4 < row["recovered_low"] < GAIN / LOSS < row["recovered_high"]
    random = found.loc[("random", "affected", "uniform_tested")]
    assert random["low"] < 0 < random["high"]
    assert found.loc[("fp_informed", "affected", "uniform_tested"), "better"] == 4
    assert found.loc[("fp_informed", "affected", "uniform_reference"), "worse"] >= 3
    assert found.loc[("random", "affected", "uniform_reference"), "worse"] == 4  # mean of draws
    claimed = classes.query("q <= .05 and policy == 'fp_informed'")["class_id"]
    assert {0, 1, 2, 3} <= set(claimed) and claimed.nunique() <= 5


def test_where_nothing_helps_nothing_is_claimed() -> None:
    """In ten studies without an effect of the policy: few intervals miss 0, few studies count a
    class as worse or better, which is what q controls."""
    missed = claimed = 0
    for random_seed in range(10):
        table, _ = planted(0.0, random_seed, images=30)
        rows = table[(table["policy"] == "fp_informed") & (table["truth"] == "original")]
        rows = rows.set_index(["group", "baseline"])
        row = rows.loc[("affected", "random")]
        missed += not row["low"] <= 0 <= row["high"]
        whole = rows.loc[("all", "uniform_tested")]
        claimed += whole["worse"] + whole["better"] > 0
    # Binomial with the promised rate of .05.
    assert missed <= stats.binom.ppf(0.999, 10, 0.05)
    assert claimed <= stats.binom.ppf(0.999, 10, 0.05)


def test_draws_that_change_nothing_have_no_interval(study) -> None:
    """All draws of the control trained as the strongest for all: 0 by definition, not estimated."""
    runs = renamed(study)
    same = runs[runs["policy"] == "uniform_tested"]
    others = runs[~runs["policy"].isin(["random_1", "random_2"])]
    draws = [same.assign(policy=name) for name in ("random_1", "random_2")]
    cells = arrange_cells(pd.concat([others, *draws]), *study.data[1:], "drop")
    rows = compare(cells)[0].query("policy == 'random' and baseline == 'uniform_tested'")
    assert (rows["difference"] == 0).all()
    assert rows[["low", "high", "p", "recovered_low"]].isna().all(axis=None)
    assert (rows[["worse", "better"]] == 0).all(axis=None)
