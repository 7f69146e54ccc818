"""The optimiser, the schedule and the loss of a run."""

from __future__ import annotations

import torch
from torch import nn

from daclass.study import Training


def build_optimizer(model: nn.Module, training: Training) -> torch.optim.SGD:
    """SGD with Nesterov momentum; biases and normalisation layers are not decayed."""
    decayed = [p for p in model.parameters() if p.ndim > 1]
    spared = [p for p in model.parameters() if p.ndim <= 1]
    return torch.optim.SGD(
        [
            {"params": decayed, "weight_decay": training.weight_decay},
            {"params": spared, "weight_decay": 0.0},
        ],
        lr=training.learning_rate,
        momentum=training.momentum,
        nesterov=training.momentum > 0,
    )


def learning_rate(training: Training, epoch: float) -> float:
    """The rate at a point in time, counted in epochs: a linear rise, then a linear fall to 0."""
    if epoch < training.warmup_epochs:
        return training.learning_rate * epoch / training.warmup_epochs
    left = (training.epochs - epoch) / (training.epochs - training.warmup_epochs)
    return training.learning_rate * left


def build_loss(training: Training) -> nn.Module:
    return nn.CrossEntropyLoss(label_smoothing=training.label_smoothing)
