from __future__ import annotations

import functools
import gzip

import numpy as np
import pytest
from PIL import Image

from daclass.config import FashionMnistData
from daclass.data import fashion_mnist, wordnet
from daclass.data.index import build_index
from daclass.data.pictures import write_pictures
from daclass.data.sources import open_source
from daclass.errors import InputError
from tests.conftest import absent


def idx(array):
    """The idx format as its description has it (yann.lecun.com/exdb/mnist)."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + sizes + array.tobytes()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A set of 40 and 20 pictures, gzipped as Debian's files are."""
    monkeypatch.setattr(fashion_mnist, "PARTS", {"train": ("train", 40), "test": ("t10k", 20)})
    monkeypatch.setattr("daclass.data.pictures.PARTS", fashion_mnist.PARTS)
    rng = np.random.default_rng(0)
    for start, count in fashion_mnist.PARTS.values():
        pixels = rng.integers(0, 256, (count, 28, 28), np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for kind, content in (("images-idx3", pixels), ("labels-idx1", labels)):
            file = tmp_path / "set" / f"{start}-{kind}-ubyte.gz"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(gzip.compress(idx(content)))
    return tmp_path / "set"


def data(root, **settings):
    return FashionMnistData(source="fashionmnist", root=root, **settings)


def test_pictures_are_those_of_the_file(small, tmp_path):
    write_pictures(data(small), tmp_path / "pictures")
    pixels, labels = fashion_mnist.read_split(small, "train")
    for place in (0, 17, 39):
        name = f"train/{fashion_mnist.CLASSES[labels[place]]}/{place:05d}.png"
        np.testing.assert_array_equal(Image.open(tmp_path / "pictures" / name), pixels[place])
    settings = data(small, train_per_class=2, draws=2, val_per_class=1)
    index = build_index(open_source(settings, tmp_path / "pictures"), 0).index
    assert index.groupby(["split", "draw"]).size().to_dict() == {
        ("train", 0): 20,
        ("train", 1): 20,
        ("val", -1): 10,
    }
    assert not index["image_id"].duplicated().any()


def test_torchvisions_folder_does_as_well(small, tmp_path):
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for file in small.iterdir():
        (raw / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
    for found, wanted in zip(
        fashion_mnist.read_split(tmp_path, "test"),
        fashion_mnist.read_split(small, "test"),
        strict=True,
    ):
        np.testing.assert_array_equal(found, wanted)


IMAGES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
PIXELS = np.zeros((20, 28, 28), np.uint8)


# Without the time, which would give these tests other names in every process that collects them.
packed = functools.partial(gzip.compress, mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (IMAGES, None, "holds neither t10k-images"),
        (IMAGES, b"", "not an idx file"),
        (IMAGES, b"no gzip", "cannot be read"),
        (IMAGES, packed(idx(PIXELS))[:-30], "cannot be read"),
        (IMAGES, packed(idx(PIXELS)[:-1]), "cut short"),
        (IMAGES, packed(idx(PIXELS) + b"x"), "longer than its header says"),
        (IMAGES, packed(idx(PIXELS[:19])), "not an idx file of 20 x 28 x 28 bytes"),
        (IMAGES, packed(idx(PIXELS[:, 0, 0])), "not an idx file of 20 x 28 x 28 bytes"),
        (LABELS, packed(idx(np.full(20, 10, np.uint8))), "10 is no class number"),
    ],
)
def test_a_bad_file_is_named_and_nothing_is_left(small, tmp_path, name, content, message):
    (small / name).unlink()
    if content is not None:
        (small / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        write_pictures(data(small), tmp_path / "deep" / "pictures")
    assert name.removesuffix(".gz") in str(error.value)
    assert not list((tmp_path / "deep").iterdir())


def test_the_tree_is_wordnets():
    if not (wordnet.DEFAULT_FOLDER / "index.noun").is_file():
        absent("WordNet (wordnet-base)")
    nouns = {"t-shirt or top": "t-shirt", "ankle boot": "boot"}
    for name, path in fashion_mnist.TREE.items():
        way = wordnet.class_path(nouns.get(name, name)).split("/")
        wanted = [*way, name] if name == "ankle boot" else [*way[:-1], name]
        assert path.split("/") == wanted
    assert set(fashion_mnist.TREE) == set(fashion_mnist.CLASSES)
