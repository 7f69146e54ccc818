"""A whole study through Snakemake and the FFCV loader: interrupted, resumed, repeated, extended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from daclass.cli import main
from daclass.config import Layout, Study
from daclass.plan.counts import count
from daclass.plan.disk import kept
from daclass.plan.runs import wanted
from daclass.plots.titles import ENDINGS, TITLES
from daclass.wording.answers import short_answers
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("ffcv")
STRENGTHS = (0.08, 0.9)


def command(folder: Path, *arguments: str, change: str = "", study: Path | None = None):
    return [
        sys.executable, "-m", "snakemake", "--cores", "2", "--directory", str(folder),
        "--snakefile", str(ROOT / "Snakefile"),
        "--workflow-profile", str(ROOT / "workflow" / "profiles" / "default"),
        *arguments,
        "--config", f"study={study or ROOT / 'tests' / 'tiny.yaml'}", f"set={change}",
    ]  # fmt: skip


def snakemake(folder: Path, *arguments: str, change: str = "", study: Path | None = None):
    return subprocess.run(
        command(folder, *arguments, change=change, study=study),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """The folder of a study that was interrupted while it trained, and then went on to its end."""
    folder = tmp_path_factory.mktemp("a study")  # with a space in its path
    first = subprocess.Popen(
        command(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
        # Shells start background jobs with SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while first.poll() is None and not list(folder.glob("results/runs/*/checkpoint.pt")):
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGINT)  # as Ctrl-C does
    output = first.communicate()[0].decode()
    assert first.returncode != 0, output
    assert not (folder / "results/tiny/summary.json").exists()
    second = snakemake(folder)
    assert second.returncode == 0, second.stdout + second.stderr
    return folder


def table(study: Path, name: str) -> pd.DataFrame:
    folder = study / "results" / "tiny"
    path = folder / f"{name}.parquet"
    return pd.read_parquet(path if path.exists() else folder / "data" / f"{name}.parquet")


def summary(study: Path) -> dict:
    return json.loads((study / "results/tiny/summary.json").read_text())


def test_the_outputs_are_there(study):
    stems = set(TITLES) - {"fine_tuned_vs_tested"}  # it fine-tunes nothing
    figures = {f"{stem}.{ending}" for stem in stems for ending in ENDINGS}
    assert {file.name for file in (study / "figures/tiny").iterdir()} == figures | {"report.html"}
    assert all((study / "figures/tiny" / name).stat().st_size > 20 for name in figures)
    page = (study / "figures/tiny/report.html").read_text()
    assert "A tiny study for the tests" in page
    assert not list(study.rglob("*.partial")), "something half-written is left"


def test_a_second_call_does_nothing(study):
    again = snakemake(study)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr


def test_snakemakes_own_report_has_every_figure_with_its_caption(study):
    made = snakemake(study, "--report", "overview.html")
    assert made.returncode == 0, made.stdout + made.stderr
    page = (study / "overview.html").read_text()
    for stem in set(TITLES) - {"fine_tuned_vs_tested"}:
        assert f"{stem}.svg" in page and TITLES[stem].question in page
    assert "Accuracy that each of 24 classes loses" in page and "report.html" in page


def test_examples_are_judged_pictures_and_training_pictures_of_the_first_seeds_draw(study):
    examples, index = table(study, "examples"), table(study, "index").set_index("image_id")
    trained = examples["chosen"] == "training"
    assert trained.any() and not trained.all()
    assert set(index.loc[examples.loc[~trained, "image_id"], "split"]) == {"val"}
    first = index[(index["split"] == "train") & (index["draw"] == 0)]
    assert set(examples.loc[trained, "image_id"]) <= set(first.index)
    assert examples.loc[trained, "boxes"].map(len).gt(0).all()
    assert all(content[:2] == b"\xff\xd8" for content in examples["jpeg"])
    affected = {row["class_id"] for row in summary(study)["affected"]}
    assert affected <= set(examples["class_id"])


@pytest.mark.parametrize(
    ("rule", "inputs"),
    [
        ("measure", ["predictions/sweep", "index", "classes", "annotations"]),
        ("categories", ["effects", "confusions", "index", "annotations", "classes"]),
        ("interventions", ["predictions/interventions", "effects", "categories"]),
        ("summary", ["classes", "counts", "explained", "planted", "interventions"]),
    ],
)
def test_rules_wait_for_all_they_read(study, rule, inputs):
    """Snakemake swallows the first element of an input that is given as an iterator."""
    plan = snakemake(study, "--dry-run", "--forceall").stdout
    line = plan.split(f"rule {rule}:")[1].split("input: ")[1].splitlines()[0]
    assert all(f"{name}.parquet" in line for name in inputs)


def test_logs_tell_the_progress(study):
    log = (study / "results/tiny/logs/train.sweep.seed0.log").read_text()
    assert "step 18/18, epoch 3," in log and "images/s" in log and " left" in log


def runs(study: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in study.glob("results/runs/*/*.safetensors")}


def test_the_policies_can_be_read_and_used(study):
    from daclass.augment import Policy

    names = list(table(study, "classes")["name"])
    for path in study.glob("results/tiny/policies/*/*.yaml"):
        assert Policy.load(path).strengths(names).shape == (len(names),)
    provenance = json.loads(
        (study / "results/tiny/policies/interventions/fp_informed.provenance.json").read_text()
    )
    assert provenance["seeds"] == [0, 1] and provenance["half"] == "select"


# The summary against the tables, in plain loops that share no code with the package.


def joined(study: Path, stage: str) -> Iterator[tuple]:
    """(policy, strength, seed, half, class, prediction, labels) of every prediction."""
    index = table(study, "index")
    val = index[index["split"] == "val"].set_index("image_id")
    labels = dict(
        zip(*table(study, "annotations")[["image_id", "labels"]].T.to_numpy(), strict=True)
    )
    predictions = pd.read_parquet(study / f"results/tiny/predictions/{stage}.parquet")
    for row in predictions.itertuples():
        picture = val.loc[row.image_id]
        yield (
            row.policy, row.strength, row.seed, picture["half"], picture["class_id"],
            row.prediction, set(labels[row.image_id]),
        )  # fmt: skip


def share(hits) -> float:
    hits = list(hits)
    return sum(hits) / len(hits)


def test_accuracy_by_strength_agrees(study):
    rows = list(joined(study, "sweep"))
    shown = {
        (row["strength"], row["truth"]): row for row in summary(study)["accuracy"] if row["k"] == 1
    }
    assert len(shown) == 4
    for strength in STRENGTHS:
        mine = [row for row in rows if row[1] == strength]
        original = share(row[5] == row[4] for row in mine)
        multi = share(row[5] in row[6] for row in mine if row[6])
        assert shown[strength, "original"]["accuracy"] == pytest.approx(original)
        assert shown[strength, "multi"]["accuracy"] == pytest.approx(multi)
        assert shown[strength, "original"]["low"] <= original <= shown[strength, "original"]["high"]


def test_affected_classes_agree(study):
    """The largest cross-fitted drops on the selection half: a choice by one seed, judged by the
    other, both ways."""
    rows = [row for row in joined(study, "sweep") if row[3] == "select"]
    names = list(table(study, "classes")["name"])
    drops = {}
    for class_id in range(len(names)):

        def accuracy(strength, seed, class_id=class_id):
            return share(
                row[5] == class_id
                for row in rows
                if row[4] == class_id and row[1] == strength and row[2] == seed
            )

        folds = []
        for choosing, judging in ((0, 1), (1, 0)):
            best = max(STRENGTHS, key=lambda s: (accuracy(s, choosing), -s))
            folds.append(accuracy(best, judging) - accuracy(0.08, judging))
        drops[names[class_id]] = np.mean(folds)
    shown = [row["name"] for row in summary(study)["affected"]]
    assert len(shown) == 2  # 5% of 24 classes, at least 2
    threshold = sorted(drops.values())[-2]
    assert all(drops[name] >= threshold - 1e-12 for name in shown)
    assert summary(study)["discoveries"]["original"]["tested"] == len(names)


def test_drops_of_affected_classes_agree(study):
    rows = [row for row in joined(study, "sweep") if row[3] == "estimate"]
    for affected in summary(study)["affected"]:
        mine = [row for row in rows if row[4] == affected["class_id"]]
        for key, hit in (
            ("drop_fixed", lambda row: row[5] == row[4]),
            ("drop_multi_fixed", lambda row: row[5] in row[6]),
        ):
            weak, strong = (share(hit(r) for r in mine if r[1] == s) for s in (0.9, 0.08))
            assert affected[key]["value"] == pytest.approx(weak - strong)


def test_explained_agrees(study):
    """Pooled over all classes against the fixed reference, on pictures with labels."""
    rows = [row for row in joined(study, "sweep") if row[6]]
    shown = next(
        row
        for row in summary(study)["explained"]
        if (row["group"], row["reference"]) == ("all", "fixed")
    )
    drops = {}
    for name, hit in (
        ("original", lambda row: row[5] == row[4]),
        ("multi", lambda row: row[5] in row[6]),
        ("control", lambda row: row[5] == row[4] or len(row[6] - {row[4]}) / 23),
    ):
        weak, strong = (share(hit(row) for row in rows if row[1] == s) for s in (0.9, 0.08))
        drops[name] = weak - strong
        assert shown[f"drop_{name}"] == pytest.approx(drops[name])
    if shown["drop_original_low"] <= 0 <= shown["drop_original_high"]:
        assert shown["explained"] is None and shown["control"] is None
    else:
        assert shown["explained"] == pytest.approx(1 - drops["multi"] / drops["original"])


def test_accuracies_of_classes_agree(study):
    rows = list(joined(study, "sweep"))
    shown = table(study, "class_accuracy").query("k == 1")
    shown = shown.set_index(["strength", "truth", "class_id"])
    assert len(shown) == 2 * 2 * 24
    for strength in STRENGTHS:
        for class_id in range(24):
            mine = [row for row in rows if row[1] == strength and row[4] == class_id]
            found = shown.loc[(strength, "original", class_id)]
            assert found["accuracy"] == pytest.approx(share(row[5] == class_id for row in mine))
            taken = [row for row in rows if row[1] == strength and row[5] == class_id != row[4]]
            assert found["false_positives"] == len(taken) / 2  # a run


def test_interventions_agree(study):
    rows = [row for row in joined(study, "interventions") if row[3] == "estimate"]
    affected = {row["class_id"] for row in summary(study)["affected"]}
    shown = {
        (row["policy"], row["group"]): row
        for row in summary(study)["interventions"]
        if row["truth"] == "original"
    }
    assert {policy for policy, _ in shown} == {
        "uniform_tested", "uniform_best", "uniform_reference", "naive_removal", "fp_informed",
        "random_classes", "random_classes_1", "random_classes_2",
    }  # fmt: skip

    def accuracy(policy, classes):
        return share(row[5] == row[4] for row in rows if row[0] == policy and row[4] in classes)

    for group, classes in (("all", set(range(24))), ("affected", affected)):
        for policy in ("uniform_tested", "naive_removal", "fp_informed"):
            row, mine = shown[policy, group], accuracy(policy, classes)
            assert row["accuracy"]["value"] == pytest.approx(mine)
            difference = mine - accuracy("uniform_tested", classes)
            assert row["against"]["uniform_tested"]["value"] == pytest.approx(difference)


def test_counts_of_the_summary_agree(study):
    content = summary(study)
    categories = table(study, "categories")["category"].value_counts().to_dict()
    assert {k: v for k, v in content["categories"].items() if v} == categories
    assert content["runs_trained"] == len(runs(study))
    planted = table(study, "planted")
    assert len(content["planted"]["rows"]) == len(planted)
    assert sum(sum(c.values()) for c in content["planted"]["counts"].values()) == len(planted)
    assert {"train", "predict", "measure"} <= set(content["wall_seconds"])
    trained = [json.loads(p.read_text()) for p in study.glob("results/tiny/trained/*/*.json")]
    seconds = {run["run"]: run["seconds"] for seed in trained for run in seed.values()}
    assert content["wall_seconds"]["train"] == pytest.approx(sum(seconds.values()), abs=0.1)
    assert content["config_digest"] and content["versions"]["torch"]
    assert len(short_answers(content)) == 6


def plan(study, monkeypatch, capsys, *arguments) -> str:
    monkeypatch.chdir(study)
    assert main(["plan", str(ROOT / "tests" / "tiny.yaml"), *arguments]) == 0
    return capsys.readouterr().out


def test_a_finished_study_is_planned_as_finished(study, monkeypatch, capsys):
    text = plan(study, monkeypatch, capsys)
    assert "sweep: 4 = 2 policies x 2 seeds; 4 stored, 0 missing" in text
    assert f"{len(runs(study)) - 4} stored, 0 missing" in text
    assert "0 hours: no run is missing" in text
    assert "none: everything is up to date" in text


def test_the_plan_of_a_new_strength_is_its_runs(study, monkeypatch, capsys):
    change = ["--set", "sweep.strengths=[0.08,0.5,0.9]"]
    text = plan(study, monkeypatch, capsys, *change)
    assert "sweep: 6 = 3 policies x 2 seeds; 4 stored, 2 missing" in text
    assert f"of {len(runs(study))} runs in results/runs" in text, "a speed from the journals"
    assert "2 train: policies.sweep is another one" in text
    assert "beton: " not in text


def test_planned_bytes_are_the_bytes_of_the_study(study, monkeypatch):
    """To a tenth, as docs/plan says; weights of a few kB to a quarter, for their headers."""
    monkeypatch.chdir(study)
    settings, layout = Study.load(ROOT / "tests" / "tiny.yaml"), Layout("tiny")
    phases = [wanted(settings, layout, phase) for phase in settings.phases]
    found = {item.name: item for item in kept(settings, layout, count(settings, layout), phases)}
    assert found["betons"].needed == pytest.approx(found["betons"].there, rel=0.02)
    assert found["pictures"].needed == pytest.approx(found["pictures"].there, rel=0.1)
    assert found["weights"].needed == pytest.approx(found["weights"].there, rel=0.25)
    written = sum(item.there for item in found.values())
    assert sum(item.needed for item in found.values()) == pytest.approx(written, rel=0.1)


def test_a_new_strength_and_a_new_seed_train_what_is_missing_and_nothing_else(study):
    """Last, since it changes the study."""
    before = runs(study)
    seeds = [f"results/tiny/trained/sweep/seed{seed}.json" for seed in (0, 1, 4)]
    change = "sweep.strengths=[0.08,0.5,0.9] sweep.seeds=[0,1,4]"
    more = snakemake(study, *seeds, change=change)
    assert more.returncode == 0, more.stdout + more.stderr
    after = runs(study)
    assert {path: after[path] for path in before} == before
    new = sorted(Path(path).parent.name.split("-")[0] for path in after.keys() - before.keys())
    # 0.5 with seeds 0 and 1, and all three strengths with seed 4.
    assert new == ["seed0", "seed1", "seed4", "seed4", "seed4"]


@pytest.mark.parametrize(
    ("offered", "change", "asked"),
    [
        (["--resources", "gpu=4"], "machine.devices=2", "gpu=2"),
        (["--resources", "gpu=4"], "machine.devices=2 machine.device=cpu", "gpu=0"),
        (["--resources", "gpu=4"], "machine.gpu_model=a100", "gpu_model=a100"),
    ],
)
def test_jobs_ask_for_the_gpus_that_they_compute_on(tmp_path, offered, change, asked):
    """As workflow/profiles/local offers those of the machine."""
    profile = ["--profile", str(ROOT / "workflow" / "profiles" / "local")]
    dry = snakemake(tmp_path, "--dry-run", *profile, *offered, change=change).stdout
    for rule in ("train", "predict"):
        block = dry.split(f"rule {rule}:")[1].split("resources: ")[1].splitlines()[0]
        assert asked in block.split(", ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("training.epoch=3", "training.epoch: unknown setting"),
        ("sweep.seeds=[]", "sweep.seeds"),
    ],
)
def test_a_bad_setting_stops_the_workflow_in_one_line(tmp_path, change, message):
    failed = snakemake(tmp_path, change=change)
    assert failed.returncode != 0
    assert message in failed.stdout + failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (tmp_path / "results").exists()
