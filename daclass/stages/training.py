"""Policies and seeds to weights to predictions, for all phases alike.

Weights lie in the run store, each under a hash of all that it depends on. They are no output of a
job: a job's outputs are made anew when it runs again, and a job that gained a strength must find
the runs that it already has. What a training leaves is the record of its seed's runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from daclass import provenance
from daclass.augment import Policy
from daclass.config import Study
from daclass.designer import FINE_TUNED
from daclass.stages.data import of_draw, of_pictures, root_of
from daclass.stages.policies import load_policy, phases, policy_files
from daclass.stages.receipts import read_record, write_record
from daclass.stages.settings import values
from daclass.stages.stage import RUN_STORES, Items, Of, Stage, files, table

if TYPE_CHECKING:
    from daclass.training.batches import Samples
    from daclass.training.predict import Judged
    from daclass.training.recipe import Recipe
    from daclass.training.runs import Run


def runs_of(
    study: Study,
    of: Of,
    index: pd.DataFrame,
    classes: pd.DataFrame,
    policies: pd.DataFrame,
    policy: Sequence[Path],
    stores: Sequence[Path],
) -> list[Run]:
    """The runs of a phase and seed, one per policy, in the order of table "policies"."""
    from daclass.training.runs import fingerprint, plan_fine_tuning, plan_runs

    names = list(classes["name"])
    loaded = {
        name: load_policy(path, study.axis, names)
        for name, path in zip(policies["policy"], policy, strict=True)
    }
    pictures = fingerprint(of_draw(index, "train", study.draw(of.seed)))

    def planned(policies: Mapping[str, Policy]) -> list[Run]:
        return plan_runs(recipe_digest(study), pictures, policies, of.seed, *stores)

    if of.phase == "fine_tuning":
        parent = str(policies["parent"].iloc[0])
        origin = planned({parent: loaded[FINE_TUNED + parent]})[0]
        tuned = study.digest("interventions.fine_tuning")
        return plan_fine_tuning(tuned, loaded, origin, *stores)
    return planned(loaded)


def recipe_digest(study: Study) -> str:
    """Hash of all that a run's weights depend on, but for its pictures, its policy and its seed:
    settings, and what is in the files that they name.

    Raises:
        InputError: there are no such weights to start from, or a file cannot be read.
    """
    from daclass.training.initial import origin

    training, settings = study.training, study.training_digest()
    if training.init == "random" and not training.input_files:
        return settings
    contents = [origin(training)]
    for file in (training.class_weights, training.init_names):
        if isinstance(file, Path):
            contents.append(file.read_text(encoding="utf-8", errors="replace"))
    return hashlib.sha256(json.dumps([settings, *contents]).encode()).hexdigest()[:12]


def recipe_of(study: Study, phase: str = "sweep") -> Recipe:
    """What decides the weights of a study's runs, but for pictures, policies and seeds."""
    from daclass.training.recipe import Recipe

    tuned = phase == "fine_tuning" and study.interventions
    tuning = study.interventions.fine_tuning if tuned and study.interventions else None
    return Recipe(study.seed, study.training, study.augmentation, study.beton, tuning)


def samples_of(
    index: pd.DataFrame, split: str, draw: int, beton: Path | None, root: Path
) -> Samples:
    """One split and draw as loaders take it; without a .beton, from the pictures' own files."""
    from daclass.training.batches import Samples

    rows = of_draw(index, split, draw)
    return Samples(
        beton or Path(),  # the torchvision loader opens the pictures' own files
        [root / name for name in rows["image_id"]],
        rows["class_id"].to_numpy("int64"),
        list(rows["content"]),
    )


def _recipe(study: Study, of: Of) -> list[str]:
    """What decides the weights of a phase's runs, and which runs there are."""
    tuned = ["interventions.fine_tuning"] if of.phase == "fine_tuning" else []
    pictures = ["data.source", "data.petri", "data.draws"]
    return ["seed", "augmentation", "training", "beton", *pictures, *tuned]


def _training_files(study: Study) -> Mapping[str, Sequence[Path]]:
    files = study.training.input_files if study.sweep else []
    return {"training": files} if files else {}


def _packages(study: Study) -> Mapping[str, str]:
    """Packages of other people that bring the axis, or say which weights are pretrained."""
    found = study.plugins("augmentation")
    if study.training.init == "pretrained":
        library = "torchvision" if study.training.model.startswith("torchvision/") else "timm"
        found["training.init"] = f"{library} {provenance.version(library)}"
    return found


def train(
    study: Study,
    of: Of,
    index: pd.DataFrame,
    classes: pd.DataFrame,
    policies: pd.DataFrame,
    policy: Sequence[Path],
    stores: Sequence[Path],
    trained: Path,
    beton: Path | None = None,
    val_beton: Path | None = None,
    pictures: Path | None = None,
    parents: Path | None = None,
) -> None:
    """Train the missing runs of one seed, all in one process and from one loader."""
    from daclass.training.loop import train

    root = root_of(study, pictures)
    wanted = runs_of(study, of, index, classes, policies, policy, stores)
    watched = study.machine.validate_every
    train(
        recipe_of(study, of.phase),
        study.machine,
        wanted,
        samples_of(index, "train", study.draw(of.seed), beton, root),
        list(classes["name"]),
        samples_of(index, "val", -1, val_beton, root) if watched else None,
        config=json.dumps(values(study, _recipe(study, of))),
    )
    write_record(
        {
            run.name: {**run.describe(), "weights": str(run.weights), "seconds": run.seconds}
            for run in wanted
        },
        trained,
    )


def _train_reads(study: Study, of: Of) -> Mapping[str, Items]:
    found: dict[str, Items] = {
        "index": table("index"),
        "classes": table("classes"),
        "policies": table("policies", of.phase),
        "policy": policy_files(study, of.phase),
        "stores": RUN_STORES,
    }
    if study.training.loader != "ffcv":
        found |= of_pictures(study)
    else:
        draw = study.draw(int(of.seed)) if str(of.seed).isdigit() else of.seed
        found["beton"] = files("beton", "train", draw)
        # Also where nobody watches the accuracy: what the machine section says decides nothing.
        found["val_beton"] = files("beton", "val", -1)
    if of.phase == "fine_tuning":
        found["parents"] = files("trained", "interventions", of.seed)
    return found


TRAIN = Stage(
    "train",
    train,
    reads=_train_reads,
    writes=lambda study, of: {"trained": files("trained", of.phase, of.seed)},
    settings=_recipe,
    spared=("machine", "data.root"),
    outside=_training_files,
    packages=_packages,
    jobs=lambda study: [
        Of(phase=phase, seed=seed)
        for phase in (study.phases if study.sweep else ())
        for seed in study.seeds(phase)
    ],
    which=("phase", "seed"),
    shared=True,
)


def predict(
    study: Study,
    of: Of,
    index: pd.DataFrame,
    classes: pd.DataFrame,
    policies: pd.DataFrame,
    policy: Sequence[Path],
    stores: Sequence[Path],
    trained: Sequence[Path],
    beton: Path | None = None,
    pictures: Path | None = None,
) -> Mapping[str, pd.DataFrame]:
    """Predict the validation pictures with all runs of a phase over one decode."""
    from daclass.training.predict import predict
    from daclass.training.runs import DamagedWeights

    records = {_seed(read_record(path)): path for path in trained}
    runs = [
        run
        for seed in records
        for run in runs_of(study, of._replace(seed=seed), index, classes, policies, policy, stores)
    ]
    judged = judged_of(study, index, classes, beton, root_of(study, pictures))
    try:
        made = predict(recipe_of(study), study.machine, runs, judged, shown_of(study, index))
    except DamagedWeights as error:
        records[error.run.seed].unlink(missing_ok=True)  # so that it is trained again
        raise
    return {"predictions": made}


def shown_of(study: Study, index: pd.DataFrame) -> str:
    """Hash of the validation pictures, how they are stored, and how networks are shown them."""
    from daclass.training.runs import fingerprint

    shown = (
        "training.val_resolution", "training.val_crop", "training.val_flip", "analysis.views",
        "analysis.logit_shift",
    )  # fmt: skip
    return f"{study.digest('beton', *shown)}-{fingerprint(of_draw(index, 'val', -1))}"


def judged_of(
    study: Study, index: pd.DataFrame, classes: pd.DataFrame, beton: Path | None, root: Path
) -> Judged:
    """The validation pictures as networks judge them."""
    from daclass.training.predict import Judged

    val = of_draw(index, "val", -1)
    return Judged(
        samples=samples_of(index, "val", -1, beton, root),
        ids=list(val["image_id"]),
        classes=len(classes),
        views=study.views,
        shifted=study.analysis.logit_shift,
        select=(val["half"] == "select").to_numpy(bool),
    )


def _seed(trained: Mapping[str, Any]) -> int:
    """The seed of a record of trained runs."""
    return int(next(iter(trained.values()))["seed"])


def _predict_reads(study: Study, of: Of) -> Mapping[str, Items]:
    ffcv = study.training.loader == "ffcv"
    return {
        "index": table("index"),
        "classes": table("classes"),
        "policies": table("policies", of.phase),
        "policy": policy_files(study, of.phase),
        "stores": RUN_STORES,
        "trained": [files("trained", of.phase, seed) for seed in study.seeds(of.phase)],
        **({"beton": files("beton", "val", -1)} if ffcv else of_pictures(study)),
    }


PREDICT = Stage(
    "predict",
    predict,
    reads=_predict_reads,
    writes=lambda study, of: {"predictions": table("predictions", of.phase)},
    settings=lambda study, of: [*_recipe(study, of), "analysis.views", "analysis.logit_shift"],
    spared=("machine", "data.root"),
    outside=_training_files,
    packages=_packages,
    jobs=phases,
    which=("phase",),
)


def predict_networks(
    study: Study,
    networks: Path,
    index: pd.DataFrame,
    classes: pd.DataFrame,
    beton: Path | None,
    root: Path,
) -> pd.DataFrame:
    """Table "predictions" of networks that were trained elsewhere, on the validation pictures."""
    from daclass.training.elsewhere import read_networks
    from daclass.training.predict import predict_networks

    return predict_networks(
        recipe_of(study),
        study.machine,
        read_networks(networks, study.training, len(classes)),
        judged_of(study, index, classes, beton, root),
    )
