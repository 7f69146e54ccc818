"""Label sets of pictures from files: CSV, JSON and ReaL.

Formats:

- CSV or TSV with the columns image,label: one row for each label, a class name or number. A row
  with an empty label says that the picture was looked at and shows none of the classes.
- JSON object ``{image: [label, ...]}``; labels are class names or class numbers. An empty list says
  the same as the empty label above.
- JSON list of 50,000 lists of ImageNet class numbers: the ReaL labels, `real` for short. They are
  joined to pictures by the number in the file name, ILSVRC2012_val_00000001.JPEG being the first.

A picture is named by its id or, where that is unambiguous, by its file name alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from daclass.data.classes import Classes
from daclass.data.imagenet import class_names, real_labels_file, synsets
from daclass.data.names import match_pictures
from daclass.data.tabular import SEPARATORS, kind, read_csv, read_json, row_of, shorten
from daclass.errors import InputError

_VALIDATION_NUMBER = re.compile(r"ILSVRC2012_val_(\d{8})\b")


def read_annotations(
    source: Path | Literal["real"], pictures: Sequence[str], classes: Classes
) -> pd.DataFrame:
    """Read the label sets of validation pictures.

    Args:
        source: the file, or "real".
        pictures: ids of the validation pictures.
        classes: the classes. ReaL's numbers are those of all of ImageNet; where the
            classes are named by WordNet id, as ImageNet's folders are, or as `imagenet.class_names`
            does, they are translated, and labels of classes that the study lacks are left out.

    Returns:
        Columns image_id and name, one row a label; name is "" where a set is empty. Pictures that
        the file does not name have no row.

    Raises:
        InputError: the file is missing or has another format, or names an unknown picture or class.
    """
    if source == "real":
        return _real(real_labels_file(), pictures, classes.names)
    if kind(source) in SEPARATORS:
        table = read_csv(source, "image", "label")
        places = table["label"].map({label: _name(label, classes) for label in set(table["label"])})
        unknown = places.isna().to_numpy()
        if unknown.any():
            row = int(unknown.argmax())
            image, label = table.iloc[row]
            raise InputError(
                f"{row_of(source, row + 1)}: {image} has the unknown class {shorten(label)}"
            )
        return pd.DataFrame(
            {"image_id": match_pictures(table["image"], pictures, source), "name": places}
        )
    content = read_json(source)
    if isinstance(content, list):
        return _real(source, pictures, classes.names, content)
    if not isinstance(content, dict):
        raise InputError(f"{source}: expected an object of label lists by picture")
    return _by_picture(source, content, pictures, classes)


def _by_picture(
    source: Path, content: Mapping, pictures: Sequence[str], classes: Classes
) -> pd.DataFrame:
    images: list[str] = []
    names: list[str] = []
    for image, labels in content.items():
        if not isinstance(labels, list):
            raise InputError(f"{source}: {image}: expected a list of labels, got {shorten(labels)}")
        for label in labels or [""]:
            name = _name(label, classes)
            if name is None:
                raise InputError(
                    f"{source}: {image}: {shorten(label)} is no class name and no number below "
                    f"{len(classes)}"
                )
            images.append(image)
            names.append(name)
    ids = match_pictures(pd.Series(images, dtype=object), pictures, source)
    return pd.DataFrame({"image_id": ids, "name": names})


def _name(label: object, classes: Classes) -> str | None:
    """The class that a label names; "" for none, which says that a picture shows no class."""
    if label == "":
        return ""
    number = classes.number(label)
    return classes.names[number] if number >= 0 else None


def real_label_sets(classes: Sequence[str]) -> list[list[int]]:
    """ReaL's label sets of ImageNet's 50,000 validation pictures as the study's class numbers, less
    the labels of classes that it lacks.

    Raises:
        InputError: the classes are none of ImageNet's, or timm is not installed.
    """
    file = real_labels_file()
    sets = read_json(file)
    number_of = _imagenet_numbers(file, classes)
    return [[number_of[label] for label in labels if label in number_of] for labels in sets]


def _real(
    file: Path, pictures: Sequence[str], classes: Sequence[str], sets: list | None = None
) -> pd.DataFrame:
    sets = read_json(file) if sets is None else sets
    number_of = _imagenet_numbers(file, classes)
    _check_real(file, sets)
    images, names = [], []
    for picture in pictures:
        found = _VALIDATION_NUMBER.search(picture)
        if found is None or not 1 <= int(found[1]) <= len(sets):
            raise InputError(
                f"{file}: {picture} has no number of an ImageNet validation picture in its name"
            )
        labels = [number_of[label] for label in sets[int(found[1]) - 1] if label in number_of]
        found_names = [classes[label] for label in labels] or [""]
        images += [picture] * len(found_names)
        names += found_names
    return pd.DataFrame({"image_id": images, "name": names})


def _check_real(file: Path, sets: list | dict) -> None:
    """Refuse what is no class number: it would drop out as labels of absent classes do."""
    for rank, labels in enumerate(sets, 1):
        if not isinstance(labels, list):
            raise InputError(f"{file}: entry {rank}: expected a list of class numbers")
        for label in labels:
            if type(label) is not int or not 0 <= label < 1000:
                raise InputError(
                    f"{file}: entry {rank}: {shorten(label)} is no class number below 1000"
                )


def _imagenet_numbers(file: Path, classes: Sequence[str]) -> dict[int, int]:
    """ImageNet's class number -> the study's."""
    for names in (synsets(), class_names()):
        ranks = {name: rank for rank, name in enumerate(names)}
        if all(name in ranks for name in classes):
            return {ranks[name]: number for number, name in enumerate(classes)}
    if len(classes) == len(synsets()):
        decimal = all(name.isdecimal() for name in classes)
        if decimal and sorted(map(int, classes)) == list(range(len(classes))):
            return {int(name): number for number, name in enumerate(classes)}
        # Other names in the order of the alphabet are a folder's: they tell no number.
        if not decimal and list(classes) != sorted(classes):
            return {rank: rank for rank in range(len(classes))}
    raise InputError(
        f"{file}: ReaL labels need ImageNet's 1,000 classes in its order, or classes named by "
        f"WordNet id; {classes[0]!r} is none"
    )
