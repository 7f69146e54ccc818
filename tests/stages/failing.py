"""Stages that fail at their end, one after the other, and are asked for once more."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.stages import STAGES, Job, jobs_of
from tests.stages.settings_walk import CLOCK, tables_of


def ask(study: Study, layout: Layout) -> list[Job]:
    """Run what has to be run, as a workflow does; the jobs that ran."""
    ran = []
    for job in jobs_of(study, layout, look=True):
        if job.why():
            job.run()
            ran.append(job)
    return ran


def fail_in_turn(study: Study, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each stage fails once, when it has written its files and not yet its tables or its receipt;
    the stages that did. Until the last has ended well, there is no report to be had."""
    failed = list(dict.fromkeys(job.stage.name for job in jobs_of(study, layout)))
    for name in failed:
        whole = STAGES[name].run

        def fails(*given, whole=whole, **named):
            whole(*given, **named)
            raise InputError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setitem(STAGES, name, replace(STAGES[name], run=fails))
            with pytest.raises(InputError, match="the disk is full"):
                ask(study, layout)
        if name != "report":
            with pytest.raises(InputError, match=r"no such file|of other settings"):
                jobs_of(study, layout).get("report").run()
    assert [job.stage.name for job in ask(study, layout)][-1] == "report"
    assert ask(study, layout) == []
    return failed


def assert_equal_tables(study: Study, one: Layout, other: Layout) -> None:
    """Two results of a study, cell by cell; but how long something took."""
    for item in tables_of(list(jobs_of(study, one))):
        tables = [
            pd.read_parquet(item.path(layout)).drop(columns=CLOCK, errors="ignore")
            for layout in (one, other)
        ]
        pd.testing.assert_frame_equal(*tables, check_exact=True)
