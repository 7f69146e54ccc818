"""Tables to example pictures, figures, summary.json and the report."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from daclass import provenance
from daclass.augment import RRC_SCALE
from daclass.config import PredictionsData, Study
from daclass.plots.titles import ENDINGS, figures_of
from daclass.stages.analysis import COMPARED, MEASURED
from daclass.stages.data import of_pictures, overlaps_elsewhere, root_of
from daclass.stages.marks import has_marks
from daclass.stages.receipts import Receipt, read_record, seconds_by_stage
from daclass.stages.stage import (
    FIGURE_FOLDER,
    ONE,
    RECEIPTS,
    RESULTS,
    Item,
    Items,
    Of,
    Stage,
    files,
    record,
    table,
)
from daclass.tables import with_readable_names

if TYPE_CHECKING:
    from daclass.plots.tables import Tables


def examples(
    study: Study,
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    annotations: pd.DataFrame,
    tested: pd.DataFrame,
    effects: pd.DataFrame,
    categories: pd.DataFrame,
    pictures: Path | None = None,
) -> Mapping[str, pd.DataFrame]:
    """Pick example pictures of some classes for the report, with the crops they get."""
    from daclass.analysis.cells import one_view
    from daclass.analysis.tested import condition_of, strength_of
    from daclass.examples import choose_classes, choose_pictures, examples_of_predictions, render

    wanted = choose_classes(effects, categories)
    conditions = condition_of(tested, "tested"), condition_of(tested, "reference")
    if study.sweep is None:
        from daclass.data.predictions.pictures import picture_files

        (root,) = _images(study)
        files = picture_files(root, list(index["image_id"]))
        shown, said = examples_of_predictions(
            predictions, index, annotations, files, wanted, *conditions
        )
        for note in said:
            logging.warning("%s", note)
        return {"examples": shown}
    root = root_of(study, pictures)
    # Only the crop's own axis has boxes to show.
    boxes = [strength_of(tested, role) for role in ("tested", "reference")]
    found = render(
        choose_pictures(
            one_view(predictions, study.training.val_crop),
            index,
            *conditions,
            study.draw(study.sweep.seeds[0]),
        ),
        annotations,
        lambda image_id: root / image_id,
        wanted,
        strengths=boxes if study.axis == RRC_SCALE else [],
        study_seed=study.seed,
        run_seed=study.sweep.seeds[0],
        max_resolution=study.beton.max_resolution,
        contents=dict(zip(index["image_id"], index["content"], strict=True)),
    )
    return {"examples": found}


def _images(study: Study) -> list[Path]:
    """The folder with the pictures of predictions that others made, where it is named."""
    if not isinstance(study.data, PredictionsData) or study.data.images_folder is None:
        return []
    return [study.data.images_folder]


def _shown(study: Study) -> Sequence[Of]:
    """One job in studies that have pictures to show."""
    return ONE if study.sweep or _images(study) else ()


EXAMPLES = Stage(
    "examples",
    examples,
    reads=lambda study, of: {
        "predictions": table("predictions", "sweep"),
        **{
            name: table(name)
            for name in ("index", "annotations", "tested", "effects", "categories")
        },
        **of_pictures(study),
    },
    writes=lambda study, of: {"examples": table("examples")},
    settings=lambda study, of: [
        "seed",
        *COMPARED,
        "beton.max_resolution",
        "data.source",
        "data.draws",
        "training.val_crop",
        "data.images_root",
    ],
    spared=("data.root",),
    jobs=_shown,
    outside=lambda study: {"data.images_root": _images(study)} if _images(study) else {},
)


def realised(
    study: Study, index: pd.DataFrame, pictures: Path | None = None
) -> Mapping[str, pd.DataFrame]:
    """Compute what crops of each strength keep of the training pictures, from a sample's sizes."""
    from daclass.augment.pictures import picture_size
    from daclass.realised import realised_areas, sample

    root, most = root_of(study, pictures), study.beton.max_resolution
    names = sample(index.loc[index["split"] == "train", "image_id"].unique())
    sizes = [picture_size(root / name, most) for name in names]
    areas = realised_areas(sizes, study.crop_scales, study.training.resolution)
    return {"realised_area": areas}


def _crops(study: Study) -> Sequence[Of]:
    return ONE if study.sweep and study.axis == RRC_SCALE else ()


REALISED = Stage(
    "realised",
    realised,
    reads=lambda study, of: {"index": table("index"), **of_pictures(study)},
    writes=lambda study, of: {"realised_area": table("realised_area")},
    settings=lambda study, of: [
        "augmentation",
        "sweep.strengths",
        "beton.max_resolution",
        "training.resolution",
    ],
    spared=("data.source", "data.root"),
    jobs=_crops,
)


def found_tables(study: Study) -> dict[str, Items]:
    """The tables that the summary reads."""
    names = ["classes", *MEASURED, "categories", "planted", "decision"]
    names += ["notes"] if study.comparison else ["view_effects"]
    names += ["interventions", "intervention_costs"] if study.interventions else []
    names += ["marks"] if has_marks(study) else []
    designed: dict[str, Items] = {
        name: [table(name, phase) for phase in study.phases[1:]]
        for name in ("policies", "policy_classes")
        if study.interventions
    }
    views: dict[str, Items] = {"views": table("views", "sweep")} if study.sweep else {}
    return {**{name: table(name) for name in names}, **views, **designed}


def drawn_tables(study: Study) -> dict[str, Items]:
    """The tables that figures and report read."""
    names = ["kind_drops", "sensitivity", "share_sensitivity", "top_confusions"]
    names += ["examples"] if _shown(study) else []
    names += ["realised_area"] if _crops(study) else []
    names += ["intervention_classes"] if study.interventions else []
    return {**found_tables(study), **{name: table(name) for name in names}}


DRAWN = (
    *COMPARED,
    "analysis.categories",
    "analysis.affected.q",
    "analysis.confidence",
    "data.source",
    "data.overlap",
)
"""What figures and report say of the study besides its tables."""


def _drawn(study: Study, **tables: pd.DataFrame) -> Tables:
    from daclass.plots.tables import Tables

    settings = study.analysis
    return Tables.of(
        tables,
        axis=study.axis.name,
        named=study.comparison.conditions if study.comparison else (),
        replicates=study.comparison.replicates if study.comparison else "seeds",
        overlap=settings.categories.overlap,
        overlap_from="real" if overlaps_elsewhere(study) else "annotations",
        similarity=settings.categories.similarity,
        confidence=settings.confidence,
        q=settings.affected.q,
    )


def figures(study: Study, figures: Sequence[Path], **tables: pd.DataFrame) -> None:
    """Draw the figures, each as SVG, PNG and CSV, with its caption."""
    from daclass.plots.draw import draw_all

    draw_all(
        _drawn(study, **tables), figures[0].parent, tuple(dict.fromkeys(f.stem for f in figures))
    )


def figure_files(study: Study) -> list[Item]:
    """The files of the figures that a study can have."""
    has = {"truth"} if study.data.source == "petri" else set()
    if study.sweep:
        has.add("views")
    if _crops(study):
        has.add("crops")
    if study.interventions:
        has |= {"interventions", *(["control"] if study.controls() else [])}
        has |= {"fine_tuning"} & set(study.phases)
    return [Item("figure", f"{stem}.{ending}") for stem in figures_of(has) for ending in ENDINGS]


FIGURES = Stage(
    "figures",
    figures,
    reads=lambda study, of: drawn_tables(study),
    writes=lambda study, of: {"figures": figure_files(study)},
    settings=lambda study, of: DRAWN,
)


def summary(
    study: Study,
    receipts: Mapping[str, Receipt],
    results: Path,
    figures: Path,
    trained: Sequence[Path] = (),
    **tables: pd.DataFrame,
) -> Mapping[str, Any]:
    """Write summary.json."""
    from daclass.report.summary import summarise

    tables["classes"] = with_readable_names(tables["classes"])
    runs = {run["run"]: run["seconds"] for path in trained for run in read_record(path).values()}
    content = summarise(
        study=study.name,
        title=study.title,
        config_digest=study.digest(),
        axis=study.axis.name if study.sweep else None,
        strengths=study.strengths,
        conditions=study.conditions,
        replicates=study.comparison.replicates if study.comparison else "seeds",
        q=study.analysis.affected.q,
        confidence=study.analysis.confidence,
        runs_trained=len(runs),
        versions=provenance.versions(),
        wall_seconds=seconds_by_stage(receipts, sum(runs.values())),
        tables=tables,
        policies=_from(figures, results / "policies" / "interventions"),
    )
    if "notes" in tables:
        content["notes"] = list(tables["notes"]["text"])
    content["provenance"] = {
        "command": study.command,
        "results": _from(figures, results),
        "git_revision": provenance.git_revision(),
        "settings": study.model_dump(mode="json"),
    }
    return {"summary": content}


def _from(folder: Path, path: Path) -> str:
    """A path from where the summary lies."""
    return Path(os.path.relpath(path, folder)).as_posix()


SUMMARY = Stage(
    "summary",
    summary,
    reads=lambda study, of: {
        "receipts": RECEIPTS,
        "results": RESULTS,
        "figures": FIGURE_FOLDER,
        **found_tables(study),
        "trained": [
            files("trained", phase, seed)
            for phase in (study.phases if study.sweep else ())
            for seed in study.seeds(phase)
        ],
    },
    writes=lambda study, of: {"summary": record("summary")},
    settings=lambda study, of: list(type(study).model_fields),
    spared=(),
)


def report(study: Study, report: Path, summary: Any, **read: Any) -> None:
    """Write the report."""
    from daclass.report.write import write_report

    drawn = read.pop("figures")
    write_report(summary, _drawn(study, **read), drawn[0].parent, report)


REPORT = Stage(
    "report",
    report,
    reads=lambda study, of: {
        **drawn_tables(study),
        "figures": figure_files(study),
        "summary": record("summary"),
    },
    writes=lambda study, of: {"report": files("report")},
    settings=lambda study, of: DRAWN,
)
