"""Everything that a study has stored, held against its checksums."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from daclass.data.sources import content_hash
from daclass.errors import InputError
from daclass.stages.job import Job, Jobs
from daclass.stages.policies import policy_files
from daclass.stages.receipts import read_record
from daclass.stages.stage import Item, each, table
from daclass.stages.training import runs_of
from daclass.tables import read_table


def verify(jobs: Jobs) -> None:
    """Check all that a study has stored against its checksums; set aside what is damaged.

    Raises:
        InputError: something is damaged; each of it has been named, and what trains or makes it
            again is said.
    """
    whole, damaged = 0, []
    for job in jobs:
        for path, check in _checks(job, jobs):
            try:
                check()
                whole += 1
            except InputError as error:
                logging.error("%s", error)
                damaged.append(path)
                job.receipt_path.unlink(missing_ok=True)  # so that the job runs again
    if damaged:
        raise InputError(
            f"{jobs.layout.results}: {len(damaged)} files are damaged, named above; run the study "
            "again: what they hold is made anew"
        )
    logging.info("%d files are as they were written", whole)


def _checks(job: Job, jobs: Jobs) -> Iterator[tuple[Path, Callable[[], Any]]]:
    """The files of a job that are there, each with what checks it."""
    for items in job.writes.values():
        for item in each(items):
            path = item.path(jobs.layout)
            if path.is_file():
                yield path, partial(_check, job, item, path)
    if job.stage.name == "train":
        yield from _runs(job, jobs)
    if job.stage.name == "pictures":
        yield from _pictures(job, jobs)


def _check(job: Job, item: Item, path: Path) -> None:
    from daclass.data.beton import verify_beton

    if item.kind == "table":
        read_table(item.name, path)
    elif item.kind == "record":
        read_record(path)
    elif item.name == "beton":
        verify_beton(path)
    if item.kind != "table" and job.receipt and not job.belongs(item, job.receipt):
        raise InputError(f"{path}: damaged (not what was written)")


def _pictures(job: Job, jobs: Jobs) -> Iterator[tuple[Path, Callable[[], Any]]]:
    """The pictures that the study drew or unpacked, known by the index."""
    (root,) = (item.path(jobs.layout) for items in job.writes.values() for item in each(items))
    try:
        index = jobs.read(table("index"))
    except InputError:  # not there, or damaged: named where it is checked
        return
    known = index[["image_id", "content"]].drop_duplicates()
    for image_id, content in known.itertuples(index=False) if root.is_dir() else ():
        if content:
            yield root / image_id, partial(_check_picture, root / image_id, content)


def _check_picture(path: Path, content: str) -> None:
    if content_hash(path) != content:
        raise InputError(f"{path}: damaged (not what was indexed)")


def _runs(job: Job, jobs: Jobs) -> Iterator[tuple[Path, Callable[[], Any]]]:
    """The weights and checkpoints of a seed, known by the index, the classes and the policies."""
    from daclass.training.checkpoint import load_checkpoint

    study, layout, of = jobs.study, jobs.layout, job.of
    try:
        index, classes = jobs.read(table("index")), jobs.read(table("classes"))
        policies = jobs.read(table("policies", of.phase))
    except InputError:  # not there, or damaged: named where it is checked
        return
    paths = [item.path(layout) for item in policy_files(study, of.phase)]
    for run in runs_of(study, of, index, classes, policies, paths, layout.stores):
        if run.trained:
            yield run.weights, run.verify
        yield run.checkpoint, partial(load_checkpoint, run)
