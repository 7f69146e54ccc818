"""The decision in words: each number is the table's, and each verdict has its sentence."""

from __future__ import annotations

import copy

import pytest

from daclass.wording.answers import short_answers
from daclass.wording.decision import decision_headline, decision_reasons
from tests.plots.synthetic_study import study_summary, study_tables

GAIN = {"difference": 0.042, "low": 0.031, "high": 0.053, "seeds": 5, "images": 900}


@pytest.fixture(scope="module")
def summary() -> dict:
    return study_summary(study_tables())


def said(summary: dict, verdict: str, **changes) -> tuple[str, list[str]]:
    told = copy.deepcopy(summary)
    told["decision"] |= {"verdict": verdict, "gain": GAIN, "gain_at_best_views": None, **changes}
    return decision_headline(told), decision_reasons(told)


def test_the_strength_with_its_gain(summary) -> None:
    headline, reasons = said(summary, "train the tested", policy="", parts=[])
    assert headline == (
        "Train with strength 0.08 for all classes: it gains +4.2 [3.1, 5.3] points over strength "
        "0.99 on average."
    )
    assert reasons == []


def test_the_policy_with_its_bounds_and_file(summary) -> None:
    headline, reasons = said(summary, "train the policy", file="policies/fp_informed.yaml")
    assert headline.startswith("Train under “weaker for swallowers”: it is better than strength")
    assert "+3.1 (at least +2.2, at most +4.0) points" in " ".join(reasons)
    assert reasons[-1] == "The policy: policies/fp_informed.yaml"
    assert "A single class may have lost up to 12.0 points unseen." in reasons


def test_what_is_undecided_says_what_it_would_take(summary) -> None:
    headline, reasons = said(summary, "undecided on the policy")
    assert headline.startswith("Train with strength 0.08 for all classes")
    text = " ".join(reasons)
    assert "undecided: all classes change by −0.4 (at least −1.3, at most +0.5)" in text
    assert "It takes certainty that they lose less than 1.0." in text
    assert "7 fresh seeds would show it in four studies of five" in text


def test_a_veto_names_its_class(summary) -> None:
    parts = copy.deepcopy(summary["decision"]["parts"])
    worst = next(row for row in parts if row["part"] == "class")
    worst |= {"refuted": True, "difference": -0.2, "class": "crab"}
    text = " ".join(said(summary, "train the tested", parts=parts)[1])
    assert "ruled out: crab loses 20.0 points for certain" in text


@pytest.mark.parametrize("verdict", ["train the reference", "undecided on the strength"])
def test_no_policy_is_spoken_of_before_the_strength_pays(summary, verdict) -> None:
    headline, reasons = said(summary, verdict)
    assert "points" in headline and "0.99" in headline
    assert reasons == ["So the policy “weaker for swallowers” is not asked about."]


def test_one_run_cannot_tell(summary) -> None:
    gain = {**GAIN, "low": None, "high": None}
    headline, _ = said(summary, "undecided on the strength", gain=gain)
    assert headline.startswith("Keep what you have")
    assert "gives no interval for new runs" in headline


def test_where_the_grid_ends_and_what_the_intervals_hold_for(summary) -> None:
    _, reasons = said(summary, "train the tested", policy="", grid_ends=True, simultaneous=True)
    assert "strongest strength of the study" in reasons[0]
    assert "all strengths at once" in reasons[1]


@pytest.mark.parametrize(
    ("verdict", "value"),
    [
        ("train the policy", "use it"),
        ("train the tested", "not worth it"),
        ("undecided on the policy", "undecided"),
        ("undecided on the strength", "not asked"),
    ],
)
def test_the_fixs_card_says_what_the_decision_says(summary, verdict, value) -> None:
    told = copy.deepcopy(summary)
    told["decision"] |= {"verdict": verdict, "policy": told["findings"]["fixes"]["policy"]}
    (card,) = [one for one in short_answers(told) if one.question == "fixes"]
    assert card.value == value and card.line().startswith(f"Policy by class: {value}. ")
    # The card says what decided, with the numbers of the sentence under the headline.
    assert "All classes change by −0.4 (at least −1.3, at most +0.5) points under" in card.text


def test_a_remedy_as_the_rival_is_explained(summary) -> None:
    parts = copy.deepcopy(summary["decision"]["parts"])
    parts[0] |= {"refuted": True, "rival": "logit_shift"}
    reasons = said(summary, "train the tested", parts=parts)[1]
    assert reasons[0].startswith("The policy “weaker for swallowers” is not worth it: ")
    assert reasons[1].startswith("“weaker for swallowers”: the classes that gain most false")
    assert reasons[2].startswith("“tested for all, logits shifted” needs no training: ")


VIEW = {
    "change": {"value": 0.01, "low": -0.003, "high": 0.023}, "reference_view": 1.0,
    "tested_view": 0.875, "common": 0.875, "view_part": {"value": 0.03, "low": 0.01, "high": 0.04},
}  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "best", "begins"),
    [
        (
            "undecided on the strength",
            {"difference": 0.01, "low": -0.003, "high": 0.023},
            "Keep what you have, and show networks of strength 0.99 at view 1: strength 0.08 gains "
            "+4.2 [3.1, 5.3] points over strength 0.99 where both are shown at view 0.875, but "
            "+1.0 [−0.3, 2.3] points, each shown at its best view, and that may be nothing.",
        ),
        (
            "train the tested",
            {"difference": 0.02, "low": 0.011, "high": 0.029},
            "Train with strength 0.08 for all classes: it gains +2.0 [1.1, 2.9] points over "
            "strength 0.99 on average, each shown at its best view.",
        ),
        (
            "train the reference",
            {"difference": -0.02, "low": -0.029, "high": -0.011},
            "Train with strength 0.99: strength 0.08 changes the average by −2.0 [−2.9, −1.1] "
            "points, each shown at its best view.",
        ),
    ],
)
def test_the_gain_at_the_best_views_is_what_decides(summary, verdict, best, begins) -> None:
    seen = {**summary, "findings": {**summary["findings"], "view": VIEW}}
    headline, reasons = said(seen, verdict, gain_at_best_views=best)
    assert headline == begins
    assert reasons[0] == (
        "A view is the central square of a judged picture that a network is shown, by the share of "
        "the shorter side that it keeps; another view takes no training. The best are 1 for 0.99, "
        "0.875 for 0.08; the gain is +4.2 [3.1, 5.3] points at view 0.875 for both."
    )


def test_one_best_view_for_both_is_not_spoken_of(summary) -> None:
    view = {**VIEW, "reference_view": 0.875}
    seen = {**summary, "findings": {**summary["findings"], "view": view}}
    headline, reasons = said(seen, "train the tested", gain_at_best_views=GAIN)
    assert "view" not in headline + " ".join(reasons)


def test_candidates_are_named_with_what_it_takes(summary) -> None:
    reasons = said(summary, "undecided on the policy", candidates=["graded"])[1]
    assert "is a candidate: it passes the same rule" in reasons[-1]
    assert "interventions.primary: graded" in reasons[-1]
