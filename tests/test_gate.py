"""The gate for continuous integration: rules, exit status, JSON and JUnit."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from daclass import gate
from daclass.cli import main
from daclass.errors import InputError

CLASSES = pd.DataFrame({"class_id": range(3), "name": ["cat", "dog", "big eel"]})
EFFECTS = pd.DataFrame(
    {
        "class_id": range(3),
        "half": "all",
        "truth": "original",
        "reference": "fixed",
        "drop": [0.10, 0.07, -0.02],
        "low": [0.06, 0.02, -0.05],
        "high": [0.14, 0.12, 0.01],
        "q": [0.01, 0.01, 0.5],
        "speaks_of": "runs",
    }
)
EXPLAINED = pd.DataFrame(
    {
        "group": ["all"],
        "reference": ["fixed"],
        "drop_original": [0.05],
        "drop_original_low": [0.01],
        "drop_original_high": [0.09],
    }
)
TABLES = {"classes": CLASSES, "effects": EFFECTS, "explained": EXPLAINED}


def judged(text: str, tables=TABLES, q: float = 0.05) -> gate.Verdict:
    return gate.judge([gate.Rule.parse(text)], tables, q)[0]


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("any class loses more than 5 points", True),
        ("any class loses more than 5 points for certain", True),
        ("any class loses more than 6 points for certain", False),
        ("any class loses more than 10 points", False),
        ("class cat loses more than 5 points for certain", True),
        ("class dog loses more than 5 points for certain", False),
        ("class big eel loses more than 0 points", False),
        ("more than 1 classes lose more than 5 points", True),
        ("more than 2 classes lose more than 5 points", False),
        ("more than 1 classes lose more than 5 points for certain", False),
        ("the average loses more than 4.5 points", True),
        ("the average loses more than 1 point for certain", False),
        ("the average loses more than 0.5 points for certain", True),
    ],
)
def test_rules(rule: str, broken: bool) -> None:
    assert judged(rule).broken == broken


def test_certainty_needs_the_false_discovery_rate_too() -> None:
    assert not judged("any class loses more than 5 points for certain", q=0.001).broken


@pytest.mark.parametrize("text", ["", "any class", "any class loses more than points", "cat < 5"])
def test_what_is_no_rule_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(InputError, match="rules look like: any class loses more than 5 points"):
        gate.Rule.parse(text)
    for form in gate.FORMS:
        gate.Rule.parse(form)


def test_unknown_classes_and_missing_intervals_are_refused() -> None:
    with pytest.raises(InputError, match="there is no class 'cow'"):
        judged("class cow loses more than 1 point")
    single = {**TABLES, "effects": EFFECTS.assign(low=np.nan, high=np.nan, q=np.nan)}
    assert judged("any class loses more than 5 points", single).broken
    with pytest.raises(InputError, match="one run of each condition gives no interval"):
        judged("any class loses more than 5 points for certain", single)


def test_what_is_certain_of_two_networks_says_so() -> None:
    networks = {**TABLES, "effects": EFFECTS.assign(speaks_of="networks")}
    said = judged("any class loses more than 5 points for certain", networks)
    assert said.broken and "of these two networks, not of other runs" in said.reason
    assert "networks" not in judged("any class loses more than 5 points", networks).reason


def test_json_and_junit(tmp_path: Path) -> None:
    verdicts = [judged("any class loses more than 5 points for certain")]
    gate.write_json(verdicts, tmp_path / "o.json")
    (found,) = json.loads((tmp_path / "o.json").read_text())
    assert found["broken"] and [row["name"] for row in found["rows"] if row["beyond"]] == ["cat"]
    gate.write_junit(verdicts, tmp_path / "o.xml")
    suite = ET.parse(tmp_path / "o.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    (failure,) = suite.iter("failure")
    assert failure.get("message") == "loses 10.0 points [6.0, 14.0]"


def test_the_command_takes_files_and_ends_with_a_status_of_its_own(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    rng, truth = np.random.default_rng(0), np.repeat(range(4), 30)
    for name, hurt in (("new", 0.6), ("old", 0.0)):
        right = rng.random(120) < 0.9 - hurt * (truth == 0)
        index = np.where(right, truth, (truth + 1) % 4)
        names = [f"{n:03d}.jpg" for n in range(120)]
        pd.DataFrame({"filename": names, "index": index, "target": truth}).to_csv(
            f"{name}.csv", index=False
        )
    command = ["analyze", "new.csv", "old.csv", "--image", "filename", "--prediction", "index"]
    command += ["--label", "target", "--name", "ci"]
    rule = "any class loses more than 20 points"
    assert main([*command, "--fail-if", rule, "--junit", "o.xml", "--json", "o.json"]) == 3
    assert "broken: any class loses more than 20 points (0 " in capsys.readouterr().out
    assert Path("figures/ci/report.html").is_file()
    assert Path("o.xml").is_file() and Path("o.json").is_file()
    assert main([*command, "--fail-if", rule, "--junit", "/proc/x.xml"]) == 2
    assert capsys.readouterr().err.endswith("daclass: /proc/x.xml: Permission denied\n")
    # What was run is a config, and can be run again.
    assert main(["check", "results/ci/study.yaml"]) == 0
    assert main([*command, "--fail-if", "no rule"]) == 2
    assert main(["analyze", "new.csv", "old.csv", "--image", "file", "--prediction", "index"]) == 2
    assert "lacks the column file, which is to hold image" in capsys.readouterr().err
    assert main([*command[:2], *command[3:]]) == 2
    assert "holds one condition alone" in capsys.readouterr().err
