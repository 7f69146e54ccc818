"""A gate for continuous integration: rules that the drops of classes must keep."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from daclass.atomic import replacing
from daclass.errors import InputError

FAILED = 3
"""Exit status where a rule is broken; 2 says that the input was bad."""

_RULE = re.compile(
    r"(?:(?P<any>any class)|(?P<average>the average)|more than (?P<count>\d{1,6}) classes"
    r"|class (?P<name>.+?)) loses? more than (?P<points>\d{1,3}(?:\.\d+)?) points?"
    r"(?P<certain> for certain)?"
)
FORMS = (
    "any class loses more than 5 points for certain",
    "class cat loses more than 5 points",
    "more than 3 classes lose more than 5 points for certain",
    "the average loses more than 1 point for certain",
)
"""What rules look like; each may end in "for certain" or not."""


@dataclass(frozen=True)
class Rule:
    """A limit on what may be lost.

    Attributes:
        text: the rule as it was written.
        subject: "any class", "the average", a number of classes, or a class's name.
        points: the loss from which on it is broken, in points of accuracy.
        certain: whether only losses count whose whole interval (for new runs and new pictures) is
            beyond that and, for classes, whose q-value is at most the study's.
    """

    text: str
    subject: str | int
    points: float
    certain: bool
    of_classes: bool

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read a rule in one of `FORMS`.

        Raises:
            InputError: it has none of these forms.
        """
        found = _RULE.fullmatch(" ".join(text.split()))
        if found is None:
            forms = "; ".join(FORMS)
            raise InputError(f"--fail-if {text!r}: no such rule; rules look like: {forms}")
        subject: str | int = found["name"] or found["any"] or found["average"] or ""
        if found["count"]:
            subject = int(found["count"])
        return cls(
            text, subject, float(found["points"]), bool(found["certain"]), not found["average"]
        )


@dataclass(frozen=True)
class Verdict:
    """A rule, and what was found.

    Attributes:
        rule: the rule.
        broken: whether it is broken.
        rows: the classes that it speaks of, or the average: name, drop, low, high, q (shares; None
            where unknown), speaks_of ("runs", or "networks" where there is one run of each
            condition) and beyond, whether the drop is beyond the rule's limit.
    """

    rule: Rule
    broken: bool
    rows: tuple[dict[str, Any], ...]

    @property
    def reason(self) -> str:
        """One line: what is beyond the limit, the largest drop first."""
        beyond = [row for row in self.rows if row["beyond"]]
        worst = ", ".join(f"{row['name']} {100 * row['drop']:.1f}" for row in beyond[:5])
        more = f" and {len(beyond) - 5} more" if len(beyond) > 5 else ""
        if beyond and self.rule.certain and beyond[0]["speaks_of"] == "networks":
            more += "; of these two networks, not of other runs of their recipes"
        return f"{'broken' if self.broken else 'kept'}: {self.rule.text}" + (
            f" ({worst}{more})" if beyond else ""
        )


def judge(
    rules: Sequence[Rule], tables: Mapping[str, pd.DataFrame], q: float
) -> tuple[Verdict, ...]:
    """Apply rules to a study.

    Args:
        rules: the rules.
        tables: "effects", "explained" and "classes", the latter with the names that readers see.
        q: the study's false discovery rate.

    Raises:
        InputError: a rule names an unknown class, or asks for certainty where one run of each
            condition gives none.
    """
    classes = _classes(tables)
    average = _average(tables["explained"])
    return tuple(_judged(rule, classes, average, q) for rule in rules)


def _judged(rule: Rule, classes: pd.DataFrame, average: pd.DataFrame, q: float) -> Verdict:
    chosen = classes if rule.of_classes else average
    single = rule.of_classes and isinstance(rule.subject, str) and rule.subject != "any class"
    if single:
        chosen = classes[classes["name"] == rule.subject]
        if chosen.empty:
            raise InputError(f"--fail-if: there is no class {rule.subject!r}")
    if rule.certain and chosen["low"].isna().all():
        raise InputError(
            f"--fail-if {rule.text!r}: nothing is certain, since one run of each condition gives "
            "no interval; bring two or more, or leave out 'for certain'"
        )
    limit = rule.points / 100
    beyond = chosen["drop"] > limit
    if rule.certain:
        beyond &= chosen["low"] > limit
        if rule.of_classes:
            beyond &= chosen["q"] <= q
    chosen = chosen.assign(beyond=beyond).sort_values("drop", ascending=False, kind="stable")
    allowed = rule.subject if isinstance(rule.subject, int) else 0
    plain = chosen.astype(object).where(chosen.notna(), None).to_dict("records")
    rows = tuple({str(key): value for key, value in row.items()} for row in plain)
    return Verdict(rule, bool(beyond.sum() > allowed), rows)


def _classes(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Columns name, drop, low, high and q of the fixed contrast, classes with pictures alone."""
    effects = tables["effects"]
    rows = effects[
        (effects["half"] == "all")
        & (effects["truth"] == "original")
        & (effects["reference"] == "fixed")
        & effects["drop"].notna()
    ]
    names = tables["classes"].set_index("class_id")["name"]
    found = rows[["drop", "low", "high", "q", "speaks_of"]].reset_index(drop=True)
    return found.assign(name=names[rows["class_id"]].to_numpy())


def _average(explained: pd.DataFrame) -> pd.DataFrame:
    row = explained[(explained["group"] == "all") & (explained["reference"] == "fixed")]
    return pd.DataFrame(
        {
            "name": ["the average"],
            "drop": row["drop_original"].to_numpy(np.float64),
            "low": row["drop_original_low"].to_numpy(np.float64),
            "high": row["drop_original_high"].to_numpy(np.float64),
            "q": [np.nan],
            "speaks_of": ["runs"],
        }
    )


def write_json(verdicts: Sequence[Verdict], file: Path) -> None:
    """Write what was found as JSON: a list of {rule, broken, rows}."""
    content = [
        {"rule": verdict.rule.text, "broken": verdict.broken, "rows": list(verdict.rows)}
        for verdict in verdicts
    ]
    with replacing(file) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_junit(verdicts: Sequence[Verdict], file: Path) -> None:
    """Write what was found as JUnit's XML: a suite for each rule, a case for each class."""
    root = ET.Element("testsuites", name="daclass")
    for verdict in verdicts:
        # A rule that allows some classes fails as a whole or not at all.
        failed = [row for row in verdict.rows if row["beyond"] and verdict.broken]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=verdict.rule.text,
            tests=str(len(verdict.rows)),
            failures=str(len(failed)),
            errors="0",
        )
        for row in verdict.rows:
            case = ET.SubElement(suite, "testcase", classname="daclass", name=_legal(row["name"]))
            if row in failed:
                interval = (
                    ""
                    if row["low"] is None
                    else f" [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"
                )
                text = f"loses {100 * row['drop']:.1f} points{interval}"
                ET.SubElement(case, "failure", message=text).text = text
    with replacing(file) as partial:
        ET.ElementTree(root).write(partial, encoding="utf-8", xml_declaration=True)


def _legal(name: object) -> str:
    """A name without the characters that XML 1.0 forbids."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", str(name))
