"""Tables are joined by picture, whatever the order of their rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.cells import arrange_cells, arrange_runs, validation_images
from daclass.errors import InputError
from daclass.tables import RUNNERS_UP, read_table, write_table


def test_cells_agree_with_a_lookup_row_by_row(study) -> None:
    cells = study.cells()
    label = study.index.set_index("image_id")["class_id"]
    sets = study.annotations.set_index("image_id")["labels"]
    assert cells.predicted.shape == (9, 160)
    run = {(row.policy, row.seed): rank for rank, row in enumerate(cells.table.itertuples())}
    column = {image_id: rank for rank, image_id in enumerate(cells.images.ids)}
    for row in study.predictions.itertuples():
        cell = run[row.policy, row.seed], column[row.image_id]
        assert cells.predicted[cell] == row.prediction
        assert cells.correct["original"][cell] == (row.prediction == label[row.image_id])
        assert cells.correct["multi"][cell] == (row.prediction in sets[row.image_id])


def test_pictures_are_sorted_by_class_and_training_pictures_stay_out(study) -> None:
    images = validation_images(study.index, study.n_classes)
    assert list(images.labels) == sorted(images.labels)
    assert all(image_id.startswith("val/") for image_id in images.ids)
    assert images.half("all").sum() == images.half("select").sum() + images.half("estimate").sum()


@pytest.mark.parametrize(("empty_labels", "counted"), [("drop", 137), ("wrong", 160)])
def test_pictures_with_an_empty_set_leave_or_are_wrong(study, empty_labels, counted) -> None:
    cells = study.cells(empty_labels)
    assert cells.counted["original"].all()
    assert cells.counted["multi"].sum() == counted
    empty = study.annotations.loc[study.annotations["labels"].str.len() == 0, "image_id"]
    assert not cells.correct["multi"][:, cells.images.ids.isin(empty)].any()


def test_no_labels_at_all(study) -> None:
    nothing = study.annotations.assign(labels=[[] for _ in range(len(study.annotations))])
    cells = arrange_cells(study.predictions, study.index, nothing, study.n_classes, "wrong")
    assert not cells.correct["multi"].any()


def test_incomplete_tables_are_refused(study) -> None:
    predictions, index, annotations, n_classes = study.data
    first = predictions.iloc[0]
    with pytest.raises(InputError, match=f"seed {first['seed']} lacks the picture"):
        arrange_runs(predictions.iloc[1:], index, n_classes)
    with pytest.raises(InputError, match="is no validation picture"):
        arrange_runs(predictions.assign(image_id="x"), index, n_classes)
    with pytest.raises(InputError, match=r"annotations: the picture .* is missing"):
        arrange_cells(predictions, index, annotations.iloc[1:], n_classes, "drop")
    twice = pd.concat([annotations, annotations.head(1)])
    with pytest.raises(InputError, match="annotations: a picture is there twice"):
        arrange_cells(predictions, index, twice, n_classes, "drop")
    with pytest.raises(InputError, match="a label lies outside 0 to 9"):
        odd = annotations.assign(labels=[[10]] * len(annotations))
        arrange_cells(predictions, index, odd, n_classes, "drop")
    with pytest.raises(InputError, match="class_id lies outside 0 to 4"):
        validation_images(index, 5)
    with pytest.raises(InputError, match="no validation pictures"):
        validation_images(index.assign(half=""), n_classes)
    with pytest.raises(InputError, match="is there twice"):
        validation_images(pd.concat([index, index]), n_classes)


def test_categories_in_any_order_are_joined_as_text_is(study) -> None:
    """Tables come from files with text as categories, unused ones among them."""
    rng = np.random.default_rng(0)
    coded = study.predictions.copy()
    for column in ("policy", "image_id"):
        values = [*coded[column].unique(), "unused", "another"]
        coded[column] = pd.Categorical(coded[column], rng.permutation(values))
    plain, found = (
        arrange_cells(predictions, *study.data[1:], "drop")
        for predictions in (study.predictions, coded)
    )
    np.testing.assert_array_equal(found.predicted, plain.predicted)
    np.testing.assert_array_equal(found.correct["multi"], plain.correct["multi"])
    pd.testing.assert_frame_equal(found.table, plain.table, check_dtype=False)


def test_predictions_from_several_files(study, tmp_path) -> None:
    """Files of which each has a dictionary of its own."""
    columns = {**dict.fromkeys(RUNNERS_UP, -1), "run": study.predictions["run"]}
    columns |= {"view": 1.0, "shifted": False}
    whole = study.predictions.assign(**columns)
    for rank, (_, part) in enumerate(whole.groupby("seed")):
        write_table(part, "predictions", tmp_path / f"{rank}.parquet")
    read = read_table("predictions", *sorted(tmp_path.iterdir(), reverse=True))
    found = arrange_runs(read, study.index, study.n_classes)
    np.testing.assert_array_equal(found.predicted, study.cells().predicted)


def test_extra_labels_are_those_beside_the_original_one(study) -> None:
    rng = np.random.default_rng(0)
    sets = [list(rng.choice(10, rng.integers(0, 4), replace=False)) for _ in range(160)]
    annotations = study.annotations.assign(labels=sets)
    cells = arrange_cells(study.predictions, study.index, annotations, 10, "drop")
    table = study.index.merge(annotations, on="image_id").set_index("image_id")
    expected = [
        len(set(table.loc[image, "labels"]) - {table.loc[image, "class_id"]})
        for image in cells.images.ids
    ]
    np.testing.assert_array_equal(cells.extra_labels, expected)


@pytest.mark.parametrize(
    ("depth", "n_classes", "depths"), [(1, 10, (1,)), (3, 10, (1, 3)), (3, 3, (1,)), (5, 6, (1, 5))]
)
def test_depths_leave_out_what_is_always_right(simulator, depth, n_classes, depths) -> None:
    study = simulator(depth=depth, n_classes=n_classes, per_class=2)
    assert study.cells().depths == depths


def test_one_view_of_several_is_judged_and_never_another(study):
    """The study's own view, before the shift; others hold nonsense."""
    own = study.predictions.assign(view=0.875, shifted=False)
    odd = [
        own.assign(prediction=0, view=1.0),
        own.assign(prediction=0, shifted=True),
    ]
    every = pd.concat([odd[0], own, odd[1]], ignore_index=True)
    expected = arrange_cells(*study.data[:3], study.n_classes, "drop")
    cells = arrange_cells(every, *study.data[1:3], study.n_classes, "drop", 0.875)
    np.testing.assert_array_equal(cells.predicted, expected.predicted)
    alone = arrange_cells(own, *study.data[1:3], study.n_classes, "drop")
    np.testing.assert_array_equal(alone.predicted, expected.predicted)
    elsewhere = own.assign(view=np.nan)
    found = arrange_cells(elsewhere, *study.data[1:3], study.n_classes, "drop", 0.875)
    np.testing.assert_array_equal(found.predicted, expected.predicted)
    asked = arrange_cells(every, *study.data[1:3], study.n_classes, "drop", 0.875, shifted=True)
    assert (asked.predicted == 0).all()
    with pytest.raises(InputError, match="one of them is to be named"):
        arrange_cells(every, *study.data[1:3], study.n_classes, "drop")
    with pytest.raises(InputError, match=r"not 0\.5"):
        arrange_cells(own, *study.data[1:3], study.n_classes, "drop", 0.5)
