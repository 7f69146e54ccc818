"""What the designed policies do, on pictures and seeds that had no part in their design."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from daclass.analysis.cells import TRUTHS, Cells
from daclass.analysis.conditions import replicates
from daclass.designer import REFERENCE, TESTED
from daclass.inference.arrays import Ints
from daclass.inference.crossed import Crossed, crossed_difference
from daclass.inference.discoveries import q_values
from daclass.inference.draws import Draws


def intervention_classes(
    cells: Cells, baselines: Sequence[str], *, confidence: float
) -> pd.DataFrame:
    """Each class's difference in accuracy between each policy and each baseline.

    On the estimation half, paired over seeds and pictures, with the same model of seeds and
    pictures as `effects`: classes of one comparison learn from each other how much seeds matter.

    Args:
        cells: what `arrange_cells` gives for the interventions' runs, every policy with the same
            fresh seeds.
        baselines: policies to compare with.
        confidence: level of the intervals, in (0, 1).

    Returns:
        Table "intervention_classes": one row for each (policy, baseline, truth, class), without
        baselines against themselves. q-values are Benjamini and Hochberg's over the classes of one
        (policy, baseline, truth). A class without pictures, and all classes where both policies'
        runs are equal, have NaN for interval, p and q.

    Raises:
        InputError: a policy lacks a seed that another has, or a baseline is missing.
    """
    runs = {name: own[0] for name, own in _runs(cells, baselines, {}).items()}
    estimate, n_classes = cells.images.half("estimate"), cells.images.n_classes
    frames = []
    for truth in TRUTHS:
        chosen = estimate & cells.counted[truth]
        labels, correct = cells.images.labels[chosen], cells.correct[truth][:, chosen]
        for policy, baseline in itertools.product(runs, baselines):
            if policy == baseline:
                continue
            own, other = runs[policy], runs[baseline]
            found = crossed_difference(
                correct[own],
                correct[other],
                labels,
                n_classes,
                paired=True,
                confidence=confidence,
                moderate=True,
            )
            equal = np.full(n_classes, _equal(cells, own, other))
            p = np.where(equal, np.nan, found.p)
            columns = {
                "policy": policy,
                "baseline": baseline,
                "truth": truth,
                "class_id": np.arange(n_classes),
                "difference": found.mean,
                "low": np.where(equal, np.nan, found.low),
                "high": np.where(equal, np.nan, found.high),
                "p": p,
                "q": q_values(p, "bh"),
                "seeds": len(own),
                "images": found.images,
            }
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def interventions(
    cells: Cells,
    affected: Sequence[int],
    swallowers: Sequence[int],
    baselines: Sequence[str],
    controls: Mapping[str, Sequence[str]],
    classes: pd.DataFrame,
    *,
    q: float,
    confidence: float,
) -> pd.DataFrame:
    """Accuracy of each policy on groups of classes, and its difference to each baseline.

    All on the estimation half. Differences are paired over seeds and pictures (see `crossed`).
    Several draws of one control also stand there as one policy, their mean, and as one baseline;
    its intervals speak for new draws too (see `draws`).

    Args:
        cells: as for `intervention_classes`.
        affected: the affected classes of the sweep.
        swallowers: the classes that swallow them.
        baselines: policies to compare with.
        controls: name of a pooled control -> the policies that are its draws.
        classes: what `intervention_classes` gives for these cells and baselines.
        q: false discovery rate up to which a class counts as worse or better.
        confidence: level of the intervals, in (0, 1).

    Returns:
        Table "interventions": one row for each (policy, group, truth, baseline), without draws
        against the control that they belong to. Groups hold the pictures whose original class is in
        them: all, affected, swallowers, both (the union of the two). A baseline against itself, or
        against runs of an equal policy, has difference 0 with NaN for interval and p; a group
        without pictures has NaN everywhere. `recovered` is the share of the drop that the policy
        recovers, ``(policy - uniform_tested) / (uniform_reference - uniform_tested)``, with
        Fieller's interval; NaN where the drop's interval holds 0. It is 1 for the reference and 0
        for the tested one by definition, without interval. `worse` and `better` count the group's
        classes with q at most `q`, for a pooled control the mean over its draws; NaN where a
        pooled control is the baseline, and where nothing could be tested (one seed).

    Raises:
        InputError: as for `intervention_classes`.
    """
    runs = _runs(cells, baselines, controls)
    groups = {
        "all": range(cells.images.n_classes),
        "affected": sorted(set(affected)),
        "swallowers": sorted(set(swallowers)),
        "both": sorted({*affected, *swallowers}),
    }
    against = [
        (policy, baseline)
        for policy in runs
        for baseline in (*baselines, *controls)
        if policy not in controls.get(baseline, ())
    ]
    equal = {pair: _equal(cells, *(runs[name] for name in pair)) for pair in against}
    by_definition = {
        policy: 0.0 if equal[policy, TESTED] else 1.0 if equal[policy, REFERENCE] else None
        for policy in runs
    }
    rows = []
    for group, members in groups.items():
        of_group = cells.images.half("estimate") & np.isin(cells.images.labels, list(members))
        for truth in TRUTHS:
            chosen = of_group & cells.counted[truth]
            right = cells.correct[truth][:, chosen]
            values = {policy: Draws.of(right[own]) for policy, own in runs.items()}
            shared = {
                policy: {
                    "policy": policy,
                    "group": group,
                    "truth": truth,
                    **_accuracy(values[policy].mean(confidence, span=(0.0, 1.0))),
                    **_recovered(values, policy, by_definition[policy], confidence),
                    "seeds": own.shape[1],
                    "images": int(chosen.sum()),
                    "classes": len(members),
                }
                for policy, own in runs.items()
            }
            inside = classes["class_id"].isin(members) & (classes["truth"] == truth)
            changed = _changed(classes[inside], q)
            rows += [
                {
                    **shared[policy],
                    "baseline": baseline,
                    **_difference(
                        (values[policy] - values[baseline]).mean(confidence),
                        equal[policy, baseline],
                    ),
                    **_mean_changed(changed, controls.get(policy, (policy,)), baseline, equal),
                }
                for policy, baseline in against
            ]
    return pd.DataFrame(rows)


def _runs(
    cells: Cells, baselines: Sequence[str], controls: Mapping[str, Sequence[str]]
) -> dict[str, Ints]:
    """Policy -> the rows of its runs, [D, S]; D is 1 but for pooled controls."""
    named = dict.fromkeys([*sorted(cells.table["policy"].unique()), *baselines])
    named.update(dict.fromkeys(itertools.chain(*controls.values())))
    rows = dict(zip(named, replicates(cells.table, list(named), paired=True), strict=True))
    pooled = {name: np.stack([rows[draw] for draw in draws]) for name, draws in controls.items()}
    return {**{name: own[None] for name, own in rows.items()}, **pooled}


def _equal(cells: Cells, own: Ints, other: Ints) -> bool:
    """Whether two policies' runs are the same, as those of equal policies are; of all draws."""
    return bool((cells.predicted[own] == cells.predicted[other]).all())


def _accuracy(found: Crossed) -> dict[str, float]:
    return {
        "accuracy": found.mean[0],
        "accuracy_low": found.low[0],
        "accuracy_high": found.high[0],
    }


def _recovered(
    values: Mapping[str, Draws], policy: str, by_definition: float | None, confidence: float
) -> dict[str, float]:
    """The share of the drop that a policy recovers."""
    drop, low, high = values[REFERENCE] - values[TESTED], np.nan, np.nan
    whole = drop.mean(confidence)
    if by_definition is None:
        share, low, high = (values[policy] - values[TESTED]).share_of(drop, confidence)
    else:
        share = by_definition if whole.low[0] * whole.high[0] > 0 else np.nan
    return {"recovered": share, "recovered_low": low, "recovered_high": high}


def _difference(found: Crossed, equal: bool) -> dict[str, float]:
    if equal:  # 0 by definition where there is a picture: nothing is estimated
        return {"difference": found.mean[0], "low": np.nan, "high": np.nan, "p": np.nan}
    return {
        "difference": found.mean[0],
        "low": found.low[0],
        "high": found.high[0],
        "p": found.p[0],
    }


def _changed(classes: pd.DataFrame, q: float) -> pd.DataFrame:
    """Number of classes that are worse and better, by policy and baseline.

    NaN where no class was tested, for want of a second seed or of pictures.
    """
    tested, found = classes["q"].notna(), classes["q"] <= q
    signs = {"worse": classes["difference"] < 0, "better": classes["difference"] > 0}
    counted = {name: (found & sign).astype(float).where(tested) for name, sign in signs.items()}
    return classes.assign(**counted).groupby(["policy", "baseline"])[[*signs]].sum(min_count=1)


def _mean_changed(
    changed: pd.DataFrame,
    draws: Sequence[str],
    baseline: str,
    equal: Mapping[tuple[str, str], bool],
) -> dict[str, float]:
    """Worse and better classes against a baseline, mean over draws; none where both are equal."""
    counts = changed.reindex(pd.MultiIndex.from_product([draws, [baseline]]))
    counts[[equal.get((draw, baseline), False) for draw in draws]] = 0.0
    return {name: counts[name].mean(skipna=False) for name in ("worse", "better")}
