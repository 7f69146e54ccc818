"""Example pictures for the report: a few of some classes as thumbnails, judged ones and training
pictures with the crops that a network saw of them.

An artefact of its own, so that figures and report read tables alone. Number and size are capped and
the choice is a function of the tables: the same study has the same examples.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from daclass.augment.boxes import random_resized_crop_boxes
from daclass.augment.pictures import PictureError, read_picture
from daclass.augment.variates import epoch_key, image_keys
from daclass.tables import SCHEMAS

CLASSES_AT_MOST = 60
LOST, GAINED, TYPICAL, TRAINING = 3, 1, 2, 2  # pictures per class
SIDE = 112  # px: longest side of a thumbnail
QUALITY = 80
BYTES_AT_MOST = 3 * 2**20  # of all thumbnails; classes that do not fit are left out


def choose_classes(effects: pd.DataFrame, categories: pd.DataFrame) -> list[int]:
    """The classes that get examples, most wanted first, at most `CLASSES_AT_MOST`.

    Affected ones, then those that swallow them, then the largest changes either way.
    """
    drops = effects[
        (effects["half"] == "all")
        & (effects["truth"] == "original")
        & (effects["reference"] == "fixed")
    ].sort_values("class_id")
    size = drops.set_index("class_id")["drop"].abs().sort_values(ascending=False, kind="stable")
    affected = sorted(
        effects.loc[effects["affected"].astype(bool), "class_id"].unique(),
        key=lambda class_id: -size.get(class_id, 0.0),
    )
    swallowers = categories.set_index("class_id")["swallower_id"].reindex(affected).dropna()
    wanted = [*affected, *(i for i in swallowers if i >= 0), *size.index]
    return [int(i) for i in dict.fromkeys(wanted)][:CLASSES_AT_MOST]


def choose_pictures(
    predictions: pd.DataFrame, index: pd.DataFrame, tested: str, reference: str, draw: int = 0
) -> pd.DataFrame:
    """A few validation pictures of every class, and a few that networks were trained on.

    "lost" are those that most seeds get right under the reference and wrong under the tested
    policy, "gained" the other way round, and "typical" are the first of the others by a hash of
    their name, which has nothing to do with any prediction. "training" are chosen by that hash too;
    nobody predicts them, so their predictions are -1 and their seeds 0.

    Args:
        predictions, index: the tables of these names.
        tested, reference: names of the two policies.
        draw: the draw of the training pictures.

    Returns:
        class_id, image_id, position, chosen, prediction_reference and prediction_tested (the
        class that most seeds say; the lowest id where tied), right_reference, right_tested and
        seeds (numbers of seeds), by class and choice.
    """
    val = index.loc[index["split"] == "val", ["image_id", "class_id", "position"]]
    pictures = val.set_index("image_id")
    for policy, name in ((tested, "tested"), (reference, "reference")):
        rows = predictions.loc[predictions["policy"] == policy, ["image_id", "prediction"]]
        rows = rows.join(pictures["class_id"], on="image_id", how="inner")
        right = (rows["prediction"] == rows["class_id"]).groupby(rows["image_id"]).sum()
        votes = rows.groupby(["image_id", "prediction"]).size().rename("votes").reset_index()
        first = votes.sort_values(["votes", "prediction"], ascending=[False, True])
        said = first.drop_duplicates("image_id").set_index("image_id")["prediction"]
        pictures[f"prediction_{name}"], pictures[f"right_{name}"] = said, right
        pictures[f"seeds_{name}"] = rows.groupby("image_id").size()
    seen = pictures.dropna().reset_index()
    seen["lost"] = (
        seen["right_reference"] / seen["seeds_reference"]
        - seen["right_tested"] / seen["seeds_tested"]
    )
    seen["seeds"] = seen[["seeds_reference", "seeds_tested"]].min(axis=1)
    seen["hash"] = [hashlib.sha256(name.encode()).hexdigest() for name in seen["image_id"]]
    columns = [
        "class_id", "image_id", "position", "chosen", "prediction_reference",
        "prediction_tested", "right_reference", "right_tested", "seeds",
    ]  # fmt: skip
    chosen = [_chosen(of_class) for _, of_class in seen.groupby("class_id")]
    judged = pd.concat(chosen, ignore_index=True)
    return pd.concat([judged, _training(index, draw)], ignore_index=True)[columns]


def _training(index: pd.DataFrame, draw: int) -> pd.DataFrame:
    pictures = index[(index["split"] == "train") & (index["draw"] == draw)]
    pictures = pictures.drop_duplicates("image_id")
    hashes = [hashlib.sha256(name.encode()).hexdigest() for name in pictures["image_id"]]
    first = pictures.assign(hash=hashes).sort_values("hash").groupby("class_id").head(TRAINING)
    unknown = dict.fromkeys(
        ("prediction_reference", "prediction_tested", "right_reference", "right_tested"), -1
    )
    return first.assign(chosen="training", seeds=0, **unknown)


def _chosen(pictures: pd.DataFrame) -> pd.DataFrame:
    ordered = pictures.sort_values(["lost", "hash"], ascending=[False, True])
    lost = ordered[ordered["lost"] > 0].head(LOST)
    gained = ordered[ordered["lost"] < 0].tail(GAINED)
    rest = pictures[~pictures["image_id"].isin([*lost["image_id"], *gained["image_id"]])]
    typical = rest.sort_values("hash").head(TYPICAL)
    parts = {"lost": lost, "gained": gained, "typical": typical}
    return pd.concat([rows.assign(chosen=name) for name, rows in parts.items()])


def render(
    pictures: pd.DataFrame,
    annotations: pd.DataFrame,
    place: Callable[[str], Path],
    class_ids: Sequence[int],
    *,
    strengths: Sequence[float],
    study_seed: int,
    run_seed: int,
    max_resolution: int | None = None,
    contents: Mapping[str, str] | None = None,
    unreadable: list[str] | None = None,
) -> pd.DataFrame:
    """Thumbnails of the chosen pictures, and the crops that a network saw of training pictures.

    Boxes are those of epoch 0 of a run that trained on the picture: a pure function of the seeds,
    the picture's position and the strength. Judged pictures have none: nothing is cut from them.

    Args:
        pictures: what `choose_pictures` gives.
        annotations: the table of this name.
        place: from image ids to files.
        class_ids: classes in order of importance; those beyond `BYTES_AT_MOST` are left out.
        strengths: lower area bounds of the boxes; none for an axis that does not crop.
        study_seed, run_seed: what the boxes are drawn with.
        max_resolution: longest side in px of the pictures that boxes are cut from.
        contents: by image id, the hashes that the index has of the files.
        unreadable: where given, what is wrong with pictures that cannot be read is added to it, and
            they are left out.

    Returns:
        Table "examples".

    Raises:
        PictureError: a picture cannot be read, or has changed.
    """
    labels = dict(zip(annotations["image_id"], annotations["labels"], strict=True))
    rows: list[dict[str, Any]] = []
    room = BYTES_AT_MOST
    for class_id in class_ids:
        of_class: list[dict[str, Any]] = []
        for row in pictures[pictures["class_id"] == class_id].to_dict("records"):
            picture = {str(name): value for name, value in row.items()}
            known = (contents or {}).get(picture["image_id"], "")
            try:
                pixels = read_picture(place(picture["image_id"]), max_resolution, known)
            except PictureError as error:
                if unreadable is None:
                    raise
                unreadable.append(str(error))
                continue
            key = image_keys(
                epoch_key(study_seed, run_seed, 0), np.array([picture.pop("position")])
            )
            shown = strengths if picture["chosen"] == "training" else ()
            of_class.append(
                {
                    **picture,
                    "labels": [int(label) for label in labels.get(picture["image_id"], ())],
                    **_thumbnail(pixels),
                    "strengths": list(shown),
                    "boxes": list(_boxes(key, pixels.shape[:2], shown)),
                }
            )
        room -= sum(len(row["jpeg"]) for row in of_class)
        if room < 0:
            break
        rows += of_class
    return pd.DataFrame(rows, columns=list(SCHEMAS["examples"]))


def examples_of_predictions(
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    annotations: pd.DataFrame,
    files: Mapping[str, Path],
    class_ids: Sequence[int],
    tested: str,
    reference: str,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Thumbnails for predictions that others made, of the pictures that are there.

    Args:
        predictions, index, annotations: the tables of these names.
        files: of pictures by image id; others are passed over.
        class_ids: classes in order of importance.
        tested, reference: names of two conditions.

    Returns:
        Table "examples", without crops and without pictures that cannot be read; and a sentence on
        the latter, where there are any.
    """
    unreadable: list[str] = []
    there = index[index["image_id"].isin(files)]
    found = render(
        choose_pictures(predictions, there, tested, reference),
        annotations,
        files.__getitem__,
        class_ids,
        strengths=(),
        study_seed=0,
        run_seed=0,
        unreadable=unreadable,
    )
    if not unreadable:
        return found, ()
    count = "1 picture is" if len(unreadable) == 1 else f"{len(unreadable)} pictures are"
    return found, (f"{count} left out of the examples: {unreadable[0]}.",)


def _thumbnail(pixels: npt.NDArray[np.uint8]) -> dict[str, Any]:
    picture = Image.fromarray(pixels)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=QUALITY, optimize=True)
    return {"width": picture.width, "height": picture.height, "jpeg": content.getvalue()}


def _boxes(
    key: npt.NDArray[np.uint64], size: tuple[int, ...], strengths: Sequence[float]
) -> Iterator[list[float]]:
    """Left, top, width and height of each strength's box, as shares of the picture."""
    height, width = size
    for strength in strengths:
        top, left, h, w = random_resized_crop_boxes(key, height, width, strength)[0]
        yield [round(float(v), 4) for v in (left / width, top / height, w / width, h / height)]
