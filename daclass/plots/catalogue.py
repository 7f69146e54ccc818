"""The figures behind their titles: of which numbers, drawn how, and captioned in which words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from daclass.designer import FINE_TUNED, TESTED
from daclass.plots import (
    accuracy,
    captions,
    confusions,
    crops,
    effects,
    explained,
    interventions,
    phenomenon,
    planted,
    policies,
    views,
)
from daclass.plots.captions import PANELS_AT_MOST
from daclass.plots.tables import Tables
from daclass.wording.verdicts import FOLLOWED_UP


@dataclass(frozen=True)
class Plot:
    """A figure, the numbers behind it and the words under it, all from a study's tables.

    Attributes:
        numbers: the data; without a row there is nothing to draw.
        draw: the figure.
        caption: the words under it.
        missing: why there is nothing to draw.
    """

    numbers: Callable[[Tables], pd.DataFrame]
    draw: Callable[[Tables], Figure]
    caption: Callable[[Tables], str]
    missing: str


def _explained_numbers(tables: Tables) -> pd.DataFrame:
    numbers = explained.explained_numbers(tables.explained)
    return numbers if tables.has_multi else numbers.head(0)


def _multi_numbers(tables: Tables) -> pd.DataFrame:
    numbers = effects.original_vs_multi_numbers(tables.effects, tables.classes, tables.lost)
    return numbers if tables.has_multi else numbers.head(0)


def _against(baseline: str, missing: str, before: str = "") -> Plot:
    return Plot(
        lambda t: interventions.intervention_numbers(t.interventions, t.named_policies, baseline),
        lambda t: interventions.interventions(t.interventions, t.named_policies, baseline),
        lambda t: before + captions.forest(baseline)(t),
        missing,
    )


_UNTRAINED = "This study trained no interventions."
_NO_ANNOTATIONS = "This data set has no annotations beyond the original label."
_NO_AFFECTED = f"No class was {FOLLOWED_UP} under the study’s rule."

FIGURES: Mapping[str, Plot] = {
    "accuracy_by_strength": Plot(
        lambda t: accuracy.accuracy_numbers(t.accuracy, t.conditions),
        lambda t: accuracy.accuracy_by_strength(t.accuracy, t.conditions),
        captions.average,
        "There are no accuracies.",
    ),
    "average_and_classes": Plot(
        lambda t: phenomenon.change_numbers(t.class_accuracy, t.classes, t.conditions, t.lost),
        lambda t: phenomenon.average_and_classes(
            t.class_accuracy, t.classes, t.conditions, t.lost, t.lost_by_view
        ),
        captions.phenomenon,
        "The accuracies of single classes are not in this study.",
    ),
    "accuracy_over_views": Plot(
        lambda t: views.view_numbers(t.views, t.conditions),
        lambda t: views.accuracy_over_views(t.views, t.conditions),
        captions.views_of_strengths,
        "The study judged its networks at one view.",
    ),
    "realised_crop_area": Plot(
        lambda t: crops.realised_numbers(t.realised_area),
        lambda t: crops.realised_crop_area(t.realised_area, t.conditions),
        captions.realised,
        "The realised crop area is not in this study.",
    ),
    "class_effects": Plot(
        lambda t: effects.sorted_numbers(t.effects, t.classes, t.null_band, t.lost),
        lambda t: effects.class_effects(t.effects, t.classes, t.null_band, t.conditions, t.lost),
        captions.classes,
        "There are no effects.",
    ),
    "class_accuracy": Plot(
        lambda t: accuracy.class_accuracy_numbers(
            t.counts, t.classes, t.affected[:PANELS_AT_MOST], t.conditions
        ),
        lambda t: accuracy.class_accuracy(
            t.counts, t.classes, t.affected[:PANELS_AT_MOST], t.conditions
        ),
        captions.panels,
        _NO_AFFECTED,
    ),
    "drop_explained": Plot(
        _explained_numbers,
        lambda t: explained.drop_explained(t.explained),
        captions.explained,
        _NO_ANNOTATIONS,
    ),
    "original_vs_multi": Plot(
        _multi_numbers,
        lambda t: effects.original_vs_multi(t.effects, t.classes, t.lost),
        captions.both_truths,
        _NO_ANNOTATIONS,
    ),
    "confusion_plane": Plot(
        lambda t: confusions.confusion_numbers(t.categories, t.classes),
        lambda t: confusions.confusion_plane(t.categories, t.classes, (t.overlap, t.similarity)),
        captions.plane,
        f"No class {FOLLOWED_UP} has a swallower that overlap and similarity could place.",
    ),
    "false_positives": Plot(
        lambda t: accuracy.false_positive_numbers(
            t.counts, t.classes, t.swallowers[:PANELS_AT_MOST], t.conditions
        ),
        lambda t: accuracy.false_positives(
            t.counts, t.classes, t.swallowers[:PANELS_AT_MOST], t.conditions
        ),
        captions.errors,
        f"No class swallows one that was {FOLLOWED_UP}.",
    ),
    "interventions_vs_best": Plot(
        lambda t: interventions.fix_numbers(
            t.interventions, t.named_policies, policies.BEST, t.question
        ),
        lambda t: interventions.fixes(t.interventions, t.named_policies, policies.BEST, t.question),
        captions.fixes,
        _UNTRAINED,
    ),
    "interventions_vs_tested": _against(policies.TESTED, _UNTRAINED),
    "interventions_vs_random": _against(policies.CONTROL, "This study trained no random control."),
    "fine_tuned_vs_tested": _against(
        FINE_TUNED + TESTED,
        "This study fine-tuned no networks.",
        "All networks start from that of the tested strength for all and are trained further, "
        "under each policy. ",
    ),
    "drop_recovered": Plot(
        lambda t: interventions.recovered_numbers(t.interventions, t.named_policies),
        lambda t: interventions.recovered(t.interventions, t.named_policies),
        captions.recovered,
        "No group of classes has a drop that is surely there, so there is nothing to recover.",
    ),
    "changed_classes": Plot(
        lambda t: interventions.change_numbers(t.interventions, t.named_policies),
        lambda t: interventions.changed_classes(t.interventions, t.named_policies),
        captions.changed,
        "No designed policy was trained with two fresh seeds, so no class can be tested.",
    ),
    "planted_vs_found": Plot(
        lambda t: planted.planted_numbers(t.planted, t.classes, t.confusions),
        lambda t: planted.planted_vs_found(
            t.planted, t.classes, t.confusions, t.conditions.short.change
        ),
        captions.planted,
        "The truth about this data set is not known.",
    ),
}
