"""What the figures show, read from their axes."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from daclass.plots.accuracy import accuracy_by_strength, class_accuracy, false_positives
from daclass.plots.catalogue import FIGURES
from daclass.plots.conditions import KEY, Conditions
from daclass.plots.confusions import confusion_numbers, confusion_plane
from daclass.plots.crops import realised_crop_area, realised_numbers
from daclass.plots.effects import class_effects, effect_numbers, lost, original_vs_multi
from daclass.plots.explained import drop_explained
from daclass.plots.findings import FINDINGS
from daclass.plots.interventions import (
    change_numbers,
    changed_classes,
    fix_numbers,
    intervention_numbers,
    interventions,
    recovered,
    recovered_numbers,
)
from daclass.plots.phenomenon import change_numbers as gains
from daclass.plots.planted import planted_numbers, planted_vs_found
from daclass.plots.policies import Policies
from daclass.plots.save import settle
from daclass.plots.style import (
    CATEGORY_COLOURS,
    RED,
    TRUTH_COLOURS,
    new_figure,
    place_labels,
    styled,
)
from daclass.plots.views import view_numbers
from daclass.wording.names import isolate, shorten


def bands(ax):
    return [path for collection in ax.collections for path in collection.get_paths()]


def drawn_effects(tables):
    return class_effects(
        tables.effects, tables.classes, tables.null_band, tables.conditions, tables.lost
    )


class TestAccuracyByStrength:
    def test_lines_are_the_tables_accuracies(self, tables):
        ax = accuracy_by_strength(tables.accuracy, tables.conditions).axes[0]
        expected = tables.accuracy[
            (tables.accuracy["half"] == "all") & (tables.accuracy["truth"] == "original")
        ].sort_values("strength")
        assert len(ax.lines) == 2
        np.testing.assert_allclose(ax.lines[0].get_xdata(), expected["strength"])
        np.testing.assert_allclose(ax.lines[0].get_ydata(), 100 * expected["accuracy"])
        low = min(path.vertices[:, 1].min() for path in bands(ax)[:1])
        assert low == pytest.approx(100 * expected["low"].min())

    def test_label_says_which_end_is_strong(self, tables):
        ax = accuracy_by_strength(tables.accuracy, tables.conditions).axes[0]
        assert "(← stronger)" in ax.get_xlabel()

    def test_one_line_where_annotations_add_nothing(self, make_tables):
        bare = make_tables(annotations=False)
        ax = accuracy_by_strength(bare.accuracy, bare.conditions).axes[0]
        assert len(ax.lines) == 1

    def test_policies_that_are_not_uniform_stay_out(self, tables):
        mixed = tables.accuracy.iloc[[0]].assign(policy="fp_informed", strength=np.nan, half="all")
        ax = accuracy_by_strength(pd.concat([tables.accuracy, mixed]), tables.conditions).axes[0]
        assert np.isfinite(ax.lines[0].get_xdata()).all()


class TestClassEffects:
    def test_rows_are_sorted_and_affected_ones_bold(self, tables):
        ax = drawn_effects(tables).axes[0]
        numbers = effect_numbers(tables.effects, tables.classes, half="all")
        assert numbers["drop"].is_monotonic_decreasing
        labels = ax.get_yticklabels()
        assert [label.get_text() for label in labels] == list(numbers["name"])
        bold = {label.get_text() for label in labels if label.get_fontweight() == "bold"}
        assert bold == set(numbers.loc[numbers["affected"], "name"])

    def test_contrast_is_the_fixed_one_on_the_estimation_half(self, tables):
        numbers = effect_numbers(tables.effects, tables.classes)
        row = tables.effects.set_index(["half", "truth", "reference", "class_id"]).loc[
            ("estimate", "original", "fixed", 3)
        ]
        found = numbers.set_index("class_id").loc[3]
        assert (found["drop"], found["low"]) == (row["drop"], row["low"])

    def test_one_seed_has_dots_but_no_intervals(self, make_tables):
        one = make_tables(seeds=1)
        ax = drawn_effects(one).axes[0]
        assert all(len(path.vertices) == 0 for path in bands(ax)) or not bands(ax)
        dots = [line for line in ax.lines if line.get_marker() == "o"]
        assert sum(len(line.get_xdata()) for line in dots) == len(one.classes)

    def test_many_classes_name_only_extremes(self, make_tables):
        many = make_tables(
            names=tuple(f"class {i}" for i in range(300)), affected=15, planted=False
        )
        above, below = drawn_effects(many).axes
        assert len(below.get_yticklabels()) == 22
        assert sum(len(line.get_xdata()) for line in above.lines if line.get_marker() == ".") == 300

    @pytest.mark.parametrize("classes", [24, 60])
    def test_null_band_lies_at_its_rank(self, make_tables, classes):
        names = tuple(f"class {i:02}" for i in range(classes))
        tables = make_tables(names=names, planted=False)
        ax = drawn_effects(tables).axes[0]
        band = tables.null_band.query("truth == 'original'").sort_values("rank")
        if classes <= 40:
            bars = ax.patches
            ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
            middles = [round(bar.get_y() + bar.get_height() / 2) for bar in bars]
            assert middles == list(range(classes))
            np.testing.assert_allclose(ends, 100 * band[["low", "high"]])
        else:
            corners = bands(ax)[1].vertices
            for row in band.itertuples():
                own = corners[corners[:, 0] == row.rank, 1]
                assert own.min() == pytest.approx(100 * row.low)
                assert own.max() == pytest.approx(100 * row.high)

    def test_without_a_band_the_caption_says_so(self, make_tables):
        old = make_tables(extras=False)
        assert np.isnan([bar.get_width() for bar in drawn_effects(old).axes[0].patches]).all()
        assert "There is no band of no effect" in FIGURES["class_effects"].caption(old)

    def test_no_affected_class(self, make_tables):
        none = make_tables(affected=0)
        ax = drawn_effects(none).axes[0]
        assert all(label.get_fontweight() == "normal" for label in ax.get_yticklabels())


def test_original_vs_multi_has_every_class_and_the_diagonal(tables):
    ax = original_vs_multi(tables.effects, tables.classes, tables.lost).axes[0]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    found = len(tables.lost)
    assert [len(line.get_xdata()) for line in dots] == [24 - found, found]
    assert found and dots[1].get_color() == RED
    diagonal = ax.lines[0]
    np.testing.assert_allclose(diagonal.get_xdata(), diagonal.get_ydata())
    assert {"gull", "kite"} <= {text.get_text() for text in ax.texts}


class TestConfusionPlane:
    def test_pairs_lie_at_similarity_and_larger_overlap(self, tables):
        numbers = confusion_numbers(tables.categories, tables.classes).set_index("name")
        assert numbers.loc["gull", "overlap_larger"] == pytest.approx(0.21)
        ax = confusion_plane(tables.categories, tables.classes, (0.1, 0.7)).axes[0]
        drawn = {tuple(np.round(spot, 6)) for c in ax.collections for spot in c.get_offsets()}
        expected = numbers[["similarity", "overlap_larger"]].to_numpy()
        assert drawn == {tuple(np.round(spot, 6)) for spot in expected}
        assert "screen → monitor" in {text.get_text() for text in ax.texts}

    def test_thresholds_are_drawn(self, tables):
        ax = confusion_plane(tables.categories, tables.classes, (0.25, 0.6)).axes[0]
        assert [line.get_xdata()[0] for line in ax.lines[:1]] == [0.6]
        assert [line.get_ydata()[0] for line in ax.lines[1:2]] == [0.25]

    def test_classes_without_a_swallower_are_left_out(self, tables):
        lonely = tables.categories.copy()
        lonely.loc[0, ["swallower_id", "similarity", "overlap", "category"]] = [
            -1,
            None,
            None,
            "none",
        ]
        assert len(confusion_numbers(lonely, tables.classes)) == len(lonely) - 1


class TestDropExplained:
    def test_marks_lie_at_the_tables_numbers(self, tables):
        left, right = drop_explained(tables.explained).axes
        rows = tables.explained
        drops = [line.get_xdata() for line in left.lines if line.get_linestyle() == "None"]
        np.testing.assert_allclose(drops[0], 100 * rows["drop_original"])
        np.testing.assert_allclose(drops[1], 100 * rows["drop_multi"])
        shares = [line.get_xdata() for line in right.lines if line.get_linestyle() == "None"]
        np.testing.assert_allclose(shares[0], 100 * rows["explained"])
        np.testing.assert_allclose(shares[1], 100 * rows["control"])

    def test_a_share_of_nothing_is_withheld(self, tables):
        right = drop_explained(tables.explained).axes[1]
        assert [text.get_text() for text in right.texts] == ["withheld"]
        assert right.texts[0].xy[1] == pytest.approx(2, abs=0.3)  # the row of all classes


def test_realised_area_is_weighted_by_pictures(tables):
    frame = tables.realised_area.copy()
    frame.loc[frame["width"] == 500, "images"] = 600
    frame["images"] = np.where(frame["height"] == 500, 600, 200)
    numbers = realised_numbers(frame).set_index("strength")
    first = frame[frame["strength"] == 0.08]
    assert numbers.loc[0.08, "mean_area"] == pytest.approx(
        (600 * first["mean_area"].iloc[0] + 200 * first["mean_area"].iloc[1]) / 800
    )
    assert numbers.loc[0.08, "asked"] == pytest.approx(0.54)
    assert numbers.loc[0.08, ["images", "sizes"]].tolist() == [800, 2]
    ax = realised_crop_area(frame, tables.conditions).axes[0]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), 100 * numbers["mean_area"])


class TestNamedConditions:
    NAMES = ("vgg_bn", "vgg", "resnet")

    def test_they_stand_in_their_order_without_a_line(self, make_tables):
        tables = make_tables(conditions=self.NAMES)
        assert (tables.conditions.tested, tables.conditions.reference) == ("vgg_bn", "resnet")
        ax = accuracy_by_strength(tables.accuracy, tables.conditions).axes[0]
        assert [label.get_text() for label in ax.get_xticklabels()] == list(self.NAMES)
        assert all(line.get_linestyle() == "None" for line in ax.lines)
        means = tables.accuracy.query("half == 'all' and truth == 'original'")
        expected = means.set_index("policy").loc[list(self.NAMES), "accuracy"]
        np.testing.assert_allclose(ax.lines[0].get_ydata(), 100 * expected)

    def test_words_name_them(self, make_tables):
        tables = make_tables(conditions=self.NAMES)
        caption = FIGURES["class_effects"].caption(tables)
        assert "from “resnet” to “vgg_bn”" in caption
        assert "strength" not in caption
        assert "from “resnet” to “vgg_bn”" in drawn_effects(tables).axes[0].get_xlabel()

    @pytest.mark.parametrize("names", [("a", "b"), ("with batch norm", "without batch norm")])
    def test_names_that_do_not_fit_a_panel_are_numbers_with_a_key(self, make_tables, names):
        tables = make_tables(conditions=names)
        figure = class_accuracy(tables.counts, tables.classes, [0, 1], tables.conditions)
        ticks = [label.get_text() for label in figure.axes[0].get_xticklabels()]
        key = figure.get_supxlabel()
        assert (ticks, key) in (
            (["a", "b"], ""),
            (["1", "2"], "1: with batch norm,  2: without batch norm"),
        )


class TestPanels:
    def test_class_accuracy_has_a_thin_line_a_seed_and_a_bold_mean(self, tables):
        chosen = tables.affected[:2]
        axes = class_accuracy(tables.counts, tables.classes, chosen, tables.conditions).axes
        assert len(axes) == 2
        thin = [line for line in axes[0].lines if line.get_linewidth() < 1]
        bold = [line for line in axes[0].lines if line.get_linewidth() > 1]
        assert (len(thin), len(bold)) == (8, 2)  # four seeds and one mean, under two truths
        counts = tables.counts[
            (tables.counts["class_id"] == chosen[0]) & (tables.counts["half"] == "estimate")
        ]
        expected = 100 * counts.groupby("strength")[["correct", "images"]].sum()
        np.testing.assert_allclose(
            bold[0].get_ydata(), expected["correct"] / expected["images"] * 100
        )

    def test_one_seed_is_one_line(self, make_tables):
        one = make_tables(seeds=1, annotations=False)
        ax = class_accuracy(one.counts, one.classes, one.affected[:1], one.conditions).axes[0]
        assert len(ax.lines) == 1

    def test_false_positives_are_means_of_seeds(self, tables):
        chosen = tables.swallowers
        axes = false_positives(tables.counts, tables.classes, chosen, tables.conditions).axes
        assert len(axes) == len(chosen)
        counts = tables.counts[
            (tables.counts["class_id"] == chosen[1]) & (tables.counts["half"] == "estimate")
        ]
        expected = counts.groupby("strength")["false_positives_multi"].mean()
        np.testing.assert_allclose(axes[1].lines[0].get_ydata(), expected)


class TestInterventions:
    @pytest.mark.parametrize("baseline", ["uniform_tested", "random_classes"])
    def test_baseline_itself_and_single_draws_are_left_out(self, tables, baseline):
        numbers = intervention_numbers(tables.interventions, tables.named_policies, baseline)
        shown = {
            "uniform_tested", "uniform_best", "uniform_reference", "naive_removal",
            "fp_informed", "random_classes",
        }  # fmt: skip
        assert set(numbers["policy"]) == shown - {baseline}
        assert len(numbers) == 4 * 5 * 2

    def test_one_panel_a_group_with_every_policy(self, tables):
        axes = interventions(tables.interventions, tables.named_policies, "uniform_tested").axes
        assert len(axes) == 4
        labels = [label.get_text() for label in axes[0].get_yticklabels()]
        assert labels[-1] == "random classes"
        numbers = intervention_numbers(
            tables.interventions, tables.named_policies, "uniform_tested"
        )
        original = numbers[(numbers["group"] == "all") & (numbers["truth"] == "original")]
        dots = next(line for line in axes[0].lines if line.get_marker() == "o")
        np.testing.assert_allclose(dots.get_xdata(), 100 * original["difference"])

    def test_one_seed_has_dots_but_no_intervals(self, make_tables):
        one = make_tables(seeds=1)
        assert interventions(one.interventions, one.named_policies, "uniform_best").axes

    def test_the_share_recovered_is_between_the_strongest_and_the_reference(self, tables):
        numbers = recovered_numbers(tables.interventions, tables.named_policies)
        assert not {"uniform_tested", "uniform_reference"} & set(numbers["policy"])
        assert "all" not in set(numbers["group"])  # its drop may be zero
        axes = recovered(tables.interventions, tables.named_policies).axes
        assert len(axes) == 3
        dots = next(line for line in axes[0].lines if line.get_marker() == "o")
        np.testing.assert_allclose(dots.get_xdata(), 40)

    def test_classes_worse_and_better_are_bars_to_both_sides(self, tables):
        numbers = change_numbers(tables.interventions, tables.named_policies)
        ax = changed_classes(tables.interventions, tables.named_policies).axes[0]
        widths = [bar.get_width() for bar in ax.patches]
        assert widths == [*-numbers["worse"], *numbers["better"]]

    def test_fine_tuned_policies_stand_beside_fine_tuned_ones(self, tables):
        numbers = intervention_numbers(
            tables.interventions, tables.named_policies, "fine_tuned_uniform_tested"
        )
        assert set(numbers["policy"]) == {"fine_tuned_fp_informed"}

    def test_policies_of_any_number_and_name(self, tables):
        """Sixteen more, of names that nobody knows."""
        one = tables.interventions[tables.interventions["policy"] == "fp_informed"]
        more = [tables.interventions, *(one.assign(policy=f"own {n} $x$") for n in range(16))]
        figure = interventions(pd.concat(more), tables.named_policies, "uniform_tested")
        labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert len(labels) == 5 + 16 and labels[-1] == "own 15 $x$"


def test_planted_vs_found_draws_what_is_judged(tables):
    """The drop of most; of a class that swallows, the growth of its partner's confusion."""
    numbers = planted_numbers(tables.planted, tables.classes, tables.confusions)
    grown = tables.confusions.query("half == 'estimate'").set_index(["class_id", "predicted_id"])
    for row in numbers.to_dict("records"):
        if row["expectation"] == "swallows":
            expected = grown["growth"].get((row["partner_id"], row["class_id"]), np.nan)
            low = grown["low"].get((row["partner_id"], row["class_id"]), np.nan)
        else:
            expected, low = row["drop"], row["low"]
        np.testing.assert_equal([row["judged"], row["judged_low"]], [expected, low])
    assert (numbers["expectation"] == "swallows").sum() == 5


class TestAverageAndClasses:
    def test_the_mean_and_the_classes_found_to_lose_are_marked(self, tables):
        numbers = gains(tables.class_accuracy, tables.classes, tables.conditions, tables.lost)
        at_tested = numbers[numbers["condition"] == "0.08"].set_index("class_id")["gain"]
        drops = effect_numbers(tables.effects, tables.classes, half="all").set_index("class_id")
        np.testing.assert_allclose(at_tested[drops.index], -drops["drop"], atol=1e-9)
        assert at_tested[-1] == pytest.approx(-drops["drop"].mean())
        assert set(numbers.loc[numbers["found"], "class_id"]) == set(tables.lost)
        ax = FIGURES["average_and_classes"].draw(tables).axes[0]
        coloured = [line for line in ax.lines if line.get_color() == RED]
        assert len(coloured) == min(len(tables.lost), 4) > 0

    def test_classes_that_lose_at_this_view_alone_are_dashed_and_counted(self, tables):
        kept, *view_only = lost(tables.effects, tables.q)
        rows = pd.DataFrame({"class_id": [kept, *view_only], "half": "all", "q": 0.9, "drop": 0.1})
        rows.loc[rows["class_id"] == kept, "q"] = 0.01
        judged = dataclasses.replace(tables, view_effects=rows)
        assert judged.lost == [kept] and judged.lost_by_view == view_only and view_only
        ax = FIGURES["average_and_classes"].draw(judged).axes[0]
        styles = [line.get_linestyle() for line in ax.lines if line.get_color() == RED]
        assert styles == ["-"] + ["--"] * min(len(view_only), 3)
        assert FINDINGS["average_and_classes"](judged).endswith(
            f"; {len(view_only)} at this view alone"
        )

    def test_with_no_class_found_nothing_is_in_colour(self, make_tables):
        none = make_tables(seeds=1)
        ax = FIGURES["average_and_classes"].draw(none).axes[0]
        assert not [line for line in ax.lines if line.get_color() == RED]


class TestFixes:
    def test_the_primary_policy_comes_first_and_the_others_by_their_gain(self, tables):
        numbers = fix_numbers(
            tables.interventions, tables.named_policies, "uniform_best", "fp_informed"
        )
        rows = numbers[numbers["group"] == "affected"]
        assert rows["policy"].iloc[0] == "fp_informed" and rows["primary"].iloc[0]
        assert rows["difference"].iloc[1:].is_monotonic_decreasing
        assert set(numbers["group"]) == {"all", "affected"}

    def test_identical_policies_are_one_row(self, make_tables):
        tables = make_tables()
        classes = tables.policy_classes
        best = classes["policy"] == "uniform_best"
        same = Policies(tables.policies, classes.assign(
            strength=classes["strength"].where(~best, 0.99)))  # fmt: skip
        numbers = intervention_numbers(tables.interventions, same, "uniform_tested")
        assert "uniform_reference" not in set(numbers["policy"])
        assert any(" = " in name for name in numbers["name"])
        against_itself = intervention_numbers(tables.interventions, same, "uniform_best")
        assert "uniform_reference" not in set(against_itself["policy"])


def test_planted_vs_found_shows_every_verdict(tables):
    ax = planted_vs_found(
        tables.planted, tables.classes, tables.confusions, "from 0.99 to 0.08"
    ).axes[0]
    verdicts = [text.get_text() for text in ax.texts]
    for verdict, number in tables.planted["verdict"].value_counts().items():
        assert verdicts.count(verdict) == number
    loud = [text.get_text() for text in ax.texts if text.get_text() == "false alarm"]
    assert loud and "gull → flock" in {label.get_text() for label in ax.get_yticklabels()}


@pytest.mark.parametrize("seed", range(3))
def test_placed_names_do_not_overlap(seed):
    rng = np.random.default_rng(seed)

    @styled
    def draw():
        figure = new_figure(3)
        ax = figure.subplots()
        ax.set(xlim=(0, 1), ylim=(0, 1))
        points = rng.uniform(0.1, 0.9, (12, 2))
        place_labels(ax, points, [f"name {i}" for i in range(12)], np.empty((0, 2)))
        return figure

    figure = draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) >= 4
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_colours_are_readable_on_light_and_dark_pages():
    def luminance(colour):
        channels = np.array(to_rgb(colour))
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return linear @ [0.2126, 0.7152, 0.0722]

    for colour in {RED, *TRUTH_COLOURS.values(), *CATEGORY_COLOURS.values()} - {"#26292e"}:
        own = luminance(colour) + 0.05
        assert 1.05 / own >= 3, colour
        assert own / (luminance("#17191c") + 0.05) >= 3, colour


def test_right_to_left_names_keep_their_place_beside_an_arrow():
    assert isolate("kite") == "kite"
    assert isolate("שלום") == "\u2068שלום\u2069"


def test_long_names_are_shortened():
    assert shorten("kite", 10) == "kite"
    assert shorten("a very long name", 10) == "a very lo…"


class TestAccuracyOverViews:
    def test_a_line_per_strength_with_its_best_view_filled(self, tables):
        numbers = view_numbers(tables.views, tables.conditions)
        strengths = sorted(tables.views["strength"].unique())
        assert set(numbers["condition"]) == {f"{s:g}" for s in strengths}
        ax = FIGURES["accuracy_over_views"].draw(tables).axes[0]
        lines, dots = ax.lines[0:-1:2], ax.lines[1:-1:2]
        rows = tables.views.query("half == 'estimate' and not shifted")
        for strength, line, dot in zip(strengths, lines, dots, strict=True):
            own = rows[rows["strength"] == strength].sort_values("view")
            np.testing.assert_allclose(line.get_xdata(), own["view"])
            np.testing.assert_allclose(line.get_ydata(), 100 * own["accuracy"])
            best = own[own["best"]]
            expected = [best["view"].iloc[0], 100 * best["accuracy"].iloc[0]]
            np.testing.assert_allclose(dot.get_xydata()[0], expected)
        assert ax.lines[-1].get_xdata()[0] == 0.875

    def test_one_view_shows_no_curve(self, tables):
        one = tables.views[tables.views["view"] == 0.875]
        assert view_numbers(one, tables.conditions).empty

    def test_a_class_pays_only_where_it_does_at_the_best_views_too(self, tables):
        (spared,) = tables.lost_by_view
        assert spared not in tables.lost
        alone = dataclasses.replace(tables, view_effects=tables.view_effects.head(0))
        assert alone.lost == lost(tables.effects, tables.q) and spared in alone.lost
        assert set(alone.lost) - set(tables.lost) == {spared}


def hide_ticks_beyond(figure):
    """What matplotlib keeps beyond the ends of an axis, and does not draw."""
    for ax in figure.axes:
        for axis, ends in ((ax.xaxis, sorted(ax.get_xlim())), (ax.yaxis, sorted(ax.get_ylim()))):
            for tick in axis.get_major_ticks():
                if not ends[0] <= tick.get_loc() <= ends[1]:
                    tick.label1.set_visible(False)
                    tick.label2.set_visible(False)


@pytest.mark.parametrize("conditions", [0, 5])
@pytest.mark.parametrize("stem", FIGURES)
def test_no_text_is_cut_where_names_are_long(make_tables, stem, conditions):
    tables = make_tables(
        names=tuple(f"a very long name with many words, number {n} of all" for n in range(12)),
        conditions=tuple(f"recipe {n} with all there is, for long" for n in range(conditions)),
        interventions=not conditions,
    )
    if FIGURES[stem].numbers(tables).empty:
        return
    figure = FIGURES[stem].draw(tables)
    settle(figure)
    hide_ticks_beyond(figure)
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    boxes = [text.get_window_extent().padded(-1) for text in texts]
    cut = [
        text.get_text()
        for text, box in zip(texts, boxes, strict=True)
        if (box.min < figure.bbox.min).any() or (box.max > figure.bbox.max).any()
    ]
    assert cut == []


@pytest.mark.parametrize("number", [2, 3, 7, 10])
def test_the_key_below_small_panels_has_every_condition_and_fits(number):
    names = tuple(f"recipe {n} with all there is" for n in range(number))
    label = Conditions(names, tuple(map(float, range(number))), *names[:2], False, "").panel_label
    assert all(f"{n}: recipe {n - 1} with" in label for n in range(1, number + 1))
    assert all(len(line) <= KEY + 1 for line in label.split("\n"))  # a comma ends it
