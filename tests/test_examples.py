"""Example pictures: which are chosen, and what is cut from them."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from daclass import examples
from daclass.augment.pictures import PictureError
from daclass.tables import read_table, write_table

TESTED, REFERENCE = "s=0.08", "s=1"
PICTURES = [f"val/{name}/{i}.png" for name in ("a", "b") for i in range(8)]
TRAINED = [f"train/{name}/{i}.png" for name in ("a", "b") for i in range(4)]


@pytest.fixture
def index():
    judged = pd.DataFrame({"image_id": PICTURES, "class_id": np.repeat([0, 1], 8)})
    trained = pd.DataFrame({"image_id": TRAINED, "class_id": np.repeat([0, 1], 4)})
    draws = [
        trained.assign(split="train", draw=draw, position=range(10 * draw, 10 * draw + 8))
        for draw in (0, 1)
    ]
    return pd.concat([judged.assign(split="val", draw=-1, position=range(16)), *draws])


def predictions(wrong_tested=(), wrong_reference=(), seeds=3):
    """All right, but for (picture, seed) pairs that say the other class."""
    rows = [
        (policy, seed, name, (place // 8) ^ ((place, seed) in wrong))
        for policy, wrong in ((TESTED, set(wrong_tested)), (REFERENCE, set(wrong_reference)))
        for seed in range(seeds)
        for place, name in enumerate(PICTURES)
    ]
    return pd.DataFrame(rows, columns=["policy", "seed", "image_id", "prediction"])


def test_lost_and_gained_pictures_are_the_clearest_ones(index):
    lost = [(2, 0), (2, 1), (2, 2), (5, 0), (5, 1), (6, 0), (7, 0)]
    frame = examples.choose_pictures(
        predictions(lost, [(1, 0), (1, 1)]), index, TESTED, REFERENCE
    ).query("class_id == 0")
    chosen = frame.groupby("chosen")["image_id"].apply(list)
    assert chosen["lost"][:2] == ["val/a/2.png", "val/a/5.png"] and len(chosen["lost"]) == 3
    assert chosen["gained"] == ["val/a/1.png"]
    assert len(chosen["typical"]) == examples.TYPICAL
    first = frame.iloc[0]
    assert (first["right_reference"], first["right_tested"], first["seeds"]) == (3, 0, 3)
    assert (first["prediction_reference"], first["prediction_tested"]) == (0, 1)


def test_the_choice_does_not_depend_on_the_order_of_rows(index):
    frame = predictions([(2, 0), (3, 1), (12, 2)])
    once = examples.choose_pictures(frame, index, TESTED, REFERENCE)
    shuffled = frame.sample(frac=1, random_state=0)
    again = examples.choose_pictures(shuffled, index.iloc[::-1], TESTED, REFERENCE)
    pd.testing.assert_frame_equal(once, again)


def test_affected_classes_come_first_then_swallowers_then_large_changes():
    effects = pd.DataFrame(
        {
            "class_id": range(5),
            "drop": [0.1, -0.5, 0.2, 0.0, 0.3],
            "affected": [True, False, True, False, False],
        }
    ).assign(half="all", truth="original", reference="fixed")
    categories = pd.DataFrame({"class_id": [0, 2], "swallower_id": [3, -1]})
    assert examples.choose_classes(effects, categories) == [2, 0, 3, 1, 4]


@pytest.fixture
def root(tmp_path):
    rng = np.random.default_rng(0)
    for place, name in enumerate([*PICTURES, *TRAINED]):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        size = (300, 200) if place % 2 else (20, 30)
        pixels = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    return tmp_path


ANNOTATIONS = pd.DataFrame({"image_id": PICTURES, "labels": [[0, 1]] * 15 + [[]]})
CUT = {"strengths": [0.08, 1.0], "study_seed": 0, "run_seed": 3}


def test_thumbnails_are_small_jpegs_and_the_table_can_be_written(index, root, tmp_path):
    chosen = examples.choose_pictures(predictions([(1, 0)]), index, TESTED, REFERENCE)
    table = examples.render(chosen, ANNOTATIONS, root.joinpath, [1, 0], **CUT)
    assert list(dict.fromkeys(table["class_id"])) == [1, 0]
    for row in table.itertuples():
        picture = Image.open(io.BytesIO(row.jpeg))
        assert picture.format == "JPEG" and picture.size == (row.width, row.height)
        assert max(picture.size) <= examples.SIDE
    write_table(table, "examples", tmp_path / "e.parquet")
    assert list(read_table("examples", tmp_path / "e.parquet")["labels"][0]) == [0, 1]


def test_boxes_are_the_training_crops(index, root):
    from daclass.augment.boxes import random_resized_crop_boxes
    from daclass.augment.variates import epoch_key, image_keys

    chosen = examples.choose_pictures(predictions([(1, 0)]), index, TESTED, REFERENCE, draw=1)
    table = examples.render(chosen, ANNOTATIONS, root.joinpath, [0], **CUT)
    trained = table[table["chosen"] == "training"]
    assert len(trained) == examples.TRAINING and (trained["seeds"] == 0).all()
    for row in trained.to_dict("records"):
        place = TRAINED.index(row["image_id"])
        width, height = (300, 200) if place % 2 else (20, 30)
        key = image_keys(epoch_key(0, 3, 0), np.array([10 + place]))  # its row in that draw
        top, left, h, w = random_resized_crop_boxes(key, height, width, 0.08)[0]
        expected = [left / width, top / height, w / width, h / height]
        assert row["boxes"][0] == pytest.approx(expected, abs=1e-4)


def test_nothing_is_drawn_on_judged_pictures(index, root):
    """They are judged whole: no crop was ever cut from them."""
    chosen = examples.choose_pictures(predictions([(1, 0)]), index, TESTED, REFERENCE)
    table = examples.render(chosen, ANNOTATIONS, root.joinpath, [0, 1], **CUT)
    judged = table[table["chosen"] != "training"]
    assert len(judged) and not judged["boxes"].map(len).any()


def test_the_artefact_is_capped_by_whole_classes(index, root, monkeypatch):
    chosen = examples.choose_pictures(predictions(), index, TESTED, REFERENCE)
    whole = examples.render(chosen, ANNOTATIONS, root.joinpath, [0, 1], **CUT)
    first = whole.loc[whole["class_id"] == 0, "jpeg"].map(len).sum()
    monkeypatch.setattr(examples, "BYTES_AT_MOST", first + 10)
    assert set(examples.render(chosen, ANNOTATIONS, root.joinpath, [0, 1], **CUT)["class_id"]) == {
        0
    }
    monkeypatch.setattr(examples, "BYTES_AT_MOST", 10)
    assert examples.render(chosen, ANNOTATIONS, root.joinpath, [0, 1], **CUT).empty


def test_a_broken_picture_is_named(index, root):
    chosen = examples.choose_pictures(predictions(), index, TESTED, REFERENCE)
    (root / chosen["image_id"][0]).write_bytes(b"no picture")
    with pytest.raises(PictureError, match=chosen["image_id"][0]):
        examples.render(chosen, ANNOTATIONS, root.joinpath, [0], **CUT)


@given(
    st.integers(1, 600), st.integers(1, 600), st.sampled_from([0.01, 0.08, 0.5, 1.0]),
    st.integers(0, 2**31),
)  # fmt: skip
def test_boxes_lie_in_the_picture(height, width, strength, position):
    from daclass.augment.variates import epoch_key, image_keys

    key = image_keys(epoch_key(0, 0, 0), np.array([position]))
    ((left, top, w, h),) = examples._boxes(key, (height, width), [strength])
    assert left >= 0 and top >= 0 and w >= 0 and h >= 0
    assert left + w <= 1 + 2e-4 and top + h <= 1 + 2e-4
