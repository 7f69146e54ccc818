from __future__ import annotations

import errno
import json
import re
import resource
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.torch import save_file

from daclass import __version__
from daclass.cli import main
from daclass.command_help import GROUPS, SINGLY
from daclass.commands import make_parser
from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.stages import STAGES
from daclass.training.models import build_model
from tests.conftest import ROOT, save_pictures

TINY = str(ROOT / "tests" / "tiny.yaml")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def folder_study(tmp_path, **data):
    counts = {f"{split}/{name}": 4 for split in ("train", "val") for name in ("cat", "dog")}
    save_pictures(tmp_path / "set", counts)
    content = {
        "name": "own",
        "data": {"source": "folder", "root": str(tmp_path / "set"), **data},
        "training": {"resolution": 16, "val_resolution": 16},  # all pictures are larger
        "sweep": {"strengths": [0.08, 0.9], "seeds": [0]},
    }
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "own.yaml"


def test_version_is_the_packages(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.strip() == __version__


def test_all_after_the_dashes_is_snakemakes(monkeypatch):
    """Also after an option, where argparse says that it knows no such argument."""
    given = []

    def run_study(*_, arguments, **__):
        given.append(arguments)
        raise InputError("seen")

    monkeypatch.setattr("daclass.workflow.run_study", run_study)
    assert main(["study", TINY, "--cores=1", "--", "--dry-run", "--", "report"]) == 2
    assert main(["study", TINY]) == 2
    assert given == [["--dry-run", "--", "report"], []]


@pytest.mark.parametrize("arguments", [["schema"], ["--print-completion", "bash"]])
def test_a_reader_that_has_enough_is_no_fault(arguments):
    """As with `| head`: no word, no traceback, the status of a closed pipe."""
    command = f"{shlex.join([sys.executable, '-m', 'daclass', *arguments])} | true; "
    done = subprocess.run(
        ["bash", "-c", command + "exit ${PIPESTATUS[0]}"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stderr == "" and done.returncode == 141


def test_check_says_that_a_study_is_fine(capsys):
    assert main(["check", TINY]) == 0
    assert "tiny, fine" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("training.model=resnett18", "training.model: resnett18 is neither small_resnet nor in"),
        ("training.model=torchvision/none", "torchvision has no classifier none"),
        ("data={source: folder, root: nowhere}", "data.root: nowhere: no such folder"),
        ("data={source: cifar10h, root: nowhere}", "data.root: nowhere: no such folder"),
        ("data={source: folder, root: .}", "data.root: . has no folder train"),
        ("data={source: folder, root: ., train: ., val_share: 0.2, classes: a.csv}", "a.csv: no"),
    ],
)
def test_check_refuses_what_training_would(capsys, change, message):
    assert main(["check", TINY, "--set", change]) == 2
    assert message in capsys.readouterr().err


def test_check_looks_at_a_folders_training_pictures(tmp_path, capsys):
    """A class of 3 beside 60, a batch of more pictures than there are, weights of other classes."""
    save_pictures(tmp_path / "set", {"train/rare": 3, "train/common": 60, "val/common": 2})
    save_pictures(tmp_path / "set", {"val/rare": 2}, seed=1)
    content = yaml.safe_load(folder_study(tmp_path).read_text())
    for name in ("cat", "dog"):
        shutil.rmtree(tmp_path / "set" / "train" / name)
        shutil.rmtree(tmp_path / "set" / "val" / name)
    content["training"]["batch_size"] = 8
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(content))
    warning = "! data: class rare has 3 training pictures and class common has 60"
    assert main(["check", "own.yaml"]) == 0
    assert warning in capsys.readouterr().out
    for change in ("class_weights=balanced", "sampler=balanced"):
        assert main(["check", "own.yaml", "--set", f"training.{change}"]) == 0
        assert warning not in capsys.readouterr().out
    assert main(["check", "own.yaml", "--set", "training.batch_size=64"]) == 2
    assert "training.batch_size: 64 is more than the 63 training" in capsys.readouterr().err
    Path("w.csv").write_text("class,weight\nrare,2\nodd,1\n")
    assert main(["check", "own.yaml", "--set", "training.class_weights=w.csv"]) == 2
    assert "w.csv: row 2: 'odd' is no class of the training" in capsys.readouterr().err


def test_check_warns_of_what_is_missing_here_alone(capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(["check", TINY, "--set", "machine.device=cuda"]) == 0
    said = capsys.readouterr().out
    assert "! machine.device: cuda: no usable GPUs here" in said and "tiny, fine" in said


def test_plan_says_that_a_gpus_hours_are_not_this_machines(capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    changes = ["--set", "training.model=resnet18", "--sizes", "100", "100", "10"]
    assert main(["plan", TINY, *changes]) == 0
    assert "hours here: unknown, since there is no GPU; --measure" in capsys.readouterr().out


def test_help_lists_commands_by_what_one_has_and_stages_last(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    places = [said.index(title) for title in (*GROUPS, SINGLY)]
    assert places == sorted(places)
    (commands,) = (each.choices for each in make_parser()._actions if each.dest == "command")
    assert {name for names in GROUPS.values() for name in names} <= set(commands)
    assert {"a folder of pictures", "predictions", "a policy"} <= {
        title.removeprefix("with ").removesuffix(" of trained models") for title in GROUPS
    }
    assert all(re.search(rf"^    {name}\b", said, re.M) for name in commands)


def test_a_policy_is_told_and_held_against_pictures(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text("axis: rrc_scale\ndefault: 0.08\nclasses: {tench: 0.5}\n")
    for name in ("shark", "tench"):
        Path("train", name).mkdir(parents=True)
    assert main(["policy", "p.yaml", "--pictures", "train", "--size", "64x64"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("p.yaml: fine\n") and "  0.5      tench\n" in said
    assert "of a picture of 64 x 64 px" in said
    assert said.endswith("train: 2 classes, the policy's among them\n")
    Path("train/tench").rmdir()
    assert main(["policy", "p.yaml", "--pictures", "train"]) == 2
    assert (
        "daclass: p.yaml, train: the policy names classes that the data set lacks: ['tench']"
        in (capsys.readouterr().err)
    )
    Path("p.yaml").write_text("axis: rrc_scale\n")
    assert main(["policy", "p.yaml"]) == 2
    assert "p.yaml: not a policy: " in capsys.readouterr().err


def test_a_shell_completes_commands(capsys):
    pytest.importorskip("shtab")
    with pytest.raises(SystemExit) as stopped:
        main(["--print-completion", "bash"])
    assert stopped.value.code == 0
    script = capsys.readouterr().out
    checked = subprocess.run(["bash", "-n"], input=script, text=True, check=False)
    assert checked.returncode == 0 and "unpack-imagenet" in script


def test_schema_is_json(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Study"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "gone.yaml"], "gone.yaml: cannot read"),
        (["check", TINY, "--set", "training.epoch=2"], "training.epoch: unknown setting"),
        (["index", TINY], "no such file"),
        (["measure", TINY], "no such file"),
        (["policies", TINY, "--phase", "fine_tuning"], "has no job policies fine_tuning"),
        (["train", TINY, "--phase", "fine_tuning", "--seed", "2"], "this study has no job"),
        (["predict", TINY, "--phase", "fine_tuning"], "this study has no job"),
        (
            ["predict", TINY, "--phase", "interventions", "--set", "interventions=null"],
            "has no job",
        ),
        (["report", TINY], "no such file"),
        (["headline", TINY], "no such file"),
        (["beton", TINY, "--split", "train", "--draw", "9"], "has no job beton train-9"),
        (["pictures", TINY, "--results", TINY], "Not a directory"),
        (["init", str(ROOT), "-o", str(ROOT / "configs"), "--force"], "configs: is a folder"),
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, tmp_path, arguments, message):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("daclass: ") and error.count("\n") == 1
    assert not list(tmp_path.rglob("*.parquet"))


@pytest.fixture
def foreign(tmp_path):
    """A study of predictions, its files read."""
    (tmp_path / "labels.csv").write_text("image,label\na.png,0\nb.png,1\n")
    (tmp_path / "p.csv").write_text(
        "image,prediction,model,condition\na.png,0,m,old\nb.png,0,m,old\na.png,0,n,new\nb.png,1,n,new\n"
    )
    content = {
        "name": "foreign",
        "data": {"source": "predictions", "files": ["p.csv"], "labels": "labels.csv"},
        "comparison": {"conditions": ["new", "old"]},
    }
    (tmp_path / "foreign.yaml").write_text(yaml.safe_dump(content))
    assert main(["predictions", "foreign.yaml"]) == 0
    return tmp_path / "results" / "foreign"


@pytest.mark.parametrize(
    "arguments",
    [
        ["pictures"],
        ["index"],
        ["policies"],
        ["beton", "--split", "val"],
        ["train", "--seed", "0"],
        ["predict"],
    ],
)
def test_a_study_of_predictions_trains_nothing(capsys, foreign, arguments):
    before = {path: path.read_bytes() for path in foreign.rglob("*.parquet")}
    assert main([arguments[0], "foreign.yaml", *arguments[1:]]) == 2
    error = capsys.readouterr().err
    assert f"this study has no job {arguments[0]}" in error and error.count("\n") == 1
    assert {path: path.read_bytes() for path in foreign.rglob("*.parquet")} == before


def test_a_study_that_trains_makes_its_own_predictions(capsys, tmp_path):
    assert main(["predictions", TINY]) == 2
    assert "this study has no job predictions" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_an_unreadable_picture_stops_the_beton(capsys, tmp_path, ffcv):
    config = folder_study(tmp_path)
    (tmp_path / "set/train/cat/001.png").write_text("no picture")
    assert main(["index", str(config)]) == 0
    assert main(["beton", str(config), "--split", "train", "--draw", "0"]) == 2
    assert "set/train/cat/001.png: not a readable picture" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.beton*"))


def test_an_annotation_for_an_unknown_picture_is_named(capsys, tmp_path):
    (tmp_path / "a.csv").write_text("image,label\nval/cat/777.png,cat\n")
    config = folder_study(tmp_path, annotations=str(tmp_path / "a.csv"))
    assert main(["index", str(config)]) == 0
    assert main(["annotations", str(config)]) == 2
    assert "a.csv: line 2, row 1: val/cat/777.png: no such picture" in capsys.readouterr().err
    assert not list((tmp_path / "results").rglob("annotations*"))


@pytest.mark.parametrize("limit", [0, 300])
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(capsys, tmp_path, limit):
    config = folder_study(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        assert main(["index", str(config)]) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    error = capsys.readouterr().err
    assert error == "daclass: results/own/data/index.parquet: File too large\n"
    assert not [path for path in (tmp_path / "results").rglob("*") if path.is_file()]


def test_a_defect_is_no_one_liner(monkeypatch):
    """A missing file that nobody looked for first is a fault of daclass; its traceback helps."""

    def defect(*_, **__):
        raise FileNotFoundError(errno.ENOENT, "No such file", "surprise")

    monkeypatch.setitem(STAGES, "pictures", replace(STAGES["pictures"], run=defect))
    with pytest.raises(FileNotFoundError):
        main(["pictures", TINY])


@pytest.fixture
def named(tmp_path, monkeypatch) -> Path:
    """A folder with a study of pictures that names all files that such a study can name."""
    monkeypatch.chdir(tmp_path)
    counts = {f"{split}/{name}": 8 for split in ("train", "val") for name in ("ant", "bee", "cat")}
    save_pictures(tmp_path / "pictures", counts)
    Path("tree.csv").write_text("name,path\nant,insect/ant\nbee,insect/bee\ncat,mammal/cat\n")
    Path("sets.csv").write_text("image,label\nval/ant/000.png,ant\nval/ant/000.png,bee\n")
    Path("vectors.csv").write_text("name,x,y\nant,1,2\nbee,2,1\ncat,0,1\n")
    np.savez("vectors.npz", names=np.array(["ant", "bee", "cat"]), vectors=np.eye(3))
    Path("weights.csv").write_text("class,weight\nant,1\nbee,1\ncat,2\n")
    content = yaml.safe_load(Path(TINY).read_text())
    content["data"] = {"source": "folder", "root": "pictures"}
    content["training"] |= {"batch_size": 8, "exact_view": True}
    Path("study.yaml").write_text(yaml.safe_dump(content))
    model = build_model(Study.load(Path("study.yaml")).training, 3)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, "start.safetensors")
    return tmp_path


@pytest.mark.parametrize("command", ["check", "plan"])
@pytest.mark.parametrize(
    ("setting", "file"),
    [
        ("data.classes", "tree.csv"),
        ("data.annotations", "sets.csv"),
        ("analysis.categories.embeddings", "vectors.csv"),
        ("analysis.categories.embeddings", "vectors.npz"),
        ("training.class_weights", "weights.csv"),
        ("training.init", "start.safetensors"),
    ],
)
def test_a_damaged_file_that_a_study_names_is_told_in_one_line(
    named, capsys, command, setting, file
):
    ask = [command, "study.yaml", f"--set={setting}={file}"]
    assert main(ask) == 0
    content = Path(file).read_bytes()
    half = content[: len(content) // 2]
    for damaged in (b"", b"\0" * 200, b"name,path\n\xff,x\n", b"hello", half):
        Path(file).write_bytes(damaged)
        capsys.readouterr()
        assert main(ask) == 2, damaged
        said = capsys.readouterr().err.strip().splitlines()[-1]
        assert said.startswith("daclass: ") and file in said


@pytest.mark.parametrize("damaged", [b"", b"[1, 2]\n", b"\xff", b"axis: rrc_scale\n", b"a: ["])
def test_plan_names_a_damaged_policy(tmp_path, capsys, damaged):
    study, layout = Study.load(Path(TINY)), Layout("tiny", tmp_path)
    for name in study.policy_names("interventions"):
        file = layout.policy("interventions", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(damaged)
    assert main(["plan", TINY, f"--results={tmp_path}"]) == 2
    said = capsys.readouterr().err.strip()
    assert said.count("\n") == 0 and "policies/interventions/" in said and "policy" in said
