"""How many training pictures classes have, and whether that is uneven."""

from __future__ import annotations

import pandas as pd

from daclass.config import FolderData
from daclass.data.labels import labelled_pictures
from daclass.data.listing import list_pictures

UNEVEN = 10
"""Times the pictures of the smallest class that make a set uneven."""


def training_counts(data: FolderData) -> pd.Series:
    """Pictures by class, as they lie in the folder: for training, or before a part is set aside.

    Raises:
        InputError: a folder, a file or a column is missing, or a class has no picture.
    """
    if data.labels:
        found = labelled_pictures(data.root, data.labels)
        found = found[found["split"] != "val"]
    else:
        found = list_pictures(data.root, data.train)
    return found.loc[~found["image_id"].isin(data.leave_out), "name"].value_counts()


def uneven(counts: pd.Series) -> str:
    """What to say of training pictures by class; "" where classes have about as many.

    Args:
        counts: number of training pictures, by the class's name.
    """
    if counts.empty or counts.max() < UNEVEN * counts.min():
        return ""
    return (
        f"class {counts.idxmin()} has {counts.min():,} training pictures and class "
        f"{counts.idxmax()} has {counts.max():,}: a network learns to prefer the large ones, "
        "whatever the augmentation does; training.class_weights: balanced weighs against it"
    )
