"""Networks by name, and what lies between uint8 pictures and a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from daclass.config import Training
from daclass.errors import InputError


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


class Normalise(nn.Module):
    """uint8 or float pictures [n, 3, h, w] on a scale of 0 to 255 to float32, colours centred and
    scaled, channels last."""

    mean: Tensor
    std: Tensor

    def __init__(self, training: Training) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(training.mean).view(1, 3, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(training.std).view(1, 3, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        floats = pictures.to(torch.float32, memory_format=torch.channels_last)
        return (floats - self.mean) / self.std


def build_model(training: Training, classes: int) -> nn.Module:
    """A network that maps normalised pictures to `classes` logits, with random weights.

    Raises:
        InputError: `training.model` names no known network.
    """
    return finished(create(training, classes), training)


def create(training: Training, classes: int | None, *, pretrained: bool = False) -> nn.Module:
    """A network as its library makes it.

    Args:
        classes: logits that it gives; as many as its published weights do where None.
        pretrained: with the weights that timm publishes, which are fetched; timm's models alone.

    Raises:
        InputError: `training.model` names no known network.
    """
    options: dict[str, Any] = {} if classes is None else {"num_classes": classes}
    if training.model == "small_resnet":
        return SmallResNet(training.widths, classes or 1)
    if name := torchvision_name(training.model):
        return _torchvision_model(name, training.resolution, options)
    return _timm_model(training.model, training.resolution, pretrained, options)


def finished(model: nn.Module, training: Training) -> nn.Module:
    """A network as it is trained: with blurs where they are asked for, channels last."""
    if training.blur_pool:
        _blur_strided_convolutions(model)
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def torchvision_name(model: str) -> str:
    """What torchvision calls a model; "" for one that is not torchvision's."""
    return model.removeprefix("torchvision/") if model.startswith("torchvision/") else ""


def autocast(training: Training, device: torch.device) -> torch.autocast:
    """The arithmetic that `training.precision` asks for."""
    return torch.autocast(
        device.type,
        dtype=getattr(torch, training.precision),
        enabled=training.precision != "float32",
    )


def _timm_model(name: str, side: int, pretrained: bool, options: dict[str, Any]) -> nn.Module:
    import timm

    if not timm.is_model(name):
        raise InputError(
            f"training.model: {name} is neither small_resnet nor in timm; torchvision's models are "
            "called torchvision/<name>"
        )
    architecture = name.partition(".")[0]
    try:
        timm.models.get_pretrained_cfg(name)
    except RuntimeError:
        raise InputError(
            f"training.model: timm has no such tag of {architecture}: {name}"
        ) from None
    if timm.models.is_model_in_modules(architecture, {"vision_transformer", "deit"}):
        options = {**options, "img_size": side, "dynamic_img_size": True}
    return timm.create_model(name, pretrained=pretrained, **options)


def _torchvision_model(name: str, side: int, options: dict[str, Any]) -> nn.Module:
    from torchvision import models

    # The heads of these two give more than logits in training.
    if name not in models.list_models(module=models) or name in {"googlenet", "inception_v3"}:
        raise InputError(f"training.model: torchvision has no classifier {name} for this trainer")
    if name.startswith("vit_"):
        options = {**options, "image_size": side}
    return models.get_model(name, weights=None, **options)


def _blur_strided_convolutions(module: nn.Module) -> None:
    """Put a 3x3 binomial filter before each strided convolution of at least 16 channels, in place,
    as ffcv-imagenet does (Zhang, ICML 2019, blurs after a dense convolution, at a higher cost)."""
    from timm.layers import BlurPool2d

    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d) and max(child.stride) > 1 and child.in_channels >= 16:
            blur = BlurPool2d(child.in_channels, filt_size=3, stride=1)
            setattr(module, name, nn.Sequential(blur, child))
        else:
            _blur_strided_convolutions(child)
