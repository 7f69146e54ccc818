"""The tables of docs/results.md on the studies of this repository, from their committed summaries.

    python -m benchmarks.studies_table          # rewrites the blocks of the page
    python -m benchmarks.studies_table --check  # exit status 1 where the page says something else

figures/gallery/<study>/summary.json is what `make study` wrote at the study's end. Block "studies"
has one row per study: what the tested strength buys, who pays for it, and the decision. Block
"policies: <study>" has one row per policy: what it gains over the tested strength for all, and
whether its strengths mark their classes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from daclass.wording.contrast import contrast_of
from daclass.wording.numbers import bracket, percent, points
from daclass.wording.policies import policy_words

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "results.md"
GALLERY = ROOT / "figures" / "gallery"
STUDIES = ("tiny_imagenet", "petri", "cifar10h", "fashion_mnist", "mixup", "weight_decay", "demo")
"""In the order of the page; those without a summary of the present form are left out."""

Row = Mapping[str, Any]


def summary(study: str) -> Row | None:
    """A study's committed summary; None where there is none, or one of an earlier form."""
    file = GALLERY / study / "summary.json"
    if not file.is_file():
        return None
    content: Row = json.loads(file.read_text(encoding="utf-8"))
    return content if "gain_at_best_views" in content.get("decision", {}) else None


def studies() -> Iterator[str]:
    """The table with one row per study."""
    heads = (
        "Study", "Tested against", "Seeds, then fresh", "Gain on average", "at the best views",
        "Classes that lose", "only at the common view", "that gain", "Decision",
    )  # fmt: skip
    yield f"| {' | '.join(heads)} |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---|"
    for study in STUDIES:
        if content := summary(study):
            yield f"| {' | '.join(_study(study, content))} |"


def _study(study: str, content: Row) -> Sequence[str]:
    found, decision = content["findings"], content["decision"]
    contrast, classes = contrast_of(content), found["classes"]
    fresh = max((row["seeds"] for row in content["interventions"] or ()), default=0)
    best = decision["gain_at_best_views"]
    return (
        study,
        f"{contrast.tested} against {contrast.reference}",
        f"{classes['seeds']}, then {fresh}" if fresh else f"{classes['seeds']}",
        _change(decision["gain"]),
        _change(best) if best else "",
        f"{classes['lose']} of {content['classes']}",
        f"{classes['lose_by_view']}",
        f"{classes['gain']}",
        _verdict(content),
    )


def _verdict(content: Row) -> str:
    contrast, decision = contrast_of(content), content["decision"]
    words = policy_words(content["policies"])
    policy = words[decision["policy"]].name if decision["policy"] in words else ""
    return {
        "train the policy": f"train under “{policy}”",
        "train the tested": f"train {contrast.tested} for all",
        "undecided on the policy": f"train {contrast.tested} for all; “{policy}” undecided",
        "train the reference": f"train {contrast.reference} for all",
        "undecided on the strength": "keep what you have",
    }[decision["verdict"]]


def policies(study: str) -> Iterator[str]:
    """The table with one row per policy of a study."""
    content = summary(study)
    assert content is not None, study
    words = policy_words(content["policies"])
    marks = {row["policy"]: row for row in content["marks"] or ()}
    rows: dict[str, dict[str, Row]] = {}
    for row in content["interventions"]:
        if row["truth"] == "original":
            rows.setdefault(row["policy"], {})[row["group"]] = row
    yield (
        "| Policy | Classes followed up | These and their swallowers | All classes | Mark, points |"
    )
    yield "|---|---:|---:|---:|---:|"
    for policy, groups in rows.items():
        against = {
            group: row["against"].get("uniform_tested") or {} for group, row in groups.items()
        }
        if policy == "uniform_tested" or not against.get("all"):
            continue
        cells = [_gain(against.get(group)) for group in ("affected", "both", "all")]
        mark = marks.get(policy)
        told = ""
        if mark and mark["mark"] is not None:
            told = points(mark["mark"], 1, signed=True) + bracket(
                mark["mark_low"], mark["mark_high"]
            )
        yield f"| {words[policy].name} | {' | '.join(cells)} | {told} |"


def _gain(change: Row | None) -> str:
    if not change or change.get("value") is None:
        return ""
    return points(change["value"], 1, signed=True) + bracket(change["low"], change["high"])


def _change(gain: Row) -> str:
    return points(gain["difference"], 1, signed=True) + bracket(gain["low"], gain["high"])


def explained() -> Iterator[str]:
    """What annotations explain of the drops, for the studies that have some."""
    yield "| Study | Group | Drop, original label | Explained | By as many random labels |"
    yield "|---|---|---:|---:|---:|"
    for study in STUDIES:
        content = summary(study)
        found = content and content["findings"]["annotations"]
        if not found or "share" not in found or found["verdict"] == "withheld":
            continue
        drop, share, control = found["drop"], found["share"], found["control"]
        group = "all classes" if found["group"] == "all" else "chosen for follow-up"
        yield (
            f"| {study} | {group} | "
            f"{points(drop['value'], 1)}{bracket(drop['low'], drop['high'])} | "
            f"{_share(share)} | {_share(control)} |"
        )


def _share(share: Row) -> str:
    return percent(share["value"], 0) + bracket(share["low"], share["high"], 0)


def written(page: str) -> str:
    """The page with its blocks as the committed summaries have them."""

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        if name == "studies":
            lines = studies()
        elif name == "explained":
            lines = explained()
        elif name.startswith("policies: "):
            lines = policies(name.removeprefix("policies: "))
        else:  # benchmarks/study_numbers.py writes it
            return match[0]
        text = "\n".join(lines)
        return f"<!-- numbers: {name} -->\n{text}\n<!-- end of numbers -->"

    pattern = r"<!-- numbers: (?P<name>[^>]+) -->\n.*?<!-- end of numbers -->"
    return re.sub(pattern, block, page, flags=re.DOTALL)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    new = written(page)
    if options.check:
        return int(new != page)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
