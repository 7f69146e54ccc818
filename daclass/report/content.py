"""What the report says: the tables' rows, arranged as its sections need them.

Numbers stay numbers here; the templates' filters write them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from daclass.augment.axis import AXES
from daclass.plots.accuracy import accuracy_numbers
from daclass.plots import Tables
from daclass.plots.catalogue import PANELS_AT_MOST
from daclass.plots.effects import effect_numbers
from daclass.plots.interventions import GROUPS, POLICIES, intervention_numbers
from daclass.plots.planted import planted_numbers

Row = dict[str, Any]
LONG = 40  # tables with more rows are folded away
NAMED_AT_MOST = 5  # names in a sentence
BASELINES = ("uniform_strongest", "uniform_best")
CATEGORIES = {
    "ambiguous": "the same pictures carry both labels, and the classes are close in the class tree",
    "co-occurring": "the same pictures carry both labels, but the classes are far apart in it",
    "fine-grained": "pictures rarely carry both labels, but the classes are close in the tree",
    "unrelated": "pictures rarely carry both labels, and the classes are far apart in the tree",
    "none": "no confusion of the class grew",
}
DESIGNS = {
    "uniform_strongest": "Every class at the strongest strength.",
    "uniform_best": "Every class at the strength with the best average.",
    "naive_removal": "The affected classes at the weakest strength, all others at the strongest.",
    "fp_informed": (
        "The classes that gain most false positives, each at the strength with its fewest errors; "
        "all others at the strongest."
    ),
    "random_classes": "The control: the same strengths, given to classes drawn at random.",
}


def build_content(summary: Row, tables: Tables) -> Row:
    """Everything the templates read, but for the figures."""
    effects = effect_rows(tables)
    by_class = {row["class_id"]: row for row in effects}
    affected = [by_class[i] for i in tables.affected if i in by_class]
    strengths = accuracy_rows(tables)
    provenance = summary.get("provenance", {})
    settings = provenance.get("settings", {})
    analysis = settings.get("analysis", {})
    return {
        "summary": summary,
        "title": summary["title"] or summary["study"],
        "provenance": provenance,
        "axis": AXES.get(tables.axis),
        "axis_name": tables.axis,
        "strongest": summary["strongest"],
        "reference": summary["reference"],
        "best": summary["best_average"],
        "discoveries": summary["discoveries"]["original"],
        "q_limit": summary["q"],
        "confidence": analysis.get("confidence", 0.95),
        "rule": analysis.get("affected", {}),
        "draws": _draws(settings, tables),
        "classes": len(tables.classes),
        "seeds": max((row["original"]["seeds"] for row in strengths), default=0),
        "strengths": strengths,
        "effects": effects,
        "affected": affected,
        "hurt": [row for row in affected if row["judged"]["low"] > 0],
        "has_multi": tables.has_multi and all("multi" in row for row in strengths),
        "overlap": tables.overlap,
        "similarity": tables.similarity,
        "pairs": pair_rows(tables),
        "categories": CATEGORIES,
        "fixes": fix_rows(tables),
        "groups": GROUPS,
        "policies": POLICIES,
        "designs": DESIGNS,
        "baselines": BASELINES,
        "planted": planted_rows(tables),
        "flattery": flattery(tables),
        "panels_at_most": PANELS_AT_MOST,
        "named_at_most": NAMED_AT_MOST,
        "long": LONG,
    }


def accuracy_rows(tables: Tables) -> list[Row]:
    """One row a strength: accuracy under both truths."""
    numbers = accuracy_numbers(tables.accuracy)
    rows: dict[float, Row] = {}
    for row in _records(numbers):
        entry = rows.setdefault(row["strength"], {"strength": row["strength"]})
        entry[row["truth"]] = row
    return [rows[strength] for strength in sorted(rows)]


def effect_rows(tables: Tables) -> list[Row]:
    """One row a class, the most hurt first: its drop on the estimation half, and more.

    The added keys `all` (the drop on all pictures, which the q-value belongs to), `multi` (under
    any annotated label), `best` (against the class's own best strength) and `pair` (its swallower)
    are rows themselves, or None. `judged` is what affected classes are chosen and reported by:
    `best`, or the row itself where one seed allows no cross-fitting.
    """
    numbers = effect_numbers(tables.effects, tables.classes)
    against_best = tables.effects[
        (tables.effects["half"] == "estimate")
        & (tables.effects["truth"] == "original")
        & (tables.effects["reference"] == "best")
    ]
    more = {
        "all": effect_numbers(tables.effects, tables.classes, half="all"),
        "multi": effect_numbers(tables.effects, tables.classes, "multi"),
        "best": against_best,
    }
    by_class = {key: _by_class(frame) for key, frame in more.items()}
    by_class["pair"] = {row["class_id"]: row for row in pair_rows(tables)}
    rows = _records(numbers)
    for row in rows:
        row.update({key: found.get(row["class_id"]) for key, found in by_class.items()})
        best = row["best"]
        row["judged"] = best if best and np.isfinite(best["drop"]) else row
    return rows


def pair_rows(tables: Tables) -> list[Row]:
    """One row an affected class: its swallower and the kind of the pair, in order of choice."""
    names = tables.classes.set_index("class_id")["name"]
    order = {class_id: rank for rank, class_id in enumerate(tables.affected)}
    numbers = tables.categories.assign(
        name=tables.categories["class_id"].map(names),
        swallower=tables.categories["swallower_id"].map(names).fillna(""),
        order=tables.categories["class_id"].map(order),
    ).sort_values("order")
    growth = tables.confusions[tables.confusions["half"] == "estimate"]
    images = {
        (row["class_id"], row["predicted_id"]): (row["images"], row["seeds"])
        for row in _records(growth)
    }
    rows = _records(numbers)
    for row in rows:
        key = (row["class_id"], row["swallower_id"])
        row["images"], row["seeds"] = images.get(key, (None, None))
    return rows


def fix_rows(tables: Tables) -> list[Row]:
    """One entry a policy: its gains by baseline, group and truth."""
    frame = tables.interventions
    order = [p for p in POLICIES if (frame["policy"] == p).any()]
    order += [p for p in dict.fromkeys(frame["policy"]) if p not in POLICIES]
    entries: list[Row] = []
    for policy in order:
        gains: dict[tuple[str, str, str], Row] = {}
        for baseline in BASELINES:
            numbers = intervention_numbers(frame, baseline)
            for row in _records(numbers[numbers["policy"] == policy]):
                gains[(baseline, row["group"], row["truth"])] = row
        levels = {
            (row["group"], row["truth"]): row for row in _records(frame[frame["policy"] == policy])
        }
        entries.append({"policy": policy, "gains": gains, "levels": levels})
    return entries


def planted_rows(tables: Tables) -> list[Row]:
    return _records(planted_numbers(tables.planted, tables.classes))


def flattery(tables: Tables) -> Row | None:
    """How much larger the affected classes' drops look where they were chosen.

    Returns:
        Means over the affected classes: the drop against the best strength read off the selection
        half itself, and the cross-fitted drop on the estimation half; None without either.
    """
    rows = tables.effects[
        tables.effects["affected"].astype(bool)
        & (tables.effects["truth"] == "original")
        & (tables.effects["reference"] == "best")
    ]
    naive = rows.loc[rows["half"] == "select", "plug_in"].mean()
    honest = rows.loc[rows["half"] == "estimate", "drop"].mean()
    if not np.isfinite([naive, honest]).all():
        return None
    return {"naive": naive, "honest": honest, "classes": rows["class_id"].nunique()}


def _draws(settings: Row, tables: Tables) -> int | None:
    """Number of draws of the training pictures that were used; None where it is not known."""
    draws: int | None = settings.get("data", {}).get("draws")
    return draws and len(set(tables.counts["seed"] % draws))


def _records(frame: pd.DataFrame) -> list[Row]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _by_class(frame: pd.DataFrame) -> dict[int, Row]:
    return {row["class_id"]: row for row in _records(frame)}
