"""Writing figures: SVG for pages, PNG for everything else, CSV with the numbers behind them."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from daclass.atomic import replacing
from daclass.plots.style import INK, house_style

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
# A standalone file follows the reader's theme by itself; the report drops this element and lets
# the page decide.
THEME = (
    f"svg{{color:{INK};font-family:system-ui,sans-serif}}"
    "@media(prefers-color-scheme:dark){svg{color:#d6d9de}}"
)
_FONT = re.compile(r"font: ?(?:(?P<weight>bold|\d{3}) )?(?P<size>[\d.]+px) [^;]*")
FORMULA = frozenset("=+-@\t\r")
"""What texts begin with that spreadsheets take for formulas."""
_REFERENCE = re.compile(r"url\(#")


def settle(figure: Figure) -> None:
    """Compute the layout once and keep it: it is the slow part, and all files then agree."""
    with house_style():
        figure.draw_without_rendering()
    figure.set_layout_engine("none")


def save_png(figure: Figure, path: Path) -> None:
    """Write the figure on white at 150 dots per inch, atomically."""
    buffer = io.BytesIO()
    with house_style():
        figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    with replacing(path) as partial:
        partial.write_bytes(buffer.getvalue())


def save_svg(figure: Figure, path: Path, title: str) -> None:
    """Write the figure as SVG, atomically; the same figure gives the same bytes.

    The background is transparent, the ink is ``currentColor``, text is text in the reader's font,
    and every id starts with the file's stem, so that several figures fit into one page.

    Args:
        figure: the figure.
        path: the file; its stem prefixes the ids.
        title: what the figure shows, for screen readers.
    """
    buffer = io.BytesIO()
    with house_style(), mpl.rc_context({"svg.hashsalt": path.stem}):
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    with replacing(path) as partial:
        partial.write_bytes(_tidy(buffer.getvalue(), path.stem, title))


def save_csv(numbers: pd.DataFrame, path: Path) -> None:
    """Write the numbers with six significant digits, atomically.

    Texts that a spreadsheet would take for a formula get an apostrophe in front (OWASP, CSV
    injection): names of classes and models come from other people's folders and files.
    """
    safe = numbers.apply(
        lambda column: column if column.dtype.kind in "iufb" else column.map(_no_formula)
    )
    with replacing(path) as partial:
        partial.write_bytes(safe.to_csv(index=False, float_format="%.6g").encode())


def _no_formula(value: object) -> object:
    """A value of a table; before a text that begins as a formula does, an apostrophe."""
    formula = isinstance(value, str) and value[:1] in FORMULA
    return f"'{value}" if formula else value


def _tidy(content: bytes, stem: str, title: str) -> bytes:
    ET.register_namespace("", SVG)
    root = ET.fromstring(content)
    for metadata in root.findall(f"{{{SVG}}}metadata"):
        root.remove(metadata)
    for element in root.iter():
        _tidy_element(element, stem)
    head: list[tuple[str, str, dict[str, str]]] = [
        ("title", title, {}),
        ("style", THEME, {"class": "theme"}),
    ]
    for place, (tag, text, attributes) in enumerate(head):
        element = ET.Element(f"{{{SVG}}}{tag}", attributes)
        element.text = text
        root.insert(place, element)
    return ET.tostring(root, encoding="utf-8")


def _tidy_element(element: ET.Element, stem: str) -> None:
    link = element.attrib.pop(f"{{{XLINK}}}href", None)
    if link is not None:
        element.set("href", f"#{stem}-{link.removeprefix('#')}")
    for name, value in list(element.attrib.items()):
        if name == "id":
            element.set("id", f"{stem}-{value}")
        elif name in ("style", "clip-path", "fill", "stroke"):
            value = _REFERENCE.sub(f"url(#{stem}-", value).replace(INK, "currentColor")
            element.set(name, _FONT.sub(_font, value))


def _font(match: re.Match[str]) -> str:
    weight = f"font-weight:{match['weight']};" if match["weight"] else ""
    return f"{weight}font-size:{match['size']}"
