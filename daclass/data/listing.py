"""Which files in folders by class are pictures."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import pandas as pd

from daclass.errors import InputError

EXTENSIONS = {
    ".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm",
    ".tif", ".tiff", ".webp",
}  # fmt: skip
"""How the names of pictures end; whatever else lies in a class folder is passed over."""

TRAIN = ("train", "training")
VAL = ("val", "valid", "validation", "dev", "test", "testing")
"""Names of splits, whatever their case; of several the first is taken."""

TOOLS_FOLDERS = {
    "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot",  # of Synology and QNAP
    "$recycle.bin", "system volume information",  # of Windows
    "__macosx", "lost+found", "__pycache__",
}  # fmt: skip
"""Folders that storage and other tools make, in small letters, and that nobody means: thumbnails,
waste-paper baskets. Hidden folders are passed over too."""


def list_pictures(root: Path, split: str) -> pd.DataFrame:
    """The pictures below <root>/<split>/<class>/, sorted: columns image_id and name.

    Hidden files are passed over, such as the ._picture.jpg that a Mac leaves beside a picture. A
    class's name has composed accents (Unicode's form NFC), however its folder's are written.

    Raises:
        InputError: there is no such folder, there are no pictures, a class folder holds files and
            no picture among them, a folder cannot be listed, a link leads back to a folder that
            holds it, or a name is not UTF-8.
    """
    folder = root / split
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder (pictures of the split {split})")
    rows, others = [], dict[str, Counter[str]]()
    for where, files in walk(folder):
        if Path(where) != folder:
            name = Path(where).relative_to(folder).parts[0]
            start = Path(where).relative_to(root).as_posix()
            rows += [(f"{start}/{file}", name) for file in files if is_picture(file)]
            others.setdefault(name, Counter()).update(
                Path(file).suffix.lower() or "no ending" for file in files if file[0] != "."
            )
    if not rows:
        raise InputError(f"{folder}: holds no pictures in class folders")
    _check_names(root, (image_id for image_id, _ in rows))
    for name in sorted(set(others) - {name for _, name in rows}):
        held = ", ".join(f"{number:,} {ending}" for ending, number in others[name].most_common(3))
        if held:
            raise InputError(
                f"{folder / name}: holds {held} and no picture that can be read; convert them, to "
                "PNG or JPEG for example, or move the folder away"
            )
    rows = [(image_id, unicodedata.normalize("NFC", name)) for image_id, name in rows]
    return pd.DataFrame(sorted(rows), columns=["image_id", "name"]).sort_values(
        ["name", "image_id"], ignore_index=True
    )


def every_picture(root: Path) -> list[str]:
    """The pictures anywhere below a folder, as paths from there, sorted.

    Raises:
        InputError: there is no such folder, or as `list_pictures`.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    found = [
        (Path(where).relative_to(root) / file).as_posix()
        for where, files in walk(root)
        for file in files
        if is_picture(file)
    ]
    if not found:
        raise InputError(f"{root}: holds no pictures")
    _check_names(root, found)
    return sorted(found)


def _check_names(root: Path, image_ids: Iterable[str]) -> None:
    for image_id in image_ids:
        try:
            image_id.encode()
        except UnicodeEncodeError:
            raise InputError(f"{root}: the name {os.fsencode(image_id)!r} is not UTF-8") from None


def walk(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Every folder at or below `folder` that is not hidden and no tool's, with its files."""

    def refuse(error: OSError) -> NoReturn:
        raise InputError(f"{error.filename}: cannot be listed ({error.strerror})") from None

    # Class folders that are links are a usual way to make a subset.
    for where, folders, files in os.walk(folder, followlinks=True, onerror=refuse):
        folders[:] = [name for name in folders if is_meant(name)]
        for link in (Path(where) / name for name in folders):
            if link.is_symlink() and Path(where).resolve().is_relative_to(link.resolve()):
                raise InputError(f"{link}: leads back to a folder that holds it")
        yield where, files


def is_meant(folder: str) -> bool:
    """Whether a folder of this name may hold pictures that somebody put there."""
    return not folder.startswith(".") and folder.lower() not in TOOLS_FOLDERS


def is_picture(file: str) -> bool:
    """Whether a file of this name is taken for a picture; nothing hidden is."""
    return not file.startswith(".") and Path(file).suffix.lower() in EXTENSIONS
