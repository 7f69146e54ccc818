"""Outside files are known by what they hold."""

from __future__ import annotations

import hashlib
import os

import pytest

from daclass.stages.outside import Outside


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "given" / "a.csv"
    path.parent.mkdir()
    path.write_text("one")
    return path


def look(tmp_path, *paths):
    outside = Outside(tmp_path / "kept")
    found = outside.content(paths)
    outside.keep()
    return found


def test_a_file_that_was_touched_or_moved_is_the_same(tmp_path, file):
    before = look(tmp_path, file)
    os.utime(file, (0, 0))
    assert look(tmp_path, file) == before
    moved = file.rename(file.with_name("b.csv"))
    assert look(tmp_path, moved) == before


def test_another_content_of_equal_size_and_time_is_noticed(tmp_path, file):
    before, times = look(tmp_path, file), file.stat()
    file.write_text("two")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert look(tmp_path, file) != before


def test_an_older_file_in_its_place_is_noticed(tmp_path, file):
    before = look(tmp_path, file)
    other = tmp_path / "other.csv"
    other.write_text("old")
    os.utime(other, (0, 0))
    other.replace(file)
    assert look(tmp_path, file) != before


def test_what_a_folder_holds_counts_and_not_where_it_is(tmp_path, file):
    before = look(tmp_path, file.parent)
    moved = file.parent.rename(tmp_path / "elsewhere")
    assert look(tmp_path, moved) == before
    (moved / "a.csv").rename(moved / "c.csv")
    assert look(tmp_path, moved) != before


def test_only_what_looks_different_is_read_again(tmp_path, file, monkeypatch):
    look(tmp_path, file.parent)
    (file.parent / "new.csv").write_text("new")
    read = []
    monkeypatch.setattr("daclass.stages.outside._hash", lambda name: read.append(name) or "x")
    look(tmp_path, file.parent)
    assert read == [str(file.parent / "new.csv")]


def test_jobs_believe_what_the_main_process_saw(tmp_path, file):
    seen = look(tmp_path, file)
    file.write_text("changed since")
    believing = Outside(tmp_path / "kept", look=False)
    assert believing.content([file]) == seen
    believing.look()
    assert believing.content([file]) != seen


def test_nothing_is_written_before_it_is_to_be_kept(tmp_path, file):
    Outside(tmp_path / "kept").content([file])
    assert not (tmp_path / "kept").exists()


def test_a_damaged_record_is_read_anew(tmp_path, file):
    before = look(tmp_path, file)
    for kept in (tmp_path / "kept").iterdir():
        kept.write_bytes(b"no parquet")
    assert look(tmp_path, file) == before


def test_hashes_are_those_that_the_content_is_made_of(tmp_path, file):
    outside = Outside(tmp_path / "kept")
    before = outside.content([file.parent])
    assert outside.hashes([file.parent]) == {str(file): hashlib.sha256(b"one").hexdigest()[:16]}
    file.write_text("two")
    assert outside.content([file.parent]) == before, "one look serves a whole run"
    outside.look()
    assert outside.hashes([file.parent]) == {str(file): hashlib.sha256(b"two").hexdigest()[:16]}
