"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from daclass.atomic import naming, replacing


def test_a_file_takes_the_place_of_the_old_one_only_when_it_is_whole(tmp_path):
    path = tmp_path / "folder" / "a.txt"
    with replacing(path) as partial:
        partial.write_text("old")
    with pytest.raises(ValueError, match="half"), replacing(path) as partial:
        partial.write_text("new")
        raise ValueError("half-way")
    assert path.read_text() == "old" and list(path.parent.iterdir()) == [path]


def test_a_write_without_room_names_its_file(tmp_path):
    with pytest.raises(OSError, match=r"a\.txt") as error, naming(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert error.value.filename == str(tmp_path / "a.txt")


@pytest.mark.parametrize("named", [True, False])
def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path, monkeypatch, named):
    """As on a read-only disk, which refuses to remove what is not there."""

    def refuse(path: Path, missing_ok: bool = False):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OSError) as caught, replacing(tmp_path / "a.txt") as partial:
        raise OSError(errno.EROFS, "Read-only file system", str(partial) if named else None)
    assert caught.value.filename == str(tmp_path / "a.txt")


@pytest.mark.parametrize("path", ["/proc/x.xml", "/proc/x/y.xml"])
def test_a_folder_that_takes_no_files_is_named(path: str) -> None:
    with pytest.raises(PermissionError) as error, replacing(Path(path)) as partial:
        partial.write_text("")
    assert error.value.filename == path
