"""Renders the report."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from daclass.atomic import replacing
from daclass.plots import Tables
from daclass.report.content import build_content
from daclass.report.inline import inline_figures
from daclass.report.wording import FILTERS


def write_report(summary: dict[str, Any], tables: Tables, figures_folder: Path, out: Path) -> None:
    """Write the report of a study as one HTML file, atomically.

    Args:
        summary: what summary.json holds.
        tables: the study's tables; those without rows are reported as missing parts.
        figures_folder: where `daclass.plots.draw_all` wrote the figures.
        out: the HTML file.
    """
    environment = _environment()
    styles, script = (
        Markup(environment.loader.get_source(environment, file)[0])  # type: ignore[union-attr]
        for file in ("report.css", "sort.js")
    )
    page = environment.get_template("report.html.j2").render(
        **build_content(summary, tables),
        figures=inline_figures(figures_folder),
        styles=styles,
        script=script,
    )
    with replacing(out) as partial:
        partial.write_text(page, encoding="utf-8")


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
    environment.globals["span"] = FILTERS["span"]
    return environment
