"""How pictures are stored and augmented, how networks are trained, and on which machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_serializer, model_validator

from daclass.augment.axes.rrc_scale import RRC_SCALE
from daclass.augment.axis import AXES
from daclass.augment.settings import find_axis
from daclass.config.base import (
    ADDED,
    Count,
    Epochs,
    Pixels,
    Positive,
    Rate,
    Section,
    Share,
    Width,
)

RECIPE = 2
"""Version of what training does with its settings. Raised with every change after which equal
settings give other weights, so that stored runs of the older kind are not taken for new ones."""

VAL_BYTES = 2**28
"""1,783 pictures of 224 px. FFCV holds five batches; an H200 predicts with ResNet-50 at 15,300
pictures per second in batches of 2,048, at 14,100 in batches of 8,192
(benchmarks/results/h200.jsonl)."""


FROM_WEIGHTS: dict[str, Any] = {"epochs": 8, "learning_rate": 0.01}
"""Defaults of trainings that start from trained weights, which are shorter and gentler."""

EXACT_AT_MOST = 0.05
"""Share of validation pictures of val_resolution's own size above which a study is refused: where
pictures have all sizes, some have this one by accident."""


class Beton(Section):
    """How pictures are stored in FFCV's .beton files."""

    write_mode: Literal["raw", "jpg"] = "raw"
    """raw keeps pixels as they are (small pictures); jpg compresses them again."""
    max_resolution: Pixels | None = None
    """Longest side in px; larger pictures are shrunk. No limit where not given; then a picture
    of more than 32 MiB of pixels is refused."""
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = 90
    """JPEG quality for write_mode jpg."""


class SettingAxis(Section):
    """A setting of the recipe that a study varies."""

    setting: Literal["training.label_smoothing", "training.momentum", "training.weight_decay"]
    """The setting; every policy gives all classes one value of it."""


def _axis_name(value: Any) -> Any:
    """The axis of a setting is called as the setting is."""
    return SettingAxis.model_validate(value).setting if isinstance(value, Mapping) else value


class Augmentation(Section):
    """What training does to a picture before the network sees it."""

    axis: Annotated[str, BeforeValidator(_axis_name, json_schema_input_type=str | SettingAxis)] = (
        RRC_SCALE.name
    )
    """The augmentation whose strength the study varies; or, as {setting: training.weight_decay}, a
    setting of the recipe, whose values are then the strengths."""
    crop_scale: float | None = None
    """Smallest crop, as a share of the picture, where the axis is another one than rrc_scale;
    0.08 where not given."""
    flip: Share = 0.5
    """Probability of a horizontal flip."""

    @property
    def fixed_crop_scale(self) -> float:
        return 0.08 if self.crop_scale is None else self.crop_scale

    @model_validator(mode="after")
    def _axis_and_crop(self) -> Augmentation:
        """`axis` is one of the known axes, or a setting that can be one. `crop_scale` goes with any
        other than rrc_scale, and lies in rrc_scale's range.
        """
        if find_axis(self.axis) is None:
            raise ValueError(f"unknown axis {self.axis!r}; known: {sorted(AXES)}")
        if self.crop_scale is not None:
            if self.axis == RRC_SCALE.name:
                raise ValueError("crop_scale is what the axis rrc_scale varies: leave it out")
            RRC_SCALE.check(self.crop_scale)
        return self


class Resizing(Section):
    """Progressive resizing: small pictures first, then a linear rise to training.resolution."""

    from_resolution: Pixels
    """Side of the training pictures in px up to start_epoch."""
    start_epoch: Annotated[int, Field(ge=0, le=100_000)]
    """The last epoch, counted from 0, at from_resolution."""
    end_epoch: Count
    """The first epoch, counted from 0, at training.resolution."""
    multiple: Count = 32
    """Sides on the way are rounded to multiples of this many px."""

    @model_validator(mode="after")
    def _rises(self) -> Resizing:
        """`start_epoch` comes before `end_epoch`."""
        if self.start_epoch >= self.end_epoch:
            raise ValueError("start_epoch must be smaller than end_epoch")
        return self


class Training(Section):
    """The recipe. Every run of a study uses the same one."""

    model: str = "small_resnet"
    """small_resnet (a three-stage residual net for pictures of 32 to 64 px), the name of a timm
    model, such as resnet50 or resnet50.a1_in1k, or torchvision/<name>. The last layer fits the
    data."""
    init: Annotated[Literal["random", "pretrained"] | Path, ADDED] = "random"
    """Where training starts: random weights, which each seed draws; pretrained ones, which timm or
    torchvision fetches and keeps (timm's tag, such as .a1_in1k, says which); or a file of weights,
    .safetensors or a torch checkpoint of tensors alone. The last layer is always drawn anew.
    Pictures that the weights were trained on are no test of them: ImageNet's leak."""
    init_names: Annotated[Literal["same", "ordered"] | Path, ADDED] = "same"
    """How the names of the weights in init's file relate to the model's: same; ordered, where names
    differ and both list the same layers in one order; or a CSV file with columns file,model: a row
    per weight with its name in the file and its name in the model."""
    widths: tuple[Width, Width, Width] = (16, 48, 96)
    """Channels of small_resnet's three stages, multiples of 8; other models ignore it."""
    blur_pool: bool = False
    """Blur what enters a strided convolution of 16 channels or more (Zhang 2019)."""
    resolution: Pixels = 32
    """Side of the training pictures in px."""
    resizing: Resizing | None = None
    """Smaller training pictures in the first epochs; all epochs at resolution where not given."""
    val_resolution: Pixels = 32
    """Side of the validation pictures in px."""
    val_crop: Annotated[float, Field(gt=0, le=1)] = 0.875
    """Side of the central square that validation sees, as a share of the picture's shorter side."""
    exact_view: Annotated[bool, ADDED] = False
    """Allow validation pictures of val_resolution's own size. They are sharper than nearly all
    training crops, which were resampled; classes are then told by sharpness, and single classes
    seem to lose or gain by an augmentation that does them neither."""
    val_flip: bool = False
    """Average the logits of each validation picture and of its mirror image."""
    epochs: Count = 16
    """Times that every training picture is seen; 8 where not given and init is not random."""
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 128
    """Pictures a step, over all processes."""
    processes: Count = 1
    """Processes, started by torchrun, that share every batch, one per GPU. Batch normalisation sees
    each process's part of the batch alone, so this belongs to the recipe."""
    learning_rate: Rate = 0.2
    """Peak learning rate for the whole batch; 0.01 where not given and init is not random."""
    warmup_epochs: Epochs = 2
    """Epochs of linear warm-up."""
    schedule: Literal["linear", "cosine"] = "linear"
    """How the rate falls to 0 after the warm-up."""
    momentum: Share = 0.9
    """Of stochastic gradient descent."""
    nesterov: bool = True
    """Nesterov's form of the momentum."""
    weight_decay: Annotated[float, Field(ge=0, le=1e4)] = 5e-4
    """Not applied to biases and normalisation layers."""
    label_smoothing: Share = 0.1
    """Share of a target that is spread evenly over all classes."""
    class_weights: Annotated[Literal["none", "balanced"] | Path, ADDED] = "none"
    """What the losses of a class count: all alike; balanced, in inverse proportion to the number of
    the class's training pictures; or as a CSV file with columns class,weight says. Only ratios
    matter: over the training pictures weights have mean 1. A policy's own weights multiply."""
    sampler: Annotated[Literal["shuffled", "balanced"], ADDED] = "shuffled"
    """Which pictures make up an epoch: shuffled, every one once; or balanced, as many but equally
    many of each class, so that pictures of small classes come several times (with the same crop
    within an epoch) and those of large classes take turns."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """Type of the autocast arithmetic; float16 needs a GPU."""
    mean: tuple[Share, Share, Share] = (0.485, 0.456, 0.406)
    """Colour mean that is subtracted, on a scale of 0 to 1."""
    std: tuple[Positive, Positive, Positive] = (0.229, 0.224, 0.225)
    """Colour standard deviation that is divided by, on a scale of 0 to 1."""
    loader: Literal["ffcv", "torchvision"] = "ffcv"
    """ffcv, or the slower reference loader, which needs no FFCV; equal boxes, similar pixels."""

    @property
    def input_files(self) -> list[Path]:
        """Files that training reads besides pictures."""
        named = (self.init, self.init_names, self.class_weights)
        return [file for file in named if isinstance(file, Path)]

    @field_serializer("warmup_epochs")
    def _as_by_default(self, epochs: float) -> float:
        """2 and 2.0 are one setting, and runs under either have the key of the default, 2."""
        return int(epochs) if epochs == int(epochs) else epochs

    def shown_exactly(self, sides: Sequence[int], views: Sequence[float]) -> float:
        """Share of validation pictures that have the size which the network sees already, whole or
        as the central square of a view.

        Args:
            sides: shorter side of each picture in px, at least one.
            views: sides of the squares, as shares of the picture's shorter side.
        """
        shares = {1.0, *views}
        own = [self.val_resolution in {int(share * side) for share in shares} for side in sides]
        return sum(own) / len(own)

    def val_batch(self, views: int = 1) -> int:
        """Validation pictures of a batch, which over all their views take `VAL_BYTES` at most."""
        fit = VAL_BYTES // (3 * self.val_resolution**2 * views)
        return min(2 * self.batch_size, max(fit, 1))

    @model_validator(mode="after")
    def _starts_from_weights(self) -> Training:
        """Where `init` is not random, `epochs` and `learning_rate` have defaults of their own.
        `init_names` is for a file in `init`.
        """
        if self.init_names != "same" and not isinstance(self.init, Path):
            raise ValueError("init_names is for a file of weights in init")
        for name, value in FROM_WEIGHTS.items() if self.init != "random" else ():
            if name not in self.model_fields_set:
                object.__setattr__(self, name, value)  # frozen from here on
        return self

    @model_validator(mode="after")
    def _hangs_together(self) -> Training:
        """`warmup_epochs` and `resizing.end_epoch` are smaller than `epochs`, `batch_size` is a
        multiple of `processes`, and `resizing.from_resolution` does not exceed `resolution`.
        """
        if self.warmup_epochs >= self.epochs:
            raise ValueError("warmup_epochs must be smaller than epochs")
        if self.batch_size % self.processes:
            raise ValueError(f"batch_size must be a multiple of processes ({self.processes})")
        if self.resizing and self.resizing.from_resolution > self.resolution:
            raise ValueError("resizing.from_resolution must not exceed resolution")
        if self.resizing and self.resizing.end_epoch >= self.epochs:
            raise ValueError("resizing.end_epoch must be smaller than epochs")
        return self


class Machine(Section):
    """How the work is spread over the machine; changes no result beyond rounding."""

    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    """auto (a GPU where there is one), cpu, cuda, or cuda:<n>."""
    devices: Count = 1
    """GPUs of one process; its runs are dealt to them. Jobs on one machine wait for free GPUs."""
    jobs_per_gpu: Count = 1
    """Jobs, each of a seed, that share a GPU on one machine; for where one job does not fill it."""
    gpu_model: Annotated[str, Field(pattern=r"^[\w.-]*$")] = ""
    """Kind of GPU to ask a cluster for, such as a100; any kind where not given."""
    scratch: str = ""
    """Folder on a disk of the machine that computes, such as $TMPDIR, to which .beton files are
    copied before they are read; its jobs share the copies. Read in place where not given."""
    threads: Count = 1
    """CPU threads of one training job; Snakemake runs as many jobs as the cores allow."""
    compile: bool = False
    """Train through torch.compile: minutes of warm-up, then faster steps on a GPU."""
    cuda_graphs: bool = False
    """Record a training step as a CUDA graph and replay it: faster for small networks, whose steps
    are many short kernels. A job's runs then share the GPU at once, and each keeps the memory of
    its step: too much for large networks. No effect on a CPU."""
    checkpoint_minutes: Annotated[float, Field(ge=0, le=1e6)] = 5.0
    """Least time between two checkpoints; SIGUSR1 asks for one at once, SIGTERM for a last one."""
    validate_every: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Epochs between two measurements of validation accuracy for metrics.jsonl; 0 for none."""
    tensorboard: bool = False
    """Write the metrics for TensorBoard too, into each run's folder."""
