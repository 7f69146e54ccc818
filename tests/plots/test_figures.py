"""What the figures show, read from their axes."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from daclass.plots import (
    accuracy_by_strength,
    class_accuracy,
    class_effects,
    confusion_plane,
    false_positives,
    interventions,
    original_vs_multi,
    planted_vs_found,
)
from daclass.plots.confusions import confusion_numbers
from daclass.plots.effects import effect_numbers
from daclass.plots.interventions import intervention_numbers
from daclass.plots.style import (
    CATEGORY_COLOURS,
    RED,
    TRUTH_COLOURS,
    isolate,
    new_figure,
    place_labels,
    shorten,
    styled,
)


def bands(ax):
    return [path for collection in ax.collections for path in collection.get_paths()]


class TestAccuracyByStrength:
    def test_lines_are_the_tables_accuracies(self, tables):
        ax = accuracy_by_strength(tables.accuracy, "rrc_scale").axes[0]
        expected = tables.accuracy[
            (tables.accuracy["half"] == "all") & (tables.accuracy["truth"] == "original")
        ].sort_values("strength")
        assert len(ax.lines) == 2
        np.testing.assert_allclose(ax.lines[0].get_xdata(), expected["strength"])
        np.testing.assert_allclose(ax.lines[0].get_ydata(), 100 * expected["accuracy"])
        low = min(path.vertices[:, 1].min() for path in bands(ax)[:1])
        assert low == pytest.approx(100 * expected["low"].min())

    def test_label_says_which_end_is_strong(self, tables):
        ax = accuracy_by_strength(tables.accuracy, "rrc_scale").axes[0]
        assert "(← stronger)" in ax.get_xlabel()

    def test_one_line_where_annotations_add_nothing(self, make_tables):
        ax = accuracy_by_strength(make_tables(annotations=False).accuracy, "rrc_scale").axes[0]
        assert len(ax.lines) == 1

    def test_policies_that_are_not_uniform_stay_out(self, tables):
        mixed = tables.accuracy.iloc[[0]].assign(policy="fp_informed", strength=np.nan, half="all")
        ax = accuracy_by_strength(pd.concat([tables.accuracy, mixed]), "rrc_scale").axes[0]
        assert np.isfinite(ax.lines[0].get_xdata()).all()


class TestClassEffects:
    def test_rows_are_sorted_and_affected_ones_bold(self, tables):
        ax = class_effects(tables.effects, tables.classes).axes[0]
        numbers = effect_numbers(tables.effects, tables.classes)
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
        ax = class_effects(one.effects, one.classes).axes[0]
        assert all(len(path.vertices) == 0 for path in bands(ax)) or not bands(ax)
        dots = [line for line in ax.lines if line.get_marker() == "o"]
        assert sum(len(line.get_xdata()) for line in dots) == len(one.classes)

    def test_many_classes_name_only_extremes(self, make_tables):
        many = make_tables(
            names=tuple(f"class {i}" for i in range(300)), affected=15, planted=False
        )
        above, below = class_effects(many.effects, many.classes).axes
        assert len(below.get_yticklabels()) == 22
        assert sum(len(line.get_xdata()) for line in above.lines if line.get_marker() == ".") == 300

    def test_no_affected_class(self, make_tables):
        none = make_tables(affected=0)
        ax = class_effects(none.effects, none.classes).axes[0]
        assert all(label.get_fontweight() == "normal" for label in ax.get_yticklabels())


def test_original_vs_multi_has_every_class_and_the_diagonal(tables):
    ax = original_vs_multi(tables.effects, tables.classes).axes[0]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [19, 5]
    assert dots[1].get_color() == RED
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


class TestPanels:
    def test_class_accuracy_has_a_thin_line_a_seed_and_a_bold_mean(self, tables):
        chosen = tables.affected[:2]
        axes = class_accuracy(tables.counts, tables.classes, chosen).axes
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
        ax = class_accuracy(one.counts, one.classes, one.affected[:1]).axes[0]
        assert len(ax.lines) == 1

    def test_false_positives_are_means_of_seeds(self, tables):
        chosen = tables.swallowers
        axes = false_positives(tables.counts, tables.classes, chosen).axes
        assert len(axes) == len(chosen)
        counts = tables.counts[
            (tables.counts["class_id"] == chosen[1]) & (tables.counts["half"] == "estimate")
        ]
        expected = counts.groupby("strength")["false_positives_multi"].mean()
        np.testing.assert_allclose(axes[1].lines[0].get_ydata(), expected)


class TestInterventions:
    @pytest.mark.parametrize("baseline", ["uniform_strongest", "uniform_best"])
    def test_baseline_itself_is_left_out(self, tables, baseline):
        numbers = intervention_numbers(tables.interventions, baseline)
        assert baseline not in set(numbers["policy"])
        assert len(numbers) == 4 * 4 * 2

    def test_one_panel_a_group_with_every_policy(self, tables):
        axes = interventions(tables.interventions, "uniform_strongest").axes
        assert len(axes) == 4
        labels = [label.get_text() for label in axes[0].get_yticklabels()]
        assert labels[-1] == "random classes"
        numbers = intervention_numbers(tables.interventions, "uniform_strongest")
        original = numbers[(numbers["group"] == "all") & (numbers["truth"] == "original")]
        dots = next(line for line in axes[0].lines if line.get_marker() == "o")
        np.testing.assert_allclose(dots.get_xdata(), 100 * original["difference"])

    def test_one_seed_has_dots_but_no_intervals(self, make_tables):
        one = make_tables(seeds=1)
        assert interventions(one.interventions, "uniform_best").axes


def test_planted_vs_found_shows_every_verdict(tables):
    ax = planted_vs_found(tables.planted, tables.classes).axes[0]
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
