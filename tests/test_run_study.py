"""A study as a whole: what `make study` and `daclass study` hand on, and what they say last."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from daclass.cli import main
from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.workflow import _reason, home, run_study, with_loader_that_is_there
from tests.conftest import ROOT, save_pictures

# What ends up as data: quotes, blanks, make's and the shell's own signs, a line break, a letter.
TEXTS = [
    "it's", 'the "best"', "$HOME", "$(shell touch made)", "`touch made`", "$(touch made)", "a #b",
    "a: b", "{x}", "a;touch made", "a\\b", "*", "é", "two  blanks", "line\nbreak", "50% off", "-x",
]  # fmt: skip


def recorded(tmp_path: Path, *arguments: str, **environment: str) -> list[str]:
    """The arguments that the Makefile's recipe gives to Python."""
    recorder = tmp_path / "recorder"
    recorder.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        f"open({str(tmp_path / 'said')!r}, 'w').write(json.dumps(sys.argv[1:]))\n"
    )
    recorder.chmod(0o755)
    (tmp_path / "ready").touch()  # newer than what the set-up depends on: nothing is set up here
    made = subprocess.run(
        ["make", f"PYTHON={recorder}", f"READY={tmp_path / 'ready'}", *arguments],
        cwd=ROOT,
        env={**{k: v for k, v in os.environ.items() if "MAKE" not in k}, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return json.loads((tmp_path / "said").read_text())


@pytest.mark.parametrize("text", TEXTS)
def test_make_hands_on_what_it_was_given(tmp_path, text):
    said = recorded(tmp_path, "study", f"CONFIG=folder {text}/a.yaml", f"SET=title={text}")
    assert said == ["-m", "daclass", "study", f"folder {text}/a.yaml", f"--words=title={text}"]
    said = recorded(tmp_path, "study", CONFIG=text, SET=text)
    assert said == ["-m", "daclass", "study", text, f"--words={text}"]
    assert not (ROOT / "made").exists()


def test_make_demo_and_cores(tmp_path):
    said = recorded(tmp_path, "demo", "SET=a=1 b=2", "CORES=3")
    assert said[2:] == ["study", "configs/demo.yaml", "--words=a=1 b=2", "--cores=3"]


@pytest.fixture
def broken(tmp_path, monkeypatch) -> Path:
    """A study in a folder with odd signs in its name, whose training pictures lack a class."""
    folder = tmp_path / 'it\'s a "$x" #1'
    folder.mkdir()
    save_pictures(folder / "set", {"train/cat": 2, "val/cat": 2, "val/dog": 2})
    content = {
        "name": "broken",
        "data": {"source": "folder", "root": str(folder / "set")},
        "sweep": {"strengths": [0.08, 0.9], "seeds": [0]},
        "training": {"loader": "torchvision"},
    }
    (folder / "my study.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return folder


def test_the_reason_of_a_failure_comes_last(broken, capfd):
    pytest.importorskip("snakemake")
    arguments = ["study", "my study.yaml", "--cores=1", "--words=title='a \"b\" $c {d}' seed=3"]
    assert main(arguments) == 2
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith("daclass: my study.yaml: stage index failed: ")
    assert "class dog has no training pictures" in last
    assert last.endswith("(log: results/broken/logs/index.log)")
    asked = json.loads((broken / "results/broken/asked.json").read_text())
    assert asked["set"] == ['title=a "b" $c {d}', "seed=3"]


def test_a_second_study_says_who_is_running(broken, capsys):
    pytest.importorskip("snakemake")
    Path("results").mkdir()
    with Path("results/.lock").open("w") as file:
        file.write("process group of 123, other.yaml")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        assert main(["study", "my study.yaml"]) == 2
    said = capsys.readouterr().err
    assert "another study is running here (process group of 123, other.yaml)" in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_ends_a_study_ends_its_jobs(broken, tmp_path, number):
    """As `make` does when it is ended: Snakemake and all below get what Ctrl-C would send."""
    fake = tmp_path / "fake" / "snakemake"
    fake.mkdir(parents=True)
    (fake / "__init__.py").touch()
    (fake / "__main__.py").write_text(
        "import pathlib, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "try:\n    pathlib.Path('ready').touch()\n    child.wait()\n"
        "except KeyboardInterrupt:\n    pathlib.Path('ended').write_text(str(child.wait()))\n"
        "    sys.exit(1)\n"
    )
    path = os.pathsep.join([str(fake.parent), str(ROOT)])
    running = subprocess.Popen(
        [sys.executable, "-m", "daclass", "study", "my study.yaml"],
        env={**os.environ, "PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
        # As shells start background jobs.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    while running.poll() is None and not Path("ready").exists():
        time.sleep(0.05)
    os.kill(running.pid, number)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 2
    assert said.splitlines()[-1] == (
        "daclass: my study.yaml: interrupted; the same command goes on from here"
    )
    assert Path("ended").exists(), "its child sleeps for ten minutes unless it is ended"


def test_a_line_break_in_a_name_breaks_no_line(tmp_path, capsys):
    assert main(["check", str(tmp_path / "two\nlines.yaml")]) == 2
    said = capsys.readouterr().err
    assert "two\\nlines.yaml: cannot read" in said and said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--words=title=a'b"], "No closing quotation"),
        (["--words=seed=x"], "seed: "),
        (["--set=trainig.epochs=2"], "trainig: unknown setting"),
        (["--profile=nowhere"], "--profile nowhere: no such folder, nor one of default, local"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_does(broken, capsys, arguments, message):
    pytest.importorskip("snakemake")
    try:
        status = main(["study", "my study.yaml", *arguments])
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2 and message in capsys.readouterr().err
    assert not list(Path().glob("results/*/*")) and not Path(".snakemake").exists()


def test_the_loader_is_one_that_is_there(broken, monkeypatch):
    study = Study.load(Path("my study.yaml"), ["training.loader=ffcv"])
    monkeypatch.setattr("daclass.workflow.find_spec", lambda name: None)
    assert with_loader_that_is_there(study, ["a=b"]) == ["a=b", "training.loader=torchvision"]
    monkeypatch.setattr("daclass.workflow.find_spec", lambda name: name)
    assert with_loader_that_is_there(study, ["a=b"]) == ["a=b"]


def test_the_workflow_is_found():
    assert (home() / "workflow" / "rules" / "common.smk").is_file()


def test_a_snakemake_that_is_killed_is_told_by_its_signal(tmp_path, monkeypatch):
    """As the kernel kills it where memory is short: its log says nothing of that."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("daclass.workflow._supervised", lambda *_: (-9, False))
    config = ROOT / "tests" / "tiny.yaml"
    with pytest.raises(InputError, match=r"tiny\.yaml: Snakemake was ended by SIGKILL"):
        run_study(Study.load(config), Layout("tiny"), config, [])


def test_the_reason_is_found_above_what_torchrun_says(tmp_path, monkeypatch):
    """Which ends with sixty lines of its own about the process that failed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.log").write_text(
        "daclass: set/train/cat/001.png: not a readable picture (truncated)\n"
        "E1128 15:00:00 3 torch/distributed/elastic/multiprocessing/api.py:882] failed (exitcode: "
        "2) local_rank: 0 (pid: 3) of binary: python\n"
        "Traceback (most recent call last):\n"
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: \n" + 60 * "=" + "\n"
    )
    (tmp_path / "snakemake.log").write_text(
        "Error in rule train:\n    jobid: 3\n    log: train.log (check log file(s))\n    shell: x\n"
    )
    said = _reason([tmp_path / "snakemake.log"])
    assert said == (
        "stage train failed: set/train/cat/001.png: not a readable picture (truncated) (log: "
        "train.log)"
    )
