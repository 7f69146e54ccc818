"""The short answers to a study's questions, from the values and codes of `summary.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from daclass.wording.contrast import contrast_of
from daclass.wording.decision import decisive_change, decisive_rival
from daclass.wording.numbers import bracket, counted, number, percent, points
from daclass.wording.policies import policy_words
from daclass.wording.runs import runs_of
from daclass.wording.verdicts import (
    CANNOT_TELL,
    FOLLOWED_UP,
    FOUND_TO_LOSE,
    TWO_NETWORKS,
    UNDECIDED,
)
from daclass.wording.views import paying_by_view

Row = Mapping[str, Any]

_OF_POLICY = {
    "train the policy": "use it",
    "train the tested": "not worth it",
    "train the reference": "not asked",
    "undecided on the strength": "not asked",
}
"""What a decision's verdict says of the policy that was the question."""


_OTHER_HALF = "the half of the pictures that did not choose it"


class Answer(NamedTuple):
    """A question's short answer.

    Attributes:
        question: its key: the section of the report that it belongs to.
        title: the question in a few words.
        value: the number or verdict.
        unit: what follows the value in smaller letters; may be empty.
        text: the rest of the sentence, with interval or verdict.
    """

    question: str
    title: str
    value: str
    unit: str
    text: str

    def line(self) -> str:
        """The whole answer as one line of plain text."""
        verdict = self.value in (CANNOT_TELL, UNDECIDED, *_OF_POLICY.values())
        end = "." if verdict else ""
        return " ".join(f"{self.title}: {self.value}{end} {self.unit} {self.text}".split())


def short_answers(summary: Row) -> list[Answer]:
    """One answer per question, in the order of the report."""
    return [
        _average(summary),
        _classes(summary),
        _annotations(summary),
        _swallowers(summary),
        _fixes(summary),
        _certainty(summary),
    ]


def best_on_average(summary: Row) -> str:
    """Which condition does best on average, in one sentence: chosen on one half of the pictures and
    measured on the other, which is said: the average's change is that of all pictures."""
    contrast, best = contrast_of(summary), summary["best_average"]
    strength = best["strength"]
    named = contrast.named(best["condition"] if strength is None else f"{strength:g}")
    if best["low"] is None:
        return _best_of_single_networks(summary, named)
    measured = f"{percent(best['accuracy'])}{bracket(best['low'], best['high'])} correct"
    if best["condition"] == summary["tested"]:
        return f"The tested one, {named}, does best on average ({measured} in {_OTHER_HALF})."
    tested = best["tested"]
    against = f"{percent(tested['accuracy'])}{bracket(tested['low'], tested['high'])}"
    return (
        f"{named} does best on average ({measured} in {_OTHER_HALF}, against {against} "
        f"{contrast.under_tested} there)."
    )


def _best_of_single_networks(summary: Row, named: str) -> str:
    """The same where one network of each condition leaves its place to chance."""
    contrast, best = contrast_of(summary), summary["best_average"]
    tested, against = best["condition"] == summary["tested"], percent(best["tested"]["accuracy"])
    which = f"the tested one, {named}, does" if tested else f"{named} does"
    rest = "" if tested else f", against {against} {contrast.under_tested}"
    return (
        f"On one half of the pictures {which} best on average; on the other it gets "
        f"{percent(best['accuracy'])} right{rest} (one {_one(summary)}, no interval)."
    )


def _average(summary: Row) -> Answer:
    found, contrast = summary["findings"]["average"], contrast_of(summary)
    change = found["change"]
    if change["value"] is None:
        return Answer("average", "On average", CANNOT_TELL, "", "The change is not known.")
    sign = points(change["value"], 1, signed=True) + bracket(change["low"], change["high"])
    view = summary["findings"]["view"]
    shown = f", both shown at view {view['common']:g}" if view else ""
    best = summary["decision"].get("gain_at_best_views")
    if best:
        gain = points(best["difference"], 1, signed=True) + bracket(best["low"], best["high"])
        shown += f"; {gain} with each at its best view"
    ending = f"{contrast.change}{shown}. {best_on_average(summary)}"
    if found["verdict"] in ("undecided", "untested"):
        why = "" if found["verdict"] == "undecided" else f"; one {_one(summary)} gives no interval"
        return Answer(
            "average", "On average", UNDECIDED, "", f"{sign} points {contrast.change}{why}. "
            f"{best_on_average(summary)}",
        )  # fmt: skip
    interval = bracket(change["low"], change["high"]).strip()
    return Answer(
        "average", "On average", points(change["value"], 1, signed=True), "points",
        f"{interval} of accuracy {ending}",
    )  # fmt: skip


def _classes(summary: Row) -> Answer:
    found, contrast = summary["findings"]["classes"], contrast_of(summary)
    title = "Classes that lose"
    if found["verdict"] == "untested":
        text = f"One {_one(summary)} per {contrast.noun} allows no test; two are the minimum."
        return Answer("classes", title, CANNOT_TELL, "", text)
    if found["verdict"] == "powerless":
        text = (
            "Not even the loss of all accuracy would be found in a middling class: it takes more "
            f"{summary['replicates']} or more pictures per class."
        )
        return Answer("classes", title, CANNOT_TELL, "", text)
    rate = f"at a false discovery rate of {percent(summary['q'], 0)}"
    view = _by_view(summary)
    gain = f"{found['gain']:,} {'gains' if found['gain'] == 1 else 'gain'}"
    if found["verdict"] == "none found":
        return Answer(
            "classes", title, "none", f"of {summary['classes']:,}",
            f"classes is {FOUND_TO_LOSE} accuracy {contrast.change}, and {gain}, {rate}."
            f"{view}{_power(found['detectable'])}{_of_networks(found)}",
        )  # fmt: skip
    verb = "is" if found["lose"] == 1 else "are"
    return Answer(
        "classes", title, f"{found['lose']:,}", f"of {summary['classes']:,}",
        f"{verb} {FOUND_TO_LOSE} accuracy {contrast.change}, and {gain}, {rate}."
        f"{view}{_of_networks(found)}",
    )  # fmt: skip


def _by_view(summary: Row) -> str:
    """The classes whose loss is the view's."""
    found, view = summary["findings"]["classes"], summary["findings"]["view"]
    text = view and paying_by_view(found["lose"], found["lose_by_view"], view["common"])
    return f" {text}" if text else ""


def _of_networks(found: Row) -> str:
    """What a test of two single networks says nothing of."""
    return f" {TWO_NETWORKS}" if found["speaks_of"] == "networks" else ""


def _power(detectable: float | None) -> str:
    if detectable is None:
        return ""
    return (
        f" A drop of {points(detectable)} points in a middling class would be found four times in "
        "five; smaller ones are often missed."
    )


def _annotations(summary: Row) -> Answer:
    found = summary["findings"]["annotations"]
    title = "Explained by annotations"
    match found["verdict"]:
        case "no annotations":
            text = "There are no annotations beyond the original label."
            return Answer("annotations", title, CANNOT_TELL, "", text)
        case "unknown":
            return Answer("annotations", title, CANNOT_TELL, "", "No picture has labels to ask.")
    who = "all classes" if found["group"] == "all" else f"the classes {FOLLOWED_UP}"
    drop = found["drop"]
    loss = f"{points(drop['value'], 1)} points{bracket(drop['low'], drop['high'])}"
    if found["verdict"] == "withheld":
        why = f"The mean drop of {who} could be zero ({loss}), and there is no share of nothing."
        if drop["low"] is None:
            why = f"The mean drop of {who}, {loss}, has no interval: there is one {_one(summary)} "
            why += f"per {contrast_of(summary).noun}. It could be zero, and have no share."
        return Answer("annotations", title, CANNOT_TELL, "", why)
    share, control = found["share"], found["control"]
    interval = bracket(share["low"], share["high"], 0).strip()
    random = f"{percent(control['value'], 0)}{bracket(control['low'], control['high'], 0)}"
    ending = (
        f"{interval} of what {who} lose on average, {loss}. As many labels added at random explain "
        f"{random}."
    )
    value = percent(share["value"], 0)
    if found["direction"] != "up":
        return Answer("annotations", title, UNDECIDED, "", f"{value} {ending}")
    return Answer("annotations", title, value, "", ending)


def _swallowers(summary: Row) -> Answer:
    found = summary["findings"]["swallowers"]
    title, of = "Swallowed by another class", found["followed_up"]
    if not of:
        text = f"No class was {FOLLOWED_UP} under the study’s rule."
        return Answer("swallowers", title, CANNOT_TELL, "", text)
    if found["verdict"] == "untested":
        text = f"One {_one(summary)} per {contrast_of(summary).noun} gives no interval."
        return Answer("swallowers", title, CANNOT_TELL, "", text)
    if found["verdict"] == "none found":
        text = (
            f"classes {FOLLOWED_UP} is found to lose more pictures to one other class, measured on "
            "pictures that did not choose it."
        )
        return Answer("swallowers", title, "none", f"of {of:,}", text)
    kinds = ", ".join(f"{n} {kind}" for kind, n in found["kinds"].items() if n)
    noun = "class" if of == 1 else "classes"
    verb = "loses" if found["growing"] == 1 else "lose"
    return Answer(
        "swallowers", title, f"{found['growing']:,}", f"of {of:,}",
        f"{noun} {FOLLOWED_UP} {verb} more pictures than before to one other class, beyond the "
        f"interval. By kind of pair: {kinds}.",
    )  # fmt: skip


def _fixes(summary: Row) -> Answer:
    found, title = summary["findings"]["fixes"], "Policy by class"
    if found["verdict"] == "not trained":
        text = "This study trained no class-conditional policies."
        return Answer("fixes", title, CANNOT_TELL, "", text)
    if found["verdict"] == "not judged":
        text = f"No class-conditional policy could be judged on classes {FOLLOWED_UP}."
        return Answer("fixes", title, CANNOT_TELL, "", text)
    who = "all classes" if found["group"] == "all" else f"the classes {FOLLOWED_UP}"
    change, whole = found["change"], found["change_all"]
    words = policy_words(summary["policies"])
    policy, rival = (
        words[found[key]].name if found[key] in words else found[key] for key in ("policy", "rival")
    )
    ending = f"for {who} under “{policy}”, against “{rival}”"
    if found["group"] != "all":
        ending += f"; {_signed(whole)} on average of all"
    decided = summary.get("decision") or {}
    if decided.get("parts") and decided["policy"] == found["policy"]:  # not a second judgement
        value = _OF_POLICY.get(decided["verdict"], UNDECIDED)
        decisive = decisive_change(summary)
        text = f"{decisive[0].upper()}{decisive[1:]} under “{policy}”, against “"
        return Answer("fixes", title, value, "", f"{text}{decisive_rival(summary)}”.")
    if found["verdict"] in ("undecided", "untested"):
        return Answer("fixes", title, UNDECIDED, "", f"{_signed(change)} points {ending}.")
    judged = "It helps them." if found["verdict"] == "up" else "One strength for all is better."
    interval = bracket(change["low"], change["high"]).strip()
    return Answer(
        "fixes", title, points(change["value"], 1, signed=True), "points",
        f"{interval} {ending}. {judged}",
    )  # fmt: skip


def _certainty(summary: Row) -> Answer:
    findings, contrast = summary["findings"], contrast_of(summary)
    planted, classes = findings["planted"], findings["classes"]
    title, amount = "How sure", _runs(summary)
    if planted:
        alarms = counted(planted["alarms"], "false alarm")
        return Answer(
            "certainty", title, f"{planted['found']}", f"of {planted['relations']}",
            f"relations that were planted in the pictures are found, with {alarms} ({amount}).",
        )  # fmt: skip
    if classes["detectable"] is not None:
        return Answer(
            "certainty", title, points(classes["detectable"]), "points",
            f"is the drop of a middling class that {amount} find four times in five.",
        )  # fmt: skip
    seeds = classes["seeds"]
    alone = f"per {contrast.noun}: nothing tells how much a result would vary with another"
    return Answer(
        "certainty", title, number(seeds), amount.partition(" ")[2],
        f"{alone}." if seeds == 1 else "." if "against" in amount else f"per {contrast.noun}.",
    )  # fmt: skip


def _runs(summary: Row) -> str:
    """The runs behind the contrast of the tested condition with the reference."""
    of_condition = {row["policy"]: row["seeds"] for row in summary["accuracy"]}
    tested, reference = (of_condition[summary[role]] for role in ("tested", "reference"))
    return runs_of(tested, reference, summary["replicates"])


def _signed(change: Row) -> str:
    return points(change["value"], 1, signed=True) + bracket(change["low"], change["high"])


def _one(summary: Row) -> str:
    name: str = summary["replicates"]
    return name.removesuffix("s")
