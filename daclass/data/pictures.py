"""Put pictures that do not lie ready in folders into one: generated, archived, downloaded."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import assert_never

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from daclass.atomic import naming
from daclass.config import (
    Cifar10hData,
    FashionMnistData,
    FolderData,
    PetriData,
    PicturesData,
    TinyImageNetData,
)
from daclass.data import tiny_imagenet
from daclass.data.archives import complete, extract, opened
from daclass.data.fashion_mnist import PARTS, named_pictures
from daclass.data.petri import write_petri
from daclass.errors import InputError


def write_pictures(data: PicturesData, folder: Path) -> None:
    """Fill `folder`, which appears only when complete, with the pictures of a source.

    What was there, of other settings or of a job that failed at its end, goes first.

    Raises:
        InputError: the source lies in folders already, is missing or cannot be read.
    """
    shutil.rmtree(folder, ignore_errors=True)
    match data:
        case PetriData():
            with tqdm(desc="pictures", unit="picture", mininterval=2) as bar:

                def progress(done: int, total: int) -> None:
                    bar.total = total
                    bar.update(done - bar.n)

                write_petri(data.petri, folder, data.draws, progress, len(os.sched_getaffinity(0)))
        case Cifar10hData():
            _write_cifar10(data, folder)
        case FashionMnistData():
            with complete(folder) as partial:
                for split, (_, total) in PARTS.items():
                    pictures = named_pictures(data.root, split)
                    for name, pixels in tqdm(pictures, desc=split, total=total, mininterval=2):
                        _save(pixels, partial / split / name)
        case TinyImageNetData():
            with complete(folder) as partial:
                files = tiny_imagenet.named_pictures(data.root, data.classes)
                for name, content in tqdm(files, desc="pictures", unit="picture", mininterval=2):
                    (partial / name).parent.mkdir(parents=True, exist_ok=True)
                    (partial / name).write_bytes(content)
        case FolderData():
            raise InputError(f"data.source folder: {data.root} is read where it lies")
        case _:
            assert_never(data)


def _write_cifar10(data: Cifar10hData, folder: Path) -> None:
    archive = data.root / "cifar10_jpeg.tar.xz"
    if (data.root / "train").is_dir() and (data.root / "test").is_dir():
        with complete(folder) as partial:
            for split in ("train", "test"):
                (partial / split).symlink_to((data.root / split).resolve())
    elif archive.is_file():
        with complete(folder) as partial, opened(archive) as tar:
            for _ in extract(tar, partial, archive):
                pass
    elif data.download or (data.root / "cifar-10-batches-py").is_dir():
        _export_torchvision(data, folder)
    else:
        raise InputError(
            f"data.root: {data.root} holds neither train/ and test/, nor cifar10_jpeg.tar.xz, nor "
            "cifar-10-batches-py; set data.download: true to let torchvision fetch CIFAR-10"
        )


def _export_torchvision(data: Cifar10hData, folder: Path) -> None:
    """Write torchvision's CIFAR-10 as PNG, the n-th file of a class being its n-th picture."""
    from torchvision.datasets import CIFAR10

    with complete(folder) as partial:
        for split in ("train", "test"):
            try:
                pictures = CIFAR10(data.root, train=split == "train", download=data.download)
            except (RuntimeError, OSError) as error:
                raise InputError(f"data.root: {data.root}: torchvision says: {error}") from None
            written = np.zeros(len(pictures.classes), int)
            rows = zip(pictures.data, pictures.targets, strict=True)
            for pixels, label in tqdm(rows, desc=split, total=len(pictures), mininterval=2):
                name = f"{pictures.classes[label]}/{written[label]:04d}.png"
                _save(pixels, partial / split / name)
                written[label] += 1


def _save(pixels: npt.NDArray[np.uint8], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with naming(file):
        Image.fromarray(pixels).save(file)
