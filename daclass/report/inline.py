"""Puts the SVG files of the figures into the page."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from markupsafe import Markup

from daclass.errors import InputError
from daclass.plots.catalogue import FIGURES
from daclass.plots.findings import FINDINGS
from daclass.plots.tables import Tables
from daclass.plots.titles import TITLES


def inline_figures(folder: Path, tables: Tables) -> dict[str, dict[str, Any]]:
    """All figures: stem -> svg, finding, caption and missing.

    `svg` is an element that follows the page's theme, None where there is no data or no file;
    `finding` is what it shows; `missing` says why there is nothing.
    """
    return {stem: _figure(stem, folder / f"{stem}.svg", tables) for stem in FIGURES}


def _figure(stem: str, file: Path, tables: Tables) -> dict[str, Any]:
    plot = FIGURES[stem]
    found: dict[str, Any] = {"svg": None, "finding": "", "caption": "", "missing": plot.missing}
    if plot.numbers(tables).empty:
        return found
    if not file.is_file():
        return {**found, "missing": f"The figure {file.name} was not drawn."}
    finding = FINDINGS[stem](tables) if stem in FINDINGS else TITLES[stem].text
    return {
        "svg": _inline(file, TITLES[stem].text),
        "finding": finding,
        "caption": plot.caption(tables),
        "missing": "",
    }


def _inline(file: Path, title: str) -> Markup:
    try:
        root = ET.fromstring(file.read_bytes())
    except ET.ParseError as error:
        raise InputError(f"{file}: not a readable SVG file ({error}); draw it again") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]  # HTML knows svg without its namespace
    for standalone in (*root.findall("style"), *root.findall("title")):
        root.remove(standalone)  # theme and name come from the page
    root.set("role", "img")
    root.set("aria-label", title)
    return Markup(ET.tostring(root, encoding="unicode"))
