"""What a study's axis means for its runs: which crops are cut, what happens to batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from daclass.augment import (
    RRC_SCALE,
    Policy,
    StrengthTable,
    epoch_key,
    image_keys,
    strength_table,
)
from daclass.augment.batch import batch_operation
from daclass.augment.mixture import as_table
from daclass.training.recipe import Recipe


def crop_strengths(
    recipe: Recipe,
    policies: Sequence[Policy],
    labels: npt.NDArray[np.integer],
    class_names: Sequence[str],
) -> StrengthTable:
    """Lower area bounds of the crops that a loader cuts, shape [crops, samples].

    One crop per policy where the axis is the crop's; else a single one, which all runs share.

    Raises:
        AugmentError: a policy that does not fit the axis or the data.
    """
    if recipe.axis == RRC_SCALE:
        return strength_table(RRC_SCALE, policies, labels, class_names)
    return as_table(np.full((1, len(labels)), recipe.augmentation.fixed_crop_scale))


class BatchAugmentation:
    """The operation of an axis that works on batches, with the strengths of several policies.

    Args:
        policies: one per run, in the order of the runs' places.
        labels: class of each sample, shape [samples].
        seed: the run seed; runs of one seed share their variates.

    Raises:
        AugmentError: a policy that does not fit the axis or the data, or the axis is the crop's.
    """

    def __init__(
        self,
        recipe: Recipe,
        policies: Sequence[Policy],
        labels: npt.NDArray[np.integer],
        class_names: Sequence[str],
        seed: int,
    ) -> None:
        self.operation = batch_operation(recipe.axis, len(class_names), recipe.training.mean)
        self.strengths = strength_table(recipe.axis, policies, labels, class_names)
        self.seeds = (recipe.seed, seed)

    def __call__(
        self, pictures: Tensor, labels: Tensor, positions: Tensor, place: int, epoch: int
    ) -> tuple[Tensor, Tensor]:
        """What the run at `place` sees of a batch in an epoch.

        Args:
            pictures: uint8, shape [batch, 3, side, side].
            labels: int64, shape [batch].
            positions: places of the samples in the index, int64, shape [batch], on the host.

        Returns:
            pictures, floats on a scale of 0 to 255; targets, class ids or shares of the classes.
        """
        samples = positions.numpy()
        keys = image_keys(epoch_key(*self.seeds, epoch), samples)
        images, targets = self.operation(
            pictures.float() / 255, labels, self.strengths.drawn(place, samples, keys), keys
        )
        return images * 255, targets
