"""A sum for every sample of a .beton, by which damage is noticed when the sample is first used.

A .beton of ImageNet has 150 GB: nobody reads it twice for the sake of a checksum. Each sample's
bytes are read anyway, and summing them takes a hundredth of the time that decoding does.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from ffcv.reader import Reader
from numba import njit, prange, types

from daclass.atomic import replacing
from daclass.augment.errors import AugmentError

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd: multiplying by it loses nothing
_HALF = np.uint64(32)


# The type is named because FFCV marks numba's own type of byte arrays as read-only when it makes a
# loader: a function that was compiled for it before would know it no more, and numba would search
# for ever.
@njit(types.uint64(types.Array(types.uint8, 1, "C", readonly=True)))
def sample_sum(data):  # type: ignore[no-untyped-def]
    """Sum of bytes, uint8 [n], as one uint64.

    Every step is a bijection of the sum so far and of the word that it takes in: damage within one
    word of 8 bytes always changes the sum, other damage does but for one case in 2^64.
    """
    words = data[: data.size // 8 * 8].view(np.uint64)
    total = np.uint64(data.size)
    for word in words:
        total = (total ^ word) * _MULTIPLIER
        total ^= total >> _HALF
    for byte in data[8 * words.size :]:
        total = (total ^ np.uint64(byte)) * _MULTIPLIER
        total ^= total >> _HALF
    return total


@njit(parallel=True)
def _sums(content, starts, sizes):  # type: ignore[no-untyped-def]
    found = np.empty(starts.size, np.uint64)
    for place in prange(starts.size):
        start = np.int64(starts[place])
        found[place] = sample_sum(content[start : start + np.int64(sizes[place])])
    return found


def sums_path(beton: Path) -> Path:
    """Where the sums of a .beton lie."""
    return beton.with_name(f"{beton.name}.sums.npy")


def write_sums(beton: Path) -> None:
    """Write the sums of a .beton beside it: uint64 [1 + samples], of its tables and each sample."""
    with replacing(sums_path(beton)) as partial, partial.open("wb") as file:
        np.save(file, _all_sums(beton))


def read_sums(beton: Path) -> npt.NDArray[np.uint64] | None:
    """The sums of the samples, uint64 [samples]; None where none were written.

    Raises:
        AugmentError: they are not those of this .beton, or its tables are damaged.
    """
    path = sums_path(beton)
    if not path.is_file():
        return None
    try:
        sums = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise AugmentError(f"{path}: not readable ({error})") from None
    reader = Reader(str(beton))
    whole = sums.dtype == np.uint64 and sums.shape == (1 + len(reader.metadata),)
    if not whole or sums[0] != _table_sum(reader):
        raise AugmentError(f"{beton}: its tables differ from what was written")
    found: npt.NDArray[np.uint64] = sums[1:]
    return found


def damaged_samples(beton: Path) -> npt.NDArray[np.int64]:
    """Which samples of a .beton differ from what was written, by a pass over the whole file.

    Raises:
        AugmentError: there are no sums, or `read_sums` refuses.
    """
    sums = read_sums(beton)
    if sums is None:
        raise AugmentError(f"{beton}: has no sums to be held against")
    return np.flatnonzero(_all_sums(beton)[1:] != sums)


def _table_sum(reader: Reader) -> np.uint64:
    tables = (reader.metadata, reader.alloc_table)
    total: np.uint64 = sample_sum(
        np.frombuffer(b"".join(table.tobytes() for table in tables), np.uint8)
    )
    return total


def _all_sums(beton: Path) -> npt.NDArray[np.uint64]:
    reader = Reader(str(beton))
    places = np.sort(reader.alloc_table, order="sample_id")
    content = np.memmap(beton, np.uint8, mode="r")
    samples = _sums(content, places["ptr"].copy(), places["size"].copy())
    return np.concatenate([np.array([_table_sum(reader)], np.uint64), samples])
