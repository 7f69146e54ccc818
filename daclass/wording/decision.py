"""What to train, in words: the sentences that a study ends in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daclass.wording.contrast import contrast_of
from daclass.wording.numbers import bracket, counted, points
from daclass.wording.policies import REMEDIES, policy_words
from daclass.wording.verdicts import FOLLOWED_UP
from daclass.wording.views import VIEW, best_views

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
    bought = f"{_change(_deciding(found))} points"
    shown = ", each shown at its best view" if _views_differ(summary) else ""
    match found["verdict"]:
        case "train the policy":
            return (
                f"Train under “{_policy(summary)}”: it is better than {tested} {everyone}, which "
                f"gains {bought} over {reference} on average{shown}."
            )
        case "train the tested" | "undecided on the policy":
            over = f" over {reference}" if contrast.by_strength else ""
            return f"Train with {tested} {everyone}: it gains {bought}{over} on average{shown}."
        case "train the reference":
            return f"Train with {reference}: {tested} changes the average by {bought}{shown}."
    if _deciding(found)["low"] is None:
        return (
            f"Keep what you have: whether {tested} is better than {reference} is undecided, since "
            "one run of each gives no interval for new runs."
        )
    if shown and found["gain"]["low"] is not None and found["gain"]["low"] > 0:
        view = summary["findings"]["view"]
        return (
            f"Keep what you have, and show networks of {reference} at view "
            f"{view['reference_view']:g}: {tested} gains {_change(found['gain'])} points over "
            f"{reference} where both are shown at view {view['common']:g}, but {bought}{shown}, "
            "and that may be nothing."
        )
    return (
        f"Keep what you have: whether {tested} is better than {reference} is undecided "
        f"({bought} on average{shown})."
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
    if _views_differ(summary):
        lines.append(_about_views(summary))
    if found["verdict"] in ("train the reference", "undecided on the strength"):
        if found["policy"]:
            lines.append(f"So the policy “{_policy(summary)}” is not asked about.")
        return lines
    if not found["policy"]:
        return lines
    if not found["parts"]:
        return [
            *lines,
            f"The policy “{_policy(summary)}” changes no class: there is nothing to compare.",
        ]
    return [*lines, *_about_policy(summary), *_candidates(summary)]


def decisive_rival(summary: Row) -> str:
    """What a decision's policy was compared with where that decided, as readers call it."""
    words, rival = policy_words(summary["policies"]), _decisive(summary["decision"])["rival"]
    return words[rival].name if rival in words else rival


def decisive_change(summary: Row) -> str:
    """The part of the classes that decided on the policy, and its bounds, within a sentence."""
    row = _decisive(summary["decision"])
    if row["part"] == "class":
        return f"{row['class']} loses {points(-row['difference'], 1)} points for certain"
    return f"{PARTS[row['part']]} change by {_bounds(row)} points"


def _deciding(found: Row) -> Row:
    """The gain that decides: with each strength at its best view, where several were judged."""
    gain: Row = found["gain_at_best_views"] or found["gain"]
    return gain


def _views_differ(summary: Row) -> bool:
    """Whether a strength does best at another view than the common one."""
    view = summary["findings"]["view"]
    return bool(
        view
        and summary["decision"]["gain_at_best_views"]
        and not view["tested_view"] == view["reference_view"] == view["common"]
    )


def _about_views(summary: Row) -> str:
    view, contrast = summary["findings"]["view"], contrast_of(summary)
    common = f"{_change(summary['decision']['gain'])} points at view {view['common']:g} for both"
    return f"{VIEW} The best are {best_views(view, contrast)}; the gain is {common}."


def _about_policy(summary: Row) -> list[str]:
    found, words = summary["decision"], policy_words(summary["policies"])
    policy = f"the policy “{_policy(summary)}”"
    decisive = _decisive(found)
    against = f"against “{decisive_rival(summary)}”, on {counted(decisive['seeds'], 'fresh seed')}"
    asked = words[found["policy"]].design if found["policy"] in words else ""
    match found["verdict"]:
        case "train the policy":
            lines = [
                f"{_sentence(PARTS[row['part']])} gain {_bounds(row)} points {against}."
                for row in found["parts"]
                if row["rival"] == decisive["rival"] and row["part"] in PARTS
            ]
            return [*lines, _unseen(summary), f"The policy: {found['file']}"]
        case "train the tested" if decisive["part"] == "class":
            lines = [f"{_sentence(policy)} is ruled out: {decisive_change(summary)} {against}."]
        case "train the tested":
            lines = [f"{_sentence(policy)} is not worth it: {decisive_change(summary)} {against}."]
        case _:
            lines = [
                f"Whether {policy} is better is undecided: {decisive_change(summary)} {against}. "
                f"{_asked(decisive)}",
                _power(decisive),
                _unseen(summary),
                f"The policy: {found['file']}",
            ]
    explained = [f"“{_policy(summary)}”: {asked[0].lower()}{asked[1:]}"] if asked else []
    return [lines[0], *explained, *_remedy(decisive["rival"]), *lines[1:]]


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


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _policy(summary: Row) -> str:
    words, name = policy_words(summary["policies"]), summary["decision"]["policy"]
    return words[name].name if name in words else name
