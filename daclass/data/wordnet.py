"""Ways through WordNet 3.0's noun hierarchy, from the database files (wndb(5WN)).

Debian's package wordnet-base installs them below /usr/share/wordnet; the environment variable
WNSEARCHDIR, which WordNet's own programs obey, names another folder (NLTK's `corpora/wordnet` holds
the same files).
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from daclass.errors import InputError

DEFAULT_FOLDER = Path("/usr/share/wordnet")


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
        raise InputError(f"{_file()}: no synset at {offset}; WordNet 3.0 is needed")
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
    file = _file()
    return file.read_bytes() if file.is_file() else b""


def _file() -> Path:
    return Path(os.environ.get("WNSEARCHDIR") or DEFAULT_FOLDER) / "data.noun"
