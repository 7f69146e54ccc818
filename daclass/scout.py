"""Scouting: a few full trainings that say which strength to test, and with how many seeds.

Shorter trainings would mislead, because the best strength moves with the length of training. So
networks are trained as the study trains them, with seeds that it does not use: first at every other
strength of its grid, then at those around the best one. What is chosen is chosen on the selection
half, as `analysis.tested: best` does; the study then names it before its own data are seen.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml

from daclass.analysis.best import best_level
from daclass.analysis.cells import Cells
from daclass.analysis.conditions import Conditions
from daclass.analysis.scouting import coarse, finer, kept, seeds_needed
from daclass.analysis.tested import averages
from daclass.atomic import replacing
from daclass.config import Layout, PredictionsData, Study
from daclass.errors import InputError
from daclass.stages import jobs_of
from daclass.stages.analysis import EVIDENCE, cells
from daclass.stages.stage import table

Train = Callable[[Study, Path], None]
"""Trains and predicts a study's sweep; takes the study and the file that holds it."""


class Scouted(NamedTuple):
    """What scouting found.

    Attributes:
        accuracy: mean class accuracy on the selection half by strength, the strongest first.
        tested: the best of those stronger than the reference.
        reference: what it is compared with.
        strengths: those that the study trains.
        seeds: how many seeds it needs; None where no number is enough.
        scouting: number of scouting's own seeds.
    """

    accuracy: dict[float, float]
    tested: float
    reference: float
    strengths: tuple[float, ...]
    seeds: int | None
    scouting: int


def scout(study: Study, layout: Layout, seeds: int, drop: float, train: Train) -> Scouted:
    """Train a few networks of a study, and say what the study should be.

    Args:
        study: with all strengths that come into question in `sweep.strengths`.
        layout: of the study; what scouting trains lies beside it, under <name>-scout.
        seeds: number of scouting's own seeds, at least 2.
        drop: of a class's accuracy, a share, that the study is to find.
        train: how a sweep is trained.

    Raises:
        InputError: a study that trains nothing; fewer than 2 seeds; a drop that is no share.
    """
    if not study.sweep:
        raise InputError("scout: the study trains nothing, so there is nothing to scout")
    if seeds < 2:
        raise InputError(f"scout: {seeds} seed says nothing of how seeds differ; take at least 2")
    if not 0 < drop < 1:
        raise InputError(f"scout: a drop is a share of accuracy in (0, 1), not {drop:g}")
    grid, reference = study.strengths, study.reference_strength
    tried = sorted({*coarse(grid), reference}, key=grid.index)
    found = _judge(study, layout, tried, seeds, train)
    around = finer(grid, tried, _best(study, found, tried))
    if around:
        tried = sorted({*tried, *around}, key=grid.index)
        found = _judge(study, layout, tried, seeds, train)
    best = _best(study, found, tried)
    names = [study.uniform_name(one) for one in tried]
    compared = Conditions.of(
        [study.uniform_name(best), study.uniform_name(reference)],
        study.uniform_name(reference),
        found.table,
    )
    needed = seeds_needed(found, compared, drop, q=study.analysis.affected.q)
    accuracy = dict(zip(tried, averages(found, names).tolist(), strict=True))
    strengths = tuple(kept(tried, best, reference))
    return Scouted(accuracy, best, reference, strengths, needed, seeds)


def scouting_study(study: Study, strengths: Sequence[float], seeds: int) -> Study:
    """The study that scouting trains: the same recipe, other seeds, and no more than it needs."""
    assert study.sweep is not None
    first = 1 + max([*study.sweep.seeds, *study.seeds("interventions")])
    own = list(range(first, first + seeds))
    content = study.model_dump(mode="json", exclude_defaults=True)
    content["name"] = f"{study.name}-scout"
    content["sweep"] = {"strengths": list(strengths), "seeds": own}
    content.pop("interventions", None)
    content["analysis"] = {
        **content.get("analysis", {}), "tested": "best", "views": [], "logit_shift": False,
    }  # fmt: skip
    _with_draws(content, study, own)
    return Study.model_validate(content)


def scouted_study(study: Study, found: Scouted) -> Study:
    """The study as scouting would have it."""
    assert study.sweep is not None
    content = study.model_dump(mode="json", exclude_defaults=True)
    taken = set(study.seeds("interventions"))
    seeds = list(study.sweep.seeds)[: found.seeds]
    beyond = 1 + max([*study.sweep.seeds, *taken]) + found.scouting
    seeds += [beyond + n for n in range((found.seeds or 0) - len(seeds))]
    content["sweep"] = {"strengths": list(found.strengths), "seeds": seeds}
    content["analysis"] = {
        **content.get("analysis", {}), "tested": found.tested, "reference": found.reference,
    }  # fmt: skip
    _with_draws(content, study, seeds)
    return Study.model_validate(content)


def _with_draws(content: dict[str, Any], study: Study, seeds: Sequence[int]) -> None:
    """Draw the training pictures so often that new seeds train on draws of their own."""
    if not isinstance(study.data, PredictionsData) and study.data.draws > 1:
        content["data"]["draws"] = max(study.data.draws, max(seeds) + 1)


def report(study: Study, found: Scouted, drop: float) -> str:
    """What scouting found, in plain lines."""
    assert study.sweep is not None
    after = scouted_study(study, found)
    assert after.sweep is not None
    seeds = len(after.sweep.seeds)
    whole = len(study.strengths) * seeds
    spent = len(found.accuracy) * found.scouting + len(found.strengths) * seeds
    lines = [f"{study.axis.name}, mean class accuracy on the selection half:"]
    lines += [f"  {strength:g}: {value:.1%}" for strength, value in found.accuracy.items()]
    lines.append(
        f"The tested strength is {found.tested:g}, compared with {found.reference:g}. "
        f"The study trains {', '.join(f'{one:g}' for one in found.strengths)}."
    )
    lines.append(
        f"{found.seeds} seeds find a drop of {100 * drop:g} points in a middling class with a "
        "probability of 80%."
        if found.seeds
        else f"No number of seeds finds a drop of {100 * drop:g} points in a middling class: it "
        "takes more pictures per class. The config's seeds stay."
    )
    lines.append(
        f"Trainings of the sweep: {spent}, scouting's {len(found.accuracy) * found.scouting} "
        f"included, against {whole} for the whole grid with as many seeds."
    )
    return "\n".join(lines)


def write(study: Study, found: Scouted, drop: float, config: Path) -> None:
    """Write the study as scouting would have it, with what was found as comments."""
    told = [
        line
        for paragraph in report(study, found, drop).splitlines()
        for line in textwrap.wrap(paragraph, 98, subsequent_indent="  ")
    ]
    head = "\n".join(["# Written by daclass scout, with seeds that this study does not use:",
                      *(f"# {line}" for line in told)])  # fmt: skip
    content = yaml.safe_load(scouted_study(study, found).as_yaml())
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    with replacing(config) as partial:
        partial.write_text(f"{head}\n{text}", encoding="utf-8")


def _judge(
    study: Study, layout: Layout, strengths: Sequence[float], seeds: int, train: Train
) -> Cells:
    """Train networks at some strengths; runs that are there already are used."""
    trial = scouting_study(study, strengths, seeds)
    where = Layout(trial.name, layout.results_root, layout.figures_root)
    config = where.results / "scout.yaml"
    with replacing(config) as partial:
        partial.write_text(trial.as_yaml(), encoding="utf-8")
    trial = Study.load(config)
    train(trial, config)
    jobs = jobs_of(trial, where)
    evidence: dict[str, pd.DataFrame] = {name: jobs.read(table(name)) for name in EVIDENCE}
    return cells(trial, jobs.read(table("predictions", "sweep")), **evidence)


def _best(study: Study, found: Cells, tried: Sequence[float]) -> float:
    """The best on average of the strengths that are stronger than the reference."""
    stronger = list(tried[: tried.index(study.reference_strength)])
    names = [study.uniform_name(one) for one in stronger]
    return stronger[best_level(averages(found, names))]
