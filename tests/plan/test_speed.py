"""Hours of training from published, stored and measured speeds."""

from __future__ import annotations

import json

import pytest
import torch

from daclass.augment import RRC_SCALE, Policy
from daclass.config import Layout, Study
from daclass.plan.counts import Counts
from daclass.plan.runs import Wanted
from daclass.plan.speed import Speed, job_hours, measured, published, stored, work
from daclass.training.runs import Run
from tests.conftest import ROOT
from tests.plan.conftest import TUNED, study_of

IMAGENET = Counts(1_281_167, 50_000, 1000, "its paper")


def test_the_published_recipe_takes_its_published_time():
    """configs/imagenet-fast.yaml copies rn18_16_epochs, which took 35.0 minutes on one A100."""
    study = Study.load(ROOT / "configs/imagenet-fast.yaml")
    speed, h200 = published(study)
    assert (speed.unit, speed.units) == ("A100", 1)
    assert (h200.unit, h200.side) == ("H200", 192)
    assert h200.pictures == pytest.approx(24_882, rel=0.01), "measured with eight runs"
    one = Wanted("sweep", 1, [0], (), 1)
    assert job_hours(study, IMAGENET, speed, one) == [pytest.approx(35 / 60, rel=0.01)]


def test_a_job_on_eight_gpus_is_eight_times_as_fast():
    study = Study.load(ROOT / "configs/imagenet.yaml")
    speed, _ = published(study)
    assert speed.units == 8
    # 77.2 minutes for 88 epochs at 160 to 192 px; 176 px all the time takes about a tenth longer.
    hours = job_hours(study, IMAGENET, speed, Wanted("sweep", 1, [0], (), 1))
    assert hours == [pytest.approx(77.2 / 60 * (176 / 166.7) ** 2, rel=0.01)]


def test_an_unknown_network_has_no_published_speed():
    assert published(study_of(training={"model": "vgg11"})) == []


def test_work_counts_whole_batches_and_areas():
    ramp = {"from_resolution": 16, "start_epoch": 0, "end_epoch": 2, "multiple": 16}
    training = study_of(
        training={"epochs": 4, "warmup_epochs": 1, "resolution": 32, "resizing": ramp}
    ).training
    # 200 pictures are one step of 128; sides 16, 32 (24 rounds up), 32, 32.
    assert work(training, 200, 0, 32) == 128 * (0.25 + 3)
    assert work(training, 200, 3, 32) == 128
    assert work(training, 200, 0, 16) == 4 * work(training, 200, 0, 32)


def test_hours_fall_on_the_seeds_that_lack_runs(tmp_path):
    study = study_of()
    runs = [
        Run(f"{s}", Policy(RRC_SCALE, s), seed, "x", tmp_path)
        for seed, strengths in ((0, (0.08,)), (1, (0.08, 0.5)))
        for s in strengths
    ]
    speed = Speed(128 * study.training.epochs / 3600, 32, 1, "", "")  # a run an hour
    phase = Wanted("sweep", 2, [0, 1], runs)
    assert job_hours(study, Counts(130, 1, 2, ""), speed, phase) == pytest.approx([1, 2])


def test_fine_tuning_takes_its_own_epochs(tmp_path):
    study, counts = study_of(**TUNED), Counts(130, 1, 2, "")
    run = Run("r", Policy(RRC_SCALE, 0.5), 2, "x", tmp_path)
    speed = Speed(128 / 3600, 32, 1, "", "")  # an epoch an hour
    phase = Wanted("fine_tuning", 1, [2], [run])
    assert job_hours(study, counts, speed, phase) == [pytest.approx(2)]
    run.folder.mkdir()
    run.checkpoint.touch()
    run.metrics.write_text(json.dumps({"epoch": study.training.epochs + 1}) + "\n")
    assert job_hours(study, counts, speed, phase) == [pytest.approx(1)]


def finished(store, name, study, speeds):
    """A trained run of an earlier form of the study, with its journal."""
    run = Run(name, Policy(RRC_SCALE, 0.5), 7, name, store)
    run.folder.mkdir(parents=True)
    run.save_weights(torch.nn.Linear(1, 1), study.model_dump_json(), 1.0)
    rows = [{"epoch": 1, "images_per_second": speed, "resolution": 32} for speed in speeds]
    run.metrics.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def test_stored_speeds_are_those_of_this_recipe(tmp_path):
    layout, study = Layout("small", tmp_path), study_of()
    assert stored(study, layout, []) is None
    finished(layout.runs, "longer", study_of(training={"epochs": 9}), [100, 200, 900])
    finished(layout.runs, "wider", study_of(training={"widths": [8, 8, 8]}), [5, 5, 5, 5, 5, 5])
    (layout.runs / "cut").mkdir()
    (layout.runs / "cut" / "weights.safetensors").write_bytes(b"no weights")
    found = stored(study, layout, [])
    assert found.pictures == 200 and "1 runs" in found.origin


def test_a_measured_speed_is_of_real_steps():
    small = {"widths": [8, 8, 16], "resolution": 16, "batch_size": 16}
    study = study_of(training=small, machine={"device": "cpu", "threads": 1})
    found = measured(study, Counts(100, 10, 5, ""), 0.2)
    steps, seconds = (float(found.origin.split()[place]) for place in (0, -2))
    assert seconds >= 0.2
    assert found.pictures == pytest.approx(16 * steps / seconds, rel=0.3)  # seconds are rounded
    assert (found.unit, found.units, found.side) == ("core", 1, 16)
