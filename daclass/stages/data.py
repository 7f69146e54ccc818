"""Pictures and annotations, or predictions made elsewhere, to the tables that describe them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from daclass import provenance
from daclass.config import FolderData, PredictionsData, Study, TinyImageNetData
from daclass.errors import InputError
from daclass.stages.stage import CONTENTS, ONE, Items, Of, Stage, files, table


def class_trees(study: Study) -> list[Path]:
    """The installed files that names and trees of classes come from, where the study asks."""
    from daclass.data.wordnet import database

    asked = getattr(study.data, "classes", None) in {"wordnet", "imagenet"}
    return database() if asked or isinstance(study.data, TinyImageNetData) else []


def label_packages(study: Study) -> Mapping[str, str]:
    """The package that carries ReaL's labels and ImageNet's names, where the study asks."""
    asked = {getattr(study.data, name, None) for name in ("annotations", "overlap", "classes")}
    real = isinstance(study.data, TinyImageNetData) or asked & {"real", "imagenet"}
    return {"timm": provenance.version("timm")} if real else {}


DESCRIPTION = ("index", "classes", "truth")
"""The tables that describe pictures and classes."""
ANNOTATING = ("annotations", "overlap", "vote_share")
"""Settings of the section `data` that only say what annotators see in the pictures."""


def trains(study: Study) -> Sequence[Of]:
    """One job in studies that train."""
    return ONE if study.sweep else ()


def written(study: Study) -> bool:
    """Whether the study's pictures have to be put into a folder first."""
    return study.data.source not in {"folder", "predictions"}


def of_pictures(study: Study) -> Mapping[str, Items]:
    """The pictures, as far as another stage puts them where they lie."""
    return {"pictures": files("pictures")} if written(study) else {}


def root_of(study: Study, pictures: Path | None) -> Path:
    """The folder that names of pictures start at; any where they are read from .beton files."""
    if written(study):
        return pictures or Path()
    return study.data.root  # type: ignore[union-attr]


def of_draw(index: pd.DataFrame, split: str, draw: int) -> pd.DataFrame:
    """The rows of the index that one .beton holds."""
    return index[(index["split"] == split) & (index["draw"] == draw)]


def overlaps_elsewhere(study: Study) -> bool:
    """Whether ReaL's label sets, not the study's own, tell how much two classes overlap."""
    if isinstance(study.data, FolderData):
        return study.data.overlap == "real"
    return isinstance(study.data, TinyImageNetData)


def pictures(study: Study, pictures: Path) -> None:
    """Generate, extract or download the pictures of sources that need it."""
    from daclass.data.pictures import write_pictures

    write_pictures(study.data, pictures)  # type: ignore[arg-type]


PICTURES = Stage(
    "pictures",
    pictures,
    reads=lambda study, of: {},
    writes=lambda study, of: {"pictures": files("pictures")},
    settings=lambda study, of: ["data.source", "data.petri", "data.draws", "data.classes"],
    spared=("data.root", "data.download"),
    jobs=lambda study: ONE if written(study) else (),
    outside=lambda study: {"data.root": study.data.picture_files()},  # type: ignore[union-attr]
    shared=True,
)


def index(
    study: Study, pictures: Path | None = None, contents: Mapping[str, str] | None = None
) -> Mapping[str, pd.DataFrame]:
    """List and check the pictures and their classes."""
    from daclass.analysis.designers import resolve_m
    from daclass.data.index import build_index, leaks
    from daclass.data.sources import open_source

    assert not isinstance(study.data, PredictionsData)
    source = open_source(study.data, root_of(study, pictures), contents)
    found = build_index(source, study.data.split_seed)
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
    _refuse_exact_views(study, root_of(study, pictures), found.index)
    return {name: getattr(found, name) for name in DESCRIPTION}


def _refuse_exact_views(study: Study, root: Path, index: pd.DataFrame) -> None:
    """Refuse judged pictures of the resolution's own size, where the config could not tell."""
    from daclass.augment.pictures import picture_size
    from daclass.config.training import EXACT_AT_MOST
    from daclass.realised import sample

    names = sample(index.loc[index["split"] == "val", "image_id"])
    sides = [min(picture_size(root / name, study.beton.max_resolution)) for name in names]
    pictures = "{share} of the validation pictures"
    if refusal := study.exact_view_refusal(sides, EXACT_AT_MOST, pictures):
        raise InputError(refusal)


INDEX = Stage(
    "index",
    index,
    reads=lambda study, of: of_pictures(study) or {"contents": CONTENTS},
    writes=lambda study, of: {name: table(name) for name in DESCRIPTION},
    settings=lambda study, of: [
        f"data.{name}" for name in type(study.data).model_fields if name not in ANNOTATING
    ],
    # Refused early where they do not fit; what is written does not follow from them.
    spared=("augmentation.axis", "sweep", "interventions", "analysis", "training", "beton"),
    jobs=trains,
    outside=lambda study: {
        "data.root": [] if written(study) else study.data.picture_files(),  # type: ignore[union-attr]
        "data": study.data.input_files(),
        "data.classes": class_trees(study),
    },
    shared=True,
)


def annotate(
    study: Study, index: pd.DataFrame, classes: pd.DataFrame, pictures: Path | None = None
) -> Mapping[str, pd.DataFrame]:
    """Join what annotators see in the validation pictures: their label sets."""
    from daclass.analysis.categories import overlaps_of_sets
    from daclass.data.annotated import annotations_of
    from daclass.data.annotations import real_label_sets

    assert not isinstance(study.data, PredictionsData)
    found = annotations_of(study.data, root_of(study, pictures), index, classes)
    if not overlaps_elsewhere(study):
        return {"annotations": found}
    names = list(classes["name"])
    elsewhere = overlaps_of_sets(real_label_sets(names), len(names))
    return {"annotations": found, "overlaps": elsewhere}


ANNOTATIONS = Stage(
    "annotations",
    annotate,
    reads=lambda study, of: {
        "index": table("index"),
        "classes": table("classes"),
        **of_pictures(study),
    },
    writes=lambda study, of: {
        name: table(name)
        for name in ("annotations", *(["overlaps"] if overlaps_elsewhere(study) else []))
    },
    settings=lambda study, of: [
        "data.source",
        "data.labels",
        *(f"data.{name}" for name in ANNOTATING),
    ],
    spared=("data.root",),
    jobs=trains,
    outside=lambda study: {"data": study.data.annotation_files()},  # type: ignore[union-attr]
    packages=label_packages,
    shared=True,
)


def predictions(study: Study) -> Mapping[str, pd.DataFrame]:
    """Read predictions that other programs made, and the labels of their pictures."""
    from daclass.analysis.notes import suspicions
    from daclass.data.predictions import read_predictions
    from daclass.predictions import validate_predictions

    assert isinstance(study.data, PredictionsData) and study.comparison is not None
    joined = read_predictions(study.data, study.comparison)
    found, made = joined.index, joined.predictions
    validate_predictions(made, found.index, len(found.classes))
    texts = list(joined.notes + suspicions(made, found.index, list(found.classes["name"])))
    for text in texts:
        logging.warning("%s", text)
    described = {name: getattr(found, name) for name in (*DESCRIPTION, "annotations")}
    return {**described, "notes": pd.DataFrame({"text": texts}), "predictions": made}


PREDICTIONS = Stage(
    "predictions",
    predictions,
    reads=lambda study, of: {},
    writes=lambda study, of: {
        **{name: table(name) for name in (*DESCRIPTION, "annotations", "notes")},
        "predictions": table("predictions", "sweep"),
    },
    settings=lambda study, of: ["data", "comparison"],
    jobs=lambda study: () if study.sweep else ONE,
    outside=lambda study: {
        "data": study.data.input_files(),
        "data.classes": class_trees(study),
    },
    packages=label_packages,
)


def beton(
    study: Study, of: Of, index: pd.DataFrame, beton: Path, pictures: Path | None = None
) -> None:
    """Write the pictures of one split and draw as a .beton file."""
    from daclass.data.beton import write_beton

    rows, root = of_draw(index, of.split, of.draw), root_of(study, pictures)
    write_beton(
        [root / name for name in rows["image_id"]],
        rows["class_id"].to_numpy("int64"),
        study.beton,
        beton,
        workers=study.machine.threads,
        contents=list(rows["content"]),
    )


def betons(study: Study) -> Sequence[Of]:
    """The .beton files of a study: the validation pictures, and each draw that is trained on."""
    draws = sorted({study.draw(seed) for phase in study.phases for seed in study.seeds(phase)})
    if not study.sweep or study.training.loader != "ffcv":
        return ()
    return (Of(split="val", draw=-1), *(Of(split="train", draw=draw) for draw in draws))


BETON = Stage(
    "beton",
    beton,
    reads=lambda study, of: {"index": table("index"), **of_pictures(study)},
    writes=lambda study, of: {"beton": files("beton", of.split, of.draw)},
    settings=lambda study, of: ["beton"],
    spared=("machine", "data.source", "data.root"),
    jobs=betons,
    which=("split", "draw"),
    shared=True,
)
