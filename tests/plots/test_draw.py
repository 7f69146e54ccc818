"""How figures reach the disk."""

import re
import xml.etree.ElementTree as ET

import pandas as pd
import pytest

from daclass.plots.catalogue import FIGURES
from daclass.plots.draw import _ESCAPED, _MARKUP, draw_all
from daclass.plots.save import save_png, save_svg, settle
from daclass.plots.style import INK
from daclass.plots.titles import ENDINGS, TITLES


@pytest.fixture(scope="module")
def folder(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    assert draw_all(tables, folder) == list(FIGURES)
    return folder


def test_every_figure_has_its_files_and_nothing_else_is_left(folder):
    expected = {f"{stem}.{ending}" for stem in FIGURES for ending in ENDINGS}
    assert {file.name for file in folder.iterdir()} == expected


def test_csv_holds_the_numbers(folder, tables):
    frame = pd.read_csv(folder / "class_effects.csv")
    assert len(frame) == len(tables.classes)
    expected = FIGURES["class_effects"].numbers(tables)
    pd.testing.assert_series_equal(frame["drop"], expected["drop"], check_exact=False, rtol=1e-5)


@pytest.mark.parametrize("stem", FIGURES)
def test_svg_is_self_contained_and_follows_the_theme(folder, stem):
    text = (folder / f"{stem}.svg").read_text(encoding="utf-8")
    root = ET.fromstring(text)
    assert INK not in text.replace(f"svg{{color:{INK}", "")
    assert "currentColor" in text and "<metadata" not in text
    links = re.findall(r'href="([^"]*)"', text) + re.findall(r"url\(([^)]*)\)", text)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert all(link.startswith(f"#{stem}-") for link in links)
    assert {link[1:] for link in links} <= set(ids)
    assert len(ids) == len(set(ids)) and all(i.startswith(f"{stem}-") for i in ids)


def test_same_tables_give_the_same_bytes(tables, folder, tmp_path):
    for stem in ("accuracy_by_strength", "confusion_plane"):
        figure = FIGURES[stem].draw(tables)
        settle(figure)
        save_svg(figure, tmp_path / f"{stem}.svg", TITLES[stem].text)
        save_png(figure, tmp_path / f"{stem}.png")
        for ending in ("svg", "png"):
            name = f"{stem}.{ending}"
            assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_names_stay_text_in_svg(make_tables, tmp_path):
    odd = make_tables(names=("<script>alert(1)</script>", "$x_1$", "שלום", "日本語"), affected=2)
    save_svg(FIGURES["class_effects"].draw(odd), tmp_path / "class_effects.svg", "effects")
    text = (tmp_path / "class_effects.svg").read_text(encoding="utf-8")
    assert "<script" not in text and "&lt;script&gt;" in text
    shown = {element.text for element in ET.fromstring(text).iter() if element.tag.endswith("text")}
    assert {"$x_1$", "日本語"} <= shown


def test_figures_without_data_say_why_and_replace_old_ones(make_tables, tmp_path):
    (tmp_path / "planted_vs_found.svg").write_text("old")
    bare = make_tables(
        affected=0, annotations=False, interventions=False, planted=False, extras=False
    )
    assert draw_all(bare, tmp_path) == ["accuracy_by_strength", "class_effects"]
    assert {file.stem for file in tmp_path.iterdir()} == set(FIGURES)
    empty = ET.parse(tmp_path / "planted_vs_found.svg").getroot()
    words = "".join(e.text or "" for e in empty.iter() if e.tag.endswith("text"))
    assert words == FIGURES["planted_vs_found"].missing
    assert FIGURES["planted_vs_found"].missing in (tmp_path / "planted_vs_found.txt").read_text()
    frame = pd.read_csv(tmp_path / "planted_vs_found.csv")
    assert frame.empty and "verdict" in frame


@pytest.mark.parametrize("stem", FIGURES)
def test_captions_name_the_sample_and_the_interval(folder, tables, make_tables, stem):
    caption = FIGURES[stem].caption(tables)
    assert caption in (folder / f"{stem}.txt").read_text().replace("\\", "")
    if stem not in ("confusion_plane", "realised_crop_area"):
        assert "4 seeds" in caption or "4 fresh seeds" in caption
    alone = FIGURES[stem].caption(make_tables(seeds=1, affected=1))
    assert "4 seeds" not in alone and "intervals for" not in alone


def test_captions_are_sound_restructuredtext():
    docutils = pytest.importorskip("docutils.core")
    escaped = _MARKUP.sub(_ESCAPED, "a_ and *b* `c` |d| snake_case \\ ")
    page = docutils.publish_parts(escaped, writer="html", settings_overrides={"halt_level": 2})
    assert "a_ and *b* `c` |d| snake_case \\" in page["body"]


@pytest.mark.parametrize(
    "study", [{"seeds": 1, "similarity": False}, {"affected": 1, "annotations": False}], ids=str
)
def test_poor_studies_can_be_drawn(make_tables, study):
    tables = make_tables(**study)
    drawn = [plot.draw(tables) for plot in FIGURES.values() if not plot.numbers(tables).empty]
    assert len(drawn) >= 6


def test_affected_and_swallowers_come_in_the_order_of_choice(tables):
    select = tables.effects[
        (tables.effects["half"] == "select")
        & (tables.effects["truth"] == "original")
        & (tables.effects["reference"] == "best")
    ].set_index("class_id")["drop"]
    assert list(select[tables.affected]) == sorted(select[tables.affected], reverse=True)
    first = tables.categories.set_index("class_id").loc[tables.affected[0], "swallower_id"]
    assert tables.swallowers[0] == first


def test_user_settings_of_matplotlib_do_not_matter(tables, folder, tmp_path):
    import matplotlib as mpl

    plot = FIGURES["accuracy_by_strength"]
    with mpl.rc_context({"font.size": 20, "axes.grid": True, "svg.fonttype": "path"}):
        figure = plot.draw(tables)
        settle(figure)
        title = TITLES["accuracy_by_strength"].text
        save_svg(figure, tmp_path / "accuracy_by_strength.svg", title)
    name = "accuracy_by_strength.svg"
    assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_names_of_any_script_can_be_drawn(make_tables, tmp_path, caplog):
    odd = make_tables(names=("日本語", "हिन्दी", "שלום"), affected=1)
    save_png(FIGURES["class_effects"].draw(odd), tmp_path / "names.png")
    assert (tmp_path / "names.png").stat().st_size > 1000
    assert "findfont" not in caplog.text  # no font is asked for that is not installed


def test_every_title_has_its_figure():
    assert list(TITLES) == list(FIGURES)
