"""Networks trained elsewhere: read from a table, predicted over one decode, refused where bad."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from daclass.errors import InputError
from daclass.predictions import validate_predictions
from daclass.training import predict as room
from daclass.training.elsewhere import read_networks
from daclass.training.models import build_model
from tests.training.conftest import NAMES, predict, predict_networks, runs_in, study_of, train

MODULE = """
import torch
from torch import nn

class Redness(nn.Module):
    def forward(self, x):
        red = x[:, 0].mean((1, 2))
        return torch.stack([-red, red], 1)

def network():
    return Redness()

def three_classes():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 3))

def nothing():
    return None
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine_for_the_test.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table_of(folder, *rows, columns="policy,strength,seed,model,weights"):
    (folder / "networks.csv").write_text("\n".join([columns, *rows]) + "\n")
    return folder / "networks.csv"


def test_every_kind_of_network_is_predicted_over_one_decode(monkeypatch, folder, smooth_samples):
    study = study_of("torchvision")
    (run,) = runs_in(folder, "weak")
    train(study, [run], smooth_samples, NAMES)
    torch.manual_seed(3)
    timm_model = build_model(study_of(model="test_resnet").training, 2)
    vision = build_model(study_of(model="torchvision/shufflenet_v2_x0_5").training, 2)
    save_file(
        {k: v.contiguous() for k, v in timm_model.state_dict().items()}, folder / "a.safetensors"
    )
    # As somebody's script saves it: wrapped, and with the prefix of data parallel training.
    prefixed = {f"module.{key}": value for key, value in vision.state_dict().items()}
    torch.save({"state_dict": prefixed, "epoch": 3}, folder / "b.pth")
    path = table_of(
        folder,
        "strong,0.08,0,test_resnet,a.safetensors",
        "strong,0.08,1,torchvision/shufflenet_v2_x0_5,b.pth",
        "mine,,0,mine_for_the_test:network,",
        f",,,,{run.weights.relative_to(folder)}",
    )
    passes, real = [], room.val_loader
    monkeypatch.setattr(room, "val_loader", lambda *a, **k: passes.append(1) or real(*a, **k))
    ids = [f"p{n}" for n in range(len(smooth_samples.labels))]
    networks = read_networks(path, study.training, 2)
    table = predict_networks(study, networks, smooth_samples, ids, 2)
    assert len(passes) == 1
    validate_predictions(table, pd.DataFrame({"image_id": ids, "half": "select"}), 2)
    found = dict(list(table.groupby("run", sort=False)))
    assert list(found) == ["strong-seed0", "strong-seed1", "mine-seed0", "weak-seed0"]
    mine = found["mine-seed0"]
    assert (mine["prediction"].to_numpy() == smooth_samples.labels).mean() > 0.9
    assert mine["strength"].isna().all() and found["weak-seed0"]["strength"].eq(0.9).all()
    own = predict(study, [run], smooth_samples, ids, 2, "p")
    for column in ("prediction", "probability"):
        np.testing.assert_array_equal(found["weak-seed0"][column], own[column])
    for network, model in ((networks[0], timm_model), (networks[1], vision)):
        for key, value in network.build().state_dict().items():
            torch.testing.assert_close(value, model.state_dict()[key], rtol=0, atol=0)


class Trap:
    def __reduce__(self):
        return (print, ("code in a checkpoint was run",))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,,0,resnet1800,other.safetensors", "row 2: training.model: resnet1800"),
        ("a,,0,test_resnet,", "row 2: the column weights is needed"),
        ("a,,0,test_resnet,gone.pth", "row 2: .*gone.pth: no such file"),
        ("a,,0,test_resnet,cut.safetensors", "cut.safetensors: cannot be used"),
        ("a,,0,test_resnet,trap.pth", "trap.pth: cannot be used"),
        ("a,,0,test_resnet,other.safetensors", "other.safetensors: cannot be used .*Missing key"),
        ("a,,0,,other.safetensors", "the column model is needed"),
        ("a,,0,no_such_module:network,", "no_such_module:network: No module"),
        ("a,,0,mine_for_the_test:nothing,", "gives a NoneType"),
        ("a,,0,mine_for_the_test:three_classes,", r"gives \(3,\) logits .* 2 classes"),
        ("a,,,test_resnet,", "row 2: policy and seed are needed"),
        ("a,strong,0,test_resnet,other.safetensors", "row 2: could not convert"),
        (
            "a,,0,mine_for_the_test:network,\na,,0,mine_for_the_test:network,",
            "row 3: .* comes twice",
        ),
    ],
)
def test_bad_networks_are_named(capsys, folder, smooth_samples, row, message):
    (folder / "cut.safetensors").write_bytes(b"\x10\x00\x00")
    save_file({"x": torch.zeros(1)}, folder / "other.safetensors")
    torch.save({"model": Trap()}, folder / "trap.pth")
    path, study = table_of(folder, row), study_of("torchvision")
    ids = [f"p{n}" for n in range(len(smooth_samples.labels))]
    with pytest.raises(InputError, match=message):
        predict_networks(study, read_networks(path, study.training, 2), smooth_samples, ids, 2)
    assert "code in a checkpoint" not in capsys.readouterr().out


def test_bad_tables_are_named(folder):
    for columns, rows, message in [
        ("policy,sed", ["a,1"], "unknown column sed"),
        ("policy,seed", [], "no rows"),
    ]:
        with pytest.raises(InputError, match=message):
            read_networks(table_of(folder, *rows, columns=columns), study_of().training, 2)
    with pytest.raises(InputError, match="not a readable CSV"):
        read_networks(folder / "gone.csv", study_of().training, 2)
