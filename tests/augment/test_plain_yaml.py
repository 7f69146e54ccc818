from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daclass.augment.plain_yaml import dump_yaml, load_yaml

# From the YAML 1.2.2 specification, examples 10.2, 10.3 and 10.9, and what PyYAML reads otherwise.
SCALARS = {
    "null": None, "~": None, "": None, "true": True, "False": False, "0": 0, "-19": -19,
    "0o7": 7, "0x3A": 58, "0.": 0.0, "-0.0": 0.0, ".5": 0.5, "+12e03": 12000.0, "-2E+05": -200000.0,
    "1e-3": 0.001, "y": "y", "2024-01-01": "2024-01-01",
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_scalars_are_those_of_yaml_1_2(text, value):
    read = load_yaml(f"- {text}")[0]
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    "text",
    ["yes", "No", "ON", "off", "010", "-007", "1:30", "190:20:30.15", "1_000", "0b101", "<<"],
)
def test_what_yaml_1_1_reads_otherwise_is_refused_unless_quoted(text):
    with pytest.raises(ValueError, match=r"line 1, column 4: .* is ambiguous"):
        load_yaml(f"a: {text}")
    assert load_yaml(f'a: "{text}"') == {"a": text}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "line 3, column 1: a stands there twice"),
        ("1: a\n1.0: b", "1.0 stands there twice"),
        ("a: &b 1\nc: *b", "alias"),
        ("a: !!int '3'", "tag"),
        ("a: !!python/object/apply:os.system [ls]", "tag"),
        ("? [a]\n: b", "a key is a name or a number"),
        ("[" * 9000, "nested too deeply"),
        ("9" * 5000, "5,000 digits"),
        ("a: \x00", "unacceptable character"),
        ("a: b\n---\na: c", "another document"),
    ],
)
def test_what_hides_a_mistake_is_refused(text, message):
    with pytest.raises(ValueError, match=message) as error:
        load_yaml(text)
    assert "\n" not in str(error.value)


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(st.recursive(plain, lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=8))
def test_what_is_written_is_read_again(content):
    assert load_yaml(dump_yaml(content)) == content


@given(st.from_regex(r"[-+0-9xobeE._:]{1,6}|(?i:yes|no|on|off|null|true)", fullmatch=True))
def test_a_text_that_looks_like_something_else_stays_a_text(text):
    assert load_yaml(dump_yaml({text: text})) == {text: text}


@given(st.text())
def test_any_text_is_read_or_refused_in_one_line(text):
    try:
        load_yaml(text)
    except ValueError as error:
        assert "\n" not in str(error)
