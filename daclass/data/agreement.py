"""Whether label sets belong to the pictures that they are given to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from daclass.errors import InputError

AGREEMENT = 0.5
"""The share of label sets with the original label, beyond what chance gives (Cohen's kappa),
below which sets are not taken for these pictures'. ReaL's sets have .89 of ImageNet's labels and
CIFAR-10H's votes all of them; moved by one picture, or with permuted classes, they have about 0."""
ENOUGH = 20  # sets that it takes to tell
OPEN, WIDE_OPEN = 0.5, 0.9
"""Shares of the classes besides one that sets hold on average: from the first on, a good part of
all wrong predictions counts as right, which is said; from the second on, nearly all, which is
refused. ReaL's sets have .0002 of them."""


def check_sizes(sets: Sequence[Sequence[int]], n_classes: int) -> tuple[str, ...]:
    """Whether sets leave anything to be wrong: a note where they leave little.

    Args:
        sets: the pictures' label sets, without classes twice; empty ones are passed over.
        n_classes: how many classes there are.

    Raises:
        InputError: (nearly) all pictures have (nearly) all classes as labels.
    """
    sizes = np.array([len(own) for own in sets if len(own)])
    if n_classes < 2 or not len(sizes):
        return ()
    beyond = float((sizes - 1).mean()) / (n_classes - 1)
    if beyond < OPEN:
        return ()
    text = (
        f"annotations: label sets hold {sizes.mean():.1f} of the {n_classes} classes on average, "
        "so that most predictions would be right whatever they say"
    )
    if beyond >= WIDE_OPEN:
        raise InputError(
            f"{text}: a class is a label of a picture where annotators see it there, and not where "
            "its probability or number of votes is above zero"
        )
    return (f"{text}.",)


def check_agreement(
    sets: Sequence[Sequence[int]], labels: np.ndarray, share: float
) -> tuple[str, ...]:
    """Compare label sets with the original labels.

    Annotators disagree with some labels, and somebody may have annotated none but doubtful
    pictures. So sets of less than half of all pictures cause a note, and others an error.

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
        return ()
    kept = [own for own in sets if len(own)]
    known = labels[filled]
    agree = np.mean([label in own for own, label in zip(kept, known, strict=True)])
    classes = 1 + int(max(known.max(), max(max(own) for own in kept)))
    holds = np.bincount(np.concatenate([np.unique(own) for own in kept]), minlength=classes)
    chance = float(np.bincount(known, minlength=classes) @ holds) / pictures**2
    if chance >= 1 or (agree - chance) / (1 - chance) >= AGREEMENT:
        return ()
    text = (
        f"annotations: {agree:.1%} of {pictures} label sets hold their picture's original label, "
        f"and {chance:.1%} would by chance: they seem to belong to other pictures (moved by one?) "
        "or to count classes in another order"
    )
    if share >= 0.5:
        raise InputError(text)
    return (f"{text}.",)
