"""A small network on a large GPU: what keeps the GPU busy where a step is many short kernels.

As a program, it is one of several processes that share a GPU: it reads orders, a JSON line each,
says "ready" once it has warmed up, and measures when a line comes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gpu_check import DEVICE, GPU, THREADS, Check, Network, finished, resident, step

from daclass.training.batches import Samples

SMALL = Network("small_resnet", 256, 24, (64, 128, 256))
WARM_UP = 8
FORMS = {
    "plain": {}, "graphs": {"cuda_graphs": True}, "compiled": {"compile": True},
    "compiled graphs": {"compile": True, "cuda_graphs": True},
}  # fmt: skip
PRECISIONS = ("float32", "float16") if GPU else ("float32",)


def small(check: Check) -> None:
    """Pictures per second of all runs together: batches, precisions, forms, runs, processes."""
    for size in (128, 256, 512) if GPU else (256,):
        for precision in PRECISIONS:
            for form in ("plain", "graphs"):
                alone(check, size, precision, form)
    for form in ("compiled", "compiled graphs") if GPU else ():
        alone(check, 256, "float16", form)
    for size in (128, 256, 512) if GPU else (256,):
        for precision in PRECISIONS:
            alone(check, size, precision, "graphs", runs=8)
    equal(check)


def alone(check: Check, size: int, precision: str, form: str, runs: int = 1) -> None:
    """One process, on a batch that lies on the device."""
    recipe = check.recipe(replace(SMALL, batch=size), precision)
    trainees = check.trainees(recipe, runs, **FORMS[form])
    batch, began = resident(recipe), time.monotonic()
    for _ in range(WARM_UP):
        step(trainees, batch)
    warm = finished() - began
    rate = check.rate(partial(step, trainees, batch), 32) * recipe.training.batch_size * runs
    check.tell(
        "small", batch=size, precision=precision, form=form, runs=runs, images_s=round(rate),
        warm_s=round(warm, 1),
    )  # fmt: skip


def equal(check: Check) -> None:
    """How far weights are apart after steps that were recorded and steps that were not."""
    for precision in PRECISIONS:
        recipe, ended = check.recipe(SMALL, precision), []
        batch = resident(recipe)
        for form in ("plain", "plain", "graphs"):
            (trainee,) = check.trainees(recipe, 1, **FORMS[form])
            for _ in range(3 * WARM_UP):
                step([trainee], batch)
            ended.append([each.clone() for each in trainee.model.state_dict().values()])
        first, again, graphs = ended
        check.tell(
            "small equal", precision=precision, again_differs=apart(first, again),
            graphs_differ=apart(first, graphs),
        )  # fmt: skip


def apart(one: list[Any], two: list[Any]) -> float:
    return max(float((x.float() - y.float()).abs().max()) for x, y in zip(one, two, strict=True))


def processes(check: Check) -> None:
    """Processes that share the GPU: pictures per second of all of them together."""
    command = [sys.executable, __file__, str(check.folder), str(int(check.small))]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(8 if GPU else 2)
    ]
    try:
        for loaded, form, runs, counts in (
            (False, "plain", 1, (1, 4, 8)), (False, "graphs", 8, (1, 4, 8)),
            (True, "graphs", 10, (1, 4, 8)), (True, "plain", 10, (8,)),
        ):  # fmt: skip
            for count in counts if GPU else (len(children),):
                order = {
                    "form": form, "runs": runs, "precision": PRECISIONS[-1], "loaded": loaded,
                    "seconds": check.seconds, "threads": max(THREADS // count, 1),
                }  # fmt: skip
                began, rates = time.monotonic(), ask(children[:count], order)
                check.tell(
                    "small processes", processes=count, **order, images_s=round(sum(rates)),
                    took=round(time.monotonic() - began, 1),
                )  # fmt: skip
    finally:
        for child in children:
            child.kill()
            child.wait()


def ask(children: list[subprocess.Popen[str]], order: dict[str, Any]) -> list[float]:
    """What each child measures, all at the same time."""
    for child in children:
        print(json.dumps(order), file=child.stdin, flush=True)
    for child in children:
        if (said := child.stdout.readline()) != "ready\n":
            raise RuntimeError(f"a process said {said!r} and not that it is ready")
    for child in children:
        print("go", file=child.stdin, flush=True)
    return [float(child.stdout.readline()) for child in children]


def serve(check: Check) -> None:
    """Measure what each line of the input orders."""
    for line in sys.stdin:
        order = json.loads(line)
        if not GPU:
            torch.set_num_threads(order["threads"])  # FFCV sets its own
        recipe = check.recipe(SMALL, order["precision"])
        trainees = check.trainees(recipe, order["runs"], **FORMS[order["form"]])
        batch = resident(recipe)
        loaded = check.batches(recipe, order["runs"], check.thumbnails, order["threads"])
        for _ in range(WARM_UP):
            step(trainees, next(loaded) if order["loaded"] else batch)
        finished()
        print("ready", flush=True)
        sys.stdin.readline()
        began, steps = time.monotonic(), 0
        while time.monotonic() - began < order["seconds"]:
            step(trainees, next(loaded) if order["loaded"] else batch)
            steps += 1
            if steps % 32 == 0:
                finished()
        seconds = finished() - began
        print(steps * recipe.training.batch_size * order["runs"] / seconds, flush=True)


def main() -> None:
    folder, little = Path(sys.argv[1]), bool(int(sys.argv[2]))
    labels = np.load(folder / "labels.npy")
    thumbnails = Samples(folder / "thumbnails.beton", [Path()] * len(labels), labels)
    serve(Check(folder, thumbnails, thumbnails, little, 0.0, print))


if __name__ == "__main__":
    torch.backends.cudnn.benchmark = True
    torch.zeros(1, device=DEVICE)
    main()
