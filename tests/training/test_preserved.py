"""What one network still knows of each class under each strength."""

from __future__ import annotations

import numpy as np
import pytest

from daclass.config import Study
from daclass.training.predict import Judged
from daclass.training.preserved import DRAWS, preserved
from tests.training.conftest import NAMES, recipe_of, runs_in, study_of, train


def found(study, run, samples, strengths, select=None):
    half = np.ones(len(samples.labels), bool) if select is None else select
    judged = Judged(samples, list(map(str, samples.files)), 2, select=half)
    return preserved(recipe_of(study), study.machine, run, judged, NAMES, strengths)


@pytest.fixture(scope="module", params=["torchvision", "ffcv"])
def network(request, tmp_path_factory, smooth_samples):
    """A network that tells the two classes by their colours, which every crop shows."""
    if request.param == "ffcv":
        pytest.importorskip("ffcv")
    study = study_of(request.param, epochs=8, learning_rate=0.1)
    (run,) = runs_in(tmp_path_factory.mktemp("store"), "weak")
    train(study, [run], smooth_samples, NAMES)
    return study, run


def test_colours_are_known_under_every_crop(network, smooth_samples):
    study, run = network
    table = found(study, run, smooth_samples, [0.08, 0.9])
    assert set(table["strength"]) == {0.08, 0.9} and len(table) == 4
    assert (table.groupby("class_id")["shown"].nunique() == 1).all()  # the same pictures for all
    assert table["shown"].sum() == 2 * DRAWS * len(smooth_samples.labels)
    assert (table["correct"] / table["shown"]).min() > 0.95


def test_the_selection_half_alone_counts(network, smooth_samples):
    study, run = network
    select = smooth_samples.labels == 1
    table = found(study, run, smooth_samples, [0.08, 0.9], select).set_index("class_id")
    assert (table.loc[0, "shown"] == 0).all() and (table.loc[1, "shown"] == DRAWS * 20).all()


def test_batches_that_do_not_divide_the_pictures_leave_few_out(network, smooth_samples):
    study, run = network
    odd = study_of(study.training.loader, epochs=8, learning_rate=0.1, batch_size=24)
    table = found(odd, run, smooth_samples, [0.9])
    assert table["shown"].sum() == DRAWS * 40  # two batches of 20, not one of 24


def test_axes_of_batches_are_applied(tmp_path, smooth_samples):
    content = study_of("torchvision", epochs=8, learning_rate=0.1).model_dump()
    content["augmentation"] = {"axis": "color_jitter", "crop_scale": 0.5}
    content["sweep"]["strengths"] = [0.0, 1.0]
    study = Study.model_validate(content)
    (run,) = runs_in(tmp_path, "weak")
    train(study_of("torchvision", epochs=8, learning_rate=0.1), [run], smooth_samples, NAMES)
    table = found(study, run, smooth_samples, [1.0, 0.0])
    known = table.groupby("strength")[["correct", "shown"]].sum()
    share = known["correct"] / known["shown"]
    assert share[0.0] > 0.95 and share[1.0] < share[0.0] - 0.02  # colours are all there is to know
