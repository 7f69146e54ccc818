"""Embeddings of class names: read from either kind of file, one clear line where they are bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from daclass.data.embeddings import read_embeddings
from daclass.errors import InputError

NAMES = ["cat", "dog"]


def test_both_kinds_of_file_are_joined_by_name(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("name,x,y\ndog,0,2\nemu,1,1\ncat,1,0\n")
    np.savez(tmp_path / "e.npz", names=["dog", "emu", "cat"], vectors=[[0, 2], [1, 1], [1, 0]])
    for file in ("e.csv", "e.npz"):
        np.testing.assert_array_equal(read_embeddings(tmp_path / file, NAMES), [[1, 0], [0, 2]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,x\ncat,1\n", "the class 'dog' has no vector"),
        ("name,x\ncat,1\ndog,1\ndog,2\n", "the class 'dog' is there twice"),
        ("name,x\ncat,1\ndog,much\n", "the vector of 'dog' has no direction"),
        ("name,x\ncat,inf\ndog,1\n", "the vector of 'cat' has no direction"),
        ("name,x\ncat,1\ndog,0\n", "the vector of 'dog' has no direction"),
        ("name\ncat\ndog\n", "needs the column name and one column per dimension"),
        ("word,x\ncat,1\ndog,0\n", "needs the column name and one column per dimension"),
    ],
)
def test_bad_tables_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "e.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_embeddings(tmp_path / "e.csv", NAMES)


def test_bad_arrays_are_named_and_nothing_is_unpickled(tmp_path: Path) -> None:
    file = tmp_path / "e.npz"
    with pytest.raises(InputError, match="not a readable"):
        read_embeddings(file, NAMES)
    file.write_bytes(b"no zip")
    with pytest.raises(InputError, match="not a readable"):
        read_embeddings(file, NAMES)
    np.savez(file, names=NAMES, vectors=np.array([[1, 0], [0, object]], object))
    with pytest.raises(InputError, match="not a readable"):
        read_embeddings(file, NAMES)
    np.savez(file, names=NAMES, vectors=np.zeros((3, 2)))
    with pytest.raises(InputError, match=r"names has to be \[C\] and vectors \[C, D\]"):
        read_embeddings(file, NAMES)
