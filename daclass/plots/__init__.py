"""Figures: tables in, matplotlib figures out."""

from daclass.plots.accuracy import accuracy_by_strength, class_accuracy, false_positives
from daclass.plots.catalogue import FIGURES, Plot
from daclass.plots.confusions import confusion_plane
from daclass.plots.crops import realised_crop_area
from daclass.plots.draw import draw_all
from daclass.plots.effects import class_effects, original_vs_multi
from daclass.plots.explained import drop_explained
from daclass.plots.interventions import interventions
from daclass.plots.planted import planted_vs_found
from daclass.plots.tables import Tables

__all__ = [
    "FIGURES",
    "Plot",
    "Tables",
    "accuracy_by_strength",
    "class_accuracy",
    "class_effects",
    "confusion_plane",
    "draw_all",
    "drop_explained",
    "false_positives",
    "interventions",
    "original_vs_multi",
    "planted_vs_found",
    "realised_crop_area",
]
