"""Predict the validation pictures with many trained runs over one decode."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import nn

from daclass.study import Study
from daclass.tables import RUNNERS_UP, read_table, write_table
from daclass.training.devices import devices, on_devices
from daclass.training.loaders import Samples, val_loader
from daclass.training.models import Normalise, autocast, build_model
from daclass.training.runs import Run
from daclass.training.validate import logits

log = logging.getLogger(__name__)

MODELS_AT_ONCE = 32  # networks held in memory during one pass over the pictures


def predict(
    study: Study,
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
    name = f"predictions-{pictures}.parquet"
    paths = {run: run.folder / name for run in runs}
    missing = list({run.key: run for run, path in paths.items() if not path.is_file()}.values())
    for start in range(0, len(missing), MODELS_AT_ONCE):
        chunk = missing[start : start + MODELS_AT_ONCE]
        began = time.monotonic()
        labels, probabilities = _predict(study, chunk, samples, classes)
        log.info(
            "%d runs x %d pictures predicted in %.0f s",
            len(chunk), len(image_ids), time.monotonic() - began,
        )  # fmt: skip
        for k, run in enumerate(chunk):
            table = _table(run, image_ids, labels[k], probabilities[k])
            write_table(table, "predictions", paths[run], pictures)
    # A run may have been trained and predicted under another policy name: equal policies share it.
    return pd.concat(
        [
            read_table("predictions", path).assign(run=f"{run.key}-{run.name}", policy=run.name)
            for run, path in paths.items()
        ],
        ignore_index=True,
    )


def _predict(
    study: Study, runs: Sequence[Run], samples: Samples, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """The classes ranked first, [runs, pictures, ranks], and the first's probability, [runs,
    pictures]."""
    training = study.training
    labels, probabilities = [], []
    ranks = min(1 + len(RUNNERS_UP), classes)
    with devices(study.machine) as places, torch.inference_mode():
        device = places[0]
        networks = []
        for run in runs:
            model = build_model(training, classes)
            run.load_weights(model)
            networks.append(nn.Sequential(Normalise(training), model).to(device).eval())
        for batch in on_devices(val_loader(study, samples), [device]):
            if device.type == "cpu":
                torch.set_num_threads(study.machine.threads)  # FFCV sets its own
            with autocast(training, device):
                found = [logits(net, batch[device].pictures, training.val_flip) for net in networks]
            tops = [each.softmax(dim=1).topk(ranks) for each in found]
            labels.append(torch.stack([top.indices for top in tops]).cpu())
            probabilities.append(torch.stack([top.values[:, 0] for top in tops]).cpu())
    return torch.cat(labels, 1).numpy(), torch.cat(probabilities, 1).numpy()


def _table(
    run: Run, image_ids: Sequence[str], labels: np.ndarray, probabilities: np.ndarray
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "run": run.key,
            "policy": run.name,
            "strength": run.policy.strength,
            "seed": run.seed,
            "image_id": list(image_ids),
            "prediction": labels[:, 0],
            **{
                name: labels[:, rank] if rank < labels.shape[1] else -1
                for rank, name in enumerate(RUNNERS_UP, start=1)
            },
            "probability": probabilities.astype(np.float32),
        }
    )


def pictures_digest(study: Study, index_fingerprint: str) -> str:
    """Hash of the validation pictures and how they are stored and shown to the network."""
    shown = ("training.val_resolution", "training.val_crop", "training.val_flip")
    return f"{study.digest('beton', *shown)}-{index_fingerprint}"
