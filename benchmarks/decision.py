"""How often is the decision on a policy wrong, and how often is it made? Simulated studies.

    python -m benchmarks.decision --studies 400
    python -m benchmarks.decision --table

A policy does harm where it truly wins nothing for the classes followed up, nothing for these and
their swallowers together, or costs all classes the tolerated loss. Each of these boundaries is
simulated with the other parts favourable; beside them are effects that a policy might have. Runs
and pictures vary as in `benchmarks/worlds.py`. What is done is kept in
benchmarks/results/decision.csv, one row per (world, fresh seeds); rows that are there are not done
again.
"""

from __future__ import annotations

import argparse
import csv
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import optimize

from benchmarks.worlds import World
from daclass.analysis.decision import Margins, Verdict, decision, verdict
from daclass.tables import SCHEMAS

RESULTS = Path("benchmarks/results/decision.csv")
COLUMNS = ("world", "seeds", "used", "kept", "undecided", "studies")
CLASSES, PICTURES, CHOSEN = 60, 150, 6  # half of the pictures are of the estimation half
SEEDS = (3, 5, 10)
MARGINS = Margins(loss=0.01, gain=0.02)
WORLDS = {
    # Differences of accuracy: classes followed up, swallowers, all others.
    "harm: nothing won": (0.0, 0.05, 0.01),
    "harm: swallowers lose what victims win": (0.05, -0.05, 0.01),
    "harm: all lose the margin": (
        0.05,
        0.02,
        -(0.01 * CLASSES + 0.07 * CHOSEN) / (CLASSES - 2 * CHOSEN),
    ),
    "nothing changes": (0.0, 0.0, 0.0),
    "victims win 4 points": (0.04, 0.0, 0.0),
    "victims win 8 points": (0.08, 0.0, 0.0),
    "victims win 8, swallowers lose 2": (0.08, -0.02, 0.0),
}


def world(seeds: int) -> World:
    return World(CLASSES, (PICTURES, PICTURES), (seeds, seeds), common=0.15, own=0.15)


def shifts(of: World, differences: tuple[float, float, float]) -> np.ndarray:
    """Changes of log-odds that change each class's accuracy by its difference, [C].

    The members of each group are spread evenly over easy and hard classes.
    """
    wanted = np.full(of.classes, differences[2])
    step = of.classes // CHOSEN
    wanted[step // 3 :: step][:CHOSEN] = differences[0]
    wanted[2 * step // 3 :: step][:CHOSEN] = differences[1]
    start = of.accuracy()
    found = []
    for k, change in enumerate(wanted):
        goal = float(np.clip(start[k] + change, 0.01, 0.99))
        found.append(optimize.brentq(lambda x, k=k, g=goal: of.accuracy(x)[k] - g, -30.0, 30.0))
    return np.array(found)


def members(classes: int) -> tuple[list[int], list[int]]:
    step = classes // CHOSEN
    every = np.arange(classes)
    return (
        every[step // 3 :: step][:CHOSEN].tolist(),
        every[2 * step // 3 :: step][:CHOSEN].tolist(),
    )


def study(of: World, shift: np.ndarray, rng: np.random.Generator) -> Verdict:
    """One study's decision, the tested strength's gain being certain."""
    drawn = of.draw(rng, np.stack([np.zeros(of.classes), shift]))
    followed_up, swallowers = members(of.classes)
    cells, conditions = drawn.cells(of.classes)
    found = decision(
        _gain(),
        cells,
        policy=conditions.names[1],
        rivals=[conditions.names[0]],
        followed_up=followed_up,
        swallowers=swallowers,
        margins=MARGINS,
    )
    return verdict(found)


def _gain() -> pd.DataFrame:
    table = pd.DataFrame({"policy": ["strong", "weak"]}).reindex(columns=list(SCHEMAS["tested"]))
    return table.assign(tested=[True, False], reference=[False, True], gain=0.04, low=0.02,
                        high=0.06, p=0.001, seeds=5, images=100)  # fmt: skip


def simulate(studies: int) -> None:
    done = set()
    if RESULTS.is_file():
        with RESULTS.open(newline="") as file:
            done = {(row["world"], int(row["seeds"])) for row in csv.DictReader(file)}
    else:
        RESULTS.write_text(",".join(COLUMNS) + "\n")
    for name, differences in WORLDS.items():
        for seeds in SEEDS:
            if (name, seeds) in done:
                continue
            of = world(seeds)
            shift = shifts(of, differences)
            rng = np.random.default_rng(zlib.crc32(f"{name} {seeds}".encode()))
            said = pd.Series([study(of, shift, rng) for _ in range(studies)]).value_counts()
            row = {
                "world": name,
                "seeds": seeds,
                "used": said.get("train the policy", 0) / studies,
                "kept": said.get("train the tested", 0) / studies,
                "undecided": said.get("undecided on the policy", 0) / studies,
                "studies": studies,
            }
            with RESULTS.open("a", newline="") as file:
                csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(row)
            print(row, flush=True)


def table() -> str:
    """The results as Markdown."""
    rows = pd.read_csv(RESULTS)
    lines = ["| world | fresh seeds | used | kept | undecided |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.world} | {row.seeds} | {row.used:.3f} | {row.kept:.3f} | {row.undecided:.3f} |"
        for row in rows.itertuples()
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--table", action="store_true", help="print what was found")
    options = parser.parse_args()
    if options.table:
        print(table())
    else:
        simulate(options.studies)


if __name__ == "__main__":
    main()
