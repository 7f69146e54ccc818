"""Forms of designed policies that take away from a strength what it says of a class."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from daclass.analysis.designers.evidence import Design, Evidence
from daclass.augment.axes.rrc_scale import RRC_SCALE
from daclass.augment.mixture import Mixture
from daclass.augment.policy import Policy
from daclass.designer import DESIGNERS, designer


class Mixing(BaseModel):
    """How much of a policy is mixed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the pictures of every class that draw their strength; 1 leaves nothing of the
    policy."""


class Views(BaseModel):
    """How much of a policy whose loss is aware of views is mixed besides."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the pictures of every class that draw their strength; 0 for none."""


_MIXED = (
    " Every class draws its strength picture by picture: often its own, else one of the strengths "
    "in use, so that a strength is no sign of a class."
)


@designer(
    title="weaker for swallowers, mixed",
    summary="The strengths of “weaker for swallowers”." + _MIXED,
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
    summary="The strengths of “own optimum for each”." + _MIXED,
    settings=Mixing,
)
def graded_mixed(evidence: Evidence, settings: Mixing) -> Design:
    """The policy of graded, mixed as fp_informed_mixed is."""
    return _mixed(evidence, "graded", settings.share)


_AWARE = (
    " The training loss takes into account how likely each crop is under each class’s own "
    "strengths, so that nothing is gained by reading it off the view."
)


@designer(
    title="weaker for swallowers, views in the loss",
    summary="The strengths of “weaker for swallowers”." + _AWARE,
    changes_m=True,
    settings=Views,
    suits=lambda axis: axis == RRC_SCALE,
)
def fp_informed_view_aware(evidence: Evidence, settings: Views) -> Design:
    """The policy of fp_informed, with a loss that is aware of views.

    Which view of a picture was drawn is known in training, and so is its density p(view | class)
    under the strength of each class. The loss adds ``log p(view | class)`` to the logit of each
    class, as logit adjustment does with the frequencies of classes (Menon et al. 2021): the
    network's own logits then have to say what the picture says besides its view, and at test, where
    nothing is added, no view speaks for a class. In training alone; the strengths stay those of
    fp_informed.

    A view that a class cannot have, a small crop under a weak strength, is no evidence against
    it any more: there the network learns nothing of this class from the pictures of others. With
    `share` above 0 the policy is mixed besides, as fp_informed_mixed is, so that every class has
    every view in use, and the densities are those of the mixtures.
    """
    return _view_aware(evidence, "fp_informed", settings.share)


@designer(
    title="own optimum for each, views in the loss",
    summary="The strengths of “own optimum for each”." + _AWARE,
    settings=Views,
    suits=lambda axis: axis == RRC_SCALE,
)
def graded_view_aware(evidence: Evidence, settings: Views) -> Design:
    """The policy of graded, with the loss of fp_informed_view_aware."""
    return _view_aware(evidence, "graded", settings.share)


def _view_aware(evidence: Evidence, of: str, share: float) -> Design:
    plain: Design = _mixed(evidence, of, share) if share else DESIGNERS[of](evidence)
    if plain.policy.uniform:
        return Design(plain.policy, {**plain.reasons, "summary": _nothing(of)})
    return _summed_up(
        replace(plain.policy, view_aware=True),
        plain,
        "the loss counts how likely a crop is under each class's strengths",
    )


def _mixed(evidence: Evidence, of: str, share: float) -> Design:
    plain: Design = DESIGNERS[of](evidence)
    if plain.policy.uniform:
        return Design(plain.policy, {**plain.reasons, "summary": _nothing(of)})
    own, pictures = plain.policy.strengths(evidence.names), evidence.training_pictures
    used = {s: float(pictures[own == s].sum() / pictures.sum()) for s in np.unique(own).tolist()}
    policy = replace(plain.policy, mixture=Mixture(share, used))
    return _summed_up(
        policy,
        plain,
        f"{share:.0%} of the pictures of every class draw one of the strengths in use",
    )


def _nothing(of: str) -> str:
    return f"one strength for all, so no view is a sign of a class: the same as {of}"


def _summed_up(policy: Policy, plain: Design, added: str) -> Design:
    """The design of `plain` with another policy, and what was added to it."""
    summary = f"{plain.reasons['summary']}; {added}"
    return Design(policy, {**plain.reasons, "summary": summary})
