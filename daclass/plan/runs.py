"""Which runs a study wants, and which of them its store has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from daclass.augment import Policy
from daclass.config import Layout, Phase, Study
from daclass.designer import TESTED
from daclass.errors import InputError
from daclass.plan.index import current_index
from daclass.stages.training import recipe_digest
from daclass.training.runs import Run, fingerprint, plan_fine_tuning, plan_runs


@dataclass(frozen=True)
class Wanted:
    """The runs of a phase.

    Attributes:
        policies: how many there are.
        seeds: the run seeds; each is a training job.
        runs: those whose key is known, each once: equal policies share a run.
        open: how many more there are, whose key is not known yet.
        why: why there may be fewer to train; "" where all of `open` are.
    """

    phase: Phase
    policies: int
    seeds: Sequence[int]
    runs: Sequence[Run]
    open: int = 0
    why: str = ""

    @property
    def bound(self) -> str:
        """What stands before numbers that may turn out smaller."""
        return "at most " if self.why else ""

    @property
    def stored(self) -> list[Run]:
        return [run for run in self.runs if run.trained]

    @property
    def missing(self) -> list[Run]:
        return [run for run in self.runs if not run.trained]

    @property
    def at_most(self) -> int:
        return len(self.runs) + self.open


def wanted(study: Study, layout: Layout, phase: Phase) -> Wanted:
    """The runs of a phase, by the keys that training uses.

    Raises:
        InputError: a table or a policy file is damaged.
    """
    names, seeds = study.policy_names(phase), study.seeds(phase)
    unknown = Wanted(phase, len(names), seeds, (), len(names) * len(seeds))
    policies = _policies(study, layout, phase)
    if policies is None:
        return replace(unknown, why="the sweep decides the policies; equal ones share a run")
    index = current_index(study, layout)
    if index is None:
        empty = not any(any(store.glob("*/weights.safetensors")) for store in layout.stores)
        why = "which stored runs fit is known once the pictures are indexed"
        return unknown if empty else replace(unknown, why=why)
    runs = _runs(study, layout, phase, policies, index)
    return Wanted(phase, len(names), seeds, list({run.key: run for run in runs}.values()))


def _runs(
    study: Study, layout: Layout, phase: Phase, policies: Mapping[str, Policy], index: pd.DataFrame
) -> list[Run]:
    """A run for each policy and seed; equal policies give equal keys."""
    seeds = study.seeds(phase)
    if phase == "fine_tuning":
        designed = _policies(study, layout, "interventions")
        assert designed is not None  # fine-tuned policies are the designed ones
        tested = {TESTED: designed[TESTED]}
        parents = _runs(study, layout, "interventions", tested, index)
        recipe, stores = study.digest("interventions.fine_tuning"), layout.stores
        return [
            run for parent in parents for run in plan_fine_tuning(recipe, policies, parent, *stores)
        ]
    recipe, pictures = recipe_digest(study), {}
    for draw in {study.draw(seed) for seed in seeds}:  # hashing the rows of ImageNet takes seconds
        rows = index[(index["split"] == "train") & (index["draw"] == draw)]
        pictures[draw] = fingerprint(rows)
    return [
        run
        for seed in seeds
        for run in plan_runs(recipe, pictures[study.draw(seed)], policies, seed, *layout.stores)
    ]


def _policies(study: Study, layout: Layout, phase: Phase) -> dict[str, Policy] | None:
    """The policies of a phase by name; None where they are not designed yet."""
    if phase == "sweep":
        return {study.uniform_name(s): Policy(study.axis, s) for s in study.strengths}
    paths = {name: layout.policy(phase, name) for name in study.policy_names(phase)}
    if not all(path.is_file() for path in paths.values()):
        return None
    try:
        return {name: Policy.load(path) for name, path in paths.items()}
    except ValueError as error:
        raise InputError(str(error)) from None


def epochs_done(run: Run, before: int = 0) -> int:
    """Epochs behind an interrupted run's checkpoint, by its journal; 0 without one.

    Args:
        before: where its journal counts from: a fine-tuned run's, from the end of its parent's.
    """
    rows = journal(run.metrics) if run.checkpoint.is_file() else []
    return max((int(row["epoch"]) - before for row in rows), default=0)


def journal(metrics: Path) -> list[dict[str, float]]:
    """The rows of a metrics.jsonl, but for damaged ones; none where there is no file."""
    rows = []
    for line in metrics.read_text(errors="replace").splitlines() if metrics.is_file() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        numbers = isinstance(row, dict) and all(isinstance(row[name], int | float) for name in row)
        if numbers and "epoch" in row:
            rows.append(row)
    return rows
