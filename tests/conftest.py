"""What several rooms' tests share: real data where it is at hand, small pictures, FFCV."""

from __future__ import annotations

import importlib.util
import io
import os
import tarfile
from pathlib import Path
from typing import NoReturn

# Before numba is imported: tests use more workers than small machines have cores.
os.environ.setdefault("NUMBA_NUM_THREADS", "4")

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
CI = os.environ.get("CI") == "true"


def absent(what: str) -> NoReturn:
    """Skip visibly for want of `what`; on CI, where everything must be there, fail."""
    if CI:
        pytest.fail(f"{what} is missing, and CI=true")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real pictures, predictions and annotations."""
    folder = Path(os.environ.get("DACLASS_TEST_DATA", ROOT / ".." / "shared" / "data")).resolve()
    if not folder.is_dir():
        absent(f"the real data ({folder}; set DACLASS_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def photographs(real_data):
    """64 ImageNet validation pictures, 227 x 227 px, as RGB."""
    with tarfile.open(real_data / "imagenet_val" / "ilsvrc_val_1300_227px.tar") as tar:
        names = [name for name in tar.getnames() if name.endswith(".JPEG")][::20][:64]
        return [
            Image.open(io.BytesIO(tar.extractfile(name).read())).convert("RGB") for name in names
        ]


@pytest.fixture(scope="session")
def ffcv() -> None:
    if importlib.util.find_spec("ffcv") is None:
        absent("FFCV")


def save_pictures(root: Path, counts: dict[str, int], seed: int = 0) -> list[Path]:
    """Write `counts[class folder]` noisy PNG pictures of varied size below `root`."""
    rng = np.random.default_rng(seed)
    files = []
    for folder, count in counts.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            height, width = rng.integers(20, 60, 2)
            pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
            files.append(root / folder / f"{number:03d}.png")
            Image.fromarray(pixels).save(files[-1])
    return files
