"""Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): its classes, and its pictures from idx files."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from daclass.errors import InputError

CLASSES = (
    "t-shirt or top",  # "T-shirt/top": a slash is no part of a folder's name
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
"""Names by class number: the data set's own, in lower case."""

_ARTIFACT = "entity/physical entity/object/whole/artifact"
TREE = {
    "t-shirt or top": f"{_ARTIFACT}/covering/clothing/garment/shirt/t-shirt or top",
    "trouser": f"{_ARTIFACT}/covering/clothing/garment/trouser",
    "pullover": f"{_ARTIFACT}/covering/clothing/garment/sweater/pullover",
    "dress": f"{_ARTIFACT}/covering/clothing/woman's clothing/dress",
    "coat": f"{_ARTIFACT}/covering/clothing/garment/overgarment/coat",
    "sandal": f"{_ARTIFACT}/covering/footwear/shoe/sandal",
    "shirt": f"{_ARTIFACT}/covering/clothing/garment/shirt",
    "sneaker": f"{_ARTIFACT}/covering/footwear/shoe/sneaker",
    "bag": f"{_ARTIFACT}/instrumentality/container/bag",
    "ankle boot": f"{_ARTIFACT}/covering/footwear/boot/ankle boot",
}
"""The class tree, for want of one of the data set's own: WordNet 3.0's ways to the first senses of
these nouns, in full. "T-shirt or top" stands where WordNet has the T-shirt, which is a kind of
shirt there; "ankle boot", which WordNet lacks, below boot."""

PARTS = {"train": ("train", 60_000), "test": ("t10k", 10_000)}
"""How the files of each split begin, and how many pictures they hold."""
SIDE = 28
"""Side of the pictures, px."""


def read_split(root: Path, split: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The pictures of "train" or "test", uint8 [n, 28, 28], and their class numbers, uint8 [n].

    Args:
        root: folder of the idx files, plain or gzipped, as Debian's dataset-fashion-mnist installs
            them, or torchvision's folder, which has them below FashionMNIST/raw.

    Raises:
        InputError: a file is missing, cut short, or not what its name says.
    """
    start, count = PARTS[split]
    images = _find(root, f"{start}-images-idx3-ubyte")
    labels = _find(root, f"{start}-labels-idx1-ubyte")
    pixels, numbers = _read_idx(images, (count, SIDE, SIDE)), _read_idx(labels, (count,))
    if numbers.max() >= len(CLASSES):
        raise InputError(f"{labels}: {numbers.max()} is no class number below {len(CLASSES)}")
    return pixels, numbers


def _find(root: Path, name: str) -> Path:
    for folder in (root, root / "FashionMNIST" / "raw"):
        for file in (folder / name, folder / f"{name}.gz"):
            if file.is_file():
                return file
    raise InputError(
        f"data.root: {root} holds neither {name} nor {name}.gz (Debian's package "
        "dataset-fashion-mnist has them in /usr/share/datasets/fashion-mnist)"
    )


def _read_idx(file: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """An array of bytes: four bytes of type and rank, big-endian sizes, the content."""
    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()
    wanted = len(header) + math.prod(shape)
    opener = gzip.open if file.suffix == ".gz" else open
    try:
        with opener(file, "rb") as opened:
            content = opened.read(wanted + 1)  # no more, whatever the file unpacks to
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file}: cannot be read ({error})") from None
    if not content.startswith(header):
        raise InputError(f"{file}: not an idx file of {' x '.join(map(str, shape))} bytes")
    if len(content) != wanted:
        what = "cut short" if len(content) < wanted else "longer than its header says"
        raise InputError(f"{file}: {what}")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def named_pictures(root: Path, split: str) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    """A file name and the pixels, uint8 [28, 28], of each picture of a split.

    The name is <class>/<place in the idx file>.png, so that a picture can be traced back.
    """
    for place, (pixels, number) in enumerate(zip(*read_split(root, split), strict=True)):
        yield f"{CLASSES[number]}/{place:05d}.png", pixels
