"""Loaders: batches of K crops per picture for training, of whole pictures for validation.

The FFCV loader reads a .beton; the torchvision loader reads the picture files, needs no FFCV and is
the reference that the FFCV loader is held against. Both give the same pictures in the same order
with the same boxes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from daclass.augment import StrengthTable
from daclass.errors import InputError
from daclass.training.batches import (
    WHOLE,
    Order,
    Part,
    Samples,
    TrainLoader,
    ValLoader,
    order_seed,
)
from daclass.training.recipe import Recipe


def train_loader(
    recipe: Recipe,
    samples: Samples,
    strengths: StrengthTable,
    seed: int,
    threads: int,
    part: Part = WHOLE,
) -> TrainLoader:
    """The loader of one run seed.

    Args:
        strengths: shape [policies, samples].
        seed: the run seed.
        threads: CPU threads, or processes, that read pictures.
        part: what this process loads of every batch.

    Raises:
        InputError: the .beton is missing or not one, does not fit the index, or a batch is larger
            than the data set.
    """
    batch = recipe.training.batch_size
    if batch > len(samples.labels):
        raise InputError(
            f"training.batch_size: {batch} is more than the {len(samples.labels)} training pictures"
        )
    balanced = samples.labels if recipe.training.sampler == "balanced" else None
    order = Order(len(samples.labels), batch, order_seed(recipe.seed, seed), part, balanced)
    if recipe.training.loader == "ffcv":
        from daclass.training.ffcv_loaders import FfcvTrainLoader

        return FfcvTrainLoader(recipe, samples, strengths, seed, order, threads)
    from daclass.training.torchvision_loaders import TorchvisionTrainLoader

    return TorchvisionTrainLoader(recipe, samples, strengths, seed, order, threads)


def val_loader(
    recipe: Recipe,
    samples: Samples,
    threads: int,
    part: Part = WHOLE,
    *,
    views: Sequence[float] = (),
) -> ValLoader:
    """The validation pictures of one process: every `part.size`-th, none twice.

    Args:
        threads: CPU threads, or processes, that read pictures.
        views: sides of the central squares to see of each picture, as shares of its shorter side;
            `training.val_crop` alone where there are none.

    Raises:
        InputError: the .beton is missing or not one, or does not fit the index.
    """
    positions = np.arange(part.rank, len(samples.labels), part.size)
    training, views = recipe.training, views or (recipe.training.val_crop,)
    side, batch = training.val_resolution, training.val_batch(len(views))
    if training.loader == "ffcv":
        from daclass.training.ffcv_loaders import FfcvValLoader

        return FfcvValLoader(side, views, batch, samples, positions, threads)
    from daclass.training.torchvision_loaders import TorchvisionValLoader

    longest = recipe.beton.max_resolution
    return TorchvisionValLoader(side, views, batch, longest, samples, positions, threads)
