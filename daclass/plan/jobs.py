"""What would run, and why: every stage's own account."""

from __future__ import annotations

from dataclasses import dataclass

from daclass.config import Layout, Study
from daclass.stages import jobs_of


@dataclass(frozen=True)
class Job:
    """A job that is to run.

    Attributes:
        stage: its stage.
        reason: such as "analysis.confidence changed".
    """

    stage: str
    reason: str


def jobs(study: Study, layout: Layout) -> list[Job]:
    """The jobs that a run of the study would do, in order.

    Raises:
        InputError: an outside file cannot be read, or a receipt is damaged.
    """
    found: list[Job] = []
    waiting: set[str] = set()
    for job in jobs_of(study, layout, look=True):
        reason = job.why()
        made_anew = [source.name for source in job.sources if source.name in waiting]
        if not reason and made_anew:
            reason = f"{made_anew[0]} is made anew"
        if reason:
            waiting.add(job.name)
            found.append(Job(job.stage.name, reason))
    return found
