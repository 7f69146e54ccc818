"""How figures look: inks, sizes, and the small helpers that every figure shares.

Figures are drawn for a light and a dark page at once. Text, axes and neutral marks use `INK`, and
`save_svg` turns that one colour into CSS ``currentColor``; all other colours are mid-tones that
read on both. Text stays text, so that the page's font and the browser's shaping of any script
apply.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, ParamSpec

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import font_manager
from matplotlib import style as mpl_style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from daclass.wording.names import isolate, shorten_apart

P = ParamSpec("P")
Dashes = Literal["-", "--"]

INK = "#26292e"
WIDTH = 4.4  # inches: 9 pt text is then about 10 px where a phone shows the figure 370 px wide
LINE = 9.0
ROW = 0.17  # inches: height of a row with a name

# Okabe and Ito's hues, shifted to mid-tones: each has a contrast of 3:1 or more with a white and
# with a dark page. Text is never coloured.
BLUE, ORANGE, GREEN, RED, PINK = "#1f87c4", "#c47d00", "#029e73", "#d55e00", "#c066ae"
TRUTH_COLOURS = {"original": BLUE, "multi": GREEN}
TRUTH_MARKERS = {"original": "o", "multi": "D"}
TRUTH_DASHES: dict[str, Dashes] = {"original": "-", "multi": "--"}
TRUTH_NAMES = {"original": "original label", "multi": "any annotated label"}
AFFECTED = RED
NULL, NULL_OPACITY = BLUE, 0.22  # the band where a class lies if nothing affects it
CATEGORY_COLOURS = {
    "ambiguous": BLUE,
    "co-occurring": ORANGE,
    "fine-grained": GREEN,
    "unrelated": PINK,
    "unknown": INK,
    "none": INK,
}
CATEGORY_MARKERS = {
    "ambiguous": "o",
    "co-occurring": "s",
    "fine-grained": "^",
    "unrelated": "D",
    "unknown": "P",
    "none": "v",
}
FALLBACK_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK KR", "WenQuanYi Zen Hei", "Noto Sans",
    "Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Ethiopic",
)  # fmt: skip
QUIET = 0.45  # opacity of marks that are context
NAMED_LINES = 4  # single classes that a figure of many lines names
COVERED_AT_MOST = 1  # marks that a name in a scatter plot may lie on


def _fonts() -> list[str]:
    """DejaVu Sans, which comes with matplotlib and gives the same layout everywhere; then, for
    scripts that it lacks, those of `FALLBACK_FONTS` that are installed."""
    known = set(font_manager.get_font_names())
    return ["DejaVu Sans", *(name for name in FALLBACK_FONTS if name in known)]


RC: dict[str, Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": LINE,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": LINE,
    "axes.unicode_minus": True,
    "figure.facecolor": "white",
    "axes.facecolor": "none",
    "font.family": _fonts(),
    "font.size": LINE,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,  # a class may be called "$"
    "xtick.color": INK,
    "xtick.labelsize": LINE - 0.5,
    "xtick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.color": INK,
    "ytick.labelsize": LINE - 0.5,
    "ytick.major.size": 2.5,
    "ytick.major.width": 0.6,
}


@contextmanager
def house_style() -> Iterator[None]:
    """A context in which matplotlib's defaults and `RC` hold, whatever the user's settings are."""
    with mpl_style.context(["default", RC]), warnings.catch_warnings():
        # PNG has boxes for scripts that no installed font has; SVG and CSV have the letters.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Run a figure function in the house style."""

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with house_style():
            return draw(*args, **kwargs)

    return wrapper


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure that belongs to no window and no global state; sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


@styled
def blank(reason: str) -> Figure:
    """A figure that says why there is nothing to draw."""
    figure = new_figure(0.5)
    figure.text(0, 0.5, reason, va="center", wrap=True)
    return figure


def panels(count: int, columns: int, row_height: float = 1.15) -> tuple[Figure, list[Axes]]:
    """A figure of small multiples with shared axes; a single row is taller.

    Args:
        count: number of panels.
        columns: panels side by side, where there are as many.
        row_height: height of a row of panels in inches.
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    room = 0.6  # inches for the key and the labels
    figure = new_figure(room + max(rows * row_height, 1.7))
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    axes: list[Axes] = list(grid.flat)
    for spare in axes[count:]:
        spare.remove()
    for lowest in axes[:count][-columns:]:  # a panel above a removed one shows its own ticks
        lowest.tick_params(labelbottom=True)
    return figure, axes[:count]


def class_names(classes: pd.DataFrame, longest: int = 26) -> dict[int, str]:
    """Class id -> name as figures write it: shortened, and safe beside other scripts."""
    names = shorten_apart(classes["name"].astype(str).tolist(), longest)
    return {int(i): isolate(name) for i, name in zip(classes["class_id"], names, strict=True)}


def without_repetition(numbers: pd.DataFrame, value: str) -> pd.DataFrame:
    """Leave out the rows of the multi-label truth where they say the same as the original's.

    Without annotations beyond the original label, both truths are one and so should the lines be.

    Args:
        numbers: rows of both truths, in the same order.
        value: the column to compare.
    """
    original, multi = (numbers[numbers["truth"] == truth] for truth in ("original", "multi"))
    same = np.array_equal(original[value].to_numpy(), multi[value].to_numpy(), equal_nan=True)
    return original.reset_index(drop=True) if same else numbers


def label_strengths(ax: Axes, strengths: Iterable[float], at_most: int) -> None:
    """Ticks at the strengths that were trained, thinned out to `at_most` or so."""
    values = sorted({float(strength) for strength in strengths})
    apart = (values[-1] - values[0]) / at_most
    kept = [values[0]]
    for value in values[1:]:
        if value - kept[-1] >= apart and (value == values[-1] or values[-1] - value >= apart):
            kept.append(value)
    if kept[-1] != values[-1]:
        kept.append(values[-1])
    ax.set_xticks(kept, [f"{value:g}" for value in kept])


def zero_line(ax: Axes, vertical: bool = True) -> None:
    draw = ax.axvline if vertical else ax.axhline
    draw(0, color=INK, alpha=0.4, linewidth=0.7, zorder=0)


def intervals(
    ax: Axes, low: npt.ArrayLike, high: npt.ArrayLike, rows: npt.ArrayLike, **look: Any
) -> None:
    """Horizontal interval lines; rows without an interval (one seed) draw nothing."""
    ends = np.column_stack([np.asarray(values, float) for values in (rows, low, high)])
    ax.hlines(*ends[np.isfinite(ends).all(axis=1)].T, **look)


def key(figure: Figure, lines: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
    """One key for all panels, above them."""
    handles = [Line2D([], [], color=c, label=name, **look) for name, c, look in lines]
    letters = sum(len(name) + 6 for name, _, _ in lines)
    figure.legend(
        handles=handles, loc="outside upper left", ncols=len(handles) if letters < 58 else 2,
        frameon=False,
        handlelength=2.2, borderpad=0, columnspacing=1.6,
    )  # fmt: skip


def truth_key(figure: Figure, truths: Iterable[str], joined: bool = True) -> None:
    """The key of lines or marks that stand for the original and the multi-label truth."""
    key(
        figure,
        [
            (
                TRUTH_NAMES[truth],
                TRUTH_COLOURS[truth],
                {
                    "linestyle": TRUTH_DASHES[truth] if joined else "-",
                    "marker": TRUTH_MARKERS[truth],
                    "markersize": 4,
                },
            )
            for truth in dict.fromkeys(truths)
        ],
    )


def end_labels(
    ax: Axes,
    x: float,
    labels: Sequence[tuple[float, str]],
    gap: float = 1.25,
    side: Literal["left", "right"] = "right",
) -> None:
    """Name lines at one of their ends, pushed apart where they would overlap.

    Args:
        ax: the axes; its limits must be final.
        x: where the lines end.
        labels: (y, text) of each line.
        gap: least distance between two labels, in lines of text.
        side: of the lines on which the labels stand.
    """
    if not labels:
        return
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]  # settles the layout
    low, high = ax.get_ylim()
    inches = ax.get_window_extent().height / ax.figure.dpi
    apart = gap * LINE / 72 / inches * (high - low)
    ordered = sorted(labels)
    places = [y for y, _ in ordered]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + apart)
    shift = float(np.mean([y for y, _ in ordered]) - np.mean(places))
    for place, (_, text) in zip(places, ordered, strict=True):
        ax.annotate(
            text,
            (x, place + shift),
            xytext=(5 if side == "right" else -5, 0),
            textcoords="offset points",
            va="center",
            ha="left" if side == "right" else "right",
            annotation_clip=False,
        )


_SPOTS = [
    (5, 0, "left", "center"), (-5, 0, "right", "center"), (0, 5, "center", "bottom"),
    (0, -5, "center", "top"), (5, 5, "left", "bottom"), (5, -5, "left", "top"),
    (-5, 5, "right", "bottom"), (-5, -5, "right", "top"), (9, 11, "left", "bottom"),
    (9, -11, "left", "top"), (-9, 11, "right", "bottom"), (-9, -11, "right", "top"),
]  # fmt: skip


def place_labels(
    ax: Axes,
    points: npt.NDArray[np.float64],
    names: Sequence[str],
    obstacles: npt.NDArray[np.float64],
    size: float = LINE - 0.5,
) -> list[str]:
    """Write a name beside each point, in the spot that covers no other name and fewest marks.

    Names that fit nowhere are left out: a figure with overlapping names says less than one
    without them, and the report's table has them all.

    Args:
        ax: the axes; its limits must be final.
        points: x and y, shape [points, 2], the most important first.
        names: the points' names.
        obstacles: x and y of unnamed marks to keep clear of, shape [obstacles, 2].
        size: font size in points.

    Returns:
        The names that were placed.
    """
    figure = ax.figure
    figure.draw_without_rendering()  # type: ignore[union-attr]  # settles the layout
    taken = [_box_of(text) for text in ax.texts]
    marks = ax.transData.transform(np.concatenate([points, obstacles]))
    placed = []
    for i, (point, name) in enumerate(zip(points, names, strict=True)):
        spots = [
            (_hits(note, np.delete(marks, i, axis=0)), note)
            for note in _candidates(ax, point, name, size)
        ]
        free = [
            (hits, note)
            for hits, note in spots
            if hits <= COVERED_AT_MOST and _inside(note, ax) and not _covers(note, taken)
        ]
        best = min(free, key=lambda spot: spot[0], default=None)
        for _, note in spots:
            if best is None or note is not best[1]:
                note.remove()
        if best is not None:
            taken.append(_box_of(best[1]))
            placed.append(name)
    return placed


def _candidates(
    ax: Axes, point: npt.NDArray[np.float64], name: str, size: float
) -> Iterator[Annotation]:
    for dx, dy, ha, va in _SPOTS:
        note = ax.annotate(
            name, (point[0], point[1]), xytext=(dx, dy), textcoords="offset points", ha=ha, va=va,
            fontsize=size, annotation_clip=False,
        )  # fmt: skip
        note.set_in_layout(False)
        yield note


def _box_of(text: Text) -> Bbox:
    return text.get_window_extent().padded(1)


def _hits(note: Text, marks: npt.NDArray[np.float64]) -> int:
    """Marks that the text covers."""
    box = _box_of(note).padded(3)  # a name that touches a foreign mark seems to belong to it
    return int(((marks >= box.min) & (marks <= box.max)).all(axis=1).sum())


def _inside(note: Text, ax: Axes) -> bool:
    box, frame = _box_of(note), ax.get_window_extent()
    return bool(
        frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1 + 4
    )


def _covers(note: Text, taken: Sequence[Bbox]) -> bool:
    box = _box_of(note)
    return any(box.overlaps(other) for other in taken)
