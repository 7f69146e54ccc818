"""The report: what it says, and that its file is sound."""

import base64
import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from synthetic_study import study_summary, study_tables

from daclass.errors import InputError
from daclass.plots.catalogue import FIGURES
from daclass.plots.save import save_svg
from daclass.plots.style import RED
from daclass.plots.titles import TITLES
from daclass.report.markup import digest
from daclass.report.write import write_report
from daclass.wording.answers import short_answers
from daclass.wording.numbers import bracket, chance, points
from daclass.wording.verdicts import decided, direction

VOID = {"meta", "br", "img", "input", "hr", "link"}
NAN = re.compile(r"\bnan\b", re.IGNORECASE)


class Page(HTMLParser):
    """Collects elements and visible text, and fails on tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.pieces, self.scripts = [], [], [], []
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
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        if not {"style", "script", "noscript"} & set(self.open):
            self.pieces.append(data)

    @property
    def text(self):
        return " ".join("".join(self.pieces).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def explorer_of(page):
    """The data of the class explorer."""
    (content,) = (script for script in page.scripts if script.startswith("{"))
    return json.loads(content)


@pytest.fixture(scope="module")
def page(full_report):
    return Page(full_report[0])


class TestFile:
    def test_loads_nothing(self, full_report, page):
        """What could load something has no address; the policy forbids the rest."""
        loading = {"srcset", "data", "action", "poster", "background"}
        for tag, attributes in page.elements:
            assert not loading & set(attributes), (tag, attributes)
            assert attributes.get("src", "data:").startswith("data:")
            address = attributes.get("href", "#")
            if tag == "a":  # is followed by people alone: to the study's files, and to the paper
                assert address.startswith(("#", "../../results/", "https://arxiv.org/abs/")) or (
                    address.removesuffix(".csv") in FIGURES
                )
            else:
                assert address.startswith(("#", "data:image/jpeg;base64,"))
        assert not page.all("link") and not page.all("iframe") and not page.all("base")
        styles = re.search(r"<style>(.*?)</style>", full_report[0], re.DOTALL)[1]
        assert "@import" not in styles and "url(" not in styles
        (policy,) = [m["content"] for m in page.all("meta") if m.get("http-equiv")]
        assert "default-src 'none'" in policy and "unsafe-eval" not in policy

    def test_only_the_named_scripts_may_run(self, page):
        (policy,) = [m["content"] for m in page.all("meta") if m.get("http-equiv")]
        allowed = set(re.findall(r"'sha256-[^']*'", policy))
        programs = [s for s in page.scripts if not s.startswith("{")]
        assert {str(digest(program)) for program in programs} == allowed
        assert len(allowed) == 3 and "'unsafe-inline'; script" in policy

    def test_class_names_and_title_stay_text(self, full_report, page):
        text, tables, _ = full_report
        assert "<script>alert" not in text and "<b>&" not in text
        assert "Crops <b>& more</b>" in page.text
        known = {entry["name"] for entry in explorer_of(page)["classes"]}
        for name in tables.classes["name"]:
            assert name in page.text and name in known

    def test_names_of_other_scripts_are_isolated(self, full_report):
        assert "<bdi>שלום</bdi>" in full_report[0]

    def test_ids_are_unique_and_links_lead_somewhere(self, page):
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        inside = {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")}
        assert inside <= set(ids)

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


class TestFindings:
    def test_figures_stand_under_their_finding(self, full_report, page):
        _, tables, _ = full_report
        lost = len(tables.lost)
        assert page.text.count(f"{lost} of 24 classes are found to lose from 0.99 to 0.08") == 2
        relations = tables.planted[tables.planted["expectation"] != "unchanged"]
        found = (relations["verdict"] == "found").sum()
        assert f"{found} of {len(relations)} planted relations found" in page.text

    def test_the_fixes_finding_has_the_verdict_of_its_interval(self, full_report, page):
        _, tables, _ = full_report
        row = tables.interventions.query(
            "policy == 'fp_informed' and group == 'affected' and truth == 'original'"
            " and baseline == 'uniform_best'"
        ).iloc[0]
        verdict = "better" if row["low"] > 0 else "worse" if row["high"] < 0 else "undecided"
        gain = f"{points(row['difference'], 1, True)} points{bracket(row['low'], row['high'])}"
        assert f"against the best single strength: {gain}, {verdict}" in page.text


class TestAccess:
    def test_headings_come_in_order(self, page):
        levels = [tag for tag, _ in page.elements if tag in ("h1", "h2", "h3")]
        assert levels.count("h1") == 1 and levels[0] == "h1"
        assert levels.count("h2") == 8

    def test_tables_have_captions_and_scopes(self, full_report, page):
        filled_by_script = 2  # explorer.js gives them captions
        assert len(page.all("table")) == len(page.all("caption")) + filled_by_script >= 8
        assert all(th.get("scope") in ("col", "row") for th in page.all("th"))

    def test_figures_have_captions_and_names(self, page):
        crops = [svg for svg in page.all("svg") if svg["aria-label"].startswith("A crop of")]
        drawings = [svg for svg in page.all("svg") if svg not in crops]
        interactive, pictures = 3, page.all("img")
        assert crops and all(picture["alt"] for picture in pictures)
        assert len(drawings) + len(crops) + len(pictures) + interactive == len(page.all("figure"))
        assert len(page.all("figure")) == len(page.all("figcaption"))
        assert len(drawings) == len(FIGURES)
        assert {svg["aria-label"] for svg in drawings} == {title.text for title in TITLES.values()}
        assert all(svg["role"] == "img" for svg in drawings)

    def test_language_and_viewport_are_set(self, page):
        assert page.all("html") == [{"lang": "en"}]
        assert any(meta.get("name") == "viewport" for meta in page.all("meta"))


class TestNumbers:
    def test_the_cards_are_the_short_answers_that_the_terminal_prints(self, full_report, page):
        _, _, summary = full_report
        for answer in short_answers(summary):
            assert " ".join(f"{answer.value} {answer.unit} {answer.text}".split()) in page.text

    def test_opening_and_section_count_the_same_classes(self, full_report, page):
        """Both name the fixed contrast; the drop from the own best is named as such."""
        _, tables, _ = full_report
        lost = len(tables.lost)
        assert f"{lost} of 24 are found to lose accuracy from 0.99 to 0.08" in page.text
        assert f"{lost} of 24 classes are found to lose accuracy and" in page.text

    def test_a_list_holds_what_its_sentence_counts(self, make_report):
        """Every bullet is a class found to lose, with the interval of that very test."""
        text, tables, _ = make_report(affected=7)
        bullets = re.search(r"found to lose:</p>\s*<ul>(.*?)</ul>", text, re.DOTALL)[1]
        rows = tables.effects.query(
            "half == 'all' and truth == 'original' and reference == 'fixed'"
        )
        rows = rows.set_index("class_id")
        shown = [int(k) for k in re.findall(r'data-class="(\d+)"', bullets)]
        assert shown == tables.lost[:5]
        for line, k in zip(bullets.split("<li>")[1:], shown, strict=True):
            row = rows.loc[k]
            assert bracket(row["low"], row["high"], 0) in line and chance(row["q"]) in line
            assert row["low"] > 0 and row["q"] <= tables.q

    def test_own_best_is_a_strength_that_was_trained(self, make_report):
        text, _, _ = make_report()
        table = re.search(r'aria-label="All classes".*?</table>', text, re.DOTALL)[0]
        assert "0.61" not in table  # the mean over folds, which nobody trained

    def test_affected_classes_are_those_of_the_summary_in_its_order(self, make_report):
        _, tables, summary = make_report()
        assert tables.affected == [row["class_id"] for row in summary["affected"]]

    def test_every_class_is_a_row(self, make_report):
        text, tables, _ = make_report()
        rows = re.search(r'aria-label="All classes".*?</table>', text, re.DOTALL)
        assert rows and rows[0].count("<tr>") == len(tables.classes) + 1

    def test_interventions_stand_beside_their_control(self, make_report):
        text = Page(make_report()[0]).text
        for policy in ("weaker for swallowers", "random classes", "weakest for followed-up"):
            assert policy in text

    def test_the_question_that_matters_is_answered_with_its_interval(self, make_report):
        text, tables, _ = make_report()
        gain = tables.interventions.query(
            "policy == 'fp_informed' and group == 'affected' and truth == 'original'"
            " and baseline == 'random_classes'"
        ).iloc[0]
        said = f"{points(gain['difference'], 1, True)} points{bracket(gain['low'], gain['high'])}"
        verdict = decided(
            direction(gain["low"], gain["high"]),
            "the choice helps",
            "the choice does worse than chance",
        )
        words = Page(text).text
        assert said in words and verdict in words

    def test_a_policy_that_marks_its_classes_is_warned_of(self, make_report):
        text, _, summary = make_report()
        words = Page(text).text
        assert "“weaker for swallowers” marks classes." in words
        assert "+6.0 [5.0, 7.0] points of predictions follow how much is shown" in words
        assert "“weakest for followed-up” marks" not in words
        told = {row["policy"]: row["marks"] for row in summary["marks"]}
        assert told == {"fp_informed": True, "naive_removal": False}
        one_seed = Page(make_report(seeds=1)[0]).text
        assert "marks classes." not in one_seed and "Which policies mark" in one_seed

    def test_policies_stand_side_by_side_with_what_they_recover_harm_and_cost(self, make_report):
        text, _, _ = make_report()
        table = re.search(r'aria-label="The policies side by side".*?</table>', text, re.DOTALL)[0]
        assert table.count("<tr>") == 1 + 6 + 2  # without single draws; two are fine-tuned
        assert "40%" in table and "1.00×" in table and "1.5" in table

    def test_classes_that_policies_change_are_rows(self, make_report):
        text, tables, _ = make_report()
        frame = tables.intervention_classes.query(
            "baseline == 'uniform_tested' and truth == 'original' and q <= .05"
        )
        frame = frame[~frame["policy"].str.contains("random|fine_tuned")]
        table = re.search(r'aria-label="Classes that policies change".*?</table>', text, re.DOTALL)
        assert table[0].count("<tr>") == 1 + frame["class_id"].nunique()
        assert table[0].count("<strong>") == len(frame)

    def test_one_seed_decides_nothing(self, make_report):
        words = Page(make_report(seeds=1)[0]).text
        assert "undecided, since one run gives no interval" in words
        assert "No policy is found to change any single class: one seed allows no test" in words

    def test_planted_truth_is_counted(self, make_report):
        text, tables, _ = make_report()
        relations = tables.planted[tables.planted["expectation"] != "unchanged"]
        found = int((relations["verdict"] == "found").sum())
        said = f"Of {len(relations)} planted relations, {found} were found and none missed."
        assert said in Page(text).text
        assert "Of 3 controls, 2 stayed quiet. There was 1 false alarm (mug)." in Page(text).text


class TestExplorer:
    def test_curves_and_errors_are_the_tables(self, full_report, page):
        _, tables, _ = full_report
        data = explorer_of(page)
        entry = data["classes"][3]
        rows = tables.class_accuracy.query("truth == 'multi'")
        rows = rows[rows["class_id"] == entry["id"]].sort_values("strength")
        assert data["conditions"]["names"] == ["0.08", "0.2", "0.4", "0.75", "0.99"]
        curve = entry["curves"]["multi"]
        for column in ("accuracy", "low", "seeds_high", "null_low"):
            assert curve[column] == pytest.approx(100 * rows[column].to_numpy(), abs=0.01)
        errors = entry["errors"]["multi"]["false_positives"]
        assert errors == pytest.approx(rows["false_positives"].to_numpy(), abs=0.06)

    def test_classes_come_by_falling_drop_on_all_pictures(self, page):
        drops = [entry["drop"] for entry in explorer_of(page)["classes"]]
        assert drops == sorted(drops, reverse=True)

    def test_confusions_policies_and_examples(self, full_report, page):
        _, tables, _ = full_report
        by_id = {entry["id"]: entry for entry in explorer_of(page)["classes"]}
        victim = tables.affected[0]
        pair = tables.categories.set_index("class_id").loc[victim]
        (shown,) = by_id[victim]["confusions"]
        assert (shown["id"], shown["category"]) == (pair["swallower_id"], pair["category"])
        assert shown["chosen"]
        assert shown["overlap"] == pytest.approx(100 * pair["overlap"])
        assert by_id[victim]["policies"]["weaker for swallowers"] == "0.99"
        judged, *_, example = by_id[victim]["examples"]
        assert judged["boxes"] == [] and example["training"]
        assert base64.b64decode(example["jpeg"])[:2] == b"\xff\xd8"
        assert example["boxes"][0] == ["0.08", 0.5, 0.4, 0.3, 0.3]

    def test_missing_numbers_are_null(self, make_report):
        page = Page(make_report(seeds=1)[0])
        entry = explorer_of(page)["classes"][0]
        assert entry["low"] is None and entry["q"] is None
        assert entry["curves"]["original"]["null_low"] == [None] * 5


class TestMissingParts:
    def test_an_older_study(self, make_report):
        text = Page(make_report(extras=False)[0]).text
        assert "The share that annotations explain, with its control, is not in this study" in text
        assert "The band of no effect is not in this study" in text
        assert text.count("not in this study") >= 4 and not NAN.search(text)

    def test_where_networks_start_and_how_classes_are_balanced_is_said(self, make_report, tmp_path):
        _, tables, summary = make_report()
        settings = summary["provenance"]["settings"]

        def said(**training):
            changed = {**settings, "training": {"model": "resnet18", **training}}
            provenance = {**summary["provenance"], "settings": changed}
            write_report(
                {**summary, "provenance": provenance}, tables, tmp_path, tmp_path / "r.html"
            )
            return " ".join(Page((tmp_path / "r.html").read_text(encoding="utf-8")).text.split())

        assert "from the published weights of resnet18; a seed draws" in said(init="pretrained")
        assert "from the weights in mine.pth; a seed" in said(init="mine.pth")
        both = said(class_weights="balanced", sampler="balanced")
        assert "losses are weighted by class (balanced), and every epoch has equally many" in both
        assert "Networks start from" not in both
        assert "losses are weighted" not in said() and "equally many pictures" not in said()

    def test_named_conditions(self, make_report):
        text = Page(make_report(conditions=("vgg_bn", "vgg"), interventions=False)[0]).text
        assert "From “vgg” to “vgg_bn”" in text and "under “vgg_bn”" in text
        said = text.split("All settings")[0].replace("stand in for seeds", "")
        assert not re.search(r"\bstrengths?\b|\bstrongest\b|\bseeds?\b|\baugmentation\b", said)

    def test_one_class(self, make_report):
        text = Page(make_report(names=("alone",), affected=1)[0]).text
        assert "1 class" in text and not NAN.search(text)

    def test_one_seed(self, make_report):
        text = Page(make_report(seeds=1)[0]).text
        assert "One seed only" in text and "Two are the minimum" in text
        assert "95%" not in text.replace("level of intervals95%", "") and not NAN.search(text)

    def test_no_annotations_beyond_the_original(self, make_report):
        text = Page(make_report(annotations=False)[0]).text
        assert "no annotations beyond the original label" in text
        assert "so no labels overlap" in text
        assert "any annotated label" not in text

    def test_overlap_from_elsewhere(self, make_report):
        text, *_ = make_report(annotations=False, overlap_from="real")
        assert "one of the 50,000 ReaL label sets" in text
        assert "so no labels overlap" not in text

    def test_no_interventions(self, make_report):
        assert (
            "This study trained no interventions" in Page(make_report(interventions=False)[0]).text
        )

    def test_no_affected_class(self, make_report):
        text = Page(make_report(affected=0)[0]).text
        assert "No class was chosen for follow-up" in text
        assert "so no swallower was looked for" in text and not NAN.search(text)

    def test_one_affected_class(self, make_report):
        text = Page(make_report(affected=1)[0]).text
        assert "and at least 2: screen. Ranking is no test" in text

    def test_no_truth(self, make_report):
        text = Page(make_report(planted=False)[0]).text
        assert "The truth about this data set is not known" in text

    def test_no_class_tree(self, make_report):
        assert not NAN.search(Page(make_report(similarity=False)[0]).text)


class TestNothingFound:
    """No single class is found to lose: nothing may go on as if some were."""

    @pytest.fixture
    def nothing(self, tmp_path):
        tables = study_tables(names=tuple(f"class {i}" for i in range(60)), affected=5,
                              planted=False)  # fmt: skip
        tables = replace(tables, effects=tables.effects.assign(q=0.32))
        for stem in ("class_effects", "average_and_classes"):
            save_svg(FIGURES[stem].draw(tables), tmp_path / f"{stem}.svg", TITLES[stem].text)
        write_report(study_summary(tables), tables, tmp_path, tmp_path / "report.html")
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    def test_the_state_is_named_with_what_it_would_take(self, nothing):
        text = Page(nothing).text
        assert "none of 60 classes is found to lose accuracy" in text
        assert "No single class is found to lose accuracy from 0.99 to 0.08" in text
        assert "would be found four times in five" in text and "are candidates" in text

    def test_no_class_is_marked_as_hurt(self, nothing):
        assert 'class="hurt"' not in nothing
        assert not any(entry["found"] for entry in explorer_of(Page(nothing))["classes"])
        drawings = "".join(re.findall(r"<svg.*?</svg>", nothing, re.DOTALL))
        assert drawings and RED not in drawings


def test_a_thousand_classes_are_folded(make_report):
    names = tuple(f"class {i}" for i in range(1000))
    text, _, _ = make_report(names=names, affected=50, seeds=2, planted=False)
    page = Page(text)
    assert "All 1,000 classes as a table" in page.text
    assert "All 50 pairs as a table" in page.text
    opened = sum("open" in attributes for attributes in page.all("details"))
    assert opened <= 1  # the training pictures of the first class
    assert len(text) < 5_000_000


def test_amounts_agree_with_their_nouns(make_report):
    text = unescape(Page(make_report(affected=1, seeds=2)[0]).text)
    assert not re.search(r"[a-z)][.,;][A-Z]", text)  # a space lost between two template blocks
    assert not re.search(r"\b1 (seeds|pictures|classes|networks)\b", text)
    assert not re.search(r"\b(?!1 )\d+ (seed|picture|class|network)\b", text)
