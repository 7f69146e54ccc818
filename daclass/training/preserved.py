"""What one network still knows of each class under each strength of the augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import nn

from daclass.augment import Policy
from daclass.config import Machine
from daclass.training.augmentation import BatchAugmentation, crop_strengths
from daclass.training.devices import devices, on_devices
from daclass.training.loaders import train_loader
from daclass.training.loop import inputs_of
from daclass.training.models import Normalise, autocast, build_model
from daclass.training.predict import Judged
from daclass.training.recipe import Recipe
from daclass.training.runs import Run

DRAWS = 8
"""Draws of the augmentation per picture: with 75 pictures of a class, an accuracy of 35% is then
known to half a standard error of what the pictures themselves leave open."""


def preserved(
    recipe: Recipe,
    machine: Machine,
    run: Run,
    judged: Judged,
    class_names: Sequence[str],
    strengths: Sequence[float],
) -> pd.DataFrame:
    """Table "preserved": a network on pictures that are augmented as training pictures are.

    Every strength sees the same pictures and shares its luck with the others. What does not fill
    the last batch of a draw is left out.

    Args:
        run: the trained run of the network.
        judged: the validation pictures, with their selection half.
        strengths: of the study's axis.

    Raises:
        InputError: weights are missing; a bad .beton.
        DamagedWeights: the run's weights are damaged, or another run's.
    """
    assert judged.select is not None
    labels, training = judged.samples.labels, recipe.training
    batches = -(-len(labels) // training.batch_size)
    recipe = replace(
        recipe, training=training.model_copy(update={"batch_size": len(labels) // batches})
    )
    policies = [Policy(recipe.axis, strength) for strength in strengths]
    crops = crop_strengths(recipe, policies, labels, class_names)
    loader = train_loader(recipe, judged.samples, crops, run.seed, machine.threads)
    augmentation = None
    if recipe.axis.operation:
        augmentation = BatchAugmentation(recipe, policies, labels, class_names, run.seed)
    model = build_model(training, judged.classes)
    run.load_weights(model)
    shown, right = np.zeros((2, len(policies), judged.classes), np.int64)
    with devices(machine) as computing, torch.inference_mode():
        device = computing[0]
        network = nn.Sequential(Normalise(training), model).to(device).eval()
        for draw in range(DRAWS):
            for batch in on_devices(loader.epoch(draw, 0, training.resolution), [device]):
                here = batch[device]
                counted = judged.select[here.positions.numpy()]
                for place in range(len(policies)):
                    inputs = inputs_of(here, place)
                    if augmentation:
                        inputs = augmentation(*inputs, here.positions, place, draw)
                    with autocast(training, device):
                        said = network(inputs[0]).argmax(1).cpu().numpy()[counted]
                    truth = here.labels.cpu().numpy()[counted]
                    shown[place] += np.bincount(truth, minlength=judged.classes)
                    right[place] += np.bincount(truth[said == truth], minlength=judged.classes)
    levels, classes = np.indices(shown.shape)
    return pd.DataFrame(
        {
            "strength": np.asarray(strengths, np.float64)[levels.ravel()],
            "seed": run.seed,
            "class_id": classes.ravel(),
            "shown": shown.ravel(),
            "correct": right.ravel(),
        }
    )
