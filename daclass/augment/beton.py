"""Checking FFCV's .beton files before a loader compiles anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from ffcv.reader import Reader

from daclass.augment.errors import AugmentError


def read_labels(beton: Path | str, field: str = "label") -> npt.NDArray[np.int64]:
    """The label of every sample of a .beton, shape [samples], without a pass over the pictures.

    Args:
        beton: the file, written by `ffcv.writer.DatasetWriter`.
        field: name of its integer field with the labels.

    Raises:
        AugmentError: the file is missing, cut short, no .beton, or has no such field.
    """
    path = Path(beton)
    if not path.is_file():
        raise AugmentError(f"{path}: no such file")
    try:
        reader = Reader(str(path))
        allocations = reader.alloc_table
        # The table of what lies where ends the file, and holds a picture of every sample.
        whole = len(np.unique(allocations["sample_id"])) == reader.num_samples > 0
        whole &= int(reader.header["alloc_table_ptr"]) + allocations.nbytes == path.stat().st_size
        fields = list(reader.field_names)
    except (AssertionError, IndexError, ValueError, KeyError, OSError, MemoryError):
        whole = False
    if not whole:
        raise AugmentError(f"{path}: cut short, or not a .beton file; write it again")
    labels = reader.metadata[f"f{fields.index(field)}"] if field in fields else np.empty(0)
    if not np.issubdtype(labels.dtype, np.integer):
        raise AugmentError(f"{path}: has no integer field {field!r}; its fields are {fields}")
    return labels.reshape(-1).astype(np.int64)
