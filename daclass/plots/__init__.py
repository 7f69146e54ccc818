"""Figures: tables in, matplotlib figures out."""

from daclass.plots.accuracy import accuracy_by_strength, class_accuracy, false_positives
from daclass.plots.confusions import confusion_plane
from daclass.plots.draw import FIGURES, Plot, Tables, draw_all
from daclass.plots.effects import class_effects, original_vs_multi
from daclass.plots.interventions import interventions
from daclass.plots.planted import planted_vs_found

__all__ = [
    "FIGURES",
    "Plot",
    "Tables",
    "accuracy_by_strength",
    "class_accuracy",
    "class_effects",
    "confusion_plane",
    "draw_all",
    "false_positives",
    "interventions",
    "original_vs_multi",
    "planted_vs_found",
]
