"""Pictures by id or by file name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from daclass.errors import InputError


def match_pictures(names: pd.Series, pictures: Sequence[str], file: Path) -> pd.Series:
    """The id of the picture that each name stands for.

    A name is a picture's id or, where no two pictures share it, its file name; as far as both name
    folders, these have to agree.

    Args:
        names: names as `file` gives them; a name may come several times.
        pictures: all ids.
        file: where the names come from, for the error.

    Raises:
        InputError: a name stands for no picture, or for several.
    """
    distinct = names.unique()
    known = set(pictures)
    if all(name in known for name in distinct):
        return names
    by_file: dict[str, str | None] = {}
    for picture in pictures:
        short = PurePosixPath(picture).name
        by_file[short] = None if short in by_file else picture
    ids = {}
    for name in distinct:
        short = PurePosixPath(str(name)).name
        found = name if name in known else by_file.get(short)
        if found is None or not _agree(str(name), found):
            several = by_file.get(short, "") is None
            why = "several pictures have that name" if several else "no such picture"
            why = f"the picture of that file name is {found}" if found else why
            row = int((names == name).to_numpy().argmax())
            raise InputError(f"{file}: row {row + 1}: {name}: {why}")
        ids[name] = found
    return names.map(ids)


def _agree(name: str, picture: str) -> bool:
    """Whether the shorter of two paths is the end of the longer one."""
    parts = sorted((PurePosixPath(name).parts, PurePosixPath(picture).parts), key=len)
    return parts[1][len(parts[1]) - len(parts[0]) :] == parts[0]
