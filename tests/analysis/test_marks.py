"""Marks of simulated networks that do, or do not, read the view."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.marks import marks
from daclass.errors import InputError
from daclass.tables import SCHEMAS

AREAS, N, CLASSES = (1.0, 0.09, 0.49), 600, 6
PICTURES = pd.DataFrame(
    {"image_id": [f"p{i}" for i in range(N)], "class_id": np.arange(N) % CLASSES}
)
NOISE = {"reads": (0.0, 0.1, 0.25), "shifts": (0.1, 0.1, 0.1), "honest": (0.0, 0.0, 0.0)}


def predictions(seeds=4, random_seed=0):
    """Three policies that change classes 0 and 1: one takes pictures for them by what is shown, one
    always alike, one like the baseline."""
    rng = np.random.default_rng(random_seed)
    tables = {}
    for level, area in enumerate(sorted(AREAS)):
        rows = []
        for policy in ("uniform_tested", *NOISE):
            for seed in range(seeds):
                wrong = rng.random(N) < 0.3
                guess = np.where(wrong, rng.integers(0, CLASSES, N), PICTURES["class_id"])
                taken = rng.random(N) < NOISE.get(policy, (0, 0, 0))[level]
                guess = np.where(taken, rng.integers(0, 2, N), guess)
                rows.append(PICTURES.assign(policy=policy, seed=seed, prediction=guess))
        frame = pd.concat(rows).drop(columns="class_id")
        tables[area] = frame.sample(frac=1, random_state=level)
    return tables


def found(tables=None, pictures=PICTURES, **own):
    own = own or {policy: [0, 1] for policy in NOISE}
    return marks(tables or predictions(), pictures, own, baseline="uniform_tested", confidence=0.95)


def test_a_mark_is_what_grows_with_the_view():
    table = found().set_index(["policy", "shown"])
    assert list(table.loc["reads"].index) == [0.09, 0.49, 1.0]
    np.testing.assert_allclose(table["due"], 1 / 3)
    reads, shifts, honest = (table.loc[policy] for policy in NOISE)
    # A tenth, then a quarter of the predictions go to the two classes, of which a third are due.
    assert reads["mark"].iloc[1:].to_numpy() == pytest.approx([0.1 * 2 / 3, 0.25 * 2 / 3], abs=0.05)
    assert (reads["mark_low"].iloc[1:] > 0).all()
    assert (shifts["low"] > 0).all() and shifts["difference"].iloc[0] == pytest.approx(
        1 / 15, abs=0.05
    )
    for policy in (shifts, honest):
        assert (policy["mark_low"].iloc[1:] < 0).all() and (policy["mark_high"].iloc[1:] > 0).all()
    assert table["mark"].isna().groupby("policy").sum().eq(1).all()
    assert set(found().columns) == set(SCHEMAS["marks"])


def test_numbers_are_those_of_a_count_by_hand():
    pictures = PICTURES.iloc[:4]
    guesses = {("uniform_tested", 0): [0, 1, 2, 3], ("uniform_tested", 1): [2, 1, 2, 3],
               ("p", 0): [0, 0, 0, 3], ("p", 1): [0, 1, 2, 0]}  # fmt: skip
    rows = [
        {"policy": policy, "seed": seed, "image_id": image, "prediction": guess}
        for (policy, seed), own in guesses.items()
        for image, guess in zip(pictures["image_id"], own, strict=True)
    ]
    row = found({1.0: pd.DataFrame(rows)}, pictures, p=[0]).iloc[0]
    assert (row["share"], row["share_baseline"], row["due"]) == (5 / 8, 1 / 8, 1 / 4)
    assert row["difference"] == 0.5 and row["seeds"] == 2 and row["images"] == 4


def test_a_policy_that_changes_no_class_has_no_row():
    assert set(found(reads=[0], honest=[])["policy"]) == {"reads"}


def test_what_is_missing_is_named():
    tables = predictions(seeds=2)
    whole = tables[1.0]
    gone = {1.0: whole[~((whole["policy"] == "reads") & (whole["seed"] == 1))]}
    with pytest.raises(InputError, match="reads has no run with seed 1"):
        found(gone)
    with pytest.raises(InputError, match="none of the picture p7"):
        found({1.0: whole[whole["image_id"] != "p7"]})
    hole = ~((whole["policy"] == "reads") & (whole["image_id"] == "p3") & (whole["seed"] == 0))
    with pytest.raises(InputError, match="a run of reads lacks pictures"):
        found({1.0: whole[hole]})
