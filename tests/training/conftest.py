from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from daclass.augment import RRC_SCALE, Policy
from daclass.config import Beton, Study
from daclass.data.beton import write_beton
from daclass.training import loop
from daclass.training import predict as prediction
from daclass.training.batches import Samples
from daclass.training.loaders import train_loader, val_loader
from daclass.training.recipe import Recipe
from daclass.training.runs import Run

COUNT = 40
NAMES = ["green", "red"]
POLICIES = {
    "strong": Policy(RRC_SCALE, 0.08),
    "weak": Policy(RRC_SCALE, 0.9),
    "mixed": Policy(RRC_SCALE, 0.08, {"red": 0.9}),
}


def runs_in(store, *names, seed=0, settings="x"):
    return [Run(name, POLICIES[name], seed, settings, store) for name in names]


def weights(run):
    return load_file(run.weights)


def assert_equal(first, second):
    assert first.keys() == second.keys()
    for key in first:
        torch.testing.assert_close(first[key], second[key], rtol=0, atol=0)


def study_of(loader="ffcv", machine=None, **training):
    recipe = {"epochs": 3, "warmup_epochs": 1, "batch_size": 8, "resolution": 16, "loader": loader}
    recipe |= {"val_resolution": 16, "widths": [8, 8, 16], "learning_rate": 0.05} | training
    return Study.model_validate(
        {
            "name": "tiny",
            "data": {"source": "petri"},
            "training": recipe,
            "machine": {"device": "cpu", **(machine or {})},
            "sweep": {"strengths": [0.08, 0.9], "seeds": [0]},
        }
    )


# Each room's function with its settings taken from a study, as the stages take them.


def recipe_of(study):
    tuning = study.interventions.fine_tuning if study.interventions else None
    return Recipe(study.seed, study.training, study.augmentation, study.beton, tuning)


def train(study, *args):
    loop.train(recipe_of(study), study.machine, *args, config=study.model_dump_json())


def predict(study, runs, samples, ids, classes, pictures, **more):
    judged = prediction.Judged(samples, ids, classes, **more)
    return prediction.predict(recipe_of(study), study.machine, runs, judged, pictures)


def predict_networks(study, networks, samples, ids, classes):
    judged = prediction.Judged(samples, ids, classes)
    return prediction.predict_networks(recipe_of(study), study.machine, networks, judged)


def loader_of(study, samples, strengths, seed, *part):
    return train_loader(recipe_of(study), samples, strengths, seed, study.machine.threads, *part)


def val_loader_of(study, samples, *part, **views):
    return val_loader(recipe_of(study), samples, study.machine.threads, *part, **views)


@pytest.fixture(scope="module")
def smooth_samples(request, tmp_path_factory):
    """Pictures of two classes without fine detail, told apart by their colour, as files and .beton.

    Where FFCV is missing there is no .beton, and the tests that need one skip.
    """
    folder = tmp_path_factory.mktemp("smooth")
    rng = np.random.default_rng(0)
    files, labels = [], np.arange(COUNT) % 2
    for number, label in enumerate(labels):
        small = rng.integers(0, 256, (4, 4, 3), np.uint8)
        small[..., 0] = 200 if label else 40
        picture = Image.fromarray(small).resize(tuple(rng.integers(40, 60, 2)), Image.BICUBIC)
        files.append(folder / f"{number:02d}.png")
        picture.save(files[-1])
    beton = folder / "smooth.beton"
    with contextlib.suppress(ImportError):
        write_beton(files, labels, Beton(), beton)
    return Samples(beton, files, labels.astype(np.int64))
