"""Stages that read and write policies, on small tables."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from daclass import stages
from daclass.augment import COLOR_JITTER, Policy
from daclass.errors import InputError
from daclass.layout import Layout
from daclass.study import Study
from daclass.tables import SCHEMAS, read_table, write_table

NAMES = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen"]
STRENGTHS = (0.08, 0.3, 0.99)


def load(folder: Path, **interventions) -> Study:
    path = folder / "study.yaml"
    content = {
        "name": "small",
        "data": {"source": "petri"},
        "sweep": {"strengths": list(STRENGTHS), "seeds": [0, 1]},
        "interventions": {"seeds": [2, 3], "classes": 2, **interventions},
    }
    path.write_text(yaml.safe_dump(content))
    return Study.load(path)


@pytest.fixture
def layout(tmp_path) -> Layout:
    """The tables that designers read: ant and bee swallow, cat and dog pay."""
    found = Layout("small", tmp_path / "results", tmp_path / "figures")
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
    tables = {
        "counts": pd.DataFrame(rows),
        "effects": effects,
        "categories": categories.reindex(columns=list(SCHEMAS["categories"])),
        "classes": pd.DataFrame({"class_id": range(len(NAMES)), "name": NAMES, "path": NAMES}),
        "index": index.reindex(columns=list(SCHEMAS["index"])).assign(draw=0, position=0),
    }
    for name, table in tables.items():
        write_table(table, name, found.table(name))
    return found


def provenance(layout: Layout, name: str) -> dict:
    return json.loads(layout.provenance(name).read_text())


def test_every_planned_policy_is_written_with_where_it_comes_from(tmp_path, layout) -> None:
    designers = ["uniform_each", "naive_removal", "fp_informed", "graded", "random_classes"]
    study = load(tmp_path, designers=designers, classes=[2, 0.125], random_draws=2)
    stages.policies(study, layout, "interventions")
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
    table = read_table("counts", layout.table("counts"))
    expected = hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()
    assert wide["tables"]["counts"] == expected
    assert set(wide["tables"]) == {"counts", "effects", "categories", "classes", "index"}
    draws = [provenance(layout, f"random_classes_{n}") for n in (1, 2)]
    assert [record["draw"] for record in draws] == [1, 2]
    assert all(set(d["reasons"]["classes"]) <= {"eel", "fox", "gnu", "hen"} for d in draws)


def test_a_policy_file_changes_only_when_the_policy_does(tmp_path, layout) -> None:
    study = load(tmp_path)
    stages.policies(study, layout, "interventions")
    files = sorted(layout.policy("interventions", "x").parent.glob("*.yaml"))
    before = [file.read_bytes() for file in files]
    record = provenance(layout, "fp_informed")
    table = read_table("counts", layout.table("counts"))
    table.loc[table["half"] == "estimate", "correct"] = 0  # no designer looks at these
    write_table(table, "counts", layout.table("counts"))
    stages.policies(study, layout, "interventions")
    assert [file.read_bytes() for file in files] == before
    again = provenance(layout, "fp_informed")
    assert again["tables"]["counts"] != record["tables"]["counts"]
    assert {k: v for k, v in again.items() if k != "tables"} == {
        k: v for k, v in record.items() if k != "tables"
    }


def test_more_classes_than_there_are(tmp_path, layout) -> None:
    with pytest.raises(InputError, match=r"interventions\.classes: 9 classes .*there are 8"):
        stages.policies(load(tmp_path, classes=9), layout, "interventions")


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (Policy(COLOR_JITTER, 0.5), "fp_informed.yaml: a policy for color_jitter, not for rrc_sca"),
        (
            Policy(stages.RRC_SCALE, 0.08, {"unicorn": 0.5}),
            r"fp_informed.yaml: the policy names classes that the data set lacks: \['unicorn'\]",
        ),
        (Policy(stages.RRC_SCALE, 0.08, {8: 0.5}), r"data set lacks: \[8\]"),
        (Policy(stages.RRC_SCALE, 0.08, {}, {"unicorn": 2}), r"data set lacks: \['unicorn'\]"),
    ],
)
def test_a_policy_that_does_not_fit_is_named(tmp_path, layout, policy, message) -> None:
    study = load(tmp_path)
    stages.policies(study, layout, "interventions")
    policy.save(layout.policy("interventions", "fp_informed"))
    with pytest.raises(InputError, match=message):
        stages.train(study, layout, "interventions", 2)
    assert not layout.trained("interventions", 2).exists()
    layout.policy("interventions", "fp_informed").write_text("axis: rrc_scale")
    with pytest.raises(InputError, match=r"fp_informed\.yaml: not a policy"):
        stages.train(study, layout, "interventions", 2)
