"""The typed configuration of a study: the only place that knows a setting's name, default and unit.

A study is one YAML file. `Study.load` refuses unknown settings, wrong types and values that
contradict each other, and names the file and the setting in one line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from daclass.augment.axis import AXES, RRC_SCALE, Axis
from daclass.data.petri import PetriSettings
from daclass.errors import InputError


class Section(BaseModel):
    """A part of the config: unknown settings are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


RECIPE = 2
"""Version of what training does with its settings. Raised with every change after which equal
settings give other weights, so that stored runs of the older kind are not taken for new ones."""

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
# torch 2.15's CPU convolutions corrupt memory in the backward pass at 4 channels, channels last.
Width = Annotated[int, Field(ge=8, multiple_of=8)]


class Sampling(Section):
    """How training pictures are drawn: shared by every source."""

    draws: Count = 1
    """Number of independent draws of the training pictures; seed s trains on draw s mod draws. With
    1, all seeds share the training pictures and claims hold for these; with more, fresh seeds of
    the interventions need fresh draws."""
    split_seed: int = 0
    """Decides which validation pictures form the selection half and which the estimation half."""

    def input_files(self) -> list[Path]:
        """Files besides the pictures that the index is made from."""
        return []


class PerClass(Sampling):
    """How many pictures a study takes of each class, for sources that bring more or fewer."""

    train_per_class: Count | None = None
    """Training pictures a class and draw; all of them where not given. Draws are disjoint as long
    as the class has pictures enough."""
    val_per_class: Count | None = None
    """Validation pictures a class (the first ones by a hash of their name); all where not given."""


class PetriData(Sampling):
    """The generated set with planted relations."""

    source: Literal["petri"]
    petri: PetriSettings = PetriSettings()
    """The generated world; `petri.seed` is the data seed."""


class FolderData(PerClass):
    """Pictures in folders: <root>/<train>/<class>/<picture> and <root>/<val>/<class>/<picture>."""

    source: Literal["folder"]
    root: Path
    """The folder; relative paths start at the working directory."""
    train: str = "train"
    """Name of the subfolder with the training pictures."""
    val: str = "val"
    """Name of the subfolder with the validation pictures."""
    val_share: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Where no subfolder holds validation pictures: this share of each class's pictures in train
    serves for validation instead, chosen by a hash of their content, so that copies of a picture
    stay on one side. Nothing is moved. train may be "." where classes lie in root itself."""
    leave_out: tuple[str, ...] = ()
    """Pictures that are taken for absent, as paths below root: broken files, or copies."""
    annotations: Path | Literal["real"] | None = None
    """Label sets of the validation pictures: CSV, JSON, or real for ImageNet's ReaL labels; see
    `daclass.data.annotations`. Without it the original label is the only one."""
    classes: Path | Literal["wordnet"] | None = None
    """The class tree: a CSV with columns name,path, path ending in the name; or wordnet, where
    class folders are called by WordNet ids or nouns. Without it all classes are equally similar.
    Readers see a path's last part as the class's name; policy files have the folder's."""
    overlap: Literal["real"] | None = None
    """Where the overlap of two classes' labels comes from, which tells ambiguous and co-occurring
    pairs from others: real for ImageNet's 50,000 ReaL label sets, where classes are called by
    WordNet ids and pictures have no annotations; the annotations where not given."""

    @property
    def splits(self) -> tuple[str, ...]:
        """The subfolders with pictures, training first."""
        return (self.train,) if self.val_share else (self.train, self.val)

    def input_files(self) -> list[Path]:
        return [file for file in (self.annotations, self.classes) if isinstance(file, Path)]


class Cifar10hData(PerClass):
    """CIFAR-10 with CIFAR-10H's human votes as multi-label annotations."""

    source: Literal["cifar10h"]
    root: Path
    """Folder with cifar10h_counts.npy and either cifar10_jpeg.tar.xz, the folders train/ and test/,
    or torchvision's cifar-10-batches-py."""
    download: bool = False
    """Let torchvision download CIFAR-10 into root where it is missing. The votes
    (cifar10h-counts.npy) have to be fetched by hand."""
    vote_share: Annotated[float, Field(gt=0, le=1)] = 0.1
    """A label belongs to a picture from this share of the human votes on; the label with the most
    votes always does."""


class FashionMnistData(PerClass):
    """Fashion-MNIST: ten kinds of clothes, 28 px, grey; its test pictures are for validation."""

    source: Literal["fashionmnist"]
    root: Path = Path("/usr/share/datasets/fashion-mnist")
    """Folder with the four idx files, plain or gzipped, where Debian's dataset-fashion-mnist
    installs them; or torchvision's folder, which has them below FashionMNIST/raw."""


class Model(Section):
    """A model that somebody trained."""

    condition: str
    """What it has in common with its replicates."""
    replicate: str = ""
    """Models of different conditions with the same replicate are compared as a pair."""


class PredictionsData(Section):
    """Predictions that other programs made: nothing is trained."""

    source: Literal["predictions"]
    root: Path = Path()
    """The folder that the other paths start from; itself relative to the working directory."""
    files: Annotated[tuple[Path, ...], Field(min_length=1)]
    """Predictions as .csv, .parquet or .npz; see `daclass.data.predictions` for their columns."""
    labels: Path
    """The pictures and their original classes: a CSV with columns image,label, or a text file with
    one class number a line."""
    images: str | None = None
    """Names of the pictures, in order, for files that give none: a pattern such as
    ILSVRC2012_val_{:08d}.JPEG that is filled with 1, 2, 3, ..."""
    models: Path | dict[str, Model] | None = None
    """Which condition each model belongs to, by the model's name; or a CSV with columns
    model,condition and optionally replicate. Without it the predictions' files need these columns.
    Models that are not named are left out."""
    classes: Path | Literal["imagenet", "wordnet"] | None = None
    """CSV with columns name,path: class number k is its k-th row (from 0). imagenet takes names
    from timm's data files and the tree from WordNet, where that is installed; wordnet looks up the
    classes' own names, WordNet ids or nouns, there."""
    annotations: Path | Literal["real"] | None = None
    """Label sets of the pictures: CSV, JSON, or real for the ReaL labels that timm's data files
    carry; see `daclass.data.annotations`."""
    split_seed: int = 0
    """Decides which pictures form the selection half and which the estimation half."""

    def input_files(self) -> list[Path]:
        given = (self.labels, self.models, self.classes, self.annotations)
        files = [*self.files, *(file for file in given if isinstance(file, Path))]
        return [self.root / file for file in files]


class Beton(Section):
    """How pictures are stored in FFCV's .beton files."""

    write_mode: Literal["raw", "jpg"] = "raw"
    """raw keeps pixels as they are (small pictures); jpg compresses them again."""
    max_resolution: Annotated[int, Field(ge=8)] | None = None
    """Longest side in px; larger pictures are shrunk. No limit where not given; then a picture
    of more than 32 MiB of pixels is refused."""
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = 90
    """JPEG quality for write_mode jpg."""


class Augmentation(Section):
    """What training does to a picture before the network sees it."""

    axis: str = "rrc_scale"
    """The augmentation whose strength the study varies."""
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
        """`axis` is one of the known axes. `crop_scale` goes with any other than rrc_scale, and
        lies in rrc_scale's range.
        """
        if self.axis not in AXES:
            raise ValueError(f"unknown axis {self.axis!r}; known: {sorted(AXES)}")
        if self.crop_scale is not None:
            if self.axis == RRC_SCALE.name:
                raise ValueError("crop_scale is what the axis rrc_scale varies: leave it out")
            RRC_SCALE.check(self.crop_scale)
        return self


class Resizing(Section):
    """Progressive resizing: small pictures first, then a linear rise to training.resolution."""

    from_resolution: Annotated[int, Field(ge=8)]
    """Side of the training pictures in px up to start_epoch."""
    start_epoch: Annotated[int, Field(ge=0)]
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
    model, such as resnet50, or torchvision/<name>. The last layer fits the data."""
    widths: tuple[Width, Width, Width] = (16, 48, 96)
    """Channels of small_resnet's three stages, multiples of 8; other models ignore it."""
    blur_pool: bool = False
    """Blur what enters a strided convolution of 16 channels or more (Zhang 2019)."""
    resolution: Annotated[int, Field(ge=8)] = 32
    """Side of the training pictures in px."""
    resizing: Resizing | None = None
    """Smaller training pictures in the first epochs; all epochs at resolution where not given."""
    val_resolution: Annotated[int, Field(ge=8)] = 32
    """Side of the validation pictures in px."""
    val_crop: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Side of the central square that validation sees, as a share of the picture's shorter side."""
    val_flip: bool = False
    """Average the logits of each validation picture and of its mirror image."""
    epochs: Count = 16
    """Times that every training picture is seen."""
    batch_size: Count = 128
    """Pictures a step, over all processes."""
    processes: Count = 1
    """Processes, started by torchrun, that share every batch, one a GPU. Batch normalisation sees
    each process's part of the batch alone, so this belongs to the recipe."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.2
    """Peak learning rate for the whole batch."""
    warmup_epochs: Annotated[float, Field(ge=0)] = 2
    """Epochs of linear warm-up."""
    schedule: Literal["linear", "cosine"] = "linear"
    """How the rate falls to 0 after the warm-up."""
    momentum: Share = 0.9
    """Of stochastic gradient descent."""
    nesterov: bool = True
    """Nesterov's form of the momentum."""
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    """Not applied to biases and normalisation layers."""
    label_smoothing: Share = 0.1
    """Share of a target that is spread evenly over all classes."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """Type of the autocast arithmetic; float16 needs a GPU."""
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    """Colour mean that is subtracted, on a scale of 0 to 1."""
    std: tuple[Positive, Positive, Positive] = (0.229, 0.224, 0.225)
    """Colour standard deviation that is divided by, on a scale of 0 to 1."""
    loader: Literal["ffcv", "torchvision"] = "ffcv"
    """ffcv, or the slower reference loader, which needs no FFCV; equal boxes, similar pixels."""

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
    threads: Count = 1
    """CPU threads of one training job; Snakemake runs as many jobs as the cores allow."""
    compile: bool = False
    """Train through torch.compile: minutes of warm-up, then faster steps on a GPU."""
    checkpoint_minutes: Annotated[float, Field(ge=0)] = 5
    """Least time between two checkpoints; SIGUSR1 asks for one at once, SIGTERM for a last one."""
    validate_every: Annotated[int, Field(ge=0)] = 0
    """Epochs between two measurements of validation accuracy for metrics.jsonl; 0 for none."""
    tensorboard: bool = False
    """Write the metrics for TensorBoard too, into each run's folder."""


def _distinct(values: tuple[Any, ...], what: str) -> None:
    if len(set(values)) != len(values):
        raise ValueError(f"{what} must be distinct, got {list(values)}")


Seeds = Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(min_length=1)]


class Sweep(Section):
    """The uniform policies that are compared."""

    strengths: Annotated[tuple[float, ...], Field(min_length=2)]
    """Strengths of the axis, in any order."""
    seeds: Seeds
    """Run seeds; every strength is trained once with each. Two are the minimum for intervals."""

    @model_validator(mode="after")
    def _are_distinct(self) -> Sweep:
        """Strengths are distinct, and so are seeds."""
        _distinct(tuple(f"{strength:g}" for strength in self.strengths), "strengths")
        _distinct(self.seeds, "seeds")
        return self


class Comparison(Section):
    """What a study of predictions compares."""

    conditions: Annotated[tuple[str, ...], Field(min_length=2)]
    """Names of the conditions, the tested one first: drops are what it loses against the others."""
    reference: str | None = None
    """The condition that the fixed contrast compares the tested one with; the last one where not
    given."""
    replicates: str = "models"
    """What stands in for seeds: one or two words in the plural for the report."""

    @model_validator(mode="after")
    def _names_a_reference(self) -> Comparison:
        """Conditions are distinct; `reference` is one of them, but not the first."""
        _distinct(self.conditions, "conditions")
        if self.reference is not None and self.reference not in self.conditions[1:]:
            raise ValueError(
                f"reference {self.reference!r} is not one of {list(self.conditions[1:])}"
            )
        return self


class Affected(Section):
    """Which classes count as affected; chosen on the selection half."""

    rule: Literal["top", "fdr"] = "top"
    """top: the classes with the largest drop (the paper's rule); fdr: discoveries at rate q."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.05
    """top: share of the classes."""
    at_least: Count = 2
    """top: number of classes, where the share gives fewer."""
    q: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """fdr: false discovery rate (Benjamini-Hochberg over the classes)."""


class Categories(Section):
    """Thresholds of the four kinds of confusion."""

    overlap: Share = 0.1
    """Label sets overlap from this share on (the larger of the two directions)."""
    similarity: Share = 0.7
    """Classes are close from this Wu-Palmer similarity in the class tree on."""


class Analysis(Section):
    """Effects, confusions and categories."""

    reference: float | Literal["weakest"] = "weakest"
    """The strength that the fixed contrast compares the strongest one with."""
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Level of every interval."""
    empty_labels: Literal["drop", "wrong"] = "drop"
    """Pictures with an empty label set: left out of multi-label figures, or counted as wrong."""
    bootstrap: Annotated[int, Field(ge=100)] = 1000
    """Two-way bootstrap replicates for the no-effect band and the max-T p-values."""
    affected: Affected = Affected()
    categories: Categories = Categories()


Designer = Literal[
    "uniform_strongest", "uniform_best", "uniform_reference", "uniform_each", "naive_removal",
    "fp_informed", "fp_informed_best", "fp_informed_original", "graded", "random_classes",
    "reweighted",
]  # fmt: skip
BASELINES: tuple[Designer, ...] = ("uniform_strongest", "uniform_best", "uniform_reference")
"""Uniform policies that every other one is compared with."""
CONTROL: Designer = "random_classes"
"""The designer whose several draws are pooled."""
_CHANGE_M_CLASSES = {"fp_informed", "fp_informed_best", "fp_informed_original", CONTROL}


class Planned(NamedTuple):
    """A policy that a study asks of a designer."""

    name: str
    designer: Designer
    classes: float
    """Setting of interventions.classes."""
    strength: float | None = None
    """For uniform_each."""
    draw: int = 1
    """For random_classes."""


class FineTuning(Section):
    """Further epochs of trained networks under the designed policies.

    Every fresh seed's network of uniform_strongest goes on under each policy, uniform_strongest
    itself included: the control for the epochs that are added. The recipe is that of `training` but
    for what stands here; the optimiser's momentum starts anew.
    """

    epochs: Count
    """Epochs that are added. Crops and order are those that come after the last of
    training.epochs, the same for all policies of a seed."""
    learning_rate: Positive
    """Peak learning rate for the whole batch; falls to 0 by training.schedule."""
    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0
    """Epochs of linear warm-up."""

    @model_validator(mode="after")
    def _warms_up_in_time(self) -> FineTuning:
        """`warmup_epochs` is smaller than `epochs`."""
        if self.warmup_epochs >= self.epochs:
            raise ValueError("warmup_epochs must be smaller than epochs")
        return self


class Interventions(Section):
    """Policies that are designed from the sweep and trained on fresh seeds."""

    designers: tuple[Designer, ...] = ("naive_removal", "fp_informed", "random_classes")
    """uniform_strongest, uniform_best and uniform_reference are the baselines: always trained,
    named here or not. Equal policies share their runs."""
    seeds: Seeds
    """Fresh run seeds: none of the sweep's."""
    classes: Annotated[
        tuple[Positive, ...],
        Field(min_length=1),
        BeforeValidator(
            lambda value: value if isinstance(value, list | tuple) else [value],
            json_schema_input_type=Positive | tuple[Positive, ...],
        ),
    ] = (0.1,)
    """Number of classes that the fp_informed designers and random_classes change: a share of all
    below 1, else a count. Of several numbers the first gives policies their plain names, each other
    one more policies, such as fp_informed_m5 or random_classes_m0.25_1."""
    random_draws: Count = 3
    """Number of draws of random_classes: policies random_classes_1, random_classes_2, ..."""
    random_seed: Annotated[int, Field(ge=0)] = 0
    """Deals the classes of random_classes."""
    fine_tuning: FineTuning | None = None
    """Train under the policies a second time, from the weights of uniform_strongest instead of from
    scratch; left out, this is not done."""

    @model_validator(mode="after")
    def _hangs_together(self) -> Interventions:
        """Designers are distinct, and so are seeds and numbers of classes, which are shares below 1
        or whole numbers.
        """
        for number in self.classes:
            if number > 1 and number != int(number):
                raise ValueError(f"classes is a share below 1 or a whole number, not {number:g}")
        _distinct(tuple(f"{number:g}" for number in self.classes), "classes")
        _distinct(self.designers, "designers")
        _distinct(self.seeds, "seeds")
        return self

    def planned(self, strengths: Sequence[float]) -> tuple[Planned, ...]:
        """The policies to design, by name: known before anything is trained.

        Args:
            strengths: of the sweep.
        """
        plans: list[Planned] = []
        for designer in dict.fromkeys((*BASELINES, *self.designers)):
            for number, tag in self._tagged(designer):
                plan = Planned(f"{designer}{tag}", designer, number)
                if designer == "uniform_each":
                    names = {strength: f"uniform_{strength:g}" for strength in strengths}
                    plans += [plan._replace(name=n, strength=s) for s, n in names.items()]
                elif designer == CONTROL:
                    draws = range(1, self.random_draws + 1)
                    plans += [plan._replace(name=f"{plan.name}_{n}", draw=n) for n in draws]
                else:
                    plans.append(plan)
        return tuple(plans)

    def controls(self) -> dict[str, tuple[str, ...]]:
        """Name of a pooled control -> the policies that are its draws."""
        pools: dict[str, tuple[str, ...]] = {}
        for _, tag in self._tagged(CONTROL) if CONTROL in self.designers else ():
            draws = range(1, self.random_draws + 1)
            pools[f"{CONTROL}{tag}"] = tuple(f"{CONTROL}{tag}_{draw}" for draw in draws)
        return pools

    def _tagged(self, designer: Designer) -> list[tuple[float, str]]:
        """Each number of classes that a designer is asked for, with what it adds to the name."""
        first, *others = self.classes
        if designer not in _CHANGE_M_CLASSES:
            others = []
        return [(first, ""), *((number, f"_m{number:g}") for number in others)]


PicturesData = PetriData | FolderData | Cifar10hData | FashionMnistData
"""The sources that bring pictures, which studies are trained on."""

Phase = Literal["sweep", "interventions", "fine_tuning"]
"""The times that a study trains: uniform policies, then designed ones on fresh seeds, then the same
from trained weights where this is asked for."""

FINE_TUNED = "fine_tuned_"
"""What the name of a policy that networks were fine-tuned under begins with."""


class Study(Section):
    """A whole study."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=64)]
    """Names the folders results/<name> and figures/<name>."""
    title: str = ""
    """One line for the report's head."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Study seed: with a run's seed it decides initial weights, order and crops."""
    data: Annotated[
        PicturesData | PredictionsData,
        Field(discriminator="source"),
    ]
    """Where pictures, or predictions, come from; `source` names the kind."""
    beton: Beton = Beton()
    augmentation: Augmentation = Augmentation()
    training: Training = Training()
    machine: Machine = Machine()
    sweep: Sweep | None = None
    """What is trained; left out only by studies of predictions."""
    comparison: Comparison | None = None
    """For studies of predictions alone."""
    analysis: Analysis = Analysis()
    interventions: Interventions | None = None
    """Leave out to stop after the analysis of the sweep."""

    @model_validator(mode="after")
    def _hangs_together(self) -> Study:
        """A study of predictions has a `comparison` and neither `sweep` nor `interventions`; every
        other study has a `sweep` and no `comparison`. All strengths lie in the axis's range;
        `analysis.reference` is one of the sweep's, and not the strongest. The seeds of the
        interventions are none of the sweep's; where `data.draws` is above 1, they train on draws
        that the sweep has not seen.
        """
        if isinstance(self.data, PredictionsData):
            if self.comparison is None:
                raise ValueError("comparison: a study of predictions names its conditions there")
            for section in ("sweep", "interventions"):
                if getattr(self, section) is not None:
                    raise ValueError(f"{section}: a study of predictions trains nothing")
            return self
        if self.sweep is None:
            raise ValueError("sweep: strengths and seeds are missing")
        if self.comparison is not None:
            raise ValueError("comparison: for data.source predictions alone")
        for strength in self.strengths:
            self.axis.check(strength)
        if self.reference_strength not in self.strengths:
            raise ValueError(
                f"analysis.reference {self.reference_strength:g} is not one of sweep.strengths"
            )
        if self.reference_strength == self.strongest:
            raise ValueError("analysis.reference is the strongest strength: nothing to compare")
        if self.interventions:
            shared = sorted(set(self.interventions.seeds) & set(self.sweep.seeds))
            if shared:
                raise ValueError(f"interventions.seeds must be fresh, but the sweep has {shared}")
            seen = {self.draw(seed): seed for seed in self.sweep.seeds}
            for seed in self.interventions.seeds if self.data.draws > 1 else ():
                if self.draw(seed) in seen:
                    raise ValueError(
                        f"interventions.seeds: seed {seed} trains on draw {self.draw(seed)}, as "
                        f"the sweep's seed {seen[self.draw(seed)]} does; raise data.draws"
                    )
        return self

    @property
    def axis(self) -> Axis:
        return AXES[self.augmentation.axis]

    @property
    def strengths(self) -> tuple[float, ...]:
        """Of the sweep, strongest first; none in a study of predictions."""
        strengths = self.sweep.strengths if self.sweep else ()
        return tuple(sorted(strengths, reverse=self.axis.stronger == "higher"))

    @property
    def strongest(self) -> float:
        return self.strengths[0]

    @property
    def reference_strength(self) -> float:
        reference = self.analysis.reference
        return self.strengths[-1] if reference == "weakest" else float(reference)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of what is compared, the tested one first."""
        if self.comparison:
            return self.comparison.conditions
        return tuple(self.uniform_name(strength) for strength in self.strengths)

    @property
    def reference_condition(self) -> str:
        """The condition that the fixed contrast compares the tested one with."""
        if self.comparison:
            return self.comparison.reference or self.comparison.conditions[-1]
        return self.uniform_name(self.reference_strength)

    @property
    def phases(self) -> tuple[Phase, ...]:
        if self.interventions is None:
            return ("sweep",)
        tuned: tuple[Phase, ...] = ("fine_tuning",) if self.interventions.fine_tuning else ()
        return ("sweep", "interventions", *tuned)

    def seeds(self, phase: Phase) -> tuple[int, ...]:
        if phase == "sweep":
            return self.sweep.seeds if self.sweep else ()
        return self.interventions.seeds if self.interventions and phase in self.phases else ()

    def policy_names(self, phase: Phase) -> tuple[str, ...]:
        if phase == "sweep":
            return self.conditions if self.sweep else ()
        names = tuple(plan.name for plan in self.planned)
        if phase == "fine_tuning":
            return tuple(FINE_TUNED + name for name in names if phase in self.phases)
        return names

    @property
    def planned(self) -> tuple[Planned, ...]:
        """The policies of the interventions."""
        return self.interventions.planned(self.strengths) if self.interventions else ()

    @property
    def baselines(self) -> tuple[str, ...]:
        """The policies that all others are compared with; fine-tuned ones have one of their own."""
        tuned = (f"{FINE_TUNED}{BASELINES[0]}",) if "fine_tuning" in self.phases else ()
        return (*BASELINES, *tuned)

    def controls(self) -> dict[str, tuple[str, ...]]:
        """Name of a pooled control -> the policies that are its draws."""
        pools = self.interventions.controls() if self.interventions else {}
        prefixes = ("", FINE_TUNED) if "fine_tuning" in self.phases else ("",)
        return {
            prefix + name: tuple(prefix + draw for draw in draws)
            for prefix in prefixes
            for name, draws in pools.items()
        }

    def uniform_name(self, strength: float) -> str:
        """Name of the sweep's policy that gives every class `strength`."""
        return f"{self.axis.name}={strength:g}"

    def draw(self, seed: int) -> int:
        """The draw of the training pictures that run seed `seed` trains on."""
        return 0 if isinstance(self.data, PredictionsData) else seed % self.data.draws

    def digest(self, *parts: str) -> str:
        """Hash of the settings that a stage depends on, 12 hex digits.

        Args:
            parts: dotted names of sections or settings, such as ``"data"`` or ``"analysis"``.
                Without any, the whole study.
        """
        content = self.model_dump(mode="json")
        chosen: dict[str, Any] = {}
        for part in parts or tuple(content):
            value: Any = content
            for key in part.split("."):
                value = value[key]
            chosen[part] = value
        text = json.dumps(chosen, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def pictures_digest(self) -> str:
        """Hash of the settings that decide the pictures of sources that have to be written."""
        written = (
            {"source", "petri", "draws"} if isinstance(self.data, PetriData) else {"source", "root"}
        )
        content = self.data.model_dump(mode="json", include=written)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]

    def training_digest(self) -> str:
        """Hash of all settings that a run's weights depend on, but for its policy and its seed.

        How many draws there are, how validation pictures are chosen, halved and annotated, and the
        machine are left out: changing them trains nothing again. Which pictures a draw holds is for
        the index to say.
        """
        content = self.model_dump(
            mode="json", include={"seed", "beton", "augmentation", "training"}
        )
        for name in ("val_resolution", "val_crop", "val_flip"):
            del content["training"][name]
        content["recipe"] = RECIPE
        if isinstance(self.data, PetriData):
            content["petri"] = self.data.petri.model_dump(mode="json", exclude={"val_per_class"})
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @classmethod
    def load(cls, path: Path, changes: Sequence[str] = ()) -> Study:
        """Read a study from a YAML file.

        Args:
            path: the file.
            changes: settings that replace the file's, as ``dotted.name=value``, the value in YAML.

        Raises:
            InputError: the file is missing, is not YAML, or a setting is unknown or wrong.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{path}: cannot read the study ({error.strerror})") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
        if not isinstance(content, dict):
            raise InputError(f"{path}: a study is a mapping of settings; this file holds none")
        for change in changes:
            _change(content, change)
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise InputError(f"{path}: {_explain(error)}") from None


def _change(content: dict[str, Any], change: str) -> None:
    """Apply one ``dotted.name=value`` to a config in place."""
    name, equals, value = change.partition("=")
    if not equals or not name:
        raise InputError(f"--set {change}: expected SETTING=VALUE")
    *sections, last = name.split(".")
    for section in sections:
        content = content.setdefault(section, {})
        if not isinstance(content, dict):
            raise InputError(f"--set {change}: {section} is not a section")
    try:
        content[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise InputError(f"--set {change}: the value is not valid YAML") from None


def _explain(error: ValidationError) -> str:
    """One line for the first fault of a config, naming the setting."""
    faults = error.errors(include_url=False)
    # Where a setting is a path or something else, what the something else lacks says more.
    faults = [fault for fault in faults if fault["type"] != "path_type"] or faults
    first = faults[0]
    place = [part for part in first["loc"] if "[" not in str(part)]  # less the types of a union
    if place[:1] == ["data"]:
        del place[1:2]  # pydantic's name of the source's model, which no config spells out
    where = ".".join(map(str, place)) or "the study"
    what = "unknown setting" if first["type"] == "extra_forbidden" else first["msg"]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{where}: {what.removeprefix('Value error, ')}{more}"
