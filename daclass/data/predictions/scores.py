"""Rankings and probabilities from the scores that networks give, one per class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from daclass.data.tabular import row_of
from daclass.errors import InputError
from daclass.tables import RUNNERS_UP

DEPTH = 1 + len(RUNNERS_UP)
_BLOCK = 4096  # pictures whose scores are copied at a time
_ROUNDING = 0.02  # how far half-precision probabilities of a picture may be from a sum of 1


def ranked(
    scores: npt.NDArray[np.floating], where: str
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], int]:
    """The classes with the highest scores, and how probable the first one is said to be.

    Scores of a picture that lie in [0, 1] and add up to 1 are probabilities. Any others are taken
    for logits, whose softmax is the probability; but not where all of them lie in [0, 1], as
    independent probabilities do: then it is unknown. Of equal scores the lower class comes first.

    Args:
        scores: [N, C], of any float type; minus infinity says that a class is ruled out.
        where: what they are, for messages.

    Returns:
        Classes [N, min(C, 5)], the highest score first; probability [N], NaN where unknown; and for
        how many pictures the highest score is that of several classes.

    Raises:
        InputError: a score is NaN or plus infinity, a picture has none above minus infinity, or
            there are scores of one class alone.
    """
    pictures, classes = scores.shape
    if classes < 2:
        raise InputError(
            f"{where}: has one score for each picture; give one for each class, or class numbers"
        )
    depth = min(classes, DEPTH)
    top = np.empty((pictures, depth), np.int32)
    probability = np.empty(pictures, np.float32)
    ties, independent = 0, True
    for start in range(0, pictures, _BLOCK):
        own = np.array(scores[start : start + _BLOCK], np.float32)
        highest = own.max(axis=1, initial=-np.inf)
        bad = ~np.isfinite(highest)  # a NaN anywhere makes the maximum NaN
        if bad.any():
            row = start + int(bad.argmax())
            raise InputError(f"{row_of(where, row + 1)}: a score is NaN or infinite")
        ties += int(((own == highest[:, None]).sum(axis=1) > 1).sum())
        inside = bool((own >= 0).all() and (own <= 1).all())
        independent &= inside
        block = slice(start, start + len(own))
        if inside and (np.abs(own.sum(axis=1, dtype=np.float64) - 1) <= _ROUNDING).all():
            probability[block] = highest
            independent = False
        else:
            with np.errstate(under="ignore"):
                probability[block] = 1 / np.exp(own - highest[:, None]).sum(axis=1)
        if (np.isfinite(own).sum(axis=1) < depth).any():  # classes that are ruled out are equal
            top[block] = np.argsort(-own, axis=1, kind="stable")[:, :depth]
            continue
        rows = np.arange(len(own))
        for rank in range(depth):
            top[block, rank] = own.argmax(axis=1)
            own[rows, top[block, rank]] = -np.inf
    if independent:
        probability[:] = np.nan
    return top, probability, ties
