"""The interactive charts of the class explorer, as Vega-Lite specifications, and their library.

The charts have no data of their own: explorer.js fills the data set "rows" for the class that is
shown. Text and axes are drawn in ``currentColor``, so that the page's theme holds without a redraw.
Vega's expression interpreter takes the place of `eval`, so that a strict content security policy
holds too.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from importlib import resources
from typing import Any

import altair as alt

from daclass.plots.conditions import Conditions
from daclass.plots.style import (
    AFFECTED,
    NULL,
    NULL_OPACITY,
    TRUTH_COLOURS,
    TRUTH_NAMES,
)

Chart = alt.LayerChart | alt.FacetChart  # what Altair says that layering gives
HEIGHT = 230  # px
INK = "currentColor"


@functools.cache
def library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that defines ``vegaEmbed``.

    It lies beside the templates: vl-convert, which bundles it, is 84 MB with a renderer that no
    report needs. A test compares the two.
    """
    bundle = (resources.files("daclass.report") / "templates/vega.js").read_text(encoding="utf-8")
    return bundle.replace("</script", r"<\/script").replace("<!--", r"<\!--")


def charts(conditions: Conditions, truths: Sequence[str]) -> dict[str, Any]:
    """Name of the chart -> Vega-Lite specification with the named data set "rows".

    Args:
        conditions: what the study compares.
        truths: "original", and "multi" where it says something else.
    """
    return {
        "overview": _finished(_overview(conditions), 190),
        "accuracy": _finished(_accuracy(conditions, truths), HEIGHT),
        "errors": _finished(_errors(conditions), HEIGHT),
    }


def _rows() -> alt.Chart:
    return alt.Chart(alt.NamedData(name="rows"))


def _finished(chart: Chart, height: int) -> dict[str, Any]:
    finished = (
        chart.properties(width="container", height=height, background="transparent")
        .configure(
            font="system-ui, sans-serif",
            autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        )
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK, titleColor=INK, domainColor=INK, tickColor=INK, gridColor=INK,
            gridOpacity=0.12, titleFontWeight="normal", labelFontSize=12, titleFontSize=12.5,
        )
        .configure_legend(
            labelColor=INK, orient="top", title=None, labelFontSize=12.5, symbolStrokeWidth=2,
            symbolOpacity=1, symbolType="stroke", symbolSize=300, columns=2, labelLimit=240,
        )
    )  # fmt: skip
    spec: dict[str, Any] = finished.to_dict()
    spec.pop("$schema")  # an address, which nothing must fetch
    return spec


def _across(conditions: Conditions) -> alt.X:
    if conditions.by_strength:
        low, high = min(conditions.positions), max(conditions.positions)
        margin = 0.03 * (high - low)
        return alt.X(
            "position:Q",
            title=conditions.label,
            axis=alt.Axis(
                values=list(conditions.positions),
                labelExpr="toString(datum.value)",
                grid=False,
                labelOverlap="greedy",
            ),
            scale=alt.Scale(domain=[low - margin, high + margin], nice=False),
        )
    return alt.X(
        "condition:N",
        title=None,
        sort=list(conditions.names),
        axis=alt.Axis(labelAngle=0, grid=False, labelLimit=120),
    )


def _overview(conditions: Conditions) -> Chart:
    """All classes by rank over the band of no effect; the shown one is marked."""
    across = alt.X(
        "rank:Q",
        title="rank of the class, by what it loses",
        axis=alt.Axis(grid=False, tickMinStep=1),
        scale=alt.Scale(nice=False, padding=8, zero=False),
    )
    title = "points lost"
    up = alt.Y("drop:Q", title=title)
    tooltip = [
        alt.Tooltip("name:N", title="class"),
        alt.Tooltip("drop:Q", title="points lost", format=".1f"),
        alt.Tooltip("interval:N", title="interval"),
        alt.Tooltip("q:Q", title="q", format=".2g"),
    ]
    colour = alt.condition("datum.found", alt.value(AFFECTED), alt.value(INK))
    null = _rows().mark_area(
        color=NULL, opacity=NULL_OPACITY, interpolate="step", aria=False
    ).encode(
        across, alt.Y("null_low:Q", title=title), alt.Y2("null_high:Q")
    )  # fmt: skip
    lines = _rows().mark_rule(opacity=0.3, aria=False).encode(
        across, alt.Y("low:Q", title=title), alt.Y2("high:Q"), color=colour
    )  # fmt: skip
    zero = (
        alt.Chart()
        .mark_rule(color=INK, opacity=0.4, aria=False)
        .encode(y=alt.datum(0, title=title))
    )
    dots = _rows().mark_circle(size=36, opacity=0.85, cursor="pointer").encode(
        across, up, color=colour, tooltip=tooltip
    )  # fmt: skip
    shown = (
        _rows()
        .transform_filter("datum.shown")
        .mark_point(size=190, strokeWidth=2.5, color=INK, filled=False, aria=False)
        .encode(across, up)
    )
    return alt.layer(null, zero, lines, dots, shown).properties(
        description="All classes, sorted by the accuracy they lose, with the shown class marked. "
        "The table of section 2 has the same numbers."
    )


def _accuracy(conditions: Conditions, shown: Sequence[str]) -> Chart:
    """Accuracy of one class over the conditions under both truths."""
    across = _across(conditions)
    words = "Accuracy of the shown class; the curves as numbers are in the table below."
    names = [TRUTH_NAMES[truth] for truth in shown]
    colours = [TRUTH_COLOURS[truth] for truth in shown]
    truths = alt.Color("truth:N", scale=alt.Scale(domain=names, range=colours))
    up = alt.Y("accuracy:Q", title="accuracy (%)", scale=alt.Scale(zero=False, nice=True))
    tooltip = [
        alt.Tooltip("condition:N", title=conditions.noun),
        alt.Tooltip("truth:N", title="right is"),
        alt.Tooltip("accuracy:Q", title="accuracy (%)", format=".1f"),
        alt.Tooltip("interval:N", title="interval"),
        alt.Tooltip("seeds_interval:N", title="for these pictures"),
        alt.Tooltip("null_interval:N", title=f"if the {conditions.noun} did not matter"),
        alt.Tooltip("images:Q", title="pictures"),
    ]
    band = {"y": alt.Y("low:Q", title="accuracy (%)"), "y2": alt.Y2("high:Q")}
    null_band = {"y": alt.Y("null_low:Q", title="accuracy (%)"), "y2": alt.Y2("null_high:Q")}
    first = _rows().transform_filter("datum.first")
    if conditions.by_strength:
        layers = [
            first.mark_area(color=INK, opacity=0.1, aria=False).encode(across, **null_band),
            _rows().mark_area(opacity=0.2, aria=False).encode(across, color=truths, **band),
            _rows().mark_line(strokeWidth=2, aria=False).encode(
                across, up, color=truths,
                strokeDash=alt.StrokeDash(
                    "truth:N",
                    scale=alt.Scale(domain=names, range=[[1, 0], [5, 3]][: len(names)]),
                ),
            ),
        ]  # fmt: skip
    else:
        aside = alt.XOffset("truth:N")
        layers = [
            first.mark_bar(color=INK, opacity=0.1, width={"band": 0.9}, aria=False).encode(
                across, **null_band
            ),
            _rows()
            .mark_rule(strokeWidth=2, aria=False)
            .encode(across, aside, color=truths, **band),
        ]
        dots = _rows().mark_circle(size=55, opacity=1).encode(
            across, up, aside, color=truths, tooltip=tooltip
        )  # fmt: skip
        return alt.layer(*layers, dots).properties(description=words)
    dots = _rows().mark_circle(size=55, opacity=1).encode(across, up, color=truths, tooltip=tooltip)
    return alt.layer(*layers, dots).properties(description=words)


def _errors(conditions: Conditions) -> Chart:
    """False positives and false negatives of one class over the conditions."""
    across = _across(conditions)
    kinds = alt.Color(
        "error:N",
        scale=alt.Scale(domain=["false positives", "false negatives"], range=[AFFECTED, INK]),
    )
    up = alt.Y("pictures:Q", title="pictures, mean of runs", scale=alt.Scale(zero=True, nice=True))
    tooltip = [
        alt.Tooltip("condition:N", title=conditions.noun),
        alt.Tooltip("error:N", title="kind"),
        alt.Tooltip("pictures:Q", title="pictures", format=".1f"),
    ]
    lines = _rows().mark_line(strokeWidth=2, aria=False).encode(
        across, up, color=kinds,
        strokeDash=alt.StrokeDash(
            "error:N",
            scale=alt.Scale(domain=["false positives", "false negatives"], range=[[1, 0], [5, 3]]),
        ),
    )  # fmt: skip
    dots = _rows().mark_circle(size=55, opacity=1).encode(across, up, color=kinds, tooltip=tooltip)
    return alt.layer(lines, dots).properties(
        description="False positives and false negatives of the shown class; the curves as numbers "
        "are in the table below."
    )
