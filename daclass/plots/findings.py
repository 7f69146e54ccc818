"""The findings that figures stand under in the report: one clause each, from the same tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from daclass.plots.interventions import fix_numbers
from daclass.plots.policies import BEST
from daclass.plots.tables import Tables
from daclass.plots.views import views_of
from daclass.wording.numbers import bracket, counted, percent, points
from daclass.wording.verdicts import FOUND_TO_LOSE, decided, direction
from daclass.wording.views import average_at_best


def _classes(tables: Tables) -> str:
    change, of = tables.conditions.contrast, len(tables.classes)
    lost = len(tables.lost)
    if tables.of_networks:
        return f"Of these two networks: {lost:,} of {of:,} classes {FOUND_TO_LOSE} {change}"
    if tables.seeds < 2:
        return f"One {tables.replicate} cannot tell which classes lose {change}"
    if not lost and not tables.effects["detectable"].notna().any():
        return f"This study cannot tell which classes lose {change}"
    by_view = len(tables.lost_by_view)
    more = f"; {by_view:,} at this view alone" if by_view else ""
    if not lost:
        return f"No single class of {of:,} is {FOUND_TO_LOSE} {change}{more}"
    are = "is" if lost == 1 else "are"
    return f"{lost:,} of {of:,} classes {are} {FOUND_TO_LOSE} {change}{more}"


def _explained(tables: Tables) -> str:
    rows = tables.explained[tables.explained["explained"].notna()]
    if rows.empty and tables.explained["drop_original_low"].isna().all():
        return f"One {tables.replicate} gives the drop no interval: no share of it is told"
    if rows.empty:
        return "The drop could be zero: there is no share to explain"
    row = rows.iloc[0]
    who = "all classes" if row["group"] == "all" else "the followed-up classes"
    interval = bracket(row["explained_low"], row["explained_high"], 0)
    return f"Annotations explain {percent(row['explained'], 0)}{interval} of the drop of {who}"


def _fixes(tables: Tables) -> str:
    numbers = fix_numbers(tables.interventions, tables.named_policies, BEST, tables.question)
    rows = numbers[numbers["primary"]]
    if rows.empty:
        return "What each policy changes against the best single strength"
    row = rows.iloc[-1]  # the followed-up classes, or all where there are none
    gain = f"{points(row['difference'], 1, signed=True)} points{bracket(row['low'], row['high'])}"
    verdict = decided(direction(row["low"], row["high"]), "better", "worse")
    return f"“{row['name']}” against the best single strength: {gain}, {verdict}"


def _planted(tables: Tables) -> str:
    relations = tables.planted[tables.planted["expectation"] != "unchanged"]
    found = int((relations["verdict"] == "found").sum())
    alarms = int((tables.planted["verdict"] == "false alarm").sum())
    return (
        f"{found} of {counted(len(relations), 'planted relation')} found, "
        f"{counted(alarms, 'false alarm')}"
    )


def _views(tables: Tables) -> str:
    found = average_at_best(views_of(tables.view_effects, tables.views), tables.conditions.words)
    return found or "Each strength has a view of its own that suits it best"


FINDINGS: Mapping[str, Callable[[Tables], str]] = {
    "average_and_classes": _classes,
    "accuracy_over_views": _views,
    "class_effects": _classes,
    "drop_explained": _explained,
    "interventions_vs_best": _fixes,
    "planted_vs_found": _planted,
}
"""Figures that say one thing; the others keep their titles."""
