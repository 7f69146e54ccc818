from __future__ import annotations

import pytest
import torch

from daclass.errors import InputError
from daclass.training.models import build_model
from daclass.training.recipe import build_optimizer, learning_rate
from tests.training.conftest import study_of


@pytest.mark.parametrize("name", ["small_resnet", "resnet18"])
def test_models_map_pictures_to_logits(name):
    model = build_model(study_of(model=name).training, 7)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 7)


def test_unknown_model_is_named():
    with pytest.raises(InputError, match="resnet1800"):
        build_model(study_of(model="resnet1800").training, 7)


def test_biases_and_all_norms_are_not_decayed():
    """Every norm, those in shortcuts too: only convolutions and the head are decayed."""
    model = build_model(study_of().training, 7)
    decayed, spared = build_optimizer(model, study_of().training).param_groups
    names = {id(p): n for n, p in model.named_parameters()}
    assert spared["weight_decay"] == 0 < decayed["weight_decay"]
    modules = dict(model.named_modules())
    for group, expected in ((decayed, True), (spared, False)):
        for parameter in group["params"]:
            owner, kind = names[id(parameter)].rsplit(".", 1)
            is_norm = isinstance(modules[owner], torch.nn.BatchNorm2d)
            assert (kind == "weight" and not is_norm) == expected
    assert len(decayed["params"]) + len(spared["params"]) == len(list(model.parameters()))


def test_the_rate_rises_and_falls():
    training = study_of(epochs=10, warmup_epochs=2, learning_rate=1.0).training
    rates = [learning_rate(training, epoch) for epoch in (0, 1, 2, 6, 10)]
    assert rates == pytest.approx([0, 0.5, 1, 0.5, 0])
    assert learning_rate(study_of(warmup_epochs=0).training, 0) > 0
