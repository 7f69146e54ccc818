"""`daclass init`: a folder is looked at, what is wrong is said, and what is written runs."""

from __future__ import annotations

import dataclasses
import io
import json
import shlex
import shutil
import unicodedata

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from daclass.augment import RRC_SCALE, Policy
from daclass.augment.pictures import PictureError, read_picture
from daclass.cli import main
from daclass.config import Study, Training
from daclass.data import draft as drafting
from daclass.data import survey as surveying
from daclass.data.draft import draft, study_name
from daclass.data.imagenet import _timm_file
from daclass.data.index import build_index
from daclass.data.sources import open_source
from daclass.data.survey import survey
from daclass.errors import InputError
from tests.conftest import save_pictures

CLASSES = ("ant", "bee", "cat", "dog", "eel", "fox")


@pytest.fixture
def root(tmp_path):
    counts = {f"{split}/{name}": 6 for split in ("train", "val") for name in CLASSES}
    save_pictures(tmp_path / "My Pictures (2)", counts)
    return tmp_path / "My Pictures (2)"


def written(tmp_path, folder, *options, name="mine"):
    """The study that `daclass init` writes, as a user would load it."""
    config = tmp_path / f"{name}.yaml"
    assert main(["init", str(folder), "-o", str(config), *options]) == 0
    assert main(["check", str(config)]) == 0
    return Study.load(config)


def index_of(study):
    return build_index(open_source(study.data, study.data.root), 0).index


def test_a_tidy_folder(root, tmp_path, capsys):
    study = written(tmp_path, root)
    said = capsys.readouterr().out
    assert "6 classes" in said
    assert "train/: 36 pictures that can be used, 6 or more a class" in said
    assert "all pictures were opened; 0 cannot be used" in said
    assert "a class has 6 validation pictures: one is 16.7 points" in said
    assert (study.name, study.data.train, study.data.val) == ("my_pictures_2", "train", "val")
    assert study.data.root == root
    assert len(index_of(study)) == 72
    assert study.training.batch_size <= 36
    assert study.training.model == "small_resnet"
    pixels = np.concatenate(
        [np.asarray(Image.open(file)).reshape(-1, 3).mean(0)[None] for file in root.rglob("*.png")]
    )
    np.testing.assert_allclose(study.training.mean, pixels.mean(0) / 255, atol=1e-3)


@pytest.mark.parametrize(
    ("splits", "found"),
    [
        (("training", "validation", "test"), ("training", "validation", ("test",))),
        (("Train", "Test"), ("Train", "Test", ())),
        (("train",), ("train", None, ())),
        ((".",), (".", None, ())),
    ],
)
def test_splits_are_found_under_their_usual_names(tmp_path, splits, found):
    save_pictures(tmp_path / "set", {f"{split}/{name}": 6 for split in splits for name in CLASSES})
    seen = survey(tmp_path / "set")
    assert (seen.train, seen.val, seen.unused) == found
    study = written(tmp_path, tmp_path / "set")
    assert study.data.val_share == (None if found[1] else 0.2)
    counts = index_of(study).groupby("split")["class_id"].value_counts()
    assert set(counts["train"]) == ({6} if found[1] else {5})


@pytest.mark.parametrize("names", [("car", "train", "tram"), ("Test", "dev", "car")])
def test_a_class_may_be_called_as_a_split_is(tmp_path, names):
    save_pictures(tmp_path / "set", dict.fromkeys(names, 6))
    study = written(tmp_path, tmp_path / "set")
    assert (study.data.train, study.data.val_share) == (".", 0.2)
    assert survey(tmp_path / "set").classes == sorted(names)
    assert len(index_of(study)) == 18


def test_links_that_lead_back_are_named(tmp_path, capsys):
    (tmp_path / "set" / "train" / "ant").mkdir(parents=True)
    for name in ("one", "other"):
        (tmp_path / "set" / "train" / "ant" / name).symlink_to(tmp_path / "set" / "train")
    assert "ant/one: leads back to a folder" in refused(tmp_path, capsys).replace("other", "one")


def test_a_study_that_starts_from_published_weights(root, tmp_path, capsys):
    """Of small pictures too; nothing is fetched for it."""
    assert main(["init", str(root), "-o", str(tmp_path / "own.yaml"), "--pretrained"]) == 0
    training = Study.load(tmp_path / "own.yaml").training
    assert (training.init, training.model, training.resolution) == ("pretrained", "resnet18", 96)
    assert (training.epochs, training.learning_rate) == (8, 0.01)
    assert (training.mean, training.std) == (Training().mean, Training().std)


def test_what_tools_leave_is_no_picture_and_no_class(root, tmp_path, capsys):
    save_pictures(root, {"train/ant/@eaDir/000.png": 3, "train/@eaDir": 2, "train/__MACOSX/ant": 2})
    save_pictures(root, {"#recycle/old": 2, "train/lost+found": 1})
    study = written(tmp_path, root)
    assert "train/: 36 pictures that can be used" in capsys.readouterr().out
    assert len(index_of(study)) == 72


def test_the_folder_within_is_found(root, tmp_path, capsys):
    (tmp_path / "archive" / "__MACOSX").mkdir(parents=True)
    (tmp_path / "archive" / "readme.txt").touch()
    root.rename(tmp_path / "archive" / "dataset")
    study = written(tmp_path, tmp_path / "archive")
    assert study.data.root == tmp_path / "archive" / "dataset"
    assert f"{tmp_path / 'archive'} holds nothing else" in capsys.readouterr().out


def test_folders_within_class_folders_are_said(root, tmp_path, capsys):
    save_pictures(root, {"train/cat/persian": 2, "train/cat/siamese": 3})
    study = written(tmp_path, root)
    said = capsys.readouterr().out
    assert "! folders within class folders; their pictures count for the class above them" in said
    assert "    train/cat/persian/" in said and "    train/cat/siamese/" in said
    assert "cat" in set(open_source(study.data, root).pictures["name"])


def test_a_class_of_files_that_are_no_pictures_is_named(root, tmp_path, capsys):
    (root / "train" / "nef").mkdir()
    for number in range(3):
        (root / "train" / "nef" / f"{number}.NEF").write_bytes(b"II*\0raw")
    assert main(["init", str(root), "-o", str(tmp_path / "mine.yaml")]) == 2
    said = capsys.readouterr().err
    assert "train/nef: holds 3 .nef and no picture that can be read; convert them" in said


def test_uneven_classes_are_said(tmp_path, capsys):
    save_pictures(tmp_path / "set", {f"train/{name}": 6 for name in CLASSES} | {"train/ant": 60})
    written(tmp_path, tmp_path / "set")
    assert "class bee has 6 training pictures and class ant has 60" in capsys.readouterr().out
    written(tmp_path, tmp_path / "set", "--force")


def test_accents_are_composed_however_a_folder_writes_them(tmp_path):
    names = [unicodedata.normalize(form, "crème") for form in ("NFC", "NFD")]
    save_pictures(tmp_path / "set", {f"train/{names[1]}": 2, f"val/{names[0]}": 2})
    save_pictures(tmp_path / "set", {"train/ant": 2, "val/ant": 2})
    study = written(tmp_path, tmp_path / "set")
    found = build_index(open_source(study.data, study.data.root), 0)
    assert list(found.classes["name"]) == ["ant", names[0]]
    policy = Policy(RRC_SCALE, 0.5, {names[1]: 0.2})
    assert list(policy.strengths(list(found.classes["name"]))) == [0.5, 0.2]


def test_a_split_without_class_folders_is_said_to_be_unused(tmp_path, capsys):
    folders = {f"train/{name}": 6 for name in CLASSES} | {"val": 3, "test/hidden/.x": 1}
    save_pictures(tmp_path / "set", folders)
    assert written(tmp_path, tmp_path / "set").data.val_share == 0.2
    assert "! not used: val/, test/" in capsys.readouterr().out


def test_what_is_wrong_is_named_and_left_out(root, tmp_path, capsys):
    (root / "train" / "ant" / "000.png").write_bytes(b"broken")
    shutil.copy(root / "val" / "bee" / "001.png", root / "train" / "bee" / "twin.png")
    shutil.copy(root / "train" / "cat" / "001.png", root / "train" / "cat" / "copy.png")
    shutil.copy(root / "train" / "dog" / "001.png", root / "train" / "eel" / "which.png")
    (root / "train" / "fox" / "notes.txt").touch()
    Image.new("RGB", (1, 9)).save(root / "train" / "fox" / "dot.png")
    shutil.copy(root / "train" / "dog" / "001.png", root / "train" / "loose.png")
    study = written(tmp_path, root)
    said = capsys.readouterr().out
    assert "2 cannot be used" in said
    assert "train/: 37 pictures that can be used, 5 or more a class" in said
    assert "dot.png: not a readable picture (1x9 px are too few to crop)" in said
    assert "passed over: 1 (outside of class folders)" in said
    assert "train/ant/000.png: not a readable picture" in said
    assert "train/bee/twin.png = val/bee/001.png" in said
    assert "1 copies within a class and split" in said
    assert "train/eel/which.png = train/dog/001.png" in said
    assert "passed over: 1 (.txt)" in said
    left_out = ("train/ant/000.png", "train/bee/twin.png", "train/fox/dot.png")
    assert study.data.leave_out == left_out
    assert "train/ant/000.png" not in set(index_of(study)["image_id"])


def test_every_kind_of_file_is_told(tmp_path):
    for name in CLASSES[:5]:
        save_pictures(tmp_path / "set", {f"train/{name}": 3, f"val/{name}": 3})
    folder = tmp_path / "set" / "train" / "ant"
    grey = Image.new("L", (40, 30))
    grey.save(folder / "grey.jpg")
    Image.new("CMYK", (40, 30)).save(folder / "cmyk.jpg")
    Image.fromarray(np.full((30, 40), 40_000, np.uint16)).save(folder / "deep.png")
    Image.new("RGBA", (40, 30)).save(folder / "clear.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    grey.convert("RGB").save(folder / "turned.jpg", exif=exif)
    grey.save(folder / "moves.gif", save_all=True, append_images=[Image.new("L", (40, 30), 9)])
    Image.new("RGB", (9, 9)).save(folder / "wrong.png", "JPEG")
    (folder / "empty.jpg").touch()
    found = survey(tmp_path / "set")
    assert dict(found.traits) == {
        "greyscale": 1,
        "CMYK": 1,
        "16-bit greyscale (the upper 8 bits count)": 1,
        "with transparency (dropped)": 1,
        "turned upright as their EXIF data say": 1,
        "of several frames (the first counts)": 1,
        "of another format than their name says": 1,
    }
    assert [image_id for image_id, _ in found.unreadable] == ["train/ant/empty.jpg"]


def several_frames(form):
    """The content of a file of four frames."""
    frames = [Image.new("L", (40, 30), 60 * shade) for shade in range(4)]
    file = io.BytesIO()
    frames[0].save(file, form, save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize(("form", "name"), [("GIF", "moves.gif"), ("TIFF", "pages.tif")])
def test_frames_that_are_damaged_do_not_matter_where_the_first_one_can_be_read(
    root, tmp_path, form, name
):
    file = root / "train" / "ant" / name
    content, errors = several_frames(form), set()
    for end in range(len(content) // 8, len(content), len(content) // 100):
        file.write_bytes(content[:end])
        try:
            read_picture(file)
        except PictureError:
            continue
        with Image.open(file) as picture:
            try:
                _ = picture.n_frames
            except Exception as error:
                errors.add(type(error))
                assert surveying._look(file).height == 30
                kept = end
    assert errors  # Pillow cannot count the frames of some of these
    file.write_bytes(content[:kept])
    assert written(tmp_path, root).data.leave_out == ()


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ({}, "holds no pictures in class folders"),
        ({"train/ant": 2, "val/ant": 2}, "holds one class alone, ant"),
        ({"train/ant": 2, "train/bee": 2, "val/ant": 2}, "class bee has no validation pictures"),
        ({"train/ant": 2, "val/ant": 2, "val/bee": 2}, "class bee has no training pictures"),
        ({"test/ant": 2, "test/bee": 2}, "holds test/ and no train/"),
        ({"test/ant": 2, "test/bee": 2, "train": 2}, "holds test/ and no train/"),
        ({"train": 2, "test": 2}, "set/train: holds pictures and no class folders; --labels takes"),
    ],
)
def test_a_folder_that_no_study_can_use_is_refused(tmp_path, folders, message, capsys):
    (tmp_path / "set").mkdir()
    save_pictures(tmp_path / "set", folders)
    assert main(["init", str(tmp_path / "set"), "-o", str(tmp_path / "mine.yaml")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "mine.yaml").exists()


@pytest.mark.parametrize("folder", [".", "train", "images"])
@pytest.mark.parametrize("table", ["labels.csv", "set/train labels.tsv", ""])
def test_pictures_side_by_side_bring_a_hint_at_labels(tmp_path, capsys, folder, table):
    save_pictures(tmp_path / "set", {folder: 3})
    such = ""
    if table:
        (tmp_path / table).write_text("id,breed\n000,pug\n")
        such = f", such as {shlex.quote(str(tmp_path / table))}"
    said = refused(tmp_path, capsys)
    assert said.count("\n") == 1
    assert said.endswith(f"; --labels takes their classes from a CSV file{such}\n") or (
        f"one class alone, images; each class needs a folder; if it is none, --labels takes their "
        f"classes from a CSV file{such}\n" in said
    )


def test_a_table_and_a_preview_beside_class_folders_change_nothing(tmp_path):
    save_pictures(tmp_path / "set", {"ant": 6, "bee": 6, ".": 1})
    (tmp_path / "set" / "notes.csv").write_text("a,b\n")
    assert set(index_of(written(tmp_path, tmp_path / "set"))["class_id"]) == {0, 1}


def refused(tmp_path, capsys):
    """What `daclass init` says when it writes nothing."""
    assert main(["init", str(tmp_path / "set"), "-o", str(tmp_path / "mine.yaml")]) == 2
    assert not (tmp_path / "mine.yaml").exists()
    return capsys.readouterr().err


@pytest.mark.parametrize("copies", [0, 1])
def test_a_class_that_cannot_be_split_is_refused(tmp_path, capsys, copies):
    save_pictures(tmp_path / "set", {"ant": 6, "bee": 6, "cat": 1})
    for number in range(copies):
        shutil.copy(
            tmp_path / "set" / "cat" / "000.png", tmp_path / "set" / "cat" / f"{number}.png"
        )
    assert "class cat has one picture that can be used, or copies" in refused(tmp_path, capsys)
    save_pictures(tmp_path / "set", {"cat": 2}, seed=1)
    assert set(index_of(written(tmp_path, tmp_path / "set"))["class_id"]) == {0, 1, 2}


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_class_that_has_no_readable_picture_in_a_split_is_refused(root, tmp_path, capsys, split):
    root.rename(tmp_path / "set")
    for file in (tmp_path / "set" / split / "bee").iterdir():
        file.write_bytes(b"broken")
    what = {"train": "training", "val": "validation"}[split]
    said = refused(tmp_path, capsys)
    assert f"class bee has no {what} pictures that can be used: " in said
    assert "bee/000.png: not a readable picture" in said  # the reason of one of them


def test_a_class_whose_training_pictures_are_validation_pictures_is_refused(root, tmp_path, capsys):
    root.rename(tmp_path / "set")
    shutil.rmtree(tmp_path / "set" / "train" / "bee")
    shutil.copytree(tmp_path / "set" / "val" / "bee", tmp_path / "set" / "train" / "bee")
    said = refused(tmp_path, capsys)
    assert "class bee has no training pictures that can be used: all are validation" in said


def test_warnings_and_batches_count_the_pictures_that_are_kept(root, tmp_path, capsys):
    for number in range(5):
        (root / "val" / "bee" / f"{number:03d}.png").write_bytes(b"broken")
    written(tmp_path, root)
    said = capsys.readouterr().out
    assert "val/: 31 pictures that can be used, 1 or more a class" in said
    assert "a class has 1 validation pictures: one is 100.0 points" in said


def pictures_of(names) -> dict[str, int]:
    """For each class of ImageNet the number of a validation picture that ReaL says shows it."""
    sets = json.loads(_timm_file("imagenet_real_labels.json").read_text())
    ids = _timm_file("imagenet_synsets.txt").read_text().split()
    known = {name: ids.index(name) for name in names if name in ids}
    known |= {name: number for name, number in {"tench": 0, "goldfish": 1}.items() if name in names}
    return {
        name: next(place for place, labels in enumerate(sets, 1) if number in labels)
        for name, number in known.items()
    }


@pytest.mark.parametrize(
    ("names", "number", "drafted"),
    [
        (("n01440764", "n03179701"), 0, True),
        (("tench", "goldfish"), 0, True),
        (CLASSES, 0, False),
        (("n01440764", "n00001740"), 0, False),  # an inner node of WordNet
        (("n01440764", "n03179701"), 50_000, False),
    ],
)
def test_real_labels_are_for_imagenets_pictures_and_classes(tmp_path, names, number, drafted):
    save_pictures(tmp_path / "set", {f"train/{name}": 2 for name in names})
    shown = pictures_of(names)
    for place, name in enumerate(names):
        (source,) = save_pictures(tmp_path / "other", {name: 1}, seed=place + 1)
        picture = shown.get(name, place + 1) + number
        target = tmp_path / "set" / "val" / name / f"ILSVRC2012_val_{picture:08d}.png"
        target.parent.mkdir(parents=True)
        source.rename(target)
    study = written(tmp_path, tmp_path / "set")
    assert (study.data.annotations == "real") == drafted
    assert len(index_of(study)) == 3 * len(names)


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(InputError, match="gone: no such folder"):
        survey(tmp_path / "gone")


def test_a_config_is_replaced_only_when_told_so(root, tmp_path, capsys):
    config = tmp_path / "mine.yaml"
    config.write_text("precious")
    assert main(["init", str(root), "-o", str(config)]) == 2
    assert "exists already; --force" in capsys.readouterr().err
    assert config.read_text() == "precious"
    assert main(["init", str(root), "-o", str(config), "--force"]) == 0
    assert "precious" not in config.read_text()


def test_time_is_bounded_and_the_sample_is_told(root, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(surveying, "OPENED_AT_LEAST", 10)
    study = written(tmp_path, root, "--seconds", "0")
    said = capsys.readouterr().out
    assert "64 pictures, a sample, were opened" in said
    assert "pictures that were not opened may be unreadable too" in said
    assert len(index_of(study)) == 72


def test_of_many_pictures_a_share_is_compared_and_no_pair_is_torn(root, monkeypatch):
    files = sorted((root / "train" / "ant").glob("*.png"))
    for file in files:
        shutil.copy(file, root / "val" / "ant" / f"twin of {file.name}")
    monkeypatch.setattr(surveying, "COMPARED_AT_MOST", 39)
    found = survey(root)
    assert 0 < found.compared < 1
    even = [file for file in files if file.stat().st_size % 2 == 0]
    assert list(found.leaked["image_id"]) == [f"train/ant/{file.name}" for file in even]


def test_names_that_are_no_yaml_are_quoted_or_masked(tmp_path):
    odd = ["no", "1e3", "a: b", "# c", "tab\there", "ünï"]
    root = tmp_path / "se#t: x"
    save_pictures(root, {f"train/{name}": 2 for name in odd} | {f"val/{name}": 2 for name in odd})
    (root / "train" / "tab\there" / "001.png").write_bytes(b"")
    study = written(tmp_path, root)
    assert study.data.root == root
    assert study.data.leave_out == ("train/tab\there/001.png",)


ODD = "new\nline \x1b[31mred\x85\u2028\ufeff\u202f"


def test_names_that_cannot_be_printed_are_escaped(tmp_path, capsys):
    root = tmp_path / ODD
    counts = {f"{split}/{name}{ODD}": 2 for split in ("train", "val") for name in CLASSES}
    files = save_pictures(root, counts)
    files[0].write_bytes(b"")
    shutil.copy(files[2], files[3])
    shutil.copy(files[-1], files[5])
    study = written(tmp_path, root, name=ODD)
    assert study.data.root == root
    said, text = capsys.readouterr().out, (tmp_path / f"{ODD}.yaml").read_text()
    assert set(study.data.leave_out) <= set(survey(root).pictures["image_id"])
    with pytest.raises(InputError, match=r"class 'ant.*a name cannot hold U\+000A"):
        index_of(study)  # what no figure can show is no class; init has shown what there is
    report = said[: said.index("\nWritten: ")]
    escaped = r"new\nline \x1b[31mred\x85\u2028\ufeff\u202f"
    assert f"{tmp_path}/{escaped}: 6 classes" in report
    assert f"    train/ant{escaped}/000.png: not a readable picture" in report
    for lines in (report, text):
        assert all(line.isprintable() for line in lines.split("\n"))


@given(st.text())
def test_any_string_is_written_as_yaml_in_one_printable_line(text):
    line = drafting._scalar(text)
    assert line.isprintable()
    assert yaml.safe_load(f"key: {line}") == {"key": text}


@pytest.mark.parametrize(
    ("folder", "name"),
    [("Größe 3", "gr_e_3"), ("...", "study"), ("UPPER-case.v2", "upper-case.v2")],
)
def test_a_study_is_called_after_its_folder(tmp_path, folder, name):
    assert study_name(tmp_path / folder) == name


@pytest.mark.parametrize(
    ("side", "count", "expected"),
    [
        (28, 60_000, ("small_resnet", 20, 128, 12, "raw")),
        (64, 12_000, ("small_resnet", 48, 64, 12, "raw")),
        (500, 900, ("resnet18", 128, 32, 40, "jpg")),
        (500, 1_300_000, ("resnet18", 128, 256, 12, "jpg")),
    ],
)
def test_the_recipe_follows_size_and_number(root, tmp_path, side, count, expected):
    found = survey(root)
    train, val = (found.pictures[found.pictures["split"] == split] for split in ("train", "val"))
    grown = dataclasses.replace(
        found,
        pictures=pd.concat([train.sample(count, replace=True, random_state=0), val]),
        heights=np.array([side]),
        widths=np.array([side + 5]),
    )
    (tmp_path / "x.yaml").write_text(draft(grown, tmp_path / "x.yaml"))
    study = Study.load(tmp_path / "x.yaml")
    training = study.training
    assert expected == (
        training.model,
        training.resolution,
        training.batch_size,
        training.epochs,
        study.beton.write_mode,
    )
