"""Put pictures that do not lie ready in folders into one: generated, archived, downloaded."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import assert_never

import numpy as np
from PIL import Image
from tqdm import tqdm

from daclass.data.petri import write_petri
from daclass.errors import InputError
from daclass.study import Cifar10hData, FolderData, PetriData


def write_pictures(data: PetriData | FolderData | Cifar10hData, folder: Path) -> None:
    """Fill `folder`, which appears only when complete, with the pictures of a source.

    Raises:
        InputError: the source lies in folders already, is missing or cannot be read.
    """
    match data:
        case PetriData():
            with tqdm(desc="pictures", unit="picture", mininterval=2) as bar:

                def progress(done: int, total: int) -> None:
                    bar.total = total
                    bar.update(done - bar.n)

                write_petri(data.petri, folder, data.draws, progress)
        case Cifar10hData():
            _write_cifar10(data, folder)
        case FolderData():
            raise InputError(f"data.source folder: {data.root} is read where it lies")
        case _:
            assert_never(data)


def _write_cifar10(data: Cifar10hData, folder: Path) -> None:
    archive = data.root / "cifar10_jpeg.tar.xz"
    if (data.root / "train").is_dir() and (data.root / "test").is_dir():
        with _complete(folder) as partial:
            for split in ("train", "test"):
                (partial / split).symlink_to((data.root / split).resolve())
    elif archive.is_file():
        with _complete(folder) as partial:
            try:
                with tarfile.open(archive) as tar:
                    # The data filter refuses members that would leave the folder, and devices.
                    tar.extractall(partial, filter="data")
            except (tarfile.TarError, EOFError, OSError) as error:
                raise InputError(f"{archive}: cannot be extracted ({error})") from None
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

    with _complete(folder) as partial:
        for split in ("train", "test"):
            try:
                pictures = CIFAR10(data.root, train=split == "train", download=data.download)
            except (RuntimeError, OSError) as error:
                raise InputError(f"data.root: {data.root}: torchvision says: {error}") from None
            written = np.zeros(len(pictures.classes), int)
            rows = zip(pictures.data, pictures.targets, strict=True)
            for pixels, label in tqdm(rows, desc=split, total=len(pictures), mininterval=2):
                target = partial / split / pictures.classes[label] / f"{written[label]:04d}.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(target)
                written[label] += 1


@contextmanager
def _complete(folder: Path) -> Iterator[Path]:
    """A temporary sibling that becomes `folder` when the block ends well, and is removed else."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
