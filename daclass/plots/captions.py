"""What stands under each figure.

A caption says all that a stranger needs: what is measured, on which pictures, with how many seeds,
and what the marks and bands are.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from daclass.plots import accuracy, crops, effects, interventions, policies, style, views
from daclass.plots.tables import Tables
from daclass.wording.numbers import counted, percent, span
from daclass.wording.verdicts import (
    FOLLOWED_UP,
    FOUND_TO_LOSE,
    NO_CLASS_FOUND,
    TWO_NETWORKS,
    UNDECIDED,
)

PANELS_AT_MOST = 12
"""Classes that get a panel of their own."""


def _replicates(tables: Tables) -> str:
    return tables.runs


def _level(tables: Tables) -> str:
    return percent(tables.confidence, 0)


def _spread(tables: Tables, bands: str) -> str:
    """The sentence on intervals, or the one on their absence."""
    if tables.seeds < 2:
        return f"A single {tables.replicate} tells nothing of the spread: there are no intervals."
    return f"{bands} {_level(tables)} intervals for new {tables.replicates} and new pictures."


def average(tables: Tables) -> str:
    numbers = accuracy.accuracy_numbers(tables.accuracy, tables.conditions)
    pictures = counted(int(numbers["images"].max()), "validation picture")
    truths = ""
    if tables.has_multi:
        first, second = (
            ("Solid", "Dashed") if tables.conditions.by_strength else ("Circles", "Diamonds")
        )
        truths = (
            f" {first}: the prediction is the picture’s original label. {second}: it is any of the "
            "labels that annotators gave the picture."
        )
    marks = "Bands are" if tables.conditions.by_strength else "Whiskers are"
    return (
        f"Average accuracy on {pictures}, mean of {_replicates(tables)}.{truths} "
        f"{_spread(tables, marks)}"
    )


def phenomenon(tables: Tables) -> str:
    conditions, found, by_view = tables.conditions, len(tables.lost), len(tables.lost_by_view)
    named = min(found, style.NAMED_LINES)
    if named:
        lines = (
            f" In colour: {counted(named, 'class', 'classes')} of {found} {FOUND_TO_LOSE} "
            f"{conditions.contrast} at a false discovery rate of {percent(tables.q, 0)}, those "
            "that lose most."
        )
    else:
        lines = (
            f" No {'line' if not by_view else 'solid line'} is in colour: {NO_CLASS_FOUND} to lose."
        )
    if by_view:
        lines += (
            f" Dashed: {counted(by_view, 'class', 'classes')} found to lose at the view drawn "
            "here, and not where both are judged at their best view."
        )
    return (
        f"Points of accuracy gained against {conditions.words.named(conditions.reference)}, on all "
        f"pictures, mean of {_replicates(tables)}: each class, and in bold their mean.{lines} The "
        f"dotted line marks the tested {conditions.noun}, {conditions.tested}."
    )


def views_of_strengths(tables: Tables) -> str:
    numbers = views.view_numbers(tables.views, tables.conditions)
    common = numbers.loc[numbers["common"].astype(bool), "view"].iloc[0]
    return (
        "Average accuracy by the side of the central square that is judged, as a share of the "
        f"picture’s shorter side: a line per {tables.conditions.noun}, all classes alike, on "
        f"the estimating half ({counted(int(numbers['images'].max()), 'picture')}), mean of "
        f"{_replicates(tables)}. A full dot is the view at which the {tables.conditions.noun} does "
        "best on the selecting half. The dotted line is the view at which the study judges "
        f"everything else, {common:g}. {_spread(tables, 'Bands are')}"
    )


def classes(tables: Tables) -> str:
    numbers = effects.sorted_numbers(tables.effects, tables.classes, tables.null_band, tables.lost)
    pictures = _pictures_per_class(numbers)
    many = len(numbers) > effects.NAMED_AT_MOST
    shape = (
        " Above, all classes by rank; below, the most hurt and the most helped by name."
        if many
        else ""
    )
    ticks = (
        f" Ticks are {_level(tables)} intervals for new {tables.replicates} on these very pictures."
        if tables.seeds > 1
        else ""
    )
    if numbers["null_low"].notna().any():
        null = (
            f" The shaded band is where the sorted drops would lie if the {tables.conditions.noun} "
            f"mattered to no class ({_level(tables)} of such draws, rank by rank): classes outside "
            "it are not sorted noise."
        )
    else:
        null = " There is no band of no effect: this study has not computed it."
    return (
        f"Accuracy that each of {counted(len(numbers), 'class', 'classes')} loses "
        f"{tables.conditions.contrast}, in percentage points, largest first "
        f"({_replicates(tables)}, {pictures}).{shape} {_class_spread(tables)}{ticks}{null}"
        f"{_marked(tables, numbers)}"
    )


def _class_spread(tables: Tables) -> str:
    """As `_spread`; between two single networks, pictures have a spread."""
    if tables.of_networks:
        return f"Lines are {_level(tables)} intervals for new pictures. {TWO_NETWORKS}"
    return _spread(tables, "Lines are")


def _marked(tables: Tables, numbers: pd.DataFrame) -> str:
    words = ""
    if numbers["found"].any():
        words += (
            f" Classes {FOUND_TO_LOSE} at a false discovery rate of {percent(tables.q, 0)} are in "
            "colour."
        )
    elif tables.seeds > 1:
        words += f" There is none in colour: {NO_CLASS_FOUND} to lose."
    if numbers["affected"].any():
        words += f" Bold names were {FOLLOWED_UP}, on one half of the pictures."
    return words


def _pictures_per_class(numbers: pd.DataFrame) -> str:
    least, most = int(numbers["images"].min()), int(numbers["images"].max())
    return f"{span(least, most, 'picture')} per class"


def panels(tables: Tables) -> str:
    shown, of = min(len(tables.affected), PANELS_AT_MOST), len(tables.affected)
    first = f"the first {shown} of {of} classes" if of > shown else "the classes"
    return (
        f"Accuracy of {first} {FOLLOWED_UP} under every {tables.conditions.noun}, on the half of "
        "the pictures that did not choose them. "
        + (
            f"Thin lines: one {tables.replicate} each; bold: the mean of {_replicates(tables)}."
            if tables.seeds > 1
            else f"One {tables.replicate}."
        )
    )


def both_truths(tables: Tables) -> str:
    numbers = effects.original_vs_multi_numbers(tables.effects, tables.classes, tables.lost)
    return (
        f"What each class loses {tables.conditions.contrast} when only the original label counts "
        "(across) and when any annotated label does (up), in percentage points, on the estimating "
        f"half of the pictures ({_replicates(tables)}, {_pictures_per_class(numbers)}). On the "
        "diagonal annotations explain nothing; on the horizontal line through zero they explain "
        f"the whole drop. Classes {FOUND_TO_LOSE} are in colour, those {FOLLOWED_UP} have names."
    )


def explained(tables: Tables) -> str:
    return (
        "Left: mean drop of groups of classes under the original label and under any annotated "
        f"label, on the same pictures, in percentage points ({_replicates(tables)}); from the "
        f"reference, {tables.conditions.reference}, or from each class’s own best, chosen on other "
        f"pictures and {tables.replicates}. Right: the share of the drop that disappears, beside "
        "the share that as many random extra labels would make disappear. Lines are "
        f"{_level(tables)} intervals. "
        "A share is withheld where the drop itself could be zero. Classes are chosen for follow-up "
        "anew in each fold of pictures, so there can be more of them than elsewhere."
    )


def plane(tables: Tables) -> str:
    elsewhere = ", in ReaL’s labels of ImageNet" if tables.overlap_from == "real" else ""
    return (
        f"Each mark is a class {FOLLOWED_UP} and the class that swallows it: how close the two "
        "are in the class tree (Wu–Palmer similarity), and which share of the pictures with one "
        f"label carries the other too (the larger of both directions{elsewhere}). Dashed lines are "
        f"the study’s thresholds, {tables.overlap:g} and {tables.similarity:g}; they define the "
        "four kinds."
    )


def errors(tables: Tables) -> str:
    labels = "Any annotated label counts as right." if tables.has_multi else ""
    return (
        f"Errors of the classes that swallow those {FOLLOWED_UP}, on the estimating half of the "
        f"pictures, mean of {_replicates(tables)}. False positives: pictures of other classes that "
        "were given the class’s name. False negatives: its own pictures that were given another. "
        f"{labels}".strip()
    )


def _fresh(tables: Tables) -> str:
    """On what the interventions were measured."""
    rows = tables.interventions
    seeds = int(rows["seeds"].max())
    spread = (
        f"Lines are {_level(tables)} intervals for new seeds and new pictures; one that holds 0 "
        f"leaves the question {UNDECIDED}"
        if seeds > 1
        else "One seed gives no intervals"
    )
    return (
        f"{counted(seeds, 'fresh seed')}, paired by seed and picture, on the estimating half "
        f"({counted(int(rows['images'].max()), 'picture')} in all). {spread}."
    )


def _control(tables: Tables) -> str:
    draws = tables.named_policies.draws_of(policies.CONTROL)
    if not draws:
        return ""
    mean = f", the mean of {len(draws)} draws (intervals speak for new draws)" if draws[1:] else ""
    return (
        " “Random classes” is the control: the strengths of “weaker for swallowers” for other "
        f"classes of like accuracy and size{mean}."
    )


def forest(baseline: str) -> Callable[[Tables], str]:
    def caption(tables: Tables) -> str:
        return (
            "Accuracy that each designed policy gains against “"
            f"{tables.named_policies.name(baseline)}”, in percentage points, by group of classes; "
            f"{_fresh(tables)}{_control(tables)}"
        )

    return caption


def fixes(tables: Tables) -> str:
    return (
        f"Accuracy that each policy gains against “{tables.named_policies.name(policies.BEST)}”, "
        f"the best single strength, in percentage points: all classes, and those {FOLLOWED_UP}. "
        f"The policy in question comes first, in bold; the others by what they gain. Policies "
        f"that are one share a row. Original label; {_fresh(tables)}{_control(tables)}"
    )


def recovered(tables: Tables) -> str:
    name = tables.named_policies.name
    return (
        f"Share of the drop from “{name(policies.REFERENCE)}” to “{name(policies.TESTED)}” that "
        f"each policy recovers, by group of classes; {_fresh(tables)} Intervals of a share are "
        "Fieller’s, and may run out of the figure. Groups whose drop could be zero are left out: "
        f"there is nothing to recover.{_control(tables)}"
    )


def changed(tables: Tables) -> str:
    numbers = interventions.change_numbers(tables.interventions, tables.named_policies)
    return (
        "Number of classes whose accuracy each policy lowers and raises against "
        f"“{tables.named_policies.name(policies.TESTED)}”, at the study’s false discovery rate, "
        f"among {counted(int(numbers['classes'].max()), 'class', 'classes')} "
        f"({counted(int(numbers['seeds'].max()), 'fresh seed')}). A class that is not counted may "
        "still have changed by less than these seeds and pictures can tell."
    )


def planted(tables: Tables) -> str:
    return (
        "Every planted expectation of this generated set beside what it is judged by, on the "
        f"estimating half ({_replicates(tables)}), and the verdict: for a class that pays, gains "
        "or stays, its drop; for one that swallows, the growth of the share of its partner’s "
        f"pictures that are taken for it. Both are in percentage points. "
        f"{_spread(tables, 'Lines are')} A relation is found when its interval lies on the "
        "expected side of zero; a control whose interval leaves zero is a false alarm."
    )


def realised(tables: Tables) -> str:
    numbers = crops.realised_numbers(tables.realised_area)
    images, sizes = int(numbers["images"].max()), int(numbers["sizes"].max())
    sharp = numbers[["strength", "enlarged_share", "exact_share"]]
    views = "; ".join(
        f"{strength:g}: {enlarged:.0%} and {exact:.0%}"
        for strength, enlarged, exact in sharp.itertuples(index=False)
    )
    band = (
        f" The band spans the means of {sizes} picture sizes."
        if sizes > 1
        else " All have one size."
    )
    return (
        "What the crops of each strength keep of a picture. A crop’s share of the area is drawn "
        "between the strength and 1, so that the dotted line is the mean that is asked for. Crops "
        "that do not fit the picture are drawn again, and after ten tries a centred box with the "
        "largest permitted area is taken (dashed). Computed from the sizes of "
        f"{counted(images, 'picture')}.{band} Share of crops that are enlarged, and that are shown "
        f"pixel by pixel, by strength: {views}."
    )
