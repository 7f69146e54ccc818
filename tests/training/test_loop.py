"""Training for real on tiny pictures: to the bit alone, together and after interruptions."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest
import torch

from daclass.errors import InputError
from daclass.training.runs import fingerprint, plan_runs
from tests.training.conftest import (
    NAMES,
    POLICIES,
    assert_equal,
    predict,
    runs_in,
    study_of,
    train,
    weights,
)


@pytest.fixture(scope="module")
def together(tmp_path_factory, smooth_samples):
    store = tmp_path_factory.mktemp("together")
    runs = runs_in(store, "strong", "weak", "mixed")
    train(study_of("torchvision"), runs, smooth_samples, NAMES)
    return {run.name: run for run in runs}


def test_runs_together_equal_runs_alone(tmp_path, together, smooth_samples):
    for name in POLICIES:
        (alone,) = runs_in(tmp_path, name)
        train(study_of("torchvision"), [alone], smooth_samples, NAMES)
        assert_equal(weights(alone), weights(together[name]))


@pytest.mark.usefixtures("ffcv")
def test_runs_together_equal_runs_alone_under_ffcv(tmp_path, smooth_samples):
    pair = runs_in(tmp_path / "pair", "strong", "weak")
    train(study_of("ffcv"), pair, smooth_samples, NAMES)
    (alone,) = runs_in(tmp_path / "alone", "weak")
    train(study_of("ffcv"), [alone], smooth_samples, NAMES)
    assert_equal(weights(alone), weights(pair[1]))


def test_policies_differ_and_seeds_differ(tmp_path, together, smooth_samples):
    strong, weak = weights(together["strong"]), weights(together["weak"])
    assert any(not torch.equal(strong[key], weak[key]) for key in strong)
    (other,) = runs_in(tmp_path, "strong", seed=1)
    train(study_of("torchvision"), [other], smooth_samples, NAMES)
    assert any(not torch.equal(strong[key], weights(other)[key]) for key in strong)


def test_training_learns(tmp_path, smooth_samples):
    """Red against green: far above chance after a few epochs, on the pictures it saw."""
    study = study_of("torchvision", epochs=10)
    runs = runs_in(tmp_path, "weak")
    train(study, runs, smooth_samples, NAMES)
    ids = [str(n) for n in range(len(smooth_samples.labels))]
    table = predict(study, runs, smooth_samples, ids, 2, "p")
    assert (table["prediction"].to_numpy() == smooth_samples.labels).mean() > 0.9
    assert table["probability"].between(0.5, 1).all()


def test_metrics_have_a_row_an_epoch(together):
    rows = [json.loads(line) for line in together["weak"].metrics.read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert all(row["images_per_second"] > 0 and 0 <= row["loader_wait_share"] <= 1 for row in rows)


def test_a_loss_that_explodes_is_said_and_leaves_no_weights(tmp_path, smooth_samples):
    (run,) = runs_in(tmp_path, "weak")
    with pytest.raises(InputError, match=r"diverged: run weak, seed 0.*learning_rate"):
        train(study_of("torchvision", learning_rate=1e4), [run], smooth_samples, NAMES)
    assert not run.trained


def test_float16_without_a_gpu_is_refused(tmp_path, smooth_samples):
    with pytest.raises(InputError, match="float16 needs a GPU"):
        train(
            study_of("torchvision", precision="float16"),
            runs_in(tmp_path, "weak"),
            smooth_samples,
            NAMES,
        )


def test_a_compiled_network_is_trained_to_the_same_weights(
    monkeypatch, tmp_path, together, smooth_samples
):
    """Through dynamo, without code generation, which would differ by rounding and take a minute."""
    compiled, real = [], torch.compile

    def without_code(module, **options):
        compiled.append(module)
        return real(module, backend="eager", **options)

    monkeypatch.setattr(torch, "compile", without_code)
    (run,) = runs_in(tmp_path, "weak")
    train(study_of("torchvision", {"compile": True}), [run], smooth_samples, NAMES)
    assert len(compiled) == 1
    assert_equal(weights(run), weights(together["weak"]))


def test_trained_runs_are_not_trained_again(together, smooth_samples):
    before = {name: run.weights.stat().st_mtime_ns for name, run in together.items()}
    train(study_of("torchvision"), list(together.values()), smooth_samples, NAMES)
    assert before == {name: run.weights.stat().st_mtime_ns for name, run in together.items()}


def test_predictions_are_kept_and_damaged_weights_named(tmp_path, together, smooth_samples):
    study = study_of("torchvision")
    ids = [str(n) for n in range(len(smooth_samples.labels))]
    runs = list(together.values())
    first = predict(study, runs, smooth_samples, ids, 2, "kept")
    assert len(first) == 3 * len(ids)
    content = runs[0].weights.read_bytes()
    try:
        runs[0].weights.write_bytes(content[:200])
        pd.testing.assert_frame_equal(predict(study, runs, smooth_samples, ids, 2, "kept"), first)
        with pytest.raises(
            InputError, match=r"damaged .*, set aside as weights\.safetensors\.damaged-1"
        ):
            predict(study, runs, smooth_samples, ids, 2, "anew")
    finally:
        runs[0].weights.write_bytes(content)


def test_equal_policies_share_a_run_and_stay_apart_in_the_table(together, smooth_samples):
    """A designer may end up with the very policy of another one."""
    from daclass.predictions import validate_predictions

    twins = [
        replace(together["weak"], name="uniform_best"),
        replace(together["weak"], name="naive_removal"),
    ]
    assert twins[0].folder == twins[1].folder
    ids = [f"p{n}" for n in range(len(smooth_samples.labels))]
    table = predict(study_of("torchvision"), twins, smooth_samples, ids, 2, "twins")
    assert table.groupby("policy").size().to_dict() == {"naive_removal": 40, "uniform_best": 40}
    index = pd.DataFrame({"image_id": ids, "half": "select"})
    validate_predictions(table, index, 2)


def index_of(draw, contents=("f00d", "beef")):
    return pd.DataFrame(
        {
            "image_id": ["a", "b"],
            "split": "train",
            "draw": draw,
            "class_id": [0, 1],
            "content": list(contents),
        }
    )


def test_a_runs_key_depends_on_what_decides_its_weights_alone(tmp_path):
    def key(index=None, study=None, name="weak", seed=0, called="x"):
        planned = plan_runs(
            (study or study_of()).training_digest(),
            fingerprint(index_of(0) if index is None else index),
            {called: POLICIES[name]},
            seed,
            tmp_path,
        )
        return planned[0].key

    assert key() == key() == key(called="another name")
    assert key() == key(study=study_of(machine={"checkpoint_minutes": 1}, val_resolution=20))
    others = [
        key(name="strong"),
        key(seed=1),
        key(study=study_of(epochs=4)),
        key(study=study_of("torchvision")),
        key(index=index_of(0, ("f00d", "cafe"))),
    ]
    assert len({key(), *others}) == 6


def test_a_run_is_looked_for_in_all_stores_and_begun_in_the_first(tmp_path):
    """Runs of a study whose runs lay in its own folder are found there."""
    old, new = tmp_path / "old", tmp_path / "new"

    def planned():
        return {run.name: run for run in plan_runs("recipe", "pictures", POLICIES, 0, new, old)}

    first = planned()
    assert {run.store for run in first.values()} == {new}
    for name, file in (("strong", "weights"), ("weak", "checkpoint")):
        path = getattr(replace(first[name], store=old), file)
        path.parent.mkdir(parents=True)
        path.touch()
    first["weak"].folder.mkdir(parents=True)
    found = planned()
    assert {name: run.store for name, run in found.items()} == {
        "strong": old, "weak": old, "mixed": new
    }  # fmt: skip
    assert {name: run.key for name, run in found.items()} == {
        name: run.key for name, run in first.items()
    }
    first["weak"].weights.touch()
    assert planned()["weak"].store == new


def test_keys_are_what_they_were(tmp_path):
    """Stores of finished studies hold hours of training under these."""
    keys = {run.name: run.key for run in runs_in(tmp_path, *POLICIES)}
    assert keys == {
        "strong": "d5f921aa536930de",
        "weak": "894893472b9da5f9",
        "mixed": "5af976e929fb2fd8",
    }
