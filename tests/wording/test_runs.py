"""What few runs can show is said by `check` and `plan` before they are spent."""

from __future__ import annotations

from pathlib import Path

import pytest

from daclass.check import check
from daclass.cli import main
from daclass.config import Study
from daclass.wording.runs import few_runs, runs_of

ROOT = Path(__file__).parents[2]


def test_either_condition_is_counted_where_they_differ() -> None:
    assert runs_of(5, 5, "seeds") == "5 seeds"
    assert runs_of(4, 10, "models") == "4 models against 10"
    assert runs_of(1, 12, "models") == "1 model against 12"


@pytest.mark.parametrize(("runs", "said"), [(1, "1 seed cannot"), (2, "2 seeds give"), (3, "3 s")])
def test_few_runs_are_named(runs: int, said: str) -> None:
    assert str(few_runs(runs, "seeds")).startswith(said)
    assert few_runs(4, "seeds") is None


def test_check_and_plan_say_it(capsys) -> None:
    study = Study.load(ROOT / "tests/tiny.yaml", ["sweep.seeds=[0, 1]"])
    assert any(line == f"sweep: {few_runs(2, 'seeds')}" for line in check(study))
    assert main(["plan", str(ROOT / "tests/tiny.yaml"), "--set", "sweep.seeds=[0, 1]"]) == 0
    assert f"sweep: {few_runs(2, 'seeds')}" in capsys.readouterr().out
    many = Study.load(ROOT / "tests/tiny.yaml", ["sweep.seeds=[0, 1, 4, 5]"])
    assert not any(line.startswith("sweep:") for line in check(many))
