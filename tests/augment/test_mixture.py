"""Policies whose pictures draw their strengths: one function of the keys, in every backend."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision import tv_tensors
from torchvision.transforms import v2

from daclass.augment import (
    AXES,
    RRC_SCALE,
    AugmentError,
    Mixture,
    Policy,
    StrengthTable,
    epoch_key,
    image_keys,
    random_resized_crop_boxes,
    strength_table,
)
from daclass.augment.crops import BatchPolicyCrop
from daclass.augment.dataset import IndexedDataset, PolicyCropDataset
from daclass.augment.transform import PolicyCrop
from daclass.augment.variates import MIXTURE, flips, uniform

N = 60
NAMES, LABELS = ["ant", "bee"], np.arange(N) % 2
MIXED = Policy(RRC_SCALE, 0.08, {"bee": 0.99}, mixture=Mixture(0.4, {0.99: 0.3, 0.08: 0.7}))
PLAIN = Policy(RRC_SCALE, 0.08, {"bee": 0.99})
RARE = Policy(RRC_SCALE, 0.5, mixture=Mixture(0.1, {0.08: 0.2, 0.25: 0.3, 0.99: 0.5}))


def keys(n=N, seed=3, epoch=2):
    return image_keys(epoch_key(1, seed, epoch), np.arange(n))


def table(*policies):
    return strength_table(RRC_SCALE, policies, LABELS, NAMES)


def test_shares_are_those_of_the_mixture_and_the_own_strength_of_the_rest():
    n = 200_000
    own = np.where(np.arange(n) % 2, 0.99, 0.08)
    found = MIXED.mixture.drawn(own, keys(n))
    levels, shares = MIXED.distribution(NAMES)
    np.testing.assert_allclose(shares, [[0.6 + 0.4 * 0.7, 0.4 * 0.3], [0.4 * 0.7, 0.6 + 0.4 * 0.3]])
    for label in (0, 1):
        observed = [(found[label::2] == s).mean() for s in levels]
        error = np.sqrt(shares[label] * (1 - shares[label]) / (n / 2))
        assert (np.abs(observed - shares[label]) < 4 * error).all()


def test_a_draw_is_a_function_of_the_key_alone_and_apart_from_crop_and_flip():
    together = table(MIXED).drawn(0, np.arange(N), keys())
    order = np.random.default_rng(0).permutation(N)
    np.testing.assert_array_equal(table(MIXED).drawn(0, order, keys()[order]), together[order])
    assert (table(MIXED).drawn(0, np.arange(N), keys(epoch=3)) != together).any()
    many = keys(100_000)
    for counter in (0, 1, (1 << 32)):
        assert abs(np.corrcoef(uniform(many, counter), uniform(many, MIXTURE))[0, 1]) < 0.015


def test_policies_of_one_seed_mix_the_same_pictures():
    """Another own strength, another share: which pictures are drawn is nested, not dealt anew."""
    few, more = (Mixture(share, {0.5: 1.0}).drawn(np.full(N, 0.08), keys()) for share in (0.2, 0.6))
    assert ((few == 0.5) <= (more == 0.5)).all() and (few == 0.5).sum() < (more == 0.5).sum()


def boxes_expected(policy, height, width, samples=N):
    own = policy.strengths(NAMES)[LABELS[:samples]]
    strengths = policy.mixture.drawn(own, keys(samples)) if policy.mixture else own
    return random_resized_crop_boxes(keys(samples), height, width, strengths)


def test_the_transform_and_the_batch_cut_the_same_boxes_as_numpy():
    """A picture whose pixels say where they are, cut without resizing noise to speak of."""
    height, width, side = 40, 48, 24
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    picture = torch.stack([rows, columns, rows * 0]).float()
    crop = PolicyCrop(side, table(MIXED), study_seed=1, run_seed=3, flip=0.0)
    crop.set_epoch(2)
    data = IndexedDataset([(tv_tensors.Image(picture),)] * N, v2.Compose([crop]))
    batch = BatchPolicyCrop(side, table(PLAIN, MIXED), study_seed=1, run_seed=3, flip=0.0)
    batch.set_epoch(2)
    cut = batch(picture.expand(N, -1, -1, -1), np.arange(N))
    expected = {policy: boxes_expected(policy, height, width) for policy in (PLAIN, MIXED)}
    assert (expected[PLAIN] != expected[MIXED]).any()
    for sample in range(N):
        single, _ = data[sample]
        torch.testing.assert_close(cut[sample, 1], torch.as_tensor(single), atol=0.01, rtol=0)
        for place, policy in enumerate((PLAIN, MIXED)):
            top, left, h, w = expected[policy][sample]
            middle = cut[sample, place, :2].flatten(1).mean(1)
            torch.testing.assert_close(
                middle, torch.tensor([top + (h - 1) / 2, left + (w - 1) / 2]).float(),
                atol=0.1, rtol=0,
            )  # fmt: skip


def test_files_are_cut_at_the_same_boxes(tmp_path, photographs):
    files = []
    for number, photograph in enumerate(photographs[:8]):
        files.append(tmp_path / f"{number}.png")
        photograph.resize((40, 36)).save(files[-1])
    policies = strength_table(RRC_SCALE, [PLAIN, MIXED, RARE], LABELS[:8], NAMES)
    data = PolicyCropDataset(files, LABELS[:8], 24, policies, study_seed=1, run_seed=3)
    data.set_epoch(2)
    alone = PolicyCropDataset(
        files, LABELS[:8], 24, StrengthTable(policies.own[1:2], policies.mixtures[1:2]),
        study_seed=1, run_seed=3,
    )  # fmt: skip
    alone.set_epoch(2)
    assert all(torch.equal(data[i][0][1], alone[i][0][0]) for i in range(8))
    assert any(not torch.equal(data[i][0][0], data[i][0][1]) for i in range(8))


def test_the_compiled_draw_is_that_of_numpy_to_the_bit():
    decoder = pytest.importorskip("daclass.augment.decoder")
    shares, bounds, levels = table(PLAIN, MIXED, RARE).compiled()
    many = keys(5000)
    for place, policy in enumerate((PLAIN, MIXED, RARE)):
        compiled = [
            decoder.drawn_strength(key, 0.3, shares[place], bounds[place], levels[place])
            for key in many
        ]
        own = np.full(5000, 0.3)
        np.testing.assert_array_equal(
            compiled, policy.mixture.drawn(own, many) if policy.mixture else own
        )


def test_ffcv_cuts_the_same_boxes(tmp_path):
    pytest.importorskip("ffcv")
    from ffcv.fields import IntField, RGBImageField
    from ffcv.loader import Loader, OrderOption
    from ffcv.transforms import ToTensor
    from ffcv.writer import DatasetWriter

    from daclass.augment.decoder import PolicyCropDecoder

    height, width, side = 40, 48, 20
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    picture = np.stack([5 * rows, 5 * columns, 0 * rows], axis=2).astype(np.uint8)
    path = tmp_path / "places.beton"
    fields = {"image": RGBImageField(write_mode="raw"), "label": IntField()}
    samples = [(picture, int(label)) for label in LABELS]
    DatasetWriter(str(path), fields, num_workers=1).from_indexed_dataset(samples)
    decoder = PolicyCropDecoder(side, table(PLAIN, MIXED, RARE), study_seed=1, run_seed=3)
    decoder.set_epoch(2)
    loader = Loader(
        str(path), batch_size=N, num_workers=1, order=OrderOption.SEQUENTIAL,
        pipelines={"image": [decoder, ToTensor()], "label": None},
    )  # fmt: skip
    (crops,) = next(iter(loader))[:1]
    mirrored = flips(keys(), 0.5)
    for place, policy in enumerate((PLAIN, MIXED, RARE)):
        for sample, (top, left, h, w) in enumerate(boxes_expected(policy, height, width)):
            crop = crops[sample, place].numpy().astype(float) / 5
            crop = crop[:, ::-1] if mirrored[sample] else crop
            assert abs(crop[..., 0].mean() - (top + (h - 1) / 2)) < 0.35
            assert abs(crop[..., 1].mean() - (left + (w - 1) / 2)) < 0.35


def test_axes_of_batches_get_drawn_strengths():
    axis = AXES["random_erasing"]
    policy = Policy(axis, 0.0, mixture=Mixture(0.5, {1.0: 1.0}))
    found = strength_table(axis, [policy], LABELS, NAMES).drawn(0, np.arange(N), keys())
    assert set(found) == {0.0, 1.0}


def test_a_mixed_policy_is_no_array():
    for ask in (lambda: MIXED.sample_strengths(RRC_SCALE, LABELS, NAMES), lambda: table(MIXED)[0]):
        with pytest.raises(AugmentError, match="draws a strength for each picture and epoch"):
            ask()
    np.testing.assert_array_equal(table(PLAIN)[0], PLAIN.sample_strengths(RRC_SCALE, LABELS, NAMES))
    assert not MIXED.uniform and np.isnan(RARE.strength) and not RARE.uniform


@given(
    st.floats(0.01, 1),
    st.dictionaries(st.floats(0.001, 1), st.floats(0.01, 1), min_size=1, max_size=5),
    st.sampled_from(["policy.yaml", "policy.json"]),
)
def test_files_of_version_2(tmp_path_factory, share, weights, name):
    total = sum(weights.values())
    mixture = Mixture(share, {s: w / total for s, w in weights.items()})
    policy = Policy(RRC_SCALE, 0.5, {"cat": 0.08, 3: 0.99}, {"cat": 2.0}, mixture)
    path = tmp_path_factory.mktemp("policies") / name
    policy.save(path)
    again = Policy.load(path)
    assert (
        again == policy and again.fingerprint == policy.fingerprint and hash(again) == hash(policy)
    )
    assert "version" in path.read_text()
    plain = Policy(RRC_SCALE, 0.5, {"cat": 0.08, 3: 0.99}, {"cat": 2.0})
    assert plain.fingerprint != policy.fingerprint and "version" not in plain.as_dict()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 3}, "version 3: this daclass reads policies of version 1 and 2"),
        ({"mixture": {"share": 0}}, "mapping with the keys share and strengths"),
        ({"mixture": {"share": 0, "strengths": {0.5: 1}}}, r"share is a number in \(0, 1\]"),
        ({"mixture": {"share": True, "strengths": {0.5: 1}}}, r"share is a number in \(0, 1\]"),
        ({"mixture": {"share": 0.5, "strengths": {0.5: 0.9}}}, "sum to 1, not to 0.9"),
        ({"mixture": {"share": 0.5, "strengths": {0.5: 1.5, 0.1: -0.5}}}, "probabilities in"),
        ({"mixture": {"share": 0.5, "strengths": {2.0: 1.0}}}, "lies in"),
        ({"mixture": {"share": 0.5, "strengths": {"weak": 1.0}}}, "'weak' is no strength"),
        ({"mixture": {"share": 0.5, "strengths": {"0.5": 0.5, 0.5: 0.5}}}, "twice"),
        ({"mixture": {"share": 0.5, "strengths": {}}}, "sum to 1, not to 0"),
    ],
)
def test_what_is_no_mixture_is_refused(changes, message):
    content = {"axis": "rrc_scale", "default": 0.08} | changes
    with pytest.raises(AugmentError, match=message):
        Policy.from_dict(content)
    assert json.dumps(MIXED.as_dict())  # what is refused is not how policies are written


def test_a_mixture_that_changes_nothing_is_none():
    assert Policy(RRC_SCALE, 0.5, mixture=Mixture(0.2, {0.5: 1})) == Policy(RRC_SCALE, 0.5)
