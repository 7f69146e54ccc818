"""The index: every picture's class, split, draw, half and place in its .beton."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from daclass.data.sources import Source, content_hashes, image_hash
from daclass.errors import InputError, refuse_unshowable


@dataclass(frozen=True)
class Index:
    """The tables that describe pictures and classes; layouts in `daclass.tables`."""

    index: pd.DataFrame
    classes: pd.DataFrame
    truth: pd.DataFrame


def build_index(source: Source, split_seed: int) -> Index:
    """Number classes and pictures, and halve the validation pictures.

    Classes are numbered by their sorted names. The pictures of each validation class are ordered by
    a hash of (split_seed, image id) and dealt in turn to the selection and the estimation half, so
    halves are balanced within classes and a picture's hash does not depend on its neighbours.

    Raises:
        InputError: a class has no training or no validation pictures, the class tree lacks a
            class, or a file is gone.
    """
    pictures = source.pictures
    names = sorted(pictures["name"].unique())
    refuse_unshowable(str(source.root), "class", names)
    ids = {name: number for number, name in enumerate(names)}
    for split in ("train", "val"):
        missing = sorted(set(names) - set(pictures.loc[pictures["split"] == split, "name"]))
        if missing:
            what = "training" if split == "train" else "validation"
            raise InputError(f"{source.root}: class {missing[0]} has no {what} pictures")
    index = pictures.assign(class_id=pictures["name"].map(ids)).sort_values(
        ["split", "draw", "class_id", "image_id"], ignore_index=True
    )
    index["position"] = index.groupby(["split", "draw"]).cumcount()
    index["half"] = halves(index, split_seed)
    if "content" not in index:
        index["content"] = content_hashes(source.root, list(index["image_id"]), source.contents)
    return Index(index.drop(columns="name"), _classes(source, names), _truth(source, ids))


def leaks(pictures: pd.DataFrame) -> pd.DataFrame:
    """Training pictures that are validation pictures too: columns image_id and twin, sorted.

    Args:
        pictures: columns split, image_id and content.
    """
    train, val = (
        pictures.loc[pictures["split"] == split, ["image_id", "content"]].drop_duplicates(
            "image_id"
        )
        for split in ("train", "val")
    )
    twins = val.drop_duplicates("content").rename(columns={"image_id": "twin"})
    return train.merge(twins, on="content")[["image_id", "twin"]].sort_values(
        "image_id", ignore_index=True
    )


def halves(index: pd.DataFrame, split_seed: int) -> pd.Series:
    """The half of each picture: "select" or "estimate" for validation pictures, else "".

    Args:
        index: columns image_id, class_id and split.
        split_seed: same seed, same halves, whatever the order of the rows.
    """
    val = index[index["split"] == "val"]
    keys = pd.Series([image_hash(image_id, split_seed) for image_id in val["image_id"]], val.index)
    rank = keys.groupby(val["class_id"]).rank(method="first").astype(int)
    # Odd classes start with the other half, so that classes of odd size do not pile up in one.
    odd = (rank + val["class_id"]) % 2 == 1
    found = pd.Series("", index.index, dtype=str)
    found[val.index] = np.where(odd, "select", "estimate")
    return found


def _classes(source: Source, names: list[str]) -> pd.DataFrame:
    paths = dict(zip(names, names, strict=True))
    if source.classes is not None:
        given = dict(zip(source.classes["name"], source.classes["path"], strict=True))
        missing = sorted(set(names) - set(given))
        if missing:
            raise InputError(f"the class tree lacks the class {missing[0]}")
        paths = {name: given[name].strip("/") for name in names}
        refuse_unshowable("the class tree", "path", paths.values())
    return pd.DataFrame(
        {"class_id": range(len(names)), "name": names, "path": [paths[n] for n in names]}
    )


def _truth(source: Source, ids: dict[str, int]) -> pd.DataFrame:
    if source.truth is None:
        return pd.DataFrame(
            {"class_id": [], "partner_id": [], "kind": [], "expectation": [], "note": []}
        )
    truth = source.truth
    return pd.DataFrame(
        {
            "class_id": truth["class"].map(ids),
            "partner_id": truth["partner"].map(ids).fillna(-1).astype(int),
            "kind": truth["kind"],
            "expectation": truth["expectation"],
            "note": truth["direction_note"],
        }
    )
