"""The control: what a dose of weaker augmentation does to classes that nothing speaks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from pydantic import BaseModel, ConfigDict, field_validator

from daclass.analysis.designers.evidence import Design, Evidence, designed
from daclass.designer import DESIGNERS, PRIMARY, designer
from daclass.inference.arrays import Floats

_NEIGHBOURS = 5  # matched classes that a draw chooses from
_TRIES = 50  # deals before a draw may repeat an earlier one


class Control(BaseModel):
    """Whose dose the control deals."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    of: str = PRIMARY
    """The designer whose strengths are dealt: any that gives classes strengths."""

    @field_validator("of")
    @classmethod
    def _is_a_designer(cls, name: str) -> str:
        if name not in DESIGNERS or DESIGNERS[name].role == "control":
            known = [each for each in DESIGNERS if DESIGNERS[each].role != "control"]
            raise ValueError(f"of is the name of a designer, not {name!r}; known: {known}")
        return name


@designer(
    title="random classes",
    summary="The control: the strengths of another policy, “weaker for swallowers” where nothing "
    "else is said, given to classes drawn at random among those of like accuracy and size.",
    role="control",
    changes_m=True,
    draws=True,
    settings=Control,
)
def random_classes(evidence: Evidence, settings: Control) -> Design:
    """Another designer's strengths, dealt to random classes like those that they stand for.

    Each class that the other designer changes, by default fp_informed, hands its strength to one of
    the five classes most like it in accuracy at the tested strength and in number of training
    pictures (distance in standard deviations, of the logarithm for the latter) that are left.
    Classes are neither affected, nor swallowers, nor the other designer's own; where there are too
    few others, swallowers and the designer's own are let in, then all, and the summary says so.

    A draw differs from all earlier ones as far as the classes allow, and does not depend on how
    many follow: raising the number of draws keeps those that are there.
    """
    names, id_of = evidence.names, {name: k for k, name in enumerate(evidence.names)}
    dose = DESIGNERS[settings.of](evidence)
    base = dose.policy.default
    givers = {id_of[name]: strength for name, strength in dose.policy.classes.items()}
    if not givers:
        same = "uniform_tested" if base == evidence.tested else f"{base:g} for all"
        summary = f"{settings.of} changes no class: the same as {same}"
        return designed(evidence, base, summary)
    picked = set(givers) | {id_of[name] for name in dose.reasons["classes"]}
    where, pool = _pool(evidence, settings.of, picked, len(givers))
    *earlier, taker_of = _deals(evidence, givers, pool)
    accuracy = evidence.accuracy()[evidence.tested_level]
    strengths = {taker_of[giver]: strength for giver, strength in givers.items()}
    reasons = {
        taker: f"drawn at random; gets the strength of {names[giver]}, which it is like: "
        f"{accuracy[taker]:.1%} right against {accuracy[giver]:.1%}, "
        f"{evidence.training_pictures[taker]:.0f} training pictures against "
        f"{evidence.training_pictures[giver]:.0f}"
        for giver, taker in taker_of.items()
    }
    dealt = _dealt(taker_of, givers)
    again = [n for n, deal in enumerate(earlier, 1) if _dealt(deal, givers) == dealt]
    summary = f"{settings.of}'s {len(givers)} strengths for random classes, drawn {where}" + (
        f"; the same as draw {again[0]}, because too few classes are left" if again else ""
    )
    dealt_out = designed(evidence, base, summary, strengths, reasons)
    form = {"mixture": dose.policy.mixture, "view_aware": dose.policy.view_aware}
    return replace(dealt_out, policy=replace(dealt_out.policy, **form))


def _pool(evidence: Evidence, of: str, picked: set[int], needed: int) -> tuple[str, set[int]]:
    """Classes to draw from, at least as many as needed, with the words for it.

    Args:
        of: the designer whose dose is dealt.
        picked: its own classes.
    """
    everything, affected = set(range(len(evidence.names))), set(evidence.affected)
    pools = {
        f"outside the affected classes, their swallowers and {of}'s choice": everything
        - affected
        - set(evidence.swallowers)
        - picked,
        "outside the affected classes alone, because too few others are left": everything
        - affected,
        "among all classes, because too few others are left": everything,
    }
    return next((where, pool) for where, pool in pools.items() if len(pool) >= needed)


def _deals(
    evidence: Evidence, givers: Mapping[int, float], pool: set[int]
) -> Iterator[dict[int, int]]:
    """Giver -> taker, for each draw up to the evidence's."""
    generator = np.random.default_rng(evidence.random_seed)
    distance = _distances(evidence)
    seen: set[frozenset[tuple[int, float]]] = set()
    for _ in range(evidence.draw):
        for _ in range(_TRIES):
            takers: dict[int, int] = {}
            for giver in generator.permutation(sorted(givers)):
                left = np.array(sorted(pool - set(takers.values())))
                like = left[np.argsort(distance[giver, left], kind="stable")]
                takers[int(giver)] = int(generator.choice(like[:_NEIGHBOURS]))
            if _dealt(takers, givers) not in seen:
                break
        seen.add(_dealt(takers, givers))
        yield {giver: takers[giver] for giver in givers}


def _dealt(takers: Mapping[int, int], givers: Mapping[int, float]) -> frozenset[tuple[int, float]]:
    """What a deal comes to: classes and their strengths."""
    return frozenset((takers[giver], strength) for giver, strength in givers.items())


def _distances(evidence: Evidence) -> Floats:
    """How unlike two classes are, [C, C]; a number that is unknown counts as the mean one."""
    features = [evidence.accuracy()[evidence.tested_level], np.log1p(evidence.training_pictures)]
    squares = np.zeros((len(evidence.names),) * 2)
    for feature in features:
        known = np.where(np.isnan(feature), np.nanmean(feature), feature)
        spread = known.std()
        if spread > 1e-9:
            squares += np.subtract.outer(known, known) ** 2 / spread**2
    return np.sqrt(squares)
