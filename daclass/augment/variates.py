"""Counter-based random variates: pure functions of integers, with no state to save or share.

A *key* stands for one (study seed, run seed, epoch, image, occurrence); the n-th variate of a key
is a SplitMix64 output (Steele, Lea and Flood, OOPSLA 2014; constants as in Vigna's splitmix64.c).
Workers, backends, batch order and restarts therefore cannot change what is drawn. Everything here
works on uint64 arrays and, compiled by numba, on uint64 scalars.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from daclass.augment.errors import AugmentError

Keys = npt.NDArray[np.uint64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)

# Each operation's counters start at a number of its own, so that no two share a variate: crops at
# 0, an axis at its `draws`, and what follows.
OPERATION_BITS = 32
FLIP = np.uint64(1 << OPERATION_BITS)
PARTNER = 8 << OPERATION_BITS
MIXTURE = 9 << OPERATION_BITS
RESERVED = {0: "crops", 1: "flips", 8: "the partners of mixes", 9: "mixtures of strengths"}

_S27, _S30, _S31, _S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)
_MUL1, _MUL2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53


def mix(x: Any) -> Any:
    """SplitMix64's finaliser, a bijection of the 64-bit integers."""
    x = (x ^ (x >> _S30)) * _MUL1
    x = (x ^ (x >> _S27)) * _MUL2
    return x ^ (x >> _S31)


def epoch_key(study_seed: int, run_seed: int, epoch: int) -> np.uint64:
    """Fold the three integers that an epoch's images share into one key.

    Raises:
        AugmentError: one of them is not an integer in [0, 2^63).
    """
    key = np.zeros(1, np.uint64)
    for name, value in {"study_seed": study_seed, "run_seed": run_seed, "epoch": epoch}.items():
        if not isinstance(value, int | np.integer) or not 0 <= value < 2**63:
            raise AugmentError(f"{name} must be an integer in [0, 2^63), got {value!r}")
        key = mix((key ^ np.uint64(value)) + GOLDEN)
    return np.uint64(key[0])


def image_keys(
    epoch: np.uint64,
    images: npt.NDArray[np.integer],
    occurrences: npt.NDArray[np.integer] | int = 0,
) -> Keys:
    """One key an image.

    Args:
        epoch: what `epoch_key` returns.
        images: positions in the index, shape [n], non-negative.
        occurrences: how often each image came before in a resampled epoch, shape [n] or one number.

    Returns:
        uint64, shape [n].

    Raises:
        AugmentError: a position or a count is negative or no integer.
    """
    keys = mix((epoch ^ _counts("images", images)) + GOLDEN)
    again = np.broadcast_to(_counts("occurrences", occurrences), keys.shape)
    return np.asarray(mix((keys ^ again) + GOLDEN))


def _counts(name: str, values: npt.NDArray[np.integer] | int) -> npt.NDArray[np.uint64]:
    numbers = np.asarray(values)
    if not np.issubdtype(numbers.dtype, np.integer) or (numbers.size and numbers.min() < 0):
        raise AugmentError(f"{name} must be integers of at least 0, got {numbers}")
    return numbers.astype(np.uint64)


def uniform(keys: Keys, counter: int) -> npt.NDArray[np.float64]:
    """The variate number `counter` of each key: 53 bits on [0, 1), shape of keys."""
    step = np.uint64((counter + 1) * int(GOLDEN) % 2**64)
    bits = mix(keys + step)
    return (bits >> _S11).astype(np.float64) * _TO_UNIT


def signed(keys: Keys, counter: int) -> npt.NDArray[np.float64]:
    """The variate number `counter` of each key, stretched to [-1, 1), shape of keys."""
    return 2.0 * uniform(keys, counter) - 1.0


def flips(keys: Keys, probability: float) -> npt.NDArray[np.bool_]:
    """Whether each image is mirrored, shape of keys."""
    return uniform(keys, int(FLIP)) < probability
