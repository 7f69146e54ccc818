"""Whether policies mark their classes by how much of a picture they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from daclass.augment import RRC_SCALE
from daclass.config import Study
from daclass.designer import TESTED
from daclass.stages.stage import ONE, Items, Of, Stage, table


def marks(
    study: Study,
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    policies: pd.DataFrame,
    policy_classes: pd.DataFrame,
) -> Mapping[str, pd.DataFrame]:
    """What share of predictions the classes get that a policy shows fuller, view by view."""
    from daclass.analysis.marks import marks, shown_fuller

    pictures = index.loc[index["half"] == "estimate", ["image_id", "class_id"]]
    shown = shown_fuller(policies, policy_classes, otherwise=TESTED)
    confidence = study.analysis.confidence
    return {"marks": marks(predictions, pictures, shown, confidence=confidence)}


def has_marks(study: Study) -> Sequence[Of]:
    """Views tell a crop's strength, and no other axis's."""
    return ONE if study.interventions and study.axis == RRC_SCALE else ()


def _reads(study: Study, of: Of) -> Mapping[str, Items]:
    phases = study.phases[1:]
    return {
        "index": table("index"),
        **{
            name: [table(name, phase) for phase in phases]
            for name in ("predictions", "policies", "policy_classes")
        },
    }


MARKS = Stage(
    "marks",
    marks,
    reads=_reads,
    writes=lambda study, of: {"marks": table("marks")},
    settings=lambda study, of: ["analysis.confidence"],
    jobs=has_marks,
    columns={
        "predictions": ("policy", "seed", "image_id", "view", "shifted", "prediction"),
    },
)
