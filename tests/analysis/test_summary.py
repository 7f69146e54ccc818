"""The summary of a whole simulated study, and of studies that lack parts."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from daclass.analysis.accuracy import accuracy, class_accuracy
from daclass.analysis.categories import categories, overlaps
from daclass.analysis.cells import arrange_cells
from daclass.analysis.confusions import confusions
from daclass.analysis.counts import count
from daclass.analysis.effects import Affected, effects
from daclass.analysis.explained import explained
from daclass.analysis.interventions import intervention_classes, interventions
from daclass.analysis.nulls import Nulls
from daclass.analysis.planted import planted
from daclass.analysis.summary import summarise
from daclass.tables import read_table, write_table

TRUTH = pd.DataFrame(
    {
        "class_id": [0, 1, 2],
        "partner_id": [1, 0, -1],
        "kind": ["ambiguous", "ambiguous", "control"],
        "expectation": ["hurt", "swallows", "unchanged"],
        "note": "",
    }
)


def analyse(study) -> dict[str, pd.DataFrame]:
    cells, conditions = study.cells(), study.conditions
    affected = Affected("top", share=0.1, at_least=2, q=0.05)
    nulls = Nulls.draw(cells, conditions, confidence=0.95, replicates=50, random_seed=0)
    tables = {
        "classes": study.classes,
        "counts": count(cells),
        "accuracy": accuracy(cells, confidence=0.95),
        "class_accuracy": class_accuracy(cells, conditions, nulls, confidence=0.95),
        "effects": effects(cells, conditions, nulls, affected, confidence=0.95),
        "null_band": nulls.sorted_drops(0.95),
        "explained": explained(cells, conditions, affected, confidence=0.95),
        "confusions": confusions(cells, conditions, confidence=0.95),
    }
    shared = overlaps(study.index, study.annotations, study.n_classes)
    tables["categories"] = categories(
        tables["effects"],
        tables["confusions"],
        shared,
        study.classes,
        overlap=0.1,
        similarity=0.6,
    )
    tables["planted"] = planted(
        TRUTH, tables["effects"], tables["confusions"], tables["categories"]
    )
    roles = {
        "uniform_tested": "uniform-0.08",
        "uniform_reference": "uniform-0.3",
        "fp_informed": "uniform-0.99",
        "random_classes_1": "uniform-0.3",
    }
    policy = study.predictions["policy"]
    fresh = [study.predictions[policy == run].assign(policy=name) for name, run in roles.items()]
    uniform = ("uniform_tested", "uniform_reference")
    cells = arrange_cells(pd.concat(fresh), *study.data[1:], "drop")
    tables["intervention_classes"] = intervention_classes(cells, uniform, confidence=0.95)
    tables["interventions"] = interventions(
        cells,
        affected=[0],
        swallowers=[1],
        baselines=uniform,
        controls={"random_classes": ["random_classes_1"]},
        classes=tables["intervention_classes"],
        q=0.05,
        confidence=0.95,
    )
    # The best average is the reference.
    same = tables["interventions"].query("baseline == 'uniform_reference'")
    tables["interventions"] = pd.concat(
        [tables["interventions"], same.assign(baseline="uniform_best")]
    )
    return tables


def summary(tables: dict[str, pd.DataFrame]) -> dict:
    return summarise(
        study="test",
        title="A test",
        config_digest="abc",
        axis="rrc_scale",
        strengths=[0.08, 0.3, 0.99],
        conditions=["uniform-0.08", "uniform-0.3", "uniform-0.99"],
        reference="uniform-0.99",
        replicates="seeds",
        q=0.05,
        runs_trained=9,
        versions={"numpy": "2"},
        wall_seconds={"count": 1.5},
        tables=tables,
    )


@pytest.fixture(scope="module")
def tables(simulator) -> dict[str, pd.DataFrame]:
    return analyse(simulator(per_class=60, loss=0.7, seeds=(0, 1, 2, 3)))


def test_every_table_survives_its_file(tables, tmp_path) -> None:
    for name, table in tables.items():
        write_table(table, name, tmp_path / f"{name}.parquet")
        assert len(read_table(name, tmp_path / f"{name}.parquet")) == len(table)


def test_summary_is_the_same_from_files_and_is_strict_json(tables, tmp_path) -> None:
    for name, table in tables.items():
        write_table(table, name, tmp_path / f"{name}.parquet")
    stored = {name: read_table(name, tmp_path / f"{name}.parquet") for name in tables}
    text = json.dumps(summary(stored), allow_nan=False)
    assert text == json.dumps(summary(tables), allow_nan=False)


def test_findings(tables) -> None:
    content = summary(tables)
    assert content["strengths"] == [0.08, 0.3, 0.99]
    assert len(content["accuracy"]) == 3 * 2
    assert content["discoveries"]["original"]["hurt"] == 1
    first = content["affected"][0]
    assert (first["name"], first["swallower"], first["category"]) == (
        "class0",
        "class1",
        "ambiguous",
    )
    assert first["drop_fixed"]["low"] > 0
    assert first["drop_fixed"]["images"] == 30
    assert len(content["affected"]) == sum(content["categories"].values()) == 2
    assert content["planted"]["counts"]["hurt"] == {"found": 1}
    policies = {row["policy"] for row in content["interventions"]}
    assert policies == {
        "uniform_tested", "uniform_reference", "fp_informed", "random_classes_1",
        "random_classes",
    }  # fmt: skip
    found = next(
        row
        for row in content["interventions"]
        if (row["policy"], row["group"], row["truth"]) == ("fp_informed", "affected", "original")
    )
    assert set(found["against"]) == {
        "uniform_tested", "uniform_best", "uniform_reference", "random_classes",
    }  # fmt: skip
    assert found["recovered"]["value"] > 0.5


def test_best_average_is_chosen_on_one_half_and_read_on_the_other(tables) -> None:
    table = tables["accuracy"].query("truth == 'original'").set_index(["half", "strength"])
    best = summary(tables)["best_average"]
    assert best["strength"] == table.loc["select"]["accuracy"].idxmax()
    assert best["accuracy"] == table.loc[("estimate", best["strength"]), "accuracy"]


def test_headline_has_five_numbers_in_plain_words(tables) -> None:
    headline = summary(tables)["headline"]
    assert len(headline) == 5
    for number in headline:
        assert set(number) == {"label", "value", "text"}
        assert "nan" not in number["text"].lower() and "None" not in number["text"]
    assert "class0 loses" in headline[2]["text"] and "with class1 grew most" in headline[2]["text"]
    assert "30 pictures that did not choose the class, 4 seeds" in headline[2]["text"]
    assert "against the same dose for random classes the affected ones" in headline[4]["text"]


def test_real_data_without_interventions(tables) -> None:
    rest = {k: v for k, v in tables.items() if not k.startswith("intervention")}
    rest["planted"] = tables["planted"].iloc[:0]
    content = summary(rest)
    assert content["planted"] is None and content["interventions"] is None
    assert len(content["headline"]) == 4
    text = content["headline"][3]["text"]
    assert text.startswith("Pooled, the affected classes lose") and "annotations explain" in text


def test_one_seed(simulator) -> None:
    content = summary(analyse(simulator(seeds=(4,))))
    json.dumps(content, allow_nan=False)
    assert content["headline"][1]["value"] == "untested"
    assert "[no interval]" in content["headline"][2]["text"]


def test_no_affected_class(tables) -> None:
    none = dict(tables)
    none["effects"] = tables["effects"].assign(affected=False)
    none["categories"] = tables["categories"].iloc[:0]
    none["planted"] = tables["planted"].iloc[:0]
    pooled = tables["explained"].copy()
    pooled.loc[pooled["group"] == "affected", pooled.filter(regex="drop|ex|control").columns] = None
    none["explained"] = pooled
    content = summary(none)
    assert content["affected"] == []
    assert len(content["headline"]) == 4
    text = content["headline"][2]["text"]
    assert text.startswith("Pooled, all classes lose") and "chosen" not in text


def test_too_little_to_explain(simulator) -> None:
    tables = analyse(simulator(loss=0.0))
    tables["planted"] = tables["planted"].iloc[:0]
    headline = summary(tables)["headline"]
    assert headline[3]["value"] == "unknown"
    assert "too little to say what annotations explain" in headline[3]["text"]


def test_without_annotations_nothing_is_said_of_what_they_explain(simulator) -> None:
    tables = analyse(simulator())
    tables["planted"] = tables["planted"].iloc[:0]
    drop = tables["explained"]["drop_original"]
    unknown = {name: float("nan") for name in ("explained", "control")}
    tables["explained"] = tables["explained"].assign(drop_multi=drop, drop_control=drop, **unknown)
    headline = summary(tables)["headline"]
    assert not [number for number in headline if "annotations" in number["text"]]
