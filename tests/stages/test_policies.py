"""Stages that read and write policies, on small tables."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml

from daclass.augment import AXES, RRC_SCALE, Policy
from daclass.config import Layout, Study
from daclass.designer import DESIGNERS
from daclass.errors import InputError
from daclass.stages import Of, jobs_of
from daclass.stages.policies import load_policy, policy_files
from daclass.stages.stage import table
from daclass.stages.training import runs_of
from daclass.stages.verify import verify
from daclass.tables import RUNNERS_UP, SCHEMAS, read_table
from tests.planting import plant, run

NAMES = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen"]
STRENGTHS = (0.08, 0.3, 0.99)


def load(folder: Path, analysis: dict | None = None, **interventions) -> Study:
    path = folder / "study.yaml"
    content = {
        "name": "small",
        "data": {"source": "petri"},
        "sweep": {"strengths": list(STRENGTHS), "seeds": [0, 1]},
        "analysis": {"tested": "strongest", **(analysis or {})},
        "interventions": {"seeds": [2, 3], "classes": 2, **interventions},
    }
    path.write_text(yaml.safe_dump(content))
    return Study.load(path)


@pytest.fixture
def layout(tmp_path) -> Layout:
    return Layout("small", tmp_path / "results", tmp_path / "figures")


def question(best: float, tested: float = 0.08) -> pd.DataFrame:
    """Table "tested" with .99 as the reference."""
    return (
        pd.DataFrame(
            {
                "policy": [f"rrc_scale={strength:g}" for strength in STRENGTHS],
                "strength": STRENGTHS,
                "tested": [strength == tested for strength in STRENGTHS],
                "reference": [strength == 0.99 for strength in STRENGTHS],
                "best": [strength == best for strength in STRENGTHS],
            }
        )
        .reindex(columns=list(SCHEMAS["tested"]))
        .assign(simultaneous=False, seeds=2, images=160)
    )


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    """What designers read: ant and bee swallow, cat and dog pay."""
    rng = np.random.default_rng(0)
    rows = []
    for seed in (0, 1):
        for level, strength in enumerate(STRENGTHS):
            for half in ("select", "estimate", "all"):
                for k in range(len(NAMES)):
                    swallowed = (9 - 3 * level + seed) * (k < 2)
                    rows.append(
                        {
                            "policy": f"rrc_scale={strength:g}", "strength": strength,
                            "seed": seed, "half": half, "class_id": k, "images": 20,
                            "correct": 10 + rng.integers(0, 8), "labelled": 20,
                            "correct_multi": 15, "false_negatives": 5,
                            "false_positives": swallowed, "false_negatives_multi": 5,
                            "false_positives_multi": swallowed,
                        }
                    )  # fmt: skip
    effects = pd.DataFrame({"class_id": range(len(NAMES))}).reindex(
        columns=list(SCHEMAS["effects"])
    )
    effects = effects.assign(affected=effects["class_id"].isin([2, 3]), rank=1, seeds=2, images=20)
    categories = pd.DataFrame({"class_id": [2, 3], "swallower_id": [0, 1], "both": 0})
    index = pd.DataFrame({"class_id": np.repeat(range(len(NAMES)), 5), "split": "train"})
    return {
        "tested": question(0.3),
        "counts": pd.DataFrame(rows),
        "effects": effects,
        "categories": categories.reindex(columns=list(SCHEMAS["categories"])),
        "classes": pd.DataFrame({"class_id": range(len(NAMES)), "name": NAMES, "path": NAMES}),
        "index": index.reindex(columns=list(SCHEMAS["index"])).assign(draw=0, position=0),
    }


def design(study: Study, layout: Layout, tables: dict[str, pd.DataFrame]) -> None:
    """The policies of the interventions, from tables that are taken for the study's own."""
    plant(study, layout, tables)
    jobs_of(study, layout).get("policies", Of(phase="interventions")).run()


def provenance(layout: Layout, name: str) -> dict:
    return json.loads(layout.provenance(name).read_text())


def test_every_planned_policy_is_written_with_where_it_comes_from(tmp_path, layout, tables) -> None:
    designers = ["uniform_each", "naive_removal", "fp_informed", "graded", "random_classes"]
    study = load(tmp_path, designers=designers, classes=[2, 0.125], random_draws=2)
    design(study, layout, tables)
    folder = layout.policy("interventions", "x").parent
    assert {file.stem for file in folder.glob("*.yaml")} == set(study.policy_names("interventions"))
    for name in study.policy_names("interventions"):
        assert set(Policy.load(layout.policy("interventions", name)).strengths(NAMES)) <= set(
            STRENGTHS
        )
    wide, narrow = (provenance(layout, name) for name in ("fp_informed", "fp_informed_m0.125"))
    assert (wide["m"], narrow["m"], wide["designer"]) == (2, 1, "fp_informed")
    assert set(wide["reasons"]["classes"]) == {"ant", "bee"}
    assert (wide["half"], wide["seeds"]) == ("select", [0, 1])
    counts = read_table("counts", layout.table("counts"))
    expected = hashlib.sha256(counts.to_csv(index=False).encode()).hexdigest()
    assert wide["tables"]["counts"] == expected
    assert set(wide["tables"]) == {"tested", "counts", "effects", "categories", "classes", "index"}
    draws = [provenance(layout, f"random_classes_{n}") for n in (1, 2)]
    assert [record["draw"] for record in draws] == [1, 2]
    assert all(set(d["reasons"]["classes"]) <= {"eel", "fox", "gnu", "hen"} for d in draws)


def test_a_policy_file_changes_only_when_the_policy_does(tmp_path, layout, tables) -> None:
    study = load(tmp_path)
    design(study, layout, tables)
    files = sorted(layout.policy("interventions", "x").parent.glob("*.yaml"))
    before = [file.read_bytes() for file in files]
    record = provenance(layout, "fp_informed")
    estimate = tables["counts"]["half"] == "estimate"
    tables["counts"].loc[estimate, "correct"] = 0  # no designer looks at these
    design(study, layout, tables)
    assert [file.read_bytes() for file in files] == before
    again = provenance(layout, "fp_informed")
    assert again["tables"]["counts"] != record["tables"]["counts"]
    assert {k: v for k, v in again.items() if k != "tables"} == {
        k: v for k, v in record.items() if k != "tables"
    }


def test_shares_of_a_mixed_policy_stand_in_the_table(tmp_path, layout, tables) -> None:
    forms = ["fp_informed_mixed", "fp_informed_view_aware"]
    shares = {"fp_informed_mixed": {"share": 0.2}}
    study = load(tmp_path, designers=["fp_informed", *forms], settings=shares)
    design(study, layout, tables)
    rows = read_table("policy_classes", layout.table("policy_classes", "interventions"))
    of = dict(iter(rows.groupby("policy")))
    plain, mixed, aware = (of[name] for name in ("fp_informed", *forms))
    assert len(plain) == len(NAMES) and (plain["share"] == 1).all() and plain["own"].all()
    np.testing.assert_allclose(mixed.groupby("class_id")["share"].sum(), 1)
    own = mixed[mixed["own"]].set_index("class_id")["strength"]
    pd.testing.assert_series_equal(own, plain.set_index("class_id")["strength"])
    # 2 of 8 classes are at the weakest: that is how often a picture of the others draws it.
    assert mixed.set_index(["class_id", "strength"]).loc[(7, 0.99), "share"] == pytest.approx(0.05)
    columns = ["class_id", "strength", "share", "own"]
    pd.testing.assert_frame_equal(aware[columns].reset_index(drop=True),
                                  plain[columns].reset_index(drop=True))  # fmt: skip
    table = read_table("policies", layout.table("policies", "interventions")).set_index("policy")
    assert table["view_aware"].to_dict() == dict.fromkeys(table.index, False) | {forms[1]: True}


def test_designers_that_do_not_suit_the_axis_are_refused() -> None:
    def study(axis: str, designer: str) -> Study:
        return Study.model_validate(
            {
                "name": "small",
                "data": {"source": "petri"},
                "augmentation": {"axis": axis},
                "sweep": {"strengths": [0.1, 1.0], "seeds": [0, 1]},
                "interventions": {"seeds": [2, 3], "designers": [designer]},
            }
        )

    study("rrc_scale", "graded_view_aware")
    study("color_jitter", "label_preserving")
    for axis, designer in (("color_jitter", "graded_view_aware"), ("mixup", "label_preserving")):
        with pytest.raises(ValueError, match=f"{designer} is not for the axis {axis}"):
            study(axis, designer)


def test_more_classes_than_there_are(tmp_path, layout, tables) -> None:
    with pytest.raises(InputError, match=r"interventions\.classes: 9 classes .*there are 8"):
        design(load(tmp_path, classes=9), layout, tables)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            Policy(AXES["color_jitter"], 0.5),
            "fp_informed.yaml: a policy for color_jitter, not for rrc_sca",
        ),
        (
            Policy(RRC_SCALE, 0.08, {"unicorn": 0.5}),
            r"fp_informed.yaml: the policy names classes that the data set lacks: \['unicorn'\]",
        ),
        (Policy(RRC_SCALE, 0.08, {8: 0.5}), r"data set lacks: \[8\]"),
        (Policy(RRC_SCALE, 0.08, {}, {"unicorn": 2}), r"data set lacks: \['unicorn'\]"),
    ],
)
def test_a_policy_that_does_not_fit_is_named(tmp_path, layout, tables, policy, message) -> None:
    study = load(tmp_path)
    design(study, layout, tables)
    file = layout.policy("interventions", "fp_informed")
    policy.save(file)
    with pytest.raises(InputError, match=message):
        load_policy(file, study.axis, NAMES)
    file.write_text("axis: rrc_scale")
    with pytest.raises(InputError, match=r"fp_informed\.yaml: not a policy"):
        load_policy(file, study.axis, NAMES)


def predictions(study: Study, phase: str, labels: np.ndarray) -> pd.DataFrame:
    """Every run is wrong about the same few pictures: no condition has an effect."""
    wrong = np.arange(len(labels)) % 7 == 3
    runs = [
        pd.DataFrame(
            {
                "run": f"{policy}-{seed}",
                "policy": policy,
                "strength": study.strengths[0] if phase == "interventions" else strength,
                "seed": seed,
                "image_id": [f"p{i}" for i in range(len(labels))],
                "view": study.training.val_crop,
                "shifted": False,
                "prediction": np.where(wrong, (labels + 1) % len(NAMES), labels),
                **dict.fromkeys(RUNNERS_UP, -1),
                "probability": 0.5,
            }
        )
        for policy, strength in zip(
            study.policy_names(phase), [*study.strengths, *[0.0] * 99], strict=False
        )
        for seed in study.seeds(phase)
    ]
    return pd.concat(runs)


def test_a_study_without_affected_classes_ends_well(tmp_path) -> None:
    """From predictions to the report: rule fdr, nothing to discover, every designer asked."""
    study = load(
        tmp_path,
        analysis={"affected": {"rule": "fdr"}, "bootstrap": 100},
        designers=list(DESIGNERS),
        random_draws=2,
        fine_tuning={"epochs": 1, "learning_rate": 0.1},
    )
    layout = Layout("small", tmp_path / "results", tmp_path / "figures")
    labels = np.repeat(np.arange(len(NAMES)), 8)
    ids = [f"p{i}" for i in range(len(labels))]
    val = pd.DataFrame({"image_id": ids, "split": "val", "draw": -1, "class_id": labels})
    val["half"] = np.where(np.arange(len(ids)) % 2, "select", "estimate")
    train = val.assign(split="train", draw=0, half="")
    given = {
        "index": pd.concat([val, train]).assign(position=0, content=""),
        "classes": pd.DataFrame({"class_id": range(len(NAMES)), "name": NAMES, "path": NAMES}),
        "annotations": pd.DataFrame({"image_id": ids, "labels": [[int(k)] for k in labels]}),
    }
    level, class_id = (place.ravel() for place in np.indices((len(STRENGTHS), len(NAMES))))
    one_run = {"strength": np.array(STRENGTHS)[level], "seed": 0, "class_id": class_id}
    given["preserved"] = pd.DataFrame({**one_run, "shown": 8, "correct": 7})
    for name in ("truth", "examples", "realised_area"):
        given[name] = pa.schema(list(SCHEMAS[name].items())).empty_table().to_pandas()
    for phase in study.phases:
        given["predictions", phase] = predictions(study, phase, labels)
        for seed in study.seeds(phase):
            runs = {n: {"run": n, "seed": seed, "seconds": 2.0} for n in study.policy_names(phase)}
            given["trained", phase, seed] = runs
    plant(study, layout, given)
    run(study, layout, "measure", "categories")
    for phase in study.phases:
        jobs_of(study, layout).get("policies", Of(phase=phase)).run()
    for name in (
        "naive_removal", "fp_informed", "random_classes_1", "reweighted", "label_preserving",
        "fp_informed_mixed", "fp_informed_view_aware",
    ):  # fmt: skip
        assert Policy.load(layout.policy("interventions", name)) == Policy(study.axis, 0.08)
        said = provenance(layout, name)["reasons"]["summary"]
        assert "the same as" in said or name == "label_preserving"
    for phase in study.phases:
        jobs_of(study, layout).get("views", Of(phase=phase)).run()
    run(study, layout, "interventions", "decision", "marks", "planted")
    run(study, layout, "figures", "summary", "report")
    page = layout.report.read_text()
    assert "No class was chosen for follow-up" in page and "No policy is found to change" in page
    found = read_table("interventions", layout.table("interventions"))
    assert (found.loc[found["group"] == "all", "difference"] == 0).all()
    assert found["recovered"].isna().all()
    costs = read_table("intervention_costs", layout.table("intervention_costs"))
    relative = costs.set_index("policy")["relative"]
    epochs = study.training.epochs
    assert relative["fp_informed"] == 1
    assert relative["fine_tuned_fp_informed"] == (epochs + 1) / epochs


def test_verify_finds_every_damaged_file_and_has_its_run_trained_again(tmp_path, layout, caplog):
    import torch

    from daclass.training.models import build_model

    study = load(tmp_path)
    names = pd.DataFrame({"class_id": range(len(NAMES)), "name": NAMES, "path": NAMES})
    rows = [(f"{n}.png", "train", d, n, n % 2, "", f"{n}") for d in range(4) for n in range(9)]
    columns = ["image_id", "split", "draw", "position", "class_id", "half", "content"]
    index = pd.DataFrame(rows, columns=columns)
    truth = pd.DataFrame(columns=["class_id", "partner_id", "kind", "expectation", "note"])
    planted = {"classes": names, "index": index, "truth": truth, ("trained", "sweep", 0): {}}
    jobs = plant(study, layout, planted)
    jobs.get("policies", Of(phase="sweep")).run()
    policies = jobs.read(table("policies", "sweep"))
    paths = [item.path(layout) for item in policy_files(study, "sweep")]
    of = Of(phase="sweep", seed=0)
    runs = runs_of(study, of, index, names, policies, paths, layout.stores)
    for each in runs:
        each.folder.mkdir(parents=True)
        torch.manual_seed(0)
        each.save_weights(build_model(study.training, len(NAMES)), "{}", 1.0)
    verify(jobs)
    for path in (runs[0].weights, layout.table("index")):
        content = bytearray(path.read_bytes())
        before = bytes(content)
        content[len(content) // (2 if path == runs[0].weights else 3)] ^= 4
        path.write_bytes(content)
        with pytest.raises(InputError, match="files are damaged"):
            verify(jobs)
        if path != runs[0].weights:
            path.write_bytes(before)
    assert "weights.safetensors: damaged" in caplog.text and "index.parquet" in caplog.text
    assert jobs.get("train", of).why() == "not done yet" and not runs[0].trained
    assert runs[1].trained


def test_where_no_stronger_strength_is_best_there_is_nothing_to_trade(tmp_path, layout, tables):
    """Baselines are what they always are; policies are the reference, and share its runs."""
    study = load(tmp_path, analysis={"tested": "best"}, designers=["fp_informed", "uniform_each"])
    design(study, layout, {**tables, "tested": question(0.99, tested=0.3)})
    made = {
        name: Policy.load(layout.policy("interventions", name))
        for name in study.policy_names("interventions")
    }
    assert made["fp_informed"] == made["uniform_reference"] == Policy(study.axis, 0.99)
    assert made["uniform_tested"] == Policy(study.axis, 0.3)
    assert made["uniform_0.08"] == Policy(study.axis, 0.08)


def test_policies_change_the_tested_strength_for_some_classes(tmp_path, layout, tables):
    study = load(tmp_path, analysis={"tested": "best"}, designers=["fp_informed"])
    design(study, layout, {**tables, "tested": question(0.3, tested=0.3)})
    made = Policy.load(layout.policy("interventions", "fp_informed"))
    assert made.strength != 0.08
    assert made.default == 0.3
