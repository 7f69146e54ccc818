"""How many threads each training job is best given on this machine."""

from __future__ import annotations

import os

import torch

from daclass.augment.pictures import picture_size
from daclass.config import Study
from daclass.plan.cores import demand
from daclass.plan.counts import Counts
from daclass.plan.speed import measured
from daclass.realised import known_sizes


def best_threads(study: Study, counts: Counts, cores: int, seconds: float = 2.0) -> int:
    """Threads per job with which the sweep's jobs, one per seed, train most pictures per second.

    On GPUs, as many as the loader needs to keep them busy, at most the cores' share of each job.

    On cores, one, unless there are more cores than jobs; then the cores' share of each job, if that
    is faster here, which for small networks and batches it is not. A busy machine would be measured
    wrongly: there it is one too.

    Args:
        cores: that jobs may use together.
        seconds: how long each is measured.
    """
    jobs = len(study.seeds("sweep"))
    if study.machine.device != "cpu" and torch.cuda.is_available():
        return min(_for_gpus(study, counts, seconds), max(cores // min(jobs, _at_once(study)), 1))
    share = cores // jobs
    if share < 2 or os.getloadavg()[0] > cores / 2:
        return 1

    def speed(threads: int) -> float:
        machine = study.machine.model_copy(update={"threads": threads, "device": "cpu"})
        return measured(study.model_copy(update={"machine": machine}), counts, seconds).pictures

    return share if speed(share) > speed(1) else 1


def _at_once(study: Study) -> int:
    """Jobs that this machine has GPUs for."""
    machine = study.machine
    return max(torch.cuda.device_count() * machine.jobs_per_gpu // machine.devices, 1)


def _for_gpus(study: Study, counts: Counts, seconds: float) -> int:
    rate = measured(study, counts, seconds).pictures
    sizes = [picture_size(file, study.beton.max_resolution) for file in counts.sample]
    return demand(study, "sweep", rate, sizes or known_sizes(study)).needed
