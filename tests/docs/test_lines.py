"""Pages can be read as text too: prose keeps to lines of 100 characters."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
UNBROKEN = re.compile(r"\s*(\||!\[|:default:|:type:|\S+$)")  # tables, pictures, fields, one word


def prose(page):
    """Lines outside of code, with their numbers; directives hold prose."""
    fences = []
    for number, line in enumerate(page.splitlines(), 1):
        fence = re.match(r"\s*(`{3,}|:{3,})(.*)", line)
        if fence and fences and fence[1] == fences[-1][0] and not fence[2]:
            fences.pop()
        elif fence:
            fences.append((fence[1], fence[1][0] == "`" and not fence[2].startswith("{")))
        elif not any(code for _, code in fences) and not line.startswith("    "):
            yield number, line


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_lines_of_prose_are_short(file):
    if "_build" in file.parts:
        pytest.skip("built")
    long = [
        number
        for number, line in prose(file.read_text(encoding="utf-8"))
        if len(line) > 100 and not UNBROKEN.match(line)
    ]
    assert not long
