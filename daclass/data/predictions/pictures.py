"""Where the pictures of predictions lie, for whoever shows some of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from daclass.data.listing import every_picture
from daclass.data.names import match_pictures
from daclass.errors import InputError


def picture_files(root: str | Path, image_ids: Sequence[str]) -> dict[str, Path]:
    """The files of pictures, as far as they are there.

    Args:
        root: a folder; pictures may lie anywhere below it.
        image_ids: names of pictures as predictions have them; files are found as
            `match_pictures` finds them, by path or file name, with or without endings.

    Raises:
        InputError: there is no such folder, it holds none of the pictures, or the name of a file
            stands for several.
    """
    if not isinstance(root, str | Path):
        raise InputError(f"images_root: {root!r} is no path")
    root = Path(root)
    files = pd.Series(every_picture(root))
    ids = match_pictures(files, image_ids, root, others=True)
    found = {
        str(each): root / file for each, file in zip(ids, files, strict=True) if pd.notna(each)
    }
    if not found:
        raise InputError(f"images_root: {root} holds none of the pictures, such as {image_ids[0]}")
    if len(found) < len(image_ids):
        logging.info(
            "%s holds %d of the %d pictures; the report shows some of these",
            root,
            len(found),
            len(image_ids),
        )
    return found
