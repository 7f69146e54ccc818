"""The scripts of docs/augment.md run as they stand there, on real photographs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.docs.pages import blocks, run

SCRIPTS = dict(zip(("torchvision", "ffcv", "batch"), blocks("augment.md", "python"), strict=True))


@pytest.fixture
def folder(tmp_path, photographs):
    """train/shark and train/tench with 8 photographs each, and the page's policy."""
    for number, picture in enumerate(photographs[:16]):
        file = tmp_path / "train" / ("shark", "tench")[number % 2] / f"{number:02d}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        picture.save(file)
    (tmp_path / "policy.yaml").write_text("axis: rrc_scale\ndefault: 0.08\nclasses: {tench: 0.5}\n")
    return tmp_path


def test_the_pages_policy_is_one(tmp_path):
    from daclass.augment import Policy

    (text,) = blocks("augment.md", "yaml")
    (tmp_path / "p.yaml").write_text(text)
    policy, names = Policy.load(tmp_path / "p.yaml"), ["tench", "shark", "ray"]
    assert policy.strengths(names).tolist() == [0.5, 0.75, 0.08]
    assert policy.weights(names).tolist() == [1.5, 0.75, 0.75]


@pytest.mark.parametrize("name", ["torchvision", "ffcv"])
def test_scripts_have_ten_lines_besides_imports(name):
    lines = [line for line in SCRIPTS[name].splitlines() if line.strip()]
    assert len([line for line in lines if not line.startswith(("import", "from"))]) <= 10


def test_the_torchvision_script(folder):
    lines = run(SCRIPTS["torchvision"], folder)
    assert len(lines) == 4 and "[8, 3, 176, 176]" in lines[0]


def test_the_ffcv_script(folder, ffcv):
    from daclass.config import Beton
    from daclass.data.beton import write_beton

    files = sorted(folder.glob("train/*/*.jpg"))
    labels = np.array([file.parent.name == "shark" for file in files], int)
    write_beton(files, labels, Beton(write_mode="jpg"), folder / "train.beton")
    lines = run(SCRIPTS["ffcv"], folder)
    assert len(lines) == 4 and "[8, 2, 176, 176, 3]" in lines[0]


def test_the_batch_script():
    names = {}
    exec(SCRIPTS["batch"], names)
    assert names["targets"][0].tolist() == [1, 0] and names["loss"] > 0


def test_the_pages_table_of_areas_is_what_the_command_prints(capsys):
    from daclass.augment.__main__ import main

    (shown,) = blocks("augment.md", "console")
    command, _, printed = shown.removeprefix("$ python -m daclass.augment ").partition("\n")
    assert main(command.split()) == 0
    assert capsys.readouterr().out == printed
