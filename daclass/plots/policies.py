"""What readers call the policies of a study, in which order, and what each of them is.

A policy's name says which designer made it (`daclass.config.Interventions.planned`); a name that is
not of that form is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

STRONGEST, BEST, REFERENCE = "uniform_strongest", "uniform_best", "uniform_reference"
CONTROL = "random_classes"
FINE_TUNED = "fine_tuned_"


class Words(NamedTuple):
    """How a designer's policy is called, and what it is."""

    name: str
    design: str


_DESIGNERS = {
    STRONGEST: Words("strongest for all", "Every class at the strongest strength."),
    BEST: Words("best average for all", "Every class at the strength with the best average."),
    REFERENCE: Words("reference for all", "Every class at the study’s reference strength."),
    "uniform": Words("for all", "Every class at this strength."),
    "naive_removal": Words(
        "weakest for affected",
        "The affected classes at the weakest strength, all others at the strongest.",
    ),
    "fp_informed": Words(
        "weaker for swallowers",
        "The classes that gain most false positives, each at the strength with its fewest errors; "
        "all others at the strongest.",
    ),
    "fp_informed_original": Words(
        "weaker for swallowers, one label",
        "The same, with errors judged by the original labels alone.",
    ),
    "fp_informed_best": Words(
        "swallowers apart, best for rest",
        "The classes that would take fewest pictures of others at a strength of their own get it; "
        "all others the best average strength.",
    ),
    "graded": Words(
        "own optimum for each",
        "Every class at the strength that is best for it, as far as seeds agree that classes "
        "differ.",
    ),
    "reweighted": Words(
        "losses weighted for affected",
        "The strongest for all, with larger weights for the affected classes in the loss: what "
        "weights do without another augmentation.",
    ),
    CONTROL: Words(
        "random classes",
        "The control: the strengths of “weaker for swallowers”, given to classes drawn at random "
        "among those of like accuracy and size.",
    ),
}
_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]\d+)?"
_FORM = re.compile(
    rf"(?P<tuned>{FINE_TUNED})?(?P<designer>{'|'.join(sorted(_DESIGNERS, key=len, reverse=True))})"
    rf"(?:_m(?P<m>{_NUMBER}))?(?:_(?P<number>{_NUMBER}))?"
)


def policy_name(name: str) -> str:
    """What readers call a policy; its own name where that follows no known form."""
    found = _FORM.fullmatch(name)
    if not found or (found["designer"] == "uniform") != _is_strength(found):
        return name
    words = _DESIGNERS[found["designer"]].name
    if found["designer"] == "uniform":
        words = f"{found['number']} {words}"
    elif found["number"]:
        words += f", draw {found['number']}"
    if found["m"]:
        share = float(found["m"])
        words += f", {100 * share:g}% of classes" if share < 1 else f", m = {share:g}"
    return f"{words}, fine-tuned" if found["tuned"] else words


def policy_design(name: str) -> str:
    """One sentence on what a policy is."""
    found = _FORM.fullmatch(name)
    if not found:
        return "A policy of the study’s own."
    design = _DESIGNERS[found["designer"]].design
    if found["tuned"]:
        design += " Trained from the network of the strongest for all, not from scratch."
    return design


def ordered(names: Iterable[str]) -> list[str]:
    """Distinct names in the order that readers meet them: baselines, policies, control."""

    def place(name: str) -> tuple[bool, int, float, float]:
        found = _FORM.fullmatch(name)
        if not found:
            return (False, len(_DESIGNERS), 0, 0)
        rank = list(_DESIGNERS).index(found["designer"])
        return (bool(found["tuned"]), rank, float(found["m"] or 0), float(found["number"] or 0))

    return sorted(dict.fromkeys(names), key=place)


def without_draws(names: Iterable[str]) -> list[str]:
    """Less the single draws of a control that is there as their mean, in order."""
    there = ordered(names)
    return [name for name in there if not (is_draw(name) and pool_of(name) in there)]


def draws_of(names: Iterable[str], control: str) -> list[str]:
    """The single draws of a control, in order."""
    return [name for name in ordered(names) if is_draw(name) and pool_of(name) == control]


def is_draw(name: str) -> bool:
    found = _FORM.fullmatch(name)
    return bool(found and found["designer"] == CONTROL and found["number"])


def is_fine_tuned(name: str) -> bool:
    return name.startswith(FINE_TUNED)


def pool_of(name: str) -> str:
    """The control that a draw belongs to."""
    return name.rpartition("_")[0]


def _is_strength(found: re.Match[str]) -> bool:
    return bool(found["designer"] == "uniform" and found["number"])
