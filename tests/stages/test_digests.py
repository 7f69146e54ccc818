"""A setting moves the digests of the stages that declare it and of all behind them, and no other.

Nothing runs. Whether the declarations are right is for `settings_walk` to say, which runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from daclass.config import Layout, Study
from daclass.stages import STAGES, Jobs
from daclass.stages.outside import Outside
from tests.conftest import ROOT
from tests.stages.settings_walk import other_studies, value_of

CONFIGS = [*sorted((ROOT / "configs").glob("*.yaml")), *sorted((ROOT / "tests").glob("tiny*.yaml"))]
WHERE = {"data.root"}
"""Settings that say where something lies: what it holds counts, not where it is."""


class Unread(Outside):
    """Outside files whose contents nobody looks at."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))

    def content(self, paths: Sequence[Path]) -> str:
        return ""


def jobs_of(study: Study) -> Jobs:
    return Jobs(study, Layout(study.name), STAGES, Unread())


def declares(settings: Sequence[str], dotted: str) -> bool:
    return any(dotted == one or dotted.startswith(f"{one}.") for one in settings)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_default_that_is_written_out_moves_nothing(config: Path) -> None:
    study = Study.load(config)
    written = Study.model_validate(study.model_dump(mode="json"))
    before, after = ({job.name: job.digest for job in jobs_of(one)} for one in (study, written))
    assert after == before
    if study.sweep:
        assert written.training_digest() == study.training_digest()


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_setting_moves_what_declares_it_and_all_behind_it(config: Path) -> None:
    study = Study.load(config)
    before = {job.name: job.digest for job in jobs_of(study)}
    read = {job.name: {source.name for source in job.sources} for job in jobs_of(study)}
    changed, nowhere = 0, []
    for dotted, _, new in other_studies(study):
        if new is None:
            continue
        changed += 1
        moved: set[str] = set()
        for job in jobs_of(new):
            sources = {source.name for source in job.sources}
            behind = sources & moved or sources != read.get(job.name)
            declared = declares(job.settings, dotted) and dotted not in WHERE
            if job.name not in before or job.digest != before[job.name]:
                moved.add(job.name)
            if job.name in before:
                assert (job.name in moved) == (declared or bool(behind)), (
                    f"{dotted} = {value_of(new, dotted)}: {job.name}"
                )
        if not moved:
            nowhere.append(dotted)
    assert changed >= 15
    assert nowhere == [dotted for dotted in nowhere if dotted.startswith("machine.")] + [
        dotted for dotted in nowhere if dotted in WHERE
    ]
