from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from daclass.augment.boxes import random_resized_crop_boxes
from daclass.augment.dataset import PolicyCropDataset
from daclass.augment.variates import epoch_key, flips, image_keys
from tests.conftest import save_pictures


@pytest.fixture
def files(tmp_path):
    return save_pictures(tmp_path, {"a": 6, "b": 6})


def dataset(files, *strengths, **settings):
    table = np.repeat(np.array(strengths)[:, None], len(files), axis=1)
    labels = np.repeat([0, 1], len(files) // 2)
    return PolicyCropDataset(files, labels, 16, table, run_seed=7, **settings)


def test_crops_are_cut_at_the_boxes(files):
    """Against PIL's own crop and an independent resize; the box is what is tested."""
    found = dataset(files, 0.5, flip=0.0)
    found.set_epoch(4)
    keys = image_keys(epoch_key(0, 7, 4), np.arange(len(files)))
    for position, file in enumerate(files):
        picture = Image.open(file)
        ((top, left, h, w),) = random_resized_crop_boxes(
            keys[position : position + 1], picture.height, picture.width, 0.5
        )
        expected = np.asarray(
            picture.crop((left, top, left + w, top + h)).resize((16, 16), Image.BILINEAR), int
        )
        crops, label, where = found[position]
        assert where == position and label == position // 6
        assert np.abs(crops[0].permute(1, 2, 0).numpy().astype(int) - expected).max() <= 2


def test_flips_mirror_all_crops_of_a_picture(files):
    plain, mirrored = dataset(files, 0.1, 0.9, flip=0.0), dataset(files, 0.1, 0.9, flip=1.0)
    assert flips(image_keys(epoch_key(0, 7, 0), np.arange(12)), 1.0).all()
    for position in range(len(files)):
        torch.testing.assert_close(plain[position][0].flip(-1), mirrored[position][0])


def test_workers_change_nothing(files):
    alone, shared = (
        torch.cat(
            [b[0] for b in torch.utils.data.DataLoader(dataset(files, 0.2), 5, num_workers=n)]
        )
        for n in (0, 2)
    )
    torch.testing.assert_close(alone, shared, rtol=0, atol=0)


def test_greyscale_and_palette_become_rgb(tmp_path):
    for number, mode in enumerate(("L", "P", "RGBA", "CMYK")):
        Image.new("RGB", (30, 20), (200, 30, 30)).convert(mode).save(tmp_path / f"{number}.tif")
    found = dataset(sorted(tmp_path.glob("*.tif")), 0.5)
    assert all(found[n][0].shape == (1, 3, 16, 16) for n in range(4))


def test_lengths_must_agree(files):
    with pytest.raises(ValueError, match="lengths must agree"):
        PolicyCropDataset(files, np.zeros(3), 16, np.full((1, 12), 0.5), run_seed=0)
