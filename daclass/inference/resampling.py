"""Two-way bootstrap: class accuracies of all conditions if seeds and pictures were drawn anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from daclass.inference.arrays import Bools, Ints


def two_way_bootstrap(
    correct: Sequence[Bools],
    labels: Ints,
    n_classes: int,
    *,
    paired: bool,
    replicates: int,
    random_seed: int,
) -> npt.NDArray[np.float32]:
    """Draw seeds and pictures with replacement and take every class's accuracy each time.

    A replicate draws the seeds of the study once, for all classes together, and the pictures of
    each class for all conditions together, so that it keeps what classes share through their seeds
    and what conditions share through their pictures (Owen 2007, "The pigeonhole bootstrap").

    Its spread is that of new seeds and new pictures, but for the part of independent flips, which
    it counts about three times (ibid.); `nulls` therefore scales it to the standard errors of
    `crossed`.

    Args:
        correct: a condition's replicates by pictures, K arrays of shape [S_k, N].
        labels: class of each picture, int64 [N], sorted.
        n_classes: C; classes may be empty and are NaN then.
        paired: whether conditions share their seeds; they then draw the same ones.
        replicates: B.
        random_seed: same seed, same result.

    Returns:
        Accuracies in [0, 1], float32 [B, K, C].
    """
    rng = np.random.default_rng(random_seed)
    weights: list[npt.NDArray[np.float32]] = []
    for rows in correct:
        if not (paired and weights):
            weights.append(_draws(rng, replicates, len(rows)) / np.float32(len(rows)))
        else:
            weights.append(weights[0])
    accuracies = np.full((replicates, len(correct), n_classes), np.nan, np.float32)
    ends = np.searchsorted(labels, np.arange(n_classes + 1))
    for class_id in range(n_classes):
        first, last = ends[class_id], ends[class_id + 1]
        if first == last:
            continue
        pictures = _draws(rng, replicates, last - first) / np.float32(last - first)
        for level, (rows, seeds) in enumerate(zip(correct, weights, strict=True)):
            by_picture = seeds @ rows[:, first:last].astype(np.float32)
            accuracies[:, level, class_id] = np.einsum("bn,bn->b", by_picture, pictures)
    return accuracies


def _draws(rng: np.random.Generator, replicates: int, n: int) -> npt.NDArray[np.float32]:
    """How often each of n things comes up in n draws, [B, n]."""
    drawn = rng.integers(0, n, (replicates, n)) + np.arange(replicates)[:, None] * n
    counts = np.bincount(drawn.ravel(), minlength=replicates * n)
    return counts.reshape(replicates, n).astype(np.float32)
