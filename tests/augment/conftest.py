"""Real photographs for the tests of augmentation."""

from __future__ import annotations

import io
import tarfile

import pytest
from PIL import Image


@pytest.fixture(scope="session")
def photographs(real_data):
    """64 ImageNet validation pictures, 227 x 227 px, as RGB."""
    with tarfile.open(real_data / "imagenet_val" / "ilsvrc_val_1300_227px.tar") as tar:
        names = [name for name in tar.getnames() if name.endswith(".JPEG")][::20][:64]
        return [
            Image.open(io.BytesIO(tar.extractfile(name).read())).convert("RGB") for name in names
        ]
