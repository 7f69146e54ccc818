"""Each designer on counts whose right answer can be read off."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.policies import DESIGNERS, Evidence, design, resolve_m
from daclass.augment.axis import RRC_SCALE
from daclass.errors import InputError

STRENGTHS = (0.99, 0.08, 0.3)
NAMES = ["ant", "bee", "cat", "dog", "eel", "fox"]
# False positives and negatives (multi) a run of each class, strongest (.08) first.
POSITIVES = np.array([[9, 7, 2, 2, 1, 1], [5, 6, 2, 2, 1, 1], [2, 3, 2, 2, 1, 2]])
NEGATIVES = np.array([[1, 1, 5, 5, 1, 1], [1, 1, 4, 4, 1, 1], [9, 5, 3, 3, 1, 1]])
CORRECT = np.array([[9, 9, 5, 5, 9, 9], [9, 9, 6, 6, 9, 9], [1, 5, 7, 7, 9, 9]])


def counts(correct: np.ndarray = CORRECT) -> pd.DataFrame:
    rows = []
    for seed in (0, 1):
        for level, strength in enumerate((0.08, 0.3, 0.99)):
            for k in range(6):
                for half, factor in (("select", 1), ("estimate", 50 - k), ("all", 7)):
                    rows.append(
                        {
                            "policy": f"u{strength}",
                            "strength": strength,
                            "seed": seed,
                            "half": half,
                            "class_id": k,
                            "images": 10,
                            "correct": correct[level, k] * factor,
                            "false_positives_multi": POSITIVES[level, k] * factor,
                            "false_negatives_multi": NEGATIVES[level, k] * factor,
                        }
                    )
    return pd.DataFrame(rows)


def evidence(affected=(2, 3), swallowers=(0, -1), m: int = 2, **changes) -> Evidence:
    fields = {
        "counts": counts(),
        "effects": pd.DataFrame({"class_id": range(6), "affected": np.isin(range(6), affected)}),
        "categories": pd.DataFrame(
            {"class_id": affected, "swallower_id": list(swallowers)[: len(affected)]}
        ),
        "classes": pd.DataFrame({"class_id": range(6), "name": NAMES, "path": NAMES}),
        "axis": RRC_SCALE,
        "strengths": STRENGTHS,
        "strongest": 0.08,
        "reference": 0.99,
        "m": m,
    }
    return Evidence(**{**fields, **changes})


def test_uniform_policies() -> None:
    found = design(["uniform_strongest", "uniform_best"], evidence())
    assert found["uniform_strongest"].policy.strength == 0.08
    assert found["uniform_best"].policy.strength == 0.3  # 48 of 60, against 46 and 38


def test_uniform_best_takes_the_stronger_of_two_that_tie() -> None:
    same = np.full_like(CORRECT, 5)
    found = DESIGNERS["uniform_best"](evidence(counts=counts(same)))
    assert found.policy.strength == 0.08


def test_naive_removal_weakens_the_affected_classes() -> None:
    found = DESIGNERS["naive_removal"](evidence())
    assert found.policy.default == 0.08
    assert dict(found.policy.classes) == {"cat": 0.99, "dog": 0.99}
    assert set(found.reasons["classes"]) == {"cat", "dog"}


def test_naive_removal_without_affected_classes_says_so() -> None:
    found = DESIGNERS["naive_removal"](evidence(affected=(), swallowers=()))
    assert found.policy.strength == 0.08
    assert "same as uniform_strongest" in found.reasons["summary"]


def test_fp_informed_takes_the_classes_whose_false_positives_grow_most() -> None:
    found = DESIGNERS["fp_informed"](evidence())
    # ant: 10, 6, 11 errors; bee: 8, 7, 8.
    assert dict(found.policy.classes) == {"ant": 0.3, "bee": 0.3}
    assert "grow by 7.0 a run from 0.99 to 0.08" in found.reasons["classes"]["ant"]
    assert "6.0 a run, 10.0 at 0.08" in found.reasons["classes"]["ant"]
    one = DESIGNERS["fp_informed"](evidence(m=1))
    assert dict(one.policy.classes) == {"ant": 0.3}


def test_fp_informed_takes_only_classes_that_grow() -> None:
    found = DESIGNERS["fp_informed"](evidence(m=6))
    assert set(found.reasons["classes"]) == {"ant", "bee"}


def test_fp_informed_takes_the_stronger_of_two_that_tie() -> None:
    table = counts()
    table["false_negatives_multi"] = 20 - table["false_positives_multi"]
    found = DESIGNERS["fp_informed"](evidence(counts=table))
    assert found.policy.strength == 0.08
    assert set(found.reasons["classes"]) == {"ant", "bee"}
    assert "0 of them best at a weaker strength" in found.reasons["summary"]


def test_random_classes_deals_the_same_strengths_to_others() -> None:
    dealt = set()
    for random_seed in range(8):
        found = DESIGNERS["random_classes"](evidence(random_seed=random_seed))
        assert sorted(found.policy.classes.values()) == [0.3, 0.3]
        assert set(found.policy.classes) <= {"eel", "fox"}
        dealt.add(tuple(found.policy.classes))
    again = DESIGNERS["random_classes"](evidence(random_seed=7))
    assert again.policy == found.policy
    assert "outside the affected classes, their swallowers" in found.reasons["summary"]


def test_random_classes_says_when_it_has_to_fall_back() -> None:
    found = DESIGNERS["random_classes"](evidence(affected=(2, 3, 4), swallowers=(0, 1, 5)))
    assert "too few others" in found.reasons["summary"]
    assert set(found.policy.classes) <= {"ant", "bee", "fox"}
    found = DESIGNERS["random_classes"](evidence(affected=range(5), swallowers=[5] * 5))
    assert "among all classes" in found.reasons["summary"]
    assert len(found.policy.classes) == 2


def test_only_the_selection_half_is_read() -> None:
    table = counts()
    later = table["half"] != "select"
    table.loc[later, ["correct", "false_positives_multi", "false_negatives_multi"]] = 1000
    one = design(list(DESIGNERS), evidence())
    other = design(list(DESIGNERS), evidence(counts=table))
    assert {k: v.policy for k, v in one.items()} == {k: v.policy for k, v in other.items()}


@pytest.mark.parametrize(
    ("setting", "m"), [(0.1, 3), (0.01, 1), (0.5, 15), (1, 1), (7.0, 7), (30, 30)]
)
def test_number_of_classes(setting: float, m: int) -> None:
    assert resolve_m(setting, 30) == m


@pytest.mark.parametrize("setting", [31, 2.5])
def test_number_of_classes_that_cannot_be(setting: float) -> None:
    with pytest.raises(InputError, match=f"interventions.classes: {setting:g}"):
        resolve_m(setting, 30)


def test_faults_are_named() -> None:
    with pytest.raises(InputError, match="no such designer: magic"):
        design(["magic"], evidence())
    with pytest.raises(InputError, match=r"no run with strength 0.3"):
        DESIGNERS["uniform_best"](evidence(counts=counts().query("strength != 0.3")))
