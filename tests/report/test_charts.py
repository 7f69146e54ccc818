"""The script that draws the report's charts is the one that Altair's version needs."""

from __future__ import annotations

import altair as alt
import vl_convert

from daclass.report import charts
from tests.conftest import ROOT

FILE = ROOT / "daclass/report/templates/vega.js"


def test_the_script_is_what_vl_convert_bundles():
    """To write it anew: the notice in its first line, then this bundle."""
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=version)
    notice, _, rest = FILE.read_text(encoding="utf-8").partition("\n")
    assert notice.startswith("/* Vega, Vega-Lite " + version) and rest == bundle


def test_the_script_cannot_end_the_element_that_holds_it():
    assert "</script" not in charts.library() and "<!--" not in charts.library()
