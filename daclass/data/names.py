"""Pictures by id or by file name."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from daclass.data.tabular import row_of
from daclass.errors import InputError

_Key = Callable[[str], str]


def match_pictures(
    names: pd.Series, pictures: Sequence[str], file: Path | str, *, others: bool = False
) -> pd.Series:
    """The id of the picture that each name stands for.

    A name is a picture's id or, where no two pictures share it, its file name, with or without its
    ending; as far as both name folders, these have to agree. Folders may be parted by backslashes,
    and accents may be composed or not, as on a Mac.

    Args:
        names: names as `file` gives them; a name may come several times.
        pictures: all ids.
        file: where the names come from, for the error.
        others: whether names of no picture are let through, as missing values.

    Raises:
        InputError: a name is missing, or stands for no picture or for several.
    """
    missing = names.isna().to_numpy()
    if missing.any():
        raise InputError(f"{row_of(file, int(missing.argmax()) + 1)}: names no picture")
    distinct = names.unique()
    known = set(pictures)
    if all(name in known for name in distinct):
        return names
    lists: dict[_Key, dict[str, str | None]] = {
        key: _by(key, pictures) for key in (_plain, _file, _stem)
    }
    ids: dict[object, str | None] = {}
    for name in distinct:
        if name in known:
            ids[name] = str(name)
            continue
        found, why = _find(str(name), lists)
        if found is None and not (others and why == _NONE):
            row = int((names == name).to_numpy().argmax())
            raise InputError(f"{row_of(file, row + 1)}: {str(name)[:200]}: {why}")
        ids[name] = found
    return names.map(ids)


_NONE = "no such picture"


def _find(name: str, lists: dict[_Key, dict[str, str | None]]) -> tuple[str | None, str]:
    """The picture of a name, or None and why there is none."""
    why = _NONE
    # Names of files whole, then where the one or the other has no ending.
    for own, theirs in ((_plain, _plain), (_file, _file), (_file, _stem), (_stem, _file)):
        if own(name) not in lists[theirs]:
            continue
        found = lists[theirs][own(name)]
        if found is None:
            return None, "several pictures have that name"
        if _agree(name, found):
            return found, ""
        why = f"the picture of that file name is {found}"
    return None, why


def _by(key: _Key, pictures: Sequence[str]) -> dict[str, str | None]:
    """Picture by key; None where several share it."""
    found: dict[str, str | None] = {}
    for picture in pictures:
        short = key(picture)
        found[short] = None if short in found else picture
    return found


def _plain(name: str) -> str:
    """A path with one way to write accents and to part folders."""
    return unicodedata.normalize("NFC", name).replace("\\", "/")


def _file(name: str) -> str:
    return PurePosixPath(_plain(name)).name


def _stem(name: str) -> str:
    return PurePosixPath(_plain(name)).stem


def _agree(name: str, picture: str) -> bool:
    """Whether the shorter of two paths is the end of the longer one, with or without endings."""
    own, theirs = PurePosixPath(_plain(name)), PurePosixPath(_plain(picture))
    return any(
        _ends(one.parts, other.parts)
        for one, other in (
            (own, theirs),
            (own, _bare(theirs)),
            (_bare(own), theirs),
        )
    )


def _bare(path: PurePosixPath) -> PurePosixPath:
    return path.with_suffix("") if path.name else path


def _ends(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    short, long = sorted((one, other), key=len)
    return long[len(long) - len(short) :] == short
