"""Fine-tuning for real on tiny pictures: where it starts, what it sees, how it resumes."""

from __future__ import annotations

import json
import os
import signal

import pytest
import torch
from torch import nn

from daclass.config import Study
from daclass.errors import InputError
from daclass.training.augmentation import crop_strengths
from daclass.training.checkpoint import load_checkpoint
from daclass.training.models import Normalise, build_model
from daclass.training.runs import plan_fine_tuning
from tests.training.conftest import (
    NAMES,
    POLICIES,
    assert_equal,
    loader_of,
    recipe_of,
    runs_in,
    study_of,
    train,
    weights,
)
from tests.training.test_resume import at_step

EPOCHS, RATE = 2, 0.02


def tuning_study(**settings):
    content = study_of("torchvision").model_dump()
    tuning = {"epochs": EPOCHS, "learning_rate": RATE, **settings}
    content["interventions"] = {"seeds": [1], "fine_tuning": tuning}
    return Study.model_validate(content)


def tuned(parent, *names, study=None):
    policies = {name: POLICIES[name] for name in names}
    return plan_fine_tuning(
        (study or tuning_study()).digest("interventions.fine_tuning"),
        policies,
        parent,
        parent.store,
    )


@pytest.fixture(scope="module")
def parent(tmp_path_factory, smooth_samples):
    (run,) = runs_in(tmp_path_factory.mktemp("store"), "strong", seed=1)
    train(tuning_study(), [run], smooth_samples, NAMES)
    return run


@pytest.fixture(scope="module")
def both(parent, smooth_samples):
    before = parent.weights.read_bytes()
    runs = tuned(parent, "strong", "mixed")
    train(tuning_study(), runs, smooth_samples, NAMES)
    assert parent.weights.read_bytes() == before
    return runs


def test_it_goes_on_from_its_parent_with_the_crops_that_come_next(parent, both, smooth_samples):
    """By hand: the parent's weights, the batches of epochs 3 and 4, a rate that falls to 0."""
    study = tuning_study()
    network = build_model(study.training, len(NAMES))
    parent.load_weights(network)
    seen = nn.Sequential(Normalise(study.training), network).train()
    recipe = study.training
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": others}]
    optimizer = torch.optim.SGD(groups, lr=1, momentum=recipe.momentum, nesterov=True)
    table = crop_strengths(recipe_of(study), [both[1].policy], smooth_samples.labels, NAMES)
    loader = loader_of(study, smooth_samples, table, 1)
    for epoch in range(EPOCHS):
        batches = loader.epoch(recipe.epochs + epoch, 0, recipe.resolution)
        for step, (pictures, labels, _) in enumerate(batches):
            for group in optimizer.param_groups:
                group["lr"] = RATE * (1 - (epoch + step / len(loader)) / EPOCHS)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(
                seen(pictures[:, 0]), labels, label_smoothing=recipe.label_smoothing
            )
            loss.backward()
            optimizer.step()
    for key, value in weights(both[1]).items():
        torch.testing.assert_close(value, network.state_dict()[key], rtol=1e-4, atol=1e-5)


def test_policies_differ_from_each_other_and_from_the_parent(parent, both):
    found = [weights(run) for run in (parent, *both)]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert any(not torch.equal(found[first][key], found[second][key]) for key in found[0])


def test_epochs_are_counted_on_from_the_parents(parent, both):
    rows = [json.loads(line) for line in both[0].metrics.read_text().splitlines()]
    assert [(row["epoch"], row["step"]) for row in rows] == [(4, 20), (5, 25)]
    assert rows[0]["learning_rate"] < RATE and both[0].seconds > 0


def test_alone_and_interrupted_it_ends_at_the_same_weights(monkeypatch, parent, smooth_samples):
    study = tuning_study(learning_rate=0.03)
    together = tuned(parent, "weak", "mixed", study=study)
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        at_step(patch, 6, lambda: os.kill(os.getpid(), signal.SIGTERM))
        train(study, together, smooth_samples, NAMES)
    state = load_checkpoint(together[0])
    assert (state["epoch"], state["step"]) == (3 + 1, 2)
    train(study, together, smooth_samples, NAMES)
    kept = weights(together[1])
    together[1].weights.unlink()
    train(study, together[1:], smooth_samples, NAMES)
    assert_equal(weights(together[1]), kept)


def test_keys_depend_on_parent_policy_and_settings(tmp_path):
    first, other = runs_in(tmp_path, "strong", "weak", seed=1)
    (elsewhere,) = runs_in(tmp_path, "strong", seed=1, settings="y")
    (later,) = runs_in(tmp_path, "strong", seed=2)
    keys = [tuned(run, "mixed")[0].key for run in (first, other, elsewhere, later)]
    keys += [first.key, tuned(first, "weak")[0].key]
    for change in ({"epochs": 3}, {"learning_rate": 0.1}, {"warmup_epochs": 1}):
        keys.append(tuned(first, "mixed", study=tuning_study(**change))[0].key)
    assert len(set(keys)) == 9
    spelt_out = tuning_study(warmup_epochs=0)
    assert tuned(first, "mixed", study=spelt_out)[0].key == tuned(first, "mixed")[0].key


@pytest.mark.parametrize("left", [0, 300, None])
def test_a_parent_without_good_weights_is_named(tmp_path, parent, smooth_samples, left):
    (broken,) = runs_in(tmp_path, "strong", seed=1)
    if left is not None:
        broken.folder.mkdir(parents=True)
        broken.weights.write_bytes(parent.weights.read_bytes()[:left])
    (run,) = tuned(broken, "mixed")
    wanted = r"goes on from the run of strong, seed 1, but .*: (cannot be used|damaged) .*seed 1$"
    with pytest.raises(InputError, match=wanted):
        train(tuning_study(), [run], smooth_samples, NAMES)
    assert [path.name for path in run.folder.iterdir()] == ["lock"]


def test_a_loss_that_explodes_names_the_rate_of_fine_tuning(tmp_path, parent, smooth_samples):
    study = tuning_study(learning_rate=1e4)
    (run,) = tuned(parent, "weak", study=study)
    with pytest.raises(InputError, match=r"lower interventions\.fine_tuning\.learning_rate"):
        train(study, [run], smooth_samples, NAMES)
    assert not run.trained


def test_a_study_that_says_nothing_of_fine_tuning_does_none(parent, smooth_samples):
    (run,) = tuned(parent, "weak", study=tuning_study(epochs=7))
    with pytest.raises(InputError, match=r"interventions\.fine_tuning: this study has no such"):
        train(study_of("torchvision"), [run], smooth_samples, NAMES)
