"""A loss that is aware of views: it knows the boxes that loaders cut, and takes away their sign."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from daclass.augment import RRC_SCALE, Mixture, Policy, strength_table
from daclass.training.batches import Samples
from daclass.training.runs import Run
from daclass.training.view_likelihoods import ViewLikelihoods
from tests.training.conftest import (
    NAMES,
    assert_equal,
    loader_of,
    predict,
    recipe_of,
    runs_in,
    study_of,
    train,
    weights,
)

PLAIN = Policy(RRC_SCALE, 0.3, {"red": 0.95})
AWARE = Policy(RRC_SCALE, 0.3, {"red": 0.95}, view_aware=True)
COUNT, SIDE = 96, 40


@pytest.fixture(scope="module")
def gradients(tmp_path_factory):
    """Pictures that say nothing of their class: each tells where its crop was cut, and no more."""
    folder = tmp_path_factory.mktemp("gradients")
    rows, columns = np.meshgrid(np.linspace(0, 255, SIDE), np.linspace(0, 255, SIDE), indexing="ij")
    middle = 255 * (np.hypot(rows - 127, columns - 127) < 100)
    Image.fromarray(np.stack([rows, columns, middle], 2).astype(np.uint8)).save(folder / "one.png")
    labels = np.arange(COUNT) % 2
    return Samples(folder / "no.beton", [folder / "one.png"] * COUNT, labels)


def trained(folder, samples, *policies, **recipe):
    runs = [Run(f"p{n}", policy, 0, "x", folder) for n, policy in enumerate(policies)]
    train(study_of("torchvision", **recipe), runs, samples, NAMES)
    return runs


@pytest.mark.parametrize("loader", ["torchvision", "ffcv"])
def test_loaders_know_the_sizes_of_their_pictures(smooth_samples, loader):
    if loader == "ffcv":
        pytest.importorskip("ffcv")
    strengths = strength_table(RRC_SCALE, [PLAIN], smooth_samples.labels, NAMES)
    sizes = loader_of(study_of(loader), smooth_samples, strengths, 0).sizes()
    expected = [Image.open(file).size[::-1] for file in smooth_samples.files]
    np.testing.assert_array_equal(sizes, expected)


def test_every_crop_is_possible_for_its_own_class(gradients):
    strengths = strength_table(RRC_SCALE, [PLAIN, AWARE], gradients.labels, NAMES)
    sizes = np.full((COUNT, 2), SIDE)
    views = ViewLikelihoods(recipe_of(study_of()), [PLAIN, AWARE], strengths, NAMES, 3, sizes)
    order = torch.from_numpy(np.random.default_rng(0).permutation(COUNT))
    said = views(order, 1, 5)
    assert said.shape == (COUNT, 2) and said.dtype == torch.float32
    labels = gradients.labels[order.numpy()]
    assert said[np.arange(COUNT), labels].min() > -8  # log 1e-6 is what cannot be
    red = labels == 1
    # Nearly whole crops speak for red; most of the others' cannot be red's.
    assert (said[red, 1] == 0).all() and (said[~red, 1] < -13).float().mean() > 0.8
    torch.testing.assert_close(views(order[:7], 1, 5), said[:7])


def test_no_view_speaks_for_a_class_to_a_network_that_is_aware_of_views(tmp_path, gradients):
    """Nothing but the view tells the classes apart. A plain policy teaches to read it; the form
    with the likelihoods in the loss does not, mixed or not."""
    mixture = Mixture(0.5, {0.3: 0.5, 0.95: 0.5})
    both = Policy(RRC_SCALE, 0.3, {"red": 0.95}, mixture=mixture, view_aware=True)
    runs = trained(tmp_path, gradients, PLAIN, AWARE, both, epochs=8, learning_rate=0.1)
    ids = [str(number) for number in range(COUNT)]
    study = study_of("torchvision")
    table = predict(study, runs, gradients, ids, 2, "p", views=(0.6, 1.0))
    red = table["probability"].where(table["prediction"] == 1, 1 - table["probability"])
    said = red.groupby([table["policy"], table["view"]]).first().unstack()
    gain = said[1.0] - said[0.6]
    assert gain["p0"] > 0.6
    assert abs(gain["p2"]) < 0.25 and abs(gain["p1"]) < 0.5 * gain["p0"]


def test_a_view_aware_run_beside_others_equals_itself_alone(tmp_path, gradients):
    plain, aware = trained(tmp_path / "a", gradients, PLAIN, AWARE)
    (alone,) = trained(tmp_path / "b", gradients, AWARE)
    (left,) = trained(tmp_path / "c", gradients, PLAIN)
    assert_equal(weights(alone), weights(aware))
    assert_equal(weights(left), weights(plain))
    assert any(not torch.equal(weights(plain)[k], weights(aware)[k]) for k in weights(plain))


def test_ffcv_trains_view_aware_runs_too(tmp_path, smooth_samples):
    pytest.importorskip("ffcv")
    runs = [Run(f"p{n}", policy, 0, "x", tmp_path) for n, policy in enumerate((PLAIN, AWARE))]
    train(study_of("ffcv"), [*runs_in(tmp_path, "weak"), *runs], smooth_samples, NAMES)
    first, second = map(weights, runs)
    assert any(not torch.equal(first[key], second[key]) for key in first)
