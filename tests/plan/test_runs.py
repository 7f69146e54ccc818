"""Which runs are there, by the keys that training uses."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from daclass.augment import RRC_SCALE, Policy
from daclass.config import Layout
from daclass.plan.counts import count
from daclass.plan.runs import epochs_done, wanted
from daclass.training.runs import fingerprint, plan_fine_tuning, plan_runs
from tests.plan.conftest import DESIGNERS, STRENGTHS, TUNED, study_of
from tests.planting import plant


@pytest.fixture
def layout(tmp_path):
    return Layout("small", tmp_path / "results", tmp_path / "figures")


def index(layout) -> pd.DataFrame:
    rows = [("train", draw, f"{draw}/{n}.png", n % 2) for draw in range(4) for n in range(6)]
    frame = pd.DataFrame(rows, columns=["split", "draw", "image_id", "class_id"])
    frame["position"], frame["half"], frame["content"] = frame.index % 6, "", frame["image_id"]
    plant(study_of(), layout, {"index": frame})
    return frame


def planned(study, layout, frame, policies, seed):
    rows = frame[(frame["split"] == "train") & (frame["draw"] == study.draw(seed))]
    return plan_runs(study.training_digest(), fingerprint(rows), policies, seed, layout.runs)


def train(study, layout, frame, policies, seed):
    """As `daclass train` would leave it."""
    for run in planned(study, layout, frame, policies, seed):
        run.folder.mkdir(parents=True, exist_ok=True)
        run.weights.touch()


def sweep(*strengths):
    return {f"rrc_scale={s:g}": Policy(RRC_SCALE, s) for s in strengths}


def test_before_anything_is_there_all_is_missing_and_no_run_is_doubted(layout):
    found = wanted(study_of(), layout, "sweep")
    assert (found.at_most, len(found.stored), found.open, found.bound) == (6, 0, 6, "")


def test_stored_runs_without_an_index_may_fit_or_not(layout):
    train(study_of(), layout, index(layout), sweep(0.08), 0)
    layout.table("index").unlink()
    found = wanted(study_of(), layout, "sweep")
    assert (found.open, found.bound) == (6, "at most ") and "indexed" in found.why


def test_an_index_of_other_settings_is_none(layout):
    """As a quick look leaves it, whose pictures are fewer."""
    frame = index(layout)
    train(study_of(), layout, frame, sweep(*STRENGTHS), 0)
    assert len(wanted(study_of(), layout, "sweep").stored) == 3
    other = study_of(data={"source": "petri", "draws": 4, "petri": {"train_per_class": 7}})
    assert "indexed" in wanted(other, layout, "sweep").why
    assert count(study_of(), layout).origin == str(layout.table("index"))
    assert count(other, layout).origin == "data.petri"


def test_what_the_store_has_is_not_missing(layout):
    study, frame = study_of(), index(layout)
    train(study, layout, frame, sweep(*STRENGTHS), 0)
    train(study, layout, frame, sweep(0.5), 1)
    found = wanted(study, layout, "sweep")
    assert (len(found.stored), len(found.missing), found.open) == (4, 2, 0)
    assert sorted(run.policy.strength for run in found.missing) == [0.08, 0.9]
    assert {run.seed for run in found.missing} == {1}


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"sweep": {"strengths": [*STRENGTHS, 0.99], "seeds": [0, 1]}}, 2),
        ({"sweep": {"strengths": STRENGTHS, "seeds": [0, 1, 5]}, "interventions": None}, 3),
        ({"training": {"epochs": 5, "warmup_epochs": 1}}, 6),
        ({"analysis": {"confidence": 0.9}}, 0),
    ],
)
def test_a_changed_setting_makes_the_runs_missing_that_depend_on_it(layout, changes, missing):
    for seed in (0, 1):
        train(study_of(), layout, index(layout), sweep(*STRENGTHS), seed)
    assert len(wanted(study_of(**changes), layout, "sweep").missing) == missing


def test_interventions_are_bounded_until_they_are_designed(layout):
    index(layout)
    found = wanted(study_of(), layout, "interventions")
    assert (found.at_most, found.bound) == (6, "at most ") and "the sweep decides" in found.why


def test_equal_policies_share_a_run(layout):
    study, frame = study_of(), index(layout)
    for name in DESIGNERS:
        Policy(RRC_SCALE, 0.08).save(layout.policy("interventions", name))
    assert wanted(study, layout, "interventions").at_most == 2
    train(study, layout, frame, {"any": Policy(RRC_SCALE, 0.08)}, 3)
    (missing,) = wanted(study, layout, "interventions").missing
    assert missing.seed == 2


def test_an_interrupted_run_has_epochs_behind_it(layout):
    index(layout)
    run = wanted(study_of(), layout, "sweep").missing[0]
    run.folder.mkdir(parents=True)
    rows = [json.dumps({"epoch": epoch}) for epoch in (1, 2)]
    run.metrics.write_bytes(("\n".join(rows) + '\n[9]\n{"a": 1}\n\xff\n{"epo').encode("latin-1"))
    assert epochs_done(run) == 0, "without its checkpoint it starts anew"
    run.checkpoint.touch()
    assert epochs_done(run) == 2


def test_fine_tuned_runs_are_known_by_their_parents(layout):
    study, frame = study_of(**TUNED), index(layout)
    for name in DESIGNERS:
        Policy(RRC_SCALE, 0.08 if name == "uniform_tested" else 0.5).save(
            layout.policy("interventions", name)
        )
    assert len(wanted(study, layout, "fine_tuning").missing) == 4
    (parent,) = planned(study, layout, frame, sweep(0.08), 2)
    recipe = study.digest("interventions.fine_tuning")
    for run in plan_fine_tuning(recipe, sweep(0.5), parent, layout.runs):
        run.folder.mkdir(parents=True)
        run.weights.touch()
    found = wanted(study, layout, "fine_tuning")
    assert [(run.seed, run.policy.strength) for run in found.stored] == [(2, 0.5)]
    assert len(found.missing) == 3
