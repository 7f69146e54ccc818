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
        members = [member for member in tar.getmembers() if member.isfile()][::20][:64]
        return [
            Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB")
            for member in members
        ]
