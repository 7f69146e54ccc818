"""The training loop: several runs of one seed step in turn on the crops of one loader."""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from daclass.augment.variates import epoch_key
from daclass.errors import InputError
from daclass.study import Study, Training
from daclass.training.loaders import Samples, TrainLoader, train_loader
from daclass.training.models import build_model
from daclass.training.recipe import build_loss, build_optimizer, learning_rate
from daclass.training.runs import Run

log = logging.getLogger(__name__)

REPORT_SECONDS = 5.0  # least time between two progress lines


def choose_device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f"machine.device: {name} was asked for, but there is no usable GPU")
    return torch.device(name)


class Normalise(nn.Module):
    """uint8 pictures [n, 3, h, w] to float32, colours centred and scaled, channels last."""

    mean: Tensor
    std: Tensor

    def __init__(self, training: Training) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(training.mean).view(1, 3, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(training.std).view(1, 3, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        floats = pictures.to(torch.float32, memory_format=torch.channels_last)
        return (floats - self.mean) / self.std


@dataclass
class Trainee:
    """A run in training."""

    run: Run
    model: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    next_epoch: int = 0
    loss: float = 0.0

    def state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "next_epoch": self.next_epoch,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.next_epoch = int(state["next_epoch"])


def train(study: Study, runs: Sequence[Run], samples: Samples, class_names: Sequence[str]) -> None:
    """Train the runs of one seed that are not trained yet, and write their weights.

    All runs start from the same weights and see the same pictures in the same order; only the
    crops' boxes differ, as far as their policies do. Results equal those of training each run
    alone, to the bit on a CPU.

    Args:
        runs: runs of one seed.
        samples: the training pictures of that seed's draw.
        class_names: names by class_id.

    Raises:
        InputError: bad settings or files, a damaged checkpoint, or a loss that is not finite.
    """
    pending = list({run.key: run for run in runs if not run.trained}.values())
    if not pending:
        log.info("all %d runs of seed %d are trained already", len(runs), runs[0].seed)
        return
    seed = pending[0].seed
    device = choose_device(study.machine.device)
    if study.training.precision == "float16" and device.type == "cpu":
        raise InputError("training.precision: float16 needs a GPU; use float32 or bfloat16")
    strengths = np.stack([run.policy.strengths(class_names)[samples.labels] for run in pending])
    loader = train_loader(study, samples, strengths, seed)
    trainees = _start(study, pending, len(class_names), device)
    first = min(trainee.next_epoch for trainee in trainees)
    log.info("seed %d: %d runs from epoch %d on %s", seed, len(trainees), first + 1, device)
    saved = reported = started = time.monotonic()
    for epoch in range(first, study.training.epochs):
        active = {k: t for k, t in enumerate(trainees) if t.next_epoch == epoch}
        speed = _train_epoch(study, loader, active, epoch, device)
        now = time.monotonic()
        if now - saved >= 60 * study.machine.checkpoint_minutes:
            for trainee in active.values():
                trainee.run.save_checkpoint(trainee.state())
            saved = now
        if now - reported >= REPORT_SECONDS or epoch + 1 == study.training.epochs:
            left = (now - started) / (epoch + 1 - first) * (study.training.epochs - epoch - 1)
            mean_loss = float(np.mean([trainee.loss for trainee in active.values()]))
            log.info(
                "seed %d: epoch %d/%d, %d runs, %.0f images/s, loss %.3f, %.0f s left",
                seed, epoch + 1, study.training.epochs, len(active), speed, mean_loss, left,
            )  # fmt: skip
            reported = now
    for trainee in trainees:
        trainee.run.save_weights(trainee.model, study)


def _start(study: Study, runs: Sequence[Run], classes: int, device: torch.device) -> list[Trainee]:
    torch.manual_seed(int(epoch_key(study.seed, runs[0].seed, 2**61)) >> 1)
    initial = build_model(study.training, classes)
    trainees = []
    for run in runs:
        model = copy.deepcopy(initial).to(device)
        scaler = torch.amp.GradScaler(device.type, enabled=study.training.precision == "float16")
        trainee = Trainee(run, model, build_optimizer(model, study.training), scaler)
        state = run.load_checkpoint()
        if state:
            trainee.restore(state)
        trainees.append(trainee)
    return trainees


def _train_epoch(
    study: Study,
    loader: TrainLoader,
    active: dict[int, Trainee],
    epoch: int,
    device: torch.device,
) -> float:
    """One pass over the data for the runs `active`, by their place in the loader; images a second
    and run are returned."""
    training = study.training
    normalise, criterion = Normalise(training).to(device), build_loss(training)
    losses = torch.zeros(len(active), dtype=torch.float64, device=device)
    autocast = torch.autocast(
        device.type,
        dtype=getattr(torch, training.precision),
        enabled=training.precision != "float32",
    )
    began, waited, images = time.monotonic(), 0.0, 0
    batches = loader.epoch(epoch)
    for step in range(len(loader)):
        asked = time.monotonic()
        crops, labels = next(batches)
        waited += time.monotonic() - asked
        if step == 0 and device.type == "cpu":
            torch.set_num_threads(study.machine.threads)  # FFCV sets its own at every epoch
        crops, labels = crops.to(device, non_blocking=True), labels.to(device, non_blocking=True)
        rate = learning_rate(training, epoch + step / len(loader))
        for place, (k, trainee) in enumerate(active.items()):
            for group in trainee.optimizer.param_groups:
                group["lr"] = rate
            trainee.model.train()
            with autocast:
                loss = criterion(trainee.model(normalise(crops[:, k])), labels)
            trainee.optimizer.zero_grad(set_to_none=True)
            trainee.scaler.scale(loss).backward()
            trainee.scaler.step(trainee.optimizer)
            trainee.scaler.update()
            losses[place] += loss.detach()
        images += len(labels) * len(active)
    seconds = time.monotonic() - began
    for trainee, loss in zip(active.values(), (losses / len(loader)).tolist(), strict=True):
        if not math.isfinite(loss):
            raise InputError(
                f"training diverged: run {trainee.run.name}, seed {trainee.run.seed}, epoch "
                f"{epoch + 1}: the loss is {loss}; lower training.learning_rate"
            )
        trainee.loss = loss
        trainee.next_epoch = epoch + 1
        _append_metrics(
            trainee.run,
            epoch=epoch + 1,
            loss=loss,
            learning_rate=rate,
            images_per_second=images / seconds,
            loader_wait_share=waited / seconds,
        )
    return images / seconds


def _append_metrics(run: Run, **values: float) -> None:
    run.folder.mkdir(parents=True, exist_ok=True)
    with run.metrics.open("a") as file:
        file.write(json.dumps(values) + "\n")
