"""Whether a job's cores decode and crop pictures as fast as its GPUs train on them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from daclass.config import Study
from daclass.config.interventions import Phase

DECODE, CROP = 8.2e-9, 1.8e-9
"""Seconds of one core per pixel of a stored picture: to decode a JPEG, and for each crop of it. The
16 cores of an H200 machine decoded 8,590 pictures of 500 x 375 px per second and cut one crop of
192 px from each, and 3,829 with eight crops from each (benchmarks/results/h200.jsonl): 1.53 ms for
the one and 0.33 ms for the other."""

UNKNOWN = 0.75
"""Area of a picture as a share of the square of its longer side, where sizes are not known: 4:3."""

ENOUGH = 1.1
"""Cores are named so that the loader is this much faster than the GPUs."""


@dataclass(frozen=True)
class Demand:
    """What GPUs ask of the cores of one process.

    Attributes:
        runs: that see every decoded picture.
        crops: that are cut from it.
        pixels: of a stored picture, on average.
        seconds: of a core per picture.
        asked: pictures per second that its GPUs take, each decoded once.
        threads: that the process has.
    """

    runs: int
    crops: int
    pixels: float
    seconds: float
    asked: float
    threads: int

    @property
    def given(self) -> float:
        """Pictures per second that the threads decode and crop."""
        return self.threads / self.seconds

    @property
    def needed(self) -> int:
        """Threads with which the GPUs do not wait."""
        return max(math.ceil(ENOUGH * self.asked * self.seconds), 1)

    @property
    def share(self) -> float:
        """Of the GPUs' rate that the threads allow, at most 1."""
        return min(self.given / self.asked, 1.0)


def demand(study: Study, phase: Phase, pictures: float, sizes: Sequence[tuple[int, int]]) -> Demand:
    """What one process of a job of `phase` asks of its cores.

    Args:
        pictures: that the job's GPUs train on per second, each counted once per run that sees it.
        sizes: (height, width) in px of some pictures as they are stored; may be empty.
    """
    runs = len(study.policy_names(phase))
    crops = runs if study.axis.name == "rrc_scale" else 1
    longest = study.beton.max_resolution or 500
    pixels = UNKNOWN * longest**2
    if sizes:
        pixels = statistics.mean(height * width for height, width in sizes)
    compressed = study.training.loader != "ffcv" or study.beton.write_mode == "jpg"
    seconds = pixels * (compressed * DECODE + crops * CROP)
    asked = pictures / runs / study.training.processes
    return Demand(runs, crops, pixels, seconds, asked, study.machine.threads)


def told(study: Study, found: Demand, unit: str) -> str:
    """A sentence on which of the two is the limit, and on what would help the cores.

    Args:
        unit: kind of GPU that `found` asks for.
    """
    limit = "the cores are the limit" if found.share < 1 else "the GPUs are the limit"
    text = (
        f"{limit} on {unit}: {found.threads} threads per process decode about {found.given:,.0f} "
        f"pictures per second of {found.pixels / 1e3:,.0f} thousand pixels and cut {found.crops} "
        f"crops of each; the GPUs take {found.asked:,.0f}, which {found.needed} threads can give"
    )
    if found.share == 1:
        return text
    helps = [f"machine.threads: {found.needed}", "more runs per job, which share each decode"]
    if study.training.loader == "ffcv" and study.beton.write_mode == "jpg":
        helps += ["smaller stored pictures (beton.max_resolution)", "beton.write_mode: raw"]
    return f"{text}. They would wait {1 - found.share:.0%} of the time. What helps: " + "; ".join(
        helps
    )
