"""Batch operations: pure functions of a sample, alike for every axis; each against torchvision."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from daclass.augment import AXES, AugmentError, Policy, epoch_key, image_keys
from daclass.augment.axes.blur import blur_sigmas
from daclass.augment.axes.color_jitter import color_jitter, jitter_factors
from daclass.augment.axes.cutmix import cutmix_boxes
from daclass.augment.axes.randaugment import NAMES, apply, randaugment_choices
from daclass.augment.axes.random_erasing import erasing_boxes
from daclass.augment.batch import batch_operation
from daclass.augment.mixing import host_shares, partners
from daclass.augment.variates import uniform

N, CLASSES = 40, 5
AXIS_NAMES = [name for name, axis in AXES.items() if axis.operation]
STRONG = {name: AXES[name].high / (1 if AXES[name].high == 1 else 3) for name in AXIS_NAMES}


def keys(n=N, seed=0, epoch=0):
    return image_keys(epoch_key(0, seed, epoch), np.arange(n))


@pytest.fixture(scope="module")
def images(photographs):
    """Real photographs, 36 x 32 px, as floats."""
    pictures = [np.asarray(picture.resize((36, 32))) for picture in photographs[:N]]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) / 255


@pytest.fixture(scope="module")
def labels():
    return torch.arange(N) % CLASSES


def run(name, images, labels, strengths, image_keys=None):
    used = keys() if image_keys is None else image_keys
    if np.ndim(strengths) == 0:
        strengths = np.full(len(images), strengths)
    return batch_operation(name, CLASSES)(images, labels, strengths, used)


@pytest.mark.parametrize("name", AXIS_NAMES)
def test_the_identity_changes_nothing_to_the_bit(name, images, labels):
    out, targets = run(name, images, labels, AXES[name].identity)
    assert torch.equal(out, images)
    classes = targets.argmax(1) if targets.ndim == 2 else targets
    assert torch.equal(classes, labels) and targets.max() == (1 if targets.ndim == 2 else 4)


@pytest.mark.parametrize("name", AXIS_NAMES)
def test_pictures_change_and_stay_pictures(name, images, labels):
    before = images.clone()
    out, targets = run(name, images, labels, STRONG[name])
    assert torch.equal(images, before), "the argument was changed"
    assert out.shape == images.shape and out.dtype == images.dtype
    assert out.min() >= 0 and out.max() <= 1
    changed = (out != images).flatten(1).any(1).float().mean()
    assert changed > 0.8
    if targets.ndim == 2:
        torch.testing.assert_close(targets.sum(1), torch.ones(N))


@pytest.mark.parametrize("name", AXIS_NAMES)
def test_the_order_of_a_batch_changes_nothing(name, images, labels):
    order = np.random.default_rng(0).permutation(N)
    out, targets = run(name, images, labels, STRONG[name])
    shuffled, others = run(name, images[order], labels[order], STRONG[name], keys()[order])
    torch.testing.assert_close(shuffled, out[order], rtol=0, atol=1e-6)
    torch.testing.assert_close(others, targets[order])


@pytest.mark.parametrize("axis", [AXES[name] for name in AXIS_NAMES if not AXES[name].mixes])
def test_a_sample_does_not_depend_on_its_batch(axis, images, labels):
    together, _ = run(axis.name, images, labels, STRONG[axis.name])
    for start in range(0, N, 7):
        part = slice(start, start + 7)
        alone, _ = run(axis.name, images[part], labels[part], STRONG[axis.name], keys()[part])
        torch.testing.assert_close(alone, together[part], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", AXIS_NAMES)
def test_a_class_policy_changes_its_classes_and_no_others(name, images, labels):
    names = list("abcde")
    plain = Policy(AXES[name], AXES[name].identity)
    changed = Policy(AXES[name], AXES[name].identity, {"b": STRONG[name]})
    first, second = (
        run(name, images, labels, policy.sample_strengths(AXES[name], labels.numpy(), names))[0]
        for policy in (plain, changed)
    )
    same = (first == second).flatten(1).all(1)
    assert same[labels != 1].all() and (~same[labels == 1]).any()


@pytest.mark.parametrize("name", AXIS_NAMES)
def test_epochs_and_seeds_differ(name, images, labels):
    outs = [
        run(name, images, labels, STRONG[name], other)[0]
        for other in (keys(), keys(seed=1), keys(epoch=1))
    ]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (outs[one] != outs[other]).flatten(1).any(1).float().mean() > 0.7


@pytest.mark.parametrize("name", AXIS_NAMES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strengths": np.full(N, math.nan)}, "lies in"),
        ({"strengths": np.full(N, 31.0)}, "lies in"),
        ({"strengths": np.zeros(N - 1)}, "strengths must have shape"),
        ({"labels": torch.zeros(N - 1, dtype=torch.int64)}, "labels must have shape"),
        ({"image_keys": keys()[:3]}, "keys must have shape"),
        ({"image_keys": np.arange(N)}, "uint64"),
    ],
)
def test_bad_batches_are_refused(name, images, labels, change, message):
    arguments = {"strengths": np.zeros(N), "labels": labels} | change
    with pytest.raises(AugmentError, match=message):
        run(name, images, **arguments)


def test_bytes_are_refused(images, labels):
    with pytest.raises(AugmentError, match="must be floats"):
        run("blur", (255 * images).to(torch.uint8), labels, 1.0)


@pytest.mark.parametrize("axis", ["rrc_scale", "hue", AXES["rrc_scale"]])
def test_other_axes_are_refused(axis):
    with pytest.raises(AugmentError, match="no axis of batches"):
        batch_operation(axis, CLASSES)


# Colour jitter


def test_jitter_is_torchvisions_of_each_picture(images):
    strengths = np.linspace(0, 1, N)
    factors, order = jitter_factors(strengths, keys())
    got = color_jitter(images, strengths, keys())
    adjust = (tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation, tv.adjust_hue)
    for number in range(N):
        expected = images[number]
        for part in order[number]:
            expected = adjust[part](expected, factors[number, part])
        # torchvision and kornia weigh grey slightly differently: a quarter of a grey level.
        torch.testing.assert_close(got[number], expected, rtol=0, atol=1e-3)


def test_jitters_factors_are_distributed_as_simclrs():
    factors, order = jitter_factors(np.full(4000, 0.5), keys(4000))
    for part, (low, width) in enumerate([(0.6, 0.8)] * 3 + [(-0.1, 0.2)]):
        assert stats.kstest(factors[:, part], "uniform", (low, width)).pvalue > 1e-3
    _, counts = np.unique(order @ [64, 16, 4, 1], return_counts=True)
    assert len(counts) == 24 and stats.chisquare(counts).pvalue > 1e-3


# Blur


def test_blur_is_torchvisions_of_each_picture(images):
    strengths = np.full(N, 3.0)
    got, _ = run("blur", images, torch.zeros(N, dtype=torch.int64), strengths)
    for number, sigma in enumerate(blur_sigmas(strengths, keys())):
        size = 2 * int(min(np.ceil(3 * sigma), 31)) + 1
        expected = tv.gaussian_blur(images[number], [size, size], [float(sigma)] * 2)
        torch.testing.assert_close(got[number], expected, rtol=0, atol=2e-5)


def test_strengths_of_a_key_share_the_blur():
    np.testing.assert_allclose(
        3 * blur_sigmas(np.ones(N), keys()), blur_sigmas(np.full(N, 3.0), keys())
    )


# Random erasing


def test_erasing_is_distributed_as_torchvisions():
    count = 1500
    ours = erasing_boxes(np.ones(count), keys(count), 60, 80)
    torch.manual_seed(0)
    transform = v2.RandomErasing(p=1.0)
    drawn = [transform.make_params([torch.empty(3, 60, 80)]) for _ in range(count)]
    theirs = np.array([[box[side] for side in "ijhw"] for box in drawn])
    for what, measure in {
        "area": lambda b: b[:, 2] * b[:, 3],
        "aspect": lambda b: b[:, 2] / b[:, 3],
        "top": lambda b: b[:, 0],
        "left": lambda b: b[:, 1],
    }.items():
        p = stats.ks_2samp(measure(ours), measure(theirs)).pvalue
        assert p > 1e-3, f"{what} differs, p = {p:.2g}"


def test_the_strength_is_the_probability_of_erasing_the_same_boxes():
    often, seldom = (erasing_boxes(np.full(2000, p), keys(2000), 32, 32) for p in (0.8, 0.3))
    erased = seldom[:, 2] > 0
    assert abs(erased.mean() - 0.3) < 0.035 and abs((often[:, 2] > 0).mean() - 0.8) < 0.035
    np.testing.assert_array_equal(seldom[erased], often[erased])


def test_what_is_erased_has_the_mean_colour(images, labels):
    out, _ = run("random_erasing", images, labels, 1.0)
    boxes = erasing_boxes(np.ones(N), keys(), *images.shape[-2:])
    for picture, before, (top, left, h, w) in zip(out, images, boxes, strict=True):
        expected = tv.erase(
            before, top, left, h, w, torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
        )
        assert torch.equal(picture, expected)


# Mixing


def test_partners_are_one_circle_of_others():
    found = partners(keys())
    seen = [0]
    while found[seen[-1]] != 0:
        seen.append(found[seen[-1]])
    assert len(seen) == N


@pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
def test_shares_are_beta(alpha):
    shares = host_shares(np.full(3000, alpha), uniform(keys(3000), 0))
    assert stats.kstest(shares, stats.beta(alpha, alpha).cdf).pvalue > 1e-3


def test_mixup_is_the_formula(images, labels):
    out, targets = run("mixup", images, labels, 1.0)
    partner = partners(keys())
    for number in range(N):
        own, other = int(labels[number]), int(labels[partner[number]])
        if own == other:
            continue
        share = float(targets[number, own])
        assert math.isclose(share + float(targets[number, other]), 1, rel_tol=1e-5)
        expected = share * images[number] + (1 - share) * images[partner[number]]
        torch.testing.assert_close(out[number], expected, rtol=0, atol=1e-5)


def test_cutmix_targets_are_the_shares_that_are_seen(images, labels):
    """Pictures of one flat colour a class: the share of a class can be counted in the result."""
    flat = (labels.float() / CLASSES).view(-1, 1, 1, 1).expand(N, 3, 32, 36).contiguous()
    out, targets = run("cutmix", flat, labels, 1.0)
    for number in range(CLASSES):
        seen = torch.isclose(out[:, 0], torch.tensor(number / CLASSES)).float().mean((1, 2))
        torch.testing.assert_close(seen, targets[:, number], rtol=0, atol=1e-5)


def test_cutmix_boxes_are_distributed_as_torchvisions():
    count = 2000
    ours = cutmix_boxes(np.ones(count), keys(count), 60, 80)
    torch.manual_seed(0)
    transform = v2.CutMix(alpha=1.0, num_classes=2)
    picture = torch.empty(2, 3, 60, 80)
    drawn = np.array([transform.make_params([picture])["box"] for _ in range(count)])
    x1, y1, x2, y2 = drawn.T
    theirs = np.stack([y1, x1, y2 - y1, x2 - x1], axis=1)
    for column, what in enumerate(["top", "left", "height", "width"]):
        p = stats.ks_2samp(ours[:, column], theirs[:, column]).pvalue
        assert p > 1e-3, f"{what} differs, p = {p:.2g}"


# RandAugment


@pytest.mark.parametrize("name", NAMES[1:])
@pytest.mark.parametrize("magnitude", [3, 9, 15, 30])
@pytest.mark.parametrize("sign", [1, -1])
def test_operations_of_randaugment_are_torchvisions(name, magnitude, sign, images):
    """On bytes, as torchvision runs it; a few pixels may fall to the other neighbour."""
    reference = v2.RandAugment()
    space = reference._AUGMENTATION_SPACE[name]
    magnitudes = space[0](31, *images.shape[-2:])
    size = 0.0 if magnitudes is None else float(magnitudes[magnitude])
    expected = torch.stack(
        [
            reference._apply_image_or_video_transform(
                picture, name, sign * size if space[1] else size, reference.interpolation, {}
            )
            for picture in (images * 255).round().to(torch.uint8)
        ]
    )
    got = apply(name, images, np.full(N, sign * magnitude / 30))
    off = ((got * 255).round().int() - expected.int()).abs()
    assert (off > 2).float().mean() < 0.01, f"{(off > 2).float().mean():.3f} of the values differ"


def test_randaugment_draws_each_operation_alike():
    chosen, levels = randaugment_choices(np.full(5000, 9.0), keys(5000))
    for turn in range(2):
        counts = np.bincount(chosen[:, turn], minlength=len(NAMES))
        assert stats.chisquare(counts).pvalue > 1e-3
    assert set(np.unique(np.abs(levels))) == {0.3} and abs((levels < 0).mean() - 0.5) < 0.02
