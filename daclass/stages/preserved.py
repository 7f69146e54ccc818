"""What one network of the sweep still knows under each strength, for designers of one training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from daclass.config import Study
from daclass.stages.data import of_pictures, root_of
from daclass.stages.policies import design_tables, policy_files
from daclass.stages.stage import ONE, RUN_STORES, Items, Of, Stage, files, table
from daclass.stages.training import judged_of, recipe_of, runs_of


def preserved(
    study: Study,
    index: pd.DataFrame,
    classes: pd.DataFrame,
    policies: pd.DataFrame,
    policy: Sequence[Path],
    stores: Sequence[Path],
    trained: Path,
    beton: Path | None = None,
    pictures: Path | None = None,
) -> Mapping[str, pd.DataFrame]:
    """Judge augmented validation pictures with one network, trained at the weakest strength."""
    from daclass.training.preserved import preserved
    from daclass.training.runs import DamagedWeights

    of = Of(phase="sweep", seed=study.seeds("sweep")[0])
    runs = runs_of(study, of, index, classes, policies, policy, stores)
    weakest = study.uniform_name(study.strengths[-1])
    run = next(run for run in runs if run.name == weakest)
    judged = judged_of(study, index, classes, beton, root_of(study, pictures))
    try:
        found = preserved(
            recipe_of(study), study.machine, run, judged, list(classes["name"]), study.strengths
        )
    except DamagedWeights:
        trained.unlink(missing_ok=True)  # so that it is trained again
        raise
    return {"preserved": found}


def _reads(study: Study, of: Of) -> Mapping[str, Items]:
    ffcv = study.training.loader == "ffcv"
    return {
        "index": table("index"),
        "classes": table("classes"),
        "policies": table("policies", "sweep"),
        "policy": policy_files(study, "sweep"),
        "stores": RUN_STORES,
        "trained": files("trained", "sweep", study.seeds("sweep")[0]),
        **({"beton": files("beton", "val", -1)} if ffcv else of_pictures(study)),
    }


PRESERVED = Stage(
    "preserved",
    preserved,
    reads=_reads,
    writes=lambda study, of: {"preserved": table("preserved")},
    settings=lambda study, of: [
        "seed",
        "augmentation",
        "training",
        "beton",
        "data.source",
        "data.petri",
        "data.draws",
        "sweep",
    ],
    spared=("machine", "data.root", "analysis.views", "analysis.logit_shift"),
    packages=lambda study: study.plugins("augmentation"),
    jobs=lambda study: ONE if "preserved" in design_tables(study) else (),
)
