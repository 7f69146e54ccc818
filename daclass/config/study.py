"""A whole study, and what follows from its settings."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, Field, PrivateAttr, model_validator
from pydantic_core import to_jsonable_python

from daclass.augment.axis import AXES, Axis
from daclass.augment.settings import known_axis
from daclass.config.analysis import Analysis, Comparison, Sweep
from daclass.config.base import ADDED, FOR_DIGEST, Section, Seed
from daclass.config.interventions import Interventions, Phase, Planned
from daclass.config.reading import read_settings, validated
from daclass.config.sources import PetriData, PicturesData, PredictionsData
from daclass.config.training import FROM_WEIGHTS, RECIPE, Augmentation, Beton, Machine, Training
from daclass.designer import DESIGNERS, FINE_TUNED, PRIMARY, TESTED
from daclass.errors import InputError


class Study(Section):
    """A whole study."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=64)]
    """Names the folders results/<name> and figures/<name>."""
    title: str = ""
    """One line for the report's head."""
    seed: Seed = 0
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
        `analysis.tested` and `analysis.reference` are two of the sweep's. The seeds of the
        interventions are none of the sweep's; where `data.draws` is above 1, they train on draws
        that the sweep has not seen. Their designers suit the axis. Where the axis is a setting,
        there are no interventions, and `training` leaves the setting out.
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
        if setting := self.axis.setting:
            if self.interventions:
                raise ValueError(
                    f"interventions: {self.axis.name} is one for all classes, so there is no "
                    "policy by class"
                )
            if getattr(self.training, setting) != Training.model_fields[setting].default:
                raise ValueError(f"{self.axis.name} is what the study varies: leave it out")
        if self.reference_strength not in self.strengths:
            raise ValueError(
                f"analysis.reference {self.reference_strength:g} is not one of sweep.strengths"
            )
        tested, reference = self.tested_strength, self.reference_strength
        if tested is not None and tested not in self.strengths:
            raise ValueError(f"analysis.tested {tested:g} is not one of sweep.strengths")
        if tested == reference:
            raise ValueError(f"analysis.tested and analysis.reference are both {tested:g}")
        if reference == self.strongest and tested is None:
            raise ValueError(
                "analysis.reference is the strongest strength: there is no stronger one to test"
            )
        if self.interventions:
            for name in self.interventions.designers:
                if not DESIGNERS[name].suits(self.axis):
                    raise ValueError(
                        f"interventions.designers: {name} is not for the axis {self.axis.name}"
                    )
            named, names = self.interventions.primary, self.policy_names("interventions")
            if named != PRIMARY and named not in names:
                raise ValueError(
                    f"interventions.primary: {named} is none of the study's policies: "
                    f"{', '.join(names)}"
                )
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

    @model_validator(mode="after")
    def _steps_are_whole(self) -> Study:
        """`machine.cuda_graphs` goes with one process: gradients of several are exchanged in the
        middle of a step.
        """
        if self.machine.cuda_graphs and self.training.processes > 1:
            raise ValueError("machine.cuda_graphs: needs training.processes to be 1")
        return self

    @model_validator(mode="after")
    def _pictures_are_resampled(self) -> Study:
        """`training.val_resolution` is not the size of the pictures, nor of one of their views,
        where the source decides it, unless `training.exact_view` allows it.
        """
        side = self.picture_side
        if side and (refusal := self.exact_view_refusal([side], 0, f"pictures of {side} px")):
            raise ValueError(refusal)
        return self

    def exact_view_refusal(self, sides: Sequence[int], most: float, pictures: str) -> str:
        """Why the study is refused, if it judges pictures pixel by pixel; else empty.

        Args:
            sides: shorter side of each judged picture in px, at least one.
            most: share of them that may be judged so.
            pictures: what to call them; "{share}" stands for the share that would be judged so.
        """
        training = self.training
        if training.exact_view:
            return ""
        for setting, views, change in (
            ("training.val_resolution", (training.val_crop,), "change training.val_crop"),
            ("analysis.views", self.views, "leave that view out"),
        ):
            share = training.shown_exactly(sides, views)
            if share > most:
                return (
                    f"{setting}: {pictures.format(share=f'{share:.0%}')} would be judged pixel by "
                    f"pixel at {training.val_resolution} px, while training crops are resampled; "
                    f"train and judge at a smaller side, {change}, or set training.exact_view: true"
                )
        return ""

    @property
    def picture_side(self) -> int | None:
        """Side of the stored square pictures in px, where the source decides it."""
        if isinstance(self.data, PredictionsData) or self.data.picture_side is None:
            return None
        return min(self.data.picture_side, self.beton.max_resolution or self.data.picture_side)

    _file: Path = PrivateAttr(default=Path())
    _changes: tuple[str, ...] = PrivateAttr(default=())

    @property
    def command(self) -> str:
        """The shell command that makes the study's report; "" for one that no file holds."""
        if self._file == Path():
            return ""
        changes = [f"--set={change}" for change in self._changes]
        stage = "analyze" if self.comparison else "study"
        return shlex.join(["daclass", stage, str(self._file), *changes])

    @property
    def axis(self) -> Axis:
        return known_axis(self.augmentation.axis)

    @property
    def strengths(self) -> tuple[float, ...]:
        """Of the sweep, strongest first; none in a study of predictions."""
        strengths = self.sweep.strengths if self.sweep else ()
        return tuple(sorted(strengths, reverse=self.axis.stronger == "higher"))

    @property
    def crop_scales(self) -> tuple[float, ...]:
        """Lower area bounds of the crops that the study trains with."""
        cropped = self.axis.name == "rrc_scale"
        return self.strengths if cropped else (self.augmentation.fixed_crop_scale,)

    @property
    def strongest(self) -> float:
        return self.strengths[0]

    @property
    def tested_strength(self) -> float | None:
        """The strength that is tested; None where the sweep's results decide it."""
        tested = self.analysis.tested
        if tested == "best":
            return None
        return self.strongest if tested == "strongest" else float(tested)

    @property
    def reference_strength(self) -> float:
        reference = self.analysis.reference
        return self.strengths[-1] if reference == "weakest" else float(reference)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of what is compared: strengths, the strongest first, or named conditions, the
        tested one first."""
        if self.comparison:
            return self.comparison.conditions
        return tuple(self.uniform_name(strength) for strength in self.strengths)

    @property
    def tested_condition(self) -> str | None:
        """The condition that is tested; None where the sweep's results decide it."""
        if self.comparison:
            return self.comparison.conditions[0]
        tested = self.tested_strength
        return None if tested is None else self.uniform_name(tested)

    @property
    def reference_condition(self) -> str:
        """The condition that the tested one is compared with."""
        if self.comparison:
            return self.comparison.reference or self.comparison.conditions[-1]
        return self.uniform_name(self.reference_strength)

    @property
    def views(self) -> tuple[float, ...]:
        """Sides of the central squares that networks judge, as shares of the shorter side, in
        order; `training.val_crop`, the study's own, is one of them."""
        return tuple(sorted({*self.analysis.views, self.training.val_crop}))

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
        tuned = (f"{FINE_TUNED}{TESTED}",) if "fine_tuning" in self.phases else ()
        return (*self.interventions.baselines, *tuned) if self.interventions else ()

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

    def as_yaml(self) -> str:
        """A config that says the same, without what stands at its default."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        if self.training.init != "random":  # rate and epochs have other defaults then
            content["training"] |= self.training.model_dump(mode="json", include=set(FROM_WEIGHTS))
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)

    def digest(self, *parts: str) -> str:
        """Hash of the settings that a stage depends on, 12 hex digits.

        Settings that are marked as added later count only where they differ from their default.

        Args:
            parts: dotted names of sections or settings, such as ``"data"`` or ``"analysis"``.
                Without any, the whole study.

        Raises:
            AttributeError: there is no such setting.
        """
        chosen: dict[str, Any] = {}
        for part in parts or tuple(self.__class__.model_fields):
            *sections, name = part.split(".")
            section = attrgetter(".".join(sections))(self) if sections else self
            value = getattr(section, name)
            field = section.__class__.model_fields[name]
            if ADDED in field.metadata and value == field.get_default():
                continue
            whole = isinstance(value, BaseModel)
            chosen[part] = (
                value.model_dump(mode="json", context=FOR_DIGEST)
                if whole
                else to_jsonable_python(value)
            )
        if outside := self.plugins(*chosen):
            chosen["plugins"] = outside
        text = json.dumps(chosen, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def plugins(self, *sections: str) -> dict[str, str]:
        """Axes and designers that the study uses of other packages -> package and version.

        What they do is no part of daclass's version, so a digest of what rests on them has it too.

        Args:
            sections: of the config; "augmentation" names an axis, "interventions" designers.
                Without any, both.
        """
        found: dict[str, str] = {}
        if self.axis.name in AXES and (not sections or "augmentation" in sections):
            found |= AXES.versions([self.augmentation.axis])
        if not sections or "interventions" in sections:
            found |= DESIGNERS.versions(plan.designer for plan in self.planned)
        return found

    def training_digest(self) -> str:
        """Hash of all settings that a run's weights depend on, but for its policy and its seed.

        How many draws there are, how validation pictures are chosen, halved and annotated, and the
        machine are left out: changing them trains nothing again. Which pictures a draw holds is for
        the index to say, and what is in the training's files, for whoever reads them.
        """
        sections = {n: getattr(self, n) for n in ("beton", "augmentation", "training")}
        content = {
            name: section.model_dump(mode="json", context=FOR_DIGEST)
            for name, section in sections.items()
        }
        content["seed"] = self.seed
        for name in ("val_resolution", "val_crop", "val_flip", "exact_view"):
            content["training"].pop(name, None)
        for name in ("init", "init_names", "class_weights"):
            if isinstance(getattr(self.training, name), Path):
                content["training"][name] = "file"
        content["recipe"] = RECIPE
        if outside := self.plugins("augmentation"):
            content["plugins"] = outside
        if isinstance(self.data, PetriData):
            content["petri"] = self.data.petri.model_dump(
                mode="json", exclude={"val_per_class"}, context=FOR_DIGEST
            )
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @classmethod
    def load(cls, path: Path, changes: Sequence[str] = ()) -> Study:
        """Read a study from a YAML file.

        Args:
            path: the file.
            changes: settings that replace the file's, as ``dotted.name=value``.

        Raises:
            InputError: the file is missing, is not YAML, or a setting is unknown or wrong.
        """
        content = read_settings(path, changes)
        try:
            study = validated(cls, content)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        study.keep_origin(path, changes)
        return study

    def keep_origin(self, path: Path, changes: Sequence[str] = ()) -> None:
        """Remember which file, and which changes, the settings come from."""
        self._file, self._changes = path, tuple(changes)
