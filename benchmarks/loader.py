"""How fast class-conditional crops are loaded, side by side with the loaders people use.

    python benchmarks/loader.py --photographs ilsvrc_val_1300_227px.tar

Mosaics of four photographs, cut to 400 x 350 px and stored as JPEG of quality 90, are cropped to
176 px by every contender in turn, epoch by epoch, so that a busy neighbour disturbs all of them.
The tables have one row a contender: the median images (or crops) a second over the epochs after
warm-up, with the range. See benchmarks/README.md for what was found.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import platform
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from ffcv.fields import IntField, RGBImageField
from ffcv.fields.basics import IntDecoder
from ffcv.fields.rgb_image import RandomResizedCropRGBImageDecoder
from ffcv.libffcv import imdecode, resize_crop
from ffcv.loader import Loader, OrderOption
from ffcv.transforms import ToTensor
from ffcv.writer import DatasetWriter
from PIL import Image
from torchvision.io import decode_image
from torchvision.transforms import v2

from daclass.augment import (
    RRC_SCALE,
    Policy,
    epoch_key,
    image_keys,
    random_resized_crop_boxes,
    strength_table,
)
from daclass.augment.decoder import PolicyCropDecoder
from daclass.augment.mixture import StrengthTable
from daclass.augment.resample import area_crop

HEIGHT, WIDTH, SIDE, QUALITY = 350, 400, 176, 90
STRONGEST, WEAKEST = 0.08, 0.99
CLASSES = [f"class{number}" for number in range(10)]
# A tenth of the classes has another strength, so close that its crops cost the same.
POLICY = Policy(RRC_SCALE, STRONGEST, {"class0": 0.09})


class Mosaics(torch.utils.data.Dataset):
    """Four photographs of an archive side by side, cut at a random place: always the same ones."""

    def __init__(self, archive: Path, count: int) -> None:
        with tarfile.open(archive) as tar:
            names = [name for name in tar.getnames() if name.endswith(".JPEG")]
            encoded = [tar.extractfile(name).read() for name in names]
        self.photographs = [
            np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in encoded
        ]
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> tuple[np.ndarray, int]:
        rng = np.random.default_rng(number)
        four = [self.photographs[k] for k in rng.choice(len(self.photographs), 4, replace=False)]
        whole = np.vstack([np.hstack(four[:2]), np.hstack(four[2:])])
        top = rng.integers(0, whole.shape[0] - HEIGHT + 1)
        left = rng.integers(0, whole.shape[1] - WIDTH + 1)
        picture = whole[top : top + HEIGHT, left : left + WIDTH]
        return np.ascontiguousarray(picture), number % len(CLASSES)


class Files(torch.utils.data.Dataset):
    """The pictures as files, as a torchvision user reads them."""

    def __init__(self, files: list[Path], reader: str) -> None:
        self.files, self.reader = files, reader
        crop = v2.RandomResizedCrop(SIDE, scale=(STRONGEST, 1.0), antialias=True)
        self.transform = v2.Compose([crop, v2.PILToTensor()] if reader == "PIL" else [crop])

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> torch.Tensor:
        file = self.files[number]
        if self.reader == "PIL":
            return self.transform(Image.open(file).convert("RGB"))
        return self.transform(decode_image(str(file), mode="RGB"))


def ffcv_loader(beton: Path, decoder: object, batch: int, workers: int) -> Loader:
    return Loader(
        str(beton),
        batch_size=batch,
        num_workers=workers,
        order=OrderOption.RANDOM,
        drop_last=False,
        os_cache=True,
        pipelines={"image": [decoder, ToTensor()], "label": [IntDecoder(), ToTensor()]},
    )


def epochs_of(loader: Loader, decoder: PolicyCropDecoder | None = None) -> Callable[[], None]:
    """One epoch a call, the next one each time."""
    number = 0

    def epoch() -> None:
        nonlocal number
        if decoder is not None:
            decoder.set_epoch(number)
        number += 1
        for _ in loader:
            pass

    return epoch


def separate(loader: Loader, decoder: PolicyCropDecoder, strengths: np.ndarray) -> Callable:
    """The epochs of one loader a strength, one after the other, each with all workers.

    The loaders are one compiled loader whose table is rewritten: that saves compiling, no more.
    """
    epoch = epochs_of(loader, decoder)

    def epochs() -> None:
        for strength in strengths:
            decoder.strengths.own[:] = strength
            epoch()

    return epochs


def raw_decode(files: list[Path], workers: int) -> Callable[[], None]:
    """libjpeg-turbo alone on whole pictures in memory, with FFCV's settings."""
    encoded = [np.fromfile(file, np.uint8) for file in files]
    parts = [encoded[start::workers] for start in range(workers)]

    def decode(part: list[np.ndarray]) -> None:
        pixels = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        for data in part:
            imdecode(data, pixels, HEIGHT, WIDTH, HEIGHT, WIDTH, 0, 0, 1, 1, False, False)

    pool = ThreadPoolExecutor(workers)
    return lambda: list(pool.map(decode, parts)) and None


def contenders(
    beton: Path, files: list[Path], options: argparse.Namespace
) -> Iterator[tuple[str, int, Callable[[], None]]]:
    """Name, images or crops of an epoch, and a function that runs one."""
    count, batch, workers = len(files), options.batch, options.workers
    # First, since their workers are forked, which must happen before numba starts threads.
    for reader in ("PIL", "decode_image"):
        loader = torch.utils.data.DataLoader(
            Files(files, reader), batch, shuffle=True, num_workers=workers, persistent_workers=True
        )
        yield f"torchvision, {reader}", count, epochs_of(loader)
    labels = np.arange(count) % len(CLASSES)
    table = strength_table(RRC_SCALE, [POLICY], labels, CLASSES)
    for name, shrink in (("daclass", "area"), ("daclass, shrink=opencv", "opencv")):
        decoder = PolicyCropDecoder(SIDE, table, run_seed=0, flip=0, shrink=shrink)  # type: ignore[arg-type]
        yield name, count, epochs_of(ffcv_loader(beton, decoder, batch, workers), decoder)
    stock = RandomResizedCropRGBImageDecoder((SIDE, SIDE), scale=(STRONGEST, 1.0))
    yield "ffcv", count, epochs_of(ffcv_loader(beton, stock, batch, workers))
    yield "libjpeg-turbo, whole pictures", count, raw_decode(files, workers)
    rewritten = StrengthTable(table.own.copy(), table.mixtures)
    alone = PolicyCropDecoder(SIDE, rewritten, run_seed=0, flip=0)
    alone_loader = ffcv_loader(beton, alone, batch, workers)
    for policies in (5, 10):
        strengths = np.linspace(STRONGEST, WEAKEST, policies)
        shared = PolicyCropDecoder(
            SIDE, np.repeat(strengths[:, None], count, axis=1), run_seed=0, flip=0
        )
        loader = ffcv_loader(beton, shared, batch, workers)
        yield f"daclass, K={policies} of one decode", policies * count, epochs_of(loader, shared)
        yield (
            f"daclass, {policies} loaders",
            policies * count,
            separate(alone_loader, alone, strengths),
        )


def measure(beton: Path, files: list[Path], options: argparse.Namespace) -> list[dict]:
    """Rates of all contenders, each epoch of all before the next of any."""
    entered = list(contenders(beton, files, options))
    rates: dict[str, list[float]] = {name: [] for name, _, _ in entered}
    for number in range(1 + options.epochs):
        for name, amount, epoch in entered:
            began = time.perf_counter()
            epoch()
            if number:  # the first compiles and starts workers
                rates[name].append(amount / (time.perf_counter() - began))
        print(f"epoch {number} of {options.epochs} done", flush=True)
    return [
        {
            "contender": name,
            "per_second": round(statistics.median(values)),
            "lowest": round(min(values)),
            "highest": round(max(values)),
            "epochs": len(values),
            "images": len(files),
        }
        for name, values in rates.items()
    ]


def profile(files: list[Path], count: int = 300, repeats: int = 5) -> list[dict]:
    """Where the time goes: microseconds a picture on one core, the median of the repeats."""
    encoded = [np.fromfile(file, np.uint8) for file in files[:count]]
    whole = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    crop = np.empty((SIDE, SIDE, 3), np.uint8)
    pictures = []
    for data in encoded:
        imdecode(data, whole, HEIGHT, WIDTH, HEIGHT, WIDTH, 0, 0, 1, 1, False, False)
        pictures.append(whole.copy())
    steps: dict[str, Callable[[], None]] = {}

    def decode(eighths: int) -> None:
        for data in encoded:
            imdecode(data, whole, HEIGHT, WIDTH, HEIGHT, WIDTH, 0, 0, eighths, 8, False, False)

    def shrink(boxes: np.ndarray, by_area: bool) -> None:
        for picture, (top, left, h, w) in zip(pictures, boxes, strict=True):
            if by_area and h >= SIDE and w >= SIDE:
                area_crop(picture, top, left, h, w, False, crop)
            else:
                resize_crop(picture, top, top + h, left, left + w, crop)

    for eighths in range(8, 0, -1):
        steps[f"decode at {eighths}/8"] = lambda eighths=eighths: decode(eighths)
    keys = image_keys(epoch_key(0, 0, 0), np.arange(len(pictures)))
    for strength in (0.08, 0.5, 0.99):
        boxes = random_resized_crop_boxes(keys, HEIGHT, WIDTH, strength)
        for name, by_area in (("OpenCV", False), ("area_crop", True)):
            steps[f"shrink crops of {strength:g} with {name}"] = (
                lambda boxes=boxes, by_area=by_area: shrink(boxes, by_area)
            )
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(1 + repeats):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            if number:
                seconds[name].append(time.perf_counter() - began)
    return [
        {
            "step": name,
            "microseconds": round(1e6 * statistics.median(values) / len(encoded)),
            "lowest": round(1e6 * min(values) / len(encoded)),
            "highest": round(1e6 * max(values) / len(encoded)),
            "repeats": repeats,
            "images": len(encoded),
        }
        for name, values in seconds.items()
    ]


def write(rows: list[dict], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def show(rows: list[dict]) -> None:
    for row in rows:
        name, middle, low, high = list(row.values())[:4]
        print(f"  {name:<36} {middle:>7} [{low}, {high}]")


def goals(rows: list[dict]) -> None:
    """The ratios that were promised; of medians, side by side in this run."""
    rate = {row["contender"]: row["per_second"] for row in rows}
    ours = rate["daclass"]
    for what, value, goal in (
        ("class-conditional / stock FFCV", ours / rate["ffcv"], 0.97),
        ("the same with OpenCV's shrinking", rate["daclass, shrink=opencv"] / rate["ffcv"], 0.97),
        ("daclass / torchvision, PIL", ours / rate["torchvision, PIL"], 2.0),
        ("daclass / torchvision, decode_image", ours / rate["torchvision, decode_image"], 1.3),
        ("K=5 / 5 loaders", rate["daclass, K=5 of one decode"] / rate["daclass, 5 loaders"], 1.6),
        (
            "K=10 / 10 loaders",
            rate["daclass, K=10 of one decode"] / rate["daclass, 10 loaders"],
            1.8,
        ),
    ):
        print(f"  {what:<36} {value:5.2f}  goal {goal}: {'met' if value >= goal else 'MISSED'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=Path, required=True, help="tar of 227 px JPEGs")
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=5, help="measured ones, after one more")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        mosaics = Mosaics(options.photographs, options.images)
        files = []
        for number in range(len(mosaics)):
            files.append(Path(folder, f"{number:06d}.jpg"))
            Image.fromarray(mosaics[number][0]).save(files[-1], quality=QUALITY)
        beton = Path(folder, "mosaics.beton")
        fields = {"image": RGBImageField("jpg", jpeg_quality=QUALITY), "label": IntField()}
        writer = DatasetWriter(str(beton), fields, num_workers=options.workers)
        writer.from_indexed_dataset(mosaics)
        steps, rates = profile(files), measure(beton, files, options)
    write(rates, options.results / "loader.csv")
    write(steps, options.results / "loader_profile.csv")
    libraries = ("torch", "torchvision", "ffcv", "opencv-python", "numba", "pillow")
    print(f"\n{platform.machine()}, {options.workers} workers, Python {platform.python_version()}")
    print(", ".join(f"{name} {version(name)}" for name in libraries))
    print(f"\nimages or crops/s, {options.images} pictures of {WIDTH} x {HEIGHT} to {SIDE} px")
    show(rates)
    print("\nmicroseconds a picture on one core")
    show(steps)
    print()
    goals(rates)


if __name__ == "__main__":
    main()
