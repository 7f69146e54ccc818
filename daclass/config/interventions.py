"""Policies that are designed from the sweep, and the phases that a study trains in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from daclass.config.base import (
    Count,
    Epochs,
    Positive,
    Rate,
    Section,
    Seed,
    Seeds,
    distinct,
)

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


Phase = Literal["sweep", "interventions", "fine_tuning"]
"""The times that a study trains: uniform policies, then designed ones on fresh seeds, then the same
from trained weights where this is asked for."""

FINE_TUNED = "fine_tuned_"
"""What the name of a policy that networks were fine-tuned under begins with."""


class FineTuning(Section):
    """Further epochs of trained networks under the designed policies.

    Every fresh seed's network of uniform_strongest goes on under each policy, uniform_strongest
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

    designers: tuple[Designer, ...] = ("naive_removal", "fp_informed", "random_classes")
    """uniform_strongest, uniform_best and uniform_reference are the baselines: always trained,
    named here or not. Equal policies share their runs."""
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
    """Number of classes that the fp_informed designers and random_classes change: a share of all
    below 1, else a count. Of several numbers the first gives policies their plain names, each other
    one more policies, such as fp_informed_m5 or random_classes_m0.25_1."""
    random_draws: Count = 3
    """Number of draws of random_classes: policies random_classes_1, random_classes_2, ..."""
    random_seed: Seed = 0
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
        distinct(tuple(f"{number:g}" for number in self.classes), "classes")
        distinct(self.designers, "designers")
        distinct(self.seeds, "seeds")
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
