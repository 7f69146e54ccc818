"""CSV files from outside, read as text, with one clear error for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from daclass.errors import InputError


def read_csv(path: Path, *columns: str, optional: tuple[str, ...] = ()) -> pd.DataFrame:
    """The named columns of a CSV file, as text; optional ones where the file has them.

    Raises:
        InputError: the file is missing, is not CSV, or lacks a column.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a CSV file ({' '.join(str(error).split())})") from None
    missing = [column for column in columns if column not in frame]
    if missing:
        raise InputError(f"{path}: lacks the column {missing[0]} (needs {', '.join(columns)})")
    return frame[[*columns, *(column for column in optional if column in frame)]]
