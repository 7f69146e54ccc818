"""The check for GPU machines, on whatever machine the tests run on."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.usefixtures("ffcv")
def test_every_section_of_the_gpu_check_finds_something(real_data, tmp_path):
    photographs = real_data / "imagenet_val" / "ilsvrc_val_1300_227px.tar"
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), str(photographs), "--small"]
    command += ["--out", str(tmp_path / "gpu.jsonl"), "--seconds", "0.05", "--limit", "3000"]
    sections = "waits,limit,small,processes,share,prediction,axes,resume,checkpoint,alone"
    command += ["--sections", sections]
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = [json.loads(line) for line in (tmp_path / "gpu.jsonl").read_text().splitlines()]
    said = {each["what"] for each in found}
    names = {"waits", "limit", "small", "small equal", "small processes", "share", "prediction"}
    names |= {"axis", "resume", "checkpoint", "alone"}
    assert names <= said, said
    (resume,) = (each for each in found if each["what"] == "resume")
    assert (resume["status"], resume["again_differs"], resume["resumed_differs"]) == (143, 0, 0)
