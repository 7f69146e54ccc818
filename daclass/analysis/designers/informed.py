"""Designers that change the classes which swallow others (Kirichenko et al., NeurIPS 2023)."""

from __future__ import annotations

import numpy as np

from daclass.analysis.designers.evidence import Design, Evidence, designed
from daclass.designer import designer
from daclass.inference.arrays import Floats, Ints


@designer(
    title="weaker for swallowers",
    summary="The classes that gain most false positives, each at the strength with its fewest "
    "errors; all others at the tested one.",
    changes_m=True,
)
def fp_informed(evidence: Evidence) -> Design:
    """Weaker augmentation for the classes that swallow others.

    Kirichenko et al. (NeurIPS 2023), with the tested strength b where they have the strongest: the
    m classes whose false positives grow most from the reference strength to b each get
    ``argmin_s FP_k(s) + FN_k(s)`` over the strengths s that are no stronger than b, the others b.
    FP and FN are the multi-label ones. Of strengths that tie, the stronger one is taken: a class
    leaves b no further than the counts ask for.
    """
    return _informed(evidence, "_multi")


@designer(
    title="weaker for swallowers, one label",
    summary="The classes that gain most false positives by the original labels alone, each at the "
    "strength with its fewest errors by these; all others at the tested one.",
    changes_m=True,
)
def fp_informed_original(evidence: Evidence) -> Design:
    """The same as `fp_informed`, with errors judged by the original labels alone."""
    return _informed(evidence, "")


@designer(
    title="swallowers apart, best for rest",
    summary="The classes that would take fewest pictures of others at a strength of their own get "
    "it; all others the best average strength.",
    changes_m=True,
)
def fp_informed_best(evidence: Evidence) -> Design:
    """Other strengths for classes that swallow others, the rest at the best average strength b.

    Each class's own strength is that of `fp_informed`, ``s_k = argmin_s FP_k(s) + FN_k(s)``; of
    those that tie, the one nearest to b (in the order of the sweep) is taken. What the paper's
    growth from the reference to the tested strength stands for, classes that take pictures away
    from others where everybody is trained, has to be measured at b here, and against the strength
    that the class would get: the m classes are those with the largest ``FP_k(b) - FP_k(s_k)``,
    where that is positive. Growth up to b would not do: b often is the reference itself, or
    weaker. The class's own strength may be stronger than b.
    """
    rest = evidence.best_level()
    positives, errors = evidence.total("false_positives_multi"), _errors(evidence, "_multi")
    # Ties: strengths in order of distance from b, of two at one distance the stronger one.
    near = np.argsort(np.abs(np.arange(len(errors)) - rest), kind="stable")
    own = near[np.argmin(errors[near], axis=0)]
    freed = positives[rest] - positives[own, np.arange(len(own))]
    chosen = _largest(freed, evidence.m)
    strength, seeds = evidence.ordered[rest], evidence.seeds
    reasons = {
        k: f"takes {freed[k] / seeds:.1f} fewer pictures of others a run at "
        f"{evidence.ordered[own[k]]:g} than at {strength:g}; false positives and negatives are "
        f"fewest there: {errors[own[k], k] / seeds:.1f} a run, {errors[rest, k] / seeds:.1f} at "
        f"{strength:g}"
        for k in chosen
    }
    summary = (
        f"{len(chosen)} classes that take fewest pictures of others at a strength of their own (at "
        f"most {evidence.m}), the rest at the best average strength, {strength:g}"
        if chosen
        else f"no class would take fewer pictures of others than at {strength:g}: the same as "
        "uniform_best"
    )
    strengths = {k: evidence.ordered[own[k]] for k in chosen}
    return designed(evidence, strength, summary, strengths, reasons)


def _strengths(evidence: Evidence, suffix: str = "_multi") -> dict[int, float]:
    """The classes that grow with their strengths, the one that grows most first."""
    first = evidence.tested_level
    best: Ints = first + np.argmin(_errors(evidence, suffix)[first:], axis=0)
    chosen = _largest(_growth(evidence, suffix), evidence.m)
    return {k: evidence.ordered[best[k]] for k in chosen}


def _informed(evidence: Evidence, suffix: str) -> Design:
    strengths, seeds = _strengths(evidence, suffix), evidence.seeds
    growth, errors = _growth(evidence, suffix), _errors(evidence, suffix)
    reasons = {}
    for class_id, strength in strengths.items():
        level = evidence.ordered.index(strength)
        reasons[class_id] = (
            f"false positives grow by {growth[class_id] / seeds:.1f} a run from "
            f"{evidence.reference:g} to {evidence.tested:g}; false positives and negatives are "
            f"fewest at {strength:g}: {errors[level, class_id] / seeds:.1f} a run, "
            f"{errors[evidence.tested_level, class_id] / seeds:.1f} at {evidence.tested:g}"
        )
    changed = sum(strength != evidence.tested for strength in strengths.values())
    summary = (
        f"{len(strengths)} classes whose false positives grow most (at most {evidence.m}), "
        f"{changed} of them best at a weaker strength"
        if strengths
        else "no class's false positives grow: the same as uniform_tested"
    )
    return designed(evidence, evidence.tested, summary, strengths, reasons)


def _growth(evidence: Evidence, suffix: str) -> Floats:
    """What false positives gain from the reference to the tested strength, [C]."""
    positives = evidence.total(f"false_positives{suffix}")
    return positives[evidence.tested_level] - positives[evidence.reference_level]


def _errors(evidence: Evidence, suffix: str) -> Floats:
    """False positives and negatives, [K, C], strongest first."""
    return evidence.total(f"false_positives{suffix}") + evidence.total(f"false_negatives{suffix}")


def _largest(values: Floats, most: int) -> list[int]:
    """The classes with the largest positive values, at most so many; ties by class id."""
    order = np.argsort(-values, kind="stable")[:most]
    return [int(k) for k in order if values[k] > 0]
