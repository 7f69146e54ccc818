"""What a study's recipe means: optimiser, loss, and how rate and picture size go over time."""

from __future__ import annotations

import math

import torch
from torch import nn

from daclass.study import Training


def build_optimizer(model: nn.Module, training: Training) -> torch.optim.SGD:
    """SGD with momentum; biases, normalisation layers and what a timm model spares (position
    embeddings, class tokens) are not decayed."""
    no_decay: set[str] = getattr(model, "no_weight_decay", set)()
    decayed: list[nn.Parameter] = []
    spared: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (spared if parameter.ndim <= 1 or name in no_decay else decayed).append(parameter)
    return torch.optim.SGD(
        [
            {"params": decayed, "weight_decay": training.weight_decay},
            {"params": spared, "weight_decay": 0.0},
        ],
        lr=training.learning_rate,
        momentum=training.momentum,
        nesterov=training.nesterov and training.momentum > 0,
    )


def learning_rate(training: Training, epoch: float) -> float:
    """The rate at a point in time, counted in epochs: a linear rise, then a fall to 0.

    A function of time alone, so a resumed run needs no state of a scheduler.
    """
    if epoch < training.warmup_epochs:
        return training.learning_rate * epoch / training.warmup_epochs
    left = (training.epochs - epoch) / (training.epochs - training.warmup_epochs)
    if training.schedule == "cosine":
        left = (1 - math.cos(math.pi * left)) / 2
    return training.learning_rate * left


def resolution(training: Training, epoch: int) -> int:
    """Side of the training pictures in px in `epoch`, counted from 0."""
    ramp = training.resizing
    if ramp is None or epoch >= ramp.end_epoch:
        return training.resolution
    if epoch <= ramp.start_epoch:
        return ramp.from_resolution
    done = (epoch - ramp.start_epoch) / (ramp.end_epoch - ramp.start_epoch)
    side = ramp.from_resolution + done * (training.resolution - ramp.from_resolution)
    nearest = round(side / ramp.multiple) * ramp.multiple
    return min(max(nearest, ramp.from_resolution), training.resolution)


def build_loss(training: Training) -> nn.Module:
    """Cross-entropy; targets are class ids [n] or shares of the classes [n, classes]."""
    return nn.CrossEntropyLoss(label_smoothing=training.label_smoothing)
