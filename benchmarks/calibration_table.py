"""Write the table of docs/statistics.md from benchmarks/results/calibration.csv.

python -m benchmarks.calibration_table
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.calibration import RESULTS

PAGE = Path("docs/statistics.md")
BEGIN, END = "<!-- calibration: begin -->\n", "<!-- calibration: end -->\n"
COVERAGE, FALSE = "coverage of classes", "studies that report a class (BH)"
SHOWN = {
    COVERAGE: "coverage",
    "width of classes, points": "mean width, points",
    FALSE: "false studies, BH",
    "studies that report a class (max-T)": "false studies, max-T",
    "studies that report growing false positives": "false studies, false positives",
    "studies that report a class below its own best": "false studies, own best",
    "coverage of the macro average": "coverage, average",
    "power": "power at 16 points",
}
MOST_FALSE = 0.05


def is_missed(question: str, value: float, runs: int, n: int) -> bool:
    """Whether a cell misses its goal, for sure where the goal is a rate of false studies."""
    if question in (COVERAGE, "coverage of the macro average"):
        return value < (0.93 if runs > 2 else 0.92)
    if question.startswith("studies that report"):
        found = round(value * n)
        return bool(found and stats.beta.ppf(0.01, found, n - found + 1) > MOST_FALSE)
    return False


def table(results: pd.DataFrame) -> str:
    lines = [
        f"| shocks, classes x pictures, runs | studies | {' | '.join(SHOWN.values())} |",
        f"|---|---|{'---|' * len(SHOWN)}",
    ]
    for cell, own in results.groupby("cell", sort=False):
        runs = min(int(word) for word in str(cell).rsplit(", ", 1)[1].split(" and "))
        rows = own.set_index("question")
        texts = []
        for question in SHOWN:
            if question not in rows.index:
                texts.append("")
                continue
            value, n = float(rows["value"][question]), int(rows["n"][question])
            text = "" if np.isnan(value) else f"{value:.1f}" if value > 1 else f"{value:.3f}"
            texts.append(f"**{text}**" if is_missed(question, value, runs, n) else text)
        lines.append(f"| {cell} | {int(rows['n'].max())} | {' | '.join(texts)} |")
    return "\n".join(lines) + "\n"


def own_best(results: pd.DataFrame) -> str:
    """The bound on the drop from a class's own best of four conditions, where the other three are
    equal: coverage and mean bound by true drop."""
    asked = results[results["question"].str.contains("own best at ")]
    lines = ["| cell | true drop, points | coverage | mean bound, points |", "|---|---|---|---|"]
    for cell, own in asked.groupby("cell", sort=False):
        rows = own.set_index("question")["value"]
        for drop in (5, 10, 20):
            held = rows[f"coverage of the bound on the own best at {drop} points"]
            bound = rows[f"mean bound on the own best at {drop} points"]
            text = f"**{held:.3f}**" if held < 0.95 else f"{held:.3f}"
            lines.append(f"| {cell} | {drop} | {text} | {bound:.1f} |")
    return "\n".join(lines) + "\n" if len(asked) else ""


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    results = pd.read_csv(RESULTS)
    made = f"{table(results)}\n{own_best(results)}"
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
