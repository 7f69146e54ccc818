"""Embeddings of class names that the user brings: one vector for each class."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from daclass.data.tabular import read_table
from daclass.errors import InputError

Vectors = npt.NDArray[np.float64]


def read_embeddings(file: Path, names: Sequence[str]) -> Vectors:
    """The vectors of classes, in the order of their names, float64 [C, D].

    Args:
        file: a CSV with the column name, all others being numbers; or an .npz with `names` [C'] and
            `vectors` [C', D]. It may hold other classes too.
        names: the classes.

    Raises:
        InputError: naming the file and the class whose vector is missing, there twice, no number,
            infinite or zero.
    """
    known, vectors = _npz(file) if file.suffix == ".npz" else _csv(file)
    rows: dict[str, int] = {}
    for row, name in enumerate(known):
        if name in rows and name in set(names):
            raise InputError(f"{file}: the class {name!r} is there twice")
        rows.setdefault(name, row)
    missing = [name for name in names if name not in rows]
    if missing:
        raise InputError(f"{file}: the class {missing[0]!r} has no vector")
    found = vectors[[rows[name] for name in names]]
    lengths = np.linalg.norm(found, axis=1)
    odd = ~(np.isfinite(lengths) & (lengths > 0))
    if odd.any():
        raise InputError(f"{file}: the vector of {names[int(odd.argmax())]!r} has no direction")
    return found


def _csv(file: Path) -> tuple[list[str], Vectors]:
    table = read_table(file)
    if "name" not in table or table.shape[1] < 2:
        raise InputError(f"{file}: needs the column name and one column per dimension")
    numbers = table.drop(columns="name").apply(pd.to_numeric, errors="coerce")
    return table["name"].astype(str).tolist(), numbers.to_numpy(np.float64)


def _npz(file: Path) -> tuple[list[str], Vectors]:
    try:
        with np.load(file, allow_pickle=False) as stored:
            known, vectors = stored["names"].astype(str), stored["vectors"].astype(np.float64)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise InputError(
            f"{file}: not a readable .npz file with the arrays names and vectors"
        ) from None
    if known.ndim != 1 or vectors.ndim != 2 or len(known) != len(vectors):
        raise InputError(f"{file}: names has to be [C] and vectors [C, D]")
    return known.tolist(), vectors
