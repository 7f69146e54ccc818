"""What the designed policies do, on pictures and seeds that had no part in their design."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from daclass.analysis.cells import TRUTHS, Bools, Cells
from daclass.analysis.conditions import replicates
from daclass.analysis.crossed import crossed


def interventions(
    cells: Cells,
    affected: Sequence[int],
    swallowers: Sequence[int],
    baselines: Sequence[str] = ("uniform_strongest", "uniform_best"),
    *,
    confidence: float,
) -> pd.DataFrame:
    """Accuracy of each policy on groups of classes, and its difference to each baseline.

    All on the estimation half. Differences are paired over seeds and pictures (see `crossed`).

    Args:
        cells: what `arrange_cells` gives for the interventions' runs, every policy with the same
            fresh seeds.
        affected: the affected classes of the sweep.
        swallowers: the classes that swallow them.
        baselines: policies to compare with.
        confidence: level of the intervals, in (0, 1).

    Returns:
        Table "interventions": one row for each (policy, group, truth, baseline). Groups hold the
        pictures whose original class is in them: all, affected, swallowers, both (the union of the
        two). A baseline against itself, or against runs of an equal policy, has difference 0 with
        NaN for interval and p; a group without pictures has NaN everywhere.

    Raises:
        InputError: a policy lacks a seed that another has, or a baseline is missing.
    """
    policies = sorted(cells.table["policy"].unique())
    runs = replicates(cells.table, policies, paired=True)
    against = dict(zip(baselines, replicates(cells.table, baselines, paired=True), strict=True))
    groups = {
        "all": range(cells.images.n_classes),
        "affected": sorted(set(affected)),
        "swallowers": sorted(set(swallowers)),
        "both": sorted({*affected, *swallowers}),
    }
    estimate = cells.images.half("estimate")
    rows = []
    for group, members in groups.items():
        of_group = estimate & np.isin(cells.images.labels, list(members))
        for truth in TRUTHS:
            chosen = of_group & cells.counted[truth]
            correct = cells.correct[truth][:, chosen]
            for policy, own in zip(policies, runs, strict=True):
                shared = {
                    "policy": policy,
                    "group": group,
                    "truth": truth,
                    **_accuracy(correct[own], confidence),
                    "seeds": len(own),
                    "images": int(chosen.sum()),
                    "classes": len(members),
                }
                for baseline, other in against.items():
                    itself = bool((cells.predicted[own] == cells.predicted[other]).all())
                    found = _difference(correct[own], correct[other], itself, confidence)
                    rows.append({**shared, "baseline": baseline, **found})
    return pd.DataFrame(rows)


def _accuracy(correct: Bools, confidence: float) -> dict[str, float]:
    groups = np.zeros(correct.shape[1], np.int64)
    found = crossed(correct, groups, 1, confidence=confidence, span=(0.0, 1.0))
    return {
        "accuracy": found.mean[0],
        "accuracy_low": found.low[0],
        "accuracy_high": found.high[0],
    }


def _difference(own: Bools, other: Bools, itself: bool, confidence: float) -> dict[str, float]:
    groups = np.zeros(own.shape[1], np.int64)
    found = crossed(own.astype(np.int8) - other, groups, 1, confidence=confidence)
    if itself:  # the same runs, or runs of an equal policy: 0 by definition, nothing is estimated
        return {"difference": found.mean[0], "low": np.nan, "high": np.nan, "p": np.nan}
    return {
        "difference": found.mean[0],
        "low": found.low[0],
        "high": found.high[0],
        "p": found.p[0],
    }
