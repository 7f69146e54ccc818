"""A folder as people have them, from `daclass init` to the report, as a new user would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from daclass.augment.pictures import read_picture
from daclass.cli import main
from daclass.config import Layout
from tests.conftest import ROOT, save_pictures

CLASSES = ("ant", "bee", "cät", "dog")
LARGEST = 64  # px, of pictures in the beton
CHANGES = (
    "training.epochs=2 training.warmup_epochs=0 training.resolution=16 training.val_resolution=16 "
    "training.widths=[8,8,16] sweep.strengths=[0.1,0.9] sweep.seeds=[0,1] analysis.reference=0.9 "
    f"beton.max_resolution={LARGEST} analysis.views=[]"
)
pytestmark = pytest.mark.timeout(900)


def layout(study: Path) -> Layout:
    return Layout("my_pictures", study / "results", study / "figures")


def odd_files(folder: Path) -> None:
    """Pictures of every kind that the documentation speaks of, and what is none."""
    grey = Image.fromarray(np.arange(40 * 60, dtype=np.uint8).reshape(40, 60))
    grey.save(folder / "grey.jpg")
    grey.convert("CMYK").save(folder / "cmyk.jpg")
    deep = (np.arange(40 * 60, dtype=np.uint32) * 27).astype(np.uint16).reshape(40, 60)
    Image.fromarray(deep).save(folder / "deep.png")
    grey.convert("RGBA").save(folder / "clear.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    grey.convert("RGB").save(folder / "turned.jpg", exif=exif)
    grey.save(folder / "moves.gif", save_all=True, append_images=[grey.rotate(90)])
    Image.effect_noise((4000, 3000), 60).convert("RGB").save(folder / "huge.jpg")
    (folder / "broken.jpg").write_bytes((folder / "grey.jpg").read_bytes()[:200])
    (folder / "lost.png").symlink_to("nowhere")
    (folder / "._grey.jpg").write_bytes(b"a Mac's note")


def snakemake(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [
            sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"),
            "--cores", "2", *arguments, "--config", "study=mine.yaml", f"set={CHANGES}",
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The folder of a finished study of my pictures."""
    folder = tmp_path_factory.mktemp("mine")
    pictures = folder / "My pictures"
    save_pictures(
        pictures, {f"{s}/{c}": n for s, n in (("train", 12), ("val", 6)) for c in CLASSES}
    )
    odd_files(pictures / "train" / "bee")
    assert main(["init", str(pictures), "-o", str(folder / "mine.yaml")]) == 0
    snakemake(folder)
    return folder


def test_the_report_is_written(study):
    assert "My pictures" in (layout(study).figures / "report.html").read_text(encoding="utf-8")


def test_what_cannot_be_used_is_left_out_and_nothing_else(study):
    index = pd.read_parquet(layout(study).table("index"))
    bees = {Path(image_id).name for image_id in index["image_id"] if "train/bee" in image_id}
    odd = {"grey.jpg", "cmyk.jpg", "deep.png", "clear.png", "turned.jpg", "moves.gif", "huge.jpg"}
    assert bees == odd | {f"{number:03d}.png" for number in range(12)}


@pytest.mark.usefixtures("ffcv")
def test_the_beton_holds_the_pixels_of_every_odd_file(study):
    from ffcv.reader import Reader

    index = pd.read_parquet(layout(study).table("index"))
    train = index[index["split"] == "train"].sort_values("position")
    beton = layout(study).beton("train", 0)
    written = np.memmap(beton, np.uint8, "r")
    stored = Reader(str(beton)).metadata["f0"]
    assert len(stored) == len(train)
    for sample, image_id in zip(stored, train["image_id"], strict=True):
        shape = int(sample["height"]), int(sample["width"]), 3
        start = int(sample["data_ptr"])
        pixels = written[start : start + np.prod(shape)].reshape(shape)
        expected = read_picture(study / "My pictures" / image_id, max_resolution=LARGEST)
        np.testing.assert_array_equal(pixels, expected, err_msg=image_id)


def test_only_a_changed_picture_makes_a_new_index(study):
    assert "Nothing to be done" in snakemake(study)
    save_pictures(study / "My pictures" / "train", {"ant": 1}, seed=9)
    planned = snakemake(study, "--dry-run")
    assert "rule index" in planned
    assert "Params have changed" in planned
