"""What each source offers: which pictures, which labels, which class tree, what was planted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

import numpy as np
import pandas as pd
from tqdm import tqdm

from daclass.augment.pictures import hash_of
from daclass.config import (
    Cifar10hData,
    FashionMnistData,
    FolderData,
    PetriData,
    PicturesData,
    TinyImageNetData,
)
from daclass.config.sources import PerClass
from daclass.data import cifar10h, fashion_mnist
from daclass.data.labels import labelled_pictures
from daclass.data.listing import list_pictures
from daclass.data.tabular import read_csv
from daclass.data.wordnet import class_path
from daclass.errors import InputError


@dataclass(frozen=True)
class Source:
    """A data set as it was found, before anything is checked or counted.

    Attributes:
        root: the folder that image ids start from.
        pictures: columns split ("train" or "val"), draw (-1 for val), image_id and name; content
            where it is known already.
        classes: columns name and path, or None where there is no class tree.
        truth: columns class, partner, kind, direction_note and expectation; None for real data.
        contents: hashes of files that are known already, by path; see `content_hashes`.
    """

    root: Path
    pictures: pd.DataFrame
    classes: pd.DataFrame | None = None
    truth: pd.DataFrame | None = None
    contents: Mapping[str, str] = field(default_factory=dict)


def open_source(
    data: PicturesData, pictures: Path, contents: Mapping[str, str] | None = None
) -> Source:
    """List what a source offers.

    Args:
        data: the study's data section.
        pictures: where `daclass pictures` has put the pictures of sources that need it.
        contents: hashes of files that are known already, by path, for pictures that lie where
            nobody has to put them; the others are read.

    Raises:
        InputError: a folder, a file or a column is missing.
    """
    match data:
        case PetriData():
            return _petri(data, pictures)
        case FolderData():
            return _folder(data, contents or {})
        case Cifar10hData():
            return _cifar10h(data, pictures)
        case FashionMnistData():
            classes = pd.DataFrame(fashion_mnist.TREE.items(), columns=["name", "path"])
            return Source(pictures, _sample(*_splits(pictures), data), classes=classes)
        case TinyImageNetData():
            return _tiny_imagenet(data, pictures)
        case _:
            assert_never(data)


def _petri(data: PetriData, root: Path) -> Source:
    val = list_pictures(root, "val").assign(split="val", draw=-1)
    draws = [
        list_pictures(root, f"train-{draw}").assign(split="train", draw=draw)
        for draw in range(data.draws)
    ]
    return Source(
        root,
        pd.concat([val, *draws], ignore_index=True),
        read_csv(root / "classes.csv", "name", "path"),
        read_csv(root / "truth.csv", "class", "partner", "kind", "direction_note", "expectation"),
    )


def _folder(data: FolderData, contents: Mapping[str, str]) -> Source:
    if data.labels:
        listed = labelled_pictures(data.root, data.labels)
        found = [listed[listed["split"] == split] for split in ("train", "val")]
        found = found if data.labels.split else [listed]
    else:
        found = [list_pictures(data.root, split) for split in data.splits]
    unknown = sorted(set(data.leave_out) - set(pd.concat(found)["image_id"]))
    if unknown:
        raise InputError(f"data.leave_out: {data.root} has no picture {unknown[0]}")
    found = [split[~split["image_id"].isin(data.leave_out)] for split in found]
    train, val = found if len(found) == 2 else _set_aside(found[0], data, contents)
    pictures = _sample(train, val, data).drop(columns="names", errors="ignore")
    classes = None
    if data.classes == "wordnet":
        names = sorted(pictures["name"].unique())
        classes = pd.DataFrame({"name": names, "path": [class_path(name) for name in names]})
    elif data.classes:
        classes = read_csv(data.classes, "name", "path")
    return Source(data.root, pictures, classes, contents=contents)


def _cifar10h(data: Cifar10hData, root: Path) -> Source:
    classes = pd.DataFrame(cifar10h.TREE.items(), columns=["name", "path"])
    return Source(root, _sample(*_splits(root), data), classes)


def _tiny_imagenet(data: TinyImageNetData, root: Path) -> Source:
    train, val = list_pictures(root, "train"), list_pictures(root, "val")
    groups = [_by_hash(group) for _, group in train.groupby("name", sort=True)]
    judged = pd.concat([val, *(group.head(data.judged_from_train) for group in groups)])
    train = pd.concat([group.iloc[data.judged_from_train :] for group in groups])
    names = sorted(train["name"].unique())
    classes = pd.DataFrame({"name": names, "path": [class_path(name) for name in names]})
    return Source(root, _sample(train, judged, data), classes=classes)


def _splits(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    return list_pictures(root, "train"), list_pictures(root, "test")


def _set_aside(
    pictures: pd.DataFrame, data: FolderData, contents: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and validation pictures by `data.val_share`.

    Of each class the first contents by their hash are set aside, at least one of them and not all.
    """
    found = content_hashes(data.root, list(pictures["image_id"]), contents)
    pictures = pictures.assign(content=found)
    share, aside = data.val_share or 0, []
    for name, group in pictures.groupby("name", sort=True):
        distinct = sorted(group["content"].unique())
        if len(distinct) < 2:
            raise InputError(
                f"data.val_share: class {name} has {len(distinct)} picture, too few to split"
            )
        count = min(max(1, round(share * len(distinct))), len(distinct) - 1)
        aside.append(group["content"].isin(distinct[:count]))
    chosen = pd.concat(aside).reindex(pictures.index)
    return pictures[~chosen], pictures[chosen]


def content_hashes(
    root: Path, image_ids: Sequence[str], known: Mapping[str, str] | None = None
) -> list[str]:
    """Hash of each picture's file, 16 hex digits, so that changes and copies are noticed.

    Args:
        root: the folder that image ids start from.
        image_ids: the pictures.
        known: hashes of files by path; the others are read.

    Raises:
        InputError: a file cannot be read.
    """
    found = [(known or {}).get(str(root / image_id), "") for image_id in image_ids]
    unread = [number for number, content in enumerate(found) if not content]

    def content(number: int) -> str:
        return content_hash(root / image_ids[number])

    # Reading waits for the disk and hashing frees the interpreter: threads hide both.
    with (
        ThreadPoolExecutor(2 * len(os.sched_getaffinity(0))) as pool,
        tqdm(desc="contents", total=len(unread), unit="picture", delay=5, mininterval=2) as bar,
    ):
        # Some at a time: a pool keeps what it is handed, and ImageNet has 1.3 million.
        for start in range(0, len(unread), 4096):
            some = unread[start : start + 4096]
            for number, one in zip(some, pool.map(content, some), strict=True):
                found[number] = one
            bar.update(len(some))
    return found


def content_hash(file: Path) -> str:
    """Hash of a picture's file, 16 hex digits.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with file.open("rb") as opened:
            return hash_of(opened)
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None


def _sample(train: pd.DataFrame, val: pd.DataFrame, data: PerClass) -> pd.DataFrame:
    """The training pictures of every draw, and the validation pictures.

    Draw d takes the places [d * m, (d + 1) * m) of a fixed shuffle of each class's n pictures,
    wrapping round: draws are disjoint while the class has pictures enough.
    """
    m = data.train_per_class
    if m is None and data.draws > 1:
        raise InputError("data.draws: several draws need data.train_per_class (or source petri)")
    parts = []
    for _, group in train.groupby("name", sort=True):
        shuffled = _by_hash(group)
        if m is not None and m > len(shuffled):
            raise InputError(
                f"data.train_per_class: {m} is more than the {len(shuffled)} training pictures of "
                f"class {shuffled['name'].iloc[0]}"
            )
        size = len(shuffled) if m is None else m
        for draw in range(data.draws):
            places = np.sort((draw * size + np.arange(size)) % len(shuffled))
            parts.append(shuffled.iloc[places].assign(split="train", draw=draw))
    for _, group in val.groupby("name", sort=True):
        shuffled = _by_hash(group)
        parts.append(
            shuffled.head(data.val_per_class or len(shuffled)).assign(split="val", draw=-1)
        )
    return pd.concat(parts, ignore_index=True)


def _by_hash(group: pd.DataFrame) -> pd.DataFrame:
    """The rows in an order that depends on the image ids alone."""
    return group.iloc[np.argsort([image_hash(i) for i in group["image_id"]], kind="stable")]


def image_hash(image_id: str, seed: int = 0) -> int:
    """A 64-bit hash of an image id, the same everywhere and always."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{image_id}".encode()).digest()[:8], "big")
