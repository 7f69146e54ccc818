"""The loss of a policy with weights: as torch's where they agree, by hand where they do not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from daclass.augment import AXES, RRC_SCALE, AugmentError, Policy
from daclass.config import Training
from daclass.training.recipe import build_loss
from daclass.training.runs import Run
from tests.training.conftest import NAMES, assert_equal, predict, runs_in, study_of, train, weights

numbers = st.integers(0, 2**31)


@st.composite
def batches(draw):
    """Logits, labels and positive weights of a batch, and the share of label smoothing."""
    rng = np.random.default_rng(draw(numbers))
    size, classes = draw(st.integers(1, 12)), draw(st.integers(2, 7))
    return (
        torch.from_numpy(rng.normal(0, 3, (size, classes))),
        torch.from_numpy(rng.integers(0, classes, size)),
        torch.from_numpy(rng.uniform(0.1, 10, classes)),
        draw(st.sampled_from([0.0, 0.1, 0.5])),
    )


def loss_of(weights, smoothing):
    return build_loss(Training(label_smoothing=smoothing), weights.float())


def close(found, wanted):
    torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-6)


@given(batch=batches())
def test_without_smoothing_torch_agrees_but_for_its_divisor(batch):
    logits, labels, weights, _ = batch
    total = F.cross_entropy(logits, labels, weight=weights, reduction="sum")
    close(loss_of(weights, 0.0)(logits, labels), total / len(labels))


@given(batch=batches())
def test_equal_weights_are_torchs_loss(batch):
    logits, labels, weights, smoothing = batch
    wanted = F.cross_entropy(logits, labels, label_smoothing=smoothing)
    close(loss_of(torch.ones_like(weights), smoothing)(logits, labels), wanted)


@given(batch=batches())
def test_with_smoothing_each_sample_counts_as_its_class_does(batch):
    logits, labels, weights, smoothing = batch
    wanted = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        log_sum = math.log(sum(math.exp(value) for value in row))
        surprises = [log_sum - value for value in row]
        smooth = (1 - smoothing) * surprises[label] + smoothing * sum(surprises) / len(row)
        wanted += weights[label].item() * smooth / len(labels)
    assert loss_of(weights, smoothing)(logits, labels).item() == pytest.approx(
        wanted, rel=1e-5, abs=1e-5
    )


@given(batch=batches(), share=st.floats(0, 1))
def test_a_mixed_target_is_the_mix_of_its_classes_losses(batch, share):
    logits, hosts, weights, smoothing = batch
    partners = hosts.roll(1)
    loss = loss_of(weights, smoothing)
    both = [F.one_hot(labels, logits.shape[1]).double() for labels in (hosts, partners)]
    mixed = loss(logits, share * both[0] + (1 - share) * both[1])
    wanted = share * loss(logits, hosts) + (1 - share) * loss(logits, partners)
    close(mixed, wanted.double())


@given(batch=batches(), seed=st.integers(0, 99))
def test_what_views_say_is_added_to_the_logits(batch, seed):
    logits, labels, weights, smoothing = batch
    views = torch.randn(logits.shape, generator=torch.Generator().manual_seed(seed))
    sharp = loss_of(weights, 0.0)
    close(sharp(logits, labels, views), sharp(logits + views, labels).double())
    # What is the same for all classes says nothing, whatever the smoothing.
    loss = loss_of(weights, smoothing)
    same = views[:, :1].expand_as(logits)
    close(loss(logits, labels, same), loss(logits, labels).double())


def test_smoothing_asks_for_no_logit_of_a_class_that_cannot_have_the_view():
    """A class without a say in a view gets no gradient there; spread evenly, smoothing would push
    its logit up without end."""
    logits = torch.zeros(1, 3, requires_grad=True)
    views = torch.tensor([[0.0, 0.0, -14.0]])
    loss = loss_of(torch.ones(3), 0.3)
    loss(logits, torch.tensor([0]), views).backward()
    assert abs(logits.grad[0, 2]) < 1e-5 and logits.grad[0, 1] > 0.1
    logits.grad = None
    loss(logits, torch.tensor([0])).backward()
    assert logits.grad[0, 2] > 0.1


def test_no_weights_are_torchs_own_loss():
    assert type(build_loss(Training())) is nn.CrossEntropyLoss


# In training


def weighted(store, loss_weights, axis=RRC_SCALE, strength=0.9):
    return Run("weighted", Policy(axis, strength, loss_weights=loss_weights), 0, "x", store)


def test_one_weight_for_all_classes_trains_as_none(tmp_path, smooth_samples):
    """Only ratios matter; 1e-3 is what rounding makes of it in 15 steps."""
    study = study_of("torchvision")
    (plain,), alike = runs_in(tmp_path, "weak"), weighted(tmp_path, dict.fromkeys(NAMES, 7.0))
    assert plain.key != alike.key
    train(study, [plain, alike], smooth_samples, NAMES)
    for key, value in weights(plain).items():
        torch.testing.assert_close(weights(alike)[key], value, rtol=1e-3, atol=1e-3)


def test_a_weighted_run_beside_others_equals_itself_alone_and_not_them(tmp_path, smooth_samples):
    study = study_of("torchvision")
    (plain,), beside = runs_in(tmp_path / "a", "weak"), weighted(tmp_path / "a", {"red": 5.0})
    train(study, [plain, beside], smooth_samples, NAMES)
    (left_alone,), alone = runs_in(tmp_path / "b", "weak"), weighted(tmp_path / "b", {"red": 5.0})
    for run in (left_alone, alone):
        train(study, [run], smooth_samples, NAMES)
    assert_equal(weights(alone), weights(beside))
    assert_equal(weights(left_alone), weights(plain))
    assert any(not torch.equal(weights(plain)[k], weights(beside)[k]) for k in weights(plain))


def test_a_heavier_class_is_predicted_more_often(tmp_path, smooth_samples):
    study = study_of("torchvision", epochs=2)
    runs = [weighted(tmp_path, {"red": 20.0}), weighted(tmp_path, {"green": 20.0})]
    train(study, runs, smooth_samples, NAMES)
    ids = [str(number) for number in range(len(smooth_samples.labels))]
    tables = [predict(study, [run], smooth_samples, ids, 2, "p") for run in runs]
    heavy_red, heavy_green = ((table["prediction"] == 1).mean() for table in tables)
    assert heavy_red > heavy_green


def test_mixed_targets_are_trained_with_weights_too(tmp_path, smooth_samples):
    content = study_of("torchvision", epochs=2).model_dump()
    content["augmentation"] = {"axis": "mixup"}
    content["sweep"]["strengths"] = [0.0, 1.0]
    study = type(study_of()).model_validate(content)
    runs = [
        weighted(tmp_path, loss_weights, AXES["mixup"], 1.0) for loss_weights in ({}, {"red": 5.0})
    ]
    train(study, runs, smooth_samples, NAMES)
    first, second = map(weights, runs)
    assert any(not torch.equal(first[key], second[key]) for key in first)


def test_weights_for_unknown_classes_are_refused_before_training(tmp_path, smooth_samples):
    run = weighted(tmp_path, {"unicorn": 2.0})
    with pytest.raises(AugmentError, match=r"lacks: \['unicorn'\]"):
        train(study_of("torchvision"), [run], smooth_samples, NAMES)
    assert [path.name for path in run.folder.iterdir()] == ["lock"]
