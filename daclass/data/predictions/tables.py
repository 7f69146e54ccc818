"""Files with tables of predictions: CSV, TSV, JSON, JSON lines and Parquet, as they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from daclass.data.limits import check_size, read_bytes
from daclass.data.tabular import SEPARATORS, kind, parse_json, read_json, read_table
from daclass.errors import InputError

ENDINGS = (*SEPARATORS, ".json", ".jsonl", ".ndjson", ".parquet")


def read_file(file: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """A table with values as the file has them, and class names where it tells them.

    Pictures that are structs, as in data sets of Hugging Face, come as their paths.

    Raises:
        InputError: the file is missing, damaged or too large, or a row is no record.
    """
    match kind(file):
        case ".parquet":
            return _parquet(file)
        case ".json":
            return _frame(file, _records(file, read_json(file))), ()
        case ".jsonl" | ".ndjson":
            return _frame(file, _lines(file)), ()
        case _:
            return read_table(file), ()


def _lines(file: Path) -> list[Any]:
    found = []
    for number, line in enumerate(read_bytes(file, times=12).splitlines(), 1):
        if line.strip():
            try:
                found.append(parse_json(line))
            except ValueError as error:
                raise InputError(f"{file}: row {number}: not JSON ({error})") from None
    return found


def _records(file: Path, content: Any) -> list[Any]:
    """Records from a list, or from an object by picture as pandas and timm write it."""
    if isinstance(content, list):
        return content
    if isinstance(content, dict) and all(isinstance(row, dict) for row in content.values()):
        return [{"image": image, **row} for image, row in content.items()]
    raise InputError(f"{file}: expected a list of records, or an object of them by picture")


def _frame(file: Path, records: Sequence[Any]) -> pd.DataFrame:
    columns: dict[str, None] = {}
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise InputError(f"{file}: row {number}: is no record of columns and values")
        columns.update(dict.fromkeys(record))
    frame = pd.DataFrame(
        {
            # What a record lacks is missing, as what it gives as null.
            name: pd.Series([record.get(name) for record in records], dtype=object)
            for name in columns
        }
    )
    return _plain(file, frame)


def _parquet(file: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    try:
        with pq.ParquetFile(file) as stored:
            schema = stored.schema_arrow
            twice = [name for name in schema.names if schema.names.count(name) > 1]
            if twice:
                raise InputError(f"{file}: has several columns called {twice[0]!r}")
            _check_parquet(file, stored.metadata)
            # Of a struct with a path, such as a picture with its bytes, the path alone.
            chosen = [_path_of(field) for field in schema]
            table = stored.read(columns=[name for name in chosen if name is not None])
            frame = table.to_pandas(ignore_metadata=True)
            names = _label_names(schema)
    except (pa.ArrowException, OSError, ValueError) as error:  # no UTF-8, too
        what = " ".join(str(error).split())
        raise InputError(f"{file}: not a readable Parquet file ({what})") from None
    return _plain(file, frame), names


def _check_parquet(file: Path, metadata: pq.FileMetaData) -> None:
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    stored = sum(group.total_byte_size for group in groups)
    check_size(2 * stored + 8 * metadata.num_rows * metadata.num_columns, file)


def _path_of(field: pa.Field) -> str | None:
    if pa.types.is_struct(field.type):
        inner = {part.name for part in field.type}
        return f"{field.name}.path" if "path" in inner else None
    binary = pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
    return None if binary else field.name


def _label_names(schema: pa.Schema) -> tuple[str, ...]:
    """The class names that data sets of Hugging Face keep beside a column of labels."""
    said = (schema.metadata or {}).get(b"huggingface")
    if said is None:
        return ()
    try:
        features = json.loads(said)["info"]["features"]
        lists = [feature.get("names") for feature in features.values() if "names" in feature]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()
    named = [tuple(names) for names in lists if isinstance(names, list)]
    texts = len(set(named)) == 1 and all(isinstance(name, str) for name in named[0])
    return named[0] if texts and len(set(named[0])) == len(named[0]) else ()


def _plain(file: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Structs with a path as the path; no other cell is a mapping."""
    for name in frame:
        if frame[name].dtype != object:
            continue
        mapping = frame[name].map(lambda cell: isinstance(cell, dict))
        if mapping.any():
            frame[name] = frame[name].map(
                lambda cell: cell.get("path") if isinstance(cell, dict) else cell
            )
            lost = frame[name].isna() & mapping
            if lost.any():
                row = int(np.argmax(lost.to_numpy())) + 1
                raise InputError(f"{file}: row {row}: {name} names no picture: its path is missing")
    return frame
