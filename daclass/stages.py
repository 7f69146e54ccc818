"""The stages of a study: each reads the files of earlier ones, calls one room and writes its own.

A stage is a function of a study and a layout. Snakemake's rules and people both reach it as
``daclass <stage> <config>``.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from daclass import provenance
from daclass.atomic import replacing
from daclass.augment import RRC_SCALE, AugmentError, Policy
from daclass.config import (
    FINE_TUNED,
    FolderData,
    Layout,
    Phase,
    PredictionsData,
    Study,
    TinyImageNetData,
)
from daclass.designer import DESIGNERS
from daclass.errors import InputError
from daclass.tables import (
    RUNNERS_UP,
    SCHEMAS,
    content_digest,
    read_table,
    with_readable_names,
    write_table,
)

if TYPE_CHECKING:
    from daclass.analysis.cells import Cells
    from daclass.plots.tables import Tables
    from daclass.training.batches import Samples
    from daclass.training.predict import Judged
    from daclass.training.recipe import Recipe
    from daclass.training.runs import Run


def pictures(study: Study, layout: Layout) -> None:
    """Generate, extract or download the pictures of sources that need it."""
    from daclass.data.pictures import write_pictures

    if isinstance(study.data, PredictionsData):
        raise InputError("data.source: a study of predictions has no pictures")
    write_pictures(study.data, layout.pictures)


def index(study: Study, layout: Layout) -> None:
    """List and check the pictures, classes and annotations."""
    from daclass.analysis.categories import overlaps_of_sets
    from daclass.analysis.designers import resolve_m
    from daclass.data.annotations import real_label_sets
    from daclass.data.index import build_index, leaks
    from daclass.data.sources import open_source

    if isinstance(study.data, PredictionsData):
        raise InputError("data.source: predictions bring their own index; run daclass predictions")
    found = build_index(open_source(study.data, layout.pictures), study.data.split_seed)
    for plan in study.planned:  # refused now rather than after the sweep
        resolve_m(plan.classes, len(found.classes))
    leaked = leaks(found.index)
    if len(leaked):
        picture, twin = leaked.iloc[0]
        logging.warning(
            "%d training pictures are validation pictures too, such as %s (%s): accuracy flatters; "
            "data.leave_out takes them out",
            len(leaked),
            picture,
            twin,
        )
    _refuse_exact_views(study, layout, found.index)
    digest = study.digest("data")
    for name in ("index", "classes", "annotations", "truth"):
        write_table(getattr(found, name), name, layout.table(name), digest)
    if overlaps_from(study) == "real":
        names = list(found.classes["name"])
        shared = overlaps_of_sets(real_label_sets(names), len(names))
        write_table(shared, "overlaps", layout.table("overlaps"), digest)


def _refuse_exact_views(study: Study, layout: Layout, frame: pd.DataFrame) -> None:
    """Refuse judged pictures of the resolution's own size, where the config could not tell."""
    from daclass.augment.pictures import picture_size
    from daclass.config.training import EXACT_AT_MOST
    from daclass.realised import sample

    root, most = _pictures_root(study, layout), study.beton.max_resolution
    names = sample(frame.loc[frame["split"] == "val", "image_id"])
    sides = [min(picture_size(root / name, most)) for name in names]
    exact = study.training.shown_exactly(sides)
    if exact > EXACT_AT_MOST and not study.training.exact_view:
        raise InputError(study.exact_view_refusal(f"{exact:.0%} of the validation pictures"))


def overlaps_from(study: Study) -> Literal["annotations", "real"]:
    """Whose label sets tell how much two classes overlap: the study's own or ReaL's."""
    if isinstance(study.data, TinyImageNetData):
        return "real"
    return (isinstance(study.data, FolderData) and study.data.overlap) or "annotations"


def predictions(study: Study, layout: Layout) -> None:
    """Read predictions that other programs made, and the labels of their pictures."""
    from daclass.analysis.notes import suspicions
    from daclass.data.predictions import read_predictions
    from daclass.predictions import validate_predictions

    if not isinstance(study.data, PredictionsData) or study.comparison is None:
        raise InputError("data.source: this study makes its own predictions")
    joined = read_predictions(study.data, study.comparison)
    found, table = joined.index, joined.predictions
    validate_predictions(table, found.index, len(found.classes))
    texts = joined.notes + suspicions(table, found.index, list(found.classes["name"]))
    for text in texts:
        logging.warning("%s", text)
    digest = study.digest("data", "comparison")
    write_table(pd.DataFrame({"text": list(texts)}), "notes", layout.table("notes"), digest)
    for name in ("index", "classes", "annotations", "truth"):
        write_table(getattr(found, name), name, layout.table(name), digest)
    write_table(table, "predictions", layout.predictions("sweep"), digest)


def beton(study: Study, layout: Layout, split: str, draw: int) -> None:
    """Write the pictures of one split and draw as a .beton file."""
    from daclass.data.beton import write_beton

    samples = _samples(study, layout, split, draw)
    write_beton(
        samples.files, samples.labels, study.beton, samples.beton, workers=study.machine.threads
    )


def policies(study: Study, layout: Layout, phase: Phase) -> None:
    """Write the policies to train: constant ones for the sweep, designed ones for interventions."""
    if isinstance(study.data, PredictionsData):
        raise InputError("data.source: a study of predictions has no policies")
    if phase == "sweep":
        for strength in study.strengths:
            Policy(study.axis, strength).save(layout.policy(phase, study.uniform_name(strength)))
    elif phase == "interventions":
        _design_interventions(study, layout)
    else:
        raise InputError(f"{phase}: takes the policies of the phase interventions")


def train(study: Study, layout: Layout, phase: Phase, seed: int) -> None:
    """Train the missing runs of one seed, all in one process and from one loader."""
    from daclass.training.loop import train

    runs = _runs(study, layout, phase, seed)
    classes = read_table("classes", layout.table("classes"))
    train(
        _recipe(study),
        study.machine,
        runs,
        _samples(study, layout, "train", study.draw(seed)),
        list(classes["name"]),
        _samples(study, layout, "val", -1) if study.machine.validate_every else None,
        config=study.model_dump_json(),
    )
    content = {
        run.name: {**run.describe(), "weights": str(run.weights), "seconds": run.seconds}
        for run in runs
    }
    _write_json(content, layout.trained(phase, seed))


def predict(study: Study, layout: Layout, phase: Phase) -> None:
    """Predict the validation pictures with all runs of a phase over one decode."""
    from daclass.training.predict import predict
    from daclass.training.runs import DamagedWeights

    _need(study, phase)
    judged, digest = _judged(study, layout)
    runs = [run for seed in study.seeds(phase) for run in _runs(study, layout, phase, seed)]
    try:
        table = predict(_recipe(study), study.machine, runs, judged, digest)
    except DamagedWeights as error:
        layout.trained(phase, error.run.seed).unlink(missing_ok=True)  # so that it is trained again
        raise
    write_table(table, "predictions", layout.predictions(phase), digest)


def _judged(study: Study, layout: Layout) -> tuple[Judged, str]:
    """The validation pictures as networks judge them; hash of that and of how they are stored."""
    from daclass.training.predict import Judged
    from daclass.training.runs import fingerprint

    frame = read_table("index", layout.table("index"))
    val = frame[frame["split"] == "val"]
    judged = Judged(
        samples=_samples(study, layout, "val", -1),
        ids=list(val["image_id"]),
        classes=len(read_table("classes", layout.table("classes"))),
        views=study.views,
        shifted=study.analysis.logit_shift,
        select=(val["half"] == "select").to_numpy(bool),
    )
    shown = (
        "training.val_resolution", "training.val_crop", "training.val_flip", "analysis.views",
        "analysis.logit_shift",
    )  # fmt: skip
    return judged, f"{study.digest('beton', *shown)}-{fingerprint(val)}"


def predict_elsewhere(study: Study, layout: Layout, networks: Path, output: Path) -> None:
    """Predict the validation pictures with networks that were trained elsewhere."""
    from daclass.analysis.cells import one_view
    from daclass.training.elsewhere import read_networks
    from daclass.training.predict import predict_networks

    judged, _ = _judged(study, layout)
    table = predict_networks(
        _recipe(study),
        study.machine,
        read_networks(networks, study.training, judged.classes),
        judged,
    )
    if output.suffix == ".csv":
        # In the words of `daclass.data.predictions`, so that a study of predictions can read it.
        unknown = [rank for rank in RUNNERS_UP if (table[rank] < 0).all()]
        names = {"run": "model", "policy": "condition", "seed": "replicate", "image_id": "image"}
        with replacing(output) as partial:
            one = one_view(table, study.training.val_crop)
            one.drop(columns=["strength", "view", "shifted", *unknown]).rename(
                columns=names
            ).to_csv(partial, index=False)
    else:
        write_table(table, "predictions", output, study.digest("beton", "training"))


def measure(study: Study, layout: Layout) -> None:
    """Join predictions and annotations; count, and estimate accuracies, effects and confusions."""
    from daclass.analysis.conditions import Conditions
    from daclass.analysis.effects import Affected
    from daclass.analysis.measures import measures
    from daclass.analysis.models import models
    from daclass.analysis.notes import names_of_runs

    settings = study.analysis
    cells = _cells(study, layout, "sweep")
    tables = measures(
        cells,
        Conditions.of(study.conditions, study.reference_condition, cells.table),
        Affected(**settings.affected.model_dump()),
        confidence=settings.confidence,
        replicates=settings.bootstrap,
        random_seed=study.seed,
    )
    table = read_table("predictions", layout.predictions("sweep"))
    tables["models"] = models(cells, names_of_runs(cells.table, table), table)
    digest = study.digest("analysis")
    for name, table in tables.items():
        write_table(table, name, layout.table(name), digest)


def categories(study: Study, layout: Layout) -> None:
    """Of which kind each affected class's growing confusion is, and the largest of every class."""
    from daclass.analysis.categories import categories, overlaps, sensitivity
    from daclass.analysis.top_confusions import top_confusions

    classes = read_table("classes", layout.table("classes"))
    confused = read_table("confusions", layout.table("confusions"))
    if overlaps_from(study) == "annotations":
        shared = overlaps(
            read_table("index", layout.table("index")),
            read_table("annotations", layout.table("annotations")),
            len(classes),
        )
    else:
        shared = read_table("overlaps", layout.table("overlaps"))
    thresholds = study.analysis.categories
    table = categories(
        read_table("effects", layout.table("effects")),
        confused,
        shared,
        classes,
        overlap=thresholds.overlap,
        similarity=thresholds.similarity,
    )
    top = top_confusions(
        confused, shared, classes, overlap=thresholds.overlap, similar=thresholds.similarity
    )
    digest = study.digest("analysis")
    write_table(top, "top_confusions", layout.table("top_confusions"), digest)
    write_table(table, "categories", layout.table("categories"), digest)
    write_table(sensitivity(table), "sensitivity", layout.table("sensitivity"), digest)


def interventions(study: Study, layout: Layout) -> None:
    """What the designed policies change, on fresh seeds and the estimation half."""
    from daclass.analysis.costs import costs
    from daclass.analysis.interventions import intervention_classes, interventions

    if study.interventions is None:
        raise InputError("interventions: this study has no such section")
    found = read_table("effects", layout.table("effects"))
    swallowed = read_table("categories", layout.table("categories"))
    cells, settings = _cells(study, layout, *study.phases[1:]), study.analysis
    classes = intervention_classes(cells, study.baselines, confidence=settings.confidence)
    tables = {
        "interventions": interventions(
            cells,
            affected=sorted(found.loc[found["affected"], "class_id"].unique().tolist()),
            swallowers=sorted(set(swallowed["swallower_id"]) - {-1}),
            baselines=study.baselines,
            controls=study.controls(),
            classes=classes,
            q=settings.affected.q,
            confidence=settings.confidence,
        ),
        "intervention_classes": classes,
        "intervention_costs": costs(*_costs(study, layout)),
    }
    digest = study.digest("analysis", "interventions")
    for name, table in tables.items():
        write_table(table, name, layout.table(name), digest)


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


def examples(study: Study, layout: Layout) -> None:
    """Pick example pictures of some classes for the report, with the crops they get."""
    from daclass.analysis.cells import one_view
    from daclass.examples import choose_classes, choose_pictures, render

    if study.sweep is None:
        raise InputError("data.source: a study of predictions has no pictures to show")
    strengths = study.strengths
    # Only the crop's own axis has boxes to show.
    boxes = [strengths[0], strengths[len(strengths) // 2], strengths[-1]]
    boxes = boxes if study.axis == RRC_SCALE else []
    table = render(
        choose_pictures(
            one_view(
                read_table("predictions", layout.predictions("sweep")), study.training.val_crop
            ),
            read_table("index", layout.table("index")),
            study.conditions[0],
            study.reference_condition,
            study.draw(study.sweep.seeds[0]),
        ),
        read_table("annotations", layout.table("annotations")),
        _pictures_root(study, layout),
        choose_classes(
            read_table("effects", layout.table("effects")),
            read_table("categories", layout.table("categories")),
        ),
        strengths=boxes,
        study_seed=study.seed,
        run_seed=study.sweep.seeds[0],
        max_resolution=study.beton.max_resolution,
    )
    write_table(table, "examples", layout.table("examples"), study.digest("data", "sweep"))


def realised(study: Study, layout: Layout) -> None:
    """Compute what crops of each strength keep of the training pictures, from a sample's sizes."""
    from daclass.augment.pictures import picture_size
    from daclass.realised import realised_areas, sample

    frame = read_table("index", layout.table("index"))
    root, most = _pictures_root(study, layout), study.beton.max_resolution
    names = sample(frame.loc[frame["split"] == "train", "image_id"].unique())
    sizes = [picture_size(root / name, most) for name in names]
    table = realised_areas(sizes, study.crop_scales, study.training.resolution)
    write_table(table, "realised_area", layout.table("realised_area"), study.digest("data"))


def figures(study: Study, layout: Layout) -> None:
    """Draw the figures, each as SVG, PNG and CSV, with its caption."""
    from daclass.plots.draw import draw_all

    draw_all(_tables(study, layout), layout.figures, figure_stems(study))


def figure_stems(study: Study) -> tuple[str, ...]:
    """The figures that a study can have."""
    from daclass.config import PetriData
    from daclass.plots.titles import figures_of

    has = {"truth"} if isinstance(study.data, PetriData) else set()
    if study.sweep and study.axis is RRC_SCALE:
        has.add("crops")
    if study.interventions:
        has |= {"interventions", *(["control"] if study.controls() else [])}
        has |= {phase for phase in study.phases if phase == "fine_tuning"}
    return figures_of(has)


def summary(study: Study, layout: Layout, config: Path, changes: Sequence[str] = ()) -> None:
    """Write summary.json."""
    from daclass.report.summary import summarise

    found = {name: read_table(name, path) for name, path in _table_paths(study, layout).items()}
    found["classes"] = with_readable_names(found["classes"])
    found |= _policy_tables(study, layout)
    runs = {
        run["run"]: run["seconds"]
        for phase in study.phases
        for seed in study.seeds(phase)
        for run in json.loads(layout.trained(phase, seed).read_text()).values()
    }
    content = summarise(
        study=study.name,
        title=study.title,
        config_digest=study.digest(),
        axis=study.axis.name if study.sweep else None,
        strengths=study.strengths,
        conditions=study.conditions,
        reference=study.reference_condition,
        replicates=study.comparison.replicates if study.comparison else "seeds",
        q=study.analysis.affected.q,
        confidence=study.analysis.confidence,
        runs_trained=len(runs),
        versions=provenance.versions(),
        wall_seconds=_wall_seconds(study, layout, sum(runs.values())),
        tables=found,
    )
    if study.comparison:
        content["notes"] = list(found["notes"]["text"])
    content["provenance"] = {
        "command": shlex.join(
            [
                *("daclass", "analyze" if study.comparison else "study", str(config)),
                *(f"--set={change}" for change in changes),
            ]
        ),
        "results": Path(os.path.relpath(layout.results, layout.report.parent)).as_posix(),
        "git_revision": provenance.git_revision(),
        "settings": study.model_dump(mode="json"),
    }
    _write_json(content, layout.summary)


def verify(study: Study, layout: Layout) -> None:
    """Check all that a study has stored against its checksums; set aside what is damaged."""
    from daclass.data.beton import verify_beton
    from daclass.training.checkpoint import load_checkpoint

    checks: dict[Path, Callable[[], object]] = {
        layout.table(name): functools.partial(read_table, name, layout.table(name))
        for name in SCHEMAS
        if layout.table(name).is_file()
    }
    for phase in study.phases:
        table = layout.predictions(phase)
        if table.is_file():
            checks[table] = functools.partial(read_table, "predictions", table)
    checks |= {path: functools.partial(verify_beton, path) for path in layout.data.glob("*.beton")}
    damaged = {path for path, check in checks.items() if not _is_whole(check)}
    seeds: dict[Path, int] = {}  # runs are known by these tables and by their policies
    known = not damaged & {layout.table("index"), layout.table("classes")}
    runs: dict[Path, Callable[[], object]] = {}
    for phase in study.phases if known else ():
        if not all(layout.policy(phase, name).is_file() for name in study.policy_names(phase)):
            continue
        for seed in study.seeds(phase):
            for run in _runs(study, layout, phase, seed):
                if run.trained:
                    runs[run.weights], seeds[run.weights] = run.verify, seed
                runs[run.checkpoint] = functools.partial(load_checkpoint, run)
    spoilt = {path for path, check in runs.items() if not _is_whole(check)}
    for path in spoilt & set(seeds):
        for phase in study.phases:
            layout.trained(phase, seeds[path]).unlink(missing_ok=True)
    if damaged or spoilt:
        raise InputError(
            f"{layout.results}: {len(damaged | spoilt)} files are damaged, named above; run the "
            "study again: what was set aside is made anew (remove a damaged table yourself)"
        )
    logging.info("%d files are as they were written", len(checks) + len(seeds))


def _is_whole(check: Callable[[], object]) -> bool:
    try:
        check()
    except InputError as error:
        logging.error("%s", error)
        return False
    return True


def analyze(study: Study, layout: Layout, config: Path, changes: Sequence[str] = ()) -> None:
    """Run a whole study of predictions, from the files to the report, in this process."""
    for stage in (predictions, measure, categories, planted, figures):
        stage(study, layout)
    summary(study, layout, config, changes)
    report(study, layout)


def _wall_seconds(study: Study, layout: Layout, training: float) -> dict[str, float]:
    """Seconds a stage. Of training Snakemake knows the last job alone, and nothing of those that
    were interrupted; the runs keep their own account."""
    draws = {study.draw(seed) for phase in study.phases for seed in study.seeds(phase)}
    betons = {"val", *(f"train-{draw}" for draw in draws)}

    def counts(job: str) -> bool:
        stage, _, detail = job.partition(".")
        if stage == "beton":
            return detail in betons
        if stage in {"policies", "predict"}:
            return detail in study.phases
        return stage != "train"

    seconds = provenance.wall_seconds(layout.times, counts)
    return {**seconds, "train": round(training, 1)} if training else seconds


def report(study: Study, layout: Layout) -> None:
    """Write the report."""
    from daclass.report.write import write_report

    content = read_summary(layout)
    write_report(content, _tables(study, layout), layout.figures, layout.report)


def read_summary(layout: Layout) -> dict[str, Any]:
    """The content of summary.json."""
    if not layout.summary.is_file():
        raise InputError(f"{layout.summary}: no such file; run the study first")
    content: dict[str, Any] = json.loads(layout.summary.read_text(encoding="utf-8"))
    return content


def _design_interventions(study: Study, layout: Layout) -> None:
    from daclass.analysis.designers import Evidence, resolve_m

    if study.interventions is None:
        raise InputError("interventions: this study has no such section, so no policies to design")
    read = ("counts", "effects", "categories", "classes", "index")
    tables = {name: read_table(name, layout.table(name)) for name in read}
    digests = {name: content_digest(table) for name, table in tables.items()}
    classes, index = tables["classes"], tables["index"]
    train = index[index["split"] == "train"]
    of_class = train["class_id"].value_counts() / train["draw"].nunique()
    evidence = Evidence(
        counts=tables["counts"],
        effects=tables["effects"],
        categories=tables["categories"],
        classes=classes,
        training_pictures=of_class.reindex(range(len(classes))).to_numpy("float64"),
        axis=study.axis,
        strengths=study.strengths,
        tested=study.tested_strength,
        reference=study.reference_strength,
        m=len(classes),
        random_seed=study.interventions.random_seed,
    )
    for plan in study.planned:
        own = replace(
            evidence,
            m=resolve_m(plan.classes, len(classes)),
            strength=plan.strength,
            draw=plan.draw,
        )
        design = DESIGNERS[plan.designer](own, study.interventions.settings.get(plan.designer))
        design.policy.save(layout.policy("interventions", plan.name))
        record = {
            "policy": plan.name,
            "designer": plan.designer,
            "reasons": design.reasons,
            "half": "select",
            "seeds": list(study.seeds("sweep")),
            "strengths": list(study.strengths),
            "reference": study.reference_strength,
            "m": own.m,
            "draw": own.draw,
            "random_seed": own.random_seed,
            "tables": digests,
            "analysis": study.digest("analysis"),
        }
        _write_json(record, layout.provenance(plan.name))


def _costs(study: Study, layout: Layout) -> tuple[pd.DataFrame, dict[str, int]]:
    """The runs under designed policies, and how many of the sweep each policy's design took.

    A fine-tuned run costs what its parent did too.
    """
    index = read_table("index", layout.table("index"), columns=["split", "draw"])
    pictures = index.loc[index["split"] == "train", "draw"].value_counts()
    tuning = study.interventions.fine_tuning if study.interventions else None
    rows, unknown = [], float("nan")  # older runs have no seconds
    for seed in study.seeds("interventions"):
        epochs, before = study.training.epochs, 0.0
        for phase in study.phases[1:]:
            runs = json.loads(layout.trained(phase, seed).read_text())
            rows += [
                {
                    "policy": policy,
                    "epochs": epochs,
                    "pictures": epochs * pictures[study.draw(seed)],
                    "seconds": before + run.get("seconds", unknown),
                }
                for policy, run in runs.items()
            ]
            if tuning and phase == "interventions":
                epochs += tuning.epochs
                before = runs["uniform_tested"].get("seconds", unknown)
    sweep = len(study.strengths) * len(study.seeds("sweep"))
    design = {
        plan.name: sweep if DESIGNERS[plan.designer].needs_sweep else 0 for plan in study.planned
    }
    return pd.DataFrame(rows), design | {FINE_TUNED + name: n for name, n in design.items()}


def _need(study: Study, phase: Phase) -> None:
    if phase not in study.phases:
        raise InputError(f"{phase}: this study has no such section, so no runs")


def _runs(study: Study, layout: Layout, phase: Phase, seed: int) -> list[Run]:
    from daclass.training.runs import fingerprint, plan_fine_tuning, plan_runs

    _need(study, phase)
    names = list(read_table("classes", layout.table("classes"))["name"])
    loaded = {
        policy: _policy(layout.policy(phase, policy), study, names)
        for policy in study.policy_names(phase)
    }
    if phase == "fine_tuning":
        trained = _runs(study, layout, "interventions", seed)
        parent = next(run for run in trained if run.name == "uniform_tested")
        recipe = study.digest("interventions.fine_tuning")
        return plan_fine_tuning(recipe, loaded, parent, *layout.stores)
    frame = read_table("index", layout.table("index"))
    rows = frame[(frame["split"] == "train") & (frame["draw"] == study.draw(seed))]
    return plan_runs(study.training_digest(), fingerprint(rows), loaded, seed, *layout.stores)


def _recipe(study: Study) -> Recipe:
    from daclass.training.recipe import Recipe

    tuning = study.interventions.fine_tuning if study.interventions else None
    return Recipe(study.seed, study.training, study.augmentation, study.beton, tuning)


def _policy(file: Path, study: Study, class_names: Sequence[str]) -> Policy:
    """A policy that fits the study.

    Raises:
        InputError: the file is no policy, is for another axis, or names classes the study lacks.
    """
    try:
        policy = Policy.load(file)
        if policy.axis != study.axis:
            raise InputError(f"{file}: a policy for {policy.axis.name}, not for {study.axis.name}")
        policy.strengths(class_names)
        policy.weights(class_names)
    except AugmentError as error:
        raise InputError(f"{file}: {str(error).removeprefix(f'{file}: ')}") from None
    return policy


def _samples(study: Study, layout: Layout, split: str, draw: int) -> Samples:
    from daclass.training.batches import Samples

    if isinstance(study.data, PredictionsData):
        raise InputError("data.source: a study of predictions has no pictures")
    frame = read_table("index", layout.table("index"))
    rows = frame[(frame["split"] == split) & (frame["draw"] == draw)]
    if rows.empty:
        raise InputError(f"there is no draw {draw} of the split {split}")
    root = _pictures_root(study, layout)
    return Samples(
        layout.beton(split, draw),
        [root / image_id for image_id in rows["image_id"]],
        rows["class_id"].to_numpy("int64"),
    )


def _pictures_root(study: Study, layout: Layout) -> Path:
    """The folder that image ids start at."""
    return study.data.root if study.data.source == "folder" else layout.pictures


def _cells(study: Study, layout: Layout, *phases: Phase) -> Cells:
    """The predictions of some phases joined with index and annotations."""
    from daclass.analysis.cells import PREDICTION_COLUMNS, arrange_cells

    return arrange_cells(
        read_table("predictions", *map(layout.predictions, phases), columns=PREDICTION_COLUMNS),
        read_table("index", layout.table("index")),
        read_table("annotations", layout.table("annotations")),
        len(read_table("classes", layout.table("classes"))),
        study.analysis.empty_labels,
        study.training.val_crop,
    )


def table_names(study: Study) -> tuple[str, ...]:
    """The tables that the summary reads."""
    names: tuple[str, ...] = ("classes", *MEASURED, "categories", "planted")
    names = (*names, "notes") if study.comparison else names
    return (*names, "interventions", "intervention_costs") if study.interventions else names


def drawn_names(study: Study) -> tuple[str, ...]:
    """The tables that figures and report read."""
    more = ("examples",) if study.sweep else ()
    if study.interventions:
        more = (*more, "intervention_classes")
    if study.sweep and study.axis is RRC_SCALE:
        more = (*more, "realised_area")
    return (*table_names(study), "sensitivity", "top_confusions", *more)


def _table_paths(study: Study, layout: Layout) -> dict[str, Path]:
    return {name: layout.table(name) for name in table_names(study)}


def _tables(study: Study, layout: Layout) -> Tables:
    from daclass.plots.tables import Tables

    settings = study.analysis
    return Tables.read(
        {name: layout.table(name) for name in drawn_names(study)},
        axis=study.axis.name,
        named=study.comparison.conditions if study.comparison else (),
        replicates=study.comparison.replicates if study.comparison else "seeds",
        overlap=settings.categories.overlap,
        overlap_from=overlaps_from(study),
        similarity=settings.categories.similarity,
        confidence=settings.confidence,
        q=settings.affected.q,
        **_policy_tables(study, layout),
    )


def _policy_tables(study: Study, layout: Layout) -> dict[str, pd.DataFrame]:
    """Tables "policies" and "policy_classes" of the designed policies, from their files."""
    from daclass.analysis.designers import resolve_m

    names = list(read_table("classes", layout.table("classes"))["name"])
    controls = {draw: control for control, draws in study.controls().items() for draw in draws}
    rows, classes = [], []
    for phase in study.phases[1:]:
        for plan in study.planned:
            prefix = FINE_TUNED if phase == "fine_tuning" else ""
            name = prefix + plan.name
            policy = _policy(layout.policy(phase, name), study, names)
            strengths, weights = policy.strengths(names), policy.weights(names)
            record = layout.provenance(plan.name)
            why = (
                json.loads(record.read_text(encoding="utf-8"))["reasons"]["summary"]
                if record.is_file()
                else ""
            )
            classes.append(
                pd.DataFrame(
                    {
                        "policy": name,
                        "class_id": range(len(names)),
                        "strength": strengths,
                        "share": 1.0,
                        "weight": weights,
                        "reason": "",
                    }
                )
            )
            rows.append(
                {
                    "policy": name,
                    "phase": phase,
                    "designer": plan.designer,
                    "m": resolve_m(plan.classes, len(names)),
                    "draw": plan.draw if name in controls else 0,
                    "parent": "uniform_tested" if prefix else "",
                    "control": controls.get(name, ""),
                    "strength": strengths[0] if len(set(strengths)) == 1 else float("nan"),
                    "summary": why,
                }
            )
    if not rows:
        return {}
    return {
        "policies": pd.DataFrame(rows),
        "policy_classes": pd.concat(classes, ignore_index=True),
    }


def _write_json(content: Any, path: Path) -> None:
    with replacing(path) as partial:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        partial.write_text(text + "\n", encoding="utf-8")


MEASURED = (
    "counts", "accuracy", "class_accuracy", "effects", "null_band", "explained", "confusions",
    "models",
)  # fmt: skip
"""The tables that `measure` writes."""

WHOLE: dict[str, Callable[[Study, Layout], None]] = {
    stage.__name__: stage
    for stage in (
        pictures, index, predictions, measure, categories, interventions, planted, examples,
        realised, figures, report, verify,
    )
}  # fmt: skip
"""The stages that need a study and a layout alone, by name."""
