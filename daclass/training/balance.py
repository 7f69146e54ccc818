"""Classes of different sizes: what their losses count, and how often their pictures come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from daclass.augment import Policy
from daclass.config import Training
from daclass.data.tabular import read_csv
from daclass.errors import InputError


def loss_weights(
    training: Training, policy: Policy, labels: npt.NDArray[np.int64], class_names: Sequence[str]
) -> npt.NDArray[np.float64] | None:
    """What the loss of a class's samples counts, shape [classes], with mean 1 over the samples;
    None where all count alike and the policy's loss is torch's own.

    The recipe's weights of classes times the policy's own.

    Args:
        labels: class ids of the training pictures, shape [samples].

    Raises:
        AugmentError: the policy weights classes that are not there.
        InputError: `training.class_weights` is a file that does not weight each class once.
    """
    if training.class_weights == "none" and not (policy.loss_weights or policy.view_aware):
        return None
    weights = policy.weights(class_names, labels)
    if training.class_weights == "balanced":
        # Each class's sum over its samples is the same, as scikit-learn's "balanced" has it.
        weights = weights / np.maximum(np.bincount(labels, minlength=len(class_names)), 1)
    elif isinstance(training.class_weights, Path):
        weights = weights * read_class_weights(training.class_weights, class_names)
    return weights / weights[labels].mean()


def read_class_weights(file: Path, class_names: Sequence[str]) -> npt.NDArray[np.float64]:
    """The weights of a CSV file with columns class,weight, in the order of `class_names`.

    Raises:
        InputError: the file is no such CSV, a class is missing, unknown or comes twice, or a weight
            is no positive number.
    """
    rows = read_csv(file, "class", "weight")
    found: dict[str, float] = {}
    for row, (name, text) in enumerate(rows[["class", "weight"]].itertuples(index=False), 1):
        where = f"training.class_weights: {file}: row {row}"
        if name not in class_names or name in found:
            what = "comes twice" if name in found else "is no class of the training pictures"
            raise InputError(f"{where}: {name!r} {what}")
        found[name] = _positive(text, where)
    if missing := [name for name in class_names if name not in found]:
        raise InputError(f"training.class_weights: {file}: has no weight of the class {missing[0]}")
    return np.array([found[name] for name in class_names])


def _positive(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise InputError(f"{where}: the weight {text!r} is no positive number")
    return number


def balanced_order(
    labels: npt.NDArray[np.int64], rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """An epoch that has as many samples as there are, and equally many of each class.

    A class whose share is larger than its number of samples has all of them in turn, in a new order
    each time; one whose share is smaller leaves some out, others in each epoch. Where the shares
    are no whole numbers, chance says which classes get one more.

    Args:
        labels: classes of the samples, shape [samples].

    Returns:
        Positions in `labels`, shape [samples].
    """
    present = np.unique(labels)
    share, over = divmod(len(labels), len(present))
    shares = np.full(len(present), share)
    shares[rng.choice(len(present), over, replace=False)] += 1
    by_class = np.split(
        np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels)[present])[:-1]
    )
    drawn = [
        np.concatenate([rng.permutation(own) for _ in range(-(-number // len(own)))])[:number]
        for own, number in zip(by_class, shares.tolist(), strict=True)
        if number
    ]
    return rng.permutation(np.concatenate(drawn))
