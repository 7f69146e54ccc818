"""Look at a folder of pictures before a study of it is written: what is there, what is wrong."""

from __future__ import annotations

import hashlib
import os
import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from daclass.augment.pictures import PictureError, orientation, read_picture
from daclass.config import Labels
from daclass.data.index import leaks
from daclass.data.labels import labelled_pictures
from daclass.data.listing import TRAIN, VAL, is_meant, is_picture, list_pictures, walk
from daclass.data.sources import content_hashes, image_hash
from daclass.errors import InputError

OPENED_AT_LEAST = 200
MEASURED_AT_MOST = 500
COMPARED_AT_MOST = 100_000

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Look:
    """What one picture is like.

    Attributes:
        height, width: px, upright.
        mean, square: mean of the colours and of their squares, on a scale of 0 to 1, float64 [3].
        traits: what is unusual about the file, in words.
    """

    height: int
    width: int
    mean: npt.NDArray[np.float64]
    square: npt.NDArray[np.float64]
    traits: tuple[str, ...]


@dataclass(frozen=True)
class Survey:
    """What a folder holds.

    Attributes:
        root: the folder; where what was given holds nothing but one folder, and so on, the last.
        train: the subfolder with training pictures; "." where classes lie in root itself.
        val: the subfolder with validation pictures; None where there is none.
        below: the folder that was given, where `root` is one below it.
        labels: the file that says the classes, where their folders do not.
        nested: folders within class folders, whose pictures count for the class.
        unused: subfolders that are called as a split is and not taken: another one is, or they hold
            no class folders.
        pictures: columns split ("train" or "val"), image_id and name, one row per picture.
        ignored: files that are not taken for pictures, counted by the end of their name.
        opened: number of pictures that were read in full.
        unreadable: of these, those that cannot be read or cropped: image id and reason.
        traits: of these, how many are unusual in which way.
        heights, widths: of the pictures that were measured, px.
        mean, std: their colours on a scale of 0 to 1.
        compared: share of the pictures that were looked at for copies.
        leaked: columns image_id and twin, training pictures that are validation pictures too.
        copies: number of pictures with the content of another one of the same class and split.
        contradictions: columns image_id and twin, pictures of one content in two classes.
    """

    root: Path
    train: str
    val: str | None
    below: Path | None
    labels: Labels | None
    nested: tuple[str, ...]
    unused: tuple[str, ...]
    pictures: pd.DataFrame
    ignored: Counter[str]
    opened: int
    unreadable: tuple[tuple[str, str], ...]
    traits: Counter[str]
    heights: npt.NDArray[np.int64]
    widths: npt.NDArray[np.int64]
    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]
    compared: float
    leaked: pd.DataFrame
    copies: int
    contradictions: pd.DataFrame

    @property
    def classes(self) -> list[str]:
        return sorted(self.pictures["name"].unique())

    @property
    def left_out(self) -> list[str]:
        """Pictures that a study cannot use: unreadable ones, and training pictures that are
        validation pictures too."""
        return sorted({*(name for name, _ in self.unreadable), *self.leaked["image_id"]})

    @property
    def kept(self) -> pd.DataFrame:
        """The other pictures."""
        return self.pictures[~self.pictures["image_id"].isin(self.left_out)]

    def smallest(self, split: str) -> int:
        """Pictures that are kept of the class that has fewest of them in a split."""
        return int(self.kept.loc[self.kept["split"] == split, "name"].value_counts().min())


def survey(root: Path, seconds: float = 60, labels: Labels | None = None) -> Survey:
    """Look at a folder of pictures; pictures are opened for `seconds` at most, but some always.

    Which pictures are opened, in which order, is decided by a hash of their names.

    Args:
        labels: the file that says the pictures' classes, where their folders do not.

    Raises:
        InputError: there is no such folder, it holds no pictures in class folders, one class alone,
            classes without a picture in a split that can be used, classes with too few to split
            where there is no folder for validation, or no picture that can be read.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    given = root.resolve()
    root = given if labels else _unwrapped(given)
    train, val, unused = (
        (".", "." if labels.split else None, tuple[str, ...]()) if labels else _splits(root)
    )
    if labels:
        pictures = labelled_pictures(root, labels).drop(columns="names")
        pictures["split"] = pictures["split"].replace("", "train")
    splits = {"train": train} | ({"val": val} if val else {})
    if not labels:
        parts = [list_pictures(root, folder).assign(split=name) for name, folder in splits.items()]
        pictures = pd.concat(parts, ignore_index=True)
    every = set(pictures["name"])
    if len(every) == 1:
        needed = f"; each class needs a folder; if it is none, {_labels_hint(root)}"
        raise InputError(f"{root}: holds one class alone, {min(every)}{'' if labels else needed}")
    _check_classes(root, pictures, splits, every, "")
    ids = sorted(pictures["image_id"], key=image_hash)
    looks, unreadable = _open(root, ids, seconds)
    if not looks:
        raise InputError(f"{root}: no picture can be read; {unreadable[0][1]}")
    measured = looks[:MEASURED_AT_MOST]
    mean = np.mean([look.mean for look in measured], axis=0)
    square = np.mean([look.square for look in measured], axis=0)
    broken = {image_id for image_id, _ in unreadable}
    kept = pictures[~pictures["image_id"].isin(broken)]
    compared, share = _contents(root, kept)
    leaked = leaks(compared)
    kept = kept[~kept["image_id"].isin(leaked["image_id"])]
    why = dict(unreadable)
    unread = pictures[pictures["image_id"].isin(broken)].sort_values("image_id", ascending=False)
    pairs = zip(unread["name"], unread["image_id"], strict=True)
    reasons = {str(name): why[image_id] for name, image_id in pairs}
    _check_classes(root, kept, splits, every, " that can be used", reasons)
    if not val:
        _check_contents(root, kept, compared)
    first = compared.drop_duplicates("content")[["content", "image_id", "name"]]
    twins = compared.merge(first, on="content", suffixes=("", "_first"))
    copies = twins[(twins["image_id"] != twins["image_id_first"])]
    other = copies[copies["name"] != copies["name_first"]]
    return Survey(
        root=root,
        train=train,
        val=val,
        below=None if root == given else given,
        labels=labels,
        nested=() if labels else _nested(pictures, splits),
        unused=unused,
        pictures=pictures,
        ignored=Counter() if labels else _ignored(root, list(splits.values())),
        opened=len(looks) + len(unreadable),
        unreadable=tuple(sorted(unreadable)),
        traits=Counter(trait for look in looks for trait in look.traits),
        heights=np.array([look.height for look in measured]),
        widths=np.array([look.width for look in measured]),
        mean=mean,
        std=np.sqrt(np.maximum(square - mean**2, 1e-6)),
        compared=share,
        leaked=leaked,
        copies=int(compared.duplicated(["content", "split", "name"]).sum()),
        contradictions=other.rename(columns={"image_id_first": "twin"})[
            ["image_id", "twin"]
        ].reset_index(drop=True),
    )


def _unwrapped(root: Path) -> Path:
    """The folder that holds the pictures' folders, where others hold nothing but it: archives are
    often unpacked into archive/dataset/train/."""
    within = [entry for entry in root.iterdir() if entry.is_dir() and is_meant(entry.name)]
    if len(within) != 1 or any(is_picture(entry.name) for entry in root.iterdir()):
        return root
    inner = within[0]
    # A split, or a class alone, is where it belongs.
    if inner.name.lower() in (*TRAIN, *VAL) or not _holds_pictures(inner, in_folders=True):
        return root
    if any(is_picture(entry.name) for entry in inner.iterdir()):
        return root
    return _unwrapped(inner)


def _nested(pictures: pd.DataFrame, splits: Mapping[str, str]) -> tuple[str, ...]:
    """Folders within class folders that hold pictures, as <split>/<class>/<folder>."""
    depth = {split: len(Path(folder).parts) + 1 for split, folder in splits.items()}
    parents = {
        (split, Path(image_id).parent)
        for split, image_id in pictures[["split", "image_id"]].itertuples(index=False)
    }
    return tuple(
        sorted(str(parent) for split, parent in parents if len(parent.parts) > depth[split])
    )


def _splits(root: Path) -> tuple[str, str | None, tuple[str, ...]]:
    """Subfolders for training and validation, and those of such names that are left.

    A folder is a split only if it holds class folders: a class may be called train as well.
    """
    folders = {file.name.lower(): file.name for file in sorted(root.iterdir()) if file.is_dir()}
    named = [folders[name] for name in (*TRAIN, *VAL) if name in folders]
    splits = [name for name in named if _holds_pictures(root / name, in_folders=True)]
    trains, vals = ([name for name in splits if name.lower() in names] for names in (TRAIN, VAL))
    if trains:
        taken = (trains[0], *vals[:1])
        return trains[0], vals[0] if vals else None, tuple(n for n in named if n not in taken)
    if vals:
        raise InputError(
            f"{root}: holds {vals[0]}/ and no train/ with class folders; call one of them train"
        )
    others = (name for name in folders.values() if name not in named and is_meant(name))
    if any(_holds_pictures(root / name, in_folders=False) for name in others):
        return ".", None, ()
    for folder in (root, *(root / name for name in named)):
        if any(is_picture(each.name) for each in folder.iterdir()):
            raise InputError(f"{folder}: holds pictures and no class folders; {_labels_hint(root)}")
    if named:
        raise InputError(f"{root / named[0]}: holds no pictures in class folders")
    return ".", None, ()


def _labels_hint(root: Path) -> str:
    """How to say the classes of pictures that lie side by side, with a file that may do it."""
    tables = [file for folder in (root, root.parent) for file in sorted(folder.glob("*.[ct]sv"))]
    such = f", such as {shlex.quote(str(tables[0]))}" if tables else ""
    return f"--labels takes their classes from a CSV file{such}"


def _holds_pictures(folder: Path, in_folders: bool) -> bool:
    """Whether there are pictures anywhere below, or in subfolders; `list_pictures` would agree."""
    return any(
        any(is_picture(file) for file in files)
        for where, files in walk(folder)
        if not in_folders or Path(where) != folder
    )


def _check_classes(
    root: Path,
    pictures: pd.DataFrame,
    splits: Iterable[str],
    every: set[str],
    kind: str,
    reasons: Mapping[str, str] | None = None,
) -> None:
    """Refuse classes of which a split has no pictures.

    Args:
        kind: goes on after the word "pictures".
        reasons: why a picture of a class cannot be read, by class; None where none was opened.
    """
    for split in splits:
        missing = sorted(every - set(pictures.loc[pictures["split"] == split, "name"]))
        if missing:
            what = "training" if split == "train" else "validation"
            more = f" (nor have {len(missing) - 1} more)" if len(missing) > 1 else ""
            why = ""
            if reasons is not None:
                why = f": {reasons.get(missing[0], 'all are validation pictures too')}"
            raise InputError(f"{root}: class {missing[0]} has no {what} pictures{kind}{more}{why}")


def _check_contents(root: Path, kept: pd.DataFrame, compared: pd.DataFrame) -> None:
    """Refuse classes that cannot be split in two, since copies stay together."""
    copies = compared.loc[compared.duplicated(["content", "name"]), "image_id"]
    contents = kept.loc[~kept["image_id"].isin(copies), "name"].value_counts()
    if contents.min() < 2:
        raise InputError(
            f"{root}: class {min(contents.index[contents < 2])} has one picture that can be used, "
            "or copies of one; without a folder for validation each class needs two"
        )


def _open(
    root: Path, ids: Sequence[str], seconds: float
) -> tuple[list[Look], list[tuple[str, str]]]:
    """Looks at pictures in the given order until time is up, and what is wrong with others."""

    def look(image_id: str) -> Look | tuple[str, str]:
        try:
            return _look(root / image_id)
        except PictureError as error:
            return image_id, str(error)

    end = time.monotonic() + seconds
    found: list[Look | tuple[str, str]] = []
    for results in _side_by_side(look, ids):
        found += results
        if time.monotonic() > end and len(found) >= OPENED_AT_LEAST:
            break
    looks = [entry for entry in found if isinstance(entry, Look)]
    return looks, [entry for entry in found if not isinstance(entry, Look)]


def _look(file: Path) -> Look:
    pixels = read_picture(file)
    with Image.open(file) as picture:
        traits = tuple(_traits(file, picture))
    colours = pixels.reshape(-1, 3)[:: max(1, pixels.shape[0] * pixels.shape[1] // 10_000)] / 255
    height, width, _ = pixels.shape
    return Look(height, width, colours.mean(axis=0), (colours**2).mean(axis=0), traits)


def _traits(file: Path, picture: Image.Image) -> Iterator[str]:
    modes = {"1": "black and white", "L": "greyscale", "LA": "greyscale", "CMYK": "CMYK"}
    if picture.mode in modes:
        yield modes[picture.mode]
    if picture.mode.startswith("I;16"):
        yield "16-bit greyscale (the upper 8 bits count)"
    if "A" in picture.mode or "transparency" in picture.info:
        yield "with transparency (dropped)"
    if orientation(picture) > 1:
        yield "turned upright as their EXIF data say"
    form = "JPEG" if picture.format == "MPO" else picture.format  # a JPEG with others behind it
    if form != "JPEG" and _frames(picture) > 1:
        yield "of several frames (the first counts)"
    if form != Image.registered_extensions().get(file.suffix.lower(), "JPEG"):
        yield "of another format than their name says"


def _frames(picture: Image.Image) -> int:
    """How many frames there are; 1 where that cannot be found out."""
    try:
        return int(getattr(picture, "n_frames", 1))
    except Exception:  # as with `orientation`: the first frame can be read, and it alone counts
        return 1


def _contents(root: Path, pictures: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """The pictures that may be copies with their contents' hash, and the share that was compared.

    Copies have equal sizes. Where pictures are many, a part of all sizes stands for them: no pair
    of copies is torn.
    """

    def size(image_id: str) -> int:
        try:
            return (root / image_id).stat().st_size
        except OSError as error:
            raise InputError(f"{root / image_id}: cannot be read ({error.strerror})") from None

    def head(image_id: str) -> bytes:
        with (root / image_id).open("rb") as file:
            return hashlib.sha256(file.read(4096)).digest()

    ids = list(pictures["image_id"])
    sizes = np.array([result for part in _side_by_side(size, ids) for result in part])
    taken = sizes % -(-len(ids) // COMPARED_AT_MOST) == 0
    some = pictures.assign(bytes=sizes)[taken]
    some = some[some.duplicated("bytes", keep=False)]
    heads = [result for part in _side_by_side(head, list(some["image_id"])) for result in part]
    some = some.assign(head=heads)
    some = some[some.duplicated(["bytes", "head"], keep=False)]
    some = some.assign(content=content_hashes(root, list(some["image_id"])))
    return some.sort_values(["split", "image_id"], ignore_index=True), float(taken.mean())


def _ignored(root: Path, splits: Iterable[str]) -> Counter[str]:
    """Files that are not taken for pictures, by the end of their name, and pictures of no class."""
    return Counter(
        "outside of class folders" if is_picture(name) else Path(name).suffix.lower() or "no ending"
        for split in splits
        for where, files in walk(root / split)
        for name in files
        if not name.startswith(".") and (Path(where) == root / split or not is_picture(name))
    )


def _side_by_side(function: Callable[[T], R], items: Sequence[T]) -> Iterator[list[R]]:
    """Results in order, some at a time. Decoding and waiting for the disk free the interpreter."""
    with ThreadPoolExecutor(2 * len(os.sched_getaffinity(0))) as pool:
        for start in range(0, len(items), 64):
            yield list(pool.map(function, items[start : start + 64]))
