"""A run in training: its network, its optimiser and how far it is."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from daclass.augment.variates import epoch_key
from daclass.config import Machine
from daclass.errors import InputError
from daclass.training.balance import loss_weights
from daclass.training.distributed import Crew
from daclass.training.graphs import StepGraph
from daclass.training.initial import initial_model, initial_state
from daclass.training.models import Normalise, autocast
from daclass.training.recipe import Recipe, build_loss, build_optimizer
from daclass.training.runs import Run

INITIAL_WEIGHTS, DROPOUT = 2**61, 2**60  # where an epoch would stand in a key: no epoch is as large


class Trainee:
    """A run in training.

    Attributes:
        place: the run's place among the policies of the loader.
        model: the network, as it is saved.
        seen: the network behind the normalisation, as it is evaluated.
        done: steps that its weights have behind them; a fine-tuned run's begin with its parent's.
        loss_sum: sum of the losses of this epoch's steps, float64, on the device.
        skipped: steps of this epoch that the scaler of float16 has skipped, int64, on the device.
        seconds: wall time that went into the run, earlier processes included; runs that step in
            turn share it.
    """

    def __init__(
        self,
        recipe: Recipe,
        run: Run,
        place: int,
        model: nn.Module,
        criterion: nn.Module,
        device: torch.device,
        crew: Crew,
        machine: Machine,
    ) -> None:
        training = recipe.training
        self.run, self.place, self.device = run, place, device
        self.model = model.to(device)
        self.optimizer = build_optimizer(self.model, training)
        self.scaler = torch.amp.GradScaler(device.type, enabled=training.precision == "float16")
        self.seen = nn.Sequential(Normalise(training).to(device), self.model)
        self.forward: nn.Module = self.seen
        if not crew.alone:
            self.forward = DistributedDataParallel(self.seen)
        if machine.compile:
            # Progressive resizing has a few sides: code for each is faster than code for any.
            self.forward = torch.compile(self.forward, dynamic=False)  # type: ignore[assignment]
        self.criterion, self.autocast = criterion.to(device), autocast(training, device)
        self.keys = (recipe.seed, run.seed, crew.part.rank)
        self.done = 0
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        self.skipped = torch.zeros((), dtype=torch.int64, device=device)
        self.seconds = 0.0
        self.graph: StepGraph | None = None
        if machine.cuda_graphs and device.type == "cuda":
            self.graph, self.rate = StepGraph(self._act, device), torch.zeros((), device=device)

    def step(
        self, pictures: Tensor, targets: Tensor, rate: float, views: Tensor | None = None
    ) -> None:
        """One step of the optimiser; `views` as of `WeightedLoss`, which knows them alone.

        Dropout and its like draw from a seed of their own at every step: what runs before, beside
        or in an earlier process cannot change them.
        """
        study_seed, run_seed, rank = self.keys
        torch.manual_seed((int(epoch_key(study_seed, run_seed, DROPOUT + self.done)) >> 1) + rank)
        if self.graph:
            self.graph.join()
            self.rate.fill_(rate)  # where the recorded optimiser reads it
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate if self.graph else rate
        inputs = (pictures, targets) if views is None else (pictures, targets, views)
        (self.graph or self._act)(*inputs)
        self.done += 1

    def join(self) -> None:
        """Let what is asked of the device from here on see the last step."""
        if self.graph:
            self.graph.join()

    def _act(self, pictures: Tensor, *targets: Tensor) -> None:
        with self.autocast:
            loss = self.criterion(self.forward(pictures), *targets)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self._count(loss.detach())

    def _count(self, loss: Tensor) -> None:
        """Add a step's loss. A scale that is too large makes float16's infinite once in a while:
        the scaler skips that step and takes a smaller one, so it is no part of the mean."""
        if self.scaler.is_enabled():
            finite = torch.isfinite(loss)
            self.skipped += ~finite
            loss = torch.where(finite, loss, 0.0)
        self.loss_sum += loss

    @property
    def rate_setting(self) -> str:
        """Name of the setting that the learning rate comes from."""
        section = "interventions.fine_tuning" if self.run.parent else "training"
        return f"{section}.learning_rate"

    def mean_loss(self, steps: int) -> float:
        """Mean loss of this epoch's `steps` steps so far.

        Raises:
            InputError: it is not finite.
        """
        counted = steps - int(self.skipped)
        loss = float(self.loss_sum) / counted if counted else math.inf
        # Below 1 the scaler makes losses smaller: it is not to blame for what is infinite.
        lost = self.scaler.is_enabled() and self.scaler.get_scale() < 1
        if not math.isfinite(loss) or lost:
            raise InputError(
                f"training diverged: run {self.run.name}, seed {self.run.seed}, step {self.done}: "
                f"the loss is {loss}; lower {self.rate_setting}. An earlier checkpoint is kept"
            )
        return loss

    def check_weights(self) -> None:
        """Refuse weights that the last steps made useless.

        Raises:
            InputError: a weight is not finite.
        """
        for name, tensor in self.model.state_dict().items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise InputError(
                    f"training diverged: run {self.run.name}, seed {self.run.seed}, "
                    f"step {self.done}: {name} is not finite; lower {self.rate_setting}"
                )

    def state(self, steps: int) -> dict[str, Any]:
        """What `restore` needs; `steps` is the length of an epoch. The rate is a function of the
        step, and so is every random number."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "epoch": self.done // steps,
            "step": self.done % steps,
            "loss_sum": float(self.loss_sum),
            "skipped": int(self.skipped),
            "seconds": self.seconds,
        }

    def restore(self, state: dict[str, Any], steps: int) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.done = int(state["epoch"]) * steps + int(state["step"])
        self.loss_sum.fill_(state["loss_sum"])
        self.skipped.fill_(state.get("skipped", 0))  # older checkpoints do not count them
        self.seconds = float(state["seconds"])


def start(
    recipe: Recipe,
    runs: Sequence[Run],
    labels: npt.NDArray[np.int64],
    class_names: Sequence[str],
    devices: Sequence[torch.device],
    crew: Crew,
    machine: Machine,
) -> list[Trainee]:
    """Trainees with their initial weights, dealt to `devices`.

    All runs of a seed begin with the same weights: drawn from the seed, as far as `training.init`
    says no others, or their parent's.

    Raises:
        AugmentError: a policy weights the losses of classes that are not there.
        InputError: the weights to start from, or a parent's, are missing or cannot be used.
    """
    recipes = [recipe.under(run.policy) for run in runs]
    criteria = [
        _criterion(own, run, labels, class_names) for own, run in zip(recipes, runs, strict=True)
    ]
    state = None if runs[0].parent else initial_state(recipe.training)
    torch.manual_seed(int(epoch_key(recipe.seed, runs[0].seed, INITIAL_WEIGHTS)) >> 1)
    initial = initial_model(recipe.training, len(class_names), state)
    if runs[0].parent:
        _inherit(initial, runs[0].parent)
    return [
        Trainee(
            own,
            run,
            place,
            copy.deepcopy(initial),
            loss,
            devices[place % len(devices)],
            crew,
            machine,
        )
        for place, (own, run, loss) in enumerate(zip(recipes, runs, criteria, strict=True))
    ]


def _inherit(model: nn.Module, parent: Run) -> None:
    try:
        parent.load_weights(model)
    except InputError as error:
        raise InputError(
            f"fine-tuning goes on from the run of {parent.name}, seed {parent.seed}, but {error}; "
            f"run daclass train with --phase interventions --seed {parent.seed}"
        ) from None


def _criterion(
    recipe: Recipe, run: Run, labels: npt.NDArray[np.int64], class_names: Sequence[str]
) -> nn.Module:
    weights = loss_weights(recipe.training, run.policy, labels, class_names)
    if weights is None:
        return build_loss(recipe.training)
    return build_loss(recipe.training, torch.from_numpy(weights).float())
