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


def classes(**others):
    """The archive of the training pictures, with some classes' own archives as they are given."""
    inners = {name: inner(name) for name in IDS} | others
    return tar({f"{name}.tar": content for name, content in inners.items()})


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(ilsvrc, "synsets", lambda: list(IDS))  # an ImageNet of three classes
    val = {f"ILSVRC2012_val_{n:08d}.JPEG": jpeg(n) for n in range(1, 1 + len(LABELS))}
    (tmp_path / TRAIN).write_bytes(classes())
    (tmp_path / VAL).write_bytes(tar(val))
    (tmp_path / DEVKIT).write_bytes(devkit())
    return tmp_path


def pictures(root):
    return {str(file.relative_to(root)) for file in root.glob("*/*/*.JPEG")}


EXPECTED = {f"train/{name}/{name}_{n}.JPEG" for name in IDS for n in range(3)} | {
    f"val/{IDS[label]}/ILSVRC2012_val_{n:08d}.JPEG" for n, label in enumerate(LABELS, 1)
}


def test_pictures_come_into_folders_by_class(root, caplog):
    unpack(root, check=False)
    assert pictures(root) == EXPECTED
    assert (root / "train" / IDS[1] / f"{IDS[1]}_2.JPEG").read_bytes() == jpeg(11)
    for file in (TRAIN, VAL, DEVKIT):
        (root / file).unlink()
    caplog.set_level("INFO")
    unpack(root, check=False)  # nothing is left to do, and archives may be gone
    assert {record.message for record in caplog.records} == {
        f"{root / split}: 3 of 3 classes are there already and stay as they are"
        for split in ("train", "val")
    }


def test_an_imagenet_of_a_thousand_classes(tmp_path):
    every = synsets()
    assert len(every) == 1000
    val = {f"ILSVRC2012_val_{n:08d}.JPEG": b"%d" % n for n in range(1, 1001)}
    trains = {f"{name}.tar": tar({f"{name}_1.JPEG": name.encode()}) for name in every}
    (tmp_path / TRAIN).write_bytes(tar(trains))
    (tmp_path / VAL).write_bytes(tar(val))
    (tmp_path / "labels.txt").write_text("\n".join(map(str, reversed(range(1000)))))
    unpack(tmp_path, tmp_path / "labels.txt", check=False)
    assert pictures(tmp_path) == {f"train/{name}/{name}_1.JPEG" for name in every} | {
        f"val/{name}/ILSVRC2012_val_{1000 - n:08d}.JPEG" for n, name in enumerate(every)
    }


@pytest.mark.parametrize("form", ["ids", "numbers"])
def test_labels_come_from_a_text_file_as_well(root, form):
    every = ilsvrc.synsets()
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


def test_an_archive_that_is_cut_between_two_classes_is_refused(root):
    with tarfile.open(root / TRAIN) as whole:
        last = whole.getmembers()[-1]
    content = (root / TRAIN).read_bytes()[: last.offset]
    (root / TRAIN).write_bytes(content)
    with pytest.raises(InputError, match=rf"{TRAIN}: lacks {IDS[-1]}.tar; it holds 2 classes of 3"):
        unpack(root, check=False)


def flat(val):
    for n in range(1, 4):
        (val / f"ILSVRC2012_val_{n:08d}.JPEG").touch()


def two_classes(val):
    for name in IDS[:2]:
        (val / name).mkdir()
        (val / name / "x.JPEG").touch()


def empty_classes(val):
    for name in IDS:
        (val / name).mkdir()


@pytest.mark.parametrize("fill", [lambda val: None, flat, two_classes, empty_classes])
def test_what_lies_in_val_has_to_be_all_classes(root, fill):
    (root / "val").mkdir()
    fill(root / "val")
    before = sorted(root.rglob("*"))
    with pytest.raises(InputError, match=rf"{root / 'val'}: there is no class folder n0\d+ with"):
        unpack(root, check=False)
    assert sorted(root.rglob("*")) == before


def test_training_classes_that_lack_and_no_archive(root):
    (root / TRAIN).unlink()
    (root / "train").mkdir()
    two_classes(root / "train")
    with pytest.raises(InputError, match=f"{TRAIN}: no such file"):
        unpack(root, check=False)


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
            classes(**{"../n01440764": inner("x")}),
            r"\.\./n01440764\.tar is no class's archive",
        ),
        (TRAIN, classes(n01440764=tar({"../../x.JPEG": b"x"})), r"refusing \.\./\.\./x\.JPEG"),
        (TRAIN, classes(n01440764=tar({"a": link("a", "/etc")})), "refusing a"),
        (TRAIN, classes(n01440764=b"no archive" * 99), r"n01440764\.tar: cannot be extracted"),
        (TRAIN, classes(n01440764=tar({})), r"n01440764\.tar: holds no files"),
        (TRAIN, classes(n99999999=inner("x")), r"n99999999\.tar is no class's archive"),
        (
            TRAIN,
            classes(n01440764=b"")[:512] + classes(),
            r"n01440764\.tar is no class's .* or is there twice",
        ),
        (TRAIN, tar({}), r"lacks n01440764\.tar; it holds 0 classes of 3"),
        (TRAIN, b"", "cannot be extracted"),
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


def test_labels_that_are_no_text_are_named(root):
    (root / "labels.txt").write_bytes("n01440764\n".encode("utf-16"))
    with pytest.raises(InputError, match=r"labels\.txt: not a text file"):
        unpack(root, root / "labels.txt", check=False)


@pytest.mark.parametrize("word", ["1000", "-1", "cat", "n99999999"])
def test_an_unknown_label_is_named(root, word):
    (root / "labels.txt").write_text(f"0\n{word}\n")
    with pytest.raises(InputError, match=rf"labels\.txt: row 2: {word} is no WordNet id"):
        unpack(root, root / "labels.txt", check=False)
