"""Designed policies whose strengths are no sign of a class."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from daclass.analysis.designers.evidence import Design, Evidence
from daclass.augment.mixture import Mixture
from daclass.designer import DESIGNERS, designer


class Mixing(BaseModel):
    """How much of a policy is mixed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the pictures of every class that draw their strength; 1 leaves nothing of the
    policy."""


_SUMMARY = (
    " Every class draws its strength picture by picture: often its own, else one of the strengths "
    "in use, so that a strength is no sign of a class."
)


@designer(
    title="weaker for swallowers, mixed",
    summary="The strengths of “weaker for swallowers”." + _SUMMARY,
    changes_m=True,
    settings=Mixing,
)
def fp_informed_mixed(evidence: Evidence, settings: Mixing) -> Design:
    """The policy of fp_informed, mixed.

    A class that alone is trained on whole pictures takes whole test pictures from others, because
    the network learns what their view says. Here every class draws its strength picture by picture:
    with probability ``1 - share`` its own, with probability `share` one of all strengths in use,
    each as often as training pictures have it.

    Where a share q of the pictures belongs to classes at another strength, that strength speaks for
    them by odds of ``(1 - share + share q) / (share q)``: 11 for a tenth of the pictures and a
    share of a half, without end where nothing is mixed. So mixing weakens the sign; only a share of
    1 removes it, and with it the policy.
    """
    return _mixed(evidence, "fp_informed", settings.share)


@designer(
    title="own optimum for each, mixed",
    summary="The strengths of “own optimum for each”." + _SUMMARY,
    settings=Mixing,
)
def graded_mixed(evidence: Evidence, settings: Mixing) -> Design:
    """The policy of graded, mixed as fp_informed_mixed is."""
    return _mixed(evidence, "graded", settings.share)


def _mixed(evidence: Evidence, of: str, share: float) -> Design:
    plain: Design = DESIGNERS[of](evidence)
    if plain.policy.uniform:
        summary = f"one strength for all, so nothing to mix: the same as {of}"
        return Design(plain.policy, {**plain.reasons, "summary": summary})
    own, pictures = plain.policy.strengths(evidence.names), evidence.training_pictures
    used = {s: float(pictures[own == s].sum() / pictures.sum()) for s in np.unique(own).tolist()}
    policy = replace(plain.policy, mixture=Mixture(share, used))
    return Design(
        policy,
        {
            **plain.reasons,
            "summary": f"{plain.reasons['summary']}; {share:.0%} of the pictures of every class "
            "draw one of the strengths in use",
        },
    )
