"""Cores beside GPUs: held against what an H200 machine did, and against what is said about it."""

from __future__ import annotations

import pytest
from PIL import Image

from daclass.check import check
from daclass.config import Study
from daclass.plan.cores import demand, told
from tests.conftest import ROOT

PHOTOGRAPHS = [(375, 500)]


def imagenet(strengths=8, **machine):
    study = Study.load(ROOT / "configs/imagenet-fast.yaml")
    return study.model_copy(
        update={
            "sweep": study.sweep.model_copy(update={"strengths": study.strengths[:strengths]}),
            "machine": study.machine.model_copy(update=machine),
        }
    )


@pytest.mark.parametrize(("runs", "limit", "measured"), [(1, 23_982, 8_426), (8, 24_000, 22_334)])
def test_the_share_that_the_h200_machine_reached(runs, limit, measured):
    """benchmarks/results/h200.jsonl: ResNet-18 with its loader on 16 cores."""
    found = demand(imagenet(runs, threads=16), "sweep", limit, PHOTOGRAPHS)
    assert found.crops == runs
    assert found.share == pytest.approx(measured / limit, abs=0.08)


def test_as_many_threads_as_are_named_are_enough():
    short = demand(imagenet(threads=2), "sweep", 24_000, PHOTOGRAPHS)
    assert short.share < 1
    enough = demand(imagenet(threads=short.needed), "sweep", 24_000, PHOTOGRAPHS)
    assert enough.share == 1 and enough.needed == short.needed
    assert "the GPUs are the limit" in told(imagenet(), enough, "H200")
    text = told(imagenet(), short, "H200")
    assert "the cores are the limit on H200" in text and f"machine.threads: {short.needed}" in text
    assert "beton.max_resolution" in text and "beton.write_mode: raw" in text


def test_runs_on_one_decode_smaller_pictures_and_pixels_need_fewer_cores():
    def needed(study, sizes=PHOTOGRAPHS):
        return demand(study, "sweep", 24_000, sizes).needed

    eight = imagenet(8)
    raw = eight.model_copy(update={"beton": eight.beton.model_copy(update={"write_mode": "raw"})})
    assert needed(imagenet(1)) > needed(eight) > needed(raw)
    assert needed(eight) > needed(eight, [(188, 250)])
    jitter = eight.model_copy(
        update={"augmentation": eight.augmentation.model_copy(update={"axis": "color_jitter"})}
    )
    assert demand(jitter, "sweep", 24_000, PHOTOGRAPHS).crops == 1


def test_processes_share_what_is_asked():
    study = Study.load(ROOT / "configs/imagenet.yaml")
    assert demand(study, "sweep", 80_000, []).asked == 80_000 / 10 / 8


@pytest.mark.parametrize(("threads", "said"), [(1, True), (12, False)])
def test_check_says_when_the_cores_will_be_the_limit(tmp_path, threads, said):
    for part in ("train", "val"):
        (tmp_path / part / "n01440764").mkdir(parents=True)
        Image.new("RGB", (500, 375)).save(tmp_path / part / "n01440764" / "a.jpg")
    study = imagenet(threads=threads)
    here = study.data.model_copy(update={"root": tmp_path})
    small = study.training.model_copy(update={"batch_size": 1})  # there is one picture
    study = study.model_copy(update={"data": here, "training": small})
    lines = [line for line in check(study) if "the limit" in line]
    assert bool(lines) == said
    assert all("on H200" in line or "on A100" in line for line in lines)


@pytest.mark.parametrize("name", ["imagenet", "imagenet-fast"])
def test_shipped_configs_give_their_gpus_enough_threads_and_few_more(name):
    from daclass.plan.speed import published

    study = Study.load(ROOT / f"configs/{name}.yaml")
    needed = [demand(study, "sweep", speed.pictures, []).needed for speed in published(study)]
    assert study.machine.threads == max(needed)
