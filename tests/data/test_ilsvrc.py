"""Archives like image-net.org's, with three classes and six validation pictures."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from daclass.cli import main
from daclass.data import ilsvrc
from daclass.data.ilsvrc import DEVKIT, TRAIN, VAL, unpack
from daclass.data.imagenet import synsets
from daclass.errors import InputError

IDS = ("n01440764", "n03179701", "n03782006")
LABELS = [1, 0, 2, 2, 1, 0]  # of the validation pictures, as places in IDS


def jpeg(shade):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, shade, shade)).save(file, "JPEG")
    return file.getvalue()


def tar(members, mode="w"):
    """An archive of {name: content}; a content may be a TarInfo of something special."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as opened:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                opened.addfile(content)
                continue
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return file.getvalue()


def devkit():
    kind = [
        ("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("gloss", "O"),
        ("num_children", "O"),
    ]  # fmt: skip
    # Its own numbers, from 1, are not those of the sorted ids; inner nodes come last.
    order = [*reversed(IDS), "n00001740"]
    rows = [(place, wnid, "words", "gloss", 0) for place, wnid in enumerate(order, 1)]
    matlab = io.BytesIO()
    savemat(matlab, {"synsets": np.array(rows, dtype=kind)})
    truth = "".join(f"{len(IDS) - label}\n" for label in LABELS)
    folder = "ILSVRC2012_devkit_t12/data"
    return tar(
        {
            f"{folder}/meta.mat": matlab.getvalue(),
            f"{folder}/ILSVRC2012_validation_ground_truth.txt": truth.encode(),
        },
        "w:gz",
    )


def inner(name, shade=9):
    return tar({f"{name}_{n}.JPEG": jpeg(shade + n) for n in range(3)})


@pytest.fixture
def root(tmp_path):
    val = {f"ILSVRC2012_val_{n:08d}.JPEG": jpeg(n) for n in range(1, 1 + len(LABELS))}
    (tmp_path / TRAIN).write_bytes(tar({f"{name}.tar": inner(name) for name in IDS}))
    (tmp_path / VAL).write_bytes(tar(val))
    (tmp_path / DEVKIT).write_bytes(devkit())
    return tmp_path


def pictures(root):
    return {str(file.relative_to(root)) for file in root.glob("*/*/*.JPEG")}


EXPECTED = {f"train/{name}/{name}_{n}.JPEG" for name in IDS for n in range(3)} | {
    f"val/{IDS[label]}/ILSVRC2012_val_{n:08d}.JPEG" for n, label in enumerate(LABELS, 1)
}


def test_pictures_come_into_folders_by_class(root):
    unpack(root, check=False)
    assert pictures(root) == EXPECTED
    assert (root / "train" / IDS[1] / f"{IDS[1]}_2.JPEG").read_bytes() == jpeg(11)
    for file in (TRAIN, VAL, DEVKIT):
        (root / file).unlink()
    unpack(root, check=False)  # nothing is left to do, and archives may be gone


@pytest.mark.parametrize("form", ["ids", "numbers"])
def test_labels_come_from_a_text_file_as_well(root, form):
    every = synsets()
    words = [IDS[label] if form == "ids" else str(every.index(IDS[label])) for label in LABELS]
    (root / "labels.txt").write_text("\n".join(words))
    (root / DEVKIT).unlink()
    labels = str(root / "labels.txt")
    assert main(["unpack-imagenet", str(root), "--labels", labels, "--no-check"]) == 0
    assert pictures(root) == EXPECTED


def test_an_interrupted_extraction_goes_on(root, monkeypatch):
    whole = (root / TRAIN).read_bytes()
    (root / TRAIN).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=rf"{TRAIN}.*cannot be extracted"):
        unpack(root, check=False)
    assert not list(root.rglob("*.partial"))
    (root / TRAIN).write_bytes(whole)
    done = root / "train" / IDS[0]
    done.mkdir(parents=True, exist_ok=True)
    (done / "mark.JPEG").touch()  # a class that is there is not extracted again
    unpack(root, check=False)
    assert pictures(root) >= EXPECTED - {f"train/{IDS[0]}/{IDS[0]}_{n}.JPEG" for n in range(3)}
    assert (done / "mark.JPEG").exists()


def link(name, target):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (TRAIN, None, f"{TRAIN}: no such file"),
        (VAL, None, f"{VAL}: no such file"),
        (DEVKIT, None, f"{DEVKIT}: no such file"),
        (TRAIN, b"no archive" * 99, f"{TRAIN}: cannot be extracted"),
        (VAL, b"no archive" * 99, f"{VAL}: cannot be extracted"),
        (DEVKIT, b"no archive", f"{DEVKIT}: cannot be extracted"),
        (
            TRAIN,
            tar({"../n01440764.tar": inner("x")}),
            r"\.\./n01440764\.tar is no class's archive",
        ),
        (TRAIN, tar({"n01440764.tar": tar({"../../x.JPEG": b"x"})}), r"refusing \.\./\.\./x\.JPEG"),
        (TRAIN, tar({"n01440764.tar": tar({"a": link("a", "/etc")})}), "refusing a"),
        (TRAIN, tar({"n01440764.tar": b"no archive" * 99}), r"n01440764\.tar: cannot be extracted"),
        (VAL, tar({"/x.JPEG": b"x"}), "refusing /x.JPEG"),
        (VAL, tar({"ILSVRC2012_val_00000007.JPEG": b"x"}), "none of the 6 labels"),
        (VAL, tar({"ILSVRC2012_val_00000001.JPEG": b"x"}), "holds 1 pictures, and there are 6"),
        (DEVKIT, tar({"data/meta.mat": b"x"}, "w:gz"), "lacks ILSVRC2012_validation_ground_truth"),
        (
            DEVKIT,
            tar({"meta.mat": b"x" * 999, "ILSVRC2012_validation_ground_truth.txt": b"1"}, "w:gz"),
            "not the devkit",
        ),
    ],
)
def test_what_is_wrong_is_named_and_nothing_lands_outside(root, file, content, message):
    (root / file).unlink()
    if content is not None:
        (root / file).write_bytes(content)
    before = {path for path in root.parent.rglob("*") if "train" not in path.parts}
    with pytest.raises(InputError, match=message):
        unpack(root, check=False)
    after = {path for path in root.parent.rglob("*") if "train" not in path.parts}
    assert {path.relative_to(root).parts[0] for path in after - before} <= {"train", "val"}
    assert not list(root.rglob("*.partial"))


def test_another_archive_than_the_published_one_is_refused(root, monkeypatch):
    with pytest.raises(InputError, match=rf"{TRAIN}: MD5 [0-9a-f]{{32}} is not the published 1d67"):
        unpack(root)
    assert not (root / "train").exists()
    monkeypatch.setattr(
        ilsvrc,
        "MD5",
        {name: ilsvrc.hashlib.md5((root / name).read_bytes()).hexdigest() for name in ilsvrc.MD5},
    )
    unpack(root)
    assert pictures(root) == EXPECTED


@pytest.mark.parametrize("word", ["1000", "-1", "cat", "n99999999"])
def test_an_unknown_label_is_named(root, word):
    (root / "labels.txt").write_text(f"0\n{word}\n")
    with pytest.raises(InputError, match=rf"labels\.txt: row 2: {word} is no WordNet id"):
        unpack(root, root / "labels.txt", check=False)
