"""The training loop: several runs of one seed step in turn on the crops of one loader."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from daclass.config import Machine
from daclass.errors import InputError
from daclass.training.augmentation import BatchAugmentation, crop_strengths
from daclass.training.batches import Batch, Samples, TrainLoader, ValLoader
from daclass.training.checkpoint import load_checkpoint, save_checkpoint
from daclass.training.devices import devices, on_devices
from daclass.training.distributed import Crew, crew
from daclass.training.interruptions import Interruptions, interruptions
from daclass.training.loaders import train_loader, val_loader
from daclass.training.locks import claimed
from daclass.training.metrics import Journal, Meter
from daclass.training.progress import Progress
from daclass.training.recipe import Recipe, learning_rate, resolution, tuned
from daclass.training.runs import Run
from daclass.training.staging import staged
from daclass.training.trainee import Trainee, start
from daclass.training.validate import accuracy
from daclass.training.view_likelihoods import ViewLikelihoods

log = logging.getLogger(__name__)


def train(
    recipe: Recipe,
    machine: Machine,
    runs: Sequence[Run],
    samples: Samples,
    class_names: Sequence[str],
    val_samples: Samples | None = None,
    *,
    config: str = "{}",
) -> None:
    """Train the runs of one seed that are not trained yet, and write their weights.

    All runs start from the same weights and see the same pictures in the same order; only the
    crops' boxes differ, as far as their policies do. Results equal those of training each run
    alone, to the bit on a CPU; so do those of a training that was interrupted at any step and
    started again.

    Fine-tuned runs start from their parents' weights, and their epochs are counted on from there:
    they see the crops and the order that the parents would have seen next.

    Args:
        runs: runs of one seed and phase.
        samples: the training pictures of that seed's draw.
        class_names: names by class_id.
        val_samples: the validation pictures; needed where `machine.validate_every` is set.
        config: the study as JSON, which the weights carry with them.

    Raises:
        InputError: bad settings or files, a damaged checkpoint, a full disk, a GPU out of memory,
            a loss that is not finite, or another process that trains these runs. The last
            checkpoint is kept.
        SystemExit: status 143 after SIGTERM, 130 after Ctrl-C, once a checkpoint is written.
    """
    training = recipe.training
    pending = list({run.key: run for run in runs if not run.trained}.values())
    if not pending:
        log.info("all %d runs of seed %d are trained already", len(runs), runs[0].seed)
        return
    with (
        crew(training.processes) as team,
        claimed(pending if team.leads else ()),
        devices(machine, team) as computing,
        interruptions() as asked,
    ):
        if training.precision == "float16" and computing[0].type == "cpu":
            raise InputError("training.precision: float16 needs a GPU; use float32 or bfloat16")
        policies, seed, threads = [run.policy for run in pending], pending[0].seed, machine.threads
        crops = crop_strengths(recipe, policies, samples.labels, class_names)
        samples = staged(samples, machine)
        loader = train_loader(recipe, samples, crops, seed, threads, team.part)
        augmentation = None
        if recipe.axis.operation:
            augmentation = BatchAugmentation(recipe, policies, samples.labels, class_names, seed)
        views = None
        if any(policy.view_aware for policy in policies):
            views = ViewLikelihoods(recipe, policies, crops, class_names, seed, loader.sizes())
        val = None
        if machine.validate_every and val_samples:
            val = val_loader(recipe, staged(val_samples, machine), threads, team.part)
        trainees = start(recipe, pending, samples.labels, class_names, computing, team, machine)
        try:
            Loop(recipe, machine, trainees, loader, augmentation, views, val, team, asked).run(
                config
            )
        except torch.OutOfMemoryError as error:
            raise InputError(
                f"training.batch_size: {training.batch_size} pictures per step, {len(pending)} "
                f"runs in turn, do not fit into the GPU ({str(error).splitlines()[0]})"
            ) from None


def inputs_of(batch: Batch, place: int) -> tuple[Tensor, Tensor]:
    """The crop that the run at `place` sees of a batch, uint8 [batch, 3, side, side], and labels.

    Where all runs see the same crop, the loader cuts it only once.
    """
    return batch.pictures[:, place if batch.pictures.shape[1] > 1 else 0], batch.labels


class Loop:
    """Runs at any step of their training, brought to its end.

    Attributes:
        training: recipe of the epochs from `first` on; its own epochs are counted from 0.
        first: epochs that the networks' weights had behind them when the runs began.
        last: the epoch before which training ends.
    """

    def __init__(
        self,
        recipe: Recipe,
        machine: Machine,
        trainees: Sequence[Trainee],
        loader: TrainLoader,
        augmentation: BatchAugmentation | None,
        views: ViewLikelihoods | None,
        val: ValLoader | None,
        crew: Crew,
        asked: Interruptions,
    ) -> None:
        self.machine, self.trainees, self.loader, self.val = machine, trainees, loader, val
        self.augmentation, self.views = augmentation, views
        self.crew, self.asked = crew, asked
        self.steps = len(loader)
        self.training, self.first = recipe.training, 0
        if trainees[0].run.parent:
            if not recipe.fine_tuning:
                raise InputError("interventions.fine_tuning: this study has no such section")
            self.training = tuned(recipe.training, recipe.fine_tuning)
            self.first = recipe.training.epochs
        self.last = self.first + self.training.epochs
        self.devices = list(dict.fromkeys(trainee.device for trainee in trainees))
        for trainee in trainees:
            trainee.done = self.first * self.steps
            state = load_checkpoint(trainee.run)
            if state:
                trainee.restore(state, self.steps)
        self.journals = {
            trainee.run: Journal(trainee.run, trainee.done // self.steps, machine.tensorboard)
            for trainee in trainees
            if crew.leads
        }
        self.saved = time.monotonic()

    def run(self, config: str) -> None:
        """Train all runs to the end and write their weights, with `config` in them."""
        done = min(trainee.done for trainee in self.trainees)
        name = f"seed {self.trainees[0].run.seed}, {len(self.trainees)} runs"
        if self.crew.leads:
            log.info("%s: from step %d on %s", name, done, ", ".join(map(str, self.devices)))
        progress = Progress(name, self.last * self.steps, done, shown=self.crew.leads)
        for epoch in range(done // self.steps, self.last):
            self._epoch(epoch, max(done - epoch * self.steps, 0), progress)
        progress.close()
        for trainee in self.trainees if self.crew.leads else ():
            trainee.check_weights()
            trainee.run.save_weights(trainee.model, config, trainee.seconds)
        self.crew.wait()  # whoever reads the weights next finds them

    def _epoch(self, epoch: int, begin: int, progress: Progress) -> None:
        """The steps of an epoch from `begin` on, for the runs that have not done them yet."""
        meter, recipe_epoch = Meter(), epoch - self.first
        side = resolution(self.training, recipe_epoch)
        batches = on_devices(self.loader.epoch(epoch, begin, side), self.devices)
        active: list[Trainee] = []
        for trainee in self.trainees:
            trainee.model.train()
        for step in range(begin, self.steps):
            began = time.monotonic()
            batch = next(batches)
            waited = time.monotonic() - began
            if step == begin and self.devices[0].type == "cpu":
                torch.set_num_threads(self.machine.threads)  # FFCV has set its own
            rate = learning_rate(self.training, recipe_epoch + step / self.steps)
            active = [t for t in self.trainees if t.done == epoch * self.steps + step]
            for trainee in active:
                here = batch[trainee.device]
                inputs = inputs_of(here, trainee.place)
                if self.augmentation:
                    inputs = self.augmentation(*inputs, here.positions, trainee.place, epoch)
                if self.views and trainee.run.policy.view_aware:
                    said = self.views(here.positions, trainee.place, epoch)
                    trainee.step(*inputs, rate, said.to(trainee.device))
                else:
                    trainee.step(*inputs, rate)
            for trainee in active:
                trainee.join()
            images = len(batch[self.devices[0]].labels) * len(active) * self.crew.part.size
            seconds = time.monotonic() - began
            meter.count(images, seconds, waited)
            for trainee in active:
                trainee.seconds += seconds / len(active)
            if progress.due():
                loss = float(np.mean([trainee.mean_loss(step + 1) for trainee in active]))
                speed = meter.images_per_second
                progress.report(f"epoch {epoch + 1}, loss {loss:.3f}, {speed:.0f} images/s")
            if step + 1 == self.steps:
                row = {"learning_rate": rate, "resolution": side, **meter.row(self.devices[0])}
                self._finish_epoch(active, epoch + 1, row)
            self._keep(active)

    def _finish_epoch(self, active: Sequence[Trainee], epoch: int, row: dict[str, float]) -> None:
        """Write the epoch's metrics of the runs that trained in it."""
        accuracies = {}
        if self.val and (epoch % self.machine.validate_every == 0 or epoch == self.last):
            accuracies = accuracy(active, self.val, self.crew, self.training.val_flip)
        for trainee in active:
            loss = torch.tensor(trainee.mean_loss(self.steps), dtype=torch.float64)
            trainee.loss_sum.zero_()
            trainee.skipped.zero_()
            found = {"epoch": epoch, "step": trainee.done, **row}
            found["loss"] = float(self.crew.total(loss)) / self.crew.part.size
            if trainee in accuracies:
                found["val_accuracy"] = accuracies[trainee]
            if self.crew.leads:
                self.journals[trainee.run].write(found)

    def _keep(self, active: Sequence[Trainee]) -> None:
        """Write checkpoints when it is time or somebody asks; stop when asked to.

        Processes of one job have to stop at the same step, so they agree on it at every step: a
        number goes from each to each over gloo, while the GPUs are at work.
        """
        stop = self.crew.any(bool(self.asked.stop))
        due = time.monotonic() - self.saved >= 60 * self.machine.checkpoint_minutes
        if self.crew.leads and (stop or self.asked.save or due):
            for trainee in active:
                trainee.check_weights()
                save_checkpoint(trainee.run, trainee.state(self.steps))
            self.saved, self.asked.save = time.monotonic(), False
        if stop:
            log.info("stopped by a signal after a checkpoint; the same command goes on from here")
            raise SystemExit(self.asked.status)
