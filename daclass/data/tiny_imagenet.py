"""Tiny-ImageNet (Stanford's CS231n): 200 of ImageNet's classes, from its folder or a zip of it.

The official folder has train/<WordNet id>/images/ and one val/images/ for all classes, whose
val_annotations.txt names each picture's class; copies that are sorted by class, as
train/<WordNet id>/ and val/<WordNet id>/, are read too. Both may lie in a zip.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from daclass.data.archives import MEMBER_BYTES
from daclass.errors import InputError

FOLDER = "tiny-imagenet-200"
"""What the official zip calls the folder that all lies in."""
CLASSES, TRAIN_PER_CLASS, VAL_PER_CLASS = 200, 500, 50
"""How many classes there are, and pictures of each."""

Place: TypeAlias = Path | zipfile.Path


def open_root(root: Path) -> Place:
    """The place that holds train/ and val/: a folder, or within the one zip there.

    Raises:
        InputError: there is no such place, or the zip is damaged.
    """
    zips = sorted(root.glob("*.zip")) if root.is_dir() else [root]
    for folder in (root, root / FOLDER):
        if (folder / "train").is_dir():
            return folder
    if len(zips) == 1 and zips[0].is_file():
        try:
            inside = zipfile.Path(zips[0])
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(f"{zips[0]}: cannot be read ({error})") from None
        for place in (inside, inside / FOLDER):
            if (place / "train").is_dir():
                return place
    raise InputError(
        f"data.root: {root} holds neither train/ nor {FOLDER}/ nor one zip with either in it"
    )


def class_folders(root: Path) -> list[str]:
    """The WordNet ids of the classes there, sorted."""
    return sorted(entry.name for entry in (open_root(root) / "train").iterdir() if entry.is_dir())


def named_pictures(root: Path, classes: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """A name and the file's content for each picture of some classes, training pictures first.

    The name is <split>/<WordNet id>/<file>, however the set is laid out.

    Args:
        root: the folder, or a zip of it.
        classes: WordNet ids; all where empty.

    Raises:
        InputError: a class is missing, or a file cannot be read.
    """
    place = open_root(root)
    known = class_folders(root)
    for name in classes:
        if name not in known:
            raise InputError(f"data.classes: {root} has no class {name}")
    wanted = set(classes or known)
    for name in sorted(wanted):
        for file in _files(place / "train" / name):
            yield f"train/{name}/{file.name}", _content(file)
    for name, file in _validation(place / "val", wanted):
        yield f"val/{name}/{file.name}", _content(file)


def _files(folder: Place) -> Iterator[Place]:
    inner = folder / "images"
    entries = (inner if inner.is_dir() else folder).iterdir()
    yield from sorted(
        (entry for entry in entries if entry.name.lower().endswith(".jpeg")),
        key=lambda entry: entry.name,
    )


def _validation(folder: Place, wanted: set[str]) -> Iterator[tuple[str, Place]]:
    listing = folder / "val_annotations.txt"
    if not listing.is_file():
        for name in sorted(wanted):
            if not (folder / name).is_dir():
                raise InputError(f"{folder}: has neither {name}/ nor val_annotations.txt")
            for file in _files(folder / name):
                yield name, file
        return
    for number, line in enumerate(_content(listing).decode("utf-8", "replace").splitlines(), 1):
        fields = line.split("\t")  # file, class, and a box
        if len(fields) < 2 or "/" in fields[0]:
            raise InputError(f"{listing}: line {number}: expected a file and its class")
        if fields[1] in wanted:
            yield fields[1], folder / "images" / fields[0]


def _content(file: Place) -> bytes:
    try:
        with file.open("rb") as opened:
            content: bytes = opened.read(MEMBER_BYTES + 1)
    except (OSError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(f"{file}: cannot be read ({reason})") from None
    if len(content) > MEMBER_BYTES:
        raise InputError(f"{file}: too large for a picture")
    return content
