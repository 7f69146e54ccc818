"""Renders the report."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from daclass.atomic import replacing
from daclass.designer import BEST, CONTROL, FINE_TUNED, TESTED
from daclass.plots.tables import Tables
from daclass.report.charts import charts, library
from daclass.report.content import build_content
from daclass.report.explorer import explorer_data
from daclass.report.inline import inline_figures
from daclass.report.markup import FILTERS
from daclass.wording.numbers import bracket, span
from daclass.wording.verdicts import decided, direction


def write_report(summary: dict[str, Any], tables: Tables, figures_folder: Path, out: Path) -> None:
    """Write the report of a study as one HTML file, atomically.

    Args:
        summary: what summary.json holds.
        tables: the study's tables; those without rows are reported as missing parts.
        figures_folder: where `daclass.plots.draw_all` wrote the figures.
        out: the HTML file.
    """
    environment = _environment()
    content = build_content(summary, tables)
    explorer = explorer_data(tables)
    explorer["charts"] = charts(tables.conditions, explorer["truths"])
    figures = inline_figures(figures_folder, tables)
    page = environment.get_template("report.html.j2").render(
        **content,
        figures=figures,
        drawn=[stem for stem, figure in figures.items() if figure["svg"]],
        explorer=explorer,
        has_null=any(entry["null_low"] is not None for entry in explorer["classes"]),
        has_curves=any("curves" in entry for entry in explorer["classes"]),
        styles=_file("report.css"),
        scripts=[Markup(library()), _file("sort.js"), _file("explorer.js")],
    )
    with replacing(out) as partial:
        partial.write_text(page, encoding="utf-8")


def _file(name: str) -> Markup:
    """A file of the page's own styles or scripts."""
    environment = _environment()
    source: str = environment.loader.get_source(environment, name)[0]  # type: ignore[union-attr]
    return Markup(source)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("daclass.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(bracket=bracket, span=span, decided=decided, direction=direction)
    environment.globals.update(TESTED=TESTED, BEST=BEST, CONTROL=CONTROL, FINE_TUNED=FINE_TUNED)
    return environment
