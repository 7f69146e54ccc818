"""Made-up studies for the report's tests."""

import functools
import sys
from pathlib import Path

import pytest

# Tests are imported by path and share no package: this makes the helper known by its name.
sys.path.insert(0, str(Path(__file__).parents[1] / "plots"))

from synthetic_study import NAMES, study_summary, study_tables

from daclass.plots.catalogue import FIGURES
from daclass.plots.save import save_svg
from daclass.plots.titles import TITLES
from daclass.report.write import write_report
from tests.analysis.conftest import simulator

__all__ = ["simulator"]


@pytest.fixture(scope="session")
def make_report(tmp_path_factory):
    """Writes a report without figures; returns (its text, the tables, the summary)."""

    @functools.cache
    def make(title="A study", **study):
        tables = study_tables(**study)
        summary = study_summary(tables, title)
        folder = tmp_path_factory.mktemp("report")
        write_report(summary, tables, folder / "figures", folder / "report.html")
        return (folder / "report.html").read_text(encoding="utf-8"), tables, summary

    return make


@pytest.fixture(scope="session")
def odd_names():
    """Class names that have broken reports: markup, other scripts, mathematics, length."""
    names = list(NAMES)
    odd = ["<script>alert(1)</script>", "שלום", "日本語", "$x_1$", "a & b \"c\" 'd'", "x" * 60]
    for place, name in zip((2, 5, 9, 13, 17, 20), odd, strict=True):
        names[place] = name
    return tuple(names)


@pytest.fixture(scope="session")
def full_report(tmp_path_factory, odd_names):
    """A report with all its figures and odd class names: (text, tables, summary)."""
    tables = study_tables(names=odd_names, affected=3)
    summary = study_summary(tables, "Crops <b>& more</b>")
    folder = tmp_path_factory.mktemp("full")
    for stem, plot in FIGURES.items():  # PNG and CSV are the figures' own tests' business
        save_svg(plot.draw(tables), folder / f"{stem}.svg", TITLES[stem].text)
    write_report(summary, tables, folder, folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8"), tables, summary
