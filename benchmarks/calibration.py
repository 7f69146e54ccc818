"""Do the statistics keep what they promise? Simulated studies whose truth is known.

    python -m benchmarks.calibration --studies 200

Every cell is a world (`benchmarks/worlds.py`) of some number of classes, pictures and runs, and of
some kind of shocks. A study is simulated without any effect and one in which a fifth of the classes
drop by 16 points (with four conditions: three in which all classes drop by 5, 10 or 20), and
answered as `daclass measure` would. What is done is kept in
benchmarks/results/calibration.csv, one row per (cell, question), with the number of studies (or
intervals) and the standard error; rows that are there are not done again, so an interrupted run
goes on where it was.
"""

from __future__ import annotations

import argparse
import csv
import time
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks.worlds import Study, World
from daclass.analysis.confusions import false_positives
from daclass.inference.averages import average_difference
from daclass.inference.crossed import Crossed, crossed_difference
from daclass.inference.discoveries import q_values
from daclass.inference.own_best import OwnBest, picture_correlations
from daclass.inference.simultaneous import max_p

Q, CONFIDENCE, DROP, SHARE = 0.05, 0.95, 0.16, 0.2
OWN_BEST = (0.05, 0.1, 0.2)
COLUMNS = ("cell", "question", "value", "error", "n")
RESULTS = Path("benchmarks/results/calibration.csv")

SMALL, EQUAL, WIDE = (50, 50), (100, 100), (5, 1000)


def cells() -> dict[str, World]:
    """Name -> world."""
    found: dict[str, World] = {}

    def add(
        kind: str, classes: int, pictures: tuple[int, int], *runs: int, **world: object
    ) -> None:
        sizes = str(pictures[0]) if pictures[0] == pictures[1] else "5 to 1,000"
        for seeds in runs:
            name = f"{kind}, {classes:,} x {sizes}, {seeds}"
            found[name] = World(classes, pictures, (seeds, seeds), **world)  # type: ignore[arg-type]

    add("independent", 10, (500, 500), 2, 3, 5)
    add("independent", 24, EQUAL, 2, 3, 5, 10)
    add("independent", 24, WIDE, 3)
    add("independent", 100, SMALL, 3)
    add("independent", 3, (500, 500), 3)
    add("common", 10, (500, 500), 2, 3, 5, common=0.3)
    add("common", 24, EQUAL, 2, 3, 5, 10, common=0.3)
    add("common", 24, WIDE, 3, common=0.3)
    add("common", 100, SMALL, 3, common=0.6)
    add("common", 3, (500, 500), 3, common=0.3)
    add("common, unpaired", 24, EQUAL, 2, 3, 5, common=0.3, paired=False)
    add("competing", 10, (500, 500), 2, 3, 5, competing=0.3)
    add("competing", 24, EQUAL, 3, competing=0.5)
    add("heavy tails", 24, EQUAL, 3, own=0.3, common=0.3, heavy=True)
    add("uneven", 24, EQUAL, 3, 5, 10, own=0.1, uneven=0.3)
    for runs in ((4, 10), (2, 5)):
        name = f"common, unpaired, 24 x 100, {runs[0]} and {runs[1]}"
        found[name] = World(24, EQUAL, runs, common=0.3, paired=False)
    for kind, classes, pictures, seeds, common in (
        ("own best of four", 24, EQUAL, (3, 3, 3, 3), 0.0),
        ("own best of four, common", 24, EQUAL, (3, 3, 3, 3), 0.3),
        ("own best of four, common", 10, (500, 500), (5, 5, 5, 5), 0.3),
        ("own best of four, common", 24, EQUAL, (2, 2, 2, 2), 0.3),
    ):
        name = f"{kind}, {classes} x {pictures[0]}, {seeds[0]}"
        found[name] = World(classes, pictures, seeds, common=common)
    add("independent", 1000, SMALL, 3)
    add("common", 1000, SMALL, 3, common=0.3)
    return found


def questions(world: World, rng: np.random.Generator, studies: int) -> Iterator[tuple]:
    """What is asked of a cell: (question, value, standard error, n)."""
    counts: dict[str, list[float]] = defaultdict(list)
    none = np.zeros((len(world.seeds), world.classes))
    falls = {drop: world.shift_for(drop) for drop in (DROP, *OWN_BEST)}
    for _ in range(studies):
        calm = world.draw(rng, none)
        for name, value in of_no_effect(calm, world.classes).items():
            counts[name].append(value)
        if len(world.seeds) > 2:
            for drop in OWN_BEST:
                low = world.draw(rng, np.vstack([falls[drop], none[1:]]))
                for name, value in of_own_best(low, world.classes, drop).items():
                    counts[name].append(value)
            continue
        victims = rng.permutation(world.classes) < max(1, round(SHARE * world.classes))
        hurt = world.draw(rng, np.stack([np.where(victims, falls[DROP], 0.0), none[0]]))
        for name, value in of_effects(hurt, victims).items():
            # Of these worlds the true drop is known to the first order only.
            if not (name.startswith("coverage") and (world.heavy or world.uneven)):
                counts[name].append(value)
    for name, values in counts.items():
        known = np.asarray(values)[~np.isnan(values)]
        error = known.std() / np.sqrt(len(known)) if len(known) else np.nan
        yield name, known.mean() if len(known) else np.nan, error, len(known)


def classes_of(study: Study, n_classes: int) -> Crossed:
    return crossed_difference(
        study.correct[1],
        study.correct[0],
        study.labels,
        n_classes,
        paired=study.paired,
        confidence=CONFIDENCE,
        moderate=True,
    )


def of_no_effect(study: Study, n_classes: int) -> Mapping[str, float]:
    """Answers of one study without effects."""
    found = classes_of(study, n_classes)
    reported = q_values(found.p, "bh") <= Q
    adjusted = max_p(found.p, found.spread.shared)
    positives = false_positives(*study.cells(n_classes), confidence=CONFIDENCE)
    positives = positives[positives["half"] == "all"]
    kept = (positives["low"] <= 0) & (positives["high"] >= 0)
    own_best = (
        OwnBest.of([found], [[1.0]]) if len(study.correct) == 2 else own_best_of(study, n_classes)
    ).p()
    answers = {
        "coverage of classes": np.nanmean((found.low <= 0) & (found.high >= 0)),
        "width of classes, points": 100 * np.nanmean(found.high - found.low),
        "studies that report a class (BH)": float(reported.any()),
        "studies that report a class (max-T)": float((adjusted <= Q).any()),
        "coverage of growing false positives": kept[positives["low"].notna()].mean(),
        "studies that report growing false positives": float((positives["q"] <= Q).any()),
        "studies that report a class below its own best": float(
            (q_values(own_best, "bh") <= Q).any()
        ),
    }
    for kind in ("macro", "micro"):
        whole = average_difference(
            study.correct[1],
            study.correct[0],
            study.labels,
            kind,  # type: ignore[arg-type]
            paired=study.paired,
            confidence=CONFIDENCE,
        )
        answers[f"coverage of the {kind} average"] = float(whole.low[0] <= 0 <= whole.high[0])
        answers[f"{kind} average above its upper bound"] = float(whole.at_most(0.95)[0] < 0)
    return answers


def own_best_of(study: Study, n_classes: int) -> OwnBest:
    contrasts = [
        crossed_difference(
            rows,
            study.correct[0],
            study.labels,
            n_classes,
            paired=study.paired,
            confidence=CONFIDENCE,
            moderate=True,
        )
        for rows in study.correct[1:]
    ]
    means = [rows.mean(axis=0) for rows in study.correct]
    return OwnBest.of(contrasts, picture_correlations(means, 0, study.labels, n_classes))


def of_own_best(study: Study, n_classes: int, drop: float) -> Mapping[str, float]:
    """Answers of one study in which all classes lie `drop` below three equal conditions."""
    bound = own_best_of(study, n_classes).at_least(CONFIDENCE)
    points = f"{100 * drop:.0f} points"
    return {
        f"coverage of the bound on the own best at {points}": float((bound <= drop).mean()),
        f"mean bound on the own best at {points}": 100 * float(bound.mean()),
    }


def of_effects(study: Study, victims: np.ndarray) -> Mapping[str, float]:
    """Answers of one study in which the victims drop by `DROP`."""
    found = classes_of(study, len(victims))
    reported = q_values(found.p, "bh") <= Q
    inside = (found.low <= DROP) & (found.high >= DROP)
    return {
        "coverage of classes that drop": float(inside[victims].mean()),
        "power": float(reported[victims].mean()),
        "false discovery rate": float(reported[~victims].sum() / max(reported.sum(), 1)),
    }


def done(file: Path) -> set[str]:
    """The cells that a file of results has."""
    if not file.is_file():
        return set()
    with file.open(newline="") as rows:
        return {row["cell"] for row in csv.DictReader(rows)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000, help="of either kind, per cell")
    parser.add_argument("--only", default="", help="cells whose name begins so")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    finished = done(options.out)
    with options.out.open("a", newline="") as file:
        writer = csv.writer(file)
        if not finished:
            writer.writerow(COLUMNS)
        for name, world in cells().items():
            if name in finished or not name.startswith(options.only):
                continue
            began = time.monotonic()
            rng = np.random.default_rng(zlib.crc32(name.encode()))
            # A cell that is cut off leaves nothing, so that no row is there twice.
            rows = [
                (name, question, round(float(value), 4), round(float(error), 4), n)
                for question, value, error, n in questions(world, rng, options.studies)
            ]
            writer.writerows(rows)
            file.flush()
            print(f"{time.monotonic() - began:6.0f} s  {name}", flush=True)


if __name__ == "__main__":
    main()
