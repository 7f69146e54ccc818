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
from daclass.analysis.decision import decision
from daclass.analysis.effects import Affected, effects
from daclass.analysis.explained import explained
from daclass.analysis.interventions import intervention_classes, interventions
from daclass.analysis.nulls import Nulls
from daclass.analysis.planted import planted
from daclass.analysis.tested import gains
from daclass.report.summary import summarise
from daclass.tables import read_table, write_table
from daclass.wording.answers import short_answers
from daclass.wording.verdicts import TWO_NETWORKS

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
        "tested": gains(cells, conditions, conditions.names, confidence=0.95),
        "counts": count(cells),
        "accuracy": accuracy(cells, confidence=0.95),
        "class_accuracy": class_accuracy(cells, conditions, nulls, confidence=0.95),
        "effects": effects(cells, conditions, nulls, affected, confidence=0.95),
        "null_band": nulls.sorted_drops(0.95),
        "explained": explained(cells, conditions, affected, confidence=0.95),
        "confusions": confusions(cells, conditions, confidence=0.95),
    }
    tables["decision"] = decision(tables["tested"], policy="fp_informed")
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
        replicates="seeds",
        q=0.05,
        confidence=0.95,
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


def answers(content: dict) -> dict:
    return {answer.question: answer for answer in short_answers(content)}


def test_the_summary_holds_codes_and_no_sentences(tables) -> None:
    def texts(value):
        if isinstance(value, dict):
            return [text for part in value.values() for text in texts(part)]
        if isinstance(value, list):
            return [text for part in value for text in texts(part)]
        return [value] if isinstance(value, str) else []

    found = summary(tables)["findings"]
    assert max(text.count(" ") for text in texts(found)) <= 1


def test_every_question_has_one_answer_with_interval_or_verdict(tables) -> None:
    found = answers(summary(tables))
    assert list(found) == [
        "average", "classes", "annotations", "swallowers", "fixes", "certainty"
    ]  # fmt: skip
    for answer in found.values():
        assert "nan" not in answer.line().lower() and "None" not in answer.line()
    assert found["classes"].value == "1" and "is found to lose" in found["classes"].text
    verdicts = list(tables["planted"].query("expectation != 'unchanged'")["verdict"])
    assert found["certainty"].value == str(verdicts.count("found"))
    assert found["certainty"].unit == f"of {len(verdicts)}"


def test_the_paired_change_is_that_of_the_table(tables) -> None:
    row = tables["tested"].set_index("policy").loc["uniform-0.08"]
    change = summary(tables)["findings"]["average"]["change"]
    assert change["value"] == pytest.approx(row["gain"])
    assert change["low"] == pytest.approx(row["low"])
    said = answers(summary(tables))["average"].line()
    assert f"{abs(100 * change['low']):.1f}" in said and f"{abs(100 * change['high']):.1f}" in said


def test_the_fix_is_judged_against_the_best_single_strength(tables) -> None:
    found = summary(tables)["findings"]["fixes"]
    row = tables["interventions"].query(
        "policy == 'fp_informed' and group == 'affected' and truth == 'original'"
        " and baseline == 'uniform_best'"
    ).iloc[0]  # fmt: skip
    assert found["change"]["value"] == pytest.approx(row["difference"])
    said = answers(summary(tables))["fixes"].line()
    assert f"{100 * row['low']:.1f}".replace("-", "−") in said


def test_real_data_without_interventions(tables) -> None:
    rest = {k: v for k, v in tables.items() if not k.startswith("intervention")}
    rest["planted"] = tables["planted"].iloc[:0]
    content = summary(rest)
    assert content["planted"] is None and content["interventions"] is None
    found = answers(content)
    assert found["fixes"].value == "cannot tell"
    assert "of what the classes chosen for follow-up lose on average" in found["annotations"].text
    assert "four times in five" in found["certainty"].text


def test_one_seed_tells_of_two_networks_alone(simulator) -> None:
    content = summary(analyse(simulator(seeds=(4,), per_class=40, loss=0.8)))
    json.dumps(content, allow_nan=False)
    assert content["findings"]["classes"]["speaks_of"] == "networks"
    found = answers(content)
    assert found["classes"].value == "1"
    assert found["classes"].text.endswith(TWO_NETWORKS)
    assert found["average"].value == "undecided" and "one seed" in found["average"].text
    assert found["swallowers"].value == "cannot tell"
    none = summary(analyse(simulator(seeds=(4,), loss=0.0)))
    assert none["findings"]["classes"]["verdict"] == "none found"
    assert answers(none)["classes"].text.endswith(TWO_NETWORKS)


def test_no_class_found_is_a_state_of_its_own(tables) -> None:
    none = dict(tables)
    none["effects"] = tables["effects"].assign(q=0.4)
    content = summary(none)
    assert content["findings"]["classes"]["verdict"] == "none found"
    found = answers(content)["classes"]
    assert found.value == "none" and "classes is found to lose accuracy" in found.text
    assert "four times in five" in found.text  # what it would take


def test_a_test_without_power_cannot_tell(tables) -> None:
    none = dict(tables)
    none["effects"] = tables["effects"].assign(q=0.4, detectable=float("nan"))
    content = summary(none)
    assert content["findings"]["classes"]["verdict"] == "powerless"
    found = answers(content)["classes"]
    assert found.value == "cannot tell" and "it takes more seeds" in found.text


def test_no_class_followed_up(tables) -> None:
    none = dict(tables)
    none["effects"] = tables["effects"].assign(affected=False)
    none["categories"] = tables["categories"].iloc[:0]
    none["planted"] = tables["planted"].iloc[:0]
    pooled = tables["explained"].copy()
    pooled.loc[pooled["group"] == "affected", pooled.filter(regex="drop|ex|control").columns] = None
    none["explained"] = pooled
    content = summary(none)
    assert content["affected"] == []
    found = answers(content)
    assert "No class was chosen for follow-up" in found["swallowers"].text
    assert "of what all classes lose on average" in found["annotations"].text


def test_too_little_to_explain(simulator) -> None:
    found = answers(summary(analyse(simulator(loss=0.0))))["annotations"]
    assert found.value == "cannot tell" and "there is no share of nothing" in found.text


def test_without_annotations_nothing_is_said_of_what_they_explain(simulator) -> None:
    tables = analyse(simulator())
    counts = tables["counts"]
    tables["counts"] = counts.assign(labelled=counts["images"], correct_multi=counts["correct"])
    found = answers(summary(tables))["annotations"]
    assert found.value == "cannot tell" and "no annotations" in found.text
