"""The report: what it says, and that its file is sound."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from daclass.errors import InputError
from daclass.plots import FIGURES
from daclass.report import write_report
from daclass.report.wording import span

VOID = {"meta", "br", "img", "input", "hr", "link"}
NAN = re.compile(r"\bnan\b", re.IGNORECASE)


class Page(HTMLParser):
    """Collects elements and visible text, and fails on tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.pieces = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.pieces.append(data)

    @property
    def text(self):
        return " ".join("".join(self.pieces).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page(full_report):
    return Page(full_report[0])


class TestFile:
    def test_has_no_external_references(self, full_report):
        text = full_report[0]
        assert "http" not in text and "src=" not in text and "<link" not in text
        assert "@import" not in text
        assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', text))
        assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", text))

    def test_class_names_and_title_stay_text(self, full_report, page):
        text, tables, _ = full_report
        assert "<script>alert" not in text and "<b>&" not in text
        assert "Crops <b>& more</b>" in page.text
        for name in tables.classes["name"]:
            assert name in page.text

    def test_names_of_other_scripts_are_isolated(self, full_report):
        assert "<bdi>שלום</bdi>" in full_report[0]

    def test_ids_are_unique_and_links_lead_somewhere(self, page):
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert {a["href"][1:] for a in page.all("a")} <= set(ids)

    def test_same_input_gives_the_same_bytes_and_no_other_file(self, make_report, tmp_path):
        text, tables, summary = make_report()
        write_report(summary, tables, tmp_path / "none", tmp_path / "deep" / "report.html")
        assert [file.name for file in (tmp_path / "deep").iterdir()] == ["report.html"]
        assert (tmp_path / "deep" / "report.html").read_text(encoding="utf-8") == text

    def test_broken_figure_is_named(self, make_report, tmp_path):
        _, tables, summary = make_report()
        (tmp_path / "class_effects.svg").write_text("<svg")
        with pytest.raises(InputError, match=r"class_effects\.svg"):
            write_report(summary, tables, tmp_path, tmp_path / "report.html")


class TestAccess:
    def test_headings_come_in_order(self, page):
        levels = [tag for tag, _ in page.elements if tag in ("h1", "h2", "h3")]
        assert levels.count("h1") == 1 and levels[0] == "h1"
        assert levels.count("h2") == 7

    def test_tables_have_captions_and_scopes(self, full_report, page):
        assert len(page.all("table")) == len(page.all("caption")) >= 6
        assert all(th.get("scope") in ("col", "row") for th in page.all("th"))

    def test_figures_have_captions_and_names(self, page):
        drawings = page.all("svg")
        assert len(drawings) == len(page.all("figure")) == len(page.all("figcaption"))
        assert len(drawings) == len(FIGURES)
        assert {svg["aria-label"] for svg in drawings} == {p.title for p in FIGURES.values()}
        assert all(svg["role"] == "img" for svg in drawings)

    def test_language_and_viewport_are_set(self, page):
        assert page.all("html") == [{"lang": "en"}]
        assert any(meta.get("name") == "viewport" for meta in page.all("meta"))


class TestNumbers:
    def test_headline_numbers_are_in_the_text(self, full_report, page):
        _, _, summary = full_report
        assert len(summary["headline"]) == 5
        for card in summary["headline"]:
            for key in ("label", "value", "text"):
                assert " ".join(card[key].split()) in page.text

    def test_affected_classes_are_those_of_the_summary_in_its_order(self, make_report):
        _, tables, summary = make_report()
        assert tables.affected == [row["class_id"] for row in summary["affected"]]

    def test_a_class_has_its_drop_interval_and_n(self, make_report):
        text, _, summary = make_report()
        first = summary["affected"][0]["drop_fixed"]
        interval = span(first["low"], first["high"])
        words = f"(95% interval {interval}; 4 seeds, {first['images']} pictures)"
        assert words in Page(text).text

    def test_every_class_is_a_row(self, make_report):
        text, tables, _ = make_report()
        rows = re.search(r'aria-label="All classes".*?</table>', text, re.DOTALL)
        assert rows and rows[0].count("<tr>") == len(tables.classes) + 1

    def test_interventions_stand_beside_their_control(self, make_report):
        text = Page(make_report()[0]).text
        for policy in ("weaker for swallowers", "random classes", "weakest for affected"):
            assert policy in text

    def test_planted_truth_is_counted(self, make_report):
        text, tables, _ = make_report()
        relations = tables.planted[tables.planted["expectation"] != "unchanged"]
        found = int((relations["verdict"] == "found").sum())
        said = f"Of {len(relations)} planted relations, {found} were found and none missed."
        assert said in Page(text).text
        assert "Of 3 controls, 2 stayed quiet. There was 1 false alarm (mug)." in Page(text).text


class TestMissingParts:
    def test_one_seed(self, make_report):
        text = Page(make_report(seeds=1)[0]).text
        assert "One seed only" in text and "Two seeds are the minimum" in text
        assert "95% interval" not in text and not NAN.search(text)

    def test_no_annotations_beyond_the_original(self, make_report):
        text = Page(make_report(annotations=False)[0]).text
        assert "no annotations beyond the original label" in text
        assert "any annotated label" not in text

    def test_no_interventions(self, make_report):
        assert (
            "This study trained no interventions" in Page(make_report(interventions=False)[0]).text
        )

    def test_no_affected_class(self, make_report):
        text = Page(make_report(affected=0)[0]).text
        assert "No class counts as affected" in text
        assert "no class swallows another" in text

    def test_one_affected_class(self, make_report):
        text = Page(make_report(affected=1)[0]).text
        assert "1 of 24 classes counts as affected" in text

    def test_no_truth(self, make_report):
        text = Page(make_report(planted=False)[0]).text
        assert "The truth about this data set is not known" in text

    def test_no_class_tree(self, make_report):
        assert not NAN.search(Page(make_report(similarity=False)[0]).text)


def test_a_thousand_classes_are_folded(make_report):
    names = tuple(f"class {i}" for i in range(1000))
    text, _, _ = make_report(names=names, affected=50, seeds=2, planted=False)
    page = Page(text)
    assert "All 1000 classes as a table" in page.text
    assert "All 50 pairs as a table" in page.text
    assert len(page.all("details")) == 3  # the two tables and the settings
    assert len(text) < 2_000_000


def test_amounts_agree_with_their_nouns(make_report):
    text = unescape(Page(make_report(affected=1, seeds=2)[0]).text)
    assert not re.search(r"[a-z)][.,;][A-Z]", text)  # a space lost between two template blocks
    assert not re.search(r"\b1 (seeds|pictures|classes|networks)\b", text)
    assert not re.search(r"\b(?!1 )\d+ (seed|picture|class|network)\b", text)
