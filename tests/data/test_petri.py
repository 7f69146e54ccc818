from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from daclass.config.petri import PetriSettings
from daclass.data.petri import write_petri
from daclass.data.petri.generate import picture
from daclass.data.petri.objects import OBJECTS
from daclass.data.petri.pen import Pen, Pose
from daclass.data.petri.planted import CLASSES, RELATIONS, compose

SMALL = PetriSettings(train_per_class=2, val_per_class=3)
NAMES = st.sampled_from(list(CLASSES))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("petri") / "set"
    write_petri(SMALL, folder, draws=2)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def scenes(name: str, settings: PetriSettings = SMALL, n: int = 40, training: bool = False):
    rngs = (np.random.default_rng(i) for i in range(n))
    return [compose(name, settings, rng, training=training) for rng in rngs]


def test_same_settings_give_the_same_bytes(written: Path, tmp_path: Path):
    write_petri(SMALL, tmp_path / "again", draws=2)
    assert contents(tmp_path / "again") == contents(written)


def test_validation_depends_neither_on_draws_nor_on_training_size(written: Path, tmp_path: Path):
    write_petri(SMALL.model_copy(update={"train_per_class": 1}), tmp_path / "set", draws=1)
    before, after = contents(written), contents(tmp_path / "set")
    assert all(before[image] == after[image] for image in after)
    assert {image for image in before if image.startswith("val/")} <= set(after)


def test_every_class_has_its_pictures(written: Path):
    for split, count in (("val", 3), ("train-0", 2), ("train-1", 2)):
        assert sorted(p.name for p in (written / split).iterdir()) == list(CLASSES)
        for name in CLASSES:
            files = sorted(p.name for p in (written / split / name).iterdir())
            assert files == [f"{number:05d}.jpg" for number in range(count)]


def test_pictures_are_jpegs_of_the_size_asked_for(tmp_path: Path):
    sized = PetriSettings(picture_size=64, train_per_class=1, val_per_class=1)
    write_petri(sized, tmp_path / "set", draws=1)
    for path in (tmp_path / "set").rglob("*.jpg"):
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (64, 64))


@hypothesis_settings(max_examples=30, deadline=None)
@given(name=NAMES, number=st.integers(0, 10**6), draw=st.none() | st.integers(0, 100))
def test_a_picture_is_a_pure_function_of_its_place(name: str, number: int, draw: int | None):
    pixels, labels = picture(SMALL, name, number, draw)
    again, same_labels = picture(SMALL, name, number, draw)
    assert np.array_equal(pixels, again)
    assert labels == same_labels
    others = [
        picture(SMALL.model_copy(update={"seed": 1}), name, number, draw),
        picture(SMALL, name, number, 0 if draw is None else draw + 1),
        picture(SMALL, name, number + 1, draw),
    ]
    assert not any(np.array_equal(pixels, other) for other, _ in others)


@pytest.mark.parametrize("name", OBJECTS)
def test_drawings_keep_to_their_box(name: str):
    pen = Pen(64, 3)
    pen.place(Pose(size=0.8))
    OBJECTS[name](pen, np.random.default_rng(0))
    alpha = pen.layer()[..., 3]
    rows, columns = np.nonzero(alpha)
    longer = max(np.ptp(rows), np.ptp(columns)) / 64
    assert alpha.max() == 1
    assert longer == pytest.approx(0.8, abs=0.15)


@hypothesis_settings(max_examples=50, deadline=None)
@given(
    turn=st.floats(-180, 180),
    slant=st.floats(0, 180),
    squeeze=st.floats(0.3, 1),
    mirrored=st.booleans(),
)
def test_poses_turn_then_squeeze(turn: float, slant: float, squeeze: float, mirrored: bool):
    pen = Pen(10, 1)
    pen.place(Pose(0.25, 0.5, 2.0, turn, squeeze, slant, mirrored))
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.3, -0.7]])

    def rotation(degrees: float) -> np.ndarray:
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        return np.array([[c, -s], [s, c]])

    flip = np.diag([-1 if mirrored else 1, 1])
    matrix = rotation(slant) @ np.diag([1, squeeze]) @ rotation(-slant) @ rotation(turn) @ flip
    expected = 20 * points @ matrix.T + [2.5, 5.0]
    assert np.allclose(np.reshape(pen._pixels(points), (-1, 2)), expected)


def test_annotations_list_every_validation_picture_under_its_label(written: Path):
    annotations = pd.read_csv(written / "annotations.csv")
    assert list(annotations) == ["image", "label"]
    assert not annotations.duplicated().any()
    own = annotations[annotations["image"].str.split("/").str[1] == annotations["label"]]
    pictures = {p.relative_to(written).as_posix() for p in (written / "val").rglob("*.jpg")}
    assert set(own["image"]) == set(annotations["image"]) == pictures


def test_classes_and_truth_tell_what_was_planted(written: Path):
    classes = pd.read_csv(written / "classes.csv")
    assert list(classes["name"]) == sorted(classes["name"]) == list(CLASSES)
    assert [path.split("/")[-1] for path in classes["path"]] == list(classes["name"])
    assert set(classes["path"].str.count("/") + 1) >= {3, 4}
    truth = pd.read_csv(written / "truth.csv", keep_default_na=False)
    assert list(truth) == ["class", "partner", "kind", "direction_note", "expectation"]
    assert sorted(truth["class"]) == list(CLASSES)
    expectations = {"helped": {"helped"}, "control": {"unchanged"}}
    for kind, rows in truth.groupby("kind"):
        assert set(rows["expectation"]) == expectations.get(kind, {"hurt", "swallows"})
    partners = dict(zip(truth["class"], truth["partner"], strict=True))
    assert all(not partner or partners[partner] == name for name, partner in partners.items())


def test_kinds_follow_from_annotations_and_the_class_tree():
    """High or low overlap by near or far in the tree: the four categories are as planted."""
    for relation in RELATIONS:
        if not relation.partner:
            continue
        labels = [scene.labels for scene in scenes(relation.name)]
        assert all(relation.name in both for both in labels)
        overlap = np.mean([relation.partner in both for both in labels])
        one, two = CLASSES[relation.name].split("/"), CLASSES[relation.partner].split("/")
        near = one[:-1] == two[:-1]
        kind = {
            (True, True): "ambiguous",
            (True, False): "co-occurring",
            (False, True): "fine-grained",
            (False, False): "unrelated",
        }[bool(overlap > 0.1), near]
        assert kind == relation.kind, relation.name
        assert kind in ("ambiguous", "co-occurring") or overlap == 0


def test_ambiguous_pictures_carry_both_labels_just_where_the_ranges_overlap():
    for name in ("monitor", "screen"):
        for scene in scenes(name):
            size = scene.things[0].pose.size
            fits = [n for n in ("monitor", "screen") if _in(size, SMALL.sizes[n])]
            assert scene.labels == tuple(fits)
    counts = {"flock": SMALL.flock_count, "gull": SMALL.gull_count}
    for name in counts:
        for scene in scenes(name):
            fits = [n for n in counts if _in(len(scene.things), counts[n])]
            assert scene.labels == tuple(fits)


@pytest.mark.parametrize(("small", "large"), [("bee", "daisy"), ("kite", "tree")])
def test_cooccurring_pictures_carry_the_labels_of_what_they_hold(small: str, large: str):
    for name in (small, large):
        found = scenes(name)
        assert all(
            sorted(scene.labels) == sorted(t.drawing for t in scene.things) for scene in found
        )
        both = [scene for scene in found if len(scene.things) == 2]
        assert 0 < len(both) < len(found)
        sizes = SMALL.sizes if name == small else SMALL.companion_sizes
        assert all(scene.things[0].drawing == large for scene in both)  # the small one in front
        assert all(_in(scene.things[1].pose.size, sizes[small]) for scene in both)


def test_plums_are_cherries_of_another_size():
    for name in ("cherry", "plum"):
        for scene in scenes(name):
            assert scene.things[0].drawing == "cherry"
            assert _in(scene.things[0].pose.size, SMALL.sizes[name])
            assert scene.labels == (name,)


def test_helped_classes_are_further_away_in_training():
    helped = {relation.name for relation in RELATIONS if relation.kind == "helped"}
    assert helped == set(SMALL.training_sizes)
    for name in helped:
        for training, sizes in ((True, SMALL.training_sizes), (False, SMALL.sizes)):
            found = scenes(name, training=training)
            assert all(_in(scene.things[0].pose.size, sizes[name]) for scene in found)


def test_every_class_has_a_size_a_tilt_and_a_relation():
    assert list(SMALL.sizes) == list(SMALL.tilts) == list(CLASSES)
    assert sorted(relation.name for relation in RELATIONS) == list(CLASSES)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"pictures_size": 48}, "pictures_size"),
        ({"picture_size": 0}, "picture_size"),
        ({"train_per_class": 0}, "train_per_class"),
        ({"jpeg_quality": 101}, "jpeg_quality"),
        ({"clutter": (9, 3)}, "clutter"),
        ({"light": (1.3, 0.7)}, "light"),
        ({"noise": (-0.1, 0.1)}, "noise"),
        ({"occluder_share": 1.5}, "occluder_share"),
        ({"sizes": {"dragon": (0.1, 0.2)}}, "dragon"),
        ({"sizes": {"fish": (0.0, 0.2)}}, r"sizes\.fish"),
        ({"sizes": {"fish": (0.9, 0.2)}}, r"sizes\.fish"),
        ({"sizes": {"plum": (0.3, 0.6)}}, r"sizes\.plum"),
        ({"sizes": {"screen": (0.9, 1.2)}}, r"sizes\.screen"),
        ({"training_sizes": {"plum": (0.3, 0.6)}}, "training_sizes"),
        ({"together": {"bee": 2}}, r"together\.bee"),
        ({"flock_count": (7, 9)}, "flock_count"),
        ({"gull_count": (0, 4)}, "gull_count"),
    ],
)
def test_bad_settings_are_refused_by_name(given: dict[str, object], named: str):
    with pytest.raises(ValidationError, match=named):
        PetriSettings.model_validate(given)


def test_a_table_keeps_the_rows_it_is_not_given():
    changed = PetriSettings.model_validate({"sizes": {"plum": [0.5, 0.6]}})
    assert changed.sizes == SMALL.sizes | {"plum": (0.5, 0.6)}
    assert PetriSettings.model_validate(changed.model_dump(mode="json")) == changed


def test_an_interrupted_set_leaves_nothing_behind(tmp_path: Path):
    def interrupt(done: int, total: int) -> None:
        if done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_petri(SMALL, tmp_path / "set", 1, interrupt)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_to_the_end(tmp_path: Path):
    told: list[tuple[int, int]] = []
    tiny = PetriSettings(train_per_class=1, val_per_class=1)
    write_petri(tiny, tmp_path / "deep" / "set", 1, lambda done, total: told.append((done, total)))
    assert told[-1] == (2 * len(CLASSES), 2 * len(CLASSES))
    assert all(two[0] > one[0] for one, two in pairwise(told))


def test_refuses_no_draws_and_folders_in_use(tmp_path: Path):
    with pytest.raises(ValueError, match="draws"):
        write_petri(SMALL, tmp_path / "set", 0)
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty"):
        write_petri(SMALL, tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def _in(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]
