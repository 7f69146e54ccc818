from __future__ import annotations

import csv

import pandas as pd

from daclass.plots.save import save_csv


def test_a_name_is_no_formula_to_a_spreadsheet(tmp_path):
    names = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\tcat", "cat", "a=b", "", "-"]
    numbers = [-1.5, 2.0, float("nan"), 1 / 3, 0.0, -0.25, 1.0, 1e-9, 3.0]
    table = pd.DataFrame({"name": names, "drop": numbers, "n": range(9), "label": "x"})
    save_csv(table.assign(kind=pd.Categorical(names)), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = [f"'{name}" if name[:1] in tuple("=+-@\t") and name else name for name in names]
    assert [row["name"] for row in rows] == [row["kind"] for row in rows] == expected
    assert [row["drop"] for row in rows][:4] == ["-1.5", "2", "", "0.333333"]
