"""Designers that act on the affected classes themselves."""

from __future__ import annotations

from daclass.analysis.designers.evidence import Design, Evidence, designed
from daclass.designer import designer

_LARGEST_WEIGHT = 2.0  # CLAM's bound


@designer(
    title="weakest for followed-up",
    summary="The classes chosen for follow-up at the weakest strength; all "
    "others at the tested one.",
)
def naive_removal(evidence: Evidence) -> Design:
    """No augmentation where it hurts: the weakest strength for the affected classes.

    Balestriero et al. (2022) ask for it; Kirichenko et al. (2023) find that it does not help.
    """
    weakest = evidence.ordered[-1]
    affected = evidence.affected if weakest != evidence.tested else []
    strengths = dict.fromkeys(affected, weakest)
    summary = (
        f"the affected classes at the weakest strength, {weakest:g}"
        if strengths
        else "no class is affected, or the tested strength is the weakest: the same as "
        "uniform_tested"
    )
    reasons = dict.fromkeys(strengths, "affected")
    return designed(evidence, evidence.tested, summary, strengths, reasons)


@designer(
    title="losses weighted",
    summary="The tested strength for all, with larger weights in the loss for the classes chosen "
    "for follow-up: what weights do without another augmentation.",
)
def reweighted(evidence: Evidence) -> Design:
    """Larger weights in the loss for the affected classes, the tested strength for all.

    What weights alone do, to compare policies with: an affected class k that loses ``d_k > 0``
    accuracy from the reference strength to the tested one (original labels, selection half) weighs
    ``2 ** (d_k / max_j d_j)``, every other class 1. Training scales them to a mean of 1.

    In the spirit of CLAM (Jiang, Ban and Weng 2025, "Understanding and Reducing the Class-Dependent
    Effects of Data Augmentation with a Two-Player Game Approach", TMLR), and no more than that.
    CLAM multiplies each class's weight by ``exp(-training accuracy)`` after every epoch, keeps it
    between 1/2 and 2 (so the authors' code) and scales to a mean of 1, so that weights follow the
    classes' accuracy. Taken from it: weights that are exponential in what a class lacks, and their
    bound of 2. Not taken: updates during training, the training accuracy as a guide (here it is
    what augmentation costs a class, on pictures apart from training), weights below 1 for classes
    that do well, and so its game and its proof of convergence.
    """
    accuracy = evidence.accuracy()
    drop = accuracy[evidence.reference_level] - accuracy[evidence.tested_level]
    losing = [k for k in evidence.affected if drop[k] > 0]
    if not losing:
        summary = (
            "no affected class loses accuracy from "
            f"{evidence.reference:g} to {evidence.tested:g}: the same as uniform_tested"
        )
        return designed(evidence, evidence.tested, summary)
    largest = max(drop[k] for k in losing)
    weights = {k: round(float(_LARGEST_WEIGHT ** (drop[k] / largest)), 4) for k in losing}
    reasons = {
        k: f"affected; loses {100 * drop[k]:.1f} points from {evidence.reference:g} to "
        f"{evidence.tested:g}, so its losses weigh {weights[k]:g} times as much"
        for k in losing
    }
    summary = (
        f"every class at the tested strength, {evidence.tested:g}; the losses of "
        f"{len(losing)} affected classes weigh up to {max(weights.values()):g} times as much"
    )
    return designed(evidence, evidence.tested, summary, None, reasons, weights)
