"""The package as others install it: built in isolation, into an environment of its own, far from
the repository, without torch."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

from daclass import __version__
from tests.conftest import ROOT

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
STUDY = """
name: foreign
data: {source: predictions, files: [p.csv], labels: labels.csv}
comparison: {conditions: [new, old]}
"""


def run(*command: str | Path, cwd: Path, status: int = 0) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with an sdist and with the wheel that is made of it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Path:
    """The programs of an environment that holds the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder / "venv", with_pip=True)
    (wheel,) = built.glob("*.whl")
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", *constraints, wheel, cwd=folder)
    return python.parent


def test_the_wheel_holds_the_package_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")
    assert wheel.name == f"daclass-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(f"daclass-{__version__}.dist-info/METADATA").decode()
    package = {name for name in names if not name.startswith(f"daclass-{__version__}.dist-info/")}
    tracked = run("git", "ls-files", "daclass", cwd=ROOT).split()
    workflow = run("git", "ls-files", "Snakefile", "workflow/*.smk", "workflow/*.yaml",
                   "workflow/*.rst", cwd=ROOT).split()  # fmt: skip
    carried = {f"daclass/_workflow/{name}" for name in workflow}
    assert len(carried) > 9
    assert package == set(tracked) | carried, "with py.typed, templates, tables and the workflow"
    assert "License-Expression: MIT" in metadata and "Typing :: Typed" in metadata
    assert f"daclass-{__version__}.dist-info/licenses/LICENSE" in names


def test_the_sdist_holds_no_data_and_no_figures(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert {"daclass", "pyproject.toml", "README.md", "LICENSE"} <= tops
    assert not tops & {"tests", "figures", "results", "benchmarks", "docs", "shared"}


def test_the_light_install_has_no_torch(installed, tmp_path):
    names = "('torch', 'ffcv', 'snakemake')"
    code = f"from importlib.util import find_spec; print([n for n in {names} if find_spec(n)])"
    assert run(installed / "python", "-c", code, cwd=tmp_path).strip() == "[]"


def test_the_commands_work(installed, tmp_path):
    daclass = installed / "daclass"
    assert "plan" in run(daclass, "--help", cwd=tmp_path)
    assert run(daclass, "--version", cwd=tmp_path).strip() == __version__
    demo = ROOT / "configs" / "demo.yaml"
    assert "study demo, fine" in run(daclass, "check", demo, cwd=tmp_path)
    message = run(daclass, "plan", demo, cwd=tmp_path, status=2)
    assert message.startswith("daclass: plan needs ") and message.count("\n") == 1


def test_the_workflow_is_found_in_the_package(installed, tmp_path):
    """Without Snakemake, which the light install lacks, a study says what it needs."""
    code = "from daclass.workflow import home; print(home())"
    home = Path(run(installed / "python", "-c", code, cwd=tmp_path).strip())
    assert home.name == "_workflow" and (home / "Snakefile").is_file()
    assert (home / "workflow" / "rules" / "common.smk").is_file()
    message = run(
        installed / "daclass", "study", ROOT / "configs/demo.yaml", cwd=tmp_path, status=2
    )
    assert "needs Snakemake" in message and message.count("\n") == 1


def test_a_policy_can_be_made_and_read(installed, tmp_path):
    code = (
        "from daclass.augment import RRC_SCALE, Policy\n"
        "Policy(RRC_SCALE, 0.08, {'cat': 0.5}).save('p.yaml')\n"
        "print(Policy.load('p.yaml').strengths(['cat', 'dog']))"
    )
    assert run(installed / "python", "-c", code, cwd=tmp_path).strip() == "[0.5  0.08]"


def test_predictions_are_analysed_to_the_report(installed, tmp_path):
    rng = np.random.default_rng(0)
    labels = np.repeat(range(3), 30)
    images = [f"{number:03d}.png" for number in range(len(labels))]
    rows = ["image,prediction,model,condition"]
    for condition, right in (("new", 0.6), ("old", 0.8)):
        for model in range(3):
            said = np.where(rng.random(len(labels)) < right, labels, (labels + 1) % 3)
            rows += [
                f"{image},{k},{condition}{model},{condition}"
                for image, k in zip(images, said, strict=True)
            ]
    (tmp_path / "p.csv").write_text("\n".join(rows) + "\n")
    truth = [f"{image},{k}" for image, k in zip(images, labels, strict=True)]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label", *truth]) + "\n")
    (tmp_path / "foreign.yaml").write_text(STUDY)
    assert "Report: " in run(installed / "daclass", "analyze", "foreign.yaml", cwd=tmp_path)
    page = (tmp_path / "figures" / "foreign" / "report.html").read_text()
    assert "foreign" in page and len(page) > 100_000
