"""What the report says: the tables' rows, arranged as its sections need them.

Numbers stay numbers here; the templates' filters write them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from daclass.analysis.marks import marked
from daclass.augment.settings import find_axis
from daclass.plots.accuracy import accuracy_numbers
from daclass.plots.captions import PANELS_AT_MOST
from daclass.plots.crops import realised_numbers
from daclass.plots.effects import effect_numbers
from daclass.plots.interventions import GROUPS
from daclass.plots.planted import planted_numbers
from daclass.plots.policies import CONTROL, TESTED
from daclass.plots.tables import Tables
from daclass.report.markup import name
from daclass.report.scenes import scenes
from daclass.wording.answers import best_on_average, short_answers
from daclass.wording.decision import decision_headline, decision_reasons
from daclass.wording.verdicts import TWO_NETWORKS
from daclass.wording.views import average_at_best, paying_by_view

Row = dict[str, Any]
LINKED = (
    "tested", "decision", "models", "accuracy", "class_accuracy", "effects", "view_effects",
    "explained", "confusions", "categories", "interventions", "intervention_classes", "marks",
    "planted",
)  # fmt: skip
"""Tables that the report links."""
NAMED_AT_MOST = 5  # names in a sentence
CLASS_ROWS = 60  # classes in the table of what policies do to each
CATEGORIES = {
    "ambiguous": "the same pictures carry both labels, and the classes are close in the class tree",
    "co-occurring": "the same pictures carry both labels, but the classes are far apart in it",
    "fine-grained": "pictures rarely carry both labels, but the classes are close in the tree",
    "unrelated": "pictures rarely carry both labels, and the classes are far apart in the tree",
    "unknown": "how close the classes are is not known: there is neither class tree nor embeddings",
    "none": "no confusion of the class grew",
}


def build_content(summary: Row, tables: Tables) -> Row:
    """Everything the templates read, but for the figures."""
    effects = effect_rows(tables)
    by_class = {row["class_id"]: row for row in effects}
    affected = [by_class[i] for i in tables.affected if i in by_class]
    findings = summary["findings"]
    provenance = summary.get("provenance", {})
    settings = provenance.get("settings", {})
    fixes = fix_rows(tables)
    return {
        "summary": summary,
        "title": summary["title"] or summary["study"],
        "answers": short_answers(summary),
        "decision": decision_headline(summary),
        "reasons": decision_reasons(summary),
        "findings": findings,
        "two_networks": TWO_NETWORKS,
        "best_on_average": best_on_average(summary),
        "at_best_view": average_at_best(findings["view"], tables.conditions.words),
        "by_view": _by_view(summary),
        "provenance": provenance,
        "results": provenance.get("results"),
        "table_files": [name for name in LINKED if len(getattr(tables, name))],
        "policy_files": {
            same[0]: tables.named_policies.merged_name(same)
            for same in tables.named_policies.merged(
                tables.policies.loc[tables.policies["phase"] == "interventions", "policy"]
            ).values()
        },
        "axis": find_axis(tables.axis),
        "axis_name": tables.axis,
        "conditions": tables.conditions,
        "replicate": tables.replicate,
        "replicates": tables.replicates,
        "q_limit": summary["q"],
        "confidence": tables.confidence,
        "rule": settings.get("analysis", {}).get("affected", {}),
        "draws": _draws(settings, tables),
        "recipe": {} if tables.named else settings.get("training", {}),
        "classes": len(tables.classes),
        "seeds": tables.seeds,
        "runs": tables.runs,
        "levels": accuracy_rows(tables),
        "models": model_rows(tables),
        "crops": _records(realised_numbers(tables.realised_area)),
        "effects": effects,
        "scenes": scenes(tables),
        "lost": [by_class[i] for i in tables.lost if i in by_class],
        "affected": affected,
        "has_multi": tables.has_multi,
        "has_tree": bool(tables.classes["path"].str.contains("/").any()),
        "has_embeddings": bool(tables.categories["embedding"].notna().any()),
        "explained": explained_rows(tables),
        "kind_drops": kind_drop_rows(tables),
        "shares": share_rows(tables),
        "overlap": tables.overlap,
        "overlap_from": tables.overlap_from,
        "similarity": tables.similarity,
        "pairs": pair_rows(tables),
        "grown": grown_pairs(tables),
        "sensitivity": sensitivity_rows(tables),
        "categories": CATEGORIES,
        "fixes": fixes,
        "trained_policies": len(tables.intervention_costs),  # a pooled control is none
        "fix": {entry["policy"]: entry for entry in fixes},
        "question": tables.question,
        "groups": GROUPS,
        "policies": {entry["policy"]: entry["name"] for entry in fixes},
        "baselines": tables.named_policies.ordered(tables.interventions["baseline"]),
        "control_draws": len(tables.named_policies.draws_of(CONTROL)),
        "changed": changed_rows(tables, summary["q"]),
        "marks": mark_rows(tables),
        "planted": planted_rows(tables),
        "flattery": flattery(tables),
        "panels_at_most": PANELS_AT_MOST,
        "named_at_most": NAMED_AT_MOST,
    }


def _by_view(summary: Row) -> str:
    found, view = summary["findings"]["classes"], summary["findings"]["view"]
    return paying_by_view(found["lose"], found["lose_by_view"], view["common"]) if view else ""


def accuracy_rows(tables: Tables) -> list[Row]:
    """One row per condition, in order: accuracy under both truths, and the calibration error of its
    runs, their mean."""
    rows: dict[str, Row] = {}
    for row in _records(accuracy_numbers(tables.accuracy, tables.conditions)):
        rows.setdefault(row["condition"], {"name": row["condition"]})[row["truth"]] = row
    runs = pd.DataFrame(model_rows(tables), columns=["condition", "calibration_error"])
    errors = runs.groupby("condition")["calibration_error"].mean()
    for condition, row in rows.items():
        row["calibration_error"] = errors.get(condition, np.nan)
    return list(rows.values())


def model_rows(tables: Tables) -> list[Row]:
    """One row per run, by condition in order and then the best first, with its `condition`."""
    place = {name: rank for rank, name in enumerate(tables.conditions.names)}
    placed = tables.conditions.place(tables.accuracy)
    readable = dict(zip(placed["policy"], placed["condition"], strict=True))
    rows = tables.models.assign(condition=tables.models["policy"].map(readable))
    rows = rows[rows["condition"].notna()]
    rows = rows.assign(place=rows["condition"].map(place))
    return _records(rows.sort_values(["place", "accuracy"], ascending=[True, False]))


def effect_rows(tables: Tables) -> list[Row]:
    """One row per class, the most hurt first: its drop on the estimation half, and more.

    The added keys `all` (the drop on all pictures, which the q-value belongs to), `at_best` (the
    same with both strengths at their best view, where the study judged several), `multi` (under
    any annotated label), `best` (against the class's own best condition) and `pair` (its swallower)
    are rows themselves, or None; `lost` says whether the class is found to lose, and `own_best`
    which condition served it best in most folds.
    """
    numbers = effect_numbers(tables.effects, tables.classes)
    against_best = tables.effects[
        (tables.effects["half"] == "estimate")
        & (tables.effects["truth"] == "original")
        & (tables.effects["reference"] == "best")
    ]
    more = {
        "all": effect_numbers(tables.effects, tables.classes, half="all"),
        "at_best": tables.view_effects[tables.view_effects["half"] == "all"],
        "multi": effect_numbers(tables.effects, tables.classes, "multi"),
        "best": against_best,
    }
    by_class = {key: _by_class(frame) for key, frame in more.items()}
    by_class["pair"] = {row["class_id"]: row for row in pair_rows(tables)}
    rows = _records(numbers)
    placed = tables.conditions.place(tables.accuracy)
    readable = dict(zip(placed["policy"], placed["condition"], strict=True))
    lost = set(tables.lost)
    for row in rows:
        row.update({key: found.get(row["class_id"]) for key, found in by_class.items()})
        row["lost"] = row["class_id"] in lost
        row["own_best"] = readable.get(row["best"]["reference_policy"]) if row["best"] else None
    return rows


def explained_rows(tables: Tables) -> dict[tuple[str, str], Row]:
    """(group, reference) -> how much of the drop annotations explain."""
    rows = _records(tables.explained) if tables.has_multi else []
    return {(row["group"], row["reference"]): row for row in rows}


def kind_drop_rows(tables: Tables) -> list[Row]:
    """What each kind of followed-up classes loses, from the own best where that is known."""
    rows = {(row["group"], row["reference"]): row for row in _records(tables.kind_drops)}
    best = [rows.get((kind, "best")) or rows.get((kind, "fixed")) for kind in CATEGORIES]
    return [row for row in best if row]


def share_rows(tables: Tables) -> list[Row]:
    """What would be found if other shares of the classes were followed up, one row per share.

    The added key `kinds` counts the classes of each kind whose confusion grows.
    """
    pooled = {row["group"]: row for row in _records(tables.explained)}
    rows = []
    for share, own in tables.share_sensitivity.groupby("share"):
        growing = own.set_index("category")["growing"].to_dict()
        row = pooled.get(f"top {share:.0%}")
        rows.append({"share": share, "kinds": growing, "drops": row, "of": own["classes"].sum()})
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


def grown_pairs(tables: Tables) -> dict[str, list[Markup]]:
    """Kind -> "class → swallower" of the pairs whose confusion is found to grow."""
    found: dict[str, list[Markup]] = {}
    for row in pair_rows(tables):
        if row["low"] > 0:
            pair = Markup("{} → {}").format(name(row["name"]), name(row["swallower"]))
            found.setdefault(row["category"], []).append(pair)
    return found


def sensitivity_rows(tables: Tables) -> list[Row]:
    """One row per pair of thresholds: the number of affected classes of each kind."""
    frame = tables.sensitivity
    rows = []
    for _, part in frame.groupby(["overlap", "similarity"]):
        overlap, similarity = (float(part[name].iloc[0]) for name in ("overlap", "similarity"))
        counts = part.set_index("category")["classes"].to_dict()
        own = np.allclose((overlap, similarity), (tables.overlap, tables.similarity))
        rows.append({"overlap": overlap, "similarity": similarity, "counts": counts, "own": own})
    return rows


def fix_rows(tables: Tables) -> list[Row]:
    """One entry per policy: its gains by baseline, group and truth, what it recovers and costs."""
    frame, named = tables.interventions, tables.named_policies
    shown = named.merged(named.without_draws(frame["policy"]))
    costs = {row["policy"]: row for row in _records(tables.intervention_costs)}
    entries: list[Row] = []
    for policy in named.ordered(frame["policy"]):
        rows = _records(frame[frame["policy"] == policy])
        gains = {
            (row["baseline"], row["group"], row["truth"]): row
            for row in rows
            if row["baseline"] != policy
        }
        draws = named.draws_of(policy)
        entries.append(
            {
                "policy": policy,
                "name": named.merged_name(shown.get(policy, [policy])),
                "design": named.design(policy),
                "reason": named.reason(policy),
                "single": policy in shown,
                "fine_tuned": named.is_fine_tuned(policy),
                "gains": gains,
                "levels": {(row["group"], row["truth"]): row for row in rows},
                "cost": costs.get(policy) or (costs.get(draws[0]) if draws else None),
            }
        )
    return entries


def mark_rows(tables: Tables) -> list[Row]:
    """One row per policy that shows some classes fuller than most: at the fullest view, with its
    `name`, that of its baseline, its share at the `least` view, and whether it `marks` them."""
    named, table = tables.named_policies, tables.marks
    least = table[table["view"] == table["view"].min()].set_index("policy")
    rows = {row["policy"]: row for row in _records(marked(table))}
    shown = named.merged(rows)
    return [
        {
            **rows[policy],
            "name": named.merged_name(same),
            "against": named.name(rows[policy]["baseline"]),
            "least": float(least["view"].iloc[0]),
            "least_share": float(least.loc[policy, "share"]),
            "least_share_baseline": float(least.loc[policy, "share_baseline"]),
        }
        for policy, same in shown.items()
    ]


def changed_rows(tables: Tables, q: float) -> Row:
    """What policies do to single classes, against the strongest for all.

    Returns:
        `policies` (those shown), `rows` (the classes that at least one of them changes at the false
        discovery rate `q`, largest change first, at most `CLASS_ROWS`) and `more` (how many classes
        were left out for want of room).
    """
    frame = tables.intervention_classes
    frame = frame[(frame["baseline"] == TESTED) & (frame["truth"] == "original")]
    named = tables.named_policies
    # The mean of a control's draws says nothing of a class that one of them gave another strength.
    shown = [
        name
        for name in named.without_draws(frame["policy"])
        if not named.is_draw(name) and not named.is_fine_tuned(name)
    ]
    merged = named.merged(shown)
    policies = list(merged)
    frame = frame[frame["policy"].isin(policies)].assign(found=frame["q"] <= q)
    names = tables.classes.set_index("class_id")["name"]
    found = frame[frame["found"]]
    size = found["difference"].abs().groupby(found["class_id"]).max()
    order = size.sort_values(ascending=False, kind="stable").index
    cells = {(row["class_id"], row["policy"]): row for row in _records(frame)}
    rows = [
        {
            "class_id": int(k),
            "name": names[k],
            "affected": int(k) in tables.affected,
            "swallower": int(k) in tables.swallowers,
            "cells": [cells.get((k, policy)) for policy in policies],
        }
        for k in order[:CLASS_ROWS]
    ]
    return {
        "policies": [named.merged_name(same) for same in merged.values()],
        "rows": rows,
        "more": len(order) - len(rows),
    }


def planted_rows(tables: Tables) -> Row | None:
    """The planted relations, and those of each verdict; None for real data."""
    rows = _records(planted_numbers(tables.planted, tables.classes, tables.confusions))
    if not rows:
        return None
    controls = [row for row in rows if row["expectation"] == "unchanged"]
    relations = [row for row in rows if row["expectation"] != "unchanged"]
    return {
        "relations": relations,
        "controls": controls,
        "found": [row for row in relations if row["verdict"] == "found"],
        "missed": [row for row in relations if row["verdict"] == "missed"],
        "quiet": [row for row in controls if row["verdict"] == "quiet"],
        "alarms": [row for row in rows if row["verdict"] == "false alarm"],
    }


def flattery(tables: Tables) -> Row | None:
    """How much larger the affected classes' drops look where they were chosen.

    Returns:
        Means over the affected classes: the drop against the best condition read off the selection
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
    if tables.named:
        return None  # others trained
    return draws and len(set(tables.counts["seed"] % draws))


def _records(frame: pd.DataFrame) -> list[Row]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _by_class(frame: pd.DataFrame) -> dict[int, Row]:
    return {row["class_id"]: row for row in _records(frame)}
