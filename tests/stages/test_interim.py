"""What is known of a study that is still in training, and that it spoils nothing."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

from daclass.cli import main
from daclass.config import Layout, Study
from daclass.stages import Job, jobs_of
from daclass.stages.stage import Of
from tests.conftest import ROOT
from tests.stages.failing import ask, assert_equal_tables

TINY = str(ROOT / "tests" / "tiny.yaml")
SMALL = (
    "data.draws=1", "training.epochs=2", "sweep.seeds=[0, 1, 2]", "analysis.bootstrap=100",
    "interventions=null", f"training.loader={'ffcv' if find_spec('ffcv') else 'torchvision'}",
)  # fmt: skip


def load() -> Study:
    return Study.load(Path(TINY), SMALL)


def placed(folder: Path) -> Layout:
    return Layout("tiny", folder / "results", folder / "figures")


def interim(folder: Path) -> int:
    layout = placed(folder)
    places = [f"--results={layout.results_root}", f"--figures={layout.figures_root}"]
    return main(["study", TINY, "--interim", *places, *(f"--set={change}" for change in SMALL)])


def train(folder: Path, seeds: int) -> None:
    """Bring a study to where some of its seeds are trained."""
    wanted = [Of(phase="sweep", seed=seed) for seed in range(seeds)]
    for job in jobs_of(load(), placed(folder), look=True):
        if job.stage.shared and (job.stage.name != "train" or job.of in wanted) and job.why():
            job.run()


def contents(folder: Path) -> dict[str, bytes]:
    """All files of the whole study, the clock's apart."""
    layout = placed(folder)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for root in (layout.results, layout.figures)
        for path in root.rglob("*")
        if path.is_file() and "interim" not in path.parts and "receipts" not in path.parts
    }


def test_interim_speaks_of_the_seeds_that_are_trained_and_spoils_nothing(
    tmp_path, capsys, monkeypatch
):
    one, other = tmp_path / "one", tmp_path / "other"
    assert interim(one) == 2
    assert "of 0-2, none is trained so far" in capsys.readouterr().err
    train(one, 1)
    assert interim(one) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said == (
        "daclass: tiny: --interim needs 2 seeds of the sweep with all their runs; of 0-2, 0 is "
        "trained so far"
    )
    train(one, 2)
    shutil.copytree(one, other)
    before, run = contents(one), Job.run

    def refuses_to_train(job: Job) -> None:
        assert job.stage.name != "train"
        run(job)

    with monkeypatch.context() as patch:
        patch.setattr(Job, "run", refuses_to_train)
        assert interim(one) == 0
    assert "Interim: seeds 0-1 of 0-2. A tiny study" in capsys.readouterr().out
    assert contents(one) == before, "the whole study's files are as they were"
    folder = placed(one).figures / "interim"
    page = (folder / "report.html").read_text()
    assert "<title>Interim: seeds 0-1 of 0-2" in page
    found = json.loads((placed(one).results / "interim" / "summary.json").read_text())
    assert found["findings"]["classes"]["seeds"] == 2
    whole = {job.name: job for job in jobs_of(load(), placed(one), look=True)}
    for receipt in (placed(one).results / "interim" / "receipts").iterdir():
        job = whole[receipt.stem]
        shutil.copy(receipt, job.receipt_path)
        assert job.why(), "a receipt of the interim analysis is none of the whole study's"
        job.receipt_path.unlink()
    ask(load(), placed(one))
    ask(load(), placed(other))
    assert_equal_tables(load(), placed(one), placed(other))
    drawn, undisturbed = contents(one), contents(other)
    assert set(drawn) == set(undisturbed)
    timed = {"summary.json", "report.html", "seed0.json", "seed1.json", "seed2.json"}
    differ = {n for n in drawn if drawn[n] != undisturbed[n] and Path(n).name not in timed}
    assert differ == set()
