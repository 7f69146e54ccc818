"""What readers call the policies of a study, and what each of them is.

What a policy is stands in the columns of table "policies"; its name is never taken apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from daclass.designer import DESIGNERS
from daclass.wording.numbers import counted

Row = Mapping[str, Any]


class Words(NamedTuple):
    """How a policy is called, and in a sentence what it is."""

    name: str
    design: str


_ROLES = ("baseline", "policy", "control")
UNIFORM = "uniform"
"""Designer of the sweep's own policies."""
REMEDIES = {
    "view": Words(
        "tested for all, at its best view",
        "Needs no training: the networks of the tested strength, judged at the central square that "
        "they did best at in the sweep, on the selection half.",
    ),
    "logit_shift": Words(
        "tested for all, logits shifted",
        "Needs no training: the networks of the tested strength, with a shift of each class's "
        "logit that was fitted to the selection half.",
    ),
}
"""What stands among policies though it trains nothing (`daclass.analysis.remedies`)."""


def policy_words(policies: Iterable[Row]) -> dict[str, Words]:
    """Name of each policy, and of each pooled control -> its words.

    A number of classes is said where a designer was asked for several, a strength where all classes
    have it, a draw where lots were drawn.

    Args:
        policies: rows of table "policies".
    """
    rows = list(policies)
    asked: dict[str, set[int]] = {}
    for row in rows:
        asked.setdefault(row["designer"], set()).add(row["m"])
    words = dict(REMEDIES)
    for row in rows:
        several = len(asked[row["designer"]]) > 1
        words[row["policy"]] = _words(row, several)
        if row["control"]:
            words[row["control"]] = _words({**row, "policy": row["control"], "draw": 0}, several)
    return words


def _words(row: Row, several: bool) -> Words:
    designer = "uniform_each" if row["designer"] == UNIFORM else row["designer"]
    known = DESIGNERS.get(designer)
    if known is None:
        name, design = row["policy"], "A policy of a designer that is not installed here."
    else:
        name, design = known.title, known.summary
        if row["strength"] is not None and not math.isnan(row["strength"]):
            strength = f"{row['strength']:g}"
            name = f"{strength} {name}" if known.each_strength else f"{name}, {strength}"
        if row["draw"]:
            name += f", draw {row['draw']}"
        if several:
            name += f", {counted(row['m'], 'class', 'classes')}"
        if row["parent"]:
            name += ", fine-tuned"
    if row["parent"]:
        design += " Trained from the network of another policy, not from scratch."
    return Words(name, design)


def designer_rank(designer: str) -> tuple[int, str]:
    """A designer's place in the order that readers meet them: baselines, strengths for all,
    remedies without training, policies, controls; those that are not installed come last."""
    if designer in REMEDIES:
        return (2, designer)
    known = DESIGNERS.get(designer)
    if known is None:
        return (1 if designer == UNIFORM else 9, designer)
    rank = 2 * _ROLES.index(known.role) + 2 - known.each_strength
    return (0 if known.role == "baseline" else rank, designer)
