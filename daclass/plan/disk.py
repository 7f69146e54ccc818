"""How much disk a study takes."""

from __future__ import annotations

import io
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import torch
from PIL import Image

from daclass.augment.pictures import read_picture
from daclass.config import (
    Beton,
    Cifar10hData,
    FashionMnistData,
    FolderData,
    Layout,
    PetriData,
    PredictionsData,
    Study,
    TinyImageNetData,
)
from daclass.data.beton import PAGE_BYTES
from daclass.data.fashion_mnist import PARTS
from daclass.data.tiny_imagenet import CLASSES, TRAIN_PER_CLASS, VAL_PER_CLASS
from daclass.plan.counts import Counts
from daclass.plan.runs import Wanted
from daclass.training.models import build_model

BLOCK = 4096  # bytes that a small file takes on most file systems
SAMPLE_BYTES = 48  # of a .beton for each picture besides its pixels: place, size, label, twice


@dataclass(frozen=True)
class Item:
    """A kind of file.

    Attributes:
        needed: bytes that the finished study has of it; None where that cannot be said yet.
        there: bytes of it that lie there.
        origin: how `needed` was found, for the reader.
    """

    name: str
    needed: int | None
    there: int
    origin: str


def kept(study: Study, layout: Layout, counts: Counts, phases: Sequence[Wanted]) -> list[Item]:
    """What a finished study leaves, but for tables, figures and the report (some MB)."""
    runs = [run for phase in phases for run in phase.runs]
    number = sum(phase.at_most for phase in phases)
    weights = network_bytes(study, counts.classes)
    tables = [layout.table("predictions", phase) for phase in study.phases]
    tables += [file for run in runs for file in run.folder.glob("predictions-*.parquet")]
    row = prediction_bytes(counts)
    shown = len(study.views) + study.analysis.logit_shift
    return [
        _pictures(study, layout, counts),
        *([_betons(study, layout, counts)] if study.training.loader == "ffcv" else []),
        Item(
            "weights",
            number * (_on_disk(weights) + BLOCK),  # the study's settings stand in its head
            _there(run.weights for run in runs),
            f"{number} runs x {weights / 1e6:,.1f} MB",
        ),
        Item(
            "predictions",
            round(number * (2 * shown * counts.val * row + BLOCK)),
            _there(tables),
            f"{number} runs x {shown} views x {counts.val:,} pictures x {row:.0f} bytes, "
            "in two places",
        ),
    ]


def checkpoint_bytes(study: Study, counts: Counts, phases: Sequence[Wanted]) -> int:
    """What checkpoints take while a phase trains, all its seeds at once: weights and momentum."""
    runs = max((len(phase.missing) + phase.open for phase in phases), default=0)
    return runs * 2 * network_bytes(study, counts.classes)


def network_bytes(study: Study, classes: int) -> int:
    """Size of the network's weights.

    Raises:
        InputError: `training.model` names no known network.
    """
    with torch.device("meta"):
        state = build_model(study.training, classes).state_dict()
    return sum(tensor.numel() * tensor.element_size() for tensor in state.values())


def prediction_bytes(counts: Counts) -> float:
    """Bytes of a row of predictions: a float32, five classes and the picture's place in the file's
    dictionary, as many bits as their number takes (Parquet); the dictionary's ids compress."""
    bits = 32 + 5 * math.log2(counts.classes) + math.log2(counts.val)
    return bits / 8


def stored_bytes(file: Path, settings: Beton) -> int:
    """What a picture takes in a .beton."""
    pixels = read_picture(file, settings.max_resolution)
    if settings.write_mode == "raw":
        return pixels.nbytes
    stored = io.BytesIO()
    Image.fromarray(pixels).save(stored, "JPEG", quality=settings.jpeg_quality)
    return stored.tell()


def beton_bytes(samples: int, mean: float, writers: int) -> int:
    """Size of a .beton: whole pages, of which each writer fills its own.

    Args:
        samples: pictures.
        mean: bytes of a picture.
        writers: processes that write.
    """
    pages = writers * math.ceil(samples * mean / writers / PAGE_BYTES)
    head = math.ceil(samples * SAMPLE_BYTES / PAGE_BYTES)
    return (head + pages) * PAGE_BYTES


def _pictures(study: Study, layout: Layout, counts: Counts) -> Item:
    assert not isinstance(study.data, PredictionsData)
    match study.data:
        case FolderData():
            return Item("pictures", 0, 0, "read where they lie")
        case PetriData():
            files = study.data.draws * counts.train + counts.val
        case FashionMnistData():  # all are written, whatever the study takes of them
            files = sum(pictures for _, pictures in PARTS.values())
        case TinyImageNetData():
            classes = len(study.data.classes) or CLASSES
            files = classes * (TRAIN_PER_CLASS + VAL_PER_CLASS)
        case Cifar10hData():
            files = 0 if (study.data.root / "train").is_dir() else 60_000  # or linked
        case _:
            assert_never(study.data)
    there = _there(layout.pictures.rglob("*")) if layout.pictures.is_dir() else 0
    return Item("pictures", files * BLOCK, there, f"{files:,} files of at most {BLOCK:,} bytes")


def _betons(study: Study, layout: Layout, counts: Counts) -> Item:
    draws = {study.draw(seed) for phase in study.phases for seed in study.seeds(phase)}
    files = [layout.beton("val", -1), *(layout.beton("train", draw) for draw in draws)]
    there = _there(files)
    if counts.sample:
        mean = statistics.mean(stored_bytes(file, study.beton) for file in counts.sample)
        origin = f"{mean:,.0f} bytes per picture, the mean of {len(counts.sample)} for training"
    elif isinstance(study.data, PetriData) and study.beton.write_mode == "raw":
        mean = 3 * study.data.petri.picture_size**2
        origin = f"{mean:,.0f} bytes per picture"
    else:
        return Item("betons", None, there, "known once the pictures are there")
    writers = study.machine.threads
    needed = len(draws) * beton_bytes(counts.train, mean, writers)
    needed += beton_bytes(counts.val, mean, writers)
    return Item("betons", needed, there, f"{len(files)} files; {origin}, in pages of 32 MiB")


def _on_disk(size: int) -> int:
    return math.ceil(size / BLOCK) * BLOCK


def _there(files: Iterable[Path]) -> int:
    """Bytes on the disk of those files that exist."""
    return sum(512 * file.lstat().st_blocks for file in files if file.is_file())
