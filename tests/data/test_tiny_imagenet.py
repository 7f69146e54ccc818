from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from daclass.config import Study, TinyImageNetData
from daclass.data.index import build_index
from daclass.data.pictures import write_pictures
from daclass.data.sources import open_source
from daclass.data.tiny_imagenet import class_folders
from daclass.errors import InputError
from tests.conftest import ROOT, absent

FISH, FROG, CAT = "n01443537", "n01641577", "n02123045"


def jpeg(shade: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (64, 64), (shade, 80, 120)).save(content, "JPEG")
    return content.getvalue()


@pytest.fixture
def official(tmp_path) -> Path:
    """Three classes as Stanford's zip unpacks them: validation pictures lie in one folder."""
    root = tmp_path / "tiny-imagenet-200"
    rng = np.random.default_rng(0)
    for name in (FISH, FROG, CAT):
        folder = root / "train" / name / "images"
        folder.mkdir(parents=True)
        (root / "train" / name / f"{name}_boxes.txt").write_text("boxes")
        for number in range(6):
            (folder / f"{name}_{number}.JPEG").write_bytes(jpeg(int(rng.integers(256))))
    (root / "val" / "images").mkdir(parents=True)
    lines = []
    for number, name in enumerate((CAT, FISH, FROG, CAT, FISH, FROG)):
        (root / "val" / "images" / f"val_{number}.JPEG").write_bytes(jpeg(40 * number))
        lines.append(f"val_{number}.JPEG\t{name}\t0\t0\t62\t62\n")
    (root / "val" / "val_annotations.txt").write_text("".join(lines))
    return root


def by_class(root: Path, folder: Path) -> Path:
    """The same pictures as others pass them on, validation pictures sorted by class too."""
    for name in class_folders(root):
        shutil.copytree(root / "train" / name / "images", folder / "train" / name)
    for line in (root / "val" / "val_annotations.txt").read_text().splitlines():
        file, name, *_ = line.split("\t")
        (folder / "val" / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "val" / "images" / file, folder / "val" / name / file)
    return folder


def zipped(folder: Path, file: Path, below: str = "") -> Path:
    file.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, Path(below) / path.relative_to(folder))
    return file


def data(root: Path, **settings) -> TinyImageNetData:
    return TinyImageNetData(source="tinyimagenet", root=root, **settings)


def listed(settings: TinyImageNetData, folder: Path):
    write_pictures(settings, folder)
    return build_index(open_source(settings, folder), 0)


def test_every_form_of_the_set_gives_one_index(official, tmp_path):
    sorted_root = by_class(official, tmp_path / "sorted")
    forms = [
        official,
        official.parent,
        sorted_root,
        zipped(sorted_root, tmp_path / "a" / "set.zip"),
        zipped(official, tmp_path / "b" / "tiny.zip", "tiny-imagenet-200").parent,
    ]
    first, *others = [
        listed(data(root), tmp_path / f"pictures{number}").index
        for number, root in enumerate(forms)
    ]
    assert set(first["image_id"]) >= {f"train/{FISH}/{FISH}_0.JPEG", f"val/{CAT}/val_3.JPEG"}
    assert first.groupby("split").size().to_dict() == {"train": 18, "val": 6}
    for other in others:
        assert other.equals(first)


def test_some_classes_and_training_pictures_that_are_judged(official, tmp_path):
    settings = data(official, classes=[CAT, FISH], judged_from_train=2, train_per_class=3)
    found = listed(settings, tmp_path / "pictures")
    assert list(found.classes["name"]) == [FISH, CAT]
    assert [path.rsplit("/", 1)[-1] for path in found.classes["path"]] == ["goldfish", "tabby"]
    counts = found.index.groupby(["split", "class_id"]).size().to_dict()
    assert counts == {("train", 0): 3, ("train", 1): 3, ("val", 0): 4, ("val", 1): 4}
    assert not found.index["image_id"].duplicated().any()
    all_trained = listed(data(official, classes=[CAT, FISH]), tmp_path / "all").index
    judged = set(found.index.loc[found.index["split"] == "val", "image_id"])
    assert judged > set(all_trained.loc[all_trained["split"] == "val", "image_id"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: shutil.rmtree(root / "train"), r"data.root: .* holds neither train/"),
        (lambda root: (root / "val" / "val_annotations.txt").unlink(), "val_annotations.txt"),
        (lambda root: (root / "val" / "images" / "val_4.JPEG").unlink(), r"val_4.JPEG: cannot be"),
        (
            lambda root: (root / "val" / "val_annotations.txt").write_text("val_0.JPEG n1\n"),
            "line 1",
        ),
        (lambda root: shutil.rmtree(root / "train" / FROG), f"no class {FROG}"),
    ],
)
def test_what_is_missing_is_named(official, tmp_path, spoil, message):
    spoil(official)
    with pytest.raises(InputError, match=message):
        write_pictures(data(official, classes=[FISH, FROG]), tmp_path / "pictures")
    assert not (tmp_path / "pictures").exists()


def test_a_damaged_zip_is_one_line(official, tmp_path):
    file = zipped(official, tmp_path / "z" / "set.zip")
    content = bytearray(file.read_bytes())
    content[2000:2600] = bytes(600)  # within the pictures
    file.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read"):
        write_pictures(data(file), tmp_path / "pictures")
    file.write_bytes(b"no zip")
    with pytest.raises(InputError, match=r"set.zip: cannot be read"):
        write_pictures(data(file), tmp_path / "pictures")


def test_classes_are_wordnet_ids():
    with pytest.raises(ValidationError, match="classes"):
        data(Path(), classes=["goldfish"])


def test_the_shipped_study_takes_the_classes_that_its_script_picks(real_data):
    benchmark = pytest.importorskip("benchmarks.confusable_classes")
    if not Path("/usr/share/wordnet/data.noun").is_file():
        absent("WordNet (Debian's wordnet-base)")
    study = Study.load(ROOT / "configs" / "tiny_imagenet.yaml")
    names = class_folders(real_data / "tiny_imagenet_200")
    assert list(study.data.classes) == benchmark.confusable(names)
    header = (ROOT / "configs" / "tiny_imagenet.yaml").read_text()
    for row in benchmark.named_pairs(study.data.classes).itertuples():
        assert f"{row.victim} {row.partner} {row.overlap:.2f}" in header
