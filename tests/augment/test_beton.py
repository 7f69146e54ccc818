from __future__ import annotations

import numpy as np
import pytest

from daclass.augment import AugmentError
from tests.conftest import save_pictures

pytestmark = pytest.mark.usefixtures("ffcv")


@pytest.fixture(scope="module")
def beton(tmp_path_factory):
    from daclass.config import Beton
    from daclass.data.beton import write_beton

    folder = tmp_path_factory.mktemp("labels")
    files = save_pictures(folder, {"a": 7, "b": 5})
    write_beton(files, np.repeat([0, 1], [7, 5]), Beton(), folder / "p.beton")
    return folder / "p.beton"


def test_labels_are_read_without_decoding(beton):
    from daclass.augment.beton import read_labels

    labels = read_labels(beton)
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, np.repeat([0, 1], [7, 5]))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: path.write_bytes(b""), "cut short, or not"),
        (lambda path: path.write_bytes(b"nonsense" * 1000), "cut short, or not"),
        (lambda path: path.write_bytes(path.read_bytes()[:20_000]), "cut short, or not"),
        (lambda path: path.write_bytes(path.read_bytes()[:-4_000_000]), "cut short, or not"),
        (lambda path: path.write_bytes(path.read_bytes()[:-10]), "cut short, or not"),
    ],
)
def test_a_damaged_file_is_named(beton, tmp_path, damage, message):
    from daclass.augment.beton import read_labels

    path = tmp_path / "copy.beton"
    path.write_bytes(beton.read_bytes())
    damage(path)
    with pytest.raises(AugmentError, match=message) as error:
        read_labels(path)
    assert "copy.beton" in str(error.value)


@pytest.mark.parametrize("field", ["class", "image"])
def test_a_field_without_labels_is_named(beton, field):
    from daclass.augment.beton import read_labels

    with pytest.raises(AugmentError, match=f"no integer field '{field}'"):
        read_labels(beton, field)
