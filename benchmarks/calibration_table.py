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
    "coverage of the macro average": "coverage, average",
    "power": "power at 16 points",
}
MOST_FALSE = 0.05


def is_missed(question: str, value: float, runs: int, n: int) -> bool:
    """Whether a cell misses its goal, for sure where the goal is a rate of false studies."""
    if question in (COVERAGE, "coverage of the macro average"):
        return value < (0.93 if runs > 2 else 0.92)
    if question in (FALSE, "studies that report a class (max-T)"):
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
            value, n = float(rows.loc[question, "value"]), int(rows.loc[question, "n"])
            text = "" if np.isnan(value) else f"{value:.1f}" if value > 1 else f"{value:.3f}"
            texts.append(f"**{text}**" if is_missed(question, value, runs, n) else text)
        lines.append(f"| {cell} | {int(rows['n'].max())} | {' | '.join(texts)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    made = table(pd.read_csv(RESULTS))
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
