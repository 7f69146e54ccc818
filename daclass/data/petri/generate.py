"""Writes the petri set as an ordinary image folder, with its annotations, classes and truth."""

from __future__ import annotations

import csv
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from daclass.data.petri.planted import CLASSES, RELATIONS, compose
from daclass.data.petri.scenes import photograph
from daclass.data.petri.settings import PetriSettings

_VALIDATION, _TRAINING = 0, 1


def write_petri(
    settings: PetriSettings,
    folder: Path,
    draws: int,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the whole set into ``folder``, which appears only when it is complete.

    ``val/<class>/<00000>.jpg`` and, for each draw of the training pictures,
    ``train-<draw>/<class>/<00000>.jpg``; ``annotations.csv`` (image, label: every right label of
    each validation picture), ``classes.csv`` (name, path) and ``truth.csv`` (the planted
    relations). ``progress`` is told (pictures written, pictures in all). The same settings give
    the same bytes; the validation pictures do not depend on ``draws``.

    Raises FileExistsError if ``folder`` exists and is not empty, ValueError if ``draws`` < 1.
    """
    if draws < 1:
        raise ValueError(f"draws: at least 1 draw of the training pictures, not {draws}")
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} exists and is not empty")
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(settings, scratch, draws, progress or (lambda done, total: None))
        scratch.chmod(0o755)  # mkdtemp's folders are private
        scratch.replace(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write(
    settings: PetriSettings, folder: Path, draws: int, progress: Callable[[int, int], None]
) -> None:
    splits = [("val", _VALIDATION, 0, settings.val_per_class)]
    splits += [(f"train-{d}", _TRAINING, d, settings.train_per_class) for d in range(draws)]
    total = len(CLASSES) * sum(count for *_, count in splits)
    done = 0
    annotations: list[tuple[str, str]] = []
    for split, split_key, draw, count in splits:
        for name in CLASSES:
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                pixels, labels = picture(settings, name, split_key, draw, number)
                image = f"{split}/{name}/{number:05d}.jpg"
                Image.fromarray(pixels).save(folder / image, quality=settings.jpeg_quality)
                if split_key == _VALIDATION:
                    annotations += [(image, label) for label in labels]
                done += 1
                progress(done, total)
    _table(folder / "annotations.csv", ("image", "label"), annotations)
    _table(folder / "classes.csv", ("name", "path"), CLASSES.items())
    header = ("class", "partner", "kind", "direction_note", "expectation")
    truth = [(r.name, r.partner, r.kind, r.note, r.expectation) for r in RELATIONS]
    _table(folder / "truth.csv", header, truth)


def picture(
    settings: PetriSettings, name: str, split: int, draw: int, number: int
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """One picture, (side, side, 3) uint8, and its labels: a pure function of the arguments."""
    key = (settings.seed, split, draw, zlib.crc32(name.encode()), number)
    rng = np.random.default_rng(np.random.SeedSequence(key))
    scene = compose(name, settings, rng)
    return photograph(scene, settings, rng), scene.labels


def _table(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
