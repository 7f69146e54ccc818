"""A small study with known effects, as tables: what training would have handed over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from daclass.analysis.cells import Cells, EmptyLabels, arrange_cells
from daclass.analysis.conditions import Conditions
from daclass.tables import RUNNERS_UP
from tests.conftest import absent

STRONGEST, MIDDLE, WEAKEST = 0.08, 0.3, 0.99


@dataclass(frozen=True)
class Simulated:
    """The tables of a simulated study."""

    predictions: pd.DataFrame
    index: pd.DataFrame
    annotations: pd.DataFrame
    classes: pd.DataFrame

    @property
    def n_classes(self) -> int:
        return len(self.classes)

    @property
    def data(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, int]:
        """The first four arguments of `arrange_cells`."""
        return self.predictions, self.index, self.annotations, self.n_classes

    def cells(self, empty_labels: EmptyLabels = "drop") -> Cells:
        return arrange_cells(*self.data, empty_labels)

    @property
    def conditions(self) -> Conditions:
        """The sweep, the smallest strength being the tested one and the largest the reference."""
        names = [f"uniform-{s:g}" for s in sorted(self.predictions["strength"].unique())]
        return Conditions.of(names, names[-1], self.predictions[["policy", "seed"]])


def simulate(
    n_classes: int = 10,
    per_class: int = 16,
    strengths: Sequence[float] = (STRONGEST, MIDDLE, WEAKEST),
    seeds: Sequence[int] = (3, 7, 11),
    loss: float = 0.5,
    wobble: float = 0.0,
    depth: int = 1,
    random_seed: int = 0,
) -> Simulated:
    """Simulate runs in which class 0 loses `loss` of its accuracy to class 1 at the strongest.

    Pictures have lasting difficulties. Every fifth picture of class 0 also shows class 1, one in
    seven pictures has no label. Rows come shuffled; training pictures stand between the others.
    Each run shifts the log-odds of each class by a draw with standard deviation `wobble`, and ranks
    `depth` classes, those behind the first at random.
    """
    rng = np.random.default_rng(random_seed)
    labels = np.repeat(np.arange(n_classes), per_class)
    ids = np.array([f"val/c{label}/{rank:04d}.jpg" for rank, label in enumerate(labels)], object)
    rank = np.arange(len(labels)) % per_class
    val = pd.DataFrame(
        {
            "image_id": ids,
            "split": "val",
            "draw": -1,
            "position": np.arange(len(ids)),
            "class_id": labels,
            "half": np.where(rank % 2 == 0, "select", "estimate"),
            "content": "",
        }
    )
    train = val.assign(split="train", draw=0, half="", image_id="train" + val["image_id"])
    sets = [
        [] if i % 7 == 3 else sorted({int(k), 1} if k == 0 and i % 5 == 0 else {int(k)})
        for i, k in enumerate(labels)
    ]
    difficulty = rng.normal(1.2, 1.5, len(labels))
    swallowed = rng.random(len(labels)) < loss
    frames = []
    for strength in strengths:
        for seed in seeds:
            shift = rng.normal(0, wobble, n_classes)[labels] if wobble else 0.0
            right = rng.random(len(labels)) < 1 / (1 + np.exp(-difficulty - shift))
            wrong = (labels + rng.integers(1, n_classes, len(labels))) % n_classes
            predicted = np.where(right, labels, wrong)
            if strength == STRONGEST:
                predicted = np.where((labels == 0) & swallowed, 1, predicted)
            frames.append(
                pd.DataFrame(
                    {
                        "run": f"s{strength}-{seed}",
                        "policy": f"uniform-{strength:g}",
                        "strength": float(strength),
                        "seed": seed,
                        "image_id": ids,
                        "prediction": predicted,
                        **_ranked(predicted, n_classes, depth, rng),
                        "probability": np.float32(0.5),
                    }
                )
            )
    names = [f"class{k}" for k in range(n_classes)]
    classes = pd.DataFrame(
        {
            "class_id": range(n_classes),
            "name": names,
            "path": [f"kind{k // 2}/{name}" for k, name in enumerate(names)],
        }
    )

    def shuffled(table: pd.DataFrame) -> pd.DataFrame:
        return table.sample(frac=1, random_state=random_seed).reset_index(drop=True)

    annotations = pd.DataFrame({"image_id": ids, "labels": sets})
    return Simulated(
        shuffled(pd.concat(frames)),
        shuffled(pd.concat([train, val])),
        shuffled(annotations),
        classes,
    )


def _ranked(
    predicted: npt.NDArray, n_classes: int, depth: int, rng: np.random.Generator
) -> dict[str, npt.NDArray]:
    """The other classes in random order, as the columns behind the prediction."""
    if depth == 1:
        return {}
    order = np.argsort(rng.random((len(predicted), n_classes)), axis=1)
    others = order[order != predicted[:, None]].reshape(len(predicted), -1)
    return dict(zip(RUNNERS_UP[: depth - 1], others.T, strict=False))


@dataclass(frozen=True)
class ImageNet:
    """ImageNet's validation set with its ReaL labels, and real predictions for it."""

    index: pd.DataFrame
    annotations: pd.DataFrame
    models: list[str]
    top5: npt.NDArray[np.int16]


@pytest.fixture(scope="session")
def imagenet(real_data: Path) -> ImageNet:
    folder = real_data / "imagenet_val"
    timm = find_spec("timm")  # finds it without importing it
    if not folder.is_dir() or timm is None or timm.origin is None:
        absent("timm, or the folder imagenet_val of the real data,")
    real = Path(timm.origin).parent / "data" / "_info" / "imagenet_real_labels.json"
    sets = json.loads(real.read_text())
    labels = np.loadtxt(folder / "val_labels.txt", dtype=int)
    ids = [f"{rank:05d}" for rank in range(len(sets))]
    half = np.where(np.arange(len(ids)) % 2, "select", "estimate")
    with np.load(folder / "top5_16models.npz") as stored:
        models, top5 = [str(name) for name in stored["models"]], stored["top5"]
    return ImageNet(
        pd.DataFrame({"image_id": ids, "class_id": labels, "half": half}),
        pd.DataFrame({"image_id": ids, "labels": sets}),
        models,
        top5,
    )


def simulate_no_effect(
    studies: int, wobble: float = 0.3, random_seed: int = 0, **size: Any
) -> Iterator[tuple[Cells, Conditions]]:
    """Many studies without an effect, with few tables joined: what is right alone varies.

    Pictures have lasting difficulties, and each run shifts the log-odds of each class by a draw
    with standard deviation `wobble`. Predictions are not those that are right.
    """
    first = simulate(loss=0.0, **size)
    cells, conditions = first.cells(), first.conditions
    labels, rng = cells.images.labels, np.random.default_rng(random_seed)
    for _ in range(studies):
        difficulty = rng.normal(1.2, 1.5, len(labels))
        shift = rng.normal(0, wobble, (len(cells.table), first.n_classes))[:, labels]
        right = rng.random(shift.shape) < 1 / (1 + np.exp(-difficulty - shift))
        yield replace(cells, correct={"original": right, "multi": right}), conditions


@pytest.fixture(scope="session")
def no_effect() -> Callable[..., Iterator[tuple[Cells, Conditions]]]:
    return simulate_no_effect


@pytest.fixture(scope="session")
def simulator() -> Callable[..., Simulated]:
    return simulate


@pytest.fixture(scope="session")
def study() -> Simulated:
    return simulate()
