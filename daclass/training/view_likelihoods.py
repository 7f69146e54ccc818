"""What the views of training crops say of classes, for policies whose loss is aware of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from daclass.augment import (
    Policy,
    StrengthTable,
    epoch_key,
    image_keys,
    random_resized_crop_boxes,
)
from daclass.augment.density import view_log_likelihoods
from daclass.training.recipe import Recipe


class ViewLikelihoods:
    """The log-likelihood of each class given the box of a drawn crop alone.

    Boxes are a function of the counters: they are drawn here again, as the loader draws them.

    Args:
        policies: one per run, in the order of the runs' places.
        strengths: of these policies, shape [policies, samples].
        seed: the run seed.
        sizes: height and width of the training pictures in px, shape [samples, 2].
    """

    def __init__(
        self,
        recipe: Recipe,
        policies: Sequence[Policy],
        strengths: StrengthTable,
        class_names: Sequence[str],
        seed: int,
        sizes: npt.NDArray[np.integer],
    ) -> None:
        self.spread = [policy.distribution(class_names) for policy in policies]
        self.strengths, self.sizes = strengths, sizes
        self.seeds = (recipe.seed, seed)

    def __call__(self, positions: Tensor, place: int, epoch: int) -> Tensor:
        """Of the crops that the run at `place` sees, in nats, float32 [batch, classes].

        Args:
            positions: places of the samples in the index, int64, shape [batch], on the host.
        """
        samples = positions.numpy()
        keys = image_keys(epoch_key(*self.seeds, epoch), samples)
        height, width = self.sizes[samples].T
        drawn = self.strengths.drawn(place, samples, keys)
        boxes = random_resized_crop_boxes(keys, height, width, drawn)
        found = view_log_likelihoods(boxes, height, width, *self.spread[place])
        return torch.from_numpy(found).float()
