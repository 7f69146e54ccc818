"""How busy training keeps the device, and what several runs in one process save.

    python benchmarks/training.py --photographs ilsvrc_val_1300_227px.tar

First table, one row per setting: images per second with the real loader, against one batch that
stays on the device (the limit that computing sets). Rounds of the two alternate, so that a busy
neighbour disturbs both; a round with the loader is a whole epoch, its start included. Second table:
five runs in one process against five processes in turn, each a `train` of its own from start to
weights. Where there is a GPU, the large networks are measured, else the demo's. See
benchmarks/README.md for what was found."""

from __future__ import annotations

import argparse
import csv
import io
import json
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from daclass.augment import RRC_SCALE, Policy, strength_table
from daclass.config import Study
from daclass.data.beton import write_beton
from daclass.training.batches import Batch, Samples
from daclass.training.devices import on_devices
from daclass.training.distributed import Crew
from daclass.training.loaders import train_loader
from daclass.training.loop import inputs_of, train
from daclass.training.recipe import Recipe
from daclass.training.runs import Run
from daclass.training.trainee import start

HEIGHT, WIDTH, QUALITY = 350, 400, 90
STRENGTHS = (0.08, 0.25, 0.5, 0.75, 0.99)
NAMES = [f"class {number}" for number in range(24)]
GOAL_LIMIT, GOAL_TOGETHER = 0.95, 1.3
DEMO = {"model": "small_resnet", "widths": [16, 32, 64], "resolution": 32, "batch_size": 64}
LARGE = {"resolution": 176, "precision": "bfloat16"}


@dataclass(frozen=True)
class Setting:
    """What is trained, with how many runs in turn and CPU threads; whether that takes a GPU."""

    name: str
    training: dict
    runs: int
    threads: int
    gpu: bool


SETTINGS = (
    Setting("demo's network", DEMO, 1, 1, False),
    Setting("demo's network", DEMO, 1, 2, False),
    Setting("demo's network", DEMO, 5, 1, False),
    Setting("demo's network", DEMO, 5, 2, False),
    Setting("ResNet-18", LARGE | {"model": "torchvision/resnet18", "batch_size": 512}, 1, 16, True),
    Setting("ResNet-18", LARGE | {"model": "torchvision/resnet18", "batch_size": 512}, 5, 16, True),
    Setting("ResNet-50", LARGE | {"model": "torchvision/resnet50", "batch_size": 256}, 1, 16, True),
    Setting("ResNet-50", LARGE | {"model": "torchvision/resnet50", "batch_size": 256}, 5, 16, True),
)


def study_of(setting: Setting, epochs: int) -> Study:
    device = "cuda" if setting.gpu else "cpu"
    return Study.model_validate(
        {
            "name": "benchmark",
            "data": {"source": "petri"},
            "training": {**setting.training, "epochs": epochs, "warmup_epochs": 0},
            "machine": {"device": device, "threads": setting.threads},
            "sweep": {"strengths": STRENGTHS, "seeds": [0]},
        }
    )


def recipe_of(study: Study) -> Recipe:
    return Recipe(study.seed, study.training, study.augmentation, study.beton)


def runs_of(count: int, store: Path) -> list[Run]:
    """`count` runs at strengths spread over the range; a single one in the middle of it."""
    chosen = STRENGTHS if count > 1 else (STRENGTHS[2],)
    return [Run(f"{s:g}", Policy(RRC_SCALE, s), 0, "benchmark", store) for s in chosen]


def pictures_in(folder: Path) -> Samples:
    files = sorted(folder.glob("*.jpg"))
    return Samples(folder / "train.beton", files, np.arange(len(files)) % len(NAMES))


def write_mosaics(archive: Path, folder: Path, count: int) -> None:
    """Mosaics of four photographs, cut to 400 x 350 px, as JPEG files and as a .beton of JPEGs."""
    with tarfile.open(archive) as tar:
        contents = [
            tar.extractfile(member).read() for member in tar if member.name.endswith(".JPEG")
        ]
    photographs = [np.asarray(Image.open(io.BytesIO(c)).convert("RGB")) for c in contents]
    for number in range(count):
        rng = np.random.default_rng(number)
        four = [photographs[place] for place in rng.choice(len(photographs), 4, replace=False)]
        whole = np.vstack([np.hstack(four[:2]), np.hstack(four[2:])])
        picture = Image.fromarray(whole[:HEIGHT, :WIDTH])
        picture.save(folder / f"{number:05d}.jpg", quality=QUALITY)
    samples = pictures_in(folder)
    study = Study.model_validate(
        {
            "name": "benchmark",
            "data": {"source": "petri"},
            "beton": {"write_mode": "jpg", "jpeg_quality": QUALITY},
            "sweep": {"strengths": STRENGTHS, "seeds": [0]},
        }
    )
    write_beton(samples.files, samples.labels, study.beton, samples.beton, workers=2)


def utilisation(setting: Setting, samples: Samples, rounds: int) -> dict[str, object]:
    """Images a second over all runs of the process: with the loader, and without waiting for it."""
    study = study_of(setting, 1000)
    device = torch.device("cuda" if setting.gpu else "cpu")
    runs = runs_of(setting.runs, Path("unused"))
    strengths = strength_table(RRC_SCALE, [run.policy for run in runs], samples.labels, NAMES)
    recipe = recipe_of(study)
    loader = train_loader(recipe, samples, strengths, 0, setting.threads)
    trainees = start(recipe, runs, samples.labels, NAMES, [device], Crew(), study.machine)
    for trainee in trainees:
        trainee.model.train()
    side, epoch = study.training.resolution, 0

    def with_loader() -> np.ndarray:
        nonlocal epoch
        began = finish()
        for batch in on_devices(loader.epoch(epoch, 0, side), [device]):
            step(batch[device])
        epoch += 1
        return len(loader) / (finish() - began)

    def without(batch: Batch) -> np.ndarray:
        began = finish()
        for _ in range(len(loader)):
            step(batch)
        return len(loader) / (finish() - began)

    def step(batch: Batch) -> None:
        for trainee in trainees:
            trainee.step(*inputs_of(batch, trainee.place), 0.01)

    def finish() -> np.ndarray:
        """Seconds on the clock, and of CPU time in all threads."""
        if setting.gpu:
            torch.cuda.synchronize()
        return np.array([time.monotonic(), time.process_time()])

    kept = next(on_devices(loader.epoch(0, 0, side), [device]))[device]
    kept = type(kept)(*(tensor.clone() for tensor in kept))
    torch.set_num_threads(setting.threads)
    with_loader(), without(kept)
    torch.set_num_threads(setting.threads)
    # [rounds, with the loader or without, clock or CPU time]
    speeds = np.array([(with_loader(), without(kept)) for _ in range(rounds)])
    speeds *= setting.runs * study.training.batch_size
    shares = speeds[:, 0] / speeds[:, 1]
    (ours, ours_cpu), (limit, limit_cpu) = np.median(speeds, axis=0)
    share, share_cpu = np.median(shares, axis=0)
    return {
        "network": setting.name,
        "side": side,
        "runs": setting.runs,
        "batch": study.training.batch_size,
        "precision": study.training.precision,
        "threads": setting.threads,
        "images_per_second": round(ours),
        "limit": round(limit),
        "share_of_limit": round(share, 3),
        "lowest": round(shares[:, 0].min(), 3),
        "highest": round(shares[:, 0].max(), 3),
        "images_per_cpu_second": round(ours_cpu),
        "limit_per_cpu_second": round(limit_cpu),
        "share_of_limit_in_cpu_time": round(share_cpu, 3),
        "rounds": rounds,
        "goal": GOAL_LIMIT,
        "met": bool(share >= GOAL_LIMIT),
    }


def together(setting: Setting, folder: Path, epochs: int) -> dict[str, object]:
    """Total images per second of five runs: in one process, and in five processes in turn."""
    command = [sys.executable, __file__, "--child", str(folder), "--epochs", str(epochs)]
    command += ["--setting", str(SETTINGS.index(setting))]
    seconds, speeds = {}, {}
    for count in (5, 1):
        with tempfile.TemporaryDirectory() as store:
            began = time.monotonic()
            for place in range(6 - count if count == 1 else 1):
                one = [*command, "--runs", str(count), "--store", f"{store}/{place}"]
                subprocess.run(one, check=True)
            seconds[count] = time.monotonic() - began
            rows = [
                json.loads(path.read_text().splitlines()[-1])
                for path in Path(store).rglob("metrics.jsonl")
            ]
        speeds[count] = statistics.median(row["images_per_second"] for row in rows)
    ratio = seconds[1] / seconds[5]
    return {
        "network": setting.name,
        "side": setting.training["resolution"],
        "threads": setting.threads,
        "epochs": epochs,
        "seconds_in_one_process": round(seconds[5], 1),
        "seconds_in_five_in_turn": round(seconds[1], 1),
        "ratio": round(ratio, 2),
        "last_epoch_in_one_process": round(speeds[5]),
        "last_epoch_in_five_in_turn": round(speeds[1]),
        "ratio_without_start": round(speeds[5] / speeds[1], 2),
        "goal": GOAL_TOGETHER,
        "met": ratio >= GOAL_TOGETHER,
    }


def write(rows: list[dict[str, object]], path: Path) -> None:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "2 CPU cores"
    made_with = {"device": device, "torch": version("torch"), "ffcv": version("ffcv")}
    rows = [{**row, **made_with} for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=Path, help="archive of ImageNet pictures")
    parser.add_argument("--pictures", type=int, default=3072)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5, help="of each run in the second table")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--setting", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        study = study_of(SETTINGS[options.setting], options.epochs)
        train(
            recipe_of(study),
            study.machine,
            runs_of(options.runs, options.store),
            pictures_in(options.child),
            NAMES,
        )
        return
    settings = [s for s in SETTINGS if s.gpu == torch.cuda.is_available()]
    with tempfile.TemporaryDirectory() as folder:
        write_mosaics(options.photographs, Path(folder), options.pictures)
        rows = []
        for setting in settings:
            rows.append(utilisation(setting, pictures_in(Path(folder)), options.rounds))
            print(rows[-1], flush=True)
        write(rows, options.results / "training.csv")
        rows = [together(settings[0], Path(folder), options.epochs)]
        print(rows, flush=True)
        write(rows, options.results / "training_together.csv")


if __name__ == "__main__":
    main()
