"""Each verdict, and that nothing but the estimation half decides it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.planted import planted
from daclass.tables import SCHEMAS


def found(low: float, high: float) -> pd.DataFrame:
    """Effects of class 0: the given interval where it counts, another one everywhere else."""
    rows = []
    for truth in ("original", "multi"):
        for half in ("select", "estimate", "all"):
            for reference in ("fixed", "best"):
                counts = (truth, half, reference) == ("original", "estimate", "fixed")
                rows.append(
                    {
                        "class_id": 0,
                        "truth": truth,
                        "half": half,
                        "reference": reference,
                        "drop": 0.1 if counts else 0.7,
                        "low": low if counts else -0.9,
                        "high": high if counts else 0.9,
                        "q": 0.5,
                        "affected": True,
                    }
                )
    return pd.DataFrame(rows)


def truth(expectation: str) -> pd.DataFrame:
    row = {"class_id": 0, "partner_id": 1, "kind": "ambiguous", "expectation": expectation}
    return pd.DataFrame([{**row, "note": ""}])


def pairs(*rows: tuple[int, int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["class_id", "swallower_id", "category"])


def grown(low: float, class_id: int = 1, predicted_id: int = 0) -> pd.DataFrame:
    """The confusion class -> predicted on the estimation half, and a louder one elsewhere."""
    row = {"class_id": class_id, "predicted_id": predicted_id}
    return pd.DataFrame(
        [{**row, "half": "estimate", "low": low}, {**row, "half": "select", "low": 0.9}]
    )


NAN = float("nan")


@pytest.mark.parametrize(
    ("expectation", "low", "high", "verdict"),
    [
        ("hurt", 0.02, 0.2, "found"),
        ("hurt", 0.0, 0.2, "missed"),
        ("hurt", -0.3, -0.1, "missed"),
        ("hurt", NAN, NAN, "missed"),
        ("helped", -0.3, -0.1, "found"),
        ("helped", -0.3, 0.1, "missed"),
        ("helped", 0.1, 0.3, "false alarm"),
        ("unchanged", 0.1, 0.3, "false alarm"),
        ("unchanged", -0.1, 0.3, "quiet"),
        ("unchanged", -0.3, -0.1, "false alarm"),
        ("unchanged", NAN, NAN, "quiet"),
        ("swallows", 0.1, 0.3, "missed"),
    ],
)
def test_verdicts(expectation: str, low: float, high: float, verdict: str) -> None:
    table = planted(truth(expectation), found(low, high), grown(0.0), pairs((0, 5, "unrelated")))
    assert set(table) == set(SCHEMAS["planted"])
    row = table.iloc[0]
    assert row["verdict"] == verdict
    assert (row["drop"], row["drop_multi"]) == (0.1, 0.7)
    assert (row["swallower_id"], row["category"]) == (5, "unrelated")
    assert row["affected"]


@pytest.mark.parametrize(
    ("confusion", "verdict"),
    [
        (grown(0.01), "found"),
        (grown(0.0), "missed"),
        (grown(NAN), "missed"),
        (grown(0.01, class_id=0, predicted_id=1), "missed"),  # the other way round
        (grown(0.01, class_id=7), "missed"),  # another class's pictures
    ],
)
def test_a_swallower_is_found_where_its_partners_pictures_go(confusion, verdict) -> None:
    table = planted(truth("swallows"), found(-0.1, 0.1), confusion, pairs())
    row = table.iloc[0]
    assert row["verdict"] == verdict
    assert (row["swallower_id"], row["category"]) == (-1, "")


def test_real_data_has_nothing_planted() -> None:
    nothing = truth("hurt").iloc[:0]
    table = planted(nothing, found(-0.1, 0.1), grown(0.1), pairs())
    assert list(table) == list(SCHEMAS["planted"])
    assert table.empty


def test_one_class_may_have_two_relations() -> None:
    both = pd.concat([truth("hurt"), truth("swallows")])
    table = planted(both, found(0.1, 0.2), grown(0.0), pairs((0, 5, "unrelated")))
    assert list(table["verdict"]) == ["found", "missed"]
    assert np.all(table["drop"] == 0.1)
