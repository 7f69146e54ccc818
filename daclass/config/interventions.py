"""Policies that are designed from the sweep, and the phases that a study trains in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from daclass.config.base import (
    ADDED,
    Count,
    Epochs,
    Positive,
    Rate,
    Section,
    Seed,
    Seeds,
    Share,
    distinct,
)
from daclass.config.reading import validated
from daclass.designer import CONTROL, DESIGNERS, PRIMARY, TESTED, Designer
from daclass.errors import InputError


def _installed(name: str) -> str:
    if name not in DESIGNERS:
        raise ValueError(f"there is no designer {name!r}; known: {sorted(DESIGNERS)}")
    return name


def _name_installed(schema: dict[str, Any]) -> None:
    schema["enum"] = list(DESIGNERS)


DesignerName = Annotated[str, AfterValidator(_installed), Field(json_schema_extra=_name_installed)]
"""Of a designer that an installed package brings."""


class Planned(NamedTuple):
    """A policy that a study asks of a designer."""

    name: str
    designer: str
    classes: float
    """Setting of interventions.classes."""
    strength: float | None = None
    """For designers of one policy for each strength."""
    draw: int = 1
    """For designers that draw lots."""


Phase = Literal["sweep", "interventions", "fine_tuning"]
"""The times that a study trains: uniform policies, then designed ones on fresh seeds, then the same
from trained weights where this is asked for."""


class FineTuning(Section):
    """Further epochs of trained networks under the designed policies.

    Every fresh seed's network of uniform_tested goes on under each policy, uniform_tested
    itself included: the control for the epochs that are added. The recipe is that of `training` but
    for what stands here; the optimiser's momentum starts anew.
    """

    epochs: Count
    """Epochs that are added. Crops and order are those that come after the last of
    training.epochs, the same for all policies of a seed."""
    learning_rate: Rate
    """Peak learning rate for the whole batch; falls to 0 by training.schedule."""
    warmup_epochs: Epochs = 0.0
    """Epochs of linear warm-up."""

    @model_validator(mode="after")
    def _warms_up_in_time(self) -> FineTuning:
        """`warmup_epochs` is smaller than `epochs`."""
        if self.warmup_epochs >= self.epochs:
            raise ValueError("warmup_epochs must be smaller than epochs")
        return self


class Interventions(Section):
    """Policies that are designed from the sweep and trained on fresh seeds."""

    designers: tuple[DesignerName, ...] = ("naive_removal", PRIMARY, CONTROL)
    """Names of designers, those of other installed packages included. The uniform baselines are
    always trained, named here or not. Equal policies share their runs."""
    settings: Annotated[dict[DesignerName, dict[str, Any]], ADDED] = Field(default_factory=dict)
    """Designer -> its own settings, for those that have some; what is left out has its default."""
    seeds: Seeds
    """Fresh run seeds: none of the sweep's."""
    classes: Annotated[
        tuple[Positive, ...],
        Field(min_length=1),
        BeforeValidator(
            lambda value: tuple(value) if isinstance(value, list | tuple) else (value,),
            json_schema_input_type=Positive | tuple[Positive, ...],
        ),
    ] = (0.1,)
    """Number of classes that a designer changes, if it is one that asks for it, as the fp_informed
    ones and random_classes are: a share of all below 1, else a count. Of several numbers the first
    gives policies their plain names, each other one more policies, such as fp_informed_m5 or
    random_classes_m0.25_1."""
    random_draws: Count = 3
    """Number of draws of designers that draw lots: policies random_classes_1, random_classes_2,
    ..."""
    random_seed: Seed = 0
    """Decides what designers draw."""
    primary: Annotated[str, ADDED] = PRIMARY
    """The policy that is the study's question, by name: the decision is about this one. All others
    are candidates for a study of their own. Where the study has no policy of the default's name, it
    is the first of its designers'."""
    tolerated_loss: Annotated[Share, ADDED] = 0.01
    """Accuracy on average over all classes that the policy may cost and still be recommended."""
    worthwhile_gain: Annotated[Share, ADDED] = 0.02
    """Accuracy on average over the classes followed up below which a gain is not worth having."""
    fine_tuning: FineTuning | None = None
    """Train under the policies a second time, from the weights of uniform_tested instead of from
    scratch; left out, this is not done."""

    @model_validator(mode="after")
    def _hangs_together(self) -> Interventions:
        """Designers are distinct, and so are seeds and numbers of classes, which are shares below 1
        or whole numbers. `settings` are such as their designers have.
        """
        for number in self.classes:
            if number > 1 and number != int(number):
                raise ValueError(f"classes is a share below 1 or a whole number, not {number:g}")
        distinct(tuple(f"{number:g}" for number in self.classes), "classes")
        distinct(self.designers, "designers")
        distinct(self.seeds, "seeds")
        for name, chosen in self.settings.items():
            model = DESIGNERS[name].settings
            if model is None:
                raise ValueError(f"settings: the designer {name} has no settings")
            try:
                validated(model, chosen)
            except InputError as error:
                raise ValueError(f"settings.{name}.{error}") from None
        return self

    @property
    def baselines(self) -> tuple[str, ...]:
        """The policies that every other one is compared with, the starting point first.

        Of other packages' baselines those that are named: what is installed alone changes no study.
        """
        there = [name for name in DESIGNERS if DESIGNERS.is_own(name) or name in self.designers]
        found = [name for name in there if DESIGNERS[name].role == "baseline"]
        return tuple(sorted(found, key=lambda name: (name != TESTED, name)))

    def planned(self, strengths: Sequence[float]) -> tuple[Planned, ...]:
        """The policies to design, by name: known before anything is trained.

        Args:
            strengths: of the sweep.
        """
        plans: list[Planned] = []
        for name in dict.fromkeys((*self.baselines, *self.designers)):
            designer = DESIGNERS[name]
            for number, tag in self._tagged(designer):
                plan = Planned(f"{name}{tag}", name, number)
                if designer.each_strength:
                    names = {strength: f"uniform_{strength:g}" for strength in strengths}
                    plans += [plan._replace(name=n, strength=s) for s, n in names.items()]
                elif designer.draws:
                    draws = range(1, self.random_draws + 1)
                    plans += [plan._replace(name=f"{plan.name}_{n}", draw=n) for n in draws]
                else:
                    plans.append(plan)
        return tuple(plans)

    def controls(self) -> dict[str, tuple[str, ...]]:
        """Name of a pooled control -> the policies that are its draws."""
        controls = [DESIGNERS[name] for name in self.designers if DESIGNERS[name].role == "control"]
        return {
            f"{control.name}{tag}": tuple(
                f"{control.name}{tag}_{draw}" for draw in range(1, self.random_draws + 1)
            )
            for control in controls
            for _, tag in self._tagged(control)
        }

    def _tagged(self, designer: Designer) -> list[tuple[float, str]]:
        """Each number of classes that a designer is asked for, with what it adds to the name."""
        first, *others = self.classes
        more = others if designer.changes_m else []
        return [(first, ""), *((number, f"_m{number:g}") for number in more)]
