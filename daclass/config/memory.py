"""How much memory of the host a job takes, so that a cluster's scheduler can be told."""

from __future__ import annotations

from daclass.config.interventions import Phase
from daclass.config.study import Study

BUFFERS = 5  # batches that FFCV holds at once: three ahead, one in the making, one in use
PROCESS = 6e9  # bytes of a process that has loaded torch, CUDA and FFCV and compiled its pipelines
ON_CPU = 2e9  # bytes of one that does without CUDA
NETWORKS = 4e9  # bytes of the 32 networks of a pass; those of a ResNet-50 have 103 MB each
LOGITS = 3 * 2**31  # bytes of a pass's logits and of what is made of them, where shifts are fitted
PICTURES = 50_000  # validation pictures: ImageNet's number
ROW = 250  # bytes of a row of predictions, while the table is put together


def train_mb(study: Study, phase: Phase) -> int:
    """Peak of a training job in MB: its processes and the batches that they hold."""
    training = study.training
    crops = len(study.policy_names(phase)) if study.axis.name == "rrc_scale" else 1
    batch = training.batch_size // training.processes * crops * _picture(training.resolution)
    return _mb(training.processes * (_process(study) + BUFFERS * pinned(batch)))


def predict_mb(study: Study, phase: Phase) -> int:
    """Peak of a prediction job in MB: batches, networks, logits and the table that is made."""
    training, views = study.training, len(study.views)
    batch = training.val_batch(views) * views * _picture(training.val_resolution)
    runs = len(study.policy_names(phase)) * len(study.seeds(phase))
    rows = runs * PICTURES * (views + study.analysis.logit_shift)
    logits = LOGITS if study.analysis.logit_shift else 0
    return _mb(_process(study) + BUFFERS * pinned(batch) + NETWORKS + logits + rows * ROW)


def pinned(size: int) -> int:
    """What a block of `size` bytes takes: torch pins memory in powers of two."""
    return 1 << max(size - 1, 0).bit_length()


def _process(study: Study) -> float:
    return ON_CPU if study.machine.device == "cpu" else PROCESS


def _picture(side: int) -> int:
    return int(3 * side**2)


def _mb(size: float) -> int:
    return round(size / 1e6)
