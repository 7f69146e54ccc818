"""What a study's recipe means: optimiser, loss, and how rate and picture size go over time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from daclass.augment.axis import Axis
from daclass.augment.policy import Policy
from daclass.augment.settings import known_axis
from daclass.config import Augmentation, Beton, FineTuning, Training


@dataclass(frozen=True)
class Recipe:
    """What the weights of all runs depend on, besides a run's policy, seed and pictures.

    Attributes:
        seed: of the study; with a run's it decides initial weights, order and crops.
        fine_tuning: of the epochs that fine-tuned runs add.
    """

    seed: int
    training: Training
    augmentation: Augmentation
    beton: Beton
    fine_tuning: FineTuning | None = None

    @property
    def axis(self) -> Axis:
        return known_axis(self.augmentation.axis)

    def under(self, policy: Policy) -> Recipe:
        """The recipe of a run under a policy: where the axis is a setting, with its value."""
        if not self.axis.setting:
            return self
        changes = {self.axis.setting: policy.strength}
        return replace(self, training=self.training.model_copy(update=changes))


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
        # One kernel that asks the scaler on the GPU; else the host waits at every step of a run.
        fused=next(model.parameters()).is_cuda,
    )


def tuned(training: Training, settings: FineTuning) -> Training:
    """`training` as it is in the epochs that fine-tuning adds, counted from 0: what `settings` say
    of these epochs, and pictures of full size."""
    return training.model_copy(update={**settings.model_dump(), "resizing": None})


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


class WeightedLoss(nn.Module):
    """Cross-entropy in which each sample's loss counts as much as its class does.

    The mean over the batch of ``weights[label] * loss``, with label smoothing as without weights. A
    mixed target's loss is the mix of its classes' weighted losses. torch's own `weight` divides by
    the weights that a batch happens to hold, and weights what smoothing gives other classes by
    theirs.

    With `views`, the loss is that of ``logits + views``: each class's logit says what the picture
    says besides its view. Smoothing then spreads its share by the softmax of `views`, which is what
    the view alone says, and evenly where it says nothing; spread evenly, it would ask for logits
    that make up for views which a class cannot have.

    Args:
        weights: shape [classes].
        smoothing: share of the target that is spread over all classes.
    """

    def __init__(self, weights: Tensor, smoothing: float) -> None:
        super().__init__()
        self.weights: Tensor
        self.register_buffer("weights", weights, persistent=False)
        self.smoothing = smoothing

    def forward(self, logits: Tensor, targets: Tensor, views: Tensor | None = None) -> Tensor:
        """The loss, a scalar.

        Args:
            logits: shape [n, classes].
            targets: class ids [n] or shares of the classes [n, classes].
            views: what the view says of each class in nats, float32 [n, classes], as
                `daclass.augment.density.view_log_likelihoods` gives it.
        """
        classes = len(self.weights)
        shares = targets if targets.ndim == 2 else F.one_hot(targets, classes)
        weighted = shares * self.weights
        total = weighted.sum(dim=1, keepdim=True)
        spread = total / classes if views is None else total * views.softmax(dim=1)
        smoothed = (1 - self.smoothing) * weighted + self.smoothing * spread
        seen = logits.float() if views is None else logits.float() + views
        return F.cross_entropy(seen, smoothed)


def build_loss(training: Training, weights: Tensor | None = None) -> nn.Module:
    """Cross-entropy; targets are class ids [n] or shares of the classes [n, classes].

    Args:
        weights: of the classes, shape [classes], as `Policy.weights` gives them; without them,
            torch's own loss.
    """
    if weights is None:
        return nn.CrossEntropyLoss(label_smoothing=training.label_smoothing)
    return WeightedLoss(weights, training.label_smoothing)
