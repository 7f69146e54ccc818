"""Several views of each picture from one decode, and the logit shift."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from daclass.errors import InputError
from daclass.training import predict as room
from daclass.training.shift import SPREAD, fit_shift
from tests.training.conftest import NAMES, predict, runs_in, study_of, train, val_loader_of

VIEWS = (0.6, 0.875, 1.0)


def pictures_of(loader):
    return torch.cat([batch.pictures.clone() for batch in loader])


@pytest.mark.usefixtures("ffcv")
def test_each_view_is_what_ffcv_cuts_alone(smooth_samples):
    from ffcv.fields.rgb_image import CenterCropRGBImageDecoder
    from ffcv.loader import Loader, OrderOption
    from ffcv.transforms import ToTensor

    found = pictures_of(val_loader_of(study_of("ffcv"), smooth_samples, views=VIEWS))
    assert found.shape == (40, 3, 3, 16, 16)
    for number, share in enumerate(VIEWS):
        pipeline = {"image": [CenterCropRGBImageDecoder((16, 16), share), ToTensor()]}
        reference = Loader(
            str(smooth_samples.beton),
            batch_size=40,
            order=OrderOption.SEQUENTIAL,
            pipelines={**pipeline, "label": None},
        )
        (expected,) = next(iter(reference))
        torch.testing.assert_close(found[:, number], expected.permute(0, 3, 1, 2), rtol=0, atol=0)


def test_each_view_is_what_torchvision_cuts_alone(smooth_samples):
    found = pictures_of(val_loader_of(study_of("torchvision"), smooth_samples, views=VIEWS))
    for number, share in enumerate(VIEWS):
        alone = pictures_of(val_loader_of(study_of("torchvision", val_crop=share), smooth_samples))
        torch.testing.assert_close(found[:, number], alone[:, 0], rtol=0, atol=0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, smooth_samples):
    runs = runs_in(tmp_path_factory.mktemp("views"), "strong", "weak")
    train(study_of("torchvision"), runs, smooth_samples, NAMES)
    return runs


IDS = [f"p{number}" for number in range(40)]
KEY = ["policy", "view", "shifted", "image_id"]


def test_views_and_shifts_are_rows_of_one_table(trained, smooth_samples):
    study, select = study_of("torchvision"), np.arange(40) % 4 < 2
    table = predict(
        study, trained, smooth_samples, IDS, 2, "v", views=VIEWS, shifted=True, select=select
    )
    assert len(table) == 2 * 4 * 40 and not table.duplicated(KEY).any()
    plain = predict(study, trained, smooth_samples, IDS, 2, "own")
    own = table[(table["view"] == 0.875) & ~table["shifted"]].reset_index(drop=True)
    for column in ("policy", "image_id", "prediction", "probability", "second"):
        np.testing.assert_array_equal(own[column], plain[column])
    other = predict(study_of("torchvision", val_crop=0.6), trained, smooth_samples, IDS, 2, "six")
    six = table[table["view"] == 0.6]
    np.testing.assert_array_equal(six["probability"], other["probability"])
    shifted = table[table["shifted"]]
    assert set(shifted["view"]) == {0.875}
    # The probabilities that the shift gives the selection half add up to its labels, nearly.
    half = shifted[shifted["policy"] == "weak"].iloc[np.flatnonzero(select)]
    first = np.where(half["prediction"] == 1, half["probability"], 1 - half["probability"])
    assert first.sum() == pytest.approx(smooth_samples.labels[select].sum(), abs=1.5)


def test_memory_that_is_full_halves_what_is_judged_at_a_time(
    monkeypatch, caplog, trained, smooth_samples
):
    study, real, sizes = study_of("torchvision"), room.logits, []
    whole = predict(study, trained, smooth_samples, IDS, 2, "whole")

    def small(network, pictures, flip):
        sizes.append(len(pictures))
        if len(pictures) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(network, pictures, flip)

    monkeypatch.setattr(room, "logits", small)
    with caplog.at_level(logging.INFO):
        halved = predict(study, trained, smooth_samples, IDS, 2, "halved")
    np.testing.assert_array_equal(halved["prediction"], whole["prediction"])
    np.testing.assert_allclose(halved["probability"], whole["probability"], rtol=1e-5)
    assert sizes[:4] == [16, 8, 4, 4] and "4 pictures at a time from here on" in caplog.text
    monkeypatch.setattr(
        room, "logits", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError("full"))
    )
    with pytest.raises(InputError, match="cannot hold a network and one picture"):
        predict(study, trained, smooth_samples, IDS, 2, "never")


def test_networks_share_a_pass_as_far_as_their_logits_fit(monkeypatch):
    judged = room.Judged(None, IDS, 2, shifted=True)
    monkeypatch.setattr(room, "LOGIT_BYTES", 4 * 40 * 2 * 3)
    assert [list(chunk) for chunk in room._passes(range(7), judged)] == [
        [0, 1, 2], [3, 4, 5], [6]
    ]  # fmt: skip
    assert len(list(room._passes(range(7), room.Judged(None, IDS, 2)))) == 1


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    pictures, classes = draw(st.integers(1, 60)), draw(st.integers(2, 8))
    return rng.normal(0, 3, (pictures, classes)), rng.integers(0, classes, pictures)


def objective(logits, labels, shift):
    found = log_softmax(logits + shift, axis=1)[np.arange(len(labels)), labels].sum()
    return found - (shift**2).sum() / (2 * SPREAD**2)


@settings(deadline=None, max_examples=50)
@given(problem=problems(), seed=st.integers(0, 2**31))
def test_no_other_shift_is_likelier(problem, seed):
    logits, labels = problem
    best = fit_shift(logits, labels)
    assert best.mean() == pytest.approx(0, abs=1e-9)
    rng = np.random.default_rng(seed)
    for scale in (1e-3, 0.1, 1.0):
        other = best + rng.normal(0, scale, len(best))
        assert objective(logits, labels, other) <= objective(logits, labels, best) + 1e-5
    probabilities = softmax(logits + best, axis=1).sum(axis=0)
    counts = np.bincount(labels, minlength=logits.shape[1])
    np.testing.assert_allclose(counts - probabilities, best / SPREAD**2, atol=1e-2)


def test_a_planted_shift_is_found_and_classes_keep_their_order():
    rng = np.random.default_rng(0)
    logits, planted = rng.normal(0, 1, (20_000, 6)), np.array([-1.0, 0.5, 0, 0.2, -0.4, 0.7])
    chances = softmax(logits + planted, axis=1)
    labels = (rng.random((20_000, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(max=5)
    found = fit_shift(logits.astype(np.float32), labels)
    np.testing.assert_allclose(found, planted - planted.mean(), atol=0.08)


def test_logits_in_parts_give_what_they_give_at_once(monkeypatch):
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(0, 2, (500, 5)), rng.integers(0, 5, 500)
    whole = fit_shift(logits, labels)
    monkeypatch.setattr("daclass.training.shift.ROWS", 7)
    np.testing.assert_allclose(fit_shift(logits, labels), whole, atol=1e-6)
