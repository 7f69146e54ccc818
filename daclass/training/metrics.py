"""What training measures: a row per epoch in metrics.jsonl, for TensorBoard too where asked."""

from __future__ import annotations

import json
import resource
from dataclasses import dataclass
from typing import Any

import torch

from daclass.atomic import replacing
from daclass.errors import InputError
from daclass.training.runs import Run


@dataclass
class Meter:
    """Speed of the steps of an epoch."""

    seconds: float = 0.0
    waited: float = 0.0
    images: int = 0
    steps: int = 0

    def count(self, images: int, seconds: float, waited: float) -> None:
        """A step over `images` pictures, each counted once for every run that saw it."""
        self.images += images
        self.seconds += seconds
        self.waited += waited
        self.steps += 1

    @property
    def images_per_second(self) -> float:
        return self.images / self.seconds

    def row(self, device: torch.device) -> dict[str, float]:
        """Mean seconds per step, images/s over all runs of the job, the share of the time that went
        into waiting for the loader, and the peak memory in bytes: the GPU's, or the process's."""
        if device.type == "cuda":
            memory = torch.cuda.max_memory_allocated(device)
        else:
            memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {
            "step_seconds": self.seconds / self.steps,
            "images_per_second": self.images_per_second,
            "loader_wait_share": self.waited / self.seconds,
            "memory_bytes": memory,
        }


class Journal:
    """The metrics of one run. Rows of epochs that a resumed run trains again are dropped."""

    def __init__(self, run: Run, epochs_done: int, tensorboard: bool) -> None:
        self.run = run
        lines = (
            run.metrics.read_text(errors="replace").splitlines() if run.metrics.is_file() else []
        )
        kept = [line for line in lines if _epoch(line) <= epochs_done]
        with replacing(run.metrics) as partial:
            partial.write_text("".join(f"{line}\n" for line in kept))
        self.board = _board(run, epochs_done) if tensorboard else None

    def write(self, row: dict[str, Any]) -> None:
        """Add the row of an epoch: numbers by name, "epoch" among them."""
        try:
            with self.run.metrics.open("a") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise InputError(f"{self.run.metrics}: cannot be written ({error.strerror})") from None
        if self.board:
            for name, value in row.items():
                self.board.add_scalar(name, value, row["epoch"])
            self.board.flush()


def _epoch(line: str) -> float:
    """The epoch of a row; of one that was cut short, an epoch that never comes."""
    try:
        return float(json.loads(line)["epoch"])
    except (ValueError, TypeError, KeyError):
        return float("inf")


def _board(run: Run, epochs_done: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError:
        raise InputError(
            "machine.tensorboard: TensorBoard is not installed; pip install 'daclass[tensorboard]'"
        ) from None
    return SummaryWriter(run.folder / "tensorboard", purge_step=epochs_done + 1)
