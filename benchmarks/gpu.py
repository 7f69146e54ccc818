"""The GPU path, checked and timed in about six minutes: one JSON line for each finding.

    python benchmarks/gpu.py PHOTOGRAPHS.tar --out gpu.jsonl [--sections limit,share] [--small]

PHOTOGRAPHS.tar holds JPEG photographs of any size, of which 500 x 375 px mosaics are made.
`--small` tries every section on a machine without a GPU. `benchmarks/gpu.sh` gathers what a GPU
machine without a network needs. benchmarks/README.md says what was found on which card.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import random
import signal
import sys
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from daclass.augment import RRC_SCALE, Policy, epoch_key, image_keys
from daclass.augment.batch import batch_operation
from daclass.config import Augmentation, Beton, Machine, Training
from daclass.data.beton import write_beton
from daclass.training.batches import Batch, Samples
from daclass.training.checkpoint import load_checkpoint, save_checkpoint
from daclass.training.devices import on_devices
from daclass.training.distributed import Crew
from daclass.training.loaders import train_loader, val_loader
from daclass.training.loop import inputs_of, train
from daclass.training.models import Normalise, autocast, build_model
from daclass.training.recipe import Recipe
from daclass.training.runs import Run
from daclass.training.trainee import Trainee, start
from daclass.training.validate import logits

GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if GPU else "cpu")
THREADS = len(os.sched_getaffinity(0))
NAMES = [f"c{number}" for number in range(1000)]
BETON = Beton(write_mode="jpg", max_resolution=500)
R18, R50 = ("torchvision/resnet18", 1024, 192), ("torchvision/resnet50", 512, 176)
AXES = {
    "color_jitter": 0.5, "randaugment": 9.0, "random_erasing": 0.5, "mixup": 0.2, "cutmix": 1.0,
    "blur": 2.0,
}  # fmt: skip


@dataclass(frozen=True)
class Check:
    """What all sections share.

    Attributes:
        samples: pictures as a .beton.
        small: networks, pictures and times that a CPU can bear.
        seconds: how long a rate is measured.
        tell: writes a finding: what was looked at, and its numbers.
    """

    folder: Path
    samples: Samples
    small: bool
    seconds: float
    tell: Callable[..., None]

    def recipe(self, network: tuple[str, int, int], precision: str, **more: object) -> Recipe:
        model, batch, side = network if not self.small else ("small_resnet", 32, 32)
        settings = {
            "model": model, "batch_size": batch, "resolution": side, "precision": precision,
            "val_resolution": 48 if self.small else 224, "epochs": 1000, "warmup_epochs": 0,
            "learning_rate": 0.1, "weight_decay": 1e-4, "nesterov": False,
        }  # fmt: skip
        training = Training.model_validate(settings | more)
        return Recipe(0, training, Augmentation(), BETON)

    @property
    def half(self) -> str:
        return "float16" if GPU else "float32"

    def runs(self, count: int, store: str = "store") -> list[Run]:
        strengths = np.linspace(0.08, 0.99, count).round(3).tolist()
        return [
            Run(f"{s:g}", Policy(RRC_SCALE, s), 0, "check", self.folder / store) for s in strengths
        ]

    def trainees(self, recipe: Recipe, count: int, *, compiled: bool = False) -> list[Trainee]:
        labels, devices = self.samples.labels, [DEVICE]
        made = start(recipe, self.runs(count), labels, NAMES, devices, Crew(), compiled=compiled)
        for trainee in made:
            trainee.model.train()
        return made

    def batches(self, recipe: Recipe, count: int) -> Iterator[Batch]:
        """The loader's first epoch for `count` runs."""
        labels = self.samples.labels
        strengths = np.stack([run.policy.strengths(NAMES)[labels] for run in self.runs(count)])
        loader = train_loader(recipe, self.samples, strengths, 0, THREADS)
        return iter(loader.epoch(0, 0, recipe.training.resolution))

    def rate(self, act: Callable[[], object], between: int = 8) -> float:
        """Calls a second."""
        began, calls = finished(), 0
        while time.monotonic() - began < self.seconds:
            act()
            calls += 1
            if calls % between == 0:
                finished()
        return calls / (finished() - began)


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


def resident(recipe: Recipe) -> tuple[Tensor, Tensor]:
    """A batch of noise on the device."""
    size, side = recipe.training.batch_size, recipe.training.resolution
    pictures = torch.randint(256, (size, side, side, 3), dtype=torch.uint8, device=DEVICE)
    return pictures.permute(0, 3, 1, 2), torch.arange(size, device=DEVICE) % len(NAMES)


def waits(check: Check) -> None:
    """How often a step waits for the GPU, by torch's own count. The goal is never."""
    recipe = check.recipe(R18, check.half)
    (trainee,) = check.trainees(recipe, 1)
    batch = resident(recipe)
    trainee.step(*batch, 0.01)
    if GPU:
        torch.cuda.set_sync_debug_mode("warn")
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        trainee.step(*batch, 0.01)
    if GPU:
        torch.cuda.set_sync_debug_mode("default")
    check.tell("waits", a_step=sum("synchroniz" in str(each.message) for each in found))


def limit(check: Check, *, compiled: bool = False) -> None:
    """Pictures a second of one run on a batch that lies on the device."""
    for network in (R18, R50):
        for precision in ("float16", "bfloat16") if GPU else ("float32",):
            recipe = check.recipe(network, precision)
            (trainee,) = check.trainees(recipe, 1, compiled=compiled)
            batch, began = resident(recipe), time.monotonic()
            for _ in range(5):
                trainee.step(*batch, 0.01)
            warm = finished() - began
            rate = check.rate(partial(trainee.step, *batch, 0.01)) * recipe.training.batch_size
            check.tell(
                "limit",
                model=recipe.training.model,
                precision=precision,
                compiled=compiled,
                images_s=round(rate),
                warm_s=round(warm, 1),
                **memory(),
            )


def alone(check: Check) -> None:
    """The loader with nothing behind it: what the cores can decode and cut."""
    for count in (1, 8, 10):
        recipe = check.recipe(R18, "float32")
        batches = check.batches(recipe, count)
        for _ in range(3):
            next(batches)
        began, seen = time.monotonic(), 0
        for _ in batches:
            seen += recipe.training.batch_size
            if time.monotonic() - began > 2 * check.seconds:
                break
        rate = seen / (time.monotonic() - began)
        check.tell("alone", runs=count, decoded_s=round(rate), crops_s=round(rate * count))
        del batches


def share(check: Check) -> None:
    """Runs on the real loader, as a share of what they do without it."""
    for network, count in ((R18, 1), (R18, 8), (R18, 10), (R50, 8)):
        recipe = check.recipe(network, check.half)
        trainees = check.trainees(recipe, count)
        batches = on_devices(check.batches(recipe, count), [DEVICE])

        def step(batch: Batch, trainees: list[Trainee] = trainees) -> None:
            for trainee in trainees:
                trainee.step(*inputs_of(batch, trainee.place), 0.01)

        for _ in range(2):
            step(next(batches)[DEVICE])
        began, steps, waited = finished(), 0, 0.0
        while time.monotonic() - began < 3 * check.seconds:
            asked = time.monotonic()
            batch = next(batches, None)
            waited += time.monotonic() - asked
            if batch is None:
                break
            step(batch[DEVICE])
            kept, steps = batch[DEVICE], steps + 1
        seconds, size = finished() - began, recipe.training.batch_size * count
        kept = Batch(*(tensor.clone() for tensor in kept))
        bare = check.rate(partial(step, kept), 4) * size
        check.tell(
            "share",
            model=recipe.training.model,
            runs=count,
            precision=recipe.training.precision,
            images_s=round(steps * size / seconds),
            limit=round(bare),
            share=round(steps * size / seconds / bare, 3),
            waited=round(waited / seconds, 3),
            **memory(),
        )
        del trainees, batches, batch, kept
        gc.collect()


def resume(check: Check) -> None:
    """SIGTERM in the middle and the same command again, against an undisturbed training."""
    recipe = check.recipe(("torchvision/resnet18", 128, 64), check.half, epochs=3)
    machine = Machine(device=DEVICE.type, threads=THREADS, checkpoint_minutes=60)
    part = Samples(check.samples.beton, check.samples.files, check.samples.labels)
    first, again, stopped = (check.runs(2, name) for name in ("first", "again", "stopped"))
    train(recipe, machine, first, part, NAMES)
    train(recipe, machine, again, part, NAMES)
    original, asked = Trainee.step, [0.0]

    def step(self: Trainee, *args: object) -> None:
        original(self, *args)
        if self.place == 1 and self.done == 11:
            asked[0] = time.monotonic()
            os.kill(os.getpid(), signal.SIGTERM)

    Trainee.step = step
    status: object = "did not stop"
    try:
        train(recipe, machine, stopped, part, NAMES)
    except SystemExit as error:
        status = error.code
    finally:
        Trainee.step = original
    seconds = time.monotonic() - asked[0]
    kept = load_checkpoint(stopped[0])
    train(recipe, machine, stopped, part, NAMES)

    def apart(one: Run, two: Run) -> float:
        pairs = zip(load_file(one.weights).items(), load_file(two.weights).values(), strict=True)
        return max(float((x.float() - y.float()).abs().max()) for (_, x), y in pairs)

    check.tell(
        "resume",
        status=status,
        seconds_to_stop=round(seconds, 2),
        step=kept and kept["step"],
        again_differs=apart(first[0], again[0]),
        resumed_differs=apart(first[0], stopped[0]),
    )


def prediction(check: Check) -> None:
    """A network that predicts, and the loader's first batch. Goals: 16 GB here, 12 GB of host."""
    recipe = check.recipe(R50, check.half, batch_size=min(4096, len(check.samples.labels)))
    training, views = recipe.training, (0.8, 0.875, 1.0)
    network = torch.nn.Sequential(Normalise(training), build_model(training, len(NAMES)))
    network = network.to(DEVICE).eval()
    before, began = memory()["host_gb"], time.monotonic()
    batches = iter(val_loader(recipe, check.samples, THREADS, views=views))
    pictures = next(batches).pictures[:, 0].to(DEVICE)
    first = time.monotonic() - began
    if GPU:
        torch.cuda.reset_peak_memory_stats()
    with torch.inference_mode(), autocast(training, DEVICE):
        logits(network, pictures, False)
        rate = check.rate(lambda: logits(network, pictures, False), 1) * len(pictures)
    check.tell(
        "prediction",
        batch=len(pictures),
        views=len(views),
        images_s=round(rate),
        first_batch_s=round(first, 1),
        host_gb_before=before,
        **memory(),
    )


def axes(check: Check) -> None:
    """Milliseconds of each axis's operation on a batch."""
    size, side = (16, 32) if check.small else (1024, 192)
    pictures = torch.rand(size, 3, side, side, device=DEVICE)
    labels = torch.arange(size, device=DEVICE) % len(NAMES)
    keys = image_keys(epoch_key(0, 0, 0), np.arange(size))
    for name, strength in AXES.items():
        act = partial(
            batch_operation(name, len(NAMES)), pictures, labels, np.full(size, strength), keys
        )
        act()
        check.tell("axis", name=name, ms_a_batch=round(1000 / check.rate(act), 1))


def checkpoint(check: Check) -> None:
    """How long a step waits while a run's checkpoint is written."""
    recipe = check.recipe(R50, check.half, batch_size=16)
    (trainee,) = check.trainees(recipe, 1)
    trainee.step(*resident(recipe), 0.01)
    began = finished()
    trainee.check_weights()
    save_checkpoint(trainee.run, trainee.state(100))
    size = trainee.run.checkpoint.stat().st_size
    check.tell("checkpoint", seconds=round(finished() - began, 2), mb=round(size / 1e6))


SECTIONS: dict[str, Callable[[Check], None]] = {
    "waits": waits, "limit": limit, "alone": alone, "share": share, "resume": resume,
    "prediction": prediction, "axes": axes, "checkpoint": checkpoint,
    "compiled": partial(limit, compiled=True),
}  # fmt: skip


def mosaic(number: int, folder: Path, photographs: list[bytes]) -> Path:
    """Four photographs as one JPEG of 500 x 375 px."""
    rng = random.Random(number)
    whole = Image.new("RGB", (500, 375))
    for place in range(4):
        one = Image.open(io.BytesIO(rng.choice(photographs))).convert("RGB").resize((250, 188))
        whole.paste(one, (250 * (place % 2), 188 * (place // 2)))
    whole.save(folder / f"{number}.jpg", quality=90)
    return folder / f"{number}.jpg"


def pictures_in(folder: Path, archive: Path, *, small: bool) -> Samples:
    with tarfile.open(archive) as tar:
        members = islice((member for member in tar if member.isfile()), 400)
        contents = [tar.extractfile(member).read() for member in members]
        photographs = [content for content in contents if content[:2] == b"\xff\xd8"]
    distinct, total = (64, 512) if small else (2048, 32768)
    make = partial(mosaic, folder=folder, photographs=photographs)
    with ProcessPoolExecutor(THREADS) as pool:
        files = list(pool.map(make, range(distinct), chunksize=16))
    files *= total // distinct
    samples = Samples(folder / "pictures.beton", files, np.arange(total) % len(NAMES))
    # Before there are threads and CUDA: the writer forks.
    write_beton(files, samples.labels, BETON, samples.beton, workers=THREADS)
    return samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--out", type=Path, default=Path("gpu.jsonl"))
    parser.add_argument("--sections", default=",".join(SECTIONS))
    parser.add_argument("--seconds", type=float, default=3.0, help="for each rate")
    parser.add_argument("--limit", type=float, default=430.0, help="no section starts later")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    began, faults = time.monotonic(), 0

    def tell(what: str, **found: object) -> None:
        line = json.dumps({"t": round(time.monotonic() - began), "what": what, **found})
        print(line, flush=True)
        with options.out.open("a") as file:
            file.write(line + "\n")

    card = torch.cuda.get_device_name() if GPU else None
    tell("machine", torch=torch.__version__, gpu=card, cores=THREADS, python=sys.version.split()[0])
    torch.backends.cudnn.benchmark = True
    with tempfile.TemporaryDirectory() as folder:
        samples = pictures_in(Path(folder), options.photographs, small=options.small)
        tell("beton", pictures=len(samples.labels), bytes=samples.beton.stat().st_size)
        check = Check(Path(folder), samples, options.small, options.seconds, tell)
        for name in options.sections.split(","):
            if time.monotonic() - began > options.limit:
                tell(name, skipped="no time")
                continue
            try:
                SECTIONS[name](check)
            except Exception as error:  # the other sections still have something to say
                tell(name, fault=f"{type(error).__name__}: {str(error)[:400]}")
                faults += 1
            gc.collect()
            if GPU:
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
    tell("end", seconds=round(time.monotonic() - began))
    sys.stdout.flush()
    os._exit(bool(faults))  # threads of abandoned epochs may still be decoding


if __name__ == "__main__":
    main()
