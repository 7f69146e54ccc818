"""What surrounds a study decides nothing: environment, clock, place, other users and processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from daclass.cli import main
from daclass.config import Layout, Study
from daclass.data.index import build_index
from daclass.data.sources import Source
from daclass.errors import InputError
from daclass.stages import jobs_of
from tests.conftest import ROOT
from tests.stages.failing import assert_equal_tables

NAMES = ("ärger", "=1+1", "cat")
PICTURES = [f"{name} {n}" for name in NAMES for n in range(8)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """A study of predictions, in the working directory."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    return tmp_path


def write(folder: Path, predictions: str = "p.csv") -> None:
    rng = np.random.default_rng(0)
    labels = [name.rsplit(" ", 1)[0] for name in PICTURES]
    pd.DataFrame({"image": PICTURES, "label": labels}).to_csv(folder / "labels.csv", index=False)
    rows = [
        (image, rng.choice(NAMES) if rng.random() < hurt else label, f"{condition}{n}", condition)
        for condition, hurt in (("new", 0.6), ("old", 0.2))
        for n in range(2)
        for image, label in zip(PICTURES, labels, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["image", "prediction", "model", "condition"])
    frame.to_csv(folder / predictions, index=False)
    content = {
        "name": "small",
        "data": {"source": "predictions", "files": [predictions], "labels": "labels.csv"},
        "comparison": {"conditions": ["new", "old"], "replicates": "models"},
        "analysis": {"bootstrap": 100},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(content))


def analyze(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "daclass", "analyze", "study.yaml", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def reasons(layout: Layout) -> dict[str, str]:
    """What would be done again, and why."""
    jobs = jobs_of(Study.load(Path("study.yaml")), layout, look=True)
    return {job.name: job.why() for job in jobs if job.why()}


def test_the_environment_changes_no_result(folder):
    here = {
        "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "1", "TZ": "Pacific/Auckland", "LC_ALL": "C",
    }  # fmt: skip
    there = {
        "OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "2", "TZ": "America/Lima", "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    for name, environment in (("a", here), ("b", there)):
        done = analyze(f"--results={name}", f"--figures={name}-figures", **environment)
        assert done.returncode == 0, done.stderr
    one, other = (Layout("small", Path(name), Path(f"{name}-figures")) for name in "ab")
    assert_equal_tables(Study.load(Path("study.yaml")), one, other)
    for file in sorted(one.figures.glob("*.csv")) + sorted(one.figures.glob("*.txt")):
        assert file.read_bytes() == (other.figures / file.name).read_bytes(), file.name
    said = [json.loads(layout.summary.read_text(encoding="utf-8")) for layout in (one, other)]
    for content in said:
        del content["wall_seconds"], content["provenance"]
    assert said[0] == said[1]


def test_a_moved_study_and_a_wrong_clock_leave_nothing_to_do(folder):
    assert main(["analyze", "study.yaml"]) == 0
    Path("results").rename("elsewhere")
    Path("figures").rename("drawn")
    layout = Layout("small", Path("elsewhere"), Path("drawn"))
    assert reasons(layout) == {}
    for number, file in enumerate(sorted(folder.rglob("*"))):
        os.utime(file, (4e9, 4e9) if number % 2 else (0, 0))
    assert reasons(layout) == {}


def test_results_may_lie_behind_a_link(folder):
    (folder / "disk").mkdir()
    Path("results").symlink_to(folder / "disk")
    assert main(["analyze", "study.yaml"]) == 0
    assert Path("results").is_symlink() and (folder / "disk/small/summary.json").is_file()
    assert reasons(Layout("small")) == {}


def test_a_line_break_in_a_path_is_no_matter(tmp_path, monkeypatch, capsys):
    odd = tmp_path / "a\nb"
    odd.mkdir()
    monkeypatch.chdir(odd)
    write(odd, predictions="p\nq.csv")
    assert main(["analyze", "study.yaml", f"--results={odd / 'r'}"]) == 0
    (odd / "p\nq.csv").unlink()
    capsys.readouterr()
    assert main(["analyze", "study.yaml", f"--results={odd / 'r'}"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_files_are_for_those_whom_the_umask_lets(folder, mask):
    before = os.umask(mask)
    try:
        assert main(["analyze", "study.yaml"]) == 0
    finally:
        os.umask(before)
    for file in [*Path("results").rglob("*"), *Path("figures").rglob("*")]:
        allowed = 0o777 if file.is_dir() else 0o666
        assert file.stat().st_mode & 0o777 == allowed & ~mask, file


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_another_users_files_are_refused_in_one_line(folder, tmp_path, capfd):
    assert main(["analyze", "study.yaml"]) == 0
    Path("results/small/receipts/summary.json").unlink()
    for place in (tmp_path, *tmp_path.parents):
        if place != Path("/tmp") and place.is_relative_to("/tmp"):
            place.chmod(0o755)
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setresuid(65534, 65534, 65534)
            status = main(["analyze", "study.yaml"])
        finally:
            sys.stderr.flush()
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    said = capfd.readouterr().err
    assert os.waitstatus_to_exitcode(ended) == 2, said
    assert said.splitlines()[-1] == "daclass: results/small/summary.json: Permission denied"


def test_two_at_once_leave_what_one_leaves(folder):
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "daclass", "analyze", "study.yaml"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in both:
        _, errors = process.communicate()
        assert process.returncode == 0 or errors.splitlines()[-1].startswith("daclass: "), errors
    assert main(["analyze", "study.yaml"]) == 0
    assert reasons(Layout("small")) == {}
    assert main(["analyze", "study.yaml", "--results=alone", "--figures=alone-figures"]) == 0
    alone = Layout("small", Path("alone"), Path("alone-figures"))
    assert_equal_tables(Study.load(Path("study.yaml")), Layout("small"), alone)
    assert not list(folder.rglob("*.partial"))


def rename(folder: Path, old: str, new: str) -> None:
    """Give a class another name in all files, or a condition in the config."""
    for name in ("p.csv", "labels.csv"):
        frame = pd.read_csv(folder / name, dtype=str)
        frame.replace({old: new}).to_csv(folder / name, index=False, errors="surrogatepass")
    config = yaml.safe_load((folder / "study.yaml").read_text())
    names = [new if name == old else name for name in config["comparison"]["conditions"]]
    config["comparison"]["conditions"] = names
    (folder / "study.yaml").write_text(json.dumps(config))


@pytest.mark.parametrize("odd", ["\x01", "\x1b", "\t", "\n", "\x85", "\u2028", "\u202e", "\ufffe"])
def test_a_name_that_cannot_be_shown_is_refused_at_reading(folder, capsys, odd):
    """A control character used to end in a traceback of the figures' XML."""
    code = f"U+{ord(odd):04X}"
    for old, where in (("cat", "label "), ("old", "comparison.conditions: condition ")):
        write(folder)
        rename(folder, old, f"a{odd}b")
        assert main(["analyze", "study.yaml"]) == 2
        said = capsys.readouterr().err.strip()
        assert f"{where}'a" in said and code in said and said.isprintable()


def test_class_lists_and_folders_are_held_to_the_same_names(folder, tmp_path, capsys):
    (folder / "classes.csv").write_text(
        "name,path\n" + "".join(f"{name},animals/x\x02/{name}\n" for name in NAMES)
    )
    assert main(["analyze", "study.yaml", "--set=data.classes=classes.csv"]) == 2
    assert "classes.csv: class 'animals/x\\x02/" in capsys.readouterr().err
    rows = [(split, "a\x07b", f"{split}/1.png") for split in ("train", "val")]
    pictures = pd.DataFrame(rows, columns=["split", "name", "image_id"]).assign(draw=-1)
    with pytest.raises(InputError, match=r"pictures: class 'a\\x07b'.*U\+0007"):
        build_index(Source(Path("pictures"), pictures), 0)


def test_names_of_all_scripts_are_shown_as_they_are(folder, capsys):
    rename(
        folder, "cat", "\u05d7\u05ea\u05d5\u05dc\u200f"
    )  # Hebrew, with the mark that goes with it
    rename(
        folder, "=1+1", "\u0645\u06cc\u200c\u200b\xa0\u3000x"
    )  # Persian's non-joiner, wide spaces
    assert main(["analyze", "study.yaml"]) == 0
    assert "\u05d7\u05ea\u05d5\u05dc" in Path("figures/small/report.html").read_text()
