"""How many threads each training job is best given on this machine."""

from __future__ import annotations

import os

from daclass.config import Study
from daclass.plan.counts import Counts
from daclass.plan.speed import measured


def best_threads(study: Study, counts: Counts, cores: int, seconds: float = 2.0) -> int:
    """Threads per job with which the sweep's jobs, one per seed, train most pictures per second.

    One, unless there are more cores than jobs; then the cores' share of each job, if that is faster
    here, which for small networks and batches it is not. A busy machine would be measured wrongly:
    there it is one too.

    Args:
        cores: that jobs may use together.
        seconds: how long each is measured.
    """
    share = cores // len(study.seeds("sweep"))
    if share < 2 or os.getloadavg()[0] > cores / 2:
        return 1

    def speed(threads: int) -> float:
        machine = study.machine.model_copy(update={"threads": threads, "device": "cpu"})
        return measured(study.model_copy(update={"machine": machine}), counts, seconds).pictures

    return share if speed(share) > speed(1) else 1
