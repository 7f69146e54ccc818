"""Predict the validation pictures with many networks over one decode."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from daclass.atomic import set_aside
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
from daclass.training.shift import fit_shift
from daclass.training.staging import staged
from daclass.training.validate import logits

log = logging.getLogger(__name__)

Model = TypeVar("Model")

MODELS_AT_ONCE = 32  # networks held in memory during one pass over the pictures
LOGIT_BYTES = 2**31  # of all networks of a pass together, where logits are kept for shifts


@dataclass(frozen=True)
class Judged:
    """The pictures that networks judge, and how they are shown.

    Attributes:
        samples: the validation pictures, in index order.
        ids: their image ids, in the same order.
        select: which of them are in the selection half, bool [N]; only shifts need it.
        classes: number of classes.
        views: sides of the central squares that are judged, as shares of the pictures' shorter
            sides; `training.val_crop` alone where there are none.
        shifted: whether to fit a shift per class (`fit_shift`) to the logits of the selection half
            at `training.val_crop`, and to add the predictions that it makes there.
    """

    samples: Samples
    ids: Sequence[str]
    classes: int
    views: tuple[float, ...] = ()
    shifted: bool = False
    select: npt.NDArray[np.bool_] | None = None


def predict(
    recipe: Recipe, machine: Machine, runs: Sequence[Run], judged: Judged, pictures: str
) -> pd.DataFrame:
    """The predictions table of `runs`; each run's part is kept beside its weights and reused.

    Args:
        runs: trained runs, of any seeds.
        pictures: hash of the judged pictures, how they are stored and how they are shown.

    Raises:
        InputError: weights are missing or of another network; a bad .beton.
        DamagedWeights: a run's weights are damaged, or another run's.
    """
    paths = {run: part_of(run, pictures) for run in runs}
    missing = list({run.key: run for run, path in paths.items() if not path.is_file()}.values())
    for chunk in _passes(missing, judged):
        networks = [_of_run(recipe.training, run, judged.classes) for run in chunk]
        tables = _predict(recipe, machine, networks, judged)
        for run, table in zip(chunk, tables, strict=True):
            write_table(table, "predictions", paths[run], pictures)
    # A run may have been trained and predicted under another policy name: equal policies share it.
    return pd.concat(
        [
            read_part(path).assign(run=f"{run.key}-{run.name}", policy=run.name)
            for run, path in paths.items()
        ],
        ignore_index=True,
    )


def part_of(run: Run, pictures: str) -> Path:
    """Where a run's predictions are kept; `pictures` as of `predict`."""
    return run.folder / f"predictions-v{VERSION}-{pictures}.parquet"


def read_part(path: Path) -> pd.DataFrame:
    """The predictions of one run.

    Raises:
        InputError: they are damaged, and by now set aside.
    """
    try:
        return read_table("predictions", path)
    except InputError as error:
        raise InputError(
            f"{error}; {set_aside(path)}; the same command predicts with this run again"
        ) from None


def predict_networks(
    recipe: Recipe, machine: Machine, networks: Sequence[Network], judged: Judged
) -> pd.DataFrame:
    """The predictions table of networks from elsewhere.

    They see the pictures as the study's own networks would: `training.val_resolution`, `val_crop`,
    `val_flip`, `mean`, `std` and `precision`. Arguments as in `predict`.

    Raises:
        InputError: a network or its weights cannot be used; a bad .beton.
    """
    tables = [
        table
        for chunk in _passes(networks, judged)
        for table in _predict(recipe, machine, chunk, judged)
    ]
    return pd.concat(tables, ignore_index=True)


def _passes(models: Sequence[Model], judged: Judged) -> Iterator[Sequence[Model]]:
    """`models` in groups that share a pass over the pictures."""
    size = MODELS_AT_ONCE
    if judged.shifted:
        size = min(size, max(1, LOGIT_BYTES // (4 * len(judged.ids) * judged.classes)))
    return (models[start : start + size] for start in range(0, len(models), size))


def _of_run(training: Training, run: Run, classes: int) -> Network:
    def build() -> nn.Module:
        model = build_model(training, classes)
        run.load_weights(model)
        return model

    return Network(run.key, run.name, run.policy.strength, run.seed, build)


class _Judge:
    """A network that judges batches, in parts that fit into the device's memory.

    Attributes:
        most: pictures that are judged at a time.
    """

    def __init__(self, flip: bool) -> None:
        self.flip, self.most = flip, sys.maxsize

    def __call__(self, network: nn.Module, pictures: Tensor) -> Tensor:
        """Logits of pictures, float32 [n, classes]."""
        while True:
            try:
                parts = pictures.split(min(self.most, len(pictures)))
                found = [logits(network, part, self.flip) for part in parts]
                return torch.cat(found) if len(found) > 1 else found[0]
            except torch.OutOfMemoryError:
                half = min(self.most, len(pictures)) // 2
                if not half:
                    raise InputError(
                        "training.val_resolution: the GPU cannot hold a network and one picture"
                    ) from None
            self.most = half
            log.info("the GPU's memory is full: %d pictures at a time from here on", half)
            torch.cuda.empty_cache()


def _predict(
    recipe: Recipe, machine: Machine, networks: Sequence[Network], judged: Judged
) -> list[pd.DataFrame]:
    """A table per network, all from one pass over the pictures."""
    training, began = recipe.training, time.monotonic()
    views = judged.views or (training.val_crop,)
    ranked: list[list[Ranked]] = [[] for _ in networks]
    kept: list[list[Tensor]] = [[] for _ in networks]
    judge = _Judge(training.val_flip)
    with devices(machine) as computing, torch.inference_mode():
        device = computing[0]
        normalised = [
            nn.Sequential(Normalise(training), network.build())
            .to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            .to(device)
            .eval()
            for network in networks
        ]
        samples = staged(judged.samples, machine)
        loader = val_loader(recipe, samples, machine.threads, views=views)
        for batch in on_devices(loader, [device]):
            if device.type == "cpu":
                torch.set_num_threads(machine.threads)  # FFCV sets its own
            for number, network in enumerate(normalised):
                tops = []
                for view, share in enumerate(views):
                    with autocast(training, device):
                        found = judge(network, batch[device].pictures[:, view])
                    _check_classes(networks[number], found, judged.classes)
                    tops.append(_rank(found))
                    if judged.shifted and share == training.val_crop:
                        kept[number].append(found.cpu())
                ranked[number].append(_stack(tops))
    seconds = time.monotonic() - began
    log.info("%d runs x %d pictures predicted in %.0f s", len(networks), len(judged.ids), seconds)
    tables = []
    for number, parts in enumerate(ranked):
        whole = Ranked(*(torch.cat(part, 1) for part in zip(*parts, strict=True)))
        shown = [(view, False) for view in views]
        if judged.shifted:
            whole = _stack([*whole.views(), _shift(torch.cat(kept[number]), judged)])
            shown.append((training.val_crop, True))
        tables.append(_table(networks[number], judged.ids, whole, shown))
    return tables


class Ranked(NamedTuple):
    """What a network ranks first, on the host.

    Attributes:
        classes: int32 [views, pictures, ranks].
        probability: of the first, float32 [views, pictures].
    """

    classes: Tensor
    probability: Tensor

    def views(self) -> list[Ranked]:
        return [Ranked(*parts) for parts in zip(*self, strict=True)]


def _rank(found: Tensor) -> Ranked:
    top = found.softmax(dim=1).topk(min(1 + len(RUNNERS_UP), found.shape[1]))
    return Ranked(top.indices.int().cpu(), top.values[:, 0].cpu())


def _stack(views: Sequence[Ranked]) -> Ranked:
    return Ranked(*(torch.stack(parts) for parts in zip(*views, strict=True)))


def _shift(found: Tensor, judged: Judged) -> Ranked:
    """The ranks after the shift that is fitted to the selection half."""
    assert judged.select is not None
    select = judged.select
    shift = fit_shift(found.numpy()[select], judged.samples.labels[select])
    return _rank(found + torch.from_numpy(shift).float())


def _check_classes(network: Network, found: Tensor, classes: int) -> None:
    if found.shape[1:] != (classes,):
        raise InputError(
            f"run {network.run}: gives {tuple(found.shape[1:])} logits a picture, the study has "
            f"{classes} classes"
        )


def _table(
    network: Network, ids: Sequence[str], found: Ranked, shown: Sequence[tuple[float, bool]]
) -> pd.DataFrame:
    """Table "predictions" of a network, view after view."""
    views, pictures, ranks = found.classes.shape
    flat = found.classes.reshape(views * pictures, ranks).numpy()
    return pd.DataFrame(
        {
            "run": network.run,
            "policy": network.policy,
            "strength": network.strength,
            "seed": network.seed,
            "image_id": list(ids) * views,
            "view": np.repeat([view for view, _ in shown], pictures),
            "shifted": np.repeat([shifted for _, shifted in shown], pictures),
            "prediction": flat[:, 0],
            **{
                name: flat[:, rank] if rank < ranks else -1
                for rank, name in enumerate(RUNNERS_UP, start=1)
            },
            "probability": found.probability.reshape(-1).numpy(),
        }
    )
