from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT, absent


def test_the_results_page_says_what_the_committed_predictions_say():
    numbers = pytest.importorskip("benchmarks.study_numbers")
    if not Path("/usr/share/wordnet/data.noun").is_file():
        absent("WordNet (Debian's wordnet-base)")
    page = (ROOT / "docs" / "results.md").read_text()
    _, _, rest = page.partition("<!-- numbers: tiny_imagenet -->\n")
    assert rest.partition("\n<!-- end of numbers -->")[0] == numbers.block("tiny_imagenet")


def test_the_results_page_says_what_the_committed_summaries_say():
    tables = pytest.importorskip("benchmarks.studies_table")
    page = (ROOT / "docs" / "results.md").read_text()
    assert tables.written(page) == page
    assert "| tiny_imagenet | 0.5 against 0.99 |" in page and "<!-- numbers: studies -->" in page


def test_committed_summaries_name_no_place_of_a_machine():
    """A study's own summary names its config and its pictures where they lie; those of Debian's
    packages lie in one place everywhere."""
    for file in sorted((ROOT / "figures" / "gallery").rglob("summary.json")):
        text = file.read_text(encoding="utf-8")
        assert not re.findall(r"[\s\"'=](/(?!usr/share/)[^\s\"']+)", text), file
