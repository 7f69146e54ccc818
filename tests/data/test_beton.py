from __future__ import annotations

import os
import resource
import signal
import subprocess
from multiprocessing import active_children

import numpy as np
import pytest
from PIL import Image

from daclass.augment.pictures import read_picture
from daclass.config import Beton
from daclass.data.beton import PAGE_BYTES, write_beton
from daclass.data.sources import content_hash
from daclass.errors import InputError
from tests.conftest import save_pictures


@pytest.mark.usefixtures("ffcv")
def test_a_beton_holds_the_pictures_in_order(tmp_path):
    """More than a page of raw pictures, read back through FFCV's own simplest decoder."""
    from ffcv.fields.basics import IntDecoder
    from ffcv.fields.rgb_image import SimpleRGBImageDecoder
    from ffcv.loader import Loader

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 300, 300, 3), np.uint8)
    files = [tmp_path / f"{number:02d}.png" for number in range(40)]
    for file, content in zip(files, pixels, strict=True):
        Image.fromarray(content).save(file)
    labels = rng.integers(0, 5, 40)
    write_beton(files, labels, Beton(), tmp_path / "p.beton", workers=2)
    loader = Loader(
        str(tmp_path / "p.beton"),
        batch_size=40,
        num_workers=1,
        pipelines={"image": [SimpleRGBImageDecoder()], "label": [IntDecoder()]},
    )
    ((got, got_labels),) = list(loader)
    np.testing.assert_array_equal(got, pixels)
    np.testing.assert_array_equal(got_labels.ravel(), labels)
    sums = ["sha256sum", "--check", "p.beton.sha256"]
    assert not subprocess.run(sums, cwd=tmp_path, check=False).returncode
    with (tmp_path / "p.beton").open("r+b") as file:
        file.seek(1000)
        file.write(b"x")
    assert subprocess.run(sums, cwd=tmp_path, check=False, capture_output=True).returncode == 1


@pytest.mark.usefixtures("ffcv")
def test_unreadable_pictures_are_named_and_nothing_is_left(tmp_path, caplog):
    files = save_pictures(tmp_path / "p", {"a": 3})
    files[1].write_bytes(files[1].read_bytes()[:50])
    files[2].write_bytes(b"")
    with pytest.raises(InputError, match=r"001\.png: not a readable picture .*\(and 1 more"):
        write_beton(files, np.zeros(3, int), Beton(), tmp_path / "out" / "x.beton")
    assert "002.png: not a readable picture" in caplog.text
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.usefixtures("ffcv")
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        # Each of these once stopped a worker of FFCV's writer, which then waited for ever.
        ("cut.ppm", b"P6 50 50 255\n" + bytes(100), r"cut\.ppm: not a readable"),
        ("huge.png", None, r"huge\.png: 4000x3000 px are too large.*max_resolution"),
    ],
)
def test_what_would_hang_the_writer_is_named(tmp_path, name, content, message):
    files = [tmp_path / name] * 1200
    if content is None:
        Image.new("RGB", (4000, 3000)).save(files[0])
    else:
        files[0].write_bytes(content)
    with pytest.raises(InputError, match=message):
        write_beton(files, np.zeros(1200, int), Beton(), tmp_path / "x.beton", workers=2)
    assert not (tmp_path / "x.beton").exists()


@pytest.mark.usefixtures("ffcv")
@pytest.mark.timeout(240)
def test_a_full_disk_ends_the_writer(tmp_path):
    """Its workers die of it, and FFCV would wait for them for ever."""
    import ffcv.writer  # noqa: F401 (compiles, which takes files of its own)

    files = save_pictures(tmp_path / "p", {"a": 40})
    before = set(active_children())  # workers of a loader that another test's process still holds
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE_BYTES // 2, limits[1]))
    try:
        with pytest.raises(InputError, match=r"x\.beton: cannot be written: a worker ended"):
            write_beton(files, np.zeros(40, int), Beton(), tmp_path / "out" / "x.beton", workers=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list((tmp_path / "out").iterdir()) and set(active_children()) <= before


@pytest.mark.usefixtures("ffcv")
@pytest.mark.timeout(240)
def test_a_killed_worker_ends_the_writer(tmp_path, monkeypatch):
    """As the kernel kills one where memory is short."""
    monkeypatch.setattr(
        "daclass.data.beton.read_picture", lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    )
    before = signal.getsignal(signal.SIGCHLD)
    with pytest.raises(InputError, match=r"a worker ended with status -9"):
        write_beton([tmp_path / "p.png"], np.zeros(1, int), Beton(), tmp_path / "x.beton")
    assert signal.getsignal(signal.SIGCHLD) == before


@pytest.mark.usefixtures("ffcv")
def test_large_pictures_are_shrunk_alike_for_every_loader(tmp_path):
    from ffcv.reader import Reader

    Image.new("RGB", (300, 200)).save(tmp_path / "p.png")
    write_beton([tmp_path / "p.png"], np.zeros(1, int), Beton(max_resolution=100), tmp_path / "x")
    field = Reader(str(tmp_path / "x")).metadata["f0"][0]
    assert read_picture(tmp_path / "p.png", 100).shape[:2] == (field["height"], field["width"])


@pytest.mark.usefixtures("ffcv")
def test_no_pictures_are_refused(tmp_path):
    with pytest.raises(InputError, match="no pictures"):
        write_beton([], np.zeros(0, int), Beton(), tmp_path / "x.beton")


@pytest.mark.usefixtures("ffcv")
def test_a_picture_that_is_another_than_was_listed_is_named(tmp_path):
    files = save_pictures(tmp_path / "set", {"cat": 3})
    contents = [content_hash(file) for file in files]
    files[1].write_bytes(files[2].read_bytes())
    with pytest.raises(InputError, match=r"001\.png: is not the picture that was listed"):
        write_beton(files, np.arange(3), Beton(), tmp_path / "a.beton", contents=contents)
    assert not (tmp_path / "a.beton").exists()
