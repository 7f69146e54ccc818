"""The GPU path, checked and timed in about five minutes: one JSON line for each finding.

    python benchmarks/gpu.py PHOTOGRAPHS.tar --out gpu.jsonl [--sections limit,share] [--small]

PHOTOGRAPHS.tar holds JPEG photographs of any size, of which 500 x 375 px mosaics are made.
`--small` tries every section on a machine without a GPU. `benchmarks/gpu.sh` gathers what a GPU
machine without a network needs. benchmarks/README.md says what was found on which card.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import gpu_small
import numpy as np
import torch
from gpu_check import (
    DEVICE,
    GPU,
    NAMES,
    R18,
    R50,
    THREADS,
    Check,
    Network,
    finished,
    memory,
    pictures_in,
    resident,
    step,
)
from safetensors.torch import load_file

from daclass.augment import epoch_key, image_keys
from daclass.augment.batch import batch_operation
from daclass.config import Machine
from daclass.training.batches import Batch
from daclass.training.checkpoint import load_checkpoint, save_checkpoint
from daclass.training.loaders import val_loader
from daclass.training.loop import train
from daclass.training.models import Normalise, autocast, build_model
from daclass.training.runs import Run
from daclass.training.trainee import Trainee
from daclass.training.validate import logits

AXES = {
    "color_jitter": 0.5, "randaugment": 9.0, "blur": 2.0, "random_erasing": 0.5, "mixup": 0.2,
    "cutmix": 1.0,
}  # fmt: skip


def waits(check: Check) -> None:
    """How often a step waits for the GPU, by torch's own count. The goal is never."""
    for form in ("plain", "graphs"):
        recipe = check.recipe(R18, check.half)
        trainees = check.trainees(recipe, 1, **gpu_small.FORMS[form])
        batch = resident(recipe)
        for _ in range(gpu_small.WARM_UP):
            step(trainees, batch)
        if GPU:
            torch.cuda.set_sync_debug_mode("warn")
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            step(trainees, batch)
        if GPU:
            torch.cuda.set_sync_debug_mode("default")
        waited = [str(each.message) for each in found if "synchroniz" in str(each.message)]
        check.tell("waits", form=form, a_step=len(waited), first=waited[:1])


def limit(
    check: Check,
    networks: tuple[Network, ...],
    precisions: tuple[str, ...],
    form: str = "plain",
    norm: str = "",
) -> None:
    """Pictures per second of one run on a batch that lies on the device."""
    for network in networks:
        for precision in precisions if GPU else ("float32",):
            recipe = check.recipe(network, precision)
            with norms_in(norm):
                trainees = check.trainees(recipe, 1, **gpu_small.FORMS[form])
                batch, began = resident(recipe), time.monotonic()
                for _ in range(5):
                    step(trainees, batch)
                warm = finished() - began
                rate = check.rate(partial(step, trainees, batch)) * recipe.training.batch_size
            check.tell(
                "limit", model=recipe.training.model, precision=precision, form=form,
                norm=norm or "same", images_s=round(rate), warm_s=round(warm, 1), **memory(),
            )  # fmt: skip
            del trainees, batch
            clear()


@contextmanager
def norms_in(dtype: str) -> Iterator[None]:
    """Batch normalisation in another type than what is around it: is that what is slow?"""
    plain = torch.nn.functional.batch_norm
    if dtype and GPU:
        torch.nn.functional.batch_norm = lambda pictures, *args, **more: plain(
            pictures.to(getattr(torch, dtype)), *args, **more
        )
    try:
        yield
    finally:
        torch.nn.functional.batch_norm = plain


def alone(check: Check) -> None:
    """The loader with nothing behind it: what the cores can decode and cut."""
    for network, samples, counts in (
        (R18, check.samples, (1, 8)), (gpu_small.SMALL, check.thumbnails, (1, 10)),
    ):  # fmt: skip
        for count in counts:
            recipe = check.recipe(network, "float32")
            batches = check.batches(recipe, count, samples)
            for _ in range(3):
                next(batches)
            size = recipe.training.batch_size
            rate = check.rate(partial(next, batches)) * size
            check.tell(
                "alone", pictures=samples.beton.stem, side=recipe.training.resolution, runs=count,
                decoded_s=round(rate), crops_s=round(rate * count),
            )  # fmt: skip
            del batches


def share(check: Check, cases: tuple[tuple[Network, int, str, str], ...]) -> None:
    """Runs on the real loader, as a share of what they do without it."""
    for network, count, precision, form in cases:
        recipe = check.recipe(network, precision if GPU else "float32")
        trainees = check.trainees(recipe, count, **gpu_small.FORMS[form])
        batches, began = check.batches(recipe, count, check.samples), time.monotonic()
        for _ in range(3):
            step(trainees, next(batches))
        warm = finished() - began
        began, steps, waited = finished(), 0, 0.0
        while time.monotonic() - began < 2.5 * check.seconds:
            asked = time.monotonic()
            batch = next(batches)
            waited += time.monotonic() - asked
            step(trainees, batch)
            steps += 1
        seconds, size = finished() - began, recipe.training.batch_size * count
        kept = Batch(*(tensor.clone() for tensor in batch))
        bare = check.rate(partial(step, trainees, kept), 2) * size
        check.tell(
            "share", model=recipe.training.model, runs=count, form=form,
            precision=recipe.training.precision, images_s=round(steps * size / seconds),
            limit=round(bare), share=round(steps * size / seconds / bare, 3),
            waited=round(waited / seconds, 3), warm_s=round(warm, 1), **memory(),
        )  # fmt: skip
        del trainees, batches, batch, kept
        clear()


def resume(check: Check) -> None:
    """SIGTERM in the middle and the same command again, against an undisturbed training."""
    recipe = check.recipe(Network("torchvision/resnet18", 128, 64), check.half, epochs=2)
    machine = Machine(device=DEVICE.type, threads=THREADS, checkpoint_minutes=60)
    first, again, stopped = (check.runs(2, name) for name in ("first", "again", "stopped"))
    train(recipe, machine, first, check.samples, NAMES)
    train(recipe, machine, again, check.samples, NAMES)
    original, asked = Trainee.step, [0.0]

    def step(self: Trainee, *args: Any) -> None:
        original(self, *args)
        if self.place == 1 and self.done == 11:
            asked[0] = time.monotonic()
            os.kill(os.getpid(), signal.SIGTERM)

    Trainee.step = step
    status: object = "did not stop"
    try:
        train(recipe, machine, stopped, check.samples, NAMES)
    except SystemExit as error:
        status = error.code
    finally:
        Trainee.step = original
    seconds = time.monotonic() - asked[0]
    kept = load_checkpoint(stopped[0])
    train(recipe, machine, stopped, check.samples, NAMES)

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
        "prediction", batch=len(pictures), views=len(views), images_s=round(rate),
        first_batch_s=round(first, 1), host_gb_before=before, **memory(),
    )  # fmt: skip


def axes(check: Check) -> None:
    """Milliseconds of each axis's operation on a batch, in single and in half precision."""
    size, side = (16, 32) if check.small else (1024, 192)
    pictures = torch.rand(size, 3, side, side, device=DEVICE)
    labels = torch.arange(size, device=DEVICE) % len(NAMES)
    keys = image_keys(epoch_key(0, 0, 0), np.arange(size))
    for name, strength in AXES.items():
        act, strengths = batch_operation(name, len(NAMES)), np.full(size, strength)
        whole = act(pictures, labels, strengths, keys)[0]
        for dtype in (torch.float32, torch.float16):
            try:
                call = partial(act, pictures.to(dtype), labels, strengths, keys)
                differs = float((call()[0].float() - whole).abs().mean())
                found = {"ms": round(1000 / check.rate(call), 1), "differs": differs}
            except (RuntimeError, NotImplementedError) as error:
                found = {"fault": str(error)[:200]}
            check.tell("axis", name=name, dtype=str(dtype), **found, **memory())


def checkpoint(check: Check) -> None:
    """How long a step waits while a run's checkpoint is written."""
    recipe = check.recipe(R50, check.half, batch_size=16)
    (trainee,) = check.trainees(recipe, 1)
    step([trainee], resident(recipe))
    began = finished()
    trainee.check_weights()
    save_checkpoint(trainee.run, trainee.state(100))
    size = trainee.run.checkpoint.stat().st_size
    check.tell("checkpoint", seconds=round(finished() - began, 2), mb=round(size / 1e6))


HALVES = ("float16", "bfloat16")
SECTIONS: dict[str, Callable[[Check], None]] = {
    "waits": waits,
    "limit": partial(limit, networks=(R18, R50), precisions=HALVES),
    "norms": partial(limit, networks=(R18,), precisions=("bfloat16",), norm="float16"),
    "norms32": partial(limit, networks=(R18,), precisions=("bfloat16",), norm="float32"),
    "small": gpu_small.small,
    "processes": gpu_small.processes,
    "share": partial(share, cases=((R18, 8, "float16", "plain"), (R50, 8, "float16", "plain"))),
    "compiled": partial(limit, networks=(R18,), precisions=HALVES, form="compiled"),
    "prediction": prediction,
    "axes": axes,
    "resume": resume,
    "checkpoint": checkpoint,
    "alone": alone,
    "compiled_share": partial(share, cases=((R18, 8, "float16", "compiled"),)),
    "compiled_r50": partial(limit, networks=(R50,), precisions=HALVES, form="compiled"),
    "single": partial(share, cases=((R18, 1, "float16", "plain"),)),
}


def clear() -> None:
    gc.collect()
    if GPU:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--out", type=Path, default=Path("gpu.jsonl"))
    parser.add_argument("--sections", default=",".join(SECTIONS))
    parser.add_argument("--seconds", type=float, default=2.0, help="for each rate")
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
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples, thumbnails = pictures_in(folder, options.photographs, small=options.small)
        tell("betons", pictures=len(samples.labels), bytes=samples.beton.stat().st_size)
        check = Check(folder, samples, thumbnails, options.small, options.seconds, tell)
        for section in options.sections.split(","):
            if time.monotonic() - began > options.limit:
                tell(section, skipped="no time")
                continue
            try:
                SECTIONS[section](check)
            except Exception as error:  # the other sections still have something to say
                tell(section, fault=f"{type(error).__name__}: {str(error)[:400]}")
                faults += 1
            clear()
    tell("end", seconds=round(time.monotonic() - began))
    sys.stdout.flush()
    os._exit(bool(faults))  # threads of abandoned epochs may still be decoding


if __name__ == "__main__":
    main()
