"""What readers call the policies of a study, in which order, and what each of them is.

A policy's name says which designer made it (`daclass.config.Interventions.planned`); a name that is
not of that form is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from daclass.designer import DESIGNERS

STRONGEST, BEST, REFERENCE = "uniform_tested", "uniform_best", "uniform_reference"
CONTROL = "random_classes"
FINE_TUNED = "fine_tuned_"


_ROLES = ("baseline", "policy", "control")
_RANK = {
    # In the order that readers meet them; uniform_each is named by its strength.
    "uniform" if each.each_strength else each.name: each
    for each in sorted(
        DESIGNERS.values(),
        key=lambda each: (
            _ROLES.index(each.role),
            not each.each_strength,
            each.name != STRONGEST,
            each.name,
        ),
    )
}
_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]\d+)?"
_NAMES = "|".join(sorted(map(re.escape, _RANK), key=len, reverse=True))
_FORM = re.compile(
    rf"(?P<tuned>{FINE_TUNED})?(?P<designer>{_NAMES})"
    rf"(?:_m(?P<m>{_NUMBER}))?(?:_(?P<number>{_NUMBER}))?"
)


def policy_name(name: str) -> str:
    """What readers call a policy; its own name where that follows no known form."""
    found = _FORM.fullmatch(name)
    if not found or (found["designer"] == "uniform") != _is_strength(found):
        return name
    words = _RANK[found["designer"]].title
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
    design = _RANK[found["designer"]].summary
    if found["tuned"]:
        design += " Trained from the network of the strongest for all, not from scratch."
    return design


def ordered(names: Iterable[str]) -> list[str]:
    """Distinct names in the order that readers meet them: baselines, policies, control."""

    def place(name: str) -> tuple[bool, int, float, float]:
        found = _FORM.fullmatch(name)
        if not found:
            return (False, len(_RANK), 0, 0)
        rank = list(_RANK).index(found["designer"])
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
