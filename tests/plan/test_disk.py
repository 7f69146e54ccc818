"""Bytes against what the writers of the files really write; tests/test_workflow.py does so for a
whole study."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors.torch import save_file

from daclass.config import Beton, Layout, Study
from daclass.plan.counts import Counts
from daclass.plan.disk import BLOCK, kept, network_bytes, prediction_bytes, stored_bytes
from daclass.tables import RUNNERS_UP, write_table
from daclass.training.models import build_model
from tests.plan.conftest import study_of


@pytest.mark.parametrize("model", ["small_resnet", "torchvision/resnet18"])
def test_weights_take_what_their_file_takes(tmp_path, model):
    study = study_of(training={"model": model})
    state = build_model(study.training, 1000).state_dict()
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, tmp_path / "w")
    written = (tmp_path / "w").stat().st_size
    assert network_bytes(study, 1000) == pytest.approx(written, rel=0.05)


def test_predictions_take_what_their_file_takes(tmp_path):
    counts, runs = Counts(0, 10_000, 1000, ""), 4
    rng = np.random.default_rng(0)
    tables = [
        pd.DataFrame(
            {
                "run": f"run{run}",
                "policy": f"rrc_scale={run}",
                "strength": 0.1 * run,
                "seed": run,
                "image_id": [
                    f"val/n{n % 1000:08d}/ILSVRC2012_val_{n:08d}.JPEG" for n in range(10_000)
                ],
                "view": 0.875,
                "shifted": False,
                "prediction": rng.integers(0, 1000, 10_000),
                **{rank: rng.integers(0, 1000, 10_000) for rank in RUNNERS_UP},
                "probability": rng.random(10_000),
            }
        )
        for run in range(runs)
    ]
    write_table(pd.concat(tables), "predictions", tmp_path / "p.parquet", "x")
    written = (tmp_path / "p.parquet").stat().st_size
    assert runs * counts.val * prediction_bytes(counts) == pytest.approx(written, rel=0.25)


@pytest.mark.parametrize(
    ("data", "files"),
    [
        ({"source": "fashionmnist", "train_per_class": 600}, 70_000),
        ({"source": "cifar10h", "root": "gone", "train_per_class": 600}, 60_000),
        ({"source": "tinyimagenet", "root": "gone", "classes": ["n01443537"]}, 550),
        ({"source": "folder", "root": "gone"}, 0),
    ],
)
def test_pictures_are_written_however_few_a_study_takes(tmp_path, data, files):
    content = study_of(training={"val_resolution": 20}).model_dump(mode="json")
    study = Study.model_validate({**content, "data": data})
    counts = Counts(6000, 10_000, 10, "")
    pictures = kept(study, Layout("s", tmp_path, tmp_path), counts, [])[0]
    assert (pictures.name, pictures.needed) == ("pictures", files * BLOCK)


def test_a_picture_takes_what_a_beton_stores_of_it(tmp_path):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(small).resize((300, 200)).save(tmp_path / "p.png")
    assert stored_bytes(tmp_path / "p.png", Beton()) == 300 * 200 * 3
    assert stored_bytes(tmp_path / "p.png", Beton(max_resolution=150)) == 150 * 100 * 3
    jpeg = stored_bytes(tmp_path / "p.png", Beton(write_mode="jpg"))
    poorer = stored_bytes(tmp_path / "p.png", Beton(write_mode="jpg", jpeg_quality=30))
    assert 1000 < poorer < jpeg < 300 * 200
