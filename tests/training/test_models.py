from __future__ import annotations

import pytest
import torch
from torch import nn

from daclass.errors import InputError
from daclass.training.models import Normalise, autocast, build_model
from daclass.training.recipe import build_loss, build_optimizer, learning_rate, resolution
from tests.training.conftest import study_of

NAMES = ["small_resnet", "resnet18", "test_efficientnet", "test_vit", "torchvision/resnet18"]


@pytest.mark.parametrize("name", NAMES)
def test_models_map_pictures_to_logits(name):
    model = build_model(study_of(model=name, resolution=32).training, 7)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 7)


def test_a_vit_of_torchvision_has_the_pictures_size():
    model = build_model(study_of(model="torchvision/vit_b_32", resolution=64).training, 7)
    assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 7)


@pytest.mark.parametrize(
    "name", ["resnet1800", "torchvision/resnet1800", "torchvision/inception_v3"]
)
def test_unknown_model_is_named(name):
    with pytest.raises(InputError, match=rf"training\.model: .*{name.split('/')[-1]}"):
        build_model(study_of(model=name).training, 7)


@pytest.mark.parametrize("name", NAMES)
def test_biases_and_all_norms_are_not_decayed(name):
    """Every norm, those in shortcuts too: only convolutions and linear layers are decayed."""
    study = study_of(model=name)
    model = build_model(study.training, 7)
    decayed, spared = build_optimizer(model, study.training).param_groups
    assert spared["weight_decay"] == 0 < decayed["weight_decay"]
    expected = {
        id(module.weight) for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)
    }
    assert {id(parameter) for parameter in decayed["params"]} == expected
    assert len(decayed["params"]) + len(spared["params"]) == len(list(model.parameters()))


def test_blur_pooling_blurs_what_strided_convolutions_read():
    """A checkerboard, which a stride of 2 takes for a plain colour, is gone after the blur."""
    training = study_of(model="torchvision/resnet18", blur_pool=True).training
    model = build_model(training, 7)
    plain = build_model(training.model_copy(update={"blur_pool": False}), 7)
    strided = [m for m in plain.modules() if isinstance(m, nn.Conv2d) and m.stride == (2, 2)]
    assert len(strided) == 7  # the stem, which has 3 channels, and two in each of three stages
    blurred = model.layer2[0].conv1
    assert model.conv1.stride == (2, 2) and blurred[1].stride == (2, 2)
    assert sum(type(m).__name__ == "BlurPool2d" for m in model.modules()) == 6
    board = (torch.arange(8)[:, None] + torch.arange(8)) % 2
    pattern = board.float().expand(1, 64, 8, 8)
    smooth = blurred[0](pattern)
    assert smooth.shape == pattern.shape
    torch.testing.assert_close(smooth, torch.full_like(pattern, 0.5))
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 7)


def test_the_rate_rises_and_falls():
    training = study_of(epochs=10, warmup_epochs=2, learning_rate=1.0).training
    rates = [learning_rate(training, epoch) for epoch in (0, 1, 2, 6, 10)]
    assert rates == pytest.approx([0, 0.5, 1, 0.5, 0])
    assert learning_rate(study_of(warmup_epochs=0).training, 0) > 0


def test_the_cosine_is_torchs():
    training = study_of(epochs=10, warmup_epochs=2, learning_rate=0.4, schedule="cosine").training
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.4)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=8)
    for epoch in range(2, 11):
        assert learning_rate(training, epoch) == pytest.approx(reference.get_last_lr()[0])
        optimizer.step()
        reference.step()
    assert learning_rate(training, 1) == pytest.approx(0.2)


def test_pictures_grow_as_in_ffcv_imagenets_configs():
    """160 px up to epoch 11, 192 px from 13 on, in between the nearest multiple of 32."""
    resizing = {"from_resolution": 160, "start_epoch": 11, "end_epoch": 13}
    training = study_of(epochs=16, resolution=192, resizing=resizing).training
    assert [resolution(training, epoch) for epoch in (0, 11, 12, 13, 15)] == [
        160,
        160,
        192,
        192,
        192,
    ]
    longer = {"from_resolution": 160, "start_epoch": 65, "end_epoch": 76}
    training = study_of(epochs=88, resolution=192, resizing=longer).training
    assert [resolution(training, e) for e in (64, 70, 71, 76)] == [160, 160, 192, 192]
    assert resolution(study_of().training, 0) == 16


@pytest.mark.parametrize("nesterov", [True, False])
def test_momentum_is_nesterovs_where_asked(nesterov):
    study = study_of(nesterov=nesterov)
    optimizer = build_optimizer(build_model(study.training, 2), study.training)
    assert all(group["nesterov"] == nesterov for group in optimizer.param_groups)
    assert all(group["momentum"] == 0.9 for group in optimizer.param_groups)


def test_the_loss_smooths_labels_and_takes_shares():
    logits, labels = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1])
    sharp = build_loss(study_of(label_smoothing=0.0).training)
    smooth = build_loss(study_of(label_smoothing=0.2).training)
    assert smooth(logits, labels) > sharp(logits, labels)
    shares = torch.tensor([[0.9, 0.1], [0.1, 0.9]])
    torch.testing.assert_close(smooth(logits, labels), sharp(logits, shares))


def test_pictures_are_normalised_channels_last():
    training = study_of(mean=[0.5, 0.25, 0.0], std=[0.5, 0.25, 1.0]).training
    pictures = torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)
    found = Normalise(training)(pictures)
    torch.testing.assert_close(found[0, :, 0, 0], torch.tensor([1.0, 3.0, 1.0]))
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_precision_is_that_of_the_arithmetic():
    convolution, device = nn.Conv2d(3, 8, 3), torch.device("cpu")
    for precision in ("float32", "bfloat16"):
        with autocast(study_of(precision=precision).training, device):
            assert str(convolution(torch.zeros(1, 3, 8, 8)).dtype) == f"torch.{precision}"
