"""The short answers in words: a number has its interval, or the reason why it has none."""

from __future__ import annotations

import copy
import re

import pytest

from daclass.wording.answers import best_on_average, contrast_of, short_answers
from daclass.wording.views import average_at_best
from tests.plots.synthetic_study import study_summary, study_tables


@pytest.fixture(scope="module")
def single() -> dict:
    return study_summary(study_tables(seeds=1))


def test_one_network_of_each_condition_is_not_called_best(single) -> None:
    said = best_on_average(single)
    assert re.fullmatch(
        r"On one half of the pictures .* best on average; on the other it gets \d+\.\d% right.* "
        r"\(one seed, no interval\)\.",
        said,
    )
    assert said in short_answers(single)[0].line()
    told = copy.deepcopy(single)
    other = next(row["policy"] for row in told["accuracy"] if row["policy"] != told["tested"])
    told["best_average"] |= {"condition": other, "strength": None}
    assert ", against " in best_on_average(told) and other in best_on_average(told)


def test_a_change_at_the_best_views_says_why_it_has_no_interval(single) -> None:
    number = {"value": 0.02, "low": None, "high": None}
    view = {
        "change": number, "view_part": number, "common": 0.875, "reference_view": 1.0,
        "tested_view": 0.875,
    }  # fmt: skip
    assert average_at_best(view, contrast_of(single)).endswith(
        "adds +2.0 to that (one run of each gives no interval)"
    )
