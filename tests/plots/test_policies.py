"""What readers call policies, whatever a study calls them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daclass.plots.policies import draws_of, ordered, policy_design, policy_name, without_draws


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("uniform_tested", "tested for all"),
        ("uniform_0.08", "0.08 for all"),
        ("uniform_best", "best average for all"),
        ("fp_informed", "weaker for swallowers"),
        ("fp_informed_m5", "weaker for swallowers, m = 5"),
        ("fp_informed_m0.25", "weaker for swallowers, 25% of classes"),
        ("fp_informed_best_m5", "swallowers apart, best for rest, m = 5"),
        ("random_classes_2", "random classes, draw 2"),
        ("random_classes_m5_2", "random classes, draw 2, m = 5"),
        ("random_classes_m5", "random classes, m = 5"),
        ("fine_tuned_naive_removal", "weakest for affected, fine-tuned"),
        ("uniform", "uniform"),
        ("uniform_1e-05", "1e-05 for all"),
        ("fp_informed_m..", "fp_informed_m.."),
        ("my_own <b>", "my_own <b>"),
    ],
)
def test_names(name: str, words: str) -> None:
    assert policy_name(name) == words
    assert policy_design(name)


def test_order_is_that_of_the_text_and_unknown_names_come_last() -> None:
    names = [
        "zebra", "random_classes_2", "fine_tuned_fp_informed", "fp_informed_m5", "fp_informed",
        "uniform_0.5", "uniform_tested", "random_classes", "random_classes_1", "fp_informed",
    ]  # fmt: skip
    assert ordered(names) == [
        "uniform_tested", "uniform_0.5", "fp_informed", "fp_informed_m5", "random_classes",
        "random_classes_1", "random_classes_2", "zebra", "fine_tuned_fp_informed",
    ]  # fmt: skip


def test_draws_stand_for_themselves_where_their_mean_is_missing() -> None:
    draws = ["random_classes_1", "random_classes_2"]
    assert without_draws(draws) == draws == draws_of(draws, "random_classes")
    assert without_draws([*draws, "random_classes"]) == ["random_classes"]
    tuned = ["fine_tuned_random_classes_1", "fine_tuned_random_classes"]
    assert without_draws([*draws, *tuned]) == [*draws, "fine_tuned_random_classes"]


@given(st.lists(st.text()))
def test_any_name_has_words_and_a_place(names: list[str]) -> None:
    assert sorted(ordered(names)) == sorted(set(names))
    assert all(policy_name(name) or not name for name in names)
