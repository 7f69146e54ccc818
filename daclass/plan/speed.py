"""How fast training is, and how many hours that makes."""

from __future__ import annotations

import csv
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from daclass.augment import Policy
from daclass.config import Layout, Study, Training
from daclass.plan.counts import Counts
from daclass.plan.runs import Wanted, epochs_done, journal
from daclass.training.devices import devices
from daclass.training.distributed import Crew
from daclass.training.recipe import Recipe, resolution, tuned
from daclass.training.runs import Run
from daclass.training.trainee import start

PUBLISHED = Path(__file__).with_name("speeds.csv")
"""One training a row: `devices` x `device` took `minutes` for `epochs` over `pictures`, whose side
was `side` px (the root of the mean square over the epochs); `runs` shared every decode, and each
counts its own `pictures`."""

WARM_UP = 3  # steps that are not timed
# What a step's time depends on. How long training is, and how validation is done, do not matter.
DECIDING = (
    "model", "widths", "blur_pool", "resolution", "batch_size", "processes", "precision", "loader",
)  # fmt: skip


@dataclass(frozen=True)
class Speed:
    """How fast a training job is.

    Attributes:
        pictures: training pictures per second, each counted once for every run that sees it.
        side: of so many px.
        units: how many of `unit` the job computes on.
        unit: a core, or a kind of GPU; "" where it is not known.
        origin: where the number comes from, for the reader.
    """

    pictures: float
    side: float
    units: int
    unit: str
    origin: str


def job_hours(study: Study, counts: Counts, speed: Speed, phase: Wanted) -> list[float]:
    """Hours that the training job of each seed still takes. Interrupted runs go on from their
    checkpoint."""

    recipe, before = study.training, 0
    if phase.phase == "fine_tuning":
        assert study.interventions and study.interventions.fine_tuning
        recipe = tuned(study.training, study.interventions.fine_tuning)
        before = study.training.epochs

    def left(done: int) -> float:
        return work(recipe, counts.train, done, speed.side) / speed.pictures / 3600

    unknown = left(0) * phase.open / len(phase.seeds)
    return [
        unknown + sum(left(epochs_done(run, before)) for run in phase.missing if run.seed == seed)
        for seed in phase.seeds
    ]


def work(training: Training, pictures: int, done: int, side: float) -> float:
    """How many pictures of `side` px cost what a run still sees after its first `done` epochs: the
    cost of a picture goes with its area."""
    seen = pictures // training.batch_size * training.batch_size
    sides = (resolution(training, epoch) for epoch in range(done, training.epochs))
    return sum(seen * (each / side) ** 2 for each in sides)


def stored(study: Study, layout: Layout, phases: Sequence[Wanted]) -> Speed | None:
    """By the journals of the run store: of this study's runs, and of others with such a recipe."""
    folders = {run.folder for phase in phases for run in phase.runs}
    folders |= {
        weights.parent
        for store in layout.stores
        for weights in store.glob("*/weights.safetensors")
        if _recipe(weights) == _recipe_of(study.training)
    }
    side = study.training.resolution
    rates = [
        row["images_per_second"] * (row.get("resolution", side) / side) ** 2
        for folder in folders
        for row in journal(folder / "metrics.jsonl")
        if "images_per_second" in row
    ]
    if not rates:
        return None
    told = {folder.parent for folder in folders if (folder / "metrics.jsonl").is_file()}
    number = sum((folder / "metrics.jsonl").is_file() for folder in folders)
    where = f"the median epoch of {number} runs in {', '.join(map(str, sorted(told)))}, on "
    where += "whatever they ran"
    return Speed(statistics.median(rates), side, 1, "", where)


def published(study: Study) -> list[Speed]:
    """By the table of published and measured trainings, a speed for each kind of device: of those
    of this network the one whose number of epochs, then of runs on one decode, is nearest."""
    training = study.training
    network = training.model.removeprefix("torchvision/").partition(".")[0]  # without timm's tag
    if network == "small_resnet":
        network += " " + "-".join(map(str, training.widths))
    with PUBLISHED.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["network"] == network]
    runs, speeds = len(study.policy_names("sweep")), []

    def distance(row: dict[str, str]) -> tuple[int, int]:
        return abs(int(row["epochs"]) - training.epochs), abs(int(row["runs"]) - runs)

    for device in sorted({row["device"] for row in rows}):
        row = min((row for row in rows if row["device"] == device), key=distance)
        seconds = 60 * float(row["minutes"]) * int(row["devices"])
        a_unit = int(row["pictures"]) * int(row["epochs"]) / seconds
        units = _units(study, gpu=device != "core")
        speeds.append(Speed(a_unit * units, float(row["side"]), units, device, row["source"]))
    return speeds


def measured(study: Study, counts: Counts, seconds: float) -> Speed:
    """By real steps of one run on this machine, on pictures of noise.

    Reading and cropping pictures is left out: a loader that cannot keep up comes on top.

    Raises:
        InputError: the network or the device is not there.
    """
    training, seed = study.training, study.seeds("sweep")[0]
    run = Run("measured", Policy(study.axis, study.strongest), seed, "", Path())
    batch = training.batch_size // training.processes
    with devices(study.machine) as computing:
        device, gpu = computing[0], computing[0].type == "cuda"
        if not gpu:
            torch.set_num_threads(study.machine.threads)
        names = [str(number) for number in range(counts.classes)]
        chosen = np.arange(batch) % counts.classes
        drawn = training.model_copy(update={"init": "random"})  # no weights are fetched for this
        recipe = Recipe(study.seed, drawn, study.augmentation, study.beton)
        (trainee,) = start(recipe, [run], chosen, names, [device], Crew(), study.machine)
        trainee.model.train()
        shape = (batch, 3, training.resolution, training.resolution)
        pictures = torch.randint(256, shape, dtype=torch.uint8, device=device)
        labels = torch.from_numpy(chosen).to(device)
        steps, spent = 0, 0.0
        for now in _ticks(device):
            if steps == WARM_UP:
                began = now
            if steps > WARM_UP and (spent := now - began) >= seconds:
                break
            trainee.step(pictures, labels, 0.0)
            steps += 1
    timed = steps - WARM_UP
    units = _units(study, gpu=gpu)
    name = torch.cuda.get_device_name(device) if gpu else "core"
    # One GPU was timed of those that a job has; of cores, all that one process has.
    times = units if gpu else training.processes
    origin = f"{timed} steps of {batch} pictures here, on noise, in {spent:.1f} s"
    return Speed(times * batch * timed / spent, training.resolution, units, name, origin)


def _ticks(device: torch.device) -> Iterator[float]:
    """The time, for ever, whenever the device has done its work."""
    while True:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        yield time.monotonic()


def _units(study: Study, *, gpu: bool) -> int:
    machine = study.machine
    return study.training.processes * (machine.devices if gpu else machine.threads)


def _recipe_of(training: Training) -> dict[str, object]:
    return {name: training.model_dump(mode="json")[name] for name in DECIDING}


def _recipe(weights: Path) -> dict[str, object] | None:
    """What a stored run was trained with; None where its file does not say."""
    try:
        with safe_open(weights, framework="pt") as file:
            training = json.loads(file.metadata()["daclass.study"])["training"]
        return {name: training[name] for name in DECIDING}
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
