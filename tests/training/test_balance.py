"""Classes of different sizes, in the loss and in the order of pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from daclass.augment import RRC_SCALE, Policy
from daclass.config import Beton
from daclass.data.beton import write_beton
from daclass.errors import InputError
from daclass.training.balance import balanced_order, loss_weights, read_class_weights
from daclass.training.batches import Order, Part, Samples
from tests.training.conftest import NAMES, loader_of, predict, runs_in, study_of, train

PLAIN = Policy(RRC_SCALE, 0.5)
sizes = st.lists(st.integers(1, 40), min_size=2, max_size=8)


def labels_of(counts):
    return np.repeat(np.arange(len(counts)), counts)


def names_of(counts):
    return [str(number) for number in range(len(counts))]


@given(counts=sizes)
def test_balanced_weights_are_scikit_learns(counts):
    labels = labels_of(counts)
    found = loss_weights(
        study_of(class_weights="balanced").training, PLAIN, labels, names_of(counts)
    )
    wanted = compute_class_weight("balanced", classes=np.arange(len(counts)), y=labels)
    np.testing.assert_allclose(found, wanted)


def test_a_policys_weights_multiply_and_the_mean_stays_one():
    counts = [30, 10, 20]
    labels, names = labels_of(counts), names_of(counts)
    policy = Policy(RRC_SCALE, 0.5, loss_weights={"1": 4.0})
    found = loss_weights(study_of(class_weights="balanced").training, policy, labels, names)
    assert found[labels].mean() == pytest.approx(1)
    np.testing.assert_allclose(found / found[0], [1, 4 * 3, 1.5])
    alone = loss_weights(study_of().training, policy, labels, names)
    np.testing.assert_allclose(alone, policy.weights(names, labels))
    assert loss_weights(study_of().training, PLAIN, labels, names) is None


def test_weights_of_a_file_go_by_the_classes_names(tmp_path):
    (tmp_path / "w.csv").write_text("weight,class\n2,red\n1,green\n")
    training = study_of(class_weights=str(tmp_path / "w.csv")).training
    found = loss_weights(training, PLAIN, np.array([0, 0, 0, 1]), NAMES)
    np.testing.assert_allclose(found, [0.8, 1.6])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("class,weight\nred,1\n", "has no weight of the class green"),
        ("class,weight\nred,1\ngreen,1\nred,2\n", "row 3: 'red' comes twice"),
        ("class,weight\nred,1\nblue,1\n", "row 2: 'blue' is no class"),
        ("class,weight\nred,0\ngreen,1\n", "row 1: the weight '0' is no positive number"),
        ("class,weight\nred,nan\ngreen,1\n", "row 1: the weight 'nan' is no positive number"),
        ("class,weight\nred,inf\ngreen,1\n", "row 1: the weight 'inf' is no positive number"),
        ("class,weight\nred,much\ngreen,1\n", "row 1: the weight 'much' is no positive number"),
        ("class\nred\n", "lacks the column weight"),
    ],
)
def test_bad_files_of_weights_are_named_with_their_row(tmp_path, content, message):
    (tmp_path / "w.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        read_class_weights(tmp_path / "w.csv", NAMES)


@given(counts=sizes, seed=st.integers(0, 2**31))
def test_a_balanced_epoch_has_equal_shares_and_spreads_its_repeats(counts, seed):
    labels = labels_of(counts)
    order = balanced_order(labels, np.random.default_rng(seed))
    assert len(order) == len(labels)
    shares = np.bincount(labels[order], minlength=len(counts))
    assert shares.max() - shares.min() <= 1
    times = np.bincount(order, minlength=len(labels))
    for number in range(len(counts)):
        own = times[labels == number]
        assert own.max() - own.min() <= 1


def test_large_classes_show_other_pictures_in_each_epoch():
    labels = labels_of([30, 3])
    orders = [balanced_order(labels, np.random.default_rng(seed)) for seed in range(40)]
    assert set(np.concatenate(orders)) == set(range(33))
    assert not np.array_equal(np.sort(orders[0]), np.sort(orders[1]))


def test_a_class_without_pictures_takes_no_share():
    order = balanced_order(np.array([0, 0, 0, 2]), np.random.default_rng(0))
    assert sorted(np.bincount([0, 0, 0, 2], minlength=3)[[0, 2]]) == [1, 3]
    assert len(order) == 4 and (order == 3).sum() == 2


def test_parts_of_a_balanced_step_make_up_a_single_processs_batch():
    labels = labels_of([10, 4])
    whole = Order(14, 4, 7, balanced=labels).positions(3, 1)
    halves = [Order(14, 4, 7, Part(rank, 2), labels).positions(3, 1) for rank in range(2)]
    np.testing.assert_array_equal(np.concatenate(halves, axis=1), whole)


@pytest.fixture
def uneven(smooth_samples):
    """All pictures of the first class and three of the second."""
    labels = smooth_samples.labels
    kept = np.concatenate([np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)[:3]])
    return Samples(smooth_samples.beton, [smooth_samples.files[i] for i in kept], labels[kept])


def test_a_loader_draws_classes_equally_often(uneven):
    study = study_of("torchvision", sampler="balanced", batch_size=22)
    table = np.full((1, len(uneven.labels)), 0.5)
    (batch,) = loader_of(study, uneven, table, 0).epoch(0, 0, 16)
    assert np.bincount(batch.labels).tolist() in ([11, 11], [10, 12], [12, 10])


def test_both_loaders_draw_the_same_pictures(ffcv, uneven, tmp_path):
    """Pictures that come several times in an epoch included."""
    write_beton(uneven.files, uneven.labels, Beton(), tmp_path / "uneven.beton")
    samples = replace(uneven, beton=tmp_path / "uneven.beton")
    table = np.full((1, len(uneven.labels)), 0.5)
    found = {
        loader: [
            (positions.tolist(), labels.tolist())
            for _, labels, positions in loader_of(
                study_of(loader, sampler="balanced", batch_size=5), samples, table, 0
            ).epoch(1, 0, 16)
        ]
        for loader in ("ffcv", "torchvision")
    }
    assert found["ffcv"] == found["torchvision"]
    drawn, labels = (np.concatenate(parts) for parts in zip(*found["ffcv"], strict=True))
    assert len(drawn) == 20 > len(set(drawn))
    np.testing.assert_array_equal(uneven.labels[drawn], labels)


def test_balancing_either_way_predicts_the_small_class_more(uneven, smooth_samples, tmp_path):
    ids = [str(number) for number in range(len(smooth_samples.labels))]
    share = {}
    for name, settings in {
        "plain": {}, "weights": {"class_weights": "balanced"}, "sampler": {"sampler": "balanced"},
    }.items():  # fmt: skip
        study = study_of("torchvision", epochs=1, warmup_epochs=0, **settings)
        (run,) = runs_in(tmp_path / name, "weak")
        train(study, [run], uneven, NAMES)
        table = predict(study, [run], smooth_samples, ids, 2, "p")
        probability = table["probability"].to_numpy()
        red = table["prediction"].to_numpy() == 1
        share[name] = float(np.where(red, probability, 1 - probability).mean())
    print(share)
    assert share["weights"] > share["plain"] and share["sampler"] > share["plain"]


def test_settings_of_balance_are_part_of_a_runs_key(tmp_path):
    (tmp_path / "w.csv").write_text("class,weight\nred,1\ngreen,1\n")
    from daclass.stages.training import recipe_digest

    settings = [{}, {"class_weights": "balanced"}, {"sampler": "balanced"},
                {"class_weights": str(tmp_path / "w.csv")}]  # fmt: skip
    digests = [recipe_digest(study_of(**each)) for each in settings]
    (tmp_path / "w.csv").write_text("class,weight\nred,2\ngreen,1\n")
    digests.append(recipe_digest(study_of(**settings[-1])))
    assert len(set(digests)) == 5
    assert digests[0] == study_of().training_digest()
