"""Accuracy over the views, and the drops that are left where each strength has its best one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.cells import arrange_cells
from daclass.analysis.conditions import Conditions
from daclass.analysis.remedies import SHIFT, VIEW, Remedy, remedies, with_remedies
from daclass.analysis.views import best_view, view_effects, views
from daclass.errors import InputError
from daclass.inference.simultaneous import Family
from daclass.tables import SCHEMAS
from tests.analysis.conftest import STRONGEST, WEAKEST, simulate

COMMON = 0.875
TESTED, REFERENCE = f"uniform-{STRONGEST:g}", f"uniform-{WEAKEST:g}"


def shown(predictions: pd.DataFrame, view: float, *, shifted: bool = False) -> pd.DataFrame:
    return predictions.assign(view=view, shifted=shifted)


@pytest.fixture(scope="module")
def study():
    return simulate(per_class=40, loss=0.6)


@pytest.fixture(scope="module")
def predictions(study) -> pd.DataFrame:
    """At 0.7, networks of the strongest crop see nothing but their classes: class 0 is not lost.
    At 1.0 they say class 1 always, and after the shift they are as good as at 0.7."""
    label = study.predictions["image_id"].map(study.index.set_index("image_id")["class_id"])
    strong = study.predictions["policy"] == TESTED
    known = study.predictions["prediction"].where(~strong, label)
    blind = study.predictions["prediction"].where(~strong, 1)
    return pd.concat(
        [
            shown(study.predictions, COMMON),
            shown(study.predictions.assign(prediction=known), 0.7),
            shown(study.predictions.assign(prediction=blind), 1.0),
            shown(study.predictions.assign(prediction=known), COMMON, shifted=True),
        ],
        ignore_index=True,
    ).sample(frac=1, random_state=0)


@pytest.fixture(scope="module")
def table(study, predictions) -> pd.DataFrame:
    return views(predictions, study.index, study.n_classes, COMMON, confidence=0.95)


def test_accuracies_are_those_of_the_rows(study, predictions, table):
    assert set(table) == set(SCHEMAS["views"])
    assert len(table) == 3 * 4 * 3  # policies, what is shown, halves
    rows = predictions.merge(study.index[study.index["half"] != ""], on="image_id")
    rows["right"] = rows["prediction"] == rows["class_id"]
    halves = {"select": ["select"], "estimate": ["estimate"], "all": ["select", "estimate"]}
    for row in table.itertuples():
        own = (rows["policy"] == row.policy) & (rows["view"] == row.view)
        own &= (rows["shifted"] == row.shifted) & rows["half"].isin(halves[row.half])
        assert row.accuracy == pytest.approx(rows.loc[own, "right"].mean())
        assert row.low <= row.accuracy <= row.high
        assert row.images == rows.loc[own, "image_id"].nunique()
    at_common = table[table["common"]].set_index(["policy", "half"])["accuracy"]
    for row in table.itertuples():
        gain = row.accuracy - at_common[row.policy, row.half]
        assert row.difference == pytest.approx(gain)
        assert np.isnan(row.difference_low) == row.common
    assert set(table.loc[table["common"], "view"]) == {COMMON}
    assert not table.loc[table["common"], "shifted"].any()


def test_the_best_view_is_chosen_on_the_selection_half_alone(study, predictions, table):
    best = table[table["best"]].drop_duplicates("policy").set_index("policy")["view"]
    assert best[TESTED] == 0.7
    assert (best.drop(TESTED) == COMMON).all(), "views that tie: the common one"
    # The estimating half is made the opposite: the choice stands, its accuracy falls.
    judged = study.index.set_index("image_id")["half"]
    turned = predictions["image_id"].map(judged) == "estimate"
    wrong = (turned & (predictions["view"] == 0.7) & (predictions["policy"] == TESTED)).to_numpy()
    label = predictions["image_id"].map(study.index.set_index("image_id")["class_id"])
    other = predictions.assign(
        prediction=predictions["prediction"].where(~wrong, (label + 1) % study.n_classes)
    )
    found = views(other, study.index, study.n_classes, COMMON, confidence=0.95)
    chosen = found[found["best"] & (found["policy"] == TESTED)].set_index("half")
    assert (chosen["view"] == 0.7).all()
    accuracy = chosen["accuracy"]
    assert accuracy["select"] == pytest.approx(1) and accuracy["estimate"] == pytest.approx(0)


@pytest.mark.parametrize(
    ("averages", "best"),
    [
        ({0.8: 0.5, 0.875: 0.5 - 1e-15, 1.0: 0.4}, 0.875),
        ({0.8: 0.5, 0.875: 0.4, 0.95: 0.5}, 0.8),
        ({0.8: 0.5, 0.875: float("nan")}, 0.8),
        ({0.8: float("nan")}, 0.875),
    ],
)
def test_ties_go_to_the_view_nearest_to_the_common_one(averages, best):
    assert best_view(averages, 0.875) == best


def effects_of(study, predictions, **changes) -> pd.DataFrame:
    conditions = Conditions(**{"names": (TESTED, REFERENCE), "reference": REFERENCE, **changes})
    return view_effects(
        predictions, study.index, study.n_classes, conditions, COMMON, confidence=0.95
    )


def test_a_drop_that_the_view_made_is_gone_at_the_best_view(study, predictions):
    table = effects_of(study, predictions)
    assert set(table) == set(SCHEMAS["view_effects"])
    assert len(table) == 2 * (study.n_classes + 1)
    assert set(table["tested_view"]) == {0.7} and set(table["reference_view"]) == {COMMON}
    first = table[table["class_id"] == 0].set_index("half")
    for half in ("estimate", "all"):
        # At 0.7 the tested networks are always right: no class loses, class 0 least of all.
        assert first.loc[half, "drop"] < 0 < first.loc[half, "part_low"]
    rows = study.predictions.merge(study.index[study.index["half"] != ""], on="image_id")
    rows = rows[rows["class_id"] == 0]
    right = (rows["prediction"] == 0).groupby(rows["policy"]).mean()
    assert first.loc["all", "drop"] == pytest.approx(right[REFERENCE] - 1)
    assert first.loc["all", "view_part"] == pytest.approx(1 - right[TESTED])


def test_with_one_view_drops_are_those_of_the_common_view(study):
    from daclass.analysis.effects import Affected, effects
    from daclass.analysis.nulls import Nulls

    table = effects_of(study, shown(study.predictions, COMMON))
    assert (table["view_part"] == 0).all()
    cells, conditions = study.cells(), study.conditions
    nulls = Nulls.draw(cells, conditions, confidence=0.95, replicates=100, random_seed=0)
    plain = effects(cells, conditions, nulls, Affected("top", 0.1, 1, 0.05), confidence=0.95)
    plain = plain[(plain["truth"] == "original") & (plain["reference"] == "fixed")]
    for half in ("estimate", "all"):
        own, other = (t[t["half"] == half].set_index("class_id") for t in (table, plain))
        own, columns = own.drop(-1), ["drop", "low", "high", "p", "q"]
        pd.testing.assert_frame_equal(own[columns], other[columns])


def test_each_half_is_served_by_the_choice_of_the_other(study, predictions):
    """The tested strength does well at 0.7 on the selection half and at 1.0 on the estimating one:
    both choices are bad where they serve."""
    half = predictions["image_id"].map(study.index.set_index("image_id")["half"])
    label = predictions["image_id"].map(study.index.set_index("image_id")["class_id"])
    strong, view = predictions["policy"] == TESTED, predictions["view"]
    good = ((view == 0.7) & (half == "select")) | ((view == 1.0) & (half == "estimate"))
    bad = ((view == 1.0) & (half == "select")) | ((view == 0.7) & (half == "estimate"))
    said = predictions["prediction"].where(~(strong & good), label)
    said = said.where(~(strong & bad), (label + 1) % study.n_classes)
    table = effects_of(study, predictions.assign(prediction=said))
    assert (table["tested_view"] == 0.7).all()
    turned = {"names": (REFERENCE, TESTED), "reference": TESTED}
    reference = effects_of(study, predictions.assign(prediction=said), **turned)
    whole = table[table["half"] == "all"]["drop"] + reference[reference["half"] == "all"]["drop"]
    assert whole.to_numpy() == pytest.approx(0)
    rows = study.predictions[study.predictions["policy"] == REFERENCE]
    rows = rows.merge(study.index[study.index["half"] != ""], on="image_id")
    right = (rows["prediction"] == rows["class_id"]).groupby(rows["class_id"]).mean()
    whole = table[table["half"] == "all"].set_index("class_id")["drop"]
    assert whole.drop(-1).to_numpy() == pytest.approx(right.to_numpy())
    assert whole[-1] == pytest.approx(right.mean()), "the average counts all classes alike"


def test_a_tested_strength_that_was_read_off_has_wider_intervals(study, predictions):
    plain = effects_of(study, predictions)
    held = effects_of(study, predictions, family=Family.of(0.5 + 0.5 * np.eye(3)))
    known = plain["low"].gt(-1) & plain["p"].lt(0.5)
    assert known.any()
    assert (held["low"] <= plain["low"] + 1e-12).all()
    assert (held["low"] < plain["low"])[known].all() and (held["p"] > plain["p"])[known].all()


def test_a_study_needs_its_own_view(study, predictions):
    for made in (views, effects_of):
        arguments = (
            [study, predictions[predictions["view"] != COMMON]]
            if made is effects_of
            else [predictions[predictions["view"] != COMMON], study.index, study.n_classes, COMMON]
        )
        with pytest.raises(InputError, match=r"not 0\.875; run predict again"):
            made(*arguments, **({} if made is effects_of else {"confidence": 0.95}))


def test_remedies_are_policies_of_their_own(study, predictions, table):
    found = remedies(table, TESTED, policy=TESTED)
    assert found == [Remedy(VIEW, TESTED, 0.7, False), Remedy(SHIFT, TESTED, COMMON, True)]
    assert remedies(table, REFERENCE) == [Remedy(SHIFT, "uniform_tested", COMMON, True)]
    cells = arrange_cells(
        with_remedies(predictions, found, COMMON), *study.data[1:], "drop", COMMON
    )
    runs = cells.table.groupby("policy")["seed"].apply(list)
    assert runs[VIEW] == runs[SHIFT] == runs[TESTED] == [3, 7, 11]
    assert len(cells.table) == 3 * 5
    right = cells.correct["original"].mean(axis=1)
    assert (right[cells.table["policy"].isin([VIEW, SHIFT])] == 1).all()
    plain = study.cells()
    own = cells.table["policy"].isin(plain.table["policy"]).to_numpy()
    np.testing.assert_array_equal(cells.predicted[own], plain.predicted)


def test_without_views_and_shift_there_are_no_remedies(study):
    only = shown(study.predictions, COMMON)
    table = views(only, study.index, study.n_classes, COMMON, confidence=0.95)
    assert remedies(table, TESTED) == []
    assert len(with_remedies(only, [], COMMON)) == len(only)
