"""Designers: policies made from what the sweep shows.

A designer is a pure function of `Evidence`: it sees nothing but the selection half and the sweep's
seeds. What its policy does is measured on the estimation half with fresh seeds. A new designer is
one function and one line in `DESIGNERS` (and its name in `daclass.config.Designer`).
"""

from __future__ import annotations

from collections.abc import Callable

from daclass.analysis.designers.affected import naive_removal, reweighted
from daclass.analysis.designers.control import random_classes
from daclass.analysis.designers.evidence import Design, Evidence, resolve_m
from daclass.analysis.designers.graded import graded
from daclass.analysis.designers.informed import fp_informed, fp_informed_best, fp_informed_original
from daclass.analysis.designers.uniform import (
    uniform_best,
    uniform_each,
    uniform_reference,
    uniform_strongest,
)

__all__ = ["DESIGNERS", "NEED_NO_SWEEP", "Design", "Evidence", "resolve_m"]

DESIGNERS: dict[str, Callable[[Evidence], Design]] = {
    "uniform_strongest": uniform_strongest,
    "uniform_best": uniform_best,
    "uniform_reference": uniform_reference,
    "uniform_each": uniform_each,
    "naive_removal": naive_removal,
    "fp_informed": fp_informed,
    "fp_informed_best": fp_informed_best,
    "fp_informed_original": fp_informed_original,
    "graded": graded,
    "random_classes": random_classes,
    "reweighted": reweighted,
}

NEED_NO_SWEEP = frozenset({"uniform_strongest", "uniform_reference", "uniform_each"})
"""Designers whose policy follows from the config alone."""
