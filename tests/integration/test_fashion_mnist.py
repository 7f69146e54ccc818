"""The real files, as Debian's dataset-fashion-mnist installs them."""

from __future__ import annotations

import numpy as np

from daclass.config import FashionMnistData
from daclass.data.fashion_mnist import CLASSES, read_split
from tests.conftest import absent


def test_the_real_set_is_whole():
    root = FashionMnistData(source="fashionmnist").root
    if not root.is_dir():
        absent("Fashion-MNIST (Debian's dataset-fashion-mnist)")
    pixels, labels = read_split(root, "test")
    assert np.bincount(labels).tolist() == [1000] * 10
    assert np.bincount(read_split(root, "train")[1]).tolist() == [6000] * 10
    # The first test picture, an ankle boot: wide below, nothing above.
    assert CLASSES[labels[0]] == "ankle boot"
    assert pixels[0, :5].max() == 0
    assert pixels[0, 14:20].mean() > 100
