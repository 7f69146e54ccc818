"""How the figures of a study reach the disk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from daclass.atomic import replacing
from daclass.plots.catalogue import FIGURES
from daclass.plots.save import save_csv, save_png, save_svg, settle
from daclass.plots.style import blank
from daclass.plots.tables import Tables
from daclass.plots.titles import ENDINGS, TITLES

_MARKUP, _ESCAPED = re.compile(r"[\\*`|]|_(?!\w)"), r"\\\g<0>"


def draw_all(tables: Tables, folder: Path, stems: Sequence[str] = tuple(FIGURES)) -> list[str]:
    """Write <stem>.svg, .png, .csv (the numbers behind it) and .txt (its caption) of every figure.

    A figure that turns out to have no data is written too, as a line that says why it is empty,
    with a CSV of no rows: what a study writes is known before it has run. Files of figures that the
    study cannot have (any more) are removed.

    Args:
        tables: the study's tables.
        folder: where the files go; made if missing.
        stems: the figures that the study can have, see `titles.figures_of`.

    Returns:
        The stems of the figures that have data, in order.
    """
    drawn = []
    for stem, plot in FIGURES.items():
        if stem not in stems:
            for ending in ENDINGS:
                (folder / f"{stem}.{ending}").unlink(missing_ok=True)
            continue
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
