"""A whole study of another axis through Snakemake; fine-tuning as a phase that comes and goes."""

from __future__ import annotations

import html
import json

import pandas as pd
import pytest

from daclass.analysis.cells import one_view
from daclass.config import Study
from tests.conftest import ROOT
from tests.test_workflow import snakemake

CONFIG = ROOT / "tests" / "tiny_jitter.yaml"
WITHOUT = "interventions.fine_tuning=null"


def weights(folder):
    found = folder.glob("results/runs/*/weights.safetensors")
    return {path.parent.name: path.stat().st_mtime_ns for path in found}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Trained without fine-tuning, then with it to the end; and the weights there were before."""
    folder = tmp_path_factory.mktemp("axes")
    target = "results/jitter/trained/interventions/seed1.json"
    first = snakemake(folder, target, change=WITHOUT, study=CONFIG)
    assert first.returncode == 0, first.stdout + first.stderr
    before = weights(folder)
    second = snakemake(folder, study=CONFIG)
    assert second.returncode == 0, second.stdout + second.stderr
    return folder, before


def read(folder, name):
    return pd.read_parquet(folder / "results" / "jitter" / f"{name}.parquet")


def summary(folder):
    return json.loads((folder / "results/jitter/summary.json").read_text())


def trained(folder, phase):
    return json.loads((folder / f"results/jitter/trained/{phase}/seed1.json").read_text())


def test_fine_tuning_trains_its_own_runs_and_none_again(study):
    folder, before = study
    after = weights(folder)
    assert {name: after[name] for name in before} == before
    added = {f"seed1-{run['run']}" for run in trained(folder, "fine_tuning").values()}
    assert after.keys() - before.keys() == added
    parent = trained(folder, "interventions")["uniform_tested"]["run"]
    runs = trained(folder, "fine_tuning").values()
    assert all(run["settings"].startswith(f"{parent}-") for run in runs)
    # The very policies of the other phase.
    names = Study.load(CONFIG).policy_names("interventions")
    for name in names:
        scratch = trained(folder, "interventions")[name]
        tuned = trained(folder, "fine_tuning")[f"fine_tuned_{name}"]
        assert tuned["policy"] == scratch["policy"] and tuned["run"] != scratch["run"]
    assert len(trained(folder, "fine_tuning")) == len(names)


def test_fine_tuned_policies_stand_beside_the_others(study):
    folder, _ = study
    both = [read(folder, f"predictions/{phase}") for phase in ("interventions", "fine_tuning")]
    view = Study.load(CONFIG).training.val_crop
    predictions = one_view(pd.concat(both, ignore_index=True), view)
    index = read(folder, "data/index").set_index("image_id")
    rows = predictions.join(index[["class_id", "half"]], on="image_id")
    rows = rows[rows["half"] == "estimate"]
    right = (rows["prediction"] == rows["class_id"]).groupby(rows["policy"]).mean()
    for pool, draws in Study.load(CONFIG).controls().items():
        right[pool] = right[list(draws)].mean()
    shown = read(folder, "interventions").query("group == 'all' and truth == 'original'")
    own = shown["policy"].isin(right.index) & shown["baseline"].isin(right.index)
    shown = shown[own]  # what costs no training, as other views, is not in these predictions
    for row in shown.itertuples():
        assert row.accuracy == pytest.approx(right[row.policy])
        assert row.difference == pytest.approx(right[row.policy] - right[row.baseline])
    study = Study.load(CONFIG)
    wanted = {*study.policy_names("interventions"), *study.policy_names("fine_tuning")}
    assert wanted <= set(shown["policy"])


def test_the_summary_counts_fine_tuned_runs_and_their_time(study):
    folder, _ = study
    content = summary(folder)
    assert content["runs_trained"] == len(weights(folder))
    tables = [json.loads(p.read_text()) for p in folder.glob("results/jitter/trained/*/*.json")]
    seconds = {run["run"]: run["seconds"] for table in tables for run in table.values()}
    assert content["wall_seconds"]["train"] == pytest.approx(sum(seconds.values()), abs=0.1)


def test_a_fine_tuned_run_costs_what_its_parent_did_too(study):
    folder, _ = study
    costs = read(folder, "intervention_costs").set_index("policy")
    tuned = trained(folder, "fine_tuning")["fine_tuned_fp_informed"]["seconds"]
    parent = trained(folder, "interventions")["uniform_tested"]["seconds"]
    row = costs.loc["fine_tuned_fp_informed"]
    assert (row["epochs"], row["relative"], row["runs"]) == (3, 1.5, 1)
    assert row["seconds"] == pytest.approx(parent + tuned)
    assert row["design_runs"] == costs.loc["fp_informed", "design_runs"] == 2
    assert costs.loc["uniform_tested", "relative"] == 1


def test_without_its_section_nothing_is_trained_or_predicted(study):
    """Made anew is the table without the fine-tuned policies, and what is drawn of it."""
    folder, _ = study
    plan = snakemake(folder, "--dry-run", change=WITHOUT, study=CONFIG)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert "rule interventions:" in plan.stdout
    assert not any(f"rule {rule}:" in plan.stdout for rule in ("train", "predict", "measure"))


def test_another_axis_has_no_boxes_and_no_crop_area(study):
    folder, _ = study
    assert not (folder / "results/jitter/realised_area.parquet").exists()
    assert read(folder, "examples")["boxes"].map(len).eq(0).all()
    page = html.unescape((folder / "figures/jitter/report.html").read_text())
    assert "SimCLR's colour jitter" in page and "higher values are stronger" in page
    assert not (folder / "figures/jitter/realised_crop_area.txt").exists()


def test_other_epochs_of_fine_tuning_train_it_again_and_nothing_else(study):
    folder, _ = study
    change = "interventions.fine_tuning.epochs=2"
    plan = snakemake(folder, "--dry-run", change=change, study=CONFIG)
    assert plan.stdout.count("rule train:") == plan.stdout.count("rule predict:") == 1
    assert "phase=fine_tuning" in plan.stdout and "rule measure:" not in plan.stdout
