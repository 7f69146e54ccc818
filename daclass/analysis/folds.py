"""Cross-fitting: what is chosen on some pictures and seeds is estimated on others.

Pictures form two halves and replicates two groups, by even and odd rank; a fold is a half and a
group. What a fold chooses serves the cells of the other half *and* the other group.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from daclass.analysis.cells import Half, Images
from daclass.inference.arrays import Bools, Ints

FOLD_HALVES: tuple[Half, Half] = ("select", "estimate")


def seed_groups(correct: Sequence[Bools]) -> Ints | None:
    """The group, 0 or 1, of each replicate, int64 [S].

    None where there are no two groups, or no common ones: with one replicate, or with numbers of
    replicates that differ between conditions. Replicates that are not paired and equally many are
    matched by rank: they are exchangeable, so any matching is valid, at the cost of degrees of
    freedom.

    Args:
        correct: K arrays of shape [S_k, N].
    """
    numbers = {len(rows) for rows in correct}
    return np.arange(len(correct[0])) % 2 if len(numbers) == 1 and numbers != {1} else None


def best_levels(correct: Sequence[Bools], images: Images, counted: Bools) -> Ints:
    """Each class's best condition on each fold, int64 [2 halves, 2 groups, C].

    -1 for a class without counted pictures in the half. Ties go to the earlier condition.

    Args:
        correct: K arrays of shape [S, N].
        images: the pictures.
        counted: which of them count, bool [N].
    """
    groups = seed_groups(correct)
    levels = np.full((2, 2, images.n_classes), -1, np.int64)
    for h, half in enumerate(FOLD_HALVES):
        chosen = images.half(half) & counted
        labels = images.labels[chosen]
        present = np.bincount(labels, minlength=images.n_classes) > 0
        for g in (0, 1):
            hits = [
                np.bincount(
                    labels, rows[groups == g][:, chosen].sum(axis=0), minlength=images.n_classes
                )
                for rows in correct
            ]
            levels[h, g] = np.where(present, np.argmax(hits, axis=0), -1)
    return levels


def fold_of(images: Images, groups: Ints, half: Half) -> tuple[Ints, Ints]:
    """The fold that chooses for each cell: half [N] and group [S].

    That is the other half and the other group; but for the selection half alone, whose cells are
    served by that half itself (and serve to choose, not to report).
    """
    select, estimate = FOLD_HALVES.index("select"), FOLD_HALVES.index("estimate")
    other = np.where(images.select, estimate, select)
    return (np.full_like(other, select) if half == "select" else other), 1 - groups


def cross_fitted(
    correct: Sequence[Bools], images: Images, levels: Ints, half: Half
) -> tuple[Ints, Bools]:
    """Each cell at the condition that its fold chose for its class.

    Args:
        correct: K arrays of shape [S, N].
        images: the pictures.
        levels: what `best_levels` gives, [2, 2, C].
        half: for whose figures; see `fold_of`.

    Returns:
        The level, int64 [S, N], -1 where there is none, and the correctness there, bool [S, N].
    """
    groups = seed_groups(correct)
    assert groups is not None  # else there are no levels
    source, group = fold_of(images, groups, half)
    level = levels[source[None, :], group[:, None], images.labels[None, :]]
    at_level = np.zeros(level.shape, bool)
    for rank, rows in enumerate(correct):
        at_level = np.where(level == rank, rows, at_level)
    return level, at_level
