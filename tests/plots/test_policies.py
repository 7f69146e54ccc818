"""What readers call policies: from what the tables say of them, whatever their names are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daclass.analysis.remedies import SHIFT, VIEW
from daclass.plots.policies import Policies
from daclass.tables import SCHEMAS
from daclass.wording.policies import REMEDIES, policy_words

ROW = {
    "phase": "interventions", "designer": "fp_informed", "m": 2, "draw": 0, "parent": "",
    "control": "", "strength": np.nan, "view_aware": False, "summary": "why",
}  # fmt: skip


def policies(*rows: dict, classes: dict[str, list[float]] | None = None) -> Policies:
    table = pd.DataFrame([{**ROW, **row} for row in rows], columns=list(SCHEMAS["policies"]))
    given_to = [
        (policy, k, strength, 1.0, True, 1.0, "")
        for policy, strengths in (classes or {}).items()
        for k, strength in enumerate(strengths)
    ]
    return Policies(table, pd.DataFrame(given_to, columns=list(SCHEMAS["policy_classes"])))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"designer": "uniform_tested", "strength": 0.08}, "tested for all, 0.08"),
        ({"designer": "uniform_each", "strength": 1e-05}, "1e-05 for all"),
        ({}, "weaker for swallowers"),
        ({"designer": "random_classes", "draw": 2, "control": "c"}, "random classes, draw 2"),
        ({"designer": "naive_removal", "parent": "b"}, "weakest for followed-up, fine-tuned"),
        ({"designer": "somebody_elses"}, "its own"),
    ],
)
def test_a_name_follows_from_the_columns_and_never_from_the_name(row: dict, words: str) -> None:
    for policy in ("x", "uniform_0.5", "random_classes_m5_2", "fine_tuned_x"):
        named = policies({"policy": policy, **row})
        assert named.name(policy) == (policy if words == "its own" else words)
        assert named.design(policy)


def test_remedies_without_training_stand_between_baselines_and_policies() -> None:
    named = policies({"policy": "a"}, {"policy": "b", "designer": "uniform_best"})
    assert named.ordered(["logit_shift", "a", "view", "b"]) == ["b", "logit_shift", "view", "a"]
    for remedy in (VIEW, SHIFT):
        assert named.name(remedy) != remedy and "no training" in named.design(remedy)
    assert set(REMEDIES) == {VIEW, SHIFT}


def test_numbers_of_classes_are_said_where_several_were_asked_for() -> None:
    named = policies({"policy": "a", "m": 2}, {"policy": "b", "m": 5})
    assert named.name("a") == "weaker for swallowers, 2 classes"
    assert named.name("b") == "weaker for swallowers, 5 classes"


def test_a_pooled_control_has_the_name_of_its_draws_without_their_number() -> None:
    rows = [
        {"policy": f"d{n}", "designer": "random_classes", "draw": n, "control": "pool"}
        for n in (1, 2)
    ]
    named = policies(*rows)
    assert named.name("pool") == "random classes"
    assert named.draws_of("pool") == ["d1", "d2"]
    assert named.is_draw("d1") and not named.is_draw("pool")
    assert named.find("random_classes") == "pool"
    assert named.without_draws(["d1", "d2"]) == ["d1", "d2"]
    assert named.without_draws(["d2", "pool", "d1"]) == ["pool"]


def test_order_is_baselines_policies_control_unknown_ones_and_fine_tuned_ones() -> None:
    named = policies(
        {"policy": "z", "designer": "uniform_tested", "strength": 0.08},
        {"policy": "tuned", "parent": "z"},
        {"policy": "own", "designer": "somebody_elses"},
        {"policy": "fp5", "m": 5},
        {"policy": "fp2", "m": 2},
        {"policy": "c", "designer": "random_classes", "draw": 1, "control": "pool"},
    )
    shuffled = ["tuned", "own", "c", "fp5", "pool", "fp2", "z"]
    assert named.ordered(shuffled) == ["z", "fp2", "fp5", "pool", "c", "own", "tuned"]


def test_policies_that_give_every_class_the_same_are_one() -> None:
    rows = [
        {"policy": "best", "designer": "uniform_best", "strength": 0.75},
        {"policy": "reference", "designer": "uniform_reference", "strength": 0.75},
        {"policy": "fp"},
        {"policy": "tuned", "designer": "uniform_best", "parent": "z", "strength": 0.75},
    ]
    same = [0.75, 0.75]
    classes = {"best": same, "reference": same, "fp": [0.75, 0.08], "tuned": same}
    named = policies(*rows, classes=classes)
    groups = named.merged(["tuned", "fp", "reference", "best", "unknown"])
    assert sorted(groups.values()) == [["best", "reference"], ["fp"], ["tuned"], ["unknown"]]
    words = named.merged_name(groups["best"])
    assert words == "best on average for all, 0.75 = reference for all, 0.75"


@given(st.lists(st.text(min_size=1)))
def test_any_name_has_words_and_a_place(names: list[str]) -> None:
    named = policies(*({"policy": name} for name in names[::2]))
    assert sorted(named.ordered(names)) == sorted(set(names))
    assert all(named.name(name) for name in names)


def test_every_designer_of_the_project_has_words() -> None:
    from daclass.analysis.designers import DESIGNERS

    for designer in DESIGNERS:
        assert policy_words([{**ROW, "policy": "p", "designer": designer}])["p"].name != "p"
