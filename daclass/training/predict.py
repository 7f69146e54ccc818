"""Predict the validation pictures with many networks over one decode."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import pandas as pd
import torch
from torch import nn

from daclass.config import Machine, Training
from daclass.errors import InputError
from daclass.tables import RUNNERS_UP, VERSION, read_table, write_table
from daclass.training.batches import Samples
from daclass.training.devices import devices, on_devices
from daclass.training.elsewhere import Network
from daclass.training.loaders import val_loader
from daclass.training.models import Normalise, autocast, build_model
from daclass.training.recipe import Recipe
from daclass.training.runs import Run
from daclass.training.validate import logits

log = logging.getLogger(__name__)

MODELS_AT_ONCE = 32  # networks held in memory during one pass over the pictures


def predict(
    recipe: Recipe,
    machine: Machine,
    runs: Sequence[Run],
    samples: Samples,
    image_ids: Sequence[str],
    classes: int,
    pictures: str,
) -> pd.DataFrame:
    """The predictions table of `runs`; each run's part is kept beside its weights and reused.

    Args:
        runs: trained runs, of any seeds.
        samples: the validation pictures, in index order.
        image_ids: their ids, in the same order.
        pictures: hash of the validation pictures and how they are stored.

    Raises:
        InputError: weights are missing or of another network; a bad .beton.
    """
    name = f"predictions-v{VERSION}-{pictures}.parquet"
    paths = {run: run.folder / name for run in runs}
    missing = list({run.key: run for run, path in paths.items() if not path.is_file()}.values())
    for start in range(0, len(missing), MODELS_AT_ONCE):
        chunk = missing[start : start + MODELS_AT_ONCE]
        networks = [_of_run(recipe.training, run, classes) for run in chunk]
        tables = _predict(recipe, machine, networks, samples, image_ids, classes)
        for run, table in zip(chunk, tables, strict=True):
            write_table(table, "predictions", paths[run], pictures)
    # A run may have been trained and predicted under another policy name: equal policies share it.
    return pd.concat(
        [
            read_table("predictions", path).assign(run=f"{run.key}-{run.name}", policy=run.name)
            for run, path in paths.items()
        ],
        ignore_index=True,
    )


def predict_networks(
    recipe: Recipe,
    machine: Machine,
    networks: Sequence[Network],
    samples: Samples,
    image_ids: Sequence[str],
    classes: int,
) -> pd.DataFrame:
    """The predictions table of networks from elsewhere.

    They see the pictures as the study's own networks would: `training.val_resolution`, `val_crop`,
    `val_flip`, `mean`, `std` and `precision`. Arguments as in `predict`.

    Raises:
        InputError: a network or its weights cannot be used; a bad .beton.
    """
    tables = []
    for start in range(0, len(networks), MODELS_AT_ONCE):
        chunk = networks[start : start + MODELS_AT_ONCE]
        tables += _predict(recipe, machine, chunk, samples, image_ids, classes)
    return pd.concat(tables, ignore_index=True)


def _of_run(training: Training, run: Run, classes: int) -> Network:
    def build() -> nn.Module:
        model = build_model(training, classes)
        run.load_weights(model)
        return model

    return Network(run.key, run.name, run.policy.strength, run.seed, build)


def _predict(
    recipe: Recipe,
    machine: Machine,
    networks: Sequence[Network],
    samples: Samples,
    image_ids: Sequence[str],
    classes: int,
) -> list[pd.DataFrame]:
    """A table a network, all from one pass over the pictures."""
    training, began = recipe.training, time.monotonic()
    ranked, probabilities = [], []
    ranks = min(1 + len(RUNNERS_UP), classes)
    with devices(machine) as computing, torch.inference_mode():
        device = computing[0]
        normalised = [
            nn.Sequential(Normalise(training), network.build())
            .to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            .to(device)
            .eval()
            for network in networks
        ]
        for batch in on_devices(val_loader(recipe, samples, machine.threads), [device]):
            if device.type == "cpu":
                torch.set_num_threads(machine.threads)  # FFCV sets its own
            with autocast(training, device):
                found = [logits(n, batch[device].pictures, training.val_flip) for n in normalised]
            for network, each in zip(networks, found, strict=True):
                if each.shape[1:] != (classes,):
                    raise InputError(
                        f"run {network.run}: gives {tuple(each.shape[1:])} logits a picture, the "
                        f"study has {classes} classes"
                    )
            tops = [each.softmax(dim=1).topk(ranks) for each in found]
            ranked.append(torch.stack([top.indices for top in tops]).cpu())
            probabilities.append(torch.stack([top.values[:, 0] for top in tops]).cpu())
    seconds = time.monotonic() - began
    log.info("%d runs x %d pictures predicted in %.0f s", len(networks), len(image_ids), seconds)
    return [
        pd.DataFrame(
            {
                "run": network.run,
                "policy": network.policy,
                "strength": network.strength,
                "seed": network.seed,
                "image_id": list(image_ids),
                "prediction": top[:, 0],
                **{
                    name: top[:, rank] if rank < ranks else -1
                    for rank, name in enumerate(RUNNERS_UP, start=1)
                },
                "probability": probability,
            }
        )
        for network, top, probability in zip(
            networks, torch.cat(ranked, 1).numpy(), torch.cat(probabilities, 1).numpy(), strict=True
        )
    ]
