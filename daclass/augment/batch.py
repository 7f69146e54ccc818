"""Batch operations: every axis but the crop, with a strength a sample, on a CPU or a GPU.

`batch_operation(axis, classes)` gives the one interface that a trainer needs. What is random in an
operation is drawn on the host, in float64, as a pure function of the samples' keys; the pictures
stay on their device, where torchvision and kornia do the arithmetic. The same picture in the same
epoch is therefore treated alike in any batch, in any order, on any device (up to rounding), and
strengths of one seed share their variates. Only mixup and CutMix look at a sample's batch mates:
there, the same set of samples gives the same result in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

from daclass.augment.axes.random_erasing import MEAN_COLOUR
from daclass.augment.axis import AXES, Axis
from daclass.augment.errors import AugmentError
from daclass.augment.variates import Keys

Strengths = npt.NDArray[np.float64]


class BatchOperation(Protocol):
    """One axis's operation on a batch."""

    def __call__(
        self, images: Tensor, labels: Tensor, strengths: npt.ArrayLike, keys: Keys
    ) -> tuple[Tensor, Tensor]:
        """Augment each picture at its own strength; the arguments are not changed.

        Args:
            images: floats on a scale of 0 to 1, shape [n, 3, height, width], on any device.
            labels: class ids, int64, shape [n], on the same device.
            strengths: in the axis's range, shape [n], on the host.
            keys: `image_keys` of the epoch and the samples' positions, uint64, shape [n], on the
                host.

        Returns:
            Pictures of the same shape, dtype and device; and targets: the labels, or for mixup and
            CutMix the shares of the classes, shape [n, classes], of the pictures' dtype, which
            `torch.nn.functional.cross_entropy` takes as well.

        Raises:
            AugmentError: shapes or types are others, or a strength is outside the axis's range.
        """


def batch_operation(
    axis: Axis | str, classes: int, fill: Sequence[float] = MEAN_COLOUR
) -> BatchOperation:
    """The operation of an axis.

    Args:
        axis: an axis or its name; any but `rrc_scale`, whose crops are cut before pictures of
            different sizes can be a batch.
        classes: number of classes; mixup and CutMix need it for their targets.
        fill: red, green and blue of what is erased, on a scale of 0 to 1; ImageNet's mean, which is
            nothing to a network whose inputs are centred by it.

    Raises:
        AugmentError: the axis is unknown or `rrc_scale`, or there is no class.
    """
    known = AXES.get(axis) if isinstance(axis, str) else axis
    if known is None or known.operation is None:
        names = [name for name, each in AXES.items() if each.operation]
        raise AugmentError(f"{axis!r} is no axis of batches; these are {names}")
    if classes < 1:
        raise AugmentError(f"there must be at least one class, not {classes}")
    augment = partial(known.operation, fill=fill) if known.fills else known.operation

    def operation(
        images: Tensor, labels: Tensor, strengths: npt.ArrayLike, keys: Keys
    ) -> tuple[Tensor, Tensor]:
        amounts = known.check_all(strengths)
        _check(images, labels, amounts, keys)
        if known.mixes:
            mixed: tuple[Tensor, Tensor] = augment(images, labels, amounts, keys, classes)
            return mixed
        return augment(images, amounts, keys), labels

    return operation


def _check(images: Tensor, labels: Tensor, strengths: Strengths, keys: Keys) -> None:
    n = len(images)
    if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
        raise AugmentError(
            f"images must be floats of shape [n, 3, height, width]; got {images.dtype} of shape "
            f"{tuple(images.shape)}"
        )
    shapes = {"labels": tuple(labels.shape), "strengths": strengths.shape, "keys": keys.shape}
    for name, shape in shapes.items():
        if shape != (n,):
            raise AugmentError(f"{name} must have shape ({n},), one per picture; got {shape}")
    if keys.dtype != np.uint64:
        raise AugmentError(f"keys must be uint64, as image_keys gives them; got {keys.dtype}")
