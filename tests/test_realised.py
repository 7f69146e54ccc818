"""The realised crop area of a study's pictures."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from daclass.augment import random_resized_crop_boxes
from daclass.augment.variates import epoch_key, image_keys
from daclass.cli import main
from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.realised import PICTURES_AT_MOST, realised_areas, sample, view_lines
from daclass.tables import SCHEMAS
from tests.conftest import ROOT, save_pictures
from tests.planting import run


def test_areas_against_the_mean_that_is_asked_for():
    table = realised_areas([(32, 32)] * 3 + [(300, 500)], [0.99, 0.08], 24)
    assert set(table.columns) == set(SCHEMAS["realised_area"])
    rows = table.set_index(["strength", "height"])
    # At .08 nearly every draw fits: the mean of a uniform share. At .99 hardly any does, and the
    # largest box with a permitted ratio is taken: 400 of the 500 columns, 80% of the area.
    assert rows.loc[(0.08, 32), "mean_area"] == pytest.approx(0.54, abs=0.05)
    assert rows.loc[(0.99, 300), "mean_area"] == pytest.approx(0.8, abs=0.01)
    assert rows.loc[(0.99, 300), "fallback_share"] > 0.95
    assert rows.loc[(0.08, 32), "fallback_share"] < 0.05
    assert list(table["images"]) == [3, 1, 3, 1]


def test_the_sample_is_capped_and_does_not_depend_on_order():
    names = [f"train/{i}.png" for i in range(500)]
    chosen = sample(names)
    assert len(chosen) == PICTURES_AT_MOST
    assert sample(np.random.default_rng(0).permutation(names).tolist()) == chosen


def test_sharpness_is_that_of_the_boxes():
    table = realised_areas([(32, 32)], [0.25, 0.75], 24).set_index("strength")
    for strength in (0.25, 0.75):
        keys = image_keys(epoch_key(1, 2, 3), np.arange(20_000))  # other crops than the table's
        boxes = random_resized_crop_boxes(keys, 32, 32, strength)
        enlarged = (boxes[:, 2] * boxes[:, 3] < 24 * 24).mean()
        exact = ((boxes[:, 2] == 24) & (boxes[:, 3] == 24)).mean()
        assert table.loc[strength, "enlarged_share"] == pytest.approx(enlarged, abs=0.03)
        assert table.loc[strength, "exact_share"] == pytest.approx(exact, abs=0.01)
    # A box of 56% of the area has 24 x 24 px: at .75 none is smaller, at .25 two of five are.
    assert table.loc[0.75, "enlarged_share"] == 0
    assert table.loc[0.25, "enlarged_share"] == pytest.approx(0.49, abs=0.03)


def study_of(root, **training) -> Study:
    settings = {"resolution": 24, "val_resolution": 24, "loader": "torchvision"} | training
    return Study.model_validate(
        {
            "name": "s",
            "data": {"source": "folder", "root": str(root)},
            "training": settings,
            "sweep": {"strengths": [0.25, 0.99], "seeds": [0, 1]},
        }
    )


def folder_of(root, side: int):
    """Two classes of square pictures, ten each in both splits."""
    for split in ("train", "val"):
        for file in save_pictures(root, {f"{split}/a": 10, f"{split}/b": 10}, seed=len(split)):
            Image.open(file).resize((side, side)).save(file)
    return root


@pytest.mark.parametrize(("side", "crop"), [(24, 0.875), (24, 1.0), (28, 0.875)])
def test_pictures_of_the_resolutions_own_size_are_refused(tmp_path, side, crop):
    root, layout = folder_of(tmp_path / "set", side), Layout("s", tmp_path, tmp_path)
    with pytest.raises(InputError, match="100% of the validation pictures would be judged pixel"):
        run(study_of(root, val_crop=crop), layout, "index")
    assert not layout.table("index").exists()
    run(study_of(root, val_crop=crop, exact_view=True), layout, "index")


def test_few_pictures_of_that_size_and_others_are_no_matter(tmp_path):
    root = folder_of(tmp_path / "set", 40)
    run(study_of(root), Layout("s", tmp_path, tmp_path), "index")


def test_a_source_of_known_size_is_refused_before_it_is_opened(capsys):
    config = str(ROOT / "configs" / "cifar10h.yaml")
    assert main(["check", config, "--set", "training.val_resolution=32"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "training.val_resolution: pictures of 32 px would be judged pixel by pixel" in error
    assert main(["check", config]) == 0
    assert "at least 0.25 of the area: 49% are enlarged to 24 px" in capsys.readouterr().out


def test_lines_weigh_sizes_by_their_pictures(tmp_path):
    lines = list(view_lines(study_of(tmp_path), [(24, 24)] * 3 + [(200, 200)]))
    assert [line.split(":")[0] for line in lines] == [
        "crops of at least 0.25 of the area",
        "crops of at least 0.99 of the area",
        "validation pictures, central 0.875 of the side",
    ]
    # Nearly all crops of 24 px pictures have fewer pixels, none of the large ones.
    assert "74% are enlarged" in lines[0] or "75% are enlarged" in lines[0]
    assert "75% are enlarged to 24 px, 0% are shown" in lines[2]
