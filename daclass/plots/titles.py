"""Which figures there are: their titles and the questions they answer.

Light on purpose: the workflow reads this file each time it starts.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

ENDINGS = ("svg", "png", "csv", "txt")
"""Files of a figure: two pictures, the numbers behind it, and its caption."""


class Title(NamedTuple):
    """What a figure shows, in one line, and the report's question that it answers."""

    text: str
    question: str
    needs: str = ""
    """What a study must have for it: "views", "crops", "interventions", "control", "fine_tuning" or
    "truth"; nothing where empty."""


AVERAGE = "1. What does this augmentation change on average?"
CLASSES = "2. Which classes pay?"
ANNOTATIONS = "3. How much of that do multi-label annotations explain?"
SWALLOWERS = "4. Which classes swallow them, and of what kind?"
FIXES = "5. What fixes it?"
CERTAINTY = "6. How sure are we?"

TITLES = {
    "accuracy_by_strength": Title("Average accuracy", AVERAGE),
    "average_and_classes": Title("What the average gains, and single classes pay", AVERAGE),
    "accuracy_over_views": Title(
        "Average accuracy of each strength over the views", AVERAGE, "views"
    ),
    "realised_crop_area": Title(
        "Share of the picture that crops keep, over strength", AVERAGE, "crops"
    ),
    "class_effects": Title("Accuracy that each class loses, sorted", CLASSES),
    "class_accuracy": Title("Accuracy of the classes chosen for follow-up", CLASSES),
    "drop_explained": Title("Share of the drop that annotations explain", ANNOTATIONS),
    "original_vs_multi": Title(
        "What each class loses under the original label and under any annotated label", ANNOTATIONS
    ),
    "confusion_plane": Title(
        "Followed-up classes and their swallowers by label overlap and similarity", SWALLOWERS
    ),
    "false_positives": Title("Errors of the swallowing classes", SWALLOWERS),
    "interventions_vs_best": Title(
        "What each policy changes against the best single strength", FIXES, "interventions"
    ),
    "interventions_vs_tested": Title(
        "What each policy changes against the tested strength for all", FIXES, "interventions"
    ),
    "interventions_vs_random": Title(
        "What each policy changes against the same dose for random classes", FIXES, "control"
    ),
    "fine_tuned_vs_tested": Title(
        "What fine-tuning under each policy changes against fine-tuning under the tested strength",
        FIXES,
        "fine_tuning",
    ),
    "drop_recovered": Title("Share of the drop that each policy recovers", FIXES, "interventions"),
    "changed_classes": Title(
        "Classes that each policy makes worse and better", FIXES, "interventions"
    ),
    "planted_vs_found": Title("Planted relations beside what was found", CERTAINTY, "truth"),
}


def figures_of(has: Collection[str]) -> tuple[str, ...]:
    """The figures that a study can have, in order.

    Args:
        has: what the study has, in the words of `Title.needs`.
    """
    return tuple(stem for stem, title in TITLES.items() if not title.needs or title.needs in has)
