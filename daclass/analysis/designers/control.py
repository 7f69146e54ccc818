"""The control: what a dose of weaker augmentation does to classes that nothing speaks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from daclass.analysis.designers.evidence import Design, Evidence, designed
from daclass.analysis.designers.informed import informed_strengths
from daclass.designer import designer
from daclass.inference.arrays import Floats

_NEIGHBOURS = 5  # matched classes that a draw chooses from
_TRIES = 50  # deals before a draw may repeat an earlier one


@designer(
    title="random classes",
    summary="The control: the strengths of “weaker for swallowers”, given to classes drawn at "
    "random among those of like accuracy and size.",
    role="control",
    changes_m=True,
    draws=True,
)
def random_classes(evidence: Evidence) -> Design:
    """fp_informed's strengths, dealt to random classes like those that they stand for.

    Each class that fp_informed changes hands its strength to one of the five classes most like it
    in accuracy at the strongest strength and in number of training pictures (distance in standard
    deviations, of the logarithm for the latter) that are left. Classes are neither affected, nor
    swallowers, nor fp_informed's own; where there are too few others, swallowers and fp_informed's
    own are let in, then all, and the summary says so.

    A draw differs from all earlier ones as far as the classes allow, and does not depend on how
    many follow: raising the number of draws keeps those that are there.
    """
    strongest, informed = evidence.strongest, informed_strengths(evidence)
    givers = {k: strength for k, strength in informed.items() if strength != strongest}
    if not givers:
        summary = "fp_informed changes no class: the same as uniform_strongest"
        return designed(evidence, strongest, summary)
    where, pool = _pool(evidence, set(informed), len(givers))
    *earlier, taker_of = _deals(evidence, givers, pool)
    accuracy, names = evidence.accuracy()[0], evidence.names
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
    summary = f"fp_informed's {len(givers)} strengths for random classes, drawn {where}" + (
        f"; the same as draw {again[0]}, because too few classes are left" if again else ""
    )
    return designed(evidence, strongest, summary, strengths, reasons)


def _pool(evidence: Evidence, informed: set[int], needed: int) -> tuple[str, set[int]]:
    """Classes to draw from, at least as many as needed, with the words for it."""
    everything, affected = set(range(len(evidence.names))), set(evidence.affected)
    pools = {
        "outside the affected classes, their swallowers and fp_informed's choice": everything
        - affected
        - set(evidence.swallowers)
        - informed,
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
    features = [evidence.accuracy()[0], np.log1p(evidence.training_pictures)]
    squares = np.zeros((len(evidence.names),) * 2)
    for feature in features:
        known = np.where(np.isnan(feature), np.nanmean(feature), feature)
        spread = known.std()
        if spread > 1e-9:
            squares += np.subtract.outer(known, known) ** 2 / spread**2
    return np.sqrt(squares)
