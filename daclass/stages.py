"""The stages of a study: each reads the files of earlier ones, calls one room and writes its own.

A stage is a function of a study and a layout. Snakemake's rules and people both reach it as
``daclass <stage> <config>``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from daclass import provenance
from daclass.atomic import replacing
from daclass.augment import Policy
from daclass.errors import InputError
from daclass.layout import Layout
from daclass.study import Phase, Study
from daclass.tables import read_table, write_table

if TYPE_CHECKING:
    from daclass.plots.draw import Tables
    from daclass.training.loaders import Samples
    from daclass.training.runs import Run


def pictures(study: Study, layout: Layout) -> None:
    """Generate, extract or download the pictures of sources that need it."""
    from daclass.data.pictures import write_pictures

    write_pictures(study.data, layout.pictures)


def index(study: Study, layout: Layout) -> None:
    """List and check the pictures, classes and annotations."""
    from daclass.data.index import build_index
    from daclass.data.sources import open_source

    found = build_index(open_source(study.data, layout.pictures), study.data.split_seed)
    digest = study.digest("data")
    for name in ("index", "classes", "annotations", "truth"):
        write_table(getattr(found, name), name, layout.table(name), digest)


def beton(study: Study, layout: Layout, split: str, draw: int) -> None:
    """Write the pictures of one split and draw as a .beton file."""
    from daclass.data.beton import write_beton

    samples = _samples(study, layout, split, draw)
    write_beton(
        samples.files, samples.labels, study.beton, samples.beton, workers=study.machine.threads
    )


def policies(study: Study, layout: Layout, phase: Phase) -> None:
    """Write the policies to train: constant ones for the sweep, designed ones for interventions."""
    if phase == "sweep":
        for strength in study.sweep.strengths:
            Policy(study.axis, strength).save(layout.policy(phase, study.uniform_name(strength)))
    else:
        _design_interventions(study, layout)


def train(study: Study, layout: Layout, phase: Phase, seed: int) -> None:
    """Train the missing runs of one seed, all in one process and from one loader."""
    from daclass.training.loop import train

    classes = read_table("classes", layout.table("classes"))
    runs = _runs(study, layout, phase, seed)
    train(study, runs, _samples(study, layout, "train", study.draw(seed)), list(classes["name"]))
    content = {run.name: {**run.describe(), "weights": str(run.weights)} for run in runs}
    _write_json(content, layout.trained(phase, seed))


def predict(study: Study, layout: Layout, phase: Phase) -> None:
    """Predict the validation pictures with all runs of a phase over one decode."""
    from daclass.training.predict import pictures_digest, predict
    from daclass.training.runs import fingerprint

    frame = read_table("index", layout.table("index"))
    val = frame[frame["split"] == "val"]
    classes = read_table("classes", layout.table("classes"))
    digest = pictures_digest(study, fingerprint(val))
    table = predict(
        study,
        [run for seed in study.seeds(phase) for run in _runs(study, layout, phase, seed)],
        _samples(study, layout, "val", -1),
        list(val["image_id"]),
        len(classes),
        digest,
    )
    write_table(table, "predictions", layout.predictions(phase), digest)


def count(study: Study, layout: Layout) -> None:
    """Count hits and errors of every run and class; accuracy by strength."""
    from daclass.analysis.accuracy import accuracy
    from daclass.analysis.counts import count
    from daclass.predictions import validate_predictions

    tables, classes = _evidence(layout, "sweep")
    validate_predictions(tables[0], tables[1], classes)
    empty = study.analysis.empty_labels
    digest = study.digest("analysis.empty_labels", "analysis.confidence")
    write_table(count(*tables, classes, empty), "counts", layout.table("counts"), digest)
    table = accuracy(*tables, classes, empty, study.analysis.confidence)
    write_table(table, "accuracy", layout.table("accuracy"), digest)


def effects(study: Study, layout: Layout) -> None:
    """What each class loses at the strongest augmentation, and which classes are affected."""
    from daclass.analysis.effects import effects

    settings = study.analysis
    tables, classes = _evidence(layout, "sweep")
    table = effects(
        *tables,
        classes,
        strongest=study.strongest,
        reference=study.reference_strength,
        affected_rule=settings.affected.rule,
        affected_share=settings.affected.share,
        affected_at_least=settings.affected.at_least,
        q=settings.affected.q,
        empty_labels=settings.empty_labels,
        confidence=settings.confidence,
    )
    write_table(table, "effects", layout.table("effects"), study.digest("analysis"))


def confusions(study: Study, layout: Layout) -> None:
    """Which class's pictures go to which other class, at the strongest and at the reference."""
    from daclass.analysis.confusions import confusions

    (predictions, frame, _), classes = _evidence(layout, "sweep")
    table = confusions(
        predictions,
        frame,
        classes,
        strongest=study.strongest,
        reference=study.reference_strength,
        confidence=study.analysis.confidence,
    )
    write_table(table, "confusions", layout.table("confusions"), study.digest("analysis"))


def categories(study: Study, layout: Layout) -> None:
    """Of which kind each affected class's growing confusion is."""
    from daclass.analysis.categories import categories, overlaps

    classes = read_table("classes", layout.table("classes"))
    table = categories(
        read_table("effects", layout.table("effects")),
        read_table("confusions", layout.table("confusions")),
        overlaps(
            read_table("index", layout.table("index")),
            read_table("annotations", layout.table("annotations")),
            len(classes),
        ),
        classes,
        overlap=study.analysis.categories.overlap,
        similarity=study.analysis.categories.similarity,
    )
    write_table(table, "categories", layout.table("categories"), study.digest("analysis"))


def interventions(study: Study, layout: Layout) -> None:
    """What the designed policies change, on fresh seeds and the estimation half."""
    from daclass.analysis.interventions import interventions
    from daclass.predictions import validate_predictions

    tables, classes = _evidence(layout, "interventions")
    validate_predictions(tables[0], tables[1], classes)
    found = read_table("effects", layout.table("effects"))
    swallowed = read_table("categories", layout.table("categories"))
    table = interventions(
        *tables,
        classes,
        affected=sorted(found.loc[found["affected"], "class_id"].unique().tolist()),
        swallowers=sorted(set(swallowed["swallower_id"]) - {-1}),
        baselines=("uniform_strongest", "uniform_best"),
        empty_labels=study.analysis.empty_labels,
        confidence=study.analysis.confidence,
    )
    digest = study.digest("analysis", "interventions")
    write_table(table, "interventions", layout.table("interventions"), digest)


def planted(study: Study, layout: Layout) -> None:
    """What a generated set has planted beside what was found."""
    from daclass.analysis.planted import planted

    table = planted(
        read_table("truth", layout.table("truth")),
        read_table("effects", layout.table("effects")),
        read_table("confusions", layout.table("confusions")),
        read_table("categories", layout.table("categories")),
    )
    write_table(table, "planted", layout.table("planted"), study.digest("analysis"))


def figures(study: Study, layout: Layout) -> None:
    """Draw the figures, each as SVG, PNG and CSV."""
    from daclass.plots.draw import draw_all

    draw_all(_tables(study, layout), layout.figures)


def summary(study: Study, layout: Layout, config: Path, changes: Sequence[str] = ()) -> None:
    """Write summary.json."""
    from daclass.analysis.summary import summarise

    found = {name: read_table(name, path) for name, path in _table_paths(study, layout).items()}
    runs = {
        run["run"]
        for phase in study.phases
        for seed in study.seeds(phase)
        for run in json.loads(layout.trained(phase, seed).read_text()).values()
    }
    content = summarise(
        study=study.name,
        title=study.title,
        config_digest=study.digest(),
        axis=study.axis.name,
        strengths=list(study.sweep.strengths),
        strongest=study.strongest,
        reference=study.reference_strength,
        q=study.analysis.affected.q,
        runs_trained=len(runs),
        versions=provenance.versions(),
        wall_seconds=provenance.wall_seconds(layout.times),
        tables=found,
    )
    content["provenance"] = {
        "command": " ".join(
            [f"make study CONFIG={config}", *([f'SET="{" ".join(changes)}"'] if changes else [])]
        ),
        "git_revision": provenance.git_revision(),
        "settings": study.model_dump(mode="json"),
    }
    _write_json(content, layout.summary)


def report(study: Study, layout: Layout) -> None:
    """Write the report."""
    from daclass.report import write_report

    content = read_summary(layout)
    write_report(content, _tables(study, layout), layout.figures, layout.report)


def read_summary(layout: Layout) -> dict[str, Any]:
    """The content of summary.json."""
    if not layout.summary.is_file():
        raise InputError(f"{layout.summary}: no such file; run the study first")
    content: dict[str, Any] = json.loads(layout.summary.read_text(encoding="utf-8"))
    return content


def _design_interventions(study: Study, layout: Layout) -> None:
    from daclass.analysis.policies import Evidence, design, resolve_m

    if study.interventions is None:
        raise InputError("interventions: this study has no such section, so no policies to design")
    classes = read_table("classes", layout.table("classes"))
    evidence = Evidence(
        counts=read_table("counts", layout.table("counts")),
        effects=read_table("effects", layout.table("effects")),
        categories=read_table("categories", layout.table("categories")),
        classes=classes,
        axis=study.axis,
        strengths=study.sweep.strengths,
        strongest=study.strongest,
        reference=study.reference_strength,
        m=resolve_m(study.interventions.classes, len(classes)),
        random_seed=study.interventions.random_seed,
    )
    for name, designed in design(study.interventions.designers, evidence).items():
        designed.policy.save(layout.policy("interventions", name))
        record = {
            "policy": name,
            "reasons": designed.reasons,
            "half": "select",
            "seeds": list(study.sweep.seeds),
            "m": evidence.m,
            "analysis": study.digest("analysis"),
        }
        _write_json(record, layout.provenance(name))


def _runs(study: Study, layout: Layout, phase: Phase, seed: int) -> list[Run]:
    from daclass.training.runs import plan_runs

    loaded = {}
    for name in study.policy_names(phase):
        try:
            loaded[name] = Policy.load(layout.policy(phase, name))
        except ValueError as error:
            raise InputError(str(error)) from None
    frame = read_table("index", layout.table("index"))
    return plan_runs(study, frame, loaded, seed, layout.runs)


def _samples(study: Study, layout: Layout, split: str, draw: int) -> Samples:
    from daclass.training.loaders import Samples

    frame = read_table("index", layout.table("index"))
    rows = frame[(frame["split"] == split) & (frame["draw"] == draw)]
    if rows.empty:
        raise InputError(f"there is no draw {draw} of the split {split}")
    root = study.data.root if study.data.source == "folder" else layout.pictures
    return Samples(
        layout.beton(split, draw),
        [root / image_id for image_id in rows["image_id"]],
        rows["class_id"].to_numpy("int64"),
    )


def _evidence(
    layout: Layout, phase: Phase
) -> tuple[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], int]:
    """Predictions, index and annotations, and the number of classes."""
    tables = (
        read_table("predictions", layout.predictions(phase)),
        read_table("index", layout.table("index")),
        read_table("annotations", layout.table("annotations")),
    )
    return tables, len(read_table("classes", layout.table("classes")))


def table_names(study: Study) -> tuple[str, ...]:
    """The tables that summary, figures and report read."""
    names = ("classes", "counts", "accuracy", "effects", "confusions", "categories", "planted")
    return (*names, "interventions") if study.interventions else names


def _table_paths(study: Study, layout: Layout) -> dict[str, Path]:
    return {name: layout.table(name) for name in table_names(study)}


def _tables(study: Study, layout: Layout) -> Tables:
    from daclass.plots.draw import Tables

    thresholds = study.analysis.categories
    return Tables.read(
        _table_paths(study, layout), study.axis.name, thresholds.overlap, thresholds.similarity
    )


def _write_json(content: Any, path: Path) -> None:
    with replacing(path) as partial:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        partial.write_text(text + "\n", encoding="utf-8")


WHOLE: dict[str, Callable[[Study, Layout], None]] = {
    stage.__name__: stage
    for stage in (
        pictures, index, count, effects, confusions, categories, interventions, planted, figures,
        report,
    )
}  # fmt: skip
"""The stages that need a study and a layout alone, by name."""
