"""Designers of policies that give every class the same strength: the baselines."""

from __future__ import annotations

from daclass.analysis.designers.evidence import Design, Evidence, designed
from daclass.designer import designer


@designer(
    title="tested for all",
    summary="Every class at the tested strength: what the other policies change.",
    role="baseline",
    needs="nothing",
)
def uniform_tested(evidence: Evidence) -> Design:
    """The tested strength for every class: what is to be improved on."""
    summary = f"every class at the tested strength, {evidence.tested:g}"
    return designed(evidence, evidence.tested, summary)


@designer(
    title="best on average for all",
    summary="Every class at the strength with the best average.",
    role="baseline",
)
def uniform_best(evidence: Evidence) -> Design:
    """The strength with the best average accuracy (original labels); ties: the weaker one."""
    accuracy, best = evidence.average(), evidence.best_level()
    summary = (
        f"every class at {evidence.ordered[best]:g}, the best on average: "
        f"{accuracy[best]:.1%} against {accuracy[evidence.tested_level]:.1%} at the tested strength"
    )
    return designed(evidence, evidence.ordered[best], summary)


@designer(
    title="reference for all",
    summary="Every class at the study’s reference strength.",
    role="baseline",
    needs="nothing",
)
def uniform_reference(evidence: Evidence) -> Design:
    """The study's reference strength for every class: what the drop is measured from."""
    summary = f"every class at the reference strength, {evidence.reference:g}"
    return designed(evidence, evidence.reference, summary)


@designer(
    title="for all",
    summary="Every class at this strength.",
    needs="nothing",
    each_strength=True,
)
def uniform_each(evidence: Evidence) -> Design:
    """One strength of the sweep for every class, on fresh seeds beside the other policies."""
    assert evidence.strength is not None  # whoever orders this policy names its strength
    summary = f"every class at {evidence.strength:g}"
    return designed(evidence, evidence.strength, summary)


def nothing_to_trade(evidence: Evidence) -> Design:
    """The reference strength for every class: what a policy is where no stronger strength is best
    on average, so that there is no gain that classes could pay for."""
    summary = (
        f"every class at {evidence.reference:g}: no stronger strength is better on average, so "
        "there is nothing to trade off"
    )
    return designed(evidence, evidence.reference, summary)
