"""Snakemake's profiles: what they make of the machine."""

from __future__ import annotations

import pathlib
import re

import pytest

from tests.conftest import ROOT

LOCAL = ROOT / "workflow" / "profiles" / "local" / "config.v8+.yaml"


@pytest.mark.parametrize("gpus", [0, 1, 4])
def test_the_local_profile_counts_gpus(monkeypatch, gpus):
    yte = pytest.importorskip("yte")
    devices = [pathlib.Path(f"/dev/nvidia{number}") for number in range(gpus)]
    monkeypatch.setattr(pathlib.Path, "glob", lambda *_: iter(devices))
    profile = yte.process_yaml(LOCAL.read_text())
    assert profile["cores"] == "all"
    assert profile.get("resources") == ({"gpu": gpus} if gpus else None)


def test_all_profiles_rerun_for_the_same_reasons():
    """Else a mended shell command would throw finished work away in one of them."""
    files = [
        ROOT / "workflow/profiles/default/config.yaml",
        *(LOCAL.parents[1].glob("*/*.v8+.yaml")),
    ]
    assert len(files) == 3
    found = [re.findall(r"^rerun-\S+ [^#\n]*[^#\s]", file.read_text(), re.M) for file in files]
    assert len(found[0]) == 2 and found.count(found[0]) == 3
