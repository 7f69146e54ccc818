"""Designers that act on the affected classes themselves."""

from __future__ import annotations

from daclass.analysis.designers.evidence import Design, Evidence, designed


def naive_removal(evidence: Evidence) -> Design:
    """No augmentation where it hurts: the weakest strength for the affected classes.

    Balestriero et al. (2022) ask for it; Kirichenko et al. (2023) find that it does not help.
    """
    weakest = evidence.ordered[-1]
    strengths = dict.fromkeys(evidence.affected, weakest)
    summary = (
        f"the affected classes at the weakest strength, {weakest:g}"
        if strengths
        else "no class is affected: the same as uniform_strongest"
    )
    reasons = dict.fromkeys(strengths, "affected")
    return designed(evidence, evidence.strongest, summary, strengths, reasons)
