"""CSV, TSV and JSON files from outside, with one clear error for what is wrong.

A name may end in .gz besides: `labels.csv.gz`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from daclass.data.limits import read_bytes
from daclass.errors import InputError

SEPARATORS = {".csv": ",", ".tsv": "\t"}
_PARSED = 12  # bytes of memory that a byte of text takes once it is a table, at most


_UNNAMED = re.compile(r"|Unnamed: \d+|__index_level_\d+__|\.\.\.\d+")


def is_unnamed(column: str) -> bool:
    """Whether a column's name is none: an index that pandas, pyarrow or R wrote beside the data."""
    return _UNNAMED.fullmatch(column.strip()) is not None


def kind(path: Path) -> str:
    """The ending that tells what a file holds: ".csv" of p.csv and of p.CSV.gz."""
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return name.suffix.lower()


def _separator(path: Path, text: str) -> str:
    """What parts fields: by the file's name, or semicolons, as many spreadsheets write them."""
    by_name = SEPARATORS.get(kind(path), ",")
    head = text.lstrip("\r\n").partition("\n")[0]
    return ";" if ";" in head and by_name not in head else by_name


def read_csv(path: Path, *columns: str, optional: tuple[str, ...] = ()) -> pd.DataFrame:
    """The named columns of a CSV or TSV file, as text; optional ones where the file has them.

    Raises:
        InputError: as `read_table`, or a column is missing.
    """
    frame = read_table(path)
    missing = [column for column in columns if column not in frame]
    if missing:
        raise InputError(f"{path}: lacks the column {missing[0]} (needs {', '.join(columns)})")
    return frame[[*columns, *(column for column in optional if column in frame)]]


def row_of(file: Path | str, number: int) -> str:
    """Where a row, from 1, is in a file, for messages: of a CSV, which has a header and may have
    empty lines, with its line."""
    path = Path(file)
    if kind(path) not in SEPARATORS:
        return f"{file}: row {number}"
    with suppress(InputError, UnicodeDecodeError, csv.Error):  # it has changed since it was read
        for row, (line, _) in enumerate(_lines(path)):
            if row == number:
                return f"{file}: line {line}, row {number}"
    return f"{file}: row {number}"


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The header and rows of a CSV or TSV file, with the line that each begins at."""
    text = read_bytes(path, _PARSED).decode("utf-8-sig")
    if "\0" in text:
        raise csv.Error("it holds a zero byte")
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=_separator(path, text), strict=True
    )
    start = 1
    for fields in reader:
        if fields:
            yield start, fields
        start = reader.line_num + 1


def read_table(path: Path) -> pd.DataFrame:
    """All of a CSV or TSV file, as text. Empty lines are skipped.

    Raises:
        InputError: the file is missing, too large or no CSV, names a column twice, or has a row
            with fields too many or too few.
    """
    try:
        header, *rows = [fields for _, fields in _lines(path)] or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV file ({error})") from None
    if not header:
        raise InputError(f"{path}: not a CSV file (it is empty)")
    name, times = Counter(header).most_common(1)[0]
    if times > 1:
        raise InputError(f"{path}: has {times} columns called {name!r}")
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            more = "more" if len(row) > len(header) else "fewer"
            raise InputError(
                f"{row_of(path, number)}: a row has {more} fields than the header has columns "
                f"({len(row)}, not {len(header)})"
            )
    columns = zip(*rows, strict=True) if rows else [()] * len(header)
    return pd.DataFrame(
        {name: list(values) for name, values in zip(header, columns, strict=True)}, dtype=object
    )


def parse_json(text: str | bytes) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: it is no JSON, nests too deeply, has a key twice in an object, or a number of
            thousands of digits.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("it nests too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        name = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {shorten(name)} is there twice")
    return found


def read_json(path: Path) -> Any:
    """What a JSON file says.

    Raises:
        InputError: the file is missing or too large, or as `parse_json`.
    """
    try:
        return parse_json(read_bytes(path, _PARSED))
    except ValueError as error:
        raise InputError(f"{path}: not a JSON file ({error})") from None


def shorten(value: object) -> str:
    """A value for a message: texts in quotes, and cut where it is long."""
    if isinstance(value, int) and value.bit_length() > 200:  # which str may refuse
        return "a number of more than 60 digits"
    text = str(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return repr(text) if isinstance(value, str) else text
