"""FFCV as one file: it reads a .beton where there is no compiler, no display and none of the
libraries that it was built with. Needs root, to hide the machine's own."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.conftest import ROOT

LIBRARIES = Path("/usr/lib") / sysconfig.get_config_var("MULTIARCH")
CARRIED = ("libopencv_core", "libopencv_imgproc", "libturbojpeg", "libtbb", "libblas", "liblapack",
           "libGL", "libX11", "libxcb", "libXau", "libXdmcp", "libbsd", "libmd")  # fmt: skip
SCRIPT = """
import numpy as np
from ffcv.fields import IntField, RGBImageField
from ffcv.fields.decoders import CenterCropRGBImageDecoder, IntDecoder
from ffcv.loader import Loader
from ffcv.transforms import ToTensor
from ffcv.writer import DatasetWriter

class Pictures:
    def __len__(self):
        return 8

    def __getitem__(self, position):
        return np.full((40, 50, 3), 30 * position, np.uint8), position

fields = {"image": RGBImageField(write_mode="jpg"), "label": IntField()}
DatasetWriter("few.beton", fields, num_workers=1).from_indexed_dataset(Pictures())
steps = {"image": [CenterCropRGBImageDecoder((32, 32), 1.0), ToTensor()],
         "label": [IntDecoder(), ToTensor()]}
for images, labels in Loader("few.beton", 8, num_workers=1, pipelines=steps):
    shown = images.float().mean(dim=(1, 2, 3)).round().int().tolist()
    print(list(images.shape), labels.flatten().tolist(), shown)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="hiding libraries needs root")
def test_the_wheel_reads_a_beton_where_there_is_nothing_but_python(tmp_path):
    subprocess.run(["bash", ROOT / "workflow" / "ffcv_wheel.sh", tmp_path], check=True)
    (wheel,) = tmp_path.glob("ffcv-*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    # torch and the other large packages are those of this environment; what is tested comes first
    here = sysconfig.get_path("purelib")
    site = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv")}))
    pip = [python, "-m", "pip", "install", "--quiet", "--ignore-installed"]
    subprocess.run(
        [*pip, "--no-deps", wheel, "opencv-python-headless", "-c", ROOT / "constraints.txt"],
        check=True,
    )
    (site / "others.pth").write_text(f"{here}\n")
    (tmp_path / "script.py").write_text(SCRIPT)
    hidden = [file.resolve() for name in CARRIED for file in LIBRARIES.rglob(f"{name}*.so*")]
    hide = " && ".join(f"mount --bind /dev/null {file}" for file in sorted(set(hidden)))
    alone = f"{hide} && exec env -i PATH=/nowhere HOME={tmp_path} {python} script.py"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", alone], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    eight = list(range(8))
    wanted = f"[8, 32, 32, 3] {eight} {[30 * position for position in eight]}"
    assert done.stdout.strip() == wanted
    required = [
        line
        for file in site.glob("ffcv-*.dist-info/METADATA")
        for line in file.read_text().splitlines()
        if line.startswith("Requires-Dist: opencv")
    ]
    assert required == ["Requires-Dist: opencv-python-headless"]
