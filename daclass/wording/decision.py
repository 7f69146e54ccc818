"""What to train, in words: the sentences that a study ends in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daclass.wording.answers import contrast_of
from daclass.wording.numbers import bracket, counted, points
from daclass.wording.policies import REMEDIES, policy_words
from daclass.wording.verdicts import FOLLOWED_UP
from daclass.wording.views import gain_is_the_views

Row = Mapping[str, Any]

PARTS = {
    "followed up": f"the classes {FOLLOWED_UP}",
    "with swallowers": f"the classes {FOLLOWED_UP} and their swallowers together",
    "all": "all classes",
}


def decision_headline(summary: Row) -> str:
    """The decision in one sentence that can be passed on as it is."""
    found, contrast = summary["decision"], contrast_of(summary)
    kind = "strength " if contrast.by_strength else ""
    tested, reference = (
        kind + contrast.named(one) for one in (contrast.tested, contrast.reference)
    )
    everyone = "for all classes" if contrast.by_strength else "rather than " + reference
    bought = _change(found["gain"])
    match found["verdict"]:
        case "train the policy":
            return (
                f"Train under “{_policy(summary)}”: it is better than {tested} {everyone}, which "
                f"gains {bought} points over {reference} on average."
            )
        case "train the tested" | "undecided on the policy":
            over = f" over {reference}" if contrast.by_strength else ""
            return f"Train {tested} {everyone}: it gains {bought} points{over} on average."
        case "train the reference":
            return f"Train {reference}: {tested} changes the average by {bought} points."
    if found["gain"]["low"] is None:
        return (
            f"Keep what you have: whether {tested} is better than {reference} is undecided, since "
            "one run of each gives no interval for new runs."
        )
    return (
        f"Keep what you have: whether {tested} is better than {reference} is undecided "
        f"({bought} points on average)."
    )


def decision_reasons(summary: Row) -> list[str]:
    """The sentences behind the headline: what was asked of the policy, and what could be unseen."""
    found, contrast = summary["decision"], contrast_of(summary)
    lines = []
    if found["grid_ends"]:
        lines.append(
            f"{contrast.named(contrast.tested)} is the strongest strength of the study: a stronger "
            "one may be better still."
        )
    if found["simultaneous"] and found["gain"]["low"] is not None:
        lines.append(
            "The same runs told which strength to test, so its intervals hold for all strengths "
            "at once."
        )
    if found["verdict"] in ("train the reference", "undecided on the strength"):
        if found["policy"]:
            lines.append(f"So “{_policy(summary)}” is not asked about.")
        return lines
    if view := gain_is_the_views(summary["findings"]["view"], contrast):
        lines.append(view)
    if not found["policy"]:
        return lines
    if not found["parts"]:
        return [*lines, f"“{_policy(summary)}” changes no class: there is nothing to compare."]
    return [*lines, *_about_policy(summary), *_candidates(summary)]


def _about_policy(summary: Row) -> list[str]:
    found, words = summary["decision"], policy_words(summary["policies"])
    policy = f"“{_policy(summary)}”"
    decisive = _decisive(found)
    rival = words[decisive["rival"]].name if decisive["rival"] in words else decisive["rival"]
    against = f"against “{rival}”, on {counted(decisive['seeds'], 'fresh seed')}"
    match found["verdict"]:
        case "train the policy":
            lines = [
                f"{_part(row).capitalize()} gain {_bounds(row)} points {against}."
                for row in found["parts"]
                if row["rival"] == decisive["rival"] and row["part"] in PARTS
            ]
            return [*lines, _unseen(summary), f"The policy: {found['file']}"]
        case "train the tested" if decisive["part"] == "class":
            return [
                f"{policy} is ruled out: {decisive['class']} loses "
                f"{points(-decisive['difference'], 1)} points for certain {against}."
            ]
        case "train the tested":
            return [
                f"{policy} is not worth it: {_part(decisive)} change by {_bounds(decisive)} "
                f"points {against}.",
                *_remedy(decisive["rival"]),
            ]
    return [
        f"Whether {policy} is better is undecided: {_part(decisive)} change by "
        f"{_bounds(decisive)} points {against}. {_asked(decisive)}",
        *_remedy(decisive["rival"]),
        _power(decisive),
        _unseen(summary),
        f"The policy: {found['file']}",
    ]


def _candidates(summary: Row) -> list[str]:
    words = policy_words(summary["policies"])
    return [
        f"“{words[name].name if name in words else name}” is a candidate: it passes the same rule, "
        "but these seeds found it. Make it the question of a study with fresh ones "
        f"(interventions.primary: {name})."
        for name in summary["decision"]["candidates"]
    ]


def _remedy(rival: str) -> list[str]:
    if rival not in REMEDIES:
        return []
    words = REMEDIES[rival]
    return [f"“{words.name}” {words.design[0].lower()}{words.design[1:]}"]


def _decisive(found: Row) -> Row:
    """The part that rules the policy out, or else the one that is furthest from holding."""
    parts: Sequence[Row] = found["parts"]
    refuted = [row for row in parts if row["refuted"]]
    if refuted:
        return refuted[0]
    tested = [row for row in parts if row["part"] in PARTS]
    return min(tested, key=lambda row: (row["at_least"] or 0.0) - row["must_exceed"])


def _asked(row: Row) -> str:
    if row["must_exceed"] < 0:
        return f"It takes certainty that they lose less than {points(-row['must_exceed'], 1)}."
    return "It takes certainty that they gain."


def _power(row: Row) -> str:
    if row["seeds_needed"] > 0:
        seeds = counted(row["seeds_needed"], "fresh seed")
        return f"Were this difference true, {seeds} would show it in four studies of five."
    if row["difference"] <= row["must_exceed"]:
        return "More seeds would not help were this difference true."
    return "More seeds cannot show it on these pictures: it takes more pictures."


def _unseen(summary: Row) -> str:
    rows = [row for row in summary["decision"]["parts"] if row["part"] == "class"]
    worst = min((row["at_least"] for row in rows if row["at_least"] is not None), default=None)
    if worst is None:
        return "How much a single class may have lost unseen is not known."
    return f"A single class may have lost up to {points(-worst, 1)} points unseen."


def _bounds(row: Row) -> str:
    return (
        f"{points(row['difference'], 1, signed=True)} (at least "
        f"{points(row['at_least'], 1, signed=True)}, at most "
        f"{points(row['at_most'], 1, signed=True)})"
    )


def _change(row: Row) -> str:
    return points(row["difference"], 1, signed=True) + bracket(row["low"], row["high"])


def _part(row: Row) -> str:
    return PARTS[row["part"]]


def _policy(summary: Row) -> str:
    words, name = policy_words(summary["policies"]), summary["decision"]["policy"]
    return words[name].name if name in words else name
