"""Whether label sets belong to the pictures that they are given to."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from daclass.errors import InputError

AGREEMENT = 0.5
"""The share of label sets with the original label, beyond what chance gives (Cohen's kappa),
below which sets are not taken for these pictures'. ReaL's sets have .89 of ImageNet's labels and
CIFAR-10H's votes all of them; moved by one picture, or with permuted classes, they have about 0."""
ENOUGH = 20  # sets that it takes to tell


def check_agreement(sets: Sequence[Sequence[int]], labels: np.ndarray, share: float) -> None:
    """Compare label sets with the original labels.

    Annotators disagree with some labels, and somebody may have annotated none but doubtful
    pictures. So sets of less than half of all pictures cause a warning, and others an error.

    Args:
        sets: the pictures' label sets, [N]; empty ones are passed over.
        labels: the pictures' original classes, int [N].
        share: of all pictures, those that have a set here.

    Raises:
        InputError: sets of at least half of the pictures agree too rarely.
    """
    filled = np.array([len(own) > 0 for own in sets], bool)
    pictures = int(filled.sum())
    if pictures < ENOUGH:
        return
    kept = [own for own in sets if len(own)]
    known = labels[filled]
    agree = np.mean([label in own for own, label in zip(kept, known, strict=True)])
    classes = 1 + int(max(known.max(), max(max(own) for own in kept)))
    holds = np.bincount(np.concatenate([np.unique(own) for own in kept]), minlength=classes)
    chance = float(np.bincount(known, minlength=classes) @ holds) / pictures**2
    if chance >= 1 or (agree - chance) / (1 - chance) >= AGREEMENT:
        return
    text = (
        f"annotations: {agree:.1%} of {pictures} label sets hold their picture's original label, "
        f"and {chance:.1%} would by chance: they seem to belong to other pictures (moved by one?) "
        "or to count classes in another order"
    )
    if share >= 0.5:
        raise InputError(text)
    logging.warning("%s", text)
