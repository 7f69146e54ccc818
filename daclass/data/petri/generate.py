"""Writes the petri set as an ordinary image folder, with its annotations, classes and truth."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from daclass.atomic import naming
from daclass.config.petri import PetriSettings
from daclass.data.archives import complete
from daclass.data.petri.planted import CLASSES, RELATIONS, compose
from daclass.data.petri.scenes import photograph


def write_petri(
    settings: PetriSettings,
    folder: Path,
    draws: int,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 1,
) -> None:
    """Write the whole set into ``folder``, which appears only when it is complete.

    The same settings give the same bytes (with the same versions of NumPy and Pillow). The
    validation pictures depend neither on ``draws`` nor on ``train_per_class``, and a draw not on
    the others.

    - ``val/<class>/<00000>.jpg`` and, for each draw of the training pictures,
      ``train-<draw>/<class>/<00000>.jpg``;
    - ``annotations.csv`` (image, label): every right label of each validation picture;
    - ``classes.csv`` (name, path): the class tree;
    - ``truth.csv`` (class, partner, kind, direction_note, expectation): what was planted.

    Args:
        settings: the generated world.
        folder: where the set goes; made if need be, with its parents.
        draws: how many independent sets of training pictures, 1 or more.
        progress: told (pictures written, pictures in all) after each class.
        workers: processes that share the work; the pictures do not depend on it.

    Raises:
        ValueError: ``draws`` is below 1.
        FileExistsError: ``folder`` exists and is not empty.
    """
    if draws < 1:
        raise ValueError(f"draws: at least 1 draw of the training pictures, not {draws}")
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} exists and is not empty")
    with complete(folder) as whole:
        _write(settings, whole, draws, progress, workers)


def picture(
    settings: PetriSettings, name: str, number: int, draw: int | None = None
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Make one picture of class ``name``; a pure function of its arguments.

    Args:
        settings: the generated world.
        name: the picture's single label.
        number: which picture of its class, from 0.
        draw: which draw of the training pictures, from 0; None for validation.

    Returns:
        The pixels, (side, side, 3) uint8, and all labels that are right for the picture.
    """
    # The name's checksum, not its place in a list: a new class leaves the others' bytes alone.
    key = (settings.seed, 0 if draw is None else draw + 1, zlib.crc32(name.encode()), number)
    rng = np.random.default_rng(np.random.SeedSequence(key))
    scene = compose(name, settings, rng, training=draw is not None)
    return photograph(scene, settings, rng), scene.labels


def _write(
    settings: PetriSettings,
    folder: Path,
    draws: int,
    progress: Callable[[int, int], None] | None,
    workers: int,
) -> None:
    parts = [_Part(folder / "val" / name, name, settings.val_per_class) for name in CLASSES]
    parts += [
        _Part(folder / f"train-{draw}" / name, name, settings.train_per_class, draw)
        for draw in range(draws)
        for name in CLASSES
    ]
    total, done = sum(part.count for part in parts), 0
    annotations: list[tuple[str, str]] = []
    with ProcessPoolExecutor(workers) as pool:
        for part, labels in zip(
            parts, pool.map(partial(_write_part, settings), parts), strict=True
        ):
            if part.draw is None:
                annotations += labels
            done += part.count
            if progress:
                progress(done, total)
    _table(folder / "annotations.csv", ("image", "label"), annotations)
    _table(folder / "classes.csv", ("name", "path"), CLASSES.items())
    header = ("class", "partner", "kind", "direction_note", "expectation")
    truth = [(r.name, r.partner, r.kind, r.note, r.expectation) for r in RELATIONS]
    _table(folder / "truth.csv", header, truth)


@dataclass(frozen=True)
class _Part:
    """The pictures of one class in one draw, or of validation."""

    folder: Path
    name: str
    count: int
    draw: int | None = None


def _write_part(settings: PetriSettings, part: _Part) -> list[tuple[str, str]]:
    """Write a part's pictures; (image, label) for every right label of each."""
    part.folder.mkdir(parents=True)
    found: list[tuple[str, str]] = []
    for number in range(part.count):
        pixels, labels = picture(settings, part.name, number, part.draw)
        file = part.folder / f"{number:05d}.jpg"
        with naming(file):
            Image.fromarray(pixels).save(file, quality=settings.jpeg_quality)
        image = "/".join(file.parts[-3:])
        found += [(image, label) for label in labels]
    return found


def _table(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with naming(path), path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
