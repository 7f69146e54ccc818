"""Everything that a study has stored, held against its checksums."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from daclass.atomic import asides, set_aside
from daclass.augment import AugmentError
from daclass.data.sources import content_hash
from daclass.errors import InputError
from daclass.stages.job import Job, Jobs
from daclass.stages.outside import verify_kept
from daclass.stages.policies import policy_files
from daclass.stages.receipts import Receipt, file_sum, read_record
from daclass.stages.stage import Item, table
from daclass.stages.training import runs_of, shown_of
from daclass.tables import read_table

if TYPE_CHECKING:
    from daclass.training.runs import Run


class Check(NamedTuple):
    """What holds one file against its checksum.

    Attributes:
        check: raises an InputError, or an AugmentError, where the file is damaged.
        job: what makes it again; none where nobody needs it.
    """

    check: Callable[[], Any]
    job: Job | None = None


class _Unchecked(InputError):
    """What cannot be checked, and why."""


class _NothingYet(InputError):
    """A job has not come to its end so far."""


def verify(jobs: Jobs) -> None:
    """Check all that a study has stored against its checksums; set aside what is damaged.

    What is damaged is named each time until it is there again.

    Raises:
        InputError: something is damaged; each of it has been named, and what trains or makes it
            again is said.
    """
    whole, damaged, unchecked, stale = 0, 0, 0, set[Job]()
    for check in _checks(jobs):
        try:
            check.check()
            whole += 1
        except _Unchecked as error:
            logging.warning("%s", error)
            unchecked += 1
        except (InputError, AugmentError) as error:
            logging.error("%s", error)
            damaged += 1
            if check.job:
                stale.add(check.job)
    for job in stale:  # not before all is checked, since receipts hold the sums
        if job.receipt_path.is_file():
            set_aside(job.receipt_path)  # so that the job runs again
    if damaged:
        more = f"; for {unchecked} parts of the study it is said why they could not be checked"
        raise InputError(
            f"{jobs.layout.results}: {damaged} files are damaged, named above"
            f"{more if unchecked else ''}; run the study again: "
            f"`{jobs.study.command or 'daclass study'}` makes anew what they hold"
        )
    logging.info("%d files are as they were written", whole)


def _checks(jobs: Jobs) -> Iterator[Check]:
    for job in jobs:
        yield from _files(job, jobs)
        if job.stage.name not in KNOWN_BY_TABLES:
            continue
        find, what = KNOWN_BY_TABLES[job.stage.name]
        try:
            yield from find(job, jobs)
        except (InputError, AugmentError) as error:
            done = job.receipt_path.is_file() or asides(job.receipt_path)
            if done or not isinstance(error, _NothingYet):
                yield Check(partial(_refuse, f"{job.name}: {what} are not checked: {error}"))
    for file in sorted(jobs.layout.outside.glob("*.parquet")):
        yield Check(partial(verify_kept, file))


def _refuse(message: str) -> None:
    raise _Unchecked(message)


def _files(job: Job, jobs: Jobs) -> Iterator[Check]:
    """A job's receipt, the files that it wrote, and those beside them."""
    told = None
    try:
        told = job.last_receipt
    except InputError:
        yield Check(lambda: job.last_receipt, job)
    for item in job.items():
        path = jobs.place(item)
        if told or path.exists() or asides(path):
            yield Check(partial(_check, item, path, told), job)
    for label, written in told.files.items() if told else ():
        owner, _, name = label.partition("/")
        for item in job.items() if name else ():
            if item.label == owner:
                path = jobs.place(item)
                file = path / name if path.is_dir() else path.with_name(name)
                yield Check(partial(_hold, file, written), job)


def _check(item: Item, path: Path, told: Receipt | None) -> None:
    """Hold a file against what its job told of it."""
    from daclass.data.beton import verify_beton

    _there(path)
    written = told.files.get(item.label, "") if told else ""
    if item.kind == "table":
        read_table(item.name, path)
    elif item.kind == "record":
        read_record(path)
    elif item.name == "beton":
        return verify_beton(path, written)
    if written:
        _hold(path, written)
    return None


def _hold(path: Path, written: str) -> None:
    _there(path)
    if file_sum(path) != written:
        raise InputError(f"{path}: damaged (not what was written)")


def _there(path: Path) -> None:
    if not path.exists():
        aside = asides(path)
        raise InputError(f"{path}: {f'set aside as {aside[-1].name}' if aside else 'is gone'}")


def _known(jobs: Jobs, item: Item) -> Path:
    """An item that belongs to the study as it is set now, and is what was written.

    Raises:
        _NothingYet: its job has not come to its end so far.
        InputError: it is damaged, or of other settings.
    """
    job, path = jobs.writer(item), jobs.place(item)
    told = job.last_receipt
    if told is None:
        raise _NothingYet(f"{path}: not a finished one")
    if told.digest != job.digest:
        raise InputError(f"{path}: of other settings")
    _check(item, path, told)
    return path


def _table(jobs: Jobs, name: str, *of: Any) -> pd.DataFrame:
    return read_table(name, _known(jobs, table(name, *of)))


def _pictures(job: Job, jobs: Jobs) -> Iterator[Check]:
    """The pictures that the study drew or unpacked, known by the index."""
    (root,) = (jobs.place(item) for item in job.items())
    known = _table(jobs, "index")[["image_id", "content"]].drop_duplicates()
    for image_id, content in known.itertuples(index=False) if root.is_dir() else ():
        if content:
            yield Check(partial(_check_picture, root / image_id, content), job)


def _check_picture(path: Path, content: str) -> None:
    if content_hash(path) != content:
        raise InputError(f"{path}: damaged (not what was indexed)")


def _trained(job: Job, jobs: Jobs) -> Iterator[Check]:
    """The weights, checkpoints and metrics of a seed's runs."""
    from daclass.training.checkpoint import load_checkpoint

    for run in _runs(job, jobs, [job.of.seed]):
        if run.trained or asides(run.weights):
            yield Check(partial(_stored, run.weights, run.verify), job)
        if not run.trained and (run.checkpoint.is_file() or asides(run.checkpoint)):
            yield Check(partial(_stored, run.checkpoint, partial(load_checkpoint, run)), job)
        if run.trained and run.metrics.is_file():
            yield Check(run.verify_metrics)


def _predicted(job: Job, jobs: Jobs) -> Iterator[Check]:
    """The predictions of a phase's runs that are kept beside their weights."""
    from daclass.training.predict import part_of, read_part

    shown = shown_of(jobs.study, _table(jobs, "index"))
    for run in _runs(job, jobs, jobs.study.seeds(job.of.phase)):
        part = part_of(run, shown)
        if part.is_file() or asides(part):
            yield Check(partial(_stored, part, partial(read_part, part)), job)


def _stored(path: Path, check: Callable[[], Any]) -> None:
    _there(path)
    check()


def _runs(job: Job, jobs: Jobs, seeds: Sequence[int]) -> Iterator[Run]:
    """The runs of a phase, known by the index, the classes and the policies."""
    study, phase = jobs.study, job.of.phase
    index, classes = _table(jobs, "index"), _table(jobs, "classes")
    policies = _table(jobs, "policies", phase)
    paths = [_known(jobs, item) for item in policy_files(study, phase)]
    for seed in seeds:
        of = job.of._replace(seed=seed)
        yield from runs_of(study, of, index, classes, policies, paths, jobs.layout.stores)


KNOWN_BY_TABLES: Mapping[str, tuple[Callable[[Job, Jobs], Iterator[Check]], str]] = {
    "pictures": (_pictures, "pictures"),
    "train": (_trained, "weights, checkpoints and metrics of its runs"),
    "predict": (_predicted, "predictions beside the weights of its runs"),
}
"""By stage: what finds files that no receipt lists, and what these are."""
