"""What a caller holds in memory, from numpy, torch, pandas or lists, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from daclass.data.tabular import shorten
from daclass.errors import InputError

_DIGITS = 4300  # beyond which Python does not write a number


def texts(values: Any, what: str) -> list[str]:
    """Names, as text.

    Raises:
        InputError: it is no sequence, or holds a number of thousands of digits.
    """
    try:
        return [str(value) for value in values]
    except TypeError:
        raise InputError(f"{what}: {shorten(values)} is no list of names") from None
    except ValueError:
        raise InputError(f"{what}: holds a number of more than {_DIGITS:,} digits") from None


def array(values: Any, what: str) -> np.ndarray:
    """An array of numbers or texts from numpy, torch, pandas or lists.

    Raises:
        InputError: it is none, such as a list of lists of several lengths.
    """
    if hasattr(values, "detach"):  # a torch tensor, without importing torch
        values = values.detach().cpu()
        values = values.float() if values.is_floating_point() else values
    if isinstance(values, (pd.Series, pd.DataFrame)) and values.isna().to_numpy().any():
        row = int(values.isna().to_numpy().reshape(len(values), -1).any(axis=1).argmax())
        raise InputError(f"{what}: row {row + 1}: a value is missing")
    try:
        found = np.asarray(values)
    except ValueError as error:
        raise InputError(f"{what}: no array ({error})") from None
    if found.dtype == object and found.size and not isinstance(found.flat[0], str):
        found = np.array(found.tolist())  # such as whole numbers, or pandas' numbers
    if found.dtype == object:
        huge = np.array([isinstance(v, int) and v.bit_length() > 63 for v in found.flat])
        if huge.any():
            row = int(huge.argmax()) % (found.shape[-1] if found.ndim == 2 else found.size)
            value = shorten(found.flat[int(huge.argmax())])
            raise InputError(f"{what}: row {row + 1}: {value} is no class")
    if found.ndim == 0:
        raise InputError(f"{what}: {type(values).__name__} is no array and no list")
    if found.dtype.kind not in "iufUbO":
        raise InputError(f"{what}: has the type {found.dtype}; expected numbers or names")
    return found


def index_of(values: Any) -> list[str] | None:
    """Names of pictures in a pandas index; none where it counts rows alone."""
    index = getattr(values, "index", None)
    if not isinstance(index, pd.Index) or isinstance(index, pd.RangeIndex):
        return None
    return texts(index, "the index")
