"""Marks of simulated networks that do, or do not, read the view."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.marks import Shown, marked, marks, shown_fuller
from daclass.errors import InputError
from daclass.tables import SCHEMAS

VIEWS, N, CLASSES = (1.0, 0.3, 0.7), 600, 6
PICTURES = pd.DataFrame(
    {"image_id": [f"p{i}" for i in range(N)], "class_id": np.arange(N) % CLASSES}
)
NOISE = {"reads": (0.0, 0.1, 0.25), "shifts": (0.1, 0.1, 0.1), "honest": (0.0, 0.0, 0.0)}


def predictions(seeds=4, random_seed=0):
    """Three policies that change classes 0 and 1: one takes pictures for them by what is shown, one
    always alike, one like the baseline."""
    rng = np.random.default_rng(random_seed)
    frames = []
    for level, view in enumerate(sorted(VIEWS)):
        for policy in ("uniform_tested", *NOISE):
            for seed in range(seeds):
                wrong = rng.random(N) < 0.3
                guess = np.where(wrong, rng.integers(0, CLASSES, N), PICTURES["class_id"])
                taken = rng.random(N) < NOISE.get(policy, (0, 0, 0))[level]
                guess = np.where(taken, rng.integers(0, 2, N), guess)
                frames.append(
                    PICTURES.assign(policy=policy, seed=seed, view=view, prediction=guess)
                )
    table = pd.concat(frames).drop(columns="class_id").assign(shifted=False)
    shifted = table[table["view"] == 0.7].assign(shifted=True, prediction=0)  # does not count
    return pd.concat([table, shifted]).sample(frac=1, random_state=0)


def found(table=None, pictures=PICTURES, **own):
    shown = {
        policy: Shown("uniform_tested", tuple(classes))
        for policy, classes in (own or dict.fromkeys(NOISE, (0, 1))).items()
    }
    table = predictions() if table is None else table
    return marks(table, pictures, shown, confidence=0.95)


def test_a_mark_is_what_grows_with_the_view():
    table = found().set_index(["policy", "view"])
    assert list(table.loc["reads"].index) == [0.3, 0.7, 1.0]
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
    table = pd.DataFrame(rows).assign(view=1.0, shifted=False)
    row = found(table, pictures, p=[0]).iloc[0]
    assert (row["share"], row["share_baseline"], row["due"]) == (5 / 8, 1 / 8, 1 / 4)
    assert row["difference"] == 0.5 and row["seeds"] == 2 and row["images"] == 4


def test_a_policy_marks_where_its_interval_says_so():
    told = marked(found()).set_index("policy")["marks"]
    assert told.to_dict() == {"reads": True, "shifts": False, "honest": False}
    one_seed = marked(found(predictions(seeds=1)))
    assert not one_seed["marks"].any() and len(one_seed) == 3
    assert marked(found(reads=[0]).head(0)).empty


def test_the_classes_that_a_policy_shows_fuller():
    """Against the uniform policy of what most classes have; fine-tuned ones among themselves."""
    policies = pd.DataFrame(
        [("tested", "", 0.5), ("best", "", 0.75), ("few", "", np.nan), ("graded", "", np.nan),
         ("cut", "", np.nan), ("odd", "", np.nan), ("fine_tested", "tested", 0.5),
         ("fine_few", "tested", np.nan)],
        columns=["policy", "parent", "strength"],
    )  # fmt: skip
    own = {
        "tested": [0.5] * 4, "best": [0.75] * 4, "few": [0.5, 0.5, 0.75, 0.99],
        "graded": [0.75, 0.75, 0.5, 0.99], "cut": [0.75, 0.75, 0.75, 0.5],
        "odd": [0.3, 0.3, 0.3, 0.5], "fine_tested": [0.5] * 4, "fine_few": [0.5, 0.99, 0.5, 0.5],
    }  # fmt: skip
    rows = [
        {"policy": policy, "class_id": k, "strength": strength, "own": True}
        for policy, strengths in own.items()
        for k, strength in enumerate(strengths)
    ]
    # What every class draws besides is not its own.
    drawn = [{"policy": "few", "class_id": k, "strength": 0.08, "own": False} for k in range(4)]
    classes = pd.DataFrame(rows + drawn).sample(frac=1, random_state=0)
    assert shown_fuller(policies, classes, otherwise="tested") == {
        "few": Shown("tested", (2, 3)),
        "graded": Shown("best", (3,)),
        "cut": Shown("best", (0, 1, 2)),
        "odd": Shown("tested", (3,)),
        "fine_few": Shown("fine_tested", (1,)),
    }


def test_what_is_missing_is_named():
    table = predictions(seeds=2)
    whole = table["view"] == 1.0
    run = (table["policy"] == "reads") & (table["seed"] == 1)
    with pytest.raises(InputError, match="reads has no run with seed 1"):
        found(table[~(whole & run)])
    with pytest.raises(InputError, match="none of the picture p7"):
        found(table[~(whole & (table["image_id"] == "p7"))])
    with pytest.raises(InputError, match="a run of reads lacks pictures"):
        found(table[~(whole & run & (table["image_id"] == "p3"))])
