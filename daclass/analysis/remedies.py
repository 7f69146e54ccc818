"""What helps without any training: another view of the judged pictures, or shifted logits.

Both use the networks that were trained with the tested strength for all. A policy that does no
better than these is not worth its training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from daclass.analysis.cells import one_view
from daclass.designer import TESTED

VIEW, SHIFT = "view", "logit_shift"
"""Names that the remedies have among policies."""


class Remedy(NamedTuple):
    """Networks of a policy, judged in another way.

    Attributes:
        name: what it is called among policies.
        policy: whose networks it uses.
        view: side of the central square that they judge, as a share of the shorter side.
        shifted: whether the shift per class that was fitted on the selection half is added to
            their logits.
    """

    name: str
    policy: str
    view: float
    shifted: bool


def remedies(views: pd.DataFrame, tested: str, policy: str = TESTED) -> list[Remedy]:
    """The remedies of a study, settled by its sweep before any fresh seed is looked at.

    Args:
        views: table "views" of the sweep.
        tested: the sweep's policy with the tested strength. Its best view was chosen on the
            selection half.
        policy: what the same strength is called among the policies with fresh seeds.

    Returns:
        The view, unless the best one is the common one; then the logit shift, where it was fitted.
    """
    own = views[(views["policy"] == tested) & (views["half"] == "select")]
    best, shifted = own[own["best"] & ~own["common"]], own[own["shifted"]]
    return [
        *(Remedy(VIEW, policy, view, False) for view in best["view"]),
        *(Remedy(SHIFT, policy, view, True) for view in shifted["view"]),
    ]


def with_remedies(
    predictions: pd.DataFrame, remedies: Sequence[Remedy], common: float
) -> pd.DataFrame:
    """The predictions of all policies at the common view, and of each remedy as one more policy.

    So remedies are judged by whatever judges policies: on the same fresh seeds and pictures.

    Args:
        predictions: table "predictions" of the policies with fresh seeds, all views.
        remedies: what `remedies` gives.
        common: the study's own view, `training.val_crop`.

    Returns:
        Rows of table "predictions", one per policy, seed and picture; all call their view `common`.

    Raises:
        InputError: a view is not there.
    """
    parts = [one_view(predictions, common)]
    for remedy in remedies:
        rows = predictions[predictions["policy"] == remedy.policy]
        rows = one_view(rows, remedy.view, shifted=remedy.shifted)
        parts.append(rows.assign(policy=remedy.name, view=common, shifted=False))
    return pd.concat(parts, ignore_index=True)
