"""Networks by name."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from daclass.errors import InputError
from daclass.study import Training


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016, the basic block)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(out)) + self.shortcut(x))


class SmallResNet(nn.Sequential):
    """Three residual blocks behind a stem of stride 2: for pictures of 32 to 64 px on a CPU."""

    def __init__(self, widths: Sequence[int], classes: int) -> None:
        first, second, third = widths
        super().__init__(
            nn.Conv2d(3, first, 3, 2, 1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            Block(first, first, 1),
            Block(first, second, 2),
            Block(second, third, 2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(third, classes),
        )


def build_model(training: Training, classes: int) -> nn.Module:
    """An untrained network that maps normalised pictures to `classes` logits.

    Raises:
        InputError: `training.model` names no known network.
    """
    if training.model == "small_resnet":
        model: nn.Module = SmallResNet(training.widths, classes)
    else:
        import timm

        if training.model not in timm.list_models():
            raise InputError(
                f"training.model: {training.model} is neither small_resnet nor in timm"
            )
        model = timm.create_model(training.model, num_classes=classes)
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
