"""A designer that needs one training instead of a sweep."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from daclass.analysis.designers.evidence import Design, Evidence, designed
from daclass.designer import designer

_ROUNDING = 1e-9


class Preserving(BaseModel):
    """When a network still knows a class."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    kept: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Share of a class's accuracy at the weakest strength that a strength has to leave."""


@designer(
    title="as strong as each still is known",
    summary="Every class at the strongest strength under which one network, trained at the "
    "weakest, still knows it.",
    needs="one run",
    settings=Preserving,
    suits=lambda axis: not axis.mixes,
)
def label_preserving(evidence: Evidence, settings: Preserving) -> Design:
    """Every class at the strongest strength that leaves its pictures recognisable.

    After class-adaptive data augmentation (Yoo and Kang, IEEE Access 2023), which trains a network
    without augmentation and then searches, class by class, for the strongest transformation that
    keeps the labels by this network's judgement. Here the network is the sweep's at the weakest
    strength, with the first seed; the transformations are the sweep's strengths; and a strength
    keeps a class where the network recognises at least the share `kept` of those of its pictures
    that it recognises at the weakest: selection half, several draws of the augmentation per picture
    (table "preserved"). The strongest strength that keeps the class is taken.

    A class that the network does not know at all gets what most classes get. So does every class
    that is not named, which decides the policy's default; of strengths that as many classes get,
    the weaker one.

    Where an axis mixes pictures, what is shown has several classes, and nothing is to be preserved.
    """
    right, shown = evidence.preserved
    with np.errstate(invalid="ignore", divide="ignore"):
        known = right / shown  # [K, C], strongest first
        left = known / known[-1]
    keeps = np.isfinite(left) & (left >= settings.kept - _ROUNDING)
    told = [k for k in range(len(evidence.names)) if keeps[-1, k]]
    own = {k: int(np.argmax(keeps[:, k])) for k in told}
    taken = Counter(own.values())
    most = max(taken, key=lambda level: (taken[level], level), default=len(known) - 1)
    strengths = {k: evidence.ordered[level] for k, level in own.items() if level != most}
    default = evidence.ordered[most]
    reasons = {
        k: f"the network trained at {evidence.ordered[-1]:g} keeps {left[own[k], k]:.0%} of the "
        f"{known[-1, k]:.0%} of its pictures at {strength:g}"
        + (f", and {left[own[k] - 1, k]:.0%} at {evidence.ordered[own[k] - 1]:g}" if own[k] else "")
        for k, strength in strengths.items()
    }
    summary = (
        f"every class at the strongest strength that keeps {settings.kept:.0%} of what one network "
        f"knows of it: {default:g} but for {len(strengths)} of {len(evidence.names)} classes"
        if strengths
        else f"one network keeps {settings.kept:.0%} of every class at the same strength, "
        f"{default:g} for all"
    )
    return designed(evidence, default, summary, strengths, reasons)
