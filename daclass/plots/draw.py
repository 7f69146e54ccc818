"""How the figures of a study reach the disk."""

from __future__ import annotations

import re
from pathlib import Path

from daclass.atomic import replacing
from daclass.plots.catalogue import FIGURES
from daclass.plots.save import save_csv, save_png, save_svg, settle
from daclass.plots.style import blank
from daclass.plots.tables import Tables
from daclass.plots.titles import TITLES

_MARKUP, _ESCAPED = re.compile(r"[\\*`|]|_(?!\w)"), r"\\\g<0>"


def draw_all(tables: Tables, folder: Path) -> list[str]:
    """Write <stem>.svg, .png, .csv (the numbers behind it) and .txt (its caption) of every figure.

    A figure without data is written too, as a line that says why it is empty, with a CSV of no
    rows: what a study writes is known before it has run.

    Args:
        tables: the study's tables.
        folder: where the files go; made if missing.

    Returns:
        The stems of the figures that have data, in order.
    """
    drawn = []
    for stem, plot in FIGURES.items():
        numbers = plot.numbers(tables)
        figure = blank(plot.missing) if numbers.empty else plot.draw(tables)
        settle(figure)
        save_svg(figure, folder / f"{stem}.svg", TITLES[stem].text)
        save_png(figure, folder / f"{stem}.png")
        save_csv(numbers, folder / f"{stem}.csv")
        _save_caption(plot.missing if numbers.empty else plot.caption(tables), folder, stem)
        if not numbers.empty:
            drawn.append(stem)
    return drawn


def _save_caption(caption: str, folder: Path, stem: str) -> None:
    """As reStructuredText, which Snakemake's report reads and people can."""
    with replacing(folder / f"{stem}.txt") as partial:
        partial.write_text(f"**{TITLES[stem].text}.** {_MARKUP.sub(_ESCAPED, caption)}\n", "utf-8")
