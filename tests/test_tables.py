from __future__ import annotations

import contextlib

import pandas as pd
import pytest

from daclass.errors import InputError
from daclass.tables import read_table, table_digest, with_readable_names, write_table

CLASSES = pd.DataFrame({"class_id": [0, 1], "name": ["a", "<b>"], "path": ["x/a", "x/<b>"]})


def test_a_table_comes_back(tmp_path):
    write_table(CLASSES[["path", "name", "class_id"]], "classes", tmp_path / "new" / "c.parquet")
    read = read_table("classes", tmp_path / "new" / "c.parquet")
    pd.testing.assert_frame_equal(read, CLASSES, check_dtype=False)


def test_label_sets_come_back(tmp_path):
    frame = pd.DataFrame({"image_id": ["p", "q"], "labels": [[3, 5], []]})
    write_table(frame, "annotations", tmp_path / "a.parquet")
    labels = read_table("annotations", tmp_path / "a.parquet")["labels"]
    assert [list(found) for found in labels] == [[3, 5], []]


def test_several_files_are_read_as_one(tmp_path):
    for name in ("one", "two"):
        write_table(CLASSES, "classes", tmp_path / name)
    assert len(read_table("classes", tmp_path / "one", tmp_path / "two")) == 4


def test_wrong_columns_are_a_defect(tmp_path):
    with pytest.raises(ValueError, match="path"):
        write_table(CLASSES[["class_id", "name"]], "classes", tmp_path / "c.parquet")


def test_a_failed_write_leaves_the_old_table_and_no_rest(tmp_path):
    write_table(CLASSES, "classes", tmp_path / "c.parquet")
    bad = CLASSES.assign(class_id=["not", "numbers"])
    with pytest.raises(Exception, match="Conversion failed"):
        write_table(bad, "classes", tmp_path / "c.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["c.parquet"]
    assert len(read_table("classes", tmp_path / "c.parquet")) == 2


def test_bad_files_are_named(tmp_path):
    (tmp_path / "junk.parquet").write_text("junk")
    write_table(CLASSES, "classes", tmp_path / "classes.parquet")
    CLASSES.to_parquet(tmp_path / "foreign.parquet")
    for name, message in {
        "gone.parquet": "no such file",
        "junk.parquet": "not a readable Parquet",
        "classes.parquet": "holds classes, expected the truth",
        "foreign.parquet": "holds something else",
    }.items():
        with pytest.raises(InputError, match=message) as error:
            read_table("truth", tmp_path / name)
        assert name in str(error.value)


def test_a_damaged_table_is_named(tmp_path):
    write_table(CLASSES, "classes", tmp_path / "c.parquet")
    content = (tmp_path / "c.parquet").read_bytes()
    (tmp_path / "c.parquet").write_bytes(content[:4] + bytes(60) + content[64:])
    with pytest.raises(InputError, match=r"c\.parquet: not a readable Parquet"):
        read_table("classes", tmp_path / "c.parquet")


def test_a_flipped_bit_anywhere_is_one_clear_error_or_changes_nothing(tmp_path):
    """Pages have checksums; what the footer says of them has none, and may be no text at all."""
    path = tmp_path / "c.parquet"
    write_table(CLASSES, "classes", path, "0123abc")
    content, right = path.read_bytes(), read_table("classes", path)
    refused = 0
    for place in range(len(content)):
        for bit in (0, 5, 7):
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            path.write_bytes(changed)
            with contextlib.suppress(InputError):
                table_digest("classes", path)
            try:
                pd.testing.assert_frame_equal(read_table("classes", path), right)
            except InputError as error:
                assert str(path) in str(error) and "\n" not in str(error)
                refused += 1
    assert refused > len(content)


def test_another_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("daclass.tables.VERSION", "0")
    write_table(CLASSES, "classes", tmp_path / "old.parquet")
    monkeypatch.undo()
    with pytest.raises(InputError, match="layout 0"):
        read_table("classes", tmp_path / "old.parquet")


def test_a_class_name_may_hold_a_slash():
    """Fashion-MNIST's "T-shirt/top" is no "top"; the last part of a longer way is a name."""
    classes = pd.DataFrame(
        {
            "class_id": range(4),
            "name": ["T-shirt/top", "n03179701", "gull", "A/B"],
            "path": ["T-shirt/top", "thing/desk", "animal/bird/gull", "letters/A/B"],
        }
    )
    assert list(with_readable_names(classes)["name"]) == ["T-shirt/top", "desk", "gull", "A/B"]
