"""The plan as text for a terminal. Every estimate says where it comes from."""

from __future__ import annotations

import math
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from daclass.augment.pictures import picture_size
from daclass.config import Layout, PredictionsData, Study, Training
from daclass.errors import InputError
from daclass.plan.cores import demand, told
from daclass.plan.counts import Counts, count
from daclass.plan.disk import checkpoint_bytes, kept
from daclass.plan.jobs import Job, jobs
from daclass.plan.runs import Wanted, wanted
from daclass.plan.speed import Speed, job_hours, measured, published, stored
from daclass.realised import known_sizes, view_lines
from daclass.wording.numbers import counted
from daclass.wording.runs import few_runs

MEASURED = "measured here, without reading pictures"
STORED = "an estimate, by earlier runs"
FOREIGN = "an estimate, by other machines; --measure times this one"
"""Where speeds come from, the last one being that of `daclass/plan/speeds.csv`."""


def plan(
    study: Study,
    layout: Layout,
    config: Path,
    changes: Sequence[str] = (),
    *,
    measure: float | None = None,
    sizes: tuple[int, int, int] | None = None,
) -> str:
    """What a study still costs.

    Args:
        measure: time real steps here for so many seconds.
        sizes: training pictures of a draw, validation pictures and classes, where the pictures are
            not here to be counted.

    Raises:
        InputError: the study trains nothing, or a file or setting is wrong.
    """
    if isinstance(study.data, PredictionsData):
        raise InputError("data.source: a study of predictions trains nothing: nothing to plan")
    phases = [wanted(study, layout, phase) for phase in study.phases]
    unknown = ""
    counts = Counts(*sizes, "--sizes") if sizes else None
    if counts is None:
        try:
            counts = count(study, layout)
        except InputError as error:
            unknown = str(error)
    lines = [f"{study.name}: {study.title}" if study.title else study.name, "", "Runs"]
    lines += _runs(layout, phases)
    lines += ["", "Training"]
    if counts:
        sides = [picture_size(file, study.beton.max_resolution) for file in counts.sample]
        sides = sides or known_sizes(study)
        lines += _training(study, layout, counts, phases, sides, measure)
        lines += ["", "Prediction", _prediction(study, counts, phases)]
        lines += _view(study, sides)
        lines += ["", "Disk", *_disk(study, layout, counts, phases)]
    else:
        lines.append(f"  hours and disk: unknown; {unknown}")
        lines.append(
            "  --sizes TRAIN VAL CLASSES tells how many pictures and classes there will be"
        )
    lines += ["", "Jobs that would run, and why", *_jobs(jobs(study, layout))]
    return "\n".join(lines)


def _runs(layout: Layout, phases: Sequence[Wanted]) -> Iterator[str]:
    for phase in phases:
        missing, bound = len(phase.missing) + phase.open, phase.bound
        why = f" ({phase.why})" if phase.why else ""
        yield (
            f"  {phase.phase}: {bound}{phase.at_most} = "
            f"{counted(phase.policies, 'policy', 'policies')} x {counted(len(phase.seeds), 'seed')}"
            f"; {len(phase.stored)} stored, {bound}{missing} missing{why}"
        )
        if said := few_runs(len(phase.seeds), "seeds"):
            yield f"  {phase.phase}: {said}"
        begun = sum(run.checkpoint.is_file() for run in phase.missing)
        if begun:
            yield f"  {phase.phase}: {begun} of the missing go on from a checkpoint"
    for store in layout.stores:
        if trained := len(list(store.glob("*/weights.safetensors"))):
            yield f"  {store} holds {trained} trained runs, of these settings and of others"


def _training(
    study: Study,
    layout: Layout,
    counts: Counts,
    phases: Sequence[Wanted],
    sides: Sequence[tuple[int, int]],
    measure: float | None,
) -> Iterator[str]:
    training = study.training
    yield (
        f"  a run: {training.model}{_start(training)}, {training.epochs} epochs of "
        f"{counts.train:,} pictures of {training.resolution} px "
        f"(numbers from {counts.origin})"
    )
    if not any(phase.missing or phase.open for phase in phases):
        yield "  0 hours: no run is missing"
        return
    here = measured(study, counts, measure) if measure else stored(study, layout, phases)
    speeds = [here] if here else published(study)
    units = sorted({speed.unit for speed in speeds} - {"", "core"})
    if study.machine.device.startswith("cuda") and not _gpu_for(study):
        yield f"  ! machine.device: {study.machine.device}: there is no usable GPU here"
    if units and not (measure or _gpu_for(study)):
        yield (
            "  hours here: unknown, since there is no GPU; --measure times its cores. By "
            f"published speeds, on {' and '.join(units)}:"
        )
    if not speeds:
        yield (
            "  hours: unknown. No run with this recipe is stored, and no speed of this network is "
            "published (daclass/plan/speeds.csv); --measure times its steps here"
        )
        return
    for speed in speeds:
        for phase in phases:
            jobs_hours = job_hours(study, counts, speed, phase)
            total = sum(jobs_hours)
            if total:
                yield (
                    f"  {phase.phase}: {_hours(total * speed.units)} {speed.unit or 'job'}-hours; "
                    f"{_until_done(jobs_hours, speed)}"
                )
        each = f" on {speed.units} x {speed.unit}" if speed.unit else ""
        rate = f"{speed.pictures:,.0f} pictures of {speed.side:.0f} px per second and job{each}"
        basis = MEASURED if measure else STORED if here else FOREIGN
        yield f"  {basis}: {rate}"
        yield f"  ({speed.origin})"
        if speed.unit not in {"", "core"}:
            yield f"  {told(study, demand(study, 'sweep', speed.pictures, sides), speed.unit)}"
    yield "  start-up, checkpoints and prediction come on top; a picture's time goes with its area"


def _until_done(jobs_hours: Sequence[float], speed: Speed) -> str:
    """How long a phase's jobs take from the first to the last: on the cores here, as many at a time
    as fit, or all at once where they compute on other machines' GPUs."""
    number, longest = sum(map(bool, jobs_hours)), max(jobs_hours)
    cores = len(os.sched_getaffinity(0))
    if speed.unit == "core":
        at_once = min(max(cores // speed.units, 1), number)
        hours = _hours(math.ceil(number / at_once) * longest)
        here = f"on the {counted(cores, 'core')} here, {counted(at_once, 'job')} at a time"
        return f"{hours} hours {here}"
    together = f"all {number} jobs run at once" if number > 1 else "its one job runs alone"
    return f"{_hours(longest)} hours if {together}"


def _start(training: Training) -> str:
    if training.init == "random":
        return ""
    return " from published weights" if training.init == "pretrained" else f" from {training.init}"


def _prediction(study: Study, counts: Counts, phases: Sequence[Wanted]) -> str:
    """What judging takes: every run sees each validation picture once per view."""
    training, views = study.training, len(study.views)
    runs = sum(phase.at_most for phase in phases)
    bound = "at most " if any(phase.why for phase in phases) else ""
    judged = runs * views * counts.val * (1 + training.val_flip)
    tuning = study.interventions.fine_tuning if study.interventions else None
    epochs = {"fine_tuning": tuning.epochs} if tuning else {}
    trained = counts.train * sum(
        phase.at_most * epochs.get(phase.phase, training.epochs) for phase in phases
    )
    share = judged * training.val_resolution**2 / (trained * training.resolution**2)
    flipped = " x 2 (mirrored too)" if training.val_flip else ""
    return (
        f"  {bound}{runs} runs x {views} views x {counts.val:,} pictures{flipped}: {share:.1%} as "
        "many pixels as training sees, and without its backward pass"
    )


def _view(study: Study, sides: Sequence[tuple[int, int]]) -> list[str]:
    """How sharp training crops and validation pictures are, as far as sizes are known."""
    return ["", "View", *(f"  {line}" for line in view_lines(study, sides))] if sides else []


def _gpu_for(study: Study) -> bool:
    """Whether this machine has a GPU that the study may use."""
    import torch

    return study.machine.device != "cpu" and torch.cuda.is_available()


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.2g}"


def _disk(study: Study, layout: Layout, counts: Counts, phases: Sequence[Wanted]) -> Iterator[str]:
    items = kept(study, layout, counts, phases)
    for item in items:
        needed = "unknown" if item.needed is None else _size(item.needed)
        yield f"  {item.name}: {needed}, {_size(item.there)} of it there ({item.origin})"
    missing = sum(max((item.needed or 0) - item.there, 0) for item in items)
    checkpoints = checkpoint_bytes(study, counts, phases)
    free = shutil.disk_usage(_existing(layout.results)).free
    more = " and more" if any(item.needed is None for item in items) else ""
    yield (
        f"  still to be written: {_size(missing)}{more}, tables, figures and report apart (some "
        f"MB); for checkpoints up to {_size(checkpoints)} more at a time"
    )
    short = "; THIS WILL NOT FIT" if missing + checkpoints > free else ""
    yield f"  free in {_existing(layout.results)}: {_size(free)}{short}"


def _existing(folder: Path) -> Path:
    """`folder`, or the nearest one above it that exists."""
    return next(each for each in (folder, *folder.absolute().parents) if each.is_dir())


def _size(size: float) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def _jobs(found: Sequence[Job]) -> Iterator[str]:
    """A line per stage and kind of reason, with the first reason as its example."""
    if not found:
        yield "  none: everything is up to date"
    numbers = Counter((job.stage, _kind(job)) for job in found)
    first = {(job.stage, _kind(job)): job.reason for job in reversed(found)}
    for (stage, kind), number in numbers.items():
        yield f"  {number:>4} {stage}: {first[stage, kind]}"


def _kind(job: Job) -> str:
    return job.reason.split(":")[0]
