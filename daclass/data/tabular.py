"""CSV files from outside, read as text, with one clear error for what is wrong."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd

from daclass.errors import InputError


def read_csv(path: Path, *columns: str, optional: tuple[str, ...] = ()) -> pd.DataFrame:
    """The named columns of a CSV file, as text; optional ones where the file has them.

    Raises:
        InputError: the file is missing, is not CSV, lacks a column, or a row has fields too many.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with warnings.catch_warnings():
            # Of a row with more fields than the header, pandas would drop the last with a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False)
    except pd.errors.ParserWarning:
        raise InputError(f"{path}: a row has more fields than the header has columns") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a CSV file ({' '.join(str(error).split())})") from None
    missing = [column for column in columns if column not in frame]
    if missing:
        raise InputError(f"{path}: lacks the column {missing[0]} (needs {', '.join(columns)})")
    return frame[[*columns, *(column for column in optional if column in frame)]]
