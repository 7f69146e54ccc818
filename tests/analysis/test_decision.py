"""What to train: the rule on bounds that are known, and on runs that are simulated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from daclass.analysis.cells import Cells, arrange_cells
from daclass.analysis.decision import Margins, decision, seeds_needed, verdict
from daclass.inference.averages import average_difference
from daclass.inference.discoveries import holm
from daclass.tables import SCHEMAS

CLASSES, PER_CLASS = 6, 60
PARTS = ("followed up", "with swallowers", "all")


def question(low: float = 0.02, high: float = 0.06) -> pd.DataFrame:
    """Table "tested" with a gain that is known to lie between two bounds."""
    table = pd.DataFrame({"policy": ["strong", "weak"]}).reindex(columns=list(SCHEMAS["tested"]))
    return table.assign(
        tested=[True, False], reference=[False, True], best=[True, False], simultaneous=False,
        gain=[(low + high) / 2, 0.0], low=[low, np.nan], high=[high, np.nan], p=0.01, seeds=5,
        images=100,
    )  # fmt: skip


def runs(effect: np.ndarray, seeds: int = 5, random_seed: int = 0, **others) -> Cells:
    """Runs under b for all and under a policy that adds `effect` to each class's accuracy, [C];
    `others` are effects of further policies by name."""
    rng = np.random.default_rng(random_seed)
    labels = np.repeat(np.arange(CLASSES), PER_CLASS)
    ids = [f"{n}" for n in range(len(labels))]
    index = pd.DataFrame(
        {
            "image_id": ids, "split": "val", "draw": -1, "position": range(len(ids)),
            "class_id": labels, "half": "estimate",
        }
    )  # fmt: skip
    annotations = pd.DataFrame({"image_id": ids, "labels": [[k] for k in labels]})
    ease, rows = rng.uniform(0.3, 0.9, len(labels)), []
    for seed in range(seeds):
        effects = {"uniform_tested": np.zeros(CLASSES), "asked": effect, **others}
        for policy, change in ((name, effects[name][labels]) for name in effects):
            right = rng.random(len(labels)) < np.clip(ease + change, 0, 1)
            said = np.where(right, labels, (labels + 1) % CLASSES)
            rows.append(
                pd.DataFrame(
                    {
                        "policy": policy, "strength": np.nan, "seed": seed, "image_id": ids,
                        "prediction": said, "probability": 1.0,
                    }
                )
            )  # fmt: skip
    return arrange_cells(pd.concat(rows), index, annotations, CLASSES, "drop")


def decide(cells: Cells, **changes) -> pd.DataFrame:
    asked = {
        "policy": "asked", "rivals": ["uniform_tested"], "followed_up": [0, 1], "swallowers": [2],
        "margins": Margins(0.01, 0.02),
    }  # fmt: skip
    return decision(question(), cells, **{**asked, **changes})


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        ([0.3, 0.3, 0, 0, 0, 0], "train the policy"),
        ([0, 0, 0, 0, 0, 0.0], "undecided on the policy"),
        ([-0.2, -0.2, 0, 0, 0, 0], "train the tested"),  # not even those it was made for gain
        ([0.15, 0.15, -0.5, 0, 0, 0], "train the tested"),  # swallowers pay for it
        ([0.2, 0.2, 0, -0.3, -0.3, -0.3], "train the tested"),  # all others pay for it
        ([0.3, 0.3, 0, 0, 0, -0.3], "train the tested"),  # a single class is the veto
    ],
)
def test_the_rule(effect, expected):
    found = decide(runs(np.array(effect)))
    assert set(found) == set(SCHEMAS["decision"])
    assert verdict(found) == expected


def test_bounds_are_those_of_the_average_over_classes():
    cells = runs(np.array([0.2, 0.1, 0, 0, 0, 0]))
    row = decide(cells).set_index("part").loc["followed up"]
    chosen = cells.images.labels < 2
    own = [cells.correct["original"][np.flatnonzero(cells.table["policy"] == name)][:, chosen]
           for name in ("asked", "uniform_tested")]  # fmt: skip
    found = average_difference(
        *own, cells.images.labels[chosen], "macro", paired=True, confidence=0.9
    )
    assert row["difference"] == pytest.approx(found.mean[0])
    assert row["at_least"] == pytest.approx(found.low[0])  # both ends of a 90% interval
    assert row["at_most"] == pytest.approx(found.high[0])


def test_other_policies_that_pass_are_candidates_and_change_no_verdict():
    none = np.zeros(CLASSES)
    good = np.array([0.3, 0.3, 0, 0, 0, 0])
    cells = runs(none, graded=good, worse=-good, idle=none)
    found = decide(cells, others=["graded", "worse", "idle", "uniform_tested"])
    assert verdict(found) == verdict(decide(cells)) == "undecided on the policy"
    rows = found[found["part"] == "candidate"].set_index("policy")
    assert dict(rows["holds"]) == {"graded": True, "worse": False, "idle": False}
    assert (found.loc[found["part"] != "candidate", "policy"] == "asked").all()


@given(st.lists(st.floats(0.0, 0.25), min_size=1, max_size=4), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_candidates_are_those_of_holm(gains, random_seed):
    """Against Holm's p-values: of each policy the largest over its parts."""
    names = [f"other{place}" for place in range(len(gains))]
    pay = np.array([1.0, 1.0, 0, 0, 0, 0])
    effects = {name: gain * pay for name, gain in zip(names, gains, strict=True)}
    cells = runs(np.zeros(CLASSES), seeds=3, random_seed=random_seed, **effects)
    found = decide(cells, others=names)
    holds = found[found["part"] == "candidate"].set_index("policy")["holds"]
    bounds, chosen = Margins(0.01, 0.02).bounds(), cells.images.labels
    members = {"followed up": [0, 1], "with swallowers": [0, 1, 2], "all": range(CLASSES)}
    p = []
    for name in names:
        arms = [cells.correct["original"][np.flatnonzero(cells.table["policy"] == policy)]
                for policy in (name, "uniform_tested")]  # fmt: skip
        p.append(0.0)
        for part, own in members.items():
            kept = np.isin(chosen, list(own))
            one = average_difference(
                arms[0][:, kept], arms[1][:, kept], chosen[kept], "macro", paired=True,
                confidence=0.9,
            )  # fmt: skip
            least = bounds[part][0]
            p[-1] = max(p[-1], smallest_level(lambda c, x=one, b=least: x.at_least(c)[0] > b))
    expected = holm(np.array(p)) <= 0.05
    near = np.abs(holm(np.array(p)) - 0.05) < 1e-4
    assert ((holds[names].to_numpy(bool) == expected) | near).all()


def smallest_level(holds) -> float:
    """The level at which a one-sided bound holds just so."""
    low, high = 1e-9, 1.0 - 1e-9
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(1 - middle) else (middle, high)
    return high


def test_no_policy_is_adopted_on_two_fresh_seeds():
    assert verdict(decide(runs(np.array([0.4, 0.4, 0, 0, 0, 0]), seeds=2))) != "train the policy"


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ((0.01, 0.05), "train the tested"),
        ((-0.05, -0.01), "train the reference"),
        ((-0.01, 0.05), "undecided on the strength"),
        ((np.nan, np.nan), "undecided on the strength"),
    ],
)
def test_the_strength_comes_before_any_policy(bounds, expected):
    table = decision(question(*bounds))
    assert verdict(table) == expected
    assert list(table["part"]) == ["gain"]


@pytest.mark.parametrize(
    ("drop", "expected"),
    [
        ((-0.03, -0.01), "train the tested"),
        ((-0.02, 0.003), "undecided on the strength"),
        ((0.01, 0.03), "train the reference"),
    ],
)
def test_the_strength_has_to_pay_with_each_shown_at_its_best_view(drop, expected):
    """Though it gains for certain where both are shown alike."""
    shown = pd.DataFrame(
        {
            "class_id": [0, -1, -1], "half": ["all", "estimate", "all"], "drop": [0.2, 0.2, 0.0],
            "low": [0.1, 0.1, drop[0]], "high": [0.3, 0.3, drop[1]], "p": 0.5, "seeds": 5,
            "images": 100,
        }
    )  # fmt: skip
    table = decision(question(0.01, 0.05), at_best_views=shown)
    assert verdict(table) == expected
    assert list(table["part"]) == ["gain", "gain at best views"]
    bounds = table.loc[1, ["at_least", "at_most"]].to_list()
    assert bounds == [-drop[1], -drop[0]]


def test_a_policy_that_changes_nothing_is_not_compared():
    cells = runs(np.zeros(CLASSES))
    found = decide(cells, policy="uniform_tested")
    assert list(found["part"]) == ["gain"]
    assert verdict(found) == "train the tested"


def test_a_policy_has_to_beat_every_rival():
    """The second rival is the policy's own equal but for luck."""
    rows = pd.DataFrame({"part": PARTS * 2, "rival": ["a"] * 3 + ["b"] * 3, "seeds": 5})
    gain = decision(question())
    for holds, refuted, expected in (
        ([True] * 6, [False] * 6, "train the policy"),
        ([True] * 3 + [False] * 3, [False] * 6, "undecided on the policy"),
        ([True] * 6, [False] * 5 + [True], "train the tested"),
    ):
        assert verdict(pd.concat([gain, rows.assign(holds=holds, refuted=refuted)])) == expected


def test_seeds_needed_reach_their_power():
    """Run again with so many seeds, the lower bound is above 0 in about 80% of studies."""
    rng, distance, groups = np.random.default_rng(0), 0.05, np.zeros(4000, np.int64)

    def study(seeds: int):
        value = distance + rng.normal(0, 0.06, (seeds, 1)) + rng.normal(0, 0.2, (seeds, 4000))
        return average_difference(
            value, np.zeros_like(value), groups, "macro", paired=True, confidence=0.95
        )

    typical = (0.06**2 + 0.2**2 / 4000, 0.2**2 / 4000)
    wanted = (stats.norm.ppf(0.95) + stats.norm.ppf(0.8)) ** 2 * typical[0] / distance**2
    asked = [seeds_needed(study(200), 0.0) for _ in range(5)]
    assert np.median(asked) == pytest.approx(wanted, abs=2)
    found = [study(int(np.median(asked)) + 1).at_least(0.95)[0] > 0 for _ in range(200)]
    assert 0.68 < np.mean(found) < 0.92


def test_no_seeds_are_enough_where_the_estimate_itself_is_not():
    found = average_difference(
        np.zeros((3, 50)), np.full((3, 50), 0.5), np.zeros(50, int), "macro", paired=True,
        confidence=0.95,
    )  # fmt: skip
    assert seeds_needed(found, 0.0) == -1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_between_the_raw_and_bonferroni(p):
    found = holm(p)
    assert (found >= np.array(p) - 1e-12).all()
    assert (found <= np.minimum(np.array(p) * len(p), 1) + 1e-12).all()
    assert found.min() == pytest.approx(min(min(p) * len(p), 1.0))
    assert (np.argsort(found, kind="stable")[0] == np.argsort(p, kind="stable")[0]) or (
        np.min(found) == found[np.argmin(p)]
    )


def test_holm_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, np.nan]), [0.03, 0.06, 0.06, np.nan])
