"""Snakemake's profiles: what they make of the machine."""

from __future__ import annotations

import pathlib

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
