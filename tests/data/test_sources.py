from __future__ import annotations

import errno
import io
import os
import re
import shutil
import tarfile

import numpy as np
import pandas as pd
import pytest

from daclass.config import Cifar10hData, FolderData
from daclass.data import cifar10h
from daclass.data.annotated import annotations_of
from daclass.data.archives import MEMBER_BYTES
from daclass.data.index import build_index, leaks
from daclass.data.pictures import write_pictures
from daclass.data.sources import open_source
from daclass.errors import InputError
from tests.conftest import save_pictures


@pytest.fixture
def root(tmp_path):
    save_pictures(
        tmp_path / "set",
        {"train/cat": 9, "train/dog": 9, "val/cat": 7, "val/dog": 4},
    )
    return tmp_path / "set"


def folder(root, **settings):
    return FolderData(source="folder", root=root, **settings)


def index_of(root, split_seed=0, **settings):
    return build_index(open_source(folder(root, **settings), root / "unused"), split_seed)


def annotations_in(root, **settings):
    found = index_of(root, **settings)
    return annotations_of(folder(root, **settings), root, found.index, found.classes)


def write(path, text):
    path.write_text(text)
    return path


def test_the_index_of_a_folder(root):
    found = index_of(root)
    assert list(found.classes["name"]) == ["cat", "dog"]
    counts = found.index.groupby(["split", "class_id"]).size().to_dict()
    assert counts == {("train", 0): 9, ("train", 1): 9, ("val", 0): 7, ("val", 1): 4}
    assert (annotations_in(root)["labels"].str.len() == 1).all()
    assert found.truth.empty
    for _, rows in found.index.groupby(["split", "draw"]):
        assert list(rows["position"]) == list(range(len(rows)))


def test_a_changed_picture_is_noticed(root):
    before = index_of(root).index.set_index("image_id")["content"]
    picture = root / before.index[3]
    content = bytearray(picture.read_bytes())
    content[-1] ^= 1  # neither its name nor its size is another
    picture.write_bytes(content)
    after = index_of(root).index.set_index("image_id")["content"]
    assert list(after.index[after != before]) == [before.index[3]]


def test_contents_that_are_known_are_not_read_again(root, monkeypatch):
    before = index_of(root).index
    known = {
        str(root / image_id): content
        for image_id, content in before.set_index("image_id")["content"].items()
    }
    taken = open_source(folder(root), root, known)
    for file in root.rglob("*.png"):
        file.write_bytes(b"other")
    pd.testing.assert_frame_equal(build_index(taken, 0).index, before)
    del known[str(root / before["image_id"].iloc[0])]
    assert (build_index(taken, 0).index["content"] != before["content"]).sum() == 1


def test_halves_are_balanced_disjoint_and_lasting(root):
    found = index_of(root).index
    val = found[found["split"] == "val"]
    sizes = val.groupby(["class_id", "half"]).size().unstack()
    assert (abs(sizes["select"] - sizes["estimate"]) <= 1).all()
    pd.testing.assert_frame_equal(index_of(root).index, found)
    assert not index_of(root, split_seed=1).index["half"].equals(found["half"])


def test_draws_are_disjoint_while_pictures_last(root):
    train = index_of(root, draws=3, train_per_class=3).index.query("split == 'train'")
    assert train.groupby("draw").size().tolist() == [6, 6, 6]
    assert not train["image_id"].duplicated().any()
    wrapped = index_of(root, draws=4, train_per_class=3).index.query("split == 'train'")
    pd.testing.assert_frame_equal(wrapped[wrapped["draw"] < 3], train)
    assert wrapped["image_id"].duplicated().any()


def test_annotations_are_joined_by_name(root, tmp_path):
    csv = write(
        tmp_path / "a.csv",
        "image,label\nval/dog/000.png,cat\nval/cat/003.png,cat\nval/dog/000.png,dog\n"
        "val/dog/001.png,\n",
    )
    found = annotations_in(root, annotations=csv).set_index("image_id")["labels"]
    assert found["val/dog/000.png"] == [0, 1]
    assert found["val/cat/003.png"] == [0]
    assert found["val/dog/001.png"] == []  # looked at, and none of the classes is there
    assert found["val/cat/000.png"] == [0]  # not annotated


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "image,label\nval/dog/999.png,cat\n",
            r"a\.csv: line 2, row 1: val/dog/999\.png: no such picture",
        ),
        (
            "image,label\nval/dog/000.png,unicorn\n",
            r"a\.csv: line 2, row 1: val/dog/000\.png has the unknown class 'unicorn'",
        ),
        ("picture,label\nx,y\n", "lacks the column image"),
        ("", "not a CSV file"),
        ("image,label\nval/dog/000.png,cat,dog\n", "a row has more fields than the header"),
    ],
)
def test_bad_annotations_are_named(root, tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        annotations_in(root, annotations=write(tmp_path / "a.csv", text))


def test_a_class_tree_is_read_and_must_be_whole(root, tmp_path):
    tree = write(tmp_path / "c.csv", "name,path\ncat,animal/cat\ndog,animal/dog\n")
    assert list(index_of(root, classes=tree).classes["path"]) == ["animal/cat", "animal/dog"]
    with pytest.raises(InputError, match="lacks the class dog"):
        index_of(root, classes=write(tmp_path / "c.csv", "name,path\ncat,animal/cat\n"))


def test_linked_class_folders_are_followed(root, tmp_path):
    for split in ("train", "val"):
        (tmp_path / "links" / split).mkdir(parents=True)
        for name in ("cat", "dog"):
            (tmp_path / "links" / split / name).symlink_to(root / split / name)
    linked = index_of(tmp_path / "links").index
    pd.testing.assert_frame_equal(linked, index_of(root).index)


def test_hidden_files_and_folders_are_passed_over(root):
    before = index_of(root).index
    (root / "train" / "cat" / "._000.png").write_bytes(b"what a Mac leaves on other disks")
    (root / "train" / ".ipynb_checkpoints").mkdir()
    (root / "train" / ".ipynb_checkpoints" / "000.png").touch()
    (root / "train" / "cat" / "Thumbs.db").touch()
    pd.testing.assert_frame_equal(index_of(root).index, before)


def test_a_folder_that_cannot_be_listed_is_named(root, monkeypatch):
    """Or its pictures would be missing without a word, on a network disk for example."""
    scandir = os.scandir

    def failing(folder):
        if str(folder).endswith("train/dog"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", failing)
    with pytest.raises(InputError, match=r"train/dog: cannot be listed \(Input/output error\)"):
        index_of(root)


def test_a_link_that_leads_back_is_named(root):
    (root / "train" / "cat" / "all").symlink_to(root / "train")
    with pytest.raises(InputError, match=r"cat/all: leads back to a folder that holds it"):
        index_of(root)


def test_a_name_that_is_not_utf8_is_named(root):
    (root / "train" / "cat" / os.fsdecode(b"caf\xe9.png")).touch()
    with pytest.raises(InputError, match=r"caf\\xe9\.png' is not UTF-8"):
        index_of(root)


@pytest.fixture
def heap(tmp_path):
    """Two classes without a split; a third of their pictures are copies of others."""
    files = save_pictures(tmp_path / "heap", {"cat": 20, "dog": 10})
    for file in files[::2]:
        shutil.copy(file, file.with_name(f"copy of {file.name}"))
    return tmp_path / "heap"


def test_a_share_is_set_aside_and_copies_stay_together(heap):
    found = index_of(heap, train=".", val_share=0.3).index
    assert sorted(found["image_id"]) == sorted(
        f"{f.parent.name}/{f.name}" for f in heap.rglob("*.png")
    )
    contents = found.groupby(["split", "class_id"])["content"].nunique()
    assert contents["val"].tolist() == [6, 3]
    assert contents["train"].tolist() == [14, 7]
    assert leaks(found).empty
    shutil.move(heap / "cat", heap / "tabby")
    shutil.move(heap / "tabby" / "000.png", heap / "tabby" / "another name.png")
    again = index_of(heap, train=".", val_share=0.3).index
    assert set(again.query("split == 'val'")["content"]) == set(
        found.query("split == 'val'")["content"]
    )


def test_a_class_too_small_to_split_is_named(heap):
    save_pictures(heap, {"lone": 1})
    with pytest.raises(InputError, match="class lone has 1 picture, too few to split"):
        index_of(heap, train=".", val_share=0.3)


def test_training_pictures_that_are_validation_pictures_are_found(root):
    shutil.copy(root / "val" / "cat" / "002.png", root / "train" / "dog" / "zz.png")
    found = leaks(index_of(root).index)
    assert found.to_numpy().tolist() == [["train/dog/zz.png", "val/cat/002.png"]]
    assert leaks(index_of(root, leave_out=["train/dog/zz.png"]).index).empty


def test_what_is_left_out_must_be_there(root):
    found = index_of(root, leave_out=["train/cat/000.png", "val/cat/001.png"]).index
    assert len(found) == 27
    with pytest.raises(InputError, match=r"data\.leave_out: .* has no picture cat/000\.png"):
        index_of(root, leave_out=["cat/000.png"])


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_class_without_pictures_is_named(root, split):
    for file in (root / split / "dog").iterdir():
        file.unlink()
    what = {"train": "training", "val": "validation"}[split]
    with pytest.raises(InputError, match=f"class dog has no {what} pictures"):
        index_of(root)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train": "nowhere"}, "nowhere: no such folder"),
        ({"draws": 2}, "need data.train_per_class"),
        ({"train_per_class": 10}, "more than the 9 training pictures of class cat"),
    ],
)
def test_bad_settings_are_named(root, settings, message):
    with pytest.raises(InputError, match=message):
        index_of(root, **settings)


def test_an_empty_folder_is_named(tmp_path):
    (tmp_path / "train").mkdir()
    with pytest.raises(InputError, match="holds no pictures"):
        index_of(tmp_path)


def test_cifar10h_joins_votes_by_the_order_of_the_test_set(real_data, tmp_path):
    """Every picture's own label is where the votes say it mostly is, and second labels are rare."""
    data = Cifar10hData(source="cifar10h", root=real_data / "cifar10", vote_share=0.1)
    write_pictures(data, tmp_path / "pictures")
    found = build_index(open_source(data, tmp_path / "pictures"), 0)
    assert list(found.classes["name"]) == cifar10h.CLASSES
    sets = annotations_of(data, tmp_path / "pictures", found.index, found.classes)
    val = found.index[found.index["split"] == "val"].merge(sets, on="image_id")
    assert len(val) == 10_000
    held = [label in labels for label, labels in zip(val["class_id"], val["labels"], strict=True)]
    assert np.mean(held) > 0.99
    # 896 pictures have a second label with at least 10% of the votes (the data's own README).
    assert (val["labels"].str.len() > 1).sum() == 896


@pytest.mark.parametrize(
    ("votes", "order", "message"),
    [
        (
            np.zeros((3, 10)),
            None,
            r"votes?\S*|expected numbers of shape \(10000, 10\), got float64",
        ),
        (np.full((10000, 10), "a"), None, "expected numbers of shape"),
        (np.zeros((10000, 10), int), None, "row 0: no votes"),
        (np.ones((10000, 10), int), np.full(10000, 55), "expected class numbers from 0 to 9"),
        (np.ones((10000, 10), int), np.zeros(7, int), r"expected numbers of shape \(10000,\)"),
        (b"", None, "not an array"),
        (np.ones((10000, 10), int), b"junk", "not an array"),
    ],
)
def test_bad_votes_are_named(tmp_path, votes, order, message):
    for split in ("train", "test"):
        for file in save_pictures(tmp_path / "p" / split, {"cat": 1, "dog": 1}):
            file.rename(file.with_name("0000.png"))
    for name, content in (("cifar10h_counts", votes), ("test_labels_in_cifar_order", order)):
        if isinstance(content, bytes):
            (tmp_path / f"{name}.npy").write_bytes(content)
        elif content is not None:
            np.save(tmp_path / f"{name}.npy", content)
    with pytest.raises(InputError, match=message):
        cifar10h.votes(tmp_path, tmp_path / "p", vote_share=0.1)


def member(name="train/cat/0000.jpg", content=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, io.BytesIO(content)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([member("train/cat", type=tarfile.SYMTYPE, linkname="/tmp")], "refusing train/cat"),
        ([member(type=tarfile.LNKTYPE, linkname="/etc/passwd")], "refusing train/cat/0000.jpg"),
        ([member(type=tarfile.CHRTYPE)], "refusing train/cat/0000.jpg"),
        ([member("/etc/evil", b"x")], "refusing /etc/evil"),
        ([member("train/../../evil", b"x")], "refusing train/../../evil"),
        ([member(content=bytes(MEMBER_BYTES + 1))], "0000.jpg is too large for pictures"),
    ],
)
def test_an_archive_with_anything_but_pictures_is_refused(tmp_path, members, message):
    (tmp_path / "root").mkdir()
    with tarfile.open(tmp_path / "root" / "cifar10_jpeg.tar.xz", "w:xz", preset=0) as tar:
        for info, content in members:
            tar.addfile(info, content)
    with pytest.raises(InputError, match=re.escape(message)):
        write_pictures(Cifar10hData(source="cifar10h", root=tmp_path / "root"), tmp_path / "p")
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_archive_is_named(tmp_path, damage):
    archive = tmp_path / "cifar10_jpeg.tar.xz"
    with tarfile.open(archive, "w:xz") as tar:
        for number in range(20):
            content = np.random.default_rng(number).bytes(5000)
            tar.addfile(*member(f"train/cat/{number:04d}.jpg", content))
    content = bytearray(archive.read_bytes())
    if damage == "cut":
        del content[50_000:]
    else:
        content[50_000] ^= 255
    archive.write_bytes(content)
    with pytest.raises(InputError, match=r"cifar10_jpeg\.tar\.xz: cannot be extracted"):
        write_pictures(Cifar10hData(source="cifar10h", root=tmp_path), tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_an_archive_cannot_write_outside(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    with tarfile.open(root / "cifar10_jpeg.tar.xz", "w:xz") as tar:
        member = tarfile.TarInfo("../escaped.txt")
        member.size = 4
        tar.addfile(member, io.BytesIO(b"evil"))
    data = Cifar10hData(source="cifar10h", root=root)
    with pytest.raises(InputError, match="cannot be extracted"):
        write_pictures(data, tmp_path / "deep" / "pictures")
    assert not list(tmp_path.rglob("escaped.txt"))
    assert not (tmp_path / "deep" / "pictures").exists()


def test_cifar10_that_is_nowhere_is_said(tmp_path):
    with pytest.raises(InputError, match=r"data\.root: .*data\.download"):
        write_pictures(Cifar10hData(source="cifar10h", root=tmp_path), tmp_path / "pictures")
