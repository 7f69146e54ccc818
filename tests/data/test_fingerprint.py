"""A folder's fingerprint changes with its files and with nothing else."""

from __future__ import annotations

import os
import shutil

import pytest

from daclass.data.fingerprint import fingerprint
from tests.conftest import save_pictures

SPLITS = ("train", "val")


@pytest.fixture
def root(tmp_path):
    save_pictures(tmp_path / "set", {"train/ant": 2, "train/bee": 2, "val/ant": 1, "val/bee": 1})
    return tmp_path / "set"


def changed_in_place(root):
    file = root / "val" / "ant" / "000.png"
    file.write_bytes(file.read_bytes() + b" ")


def written_anew(root):
    os.utime(root / "val" / "ant" / "000.png", (1, 1))


def added(root):
    (root / "train" / "bee" / "new.png").touch()


def removed(root):
    (root / "train" / "ant" / "000.png").unlink()


def renamed(root):
    (root / "train" / "ant").rename(root / "train" / "wasp")


def behind_a_link(root):
    shutil.move(root / "val" / "bee", root / "elsewhere")
    (root / "val" / "bee").symlink_to(root / "elsewhere")


def link_to_nowhere(root):
    (root / "val" / "ant" / "lost.png").symlink_to("nowhere")


@pytest.mark.parametrize(
    "change", [changed_in_place, written_anew, added, removed, renamed, link_to_nowhere]
)
def test_a_change_is_seen(root, change):
    before = fingerprint(root, SPLITS)
    change(root)
    assert fingerprint(root, SPLITS) != before


def test_what_a_link_leads_to_counts(root):
    behind_a_link(root)
    before = fingerprint(root, SPLITS)
    assert before == fingerprint(root, SPLITS)
    (root / "elsewhere" / "000.png").write_bytes(b"changed")
    assert fingerprint(root, SPLITS) != before


def test_what_lies_outside_of_the_splits_does_not_count(root):
    before = fingerprint(root, SPLITS)
    (root / "notes.txt").touch()
    (root / "test" / "ant").mkdir(parents=True)
    assert fingerprint(root, SPLITS) == before


def test_names_beyond_utf8_and_missing_folders_are_left_to_the_index(root):
    (root / "train" / "ant" / os.fsdecode(b"\xff.png")).touch()
    assert fingerprint(root, SPLITS)
    assert fingerprint(root / "gone", SPLITS) == fingerprint(root / "gone too", SPLITS)
