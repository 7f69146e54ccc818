"""What each source offers: which pictures, which labels, which class tree, what was planted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import numpy as np
import pandas as pd
from tqdm import tqdm

from daclass.config import (
    Cifar10hData,
    FashionMnistData,
    FolderData,
    PetriData,
    PicturesData,
    TinyImageNetData,
)
from daclass.config.sources import PerClass
from daclass.data import fashion_mnist
from daclass.data.annotations import read_annotations
from daclass.data.classes import Classes
from daclass.data.labels import label_sets, labelled_pictures
from daclass.data.listing import list_pictures
from daclass.data.tabular import read_csv
from daclass.data.wordnet import class_path
from daclass.errors import InputError

# Where CIFAR-10's classes stand among each other, for want of a tree of its own: WordNet's
# hypernyms, thinned to the nodes that tell the ten classes apart.
CIFAR10_TREE = {
    "airplane": "object/artifact/vehicle/craft/airplane",
    "ship": "object/artifact/vehicle/craft/ship",
    "automobile": "object/artifact/vehicle/motor vehicle/automobile",
    "truck": "object/artifact/vehicle/motor vehicle/truck",
    "bird": "object/animal/vertebrate/bird",
    "frog": "object/animal/vertebrate/frog",
    "cat": "object/animal/vertebrate/mammal/carnivore/cat",
    "dog": "object/animal/vertebrate/mammal/carnivore/dog",
    "deer": "object/animal/vertebrate/mammal/ungulate/deer",
    "horse": "object/animal/vertebrate/mammal/ungulate/horse",
}
CIFAR10_CLASSES = sorted(CIFAR10_TREE)  # CIFAR-10's own order, which is alphabetical


@dataclass(frozen=True)
class Source:
    """A data set as it was found, before anything is checked or counted.

    Attributes:
        root: the folder that image ids start from.
        pictures: columns split ("train" or "val"), draw (-1 for val), image_id and name; content
            where it is known already.
        annotations: columns image_id and name, one row per label; None where there are none and the
            original label is the only one.
        classes: columns name and path, or None where there is no class tree.
        truth: columns class, partner, kind, direction_note and expectation; None for real data.
    """

    root: Path
    pictures: pd.DataFrame
    annotations: pd.DataFrame | None = None
    classes: pd.DataFrame | None = None
    truth: pd.DataFrame | None = None


def open_source(data: PicturesData, pictures: Path) -> Source:
    """List what a source offers.

    Args:
        data: the study's data section.
        pictures: where `daclass pictures` has put the pictures of sources that need it.

    Raises:
        InputError: a folder, a file or a column is missing.
    """
    match data:
        case PetriData():
            return _petri(data, pictures)
        case FolderData():
            return _folder(data)
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
        read_csv(root / "annotations.csv", "image", "label").set_axis(["image_id", "name"], axis=1),
        read_csv(root / "classes.csv", "name", "path"),
        read_csv(root / "truth.csv", "class", "partner", "kind", "direction_note", "expectation"),
    )


def _folder(data: FolderData) -> Source:
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
    train, val = found if len(found) == 2 else _set_aside(found[0], data)
    pictures = _sample(train, val, data)
    annotations = classes = None
    if data.labels:
        annotations = label_sets(pictures[pictures["split"] == "val"], set(pictures["name"]))
        pictures = pictures.drop(columns="names")
    if data.annotations:
        ids = list(pictures.loc[pictures["split"] == "val", "image_id"])
        names = sorted(pictures["name"].unique())
        annotations = read_annotations(data.annotations, ids, Classes(names))
    if data.classes == "wordnet":
        names = sorted(pictures["name"].unique())
        classes = pd.DataFrame({"name": names, "path": [class_path(name) for name in names]})
    elif data.classes:
        classes = read_csv(data.classes, "name", "path")
    return Source(data.root, pictures, annotations, classes)


def _cifar10h(data: Cifar10hData, root: Path) -> Source:
    names = {"cifar10h_counts.npy", "cifar10h-counts.npy"}
    files = [data.root / name for name in sorted(names) if (data.root / name).is_file()]
    if not files:
        raise InputError(f"data.root: {data.root} lacks the human votes, cifar10h-counts.npy")
    votes = _numbers(files[0], (10000, 10))
    silent = np.flatnonzero(~(votes.sum(axis=1) > 0))
    if len(silent) or votes.min() < 0:
        raise InputError(f"{files[0]}: row {silent[0] if len(silent) else 0}: no votes")
    train, test = _splits(root)
    numbers = test.groupby("name")["image_id"].transform(lambda ids: range(len(ids)))
    if list(test["image_id"].map(lambda image_id: Path(image_id).stem)) != [
        f"{number:04d}" for number in numbers
    ]:
        raise InputError(f"{root / 'test'}: pictures must be called 0000 to 0999 in each class")
    # The votes come in CIFAR-10's own test order, in which the n-th file of a class is its n-th
    # picture; the order's labels come with torchvision's batches or beside the votes.
    order = _cifar10_test_labels(data.root)
    position = np.argsort(order, kind="stable")  # class by class, in test order
    if list(test["name"]) != [CIFAR10_CLASSES[label] for label in order[position]]:
        raise InputError(
            f"{root / 'test'}: expected the 1,000 test pictures of each CIFAR-10 class"
        )
    share = votes[position] / votes[position].sum(axis=1, keepdims=True)
    counts = (share >= data.vote_share) | (share == share.max(axis=1, keepdims=True))
    row, label = np.nonzero(counts)
    annotations = pd.DataFrame(
        {
            "image_id": test["image_id"].to_numpy()[row],
            "name": np.array(CIFAR10_CLASSES)[label],
        }
    )
    pictures = _sample(train, test, data)
    chosen = annotations["image_id"].isin(pictures["image_id"])
    classes = pd.DataFrame(CIFAR10_TREE.items(), columns=["name", "path"])
    return Source(root, pictures, annotations[chosen], classes)


def _tiny_imagenet(data: TinyImageNetData, root: Path) -> Source:
    train, val = list_pictures(root, "train"), list_pictures(root, "val")
    groups = [_by_hash(group) for _, group in train.groupby("name", sort=True)]
    judged = pd.concat([val, *(group.head(data.judged_from_train) for group in groups)])
    train = pd.concat([group.iloc[data.judged_from_train :] for group in groups])
    names = sorted(train["name"].unique())
    classes = pd.DataFrame({"name": names, "path": [class_path(name) for name in names]})
    return Source(root, _sample(train, judged, data), classes=classes)


def _cifar10_test_labels(root: Path) -> np.ndarray:
    beside = root / "test_labels_in_cifar_order.npy"
    if beside.is_file():
        labels = _numbers(beside, (10000,))
        if not set(np.unique(labels)) <= set(range(10)):
            raise InputError(f"{beside}: expected class numbers from 0 to 9")
        return labels.astype(int)
    from torchvision.datasets import CIFAR10

    try:
        return np.array(CIFAR10(root, train=False).targets)
    except RuntimeError:
        raise InputError(
            f"data.root: {root} holds neither cifar-10-batches-py nor "
            "test_labels_in_cifar_order.npy; one is needed to join the votes"
        ) from None


def _numbers(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The array of a .npy file."""
    try:
        found = np.load(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{file}: not an array ({error})") from None
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iuf" or found.shape != shape:
        what = f"{found.dtype} {found.shape}" if isinstance(found, np.ndarray) else "an archive"
        raise InputError(f"{file}: expected numbers of shape {shape}, got {what}")
    return found


def _splits(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    return list_pictures(root, "train"), list_pictures(root, "test")


def _set_aside(pictures: pd.DataFrame, data: FolderData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and validation pictures by `data.val_share`.

    Of each class the first contents by their hash are set aside, at least one of them and not all.
    """
    pictures = pictures.assign(content=content_hashes(data.root, list(pictures["image_id"])))
    share, aside = data.val_share or 0, []
    for name, group in pictures.groupby("name", sort=True):
        contents = sorted(group["content"].unique())
        if len(contents) < 2:
            raise InputError(
                f"data.val_share: class {name} has {len(contents)} picture, too few to split"
            )
        count = min(max(1, round(share * len(contents))), len(contents) - 1)
        aside.append(group["content"].isin(contents[:count]))
    chosen = pd.concat(aside).reindex(pictures.index)
    return pictures[~chosen], pictures[chosen]


def content_hashes(root: Path, image_ids: Sequence[str]) -> list[str]:
    """Hash of each picture's file, 16 hex digits, so that changes and copies are noticed.

    Raises:
        InputError: a file cannot be read.
    """

    def content(image_id: str) -> str:
        try:
            with (root / image_id).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()[:16]
        except OSError as error:
            raise InputError(f"{root / image_id}: cannot be read ({error.strerror})") from None

    found: list[str] = []
    # Reading waits for the disk and hashing frees the interpreter: threads hide both.
    with (
        ThreadPoolExecutor(2 * len(os.sched_getaffinity(0))) as pool,
        tqdm(desc="contents", total=len(image_ids), unit="picture", delay=5, mininterval=2) as bar,
    ):
        # Some at a time: a pool keeps what it is handed, and ImageNet has 1.3 million.
        for start in range(0, len(image_ids), 4096):
            found += pool.map(content, image_ids[start : start + 4096])
            bar.update(len(found) - bar.n)
    return found


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
