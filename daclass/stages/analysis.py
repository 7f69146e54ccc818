"""Predictions and annotations to effects, confusions and categories; and what policies changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from daclass.analysis.cells import PREDICTION_COLUMNS
from daclass.analysis.views import PREDICTION_COLUMNS as VIEW_COLUMNS
from daclass.config import Study
from daclass.designer import DESIGNERS, TESTED
from daclass.stages.data import overlaps_elsewhere
from daclass.stages.policies import phases
from daclass.stages.receipts import read_record
from daclass.stages.stage import ONE, Items, Of, Stage, files, table

if TYPE_CHECKING:
    from daclass.analysis.cells import Cells

EVIDENCE = ("index", "classes", "annotations")

MEASURED = (
    "tested", "counts", "accuracy", "class_accuracy", "effects", "null_band", "explained",
    "confusions", "false_positives", "models",
)  # fmt: skip
"""The tables of stage `measure`."""

KINDS = ("categories", "kind_drops", "sensitivity", "share_sensitivity", "top_confusions")
"""The tables of stage `categories`."""

COMPARED = ("comparison", "sweep", "augmentation.axis")
"""What decides which conditions there are and how they are called."""
QUESTION = (*COMPARED, "analysis.tested", "analysis.reference")
"""What decides which of them are compared; what comes after `measure` reads that from its table."""


def _tables(names: Sequence[str]) -> dict[str, Items]:
    return {name: table(name) for name in names}


def cells(
    study: Study,
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    classes: pd.DataFrame,
    annotations: pd.DataFrame,
) -> Cells:
    """Predictions joined with index and annotations."""
    from daclass.analysis.cells import arrange_cells

    return arrange_cells(
        predictions,
        index,
        annotations,
        len(classes),
        study.analysis.empty_labels,
        study.training.val_crop,
    )


def measure(study: Study, **evidence: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """Join predictions and annotations; count, and estimate accuracies, effects and confusions."""
    from daclass.analysis.effects import Affected
    from daclass.analysis.measures import measures
    from daclass.analysis.models import models
    from daclass.analysis.notes import names_of_runs

    joined, settings = cells(study, **evidence), study.analysis
    found = measures(
        joined,
        study.conditions,
        study.reference_condition,
        study.tested_condition,
        Affected(**settings.affected.model_dump()),
        confidence=settings.confidence,
        replicates=settings.bootstrap,
        random_seed=study.seed,
    )
    runs = evidence["predictions"]
    return {**found, "models": models(joined, names_of_runs(joined.table, runs), runs)}


MEASURE = Stage(
    "measure",
    measure,
    reads=lambda study, of: {"predictions": table("predictions", "sweep"), **_tables(EVIDENCE)},
    writes=lambda study, of: _tables(MEASURED),
    settings=lambda study, of: [
        "seed",
        *QUESTION,
        "analysis.confidence",
        "analysis.empty_labels",
        "analysis.affected",
        "analysis.bootstrap",
        "training.val_crop",
    ],
    version=2,
)


def views(
    study: Study,
    of: Of,
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    classes: pd.DataFrame,
    annotations: pd.DataFrame | None = None,
) -> Mapping[str, pd.DataFrame]:
    """Estimate accuracy at every view, and what classes lose with each strength at its best one."""
    from daclass.analysis.tested import conditions_of
    from daclass.analysis.views import view_effects, views

    common, confidence = study.training.val_crop, study.analysis.confidence
    found = {"views": views(predictions, index, len(classes), common, confidence=confidence)}
    if annotations is not None:
        joined = cells(study, predictions, index, classes, annotations)
        names, tested = study.conditions, study.tested_condition
        conditions = conditions_of(joined, names, study.reference_condition, tested)
        found["view_effects"] = view_effects(
            predictions, index, len(classes), conditions, common, confidence=confidence
        )
    return found


VIEWS = Stage(
    "views",
    views,
    reads=lambda study, of: {
        "predictions": table("predictions", of.phase),
        **_tables(EVIDENCE if of.phase == "sweep" else ["index", "classes"]),
    },
    writes=lambda study, of: {
        "views": table("views", of.phase),
        **(_tables(["view_effects"]) if of.phase == "sweep" else {}),
    },
    settings=lambda study, of: [
        "analysis.confidence",
        "training.val_crop",
        *((*QUESTION, "analysis.empty_labels") if of.phase == "sweep" else ()),
    ],
    jobs=phases,
    which=("phase",),
    columns={"predictions": VIEW_COLUMNS},
)


def categories(
    study: Study,
    effects: pd.DataFrame,
    confusions: pd.DataFrame,
    overlaps: pd.DataFrame | None = None,
    **evidence: pd.DataFrame,
) -> Mapping[str, pd.DataFrame]:
    """Of which kind each affected class's growing confusion is, and the largest of every class."""
    from daclass.analysis.categories import overlaps as overlaps_of
    from daclass.analysis.kinds import kinds_of_confusions
    from daclass.analysis.tested import conditions_of
    from daclass.data.embeddings import read_embeddings

    joined, classes = cells(study, **evidence), evidence["classes"]
    if overlaps is None:
        overlaps = overlaps_of(evidence["index"], evidence["annotations"], len(classes))
    thresholds = study.analysis.categories
    file = thresholds.embeddings
    return kinds_of_confusions(
        joined,
        conditions_of(joined, study.conditions, study.reference_condition, study.tested_condition),
        effects,
        confusions,
        overlaps,
        classes,
        overlap=thresholds.overlap,
        similarity=thresholds.similarity,
        confidence=study.analysis.confidence,
        vectors=read_embeddings(file, list(classes["name"])) if file else None,
    )


CATEGORIES = Stage(
    "categories",
    categories,
    reads=lambda study, of: {
        "predictions": table("predictions", "sweep"),
        **_tables(EVIDENCE),
        **_tables(["effects", "confusions"]),
        **_tables(["overlaps"] if overlaps_elsewhere(study) else []),
    },
    writes=lambda study, of: _tables(KINDS),
    settings=lambda study, of: [
        *QUESTION,
        "analysis.categories",
        "analysis.confidence",
        "analysis.empty_labels",
        "training.val_crop",
    ],
    columns={"predictions": PREDICTION_COLUMNS},
    outside=lambda study: {
        "analysis.categories": [file] if (file := study.analysis.categories.embeddings) else []
    },
    version=2,
)


def planted(study: Study, **tables: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """What a generated set has planted beside what was found."""
    from daclass.analysis.planted import planted

    return {"planted": planted(**tables)}


PLANTED = Stage(
    "planted",
    planted,
    reads=lambda study, of: _tables(["truth", "effects", "confusions", "categories"]),
    writes=lambda study, of: _tables(["planted"]),
    settings=lambda study, of: [],
)


def interventions(
    study: Study,
    effects: pd.DataFrame,
    categories: pd.DataFrame,
    trained: Sequence[Path],
    policies: pd.DataFrame,
    views: pd.DataFrame,
    tested: pd.DataFrame,
    predictions: pd.DataFrame,
    **evidence: pd.DataFrame,
) -> Mapping[str, pd.DataFrame]:
    """What the designed policies and remedies without training change, on fresh seeds and the
    estimation half."""
    from daclass.analysis.costs import costs
    from daclass.analysis.interventions import intervention_classes, interventions
    from daclass.analysis.remedies import remedies, with_remedies
    from daclass.analysis.tested import condition_of

    others = remedies(views, condition_of(tested, "tested"))
    confidence = study.analysis.confidence
    judged = with_remedies(predictions, others, study.training.val_crop)
    joined = cells(study, predictions=judged, **evidence)
    baselines = (*study.baselines, *(remedy.name for remedy in others))
    classes = intervention_classes(joined, baselines, confidence=confidence)
    return {
        "interventions": interventions(
            joined,
            affected=sorted(effects.loc[effects["affected"], "class_id"].unique().tolist()),
            swallowers=sorted(set(categories["swallower_id"]) - {-1}),
            baselines=baselines,
            controls=study.controls(),
            classes=classes,
            q=study.analysis.affected.q,
            confidence=confidence,
        ),
        "intervention_classes": classes,
        "intervention_costs": costs(
            *_work(study, evidence["index"], [read_record(path) for path in trained], policies)
        ),
    }


def _work(
    study: Study,
    index: pd.DataFrame,
    trained: Sequence[Mapping[str, Any]],
    policies: pd.DataFrame,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The runs under designed policies, and how many of the sweep each policy's design took.

    A fine-tuned run costs what its parent did too.
    """
    pictures = index.loc[index["split"] == "train", "draw"].value_counts()
    described = policies.set_index("policy")
    unknown = float("nan")  # older runs have no seconds
    seconds: dict[tuple[int, str], float] = {
        (run["seed"], policy): run.get("seconds", unknown)
        for record in trained
        for policy, run in record.items()
    }
    tuning = study.interventions.fine_tuning if study.interventions else None
    rows = []
    for (seed, policy), own in seconds.items():
        parent = str(described.loc[policy, "parent"])
        epochs = study.training.epochs
        epochs += tuning.epochs if tuning and parent else 0
        rows.append(
            {
                "policy": policy,
                "epochs": epochs,
                "pictures": epochs * pictures[study.draw(seed)],
                "seconds": own + (seconds[seed, parent] if parent else 0.0),
            }
        )
    sweep = len(study.strengths) * len(study.seeds("sweep"))
    needed = {"sweep": sweep, "one run": 1, "nothing": 0}
    return pd.DataFrame(rows), {
        str(name): needed[DESIGNERS[designer].needs]
        for name, designer in described["designer"].items()
    }


def _intervention_reads(study: Study, of: Of) -> Mapping[str, Items]:
    phases = study.phases[1:]
    return {
        "predictions": [table("predictions", phase) for phase in phases],
        **_tables(EVIDENCE),
        **_tables(["tested", "effects", "categories"]),
        "views": table("views", "sweep"),
        "policies": [table("policies", phase) for phase in phases],
        "trained": [files("trained", p, seed) for p in phases for seed in study.seeds(p)],
    }


INTERVENTIONS = Stage(
    "interventions",
    interventions,
    reads=_intervention_reads,
    writes=lambda study, of: _tables(
        ["interventions", "intervention_classes", "intervention_costs"]
    ),
    settings=lambda study, of: [
        *COMPARED,
        "analysis.empty_labels",
        "analysis.confidence",
        "analysis.affected.q",
        "interventions",
        "training.epochs",
        "training.val_crop",
        "data.source",
        "data.draws",
    ],
    jobs=lambda study: ONE if study.interventions else (),
    columns={"predictions": PREDICTION_COLUMNS},
)


def decision(
    study: Study,
    tested: pd.DataFrame,
    effects: pd.DataFrame | None = None,
    categories: pd.DataFrame | None = None,
    views: pd.DataFrame | None = None,
    view_effects: pd.DataFrame | None = None,
    predictions: pd.DataFrame | None = None,
    policies: pd.DataFrame | None = None,
    **evidence: pd.DataFrame,
) -> Mapping[str, pd.DataFrame]:
    """Decide what to train: the policy that is the study's question, the tested strength for all,
    or the reference."""
    from daclass.analysis.decision import Margins, decision
    from daclass.analysis.remedies import remedies, with_remedies
    from daclass.analysis.tested import condition_of

    if study.interventions is None:
        return {"decision": decision(tested, at_best_views=view_effects)}
    assert effects is not None and categories is not None
    assert views is not None and predictions is not None and policies is not None
    asked = study.interventions
    found = remedies(views, condition_of(tested, "tested"))
    judged = with_remedies(predictions, found, study.training.val_crop)
    of_policy = [name for name in DESIGNERS if DESIGNERS[name].role == "policy"]
    designed = list(policies.loc[policies["designer"].isin(of_policy), "policy"])
    if not designed:  # baselines and controls alone: the strength is all there is to decide
        return {"decision": decision(tested, at_best_views=view_effects)}
    question = asked.primary if asked.primary in designed else designed[0]
    made = decision(
        tested,
        cells(study, predictions=judged, **evidence),
        policy=question,
        rivals=[TESTED, *(remedy.name for remedy in found)],
        followed_up=effects.loc[effects["affected"], "class_id"].unique().tolist(),
        swallowers=sorted(set(categories["swallower_id"]) - {-1}),
        others=[name for name in designed if name != question],
        margins=Margins(asked.tolerated_loss, asked.worthwhile_gain),
        at_best_views=view_effects,
    )
    return {"decision": made}


DECISION = Stage(
    "decision",
    decision,
    reads=lambda study, of: {
        **_tables(["tested", *(["view_effects"] if study.sweep and len(study.views) > 1 else [])]),
        **(
            {
                "predictions": table("predictions", "interventions"),
                "policies": table("policies", "interventions"),
                **_tables([*EVIDENCE, "effects", "categories"]),
                "views": table("views", "sweep"),
            }
            if study.interventions
            else {}
        ),
    },
    writes=lambda study, of: _tables(["decision"]),
    settings=lambda study, of: [
        "analysis.empty_labels",
        "analysis.views",
        "interventions.primary",
        "interventions.tolerated_loss",
        "interventions.worthwhile_gain",
        "training.val_crop",
    ],
    columns={"predictions": PREDICTION_COLUMNS},
)
