"""Two groups of seeds at one strength, analysed as if they were two conditions (an A/A study).

    python benchmarks/same_strength.py configs/petri.yaml configs/cifar10h.yaml

There is nothing to find: the networks differ by their seeds (and draws of the training pictures)
alone. For every strength that a finished study trained both in its sweep and, on fresh seeds, among
its interventions, the fresh seeds are compared with the sweep's, class by class, as `daclass
measure` compares two strengths. Writes benchmarks/results/same_strength.csv, one row a (study,
strength, truth).

One comparison is one throw of a die, and its classes depend on each other. So all seeds of a
strength are also split in every other way into groups of these sizes: the share of intervals that
hold 0, mean over splits and classes, is what the intervals keep on networks that were really
trained, and the share of splits in which any class is reported is the rate of false alarms.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from daclass.analysis.cells import PREDICTION_COLUMNS, Cells, arrange_cells
from daclass.analysis.conditions import Conditions
from daclass.analysis.effects import Affected, effects
from daclass.analysis.nulls import Nulls
from daclass.config import Analysis, Layout, Study
from daclass.config.interventions import Phase
from daclass.inference.arrays import Bools, Ints
from daclass.inference.crossed import crossed_difference
from daclass.inference.discoveries import q_values
from daclass.tables import read_table

FRESH, SWEEP = "fresh seeds", "sweep's seeds"


def uniform_runs(layout: Layout) -> pd.DataFrame:
    """Predictions of uniform policies in both phases; the condition is the phase."""
    parts = []
    phases: tuple[tuple[Phase, str], ...] = (("sweep", SWEEP), ("interventions", FRESH))
    for phase, condition in phases:
        table = read_table(
            "predictions", layout.table("predictions", phase), columns=PREDICTION_COLUMNS
        )
        # The sweep has no other policies; among the interventions, losses may be weighted too.
        uniform = table[(condition == SWEEP) | table["policy"].str.startswith("uniform_")]
        # Equal policies, such as the best and the reference, are one run under two names.
        single = uniform.drop_duplicates(["strength", "seed", "image_id"])
        parts.append(single.assign(policy=condition))
    return pd.concat(parts, ignore_index=True)


def compare(study: Study, layout: Layout) -> Iterator[dict[str, object]]:
    runs = uniform_runs(layout)
    index, annotations, classes = (
        read_table(name, layout.table(name)) for name in ("index", "annotations", "classes")
    )
    for strength in study.strengths:
        chosen = runs[runs["strength"] == strength]
        if chosen["policy"].nunique() < 2:
            continue
        cells = arrange_cells(chosen, index, annotations, len(classes), study.analysis.empty_labels)
        yield from outcome(study, strength, cells)


def outcome(study: Study, strength: float, cells: Cells) -> Iterator[dict[str, object]]:
    settings = study.analysis
    conditions = Conditions.of((FRESH, SWEEP), SWEEP, cells.table)
    nulls = Nulls.draw(
        cells,
        conditions,
        confidence=settings.confidence,
        replicates=settings.bootstrap,
        random_seed=study.seed,
    )
    rule = Affected(**settings.affected.model_dump())
    found = effects(cells, conditions, nulls, rule, confidence=settings.confidence)
    fixed = found[(found["half"] == "all") & (found["reference"] == "fixed")]
    fresh, sweep = conditions.replicates(cells.table)
    for truth, classes in fixed.groupby("truth"):
        correct, counted = cells.correct[truth], cells.counted[truth]
        whole = crossed_difference(
            correct[sweep][:, counted],
            correct[fresh][:, counted],
            cells.images.labels[counted] * 0,
            1,
            paired=conditions.paired,
            confidence=settings.confidence,
        )
        labels, right = cells.images.labels[counted], correct[:, counted]
        covered, alarms = over_splits(right, labels, sweep, fresh, settings)
        yield {
            "study": study.name,
            "strength": strength,
            "truth": truth,
            "sweep_seeds": len(sweep),
            "fresh_seeds": len(fresh),
            "classes": len(classes),
            "reported": int((classes["q"] <= settings.affected.q).sum()),
            "reported_by_max_t": int((classes["p_max"] <= settings.affected.q).sum()),
            "covered": int(((classes["low"] <= 0) & (classes["high"] >= 0)).sum()),
            "smallest_p": round(classes["p"].min(), 4),
            "smallest_q": round(classes["q"].min(), 4),
            "largest_difference": round(classes["drop"].abs().max(), 4),
            "average_difference": round(float(whole.mean[0]), 4),
            "average_low": round(float(whole.low[0]), 4),
            "average_high": round(float(whole.high[0]), 4),
            "covered_over_splits": round(covered, 4),
            "reporting_splits": round(alarms, 4),
        }


def over_splits(
    right: Bools, labels: Ints, sweep: Ints, fresh: Ints, settings: Analysis
) -> tuple[float, float]:
    """Over all ways to split the runs: share of intervals that hold 0, of splits that report."""
    runs, n_classes = np.concatenate([sweep, fresh]), int(labels.max()) + 1
    covered, reporting = [], []
    for chosen in itertools.combinations(runs, len(fresh)):
        rest = np.setdiff1d(runs, chosen)
        found = crossed_difference(
            right[rest],
            right[list(chosen)],
            labels,
            n_classes,
            paired=False,
            confidence=settings.confidence,
            moderate=True,
        )
        covered.append(((found.low <= 0) & (found.high >= 0)).mean())
        reporting.append((q_values(found.p, "bh") <= settings.affected.q).any())
    return float(np.mean(covered)), float(np.mean(reporting))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("configs", type=Path, nargs="+")
    parser.add_argument("--results", type=Path, default=Path("results"), help="of the studies")
    parser.add_argument("--set", action="append", default=[], dest="changes")
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for config in options.configs:
        study = Study.load(config, options.changes)
        rows.extend(compare(study, Layout(study.name, options.results)))
    table = pd.DataFrame(rows)
    table.to_csv(Path(__file__).parent / "results" / "same_strength.csv", index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
