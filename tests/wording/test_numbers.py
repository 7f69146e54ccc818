"""How numbers and names are written."""

import math

import pytest

from daclass.wording import numbers as wording
from daclass.wording.names import shorten_apart


@pytest.mark.parametrize(
    ("value", "digits", "signed", "text"),
    [
        (12.34, 1, False, "12.3"),
        (-12.34, 0, False, "−12"),
        (-0.04, 1, True, "0.0"),
        (0.04, 1, True, "0.0"),
        (3.0, 0, True, "+3"),
        (12345.0, 0, False, "12,345"),
        (math.nan, 1, False, "–"),
        (None, 1, False, "–"),
        (math.inf, 1, False, "–"),
    ],
)
def test_number(value, digits, signed, text):
    assert wording.number(value, digits, signed) == text


def test_percent_and_points():
    assert wording.percent(0.8126) == "81.3%"
    assert wording.percent(None) == wording.percent(math.nan) == "–"
    assert wording.points(-0.162, 1) == "−16.2"
    assert wording.points(0.05, 0, signed=True) == "+5"


def test_bracket_is_empty_without_an_interval():
    assert wording.bracket(-0.021, 0.12, 0) == " [−2, 12]"
    assert wording.bracket(0.121, 0.19) == " [12.1, 19.0]"
    assert wording.bracket(math.nan, 0.1) == wording.bracket(None, None) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "<0.001"), (0.0123, "0.012"), (0.456, "0.46"), (math.nan, "–"), (None, "–")],
)
def test_chance(value, text):
    assert wording.chance(value) == text


def test_counted():
    assert wording.counted(0, "class", "classes") == "no class"
    assert wording.counted(1, "class", "classes") == "1 class"
    assert wording.counted(2400, "picture") == "2,400 pictures"


def test_a_sentence_keeps_its_names():
    assert wording.sentence("from “VGG” to “ResNet”") == "From “VGG” to “ResNet”"
    assert wording.sentence("") == ""


@pytest.mark.parametrize(("seconds", "text"), [(12.3, "12 s"), (480, "8 min"), (9000, "2.5 h")])
def test_duration(seconds, text):
    assert wording.duration(seconds) == text


def test_listed_says_how_many_follow():
    assert wording.listed([]) == ""
    assert wording.listed(["a"]) == "a"
    assert wording.listed(["a", "b", "c"]) == "a, b and c"
    assert wording.listed(list("abcdef"), at_most=2) == "a, b and 4 more"


def test_span():
    assert wording.span(50, 50, "picture") == "50 pictures"
    assert wording.span(1, 1, "picture") == "1 picture"
    assert wording.span(40, 1500, "picture") == "40 to 1,500 pictures"


def test_names_that_would_look_alike_are_shortened_to_what_tells_them_apart():
    names = [
        "cat",
        "container ship, the old one",
        "container ship, the new one",
        "a long lone name",
    ]
    assert shorten_apart(names, 14) == ["cat", "cont…old one", "cont…new one", "a long lone n…"]
    assert shorten_apart(["x" * 40, "x" * 39 + "y"], 10)[1].endswith("y")
    assert all(len(name) <= 14 for name in shorten_apart(names, 14))
