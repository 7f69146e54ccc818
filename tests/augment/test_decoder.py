"""The FFCV decoder on real files: equal to the NumPy boxes, whatever the workers and the order."""

from __future__ import annotations

import numpy as np
import pytest

from daclass.augment import RRC_SCALE, AugmentError, Policy, random_resized_crop_boxes
from daclass.augment.variates import epoch_key, flips, image_keys
from tests.conftest import save_pictures

pytestmark = pytest.mark.usefixtures("ffcv")
SIDE = 16
COUNT = 70


def write(folder, write_mode):
    from daclass.config import Beton
    from daclass.data.beton import write_beton

    files = save_pictures(folder, {"a": COUNT // 2, "b": COUNT // 2})
    labels = np.repeat([0, 1], COUNT // 2)
    write_beton(files, labels, Beton(write_mode=write_mode), folder / "p.beton")
    return folder / "p.beton"


@pytest.fixture(scope="module")
def beton(tmp_path_factory):
    return write(tmp_path_factory.mktemp("beton"), "raw")


@pytest.fixture(scope="module")
def one_strength(beton):
    """The crops that most tests compare with."""
    return crops(beton, uniform(0.08))


def load(beton, decoder, indices=None, workers=1, batch=COUNT):
    from ffcv.loader import Loader, OrderOption
    from ffcv.transforms import ToTensor

    return Loader(
        str(beton),
        batch_size=batch,
        num_workers=workers,
        order=OrderOption.SEQUENTIAL,
        indices=indices,
        drop_last=False,
        pipelines={"image": [decoder, ToTensor()], "label": None},
    )


def crops(
    beton, strengths, *, workers=1, batch=16, epoch=0, order=None, flip=0.5, seed=3, shrink="area"
):
    """Crops by picture: uint8 [pictures, policies, side, side, 3]."""
    from daclass.augment.decoder import PolicyCropDecoder

    strengths = np.asarray(strengths, float)
    count = strengths.shape[-1]
    decoder = PolicyCropDecoder(SIDE, strengths, run_seed=seed, flip=flip, shrink=shrink)
    decoder.set_epoch(epoch)
    indices = np.arange(count, dtype=np.uint64) if order is None else order.astype(np.uint64)
    loader = load(beton, decoder, indices=indices, workers=workers, batch=batch)
    found = np.concatenate([batch.numpy().copy() for (batch,) in loader])
    placed = np.empty_like(found)
    placed[indices.astype(int)] = found
    return placed


def uniform(*strengths):
    return np.repeat(np.array(strengths)[:, None], COUNT, axis=1)


@pytest.mark.parametrize(
    ("write_mode", "shrink"), [("raw", "area"), ("raw", "opencv"), ("jpg", "area")]
)
def test_pixels_are_those_of_the_numpy_boxes(tmp_path, write_mode, shrink):
    """Cut with the NumPy boxes, shrink with OpenCV as FFCV does: the same bytes."""
    import cv2
    from ffcv.reader import Reader

    beton, strengths = write(tmp_path, write_mode), uniform(0.08, 0.5)
    got = crops(beton, strengths, epoch=2, shrink=shrink)
    reader = Reader(str(beton))
    sizes = np.stack([reader.metadata["f0"]["height"], reader.metadata["f0"]["width"]]).astype(int)
    image = image_keys(epoch_key(0, 3, 2), np.arange(COUNT))
    mirrored = flips(image, 0.5)
    raw = np.memmap(beton, np.uint8, "r")
    for k, row in enumerate(strengths):
        boxes = random_resized_crop_boxes(image, *sizes, row)
        for number, (top, left, h, w) in enumerate(boxes):
            field = reader.metadata["f0"][number]
            height, width = sizes[:, number]
            start = int(field["data_ptr"])
            if field["mode"] == 1:
                picture = np.asarray(raw[start : start + 3 * height * width])
                picture = picture.reshape(height, width, 3)
            else:
                place = np.flatnonzero(reader.alloc_table["ptr"] == field["data_ptr"])[0]
                data = np.asarray(raw[start : start + int(reader.alloc_table["size"][place])])
                picture = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            expected = cv2.resize(
                picture[top : top + h, left : left + w], (SIDE, SIDE), interpolation=cv2.INTER_AREA
            )
            expected = expected[:, ::-1] if mirrored[number] else expected
            # JPEG decoders may round differently; raw pictures agree to the bit up to resizing.
            difference = np.abs(expected.astype(int) - got[number, k].astype(int))
            assert difference.max() <= (1 if field["mode"] == 1 else 24)
            # Boxes of twice the side end in ties, which OpenCV rounds up there alone.
            assert difference.mean() <= (0.05 if field["mode"] == 1 else 1.5)


@pytest.mark.parametrize("change", [{"workers": 2}, {"workers": 4, "batch": 7}])
def test_workers_and_batches_change_nothing(beton, one_strength, change):
    np.testing.assert_array_equal(one_strength, crops(beton, uniform(0.08), **change))


def test_that_as_many_workers_really_work():
    """numba refuses more threads than NUMBA_NUM_THREADS, which the tests set to 4."""
    from numba.np.ufunc.parallel import get_thread_count

    assert get_thread_count() >= 4, "set NUMBA_NUM_THREADS=4"


def test_order_changes_nothing(beton, one_strength):
    order = np.random.default_rng(0).permutation(COUNT)
    np.testing.assert_array_equal(one_strength, crops(beton, uniform(0.08), order=order))


def test_one_policy_of_five_is_that_policy_alone(beton):
    five = crops(beton, uniform(0.08, 0.25, 0.5, 0.75, 0.99))
    np.testing.assert_array_equal(five[:, 2:3], crops(beton, uniform(0.5)))


@pytest.mark.parametrize("change", [{"epoch": 1}, {"seed": 4}])
def test_epochs_and_seeds_differ(beton, one_strength, change):
    other = crops(beton, uniform(0.08), **change)
    assert (one_strength != other).any(axis=(1, 2, 3, 4)).mean() > 0.9


def test_an_epoch_reaches_a_compiled_loader(beton, one_strength):
    """Any epoch of one loader equals a loader that starts there, without recompiling."""
    from daclass.augment.decoder import PolicyCropDecoder

    decoder = PolicyCropDecoder(SIDE, uniform(0.08), run_seed=3)
    loader = load(beton, decoder)
    for epoch, expected in ((1, crops(beton, uniform(0.08), epoch=1)), (0, one_strength)):
        decoder.set_epoch(epoch)
        code = loader.code
        (got,) = next(iter(loader))
        assert loader.code is code
        np.testing.assert_array_equal(got.numpy(), expected)


def test_a_class_policy_changes_its_classes_and_no_others(beton):
    labels = np.repeat([0, 1], COUNT // 2)
    plain = Policy(RRC_SCALE, 0.08).strengths(["a", "b"])[labels]
    changed = Policy(RRC_SCALE, 0.08, {"b": 0.9}).strengths(["a", "b"])[labels]
    both = crops(beton, np.stack([plain, changed]))
    same = (both[:, 0] == both[:, 1]).all(axis=(1, 2, 3))
    assert same[labels == 0].all()
    assert same[labels == 1].mean() < 0.1


@pytest.mark.parametrize(
    ("strengths", "message"),
    [
        (np.full(COUNT, 0.5), "policies, samples"),
        (np.full((1, COUNT), 0.0), "lies in"),
        (np.full((1, COUNT), np.nan), "lies in"),
        (np.full((1, COUNT - 1), 0.5), "cover 69 samples"),
    ],
)
def test_bad_strengths_are_refused_before_an_epoch(beton, strengths, message):
    with pytest.raises(AugmentError, match=message):
        crops(beton, strengths)


def test_compiled_boxes_equal_numpys_to_the_integer():
    from daclass.augment.decoder import crop_box

    rng = np.random.default_rng(0)
    n = 50_000
    keys = image_keys(epoch_key(1, 2, 3), np.arange(n))
    heights, widths = rng.integers(1, 600, (2, n))
    strengths = rng.choice([0.001, 0.08, 0.25, 0.5, 0.9, 0.99, 1.0], n)
    numpys = random_resized_crop_boxes(keys, heights, widths, strengths)
    compiled = [
        crop_box(key, height, width, strength)
        for key, height, width, strength in zip(keys, heights, widths, strengths, strict=True)
    ]
    np.testing.assert_array_equal(np.array(compiled), numpys)


def test_pixels_are_torchvisions_within_a_tolerance(tmp_path, photographs):
    """Real photographs, cut at the same boxes: area averages beside a bilinear filter twice as
    wide. docs/augment.md states the tolerance."""
    from daclass.augment.dataset import PolicyCropDataset
    from daclass.config import Beton
    from daclass.data.beton import write_beton

    files = [tmp_path / f"{number:02d}.png" for number in range(len(photographs))]
    for file, picture in zip(files, photographs, strict=True):
        picture.save(file)
    labels = np.zeros(len(files), int)
    write_beton(files, labels, Beton(write_mode="raw"), tmp_path / "p.beton")
    strengths = np.repeat([[0.08], [0.5]], len(files), axis=1)
    got = crops(tmp_path / "p.beton", strengths, epoch=2)
    reference = PolicyCropDataset(files, labels, SIDE, strengths, run_seed=3)
    reference.set_epoch(2)
    expected = np.stack([reference[n][0].permute(0, 2, 3, 1).numpy() for n in range(len(files))])
    difference = np.abs(got.astype(int) - expected).mean(axis=(2, 3, 4))
    others = np.abs(got.astype(int) - np.roll(expected, 1, axis=0)).mean(axis=(2, 3, 4))
    assert difference.mean() < 5 and difference.max() < 10, (difference.mean(), difference.max())
    assert (difference < others).all()


def test_a_damaged_jpeg_is_named(tmp_path):
    """FFCV would show the picture that was decoded before."""
    from ffcv.reader import Reader

    beton = write(tmp_path, "jpg")
    reader = Reader(str(beton))
    (row,) = np.flatnonzero(reader.alloc_table["sample_id"] == 7)
    content = bytearray(beton.read_bytes())
    start = int(reader.alloc_table["ptr"][row])
    content[start : start + 40] = bytes(40)
    beton.write_bytes(content)
    from daclass.augment.decoder import PolicyCropDecoder

    decoder = PolicyCropDecoder(SIDE, uniform(0.5), run_seed=0)
    for _ in load(beton, decoder):
        pass
    with pytest.raises(AugmentError, match="sample 7 "):
        decoder.check()
    with pytest.raises(AugmentError, match="sample 7 "):
        decoder.set_epoch(1)


def test_positions_come_with_the_batches(beton):
    from ffcv.fields.basics import IntDecoder
    from ffcv.loader import Loader, OrderOption
    from ffcv.pipeline import PipelineSpec
    from ffcv.transforms import Squeeze, ToTensor

    from daclass.augment.decoder import PositionDecoder

    loader = Loader(
        str(beton),
        batch_size=16,
        num_workers=1,
        order=OrderOption.RANDOM,
        drop_last=False,
        pipelines={
            "image": None,
            "label": [IntDecoder(), ToTensor(), Squeeze()],
            "position": PipelineSpec(
                "label", decoder=PositionDecoder(), transforms=[ToTensor(), Squeeze()]
            ),
        },
    )
    batches = [(y.numpy().copy(), where.numpy().copy()) for y, where in loader]
    labels, positions = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    assert not np.array_equal(positions, np.arange(COUNT))
    np.testing.assert_array_equal(np.sort(positions), np.arange(COUNT))
    np.testing.assert_array_equal(labels, positions >= COUNT // 2)
