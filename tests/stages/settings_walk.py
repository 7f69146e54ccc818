"""Every setting of a study, changed: tables of stages that are not run again are as they would be.

The declaration is not its own judge: what it says need not run is compared, cell by cell, with what
a whole run under the changed setting writes.

    python -m tests.stages.settings_walk tests/tiny.yaml    # all of a study that trains: an hour
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pandas as pd
from pydantic import BaseModel

from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.stages import jobs_of
from daclass.stages.stage import each
from daclass.tables import read_table

CLOCK = {"seconds", "seconds_relative"}
"""Columns that say how long something took."""


def finish(study: Study, layout: Layout) -> None:
    """Run what writes tables, and what that reads; figures and report are no part of it."""
    for job in jobs_of(study, layout, look=True):
        if job.stage.name not in {"figures", "summary", "report"} and job.why():
            job.run()


def leaves(section: BaseModel, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted name, value and annotation of all settings."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value, field.annotation


def others(value: Any, annotation: Any) -> Iterator[Any]:
    """Other values that a setting might have."""
    match value:
        case bool():
            yield not value
        case int() | float():
            yield from (value + 1, value - 1, value * 0.5, value * 0.9, value * 2)
        case tuple() if value and isinstance(value[0], int | float):
            yield from ([*value[:-1], value[-1] + step] for step in (1, 8, 100, 0.05, -0.05))
        case str():
            choices = [choice for choice in get_args(annotation) if isinstance(choice, str)]
            yield from (choice for choice in choices if choice != value)
            yield f"{value}x"


def changed(content: dict[str, Any], dotted: str, value: Any) -> Study | None:
    """The study with another value of a setting; None where that is none."""
    copied = Study.model_validate(content).model_dump(mode="json")
    section = copied
    *sections, last = dotted.split(".")
    for name in sections:
        section = section[name]
    section[last] = value
    try:
        return Study.model_validate(copied)
    except (ValueError, InputError):
        return None


def stale_tables(content: dict[str, Any], dotted: str, study: Study, base: Path) -> list[str]:
    """Tables that a changed setting leaves standing, and that a whole run would write otherwise."""
    kept = Layout(study.name, base / "results", base / "figures")
    jobs = list(jobs_of(study, kept, look=True))
    again = {job.name for job in jobs if job.why()}
    for job in jobs:  # whoever reads what is made anew is made anew
        if any(source.name in again for source in job.sources):
            again.add(job.name)
    with tempfile.TemporaryDirectory() as folder:
        fresh = Layout(study.name, Path(folder) / "results", Path(folder) / "figures")
        finish(study, fresh)
        return [
            f"{dotted}: {item.name}"
            for job in jobs
            if job.name not in again
            for given in job.writes.values()
            for item in each(given)
            if item.kind == "table" and not _same(item, kept, fresh)
        ]


def _same(item: Any, kept: Layout, fresh: Layout) -> bool:
    one, other = (
        read_table(item.name, item.path(layout)).drop(columns=CLOCK, errors="ignore")
        for layout in (kept, fresh)
    )
    try:
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    except AssertionError:
        return False
    return True


def walk(study: Study, base: Path, chosen: Iterator[str] | None = None) -> tuple[int, list[str]]:
    """Settings that were changed, and what was stale."""
    content = study.model_dump(mode="json")
    finish(study, Layout(study.name, base / "results", base / "figures"))
    tried, stale = 0, []
    wanted = None if chosen is None else set(chosen)
    for dotted, value, annotation in leaves(study):
        if dotted == "name" or (wanted is not None and dotted not in wanted):
            continue
        found = (changed(content, dotted, other) for other in others(value, annotation))
        new = next((study for study in found if study is not None), None)
        if new is None:
            continue
        tried += 1
        problems = stale_tables(content, dotted, new, base)
        print(f"{dotted}: {'; '.join(problems) or 'fine'}", flush=True)
        stale += problems
    return tried, stale


def main() -> None:
    study = Study.load(Path(sys.argv[1]))
    folder = Path(tempfile.mkdtemp())
    try:
        tried, stale = walk(study, folder)
    finally:
        shutil.rmtree(folder)
    print(f"{tried} settings changed, {len(stale)} tables were stale")
    raise SystemExit(bool(stale))


if __name__ == "__main__":
    main()
