"""Tables are joined by picture, whatever the order of their rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.cells import arrange_cells, arrange_runs, grid, level_of, validation_images
from daclass.errors import InputError


def test_cells_agree_with_a_lookup_row_by_row(study) -> None:
    cells = arrange_cells(*study.data, "drop")
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
    cells = arrange_cells(*study.data, empty_labels)
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


def test_grid_needs_every_seed_once_at_every_level() -> None:
    table = pd.DataFrame(
        {
            "policy": ["a", "a", "b", "b"],
            "strength": [0.9, 0.9, 0.1, 0.1],
            "seed": [5, 2, 2, 5],
        }
    )
    levels, seeds, rows = grid(table, "strength")
    assert (levels, seeds) == ([0.1, 0.9], [2, 5])
    np.testing.assert_array_equal(rows, [[2, 3], [1, 0]])
    assert level_of(levels, 0.9, "strength") == 1
    with pytest.raises(InputError, match=r"no run has strength 0.5"):
        level_of(levels, 0.5, "strength")
    with pytest.raises(InputError, match=r"strength 0.1 has 0 runs with seed 5"):
        grid(table.iloc[:3], "strength")
    with pytest.raises(InputError, match=r"strength 0.1 has 2 runs with seed 2"):
        grid(table.assign(strength=0.1), "strength")
    with pytest.raises(InputError, match="policy a is not uniform"):
        grid(table.assign(strength=[np.nan, np.nan, 0.1, 0.1]), "strength")
