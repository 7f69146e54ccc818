"""Stages that run, and results of stages that did not, with the digests that a study asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from daclass.config import Layout, Study
from daclass.stages import Job, Jobs, jobs_of
from daclass.stages.receipts import write_record
from daclass.stages.stage import Item, each
from daclass.tables import write_table


def run(study: Study, layout: Layout, *stages: str) -> None:
    """Run stages that have one job each."""
    jobs = jobs_of(study, layout)
    for stage in stages:
        jobs.get(stage).run()


def plant(study: Study, layout: Layout, results: Mapping[Any, Any]) -> Jobs:
    """Write tables and records, and the receipts of the jobs that they come from.

    Args:
        results: name of a table or record, or (name, phase, ...), -> its content.
    """
    jobs = jobs_of(study, layout)
    for job in jobs:
        items = [item for given in job.writes.values() for item in each(given)]
        written = [_plant(job, layout, item, results) for item in items]
        if any(written):
            write_record(asdict(job.expected), job.receipt_path)
    return jobs


def _plant(job: Job, layout: Layout, item: Item, results: Mapping[Any, Any]) -> bool:
    content = results.get((item.name, *item.of) if item.of else item.name)
    if isinstance(content, pd.DataFrame):
        write_table(content, item.name, item.path(layout), job.digest)
    elif content is not None:
        write_record(content, item.path(layout))
    return content is not None
