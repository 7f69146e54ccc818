"""What the sections of the GPU check share: pictures, networks, loaders, clocks and memory."""

from __future__ import annotations

import io
import os
import random
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from daclass.augment import RRC_SCALE, Policy, strength_table
from daclass.config import Augmentation, Beton, Machine, Training
from daclass.data.beton import write_beton
from daclass.training.batches import Batch, Samples
from daclass.training.devices import on_devices
from daclass.training.distributed import Crew
from daclass.training.loaders import train_loader
from daclass.training.loop import inputs_of
from daclass.training.recipe import Recipe
from daclass.training.runs import Run
from daclass.training.trainee import Trainee, start

GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if GPU else "cpu")
THREADS = len(os.sched_getaffinity(0))
NAMES = [f"c{number}" for number in range(1000)]
PHOTOGRAPHS, THUMBNAILS = Beton(write_mode="jpg", max_resolution=500), Beton()


@dataclass(frozen=True)
class Network:
    """A network as it is trained: batches of so many pictures of `side` px."""

    model: str
    batch: int
    side: int
    widths: tuple[int, int, int] = (16, 32, 64)


R18, R50 = Network("torchvision/resnet18", 1024, 192), Network("torchvision/resnet50", 512, 176)


@dataclass(frozen=True)
class Check:
    """What all sections share.

    Attributes:
        folder: for runs and pictures.
        samples: photographs of 500 x 375 px as JPEGs in a .beton.
        thumbnails: the same at 64 x 48 px, as pixels in a .beton.
        small: networks, pictures and times that a CPU can bear.
        seconds: how long a rate is measured.
        tell: writes a finding: what was looked at, and its numbers.
    """

    folder: Path
    samples: Samples
    thumbnails: Samples
    small: bool
    seconds: float
    tell: Callable[..., None]

    def recipe(self, network: Network, precision: str, **more: object) -> Recipe:
        if self.small:
            network = Network("small_resnet", 32, 32)
        settings = {
            "model": network.model, "batch_size": network.batch, "resolution": network.side,
            "widths": network.widths, "precision": precision, "nesterov": False,
            "val_resolution": 48 if self.small else 224, "epochs": 1000, "warmup_epochs": 0,
            "learning_rate": 0.1, "weight_decay": 1e-4,
        }  # fmt: skip
        return Recipe(0, Training.model_validate(settings | more), Augmentation(), PHOTOGRAPHS)

    @property
    def half(self) -> str:
        return "float16" if GPU else "float32"

    def runs(self, count: int, store: str = "store") -> list[Run]:
        strengths = np.linspace(0.08, 0.99, count).round(3).tolist()
        return [
            Run(f"{s:g}", Policy(RRC_SCALE, s), 0, "check", self.folder / store) for s in strengths
        ]

    def trainees(self, recipe: Recipe, count: int, **machine: bool) -> list[Trainee]:
        runs, labels = self.runs(count), self.samples.labels
        made = start(recipe, runs, labels, NAMES, [DEVICE], Crew(), Machine(**machine))
        for trainee in made:
            trainee.model.train()
        return made

    def batches(
        self, recipe: Recipe, count: int, samples: Samples, threads: int = THREADS
    ) -> Iterator[Batch]:
        """The loader's epochs for `count` runs, on the device."""
        policies = [run.policy for run in self.runs(count)]
        strengths = strength_table(RRC_SCALE, policies, samples.labels, NAMES)
        loader = train_loader(recipe, samples, strengths, 0, threads)
        for epoch in range(recipe.training.epochs):
            batches = loader.epoch(epoch, 0, recipe.training.resolution)
            for batch in on_devices(batches, [DEVICE]):
                if not GPU:
                    torch.set_num_threads(1)  # FFCV sets its own
                yield batch[DEVICE]

    def rate(self, act: Callable[[], object], between: int = 8) -> float:
        """Calls per second."""
        began, calls = finished(), 0
        while time.monotonic() - began < self.seconds:
            act()
            calls += 1
            if calls % between == 0:
                finished()
        return calls / (finished() - began)


def step(trainees: Sequence[Trainee], batch: Batch) -> None:
    """A step of each run, as the training loop takes it."""
    for trainee in trainees:
        trainee.step(*inputs_of(batch, trainee.place), 0.01)
    for trainee in trainees:
        trainee.join()


def finished() -> float:
    """The time when the GPU has done its work."""
    if GPU:
        torch.cuda.synchronize()
    return time.monotonic()


def memory() -> dict[str, float]:
    """Peak of the GPU's memory and the host's now, in GB."""
    host = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e9
    peak = {"gpu_gb": round(torch.cuda.max_memory_allocated() / 1e9, 1)} if GPU else {}
    return {**peak, "host_gb": round(host, 2)}


def resident(recipe: Recipe) -> Batch:
    """A batch of noise on the device."""
    size, side = recipe.training.batch_size, recipe.training.resolution
    pictures = torch.randint(256, (size, 1, side, side, 3), dtype=torch.uint8, device=DEVICE)
    labels = torch.arange(size, device=DEVICE) % len(NAMES)
    return Batch(pictures.permute(0, 1, 4, 2, 3), labels, torch.arange(size))


def pictures_in(folder: Path, archive: Path, *, small: bool) -> tuple[Samples, Samples]:
    """Photographs, and thumbnails of them.

    Called before there are threads and CUDA: the writer forks.
    """
    with tarfile.open(archive) as tar:
        members = islice((member for member in tar if member.isfile()), 400)
        contents = [tar.extractfile(member).read() for member in members]
        photographs = [content for content in contents if content[:2] == b"\xff\xd8"]
    distinct, total = (64, 512) if small else (1024, 24576)
    make = partial(_mosaic, folder=folder, photographs=photographs)
    with ProcessPoolExecutor(THREADS) as pool:
        pairs = list(pool.map(make, range(distinct), chunksize=16))
    labels, written = np.arange(total) % len(NAMES), []
    for name, files, settings in zip(
        ("photographs", "thumbnails"), zip(*pairs, strict=True), (PHOTOGRAPHS, THUMBNAILS),
        strict=True,
    ):  # fmt: skip
        samples = Samples(folder / f"{name}.beton", list(files) * (total // distinct), labels)
        write_beton(samples.files, samples.labels, settings, samples.beton, workers=THREADS)
        written.append(samples)
    np.save(folder / "labels.npy", labels)  # for processes that only read
    return written[0], written[1]


def _mosaic(number: int, folder: Path, photographs: list[bytes]) -> tuple[Path, Path]:
    """Four photographs as one JPEG of 500 x 375 px, and its thumbnail of 64 x 48 px."""
    rng = random.Random(number)
    whole = Image.new("RGB", (500, 375))
    for place in range(4):
        one = Image.open(io.BytesIO(rng.choice(photographs))).convert("RGB").resize((250, 188))
        whole.paste(one, (250 * (place % 2), 188 * (place // 2)))
    photograph, thumbnail = folder / f"{number}.jpg", folder / f"{number}.png"
    whole.save(photograph, quality=90)
    whole.resize((64, 48)).save(thumbnail)
    return photograph, thumbnail
