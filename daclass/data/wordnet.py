"""Ways through WordNet 3.0's noun hierarchy, from the database files (wndb(5WN)).

Debian's package wordnet-base installs them below /usr/share/wordnet; the environment variable
WNSEARCHDIR, which WordNet's own programs obey, names another folder (NLTK's `corpora/wordnet` holds
the same files).
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

from daclass.errors import InputError

DEFAULT_FOLDER = Path("/usr/share/wordnet")


def class_path(name: str) -> str:
    """A class's way through the hierarchy, joined by "/", the class last: a WordNet id as its
    synset's first lemma, a noun as it was given.

    Args:
        name: a WordNet id such as n01440764, as ImageNet's folders are called, or a noun such as
            "sports car" or "sports_car", which stands for its first sense.

    Raises:
        InputError: WordNet is not installed, or has no such noun.
    """
    found = re.fullmatch(r"n(\d{8})", name)
    offset = int(found[1]) if found and _installed() else _first_sense(name)
    last = _synset(_nouns(), offset)[0] if found else name
    return "/".join([*hypernym_path(offset), last.replace("/", " ")])


def database() -> list[Path]:
    """The files that are read, as far as they are installed."""
    return [file for file in map(_file, ("index.noun", "data.noun")) if file.is_file()]


def _first_sense(name: str) -> int:
    if not _installed():
        raise InputError(
            f"{_file('index.noun')}: no such file; the class tree needs WordNet's files (Debian's "
            "wordnet-base), or give data.classes as a CSV"
        )
    lemma = re.sub(r"[\s_]+", "_", name.strip().lower())
    if lemma not in _senses():
        raise InputError(
            f"data.classes: WordNet has no noun {name!r}; give the class tree as a CSV"
        )
    return _senses()[lemma]


def _installed() -> bool:
    return _file("index.noun").is_file()


@cache
def _senses() -> dict[str, int]:
    """Offset of the first sense of each noun."""
    senses = {}
    for line in _file("index.noun").read_text(encoding="ascii").splitlines():
        if not line.startswith(" "):  # the licence
            # lemma pos synsets pointers [symbols] senses tagged offset...
            fields = line.split()
            senses[fields[0]] = int(fields[6 + int(fields[3])])
    return senses


def hypernym_path(offset: int) -> list[str]:
    """First lemmas of the synset's hypernyms, from the root ("entity") to its parent.

    A synset with several hypernyms is put below the first one, as WordNet orders them, so that each
    has one place in a tree. Empty where WordNet is not installed.

    Args:
        offset: number of a noun synset of WordNet 3.0; it is its byte offset in data.noun.

    Raises:
        InputError: data.noun is there but has no synset at that place: another version of WordNet.
    """
    path: list[str] = []
    database = _nouns()
    while database:
        lemma, parent = _synset(database, offset)
        path.append(lemma)
        if parent is None:
            break
        offset = parent
    return path[:0:-1]


def _synset(database: bytes, offset: int) -> tuple[str, int | None]:
    """First lemma and first hypernym of a synset."""
    line = database[offset : database.find(b"\n", offset)].decode("ascii", "replace")
    fields = line.split(" ")
    if fields[0] != f"{offset:08d}":
        raise InputError(f"{_file('data.noun')}: no synset at {offset}; WordNet 3.0 is needed")
    words = int(fields[3], 16)
    pointers = fields[4 + 2 * words :]
    parents = [
        int(pointers[at + 1])
        for at in range(1, 1 + 4 * int(pointers[0]), 4)
        if pointers[at] in {"@", "@i"}
    ]
    return fields[4].replace("_", " "), parents[0] if parents else None


@cache
def _nouns() -> bytes:
    file = _file("data.noun")
    return file.read_bytes() if file.is_file() else b""


def _file(name: str) -> Path:
    return Path(os.environ.get("WNSEARCHDIR") or DEFAULT_FOLDER) / name
