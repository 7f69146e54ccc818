"""The report as a reader meets it: in a browser."""

from __future__ import annotations

from contextlib import contextmanager
from urllib.parse import quote

import pytest

CHARTS = ("overview", "accuracy", "errors")
OPENS_WITHIN = 2.0  # seconds of the page's main thread, for a thousand classes


def main_thread_seconds(page):
    """Processor time of the page's main thread since it was opened.

    That is what the page costs, whatever else the machine is doing; on an idle one it is the time
    that a reader waits.
    """
    metrics = page.context.cdp.send("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


@contextmanager
def opened(chromium, file, *, width=1200, height=900, fragment="", **look):
    """A page with all charts drawn; at the end, there was no error and nothing was asked for."""
    context = chromium.new_context(viewport={"width": width, "height": height}, **look)
    page = context.new_page()
    context.cdp = context.new_cdp_session(page)
    context.cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
    troubles, requests = [], []
    page.on("console", lambda m: m.type in ("error", "warning") and troubles.append(m.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri() + fragment)
    page.wait_for_selector("html[data-charts=drawn]")
    try:
        yield page
        assert troubles == []
        foreign = [url for url in requests if not url.startswith(("file:", "data:"))]
        assert foreign == [] and sum(url.startswith("file:") for url in requests) == 1
    finally:
        context.close()


def test_loads_cleanly_and_draws_its_charts(chromium, odd_report):
    with opened(chromium, odd_report) as page:
        for chart in CHARTS:
            box = page.locator(f"#chart-{chart} svg").bounding_box()
            assert box["width"] > 300 and box["height"] > 100
        marks = page.locator("#chart-overview .mark-symbol").first.locator("path")
        assert marks.count() == 24
        assert page.locator("main figure > svg").count() >= 9


def test_search_finds_a_class_and_shows_it(chromium, odd_report):
    with opened(chromium, odd_report) as page:
        search = page.get_by_label("Find a class")
        search.fill("MUSH")
        search.press("Enter")
        assert page.locator("#class-name").text_content() == "mushroom"
        assert page.url.endswith("#class=mushroom")
        before = page.locator("#chart-accuracy svg").inner_html()
        search.fill("gull")  # a whole name needs no Enter, as when picked from the list
        assert page.locator("#class-name").text_content() == "gull"
        page.wait_for_function(
            "old => document.querySelector('#chart-accuracy svg').innerHTML !== old", arg=before
        )
        search.fill("no such class")
        search.press("Enter")
        assert "No class is called “no such class”" in page.locator("#class-missing").text_content()


def test_the_explorer_shows_the_tables_numbers(chromium, odd_report):
    import json
    import re

    text = odd_report.read_text(encoding="utf-8")
    content = re.search(r'id="explorer-data">(.*?)</script>', text, re.DOTALL)[1]
    gull = next(entry for entry in json.loads(content)["classes"] if entry["name"] == "gull")
    with opened(chromium, odd_report, fragment="#class=gull") as page:
        assert page.locator("#class-name").text_content() == "gull"
        facts = page.locator("#class-facts").text_content()
        assert f"{gull['drop']:.1f} [{gull['low']:.1f}, {gull['high']:.1f}]" in facts
        page.get_by_text("The curves as numbers").click()
        rows = page.locator("#class-numbers tbody tr")
        assert rows.count() == 5
        assert f"{gull['curves']['original']['accuracy'][0]:.1f}" in rows.first.text_content()
        assert page.locator("#class-confusions tbody tr").count() == 1
        pictures = page.locator("#class-examples img")
        assert pictures.count() == 3
        assert page.locator("#class-examples rect.line").count() == 3  # of the training picture
        natural = "images => images.map(image => image.naturalWidth)"
        assert pictures.evaluate_all(natural) == [48, 48, 48]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "שלום עולם", "日本語の猫"])
def test_odd_names_stay_text(chromium, odd_report, name):
    with opened(chromium, odd_report, fragment=f"#class={quote(name)}") as page:
        assert page.locator("#class-name").text_content() == name
        assert page.get_by_label("Find a class").input_value() == name
        page.locator("#chart-overview .mark-symbol path").first.hover()


def test_a_name_in_the_text_leads_to_the_explorer(chromium, odd_report):
    with opened(chromium, odd_report) as page:
        link = page.locator("#classes ul a[data-class]").first
        name = link.text_content()
        link.click()
        assert page.locator("#class-name").text_content() == name
        assert page.locator("#class-heading").evaluate("e => e === document.activeElement")


def test_a_dot_of_the_overview_is_a_class(chromium, odd_report):
    with opened(chromium, odd_report) as page:
        page.locator("#chart-overview .mark-symbol").first.locator("path").nth(7).click()
        assert "rank 8 of 24" in page.locator("#class-rank").text_content()


def test_the_explorer_narrows_to_what_was_found_and_hands_it_over(chromium, odd_report):
    with opened(chromium, odd_report) as page:
        shown = page.locator("#class-options option")
        assert shown.count() == 24
        page.locator("#class-filter").select_option("affected")
        narrowed = shown.count()
        assert 0 < narrowed < 24
        with page.expect_download() as download:
            page.get_by_role("button", name="Download as CSV").click()
        lines = download.value.path().read_text(encoding="utf-8").splitlines()
        assert len(lines) == narrowed + 1 and lines[0].startswith("name,drop,low,high,q")


def test_the_first_class_is_fewer_than_ten_stops_away(chromium, odd_report):
    with opened(chromium, odd_report) as page:
        for _ in range(2):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # the second way to skip leads to the explorer
        for _ in range(7):
            if page.evaluate("document.activeElement.id") == "class-search":
                break
            page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "class-search"


def test_the_keyboard_reaches_everything(chromium, odd_report):
    with opened(chromium, odd_report) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.get_by_role("button", name="loses less").focus()
        page.keyboard.press("Enter")
        assert "rank 2 of 24" in page.locator("#class-rank").text_content()
        page.get_by_text("All 24 classes as a table").focus()
        page.keyboard.press("Enter")
        head = page.locator("#classes table th button").nth(1)
        head.focus()
        page.keyboard.press("Enter")
        assert page.locator("#classes table th").nth(1).get_attribute("aria-sort") == "descending"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1000, 1600])
def test_nothing_overflows_and_nothing_fails_axe(chromium, odd_report, scheme, width):
    """Contrast, labels, roles and names, by Deque's axe-core."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with opened(chromium, odd_report, width=width, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(253, 253, 252)") == (scheme == "light")
        results = axe.Axe().run(page)
        found = [
            (rule["id"], [node["html"][:120] for node in rule["nodes"][:3]])
            for rule in results.response["violations"]
        ]
        assert found == []
        assert len(results.response["passes"]) > 20


def test_prints_in_black_on_white_with_its_tables_open(chromium, odd_report):
    with opened(chromium, odd_report, color_scheme="dark") as page:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        assert page.locator("details:not([open])").count() == 0
        assert not page.locator("nav").is_visible()
        assert len(page.pdf()) > 50_000


@pytest.mark.parametrize(
    "study",
    [
        {"seeds": 1, "annotations": False, "interventions": False, "planted": False},
        {"names": ("alone",), "affected": 1},
        {"conditions": ("vgg_bn", "vgg"), "interventions": False, "planted": False},
        {"extras": False, "affected": 0},
    ],
    ids=["one seed", "one class", "conditions", "older"],
)
def test_poor_studies_load_cleanly(chromium, reports, study):
    name = "poor" + "".join(f"-{key}" for key in study)
    with opened(chromium, reports(name, **study)) as page:
        assert page.locator("#class-name").text_content()  # out of sight, so no inner text yet
        assert "NaN" not in page.locator("main").text_content()


@pytest.mark.parametrize(("report", "name"), [("large", "class 777"), ("imagenet", "vizsla")])
def test_a_thousand_classes_open_quickly(chromium, request, report, name):
    file = request.getfixturevalue(f"{report}_report")
    assert file.stat().st_size < 15_000_000
    busy, loaded = [], []
    for _ in range(3):
        with opened(chromium, file) as page:
            busy.append(main_thread_seconds(page))
            loaded.append(
                page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
            )
            search = page.get_by_label("Find a class")
            search.fill(name)
            assert page.locator("#class-name").text_content() == name
            assert "of 1,000" in page.locator("#classes").text_content()
    print(f"{report}: {min(busy):.2f} s of the main thread, loaded after {min(loaded):.0f} ms")
    assert min(busy) < OPENS_WITHIN
