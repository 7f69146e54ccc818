"""Every setting of a study, changed: tables of stages that are not run again are as they would be.

The declaration is not its own judge: what it says need not run is compared, cell by cell, with what
a run from the start under the changed setting writes. Settings that are tried are written down one
by one, and the walk goes on behind them where it was stopped.

    python -m tests.stages.settings_walk tests/tiny.yaml tests/tiny_jitter.yaml
"""

from __future__ import annotations

import argparse
import csv
import shutil
import tempfile
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice, product
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import pandas as pd
from pydantic import BaseModel

from daclass.augment import AXES
from daclass.config import Layout, Study
from daclass.designer import DESIGNERS
from daclass.errors import InputError
from daclass.stages import Job, Jobs, jobs_of
from daclass.stages.stage import Item, each
from daclass.tables import read_table

CLOCK = {"seconds", "seconds_relative"}
"""Columns that say how long something took."""

ROUNDING = {"machine.threads", "machine.compile"}
"""Settings that change the order in which numbers are summed, as another CPU does: the last digits
of weights depend on them, and no result is thrown away for that. Under these the runs that are
there are kept, and what is computed from them is compared to five digits."""

REGISTERED: Mapping[str, Sequence[Any]] = {
    "machine.device": ("cpu",),
    "augmentation.axis": tuple(AXES),
    "interventions.settings": tuple(
        {name: model.model_validate(value).model_dump()}
        for name in DESIGNERS
        if (model := DESIGNERS[name].settings)
        for value in ({"of": "graded"},)
        if set(value) <= set(model.model_fields)
    ),
}
"""Values that a setting's type does not tell: those that installed packages bring, or a pattern."""


class Tried(NamedTuple):
    """A setting that was changed.

    Attributes:
        study, setting: which.
        before, now: its values; `now` is empty where no other value makes a study.
        again: jobs with tables that the declaration has run again.
        kept: tables that it leaves standing, all of which were compared.
        stale: those of them that a run from the start writes otherwise.
        refused: what the run from the start said, where it refuses the value.
    """

    study: str
    setting: str
    before: str
    now: str
    again: int = 0
    kept: int = 0
    stale: str = ""
    refused: str = ""


def with_tables(jobs: Jobs) -> list[Job]:
    """Jobs that write tables, and those that these read from: no figures and no report."""
    return [job for job in jobs if job.stage.name not in {"figures", "summary", "report"}]


def finish(study: Study, layout: Layout, wanted: set[str] | None = None) -> None:
    """Run what has to be run, of the jobs of some names or of all with tables."""
    for job in with_tables(jobs_of(study, layout, look=True)):
        if (wanted is None or job.name in wanted) and job.why():
            job.run()


def leaves(section: BaseModel, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted name, value and annotation of all settings."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value, field.annotation


def others(dotted: str, value: Any, annotation: Any) -> Iterator[Any]:
    """Other values that a setting might have: near its own, then any of its type."""
    found = chain(REGISTERED.get(dotted, ()), _near(value), _of_type(annotation))
    return (other for other in found if other != value)


def _near(value: Any) -> Iterator[Any]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield from (value + 1, value - 1, value * 0.5, value * 0.9, value * 2)
        case tuple() | list() if value:
            yield from ([*value[:-1], other] for other in _near(value[-1]))
            yield [*value[:-1]]
        case Mapping() if value:
            for name, part in value.items():
                yield from ({**value, name: other} for other in _near(part))
        case str() | Path() if value:
            yield f"{value}x"


def _of_type(annotation: Any) -> Iterator[Any]:
    inner = get_args(annotation)
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _of_type(inner[0])
    elif origin is Literal:
        yield from inner
    elif origin in {Union, types.UnionType}:
        for one in inner:
            yield from _of_type(one)
    elif origin is tuple:
        several = 1 if Ellipsis in inner else len(inner)
        yield from ([other] * several for other in _of_type(inner[0]))
    elif annotation is int:
        yield from (0, 1, 2, 8, 16, 24, 32)
    elif annotation is float:
        yield from (0.05, 0.3, 0.5, 0.8, 1.0, 2.0)
    elif annotation is bool:
        yield from (True, False)
    elif annotation is str:
        yield "another"
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        asked = {n: f.annotation for n, f in annotation.model_fields.items() if f.is_required()}
        for chosen in islice(product(*(list(_of_type(a)) for a in asked.values())), 100):
            yield dict(zip(asked, chosen, strict=True))


def changed(content: Mapping[str, Any], dotted: str, value: Any) -> Study | None:
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


def other_studies(study: Study) -> Iterator[tuple[str, Any, Study | None]]:
    """Each setting but the name, its value, and a study that differs in it alone, if one can."""
    content = study.model_dump(mode="json")
    for dotted, value, annotation in leaves(study):
        if dotted != "name":
            found = (changed(content, dotted, new) for new in others(dotted, value, annotation))
            differ = (new for new in found if new and new.model_dump(mode="json") != content)
            yield dotted, value, next(differ, None)


def value_of(study: Study, dotted: str) -> Any:
    value: Any = study
    for name in dotted.split("."):
        value = getattr(value, name)
    return value


def left_standing(study: Study, layout: Layout) -> tuple[list[Job], list[Job]]:
    """Jobs with tables that are run again under these settings, and those that are not."""
    jobs = with_tables(jobs_of(study, layout, look=True))
    again: dict[str, Job] = {}
    for job in jobs:  # whoever reads what is made anew is made anew
        if job.why() or any(source.name in again for source in job.sources):
            again[job.name] = job
    return list(again.values()), [job for job in jobs if job.name not in again]


def tables_of(jobs: Sequence[Job]) -> list[Item]:
    items = [item for job in jobs for given in job.writes.values() for item in each(given)]
    return [item for item in items if item.kind == "table"]


def stale_tables(
    study: Study, kept: Layout, standing: Sequence[Job], *, rounding: bool = False
) -> list[str]:
    """Tables that stand, and that a run from the start under these settings writes otherwise.

    Args:
        rounding: the settings differ by one of `ROUNDING`.
    """
    wanted: dict[str, Job] = {}
    waiting = [job for job in standing if tables_of([job])]
    while waiting:
        job = waiting.pop()
        wanted[job.name] = job
        waiting += job.sources
    with tempfile.TemporaryDirectory() as folder:
        fresh = Layout(study.name, Path(folder) / "results", Path(folder) / "figures")
        if rounding and kept.runs.is_dir():
            shutil.copytree(kept.runs, fresh.runs)
        finish(study, fresh, set(wanted))
        return [
            ".".join((item.name, *map(str, item.of)))
            for item in tables_of(standing)
            if not _same(item, kept, fresh, exact=not rounding)
        ]


def _same(item: Item, kept: Layout, fresh: Layout, *, exact: bool) -> bool:
    one, other = (
        read_table(item.name, item.path(layout)).drop(columns=CLOCK, errors="ignore")
        for layout in (kept, fresh)
    )
    try:
        how = {"check_exact": True} if exact else {"rtol": 1e-5, "atol": 1e-5}
        pd.testing.assert_frame_equal(one, other, **how)
    except AssertionError:
        return False
    return True


def walk(
    study: Study, base: Path, wanted: Callable[[str], bool] = lambda dotted: True
) -> Iterator[Tried]:
    """Change one setting after the other.

    Args:
        study: the study; it is finished first.
        base: folder of its results; what is there already is not made again.
        wanted: which settings, by dotted name.
    """
    kept = Layout(study.name, base / "results", base / "figures")
    finish(study, kept)
    for dotted, value, new in other_studies(study):
        if not wanted(dotted):
            continue
        if new is None:
            yield Tried(study.name, dotted, str(value), "")
            continue
        again, standing = left_standing(new, kept)
        stale, refused = "", ""
        try:
            stale = " ".join(stale_tables(new, kept, standing, rounding=dotted in ROUNDING))
        except InputError as error:
            refused = str(error)
        yield Tried(
            study.name,
            dotted,
            str(value),
            str(value_of(new, dotted)),
            sum(bool(tables_of([job])) for job in again),
            0 if refused else len(tables_of(standing)),
            stale,
            refused,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", type=Path, nargs="+")
    parser.add_argument("--work", type=Path, default=Path("results/settings_walk"))
    parser.add_argument(
        "--table", type=Path, default=Path("benchmarks/results/settings_walk.csv"),
        help="one row per setting, read to go on behind it; remove it to begin anew",
    )  # fmt: skip
    options = parser.parse_args()
    done: list[Tried] = []
    if options.table.is_file():
        with options.table.open(newline="") as file:
            done = [
                Tried(**{**row, "again": int(row["again"]), "kept": int(row["kept"])})
                for row in csv.DictReader(file)
            ]
    else:
        shutil.rmtree(options.work, ignore_errors=True)
        options.table.parent.mkdir(parents=True, exist_ok=True)
    behind = {(each.study, each.setting) for each in done}
    with options.table.open("a", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        if not done:
            rows.writerow(Tried._fields)
        for path in options.studies:
            study = Study.load(path)
            for tried in walk(study, options.work, lambda n: (study.name, n) not in behind):  # noqa: B023
                rows.writerow(tried)
                file.flush()
                found = tried.stale or tried.refused or "fine"
                print(f"{tried.study} {tried.setting}: {found}", flush=True)
                done.append(tried)
    changed_ones = [each for each in done if each.now]
    stale = [each for each in changed_ones if each.stale]
    print(
        f"{len(changed_ones)} settings changed, {len(done) - len(changed_ones)} have one value "
        f"here; {sum(each.kept for each in changed_ones)} tables compared; "
        f"{len(stale)} settings left stale tables standing"
    )
    raise SystemExit(bool(stale))


if __name__ == "__main__":
    main()
