"""The findings in numbers: what summary.json holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from daclass.analysis.categories import CATEGORIES
from daclass.analysis.effects import selection_drop

Row = dict[str, Any]


def summarise(
    *,
    study: str,
    title: str,
    config_digest: str,
    axis: str,
    strengths: Sequence[float],
    strongest: float,
    reference: float,
    q: float,
    runs_trained: int,
    versions: Mapping[str, str],
    wall_seconds: Mapping[str, float],
    tables: Mapping[str, pd.DataFrame],
) -> Row:
    """Gather the findings of a study.

    Args:
        study, title, config_digest, versions, wall_seconds, runs_trained: copied.
        axis, strengths, strongest, reference: the sweep.
        q: false discovery rate up to which a class counts as hurt or helped.
        tables: "classes", "accuracy", "effects" and "categories"; "planted" and "interventions"
            where there are any.

    Returns:
        A dict of plain Python values that `json` can write; missing numbers are None. Shares are in
        [0, 1]. `headline` lists at most five ``{label, value, text}``, value being a short text.
    """
    names = dict(zip(tables["classes"]["class_id"], tables["classes"]["name"], strict=True))
    effects, categories = tables["effects"], tables["categories"]
    content: Row = {
        "study": study,
        "title": title,
        "config_digest": config_digest,
        "axis": axis,
        "strengths": sorted(strengths),
        "strongest": strongest,
        "reference": reference,
        "q": q,
        "classes": len(names),
        "runs_trained": runs_trained,
        "versions": dict(versions),
        "wall_seconds": dict(wall_seconds),
        "accuracy": _accuracy(tables["accuracy"]),
        "best_average": _best_average(tables["accuracy"], strongest),
        "discoveries": _discoveries(effects, q),
        "affected": _affected(effects, categories, names),
        "categories": {kind: int((categories["category"] == kind).sum()) for kind in CATEGORIES},
        "planted": _planted(tables.get("planted"), names),
        "interventions": _interventions(tables.get("interventions")),
    }
    plain: Row = _plain(content)
    return {**plain, "headline": _headline(plain)}


def _accuracy(accuracy: pd.DataFrame) -> list[Row]:
    """Accuracy of each strength over all pictures, under both truths."""
    table = accuracy[accuracy["half"] == "all"].sort_values(["strength", "truth"])
    return _records(table.drop(columns=["half"]))


def _best_average(accuracy: pd.DataFrame, strongest: float) -> Row:
    """The best strength on average, chosen on one half and reported on the other."""
    original = accuracy[accuracy["truth"] == "original"]
    select = original[original["half"] == "select"]
    best = select["strength"].iloc[int(select["accuracy"].argmax())]
    rows = {row["strength"]: row for row in _records(original[original["half"] == "estimate"])}
    shown = ("accuracy", "low", "high", "seeds", "images")
    return {
        "strength": best,
        **{key: rows[best][key] for key in shown},
        "strongest": {key: rows[strongest][key] for key in shown},
    }


def _discoveries(effects: pd.DataFrame, q: float) -> Row:
    """How many classes differ between the reference and the strongest strength, on all cells."""
    contrast = (effects["half"] == "all") & (effects["reference"] == "fixed")
    found: Row = {}
    for truth in ("original", "multi"):
        table = effects[contrast & (effects["truth"] == truth)]
        known = table["q"] <= q
        found[truth] = {
            "hurt": (known & (table["drop"] > 0)).sum(),
            "helped": (known & (table["drop"] < 0)).sum(),
            "tested": table["q"].notna().sum(),
        }
    contrast &= effects["truth"] == "original"
    return {**found, "seeds": effects.loc[contrast, "seeds"].max()}


def _affected(effects: pd.DataFrame, categories: pd.DataFrame, names: Mapping) -> list[Row]:
    """The affected classes, largest drop on the selection half first, with drops on the other."""
    affected = set(effects.loc[effects["affected"], "class_id"])
    drops = {
        (row["class_id"], row["truth"], row["reference"]): {
            "value": row["drop"],
            **{key: row[key] for key in ("low", "high", "seeds", "images")},
        }
        for row in _records(effects[effects["affected"] & (effects["half"] == "estimate")])
    }
    pairs = {row["class_id"]: row for row in _records(categories)}
    return [
        {
            "class_id": class_id,
            "name": names[class_id],
            "swallower": names.get(pairs[class_id]["swallower_id"]),
            "category": pairs[class_id]["category"],
            "drop_fixed": drops[class_id, "original", "fixed"],
            "drop_best": drops[class_id, "original", "best"],
            "drop_multi_fixed": drops[class_id, "multi", "fixed"],
            "drop_multi_best": drops[class_id, "multi", "best"],
        }
        for class_id in selection_drop(effects).index
        if class_id in affected
    ]


def _planted(planted: pd.DataFrame | None, names: Mapping) -> Row | None:
    if planted is None or planted.empty:
        return None
    verdicts = planted.groupby("expectation")["verdict"].value_counts()
    table = planted.assign(
        name=planted["class_id"].map(names), partner=planted["partner_id"].map(names)
    )
    shown = ["name", "partner", "kind", "expectation", "drop", "low", "high", "verdict"]
    return {
        "counts": {
            expectation: verdicts[expectation].to_dict()
            for expectation in verdicts.index.unique("expectation")
        },
        "rows": _records(table[shown]),
    }


def _interventions(interventions: pd.DataFrame | None) -> list[Row] | None:
    """Each policy's accuracy on each group and truth with its differences to the baselines."""
    if interventions is None or interventions.empty:
        return None
    rows = []
    for _, table in interventions.groupby(["policy", "group", "truth"], sort=False):
        lines = _records(table)
        shared = ("policy", "group", "truth", "seeds", "images", "classes")
        row: Row = {key: lines[0][key] for key in shared}
        row["accuracy"] = {
            "value": lines[0]["accuracy"],
            "low": lines[0]["accuracy_low"],
            "high": lines[0]["accuracy_high"],
        }
        row["against"] = {
            line["baseline"]: {
                "value": line["difference"],
                **{key: line[key] for key in ("low", "high", "p")},
            }
            for line in lines
        }
        rows.append(row)
    return rows


def _headline(content: Row) -> list[Row]:
    numbers = [
        _headline_average(content),
        _headline_discoveries(content),
        _headline_worst(content),
        _headline_planted(content) or _headline_categories(content),
        _headline_intervention(content),
    ]
    return [number for number in numbers if number]


def _headline_average(content: Row) -> Row:
    best = content["best_average"]
    if best["strength"] == content["strongest"]:
        than = "which is the strongest"
    else:
        share = _percent(best["strongest"]["accuracy"])
        than = f"against {share} at the strongest, {content['strongest']:g}"
    return {
        "label": f"accuracy at the best average strength, {best['strength']:g}",
        "value": _percent(best["accuracy"]),
        "text": f"Averaged over all classes, {content['axis']} {best['strength']:g} is best: "
        f"{_percent(best['accuracy'])} correct {_between(best, _percent)}, {than} "
        f"({best['images']} pictures that did not choose it, {_seeds(best['seeds'])}).",
    }


def _headline_discoveries(content: Row) -> Row:
    found, of = content["discoveries"]["original"], content["classes"]
    seeds = content["discoveries"]["seeds"]
    if not found["tested"]:
        text = "With one seed no class can be tested."
    else:
        text = (
            f"From {content['reference']:g} to {content['strongest']:g}, {found['hurt']} of {of} "
            f"classes lose accuracy and {found['helped']} gain at a false discovery rate of "
            f"{content['q']:g} ({_seeds(seeds)}, all pictures)."
        )
    return {
        "label": "classes hurt / helped by the strongest augmentation",
        "value": f"{found['hurt']} / {found['helped']} of {of}" if found["tested"] else "untested",
        "text": text,
    }


def _headline_worst(content: Row) -> Row | None:
    if not content["affected"]:
        return None
    first = content["affected"][0]
    drop, multi = first["drop_best"], first["drop_multi_best"]
    against = "its own best strength, chosen on other pictures and seeds"
    if drop["value"] is None:  # one seed: nothing can be cross-fitted
        drop, multi = first["drop_fixed"], first["drop_multi_fixed"]
        against = f"{content['reference']:g}"
    swallower = ""
    if first["swallower"]:
        swallower = f" Its confusion with {first['swallower']} grew most."
    return {
        "label": f"what {first['name']}, the most affected class, loses",
        "value": _points(drop["value"]),
        "text": f"At the strongest, {content['strongest']:g}, {first['name']} loses "
        f"{_points(drop['value'])} {_between(drop, _points)} against {against}; judged by all "
        f"labels of a picture, {_points(multi['value'])} {_between(multi, _points)} "
        f"({drop['images']} pictures that did not choose the class, {_seeds(drop['seeds'])}, the "
        f"same that chose it).{swallower}",
    }


def _headline_categories(content: Row) -> Row | None:
    kinds, of = content["categories"], len(content["affected"])
    if not of:
        return None
    related = of - kinds["unrelated"] - kinds["none"]
    parts = ", ".join(f"{number} {kind}" for kind, number in kinds.items() if number)
    return {
        "label": "affected classes that a related class swallows",
        "value": f"{related} of {of}",
        "text": f"Of {_several(of, 'affected class', 'es')}, {related} lose pictures to a class "
        f"that shares pictures or kinship with them ({parts}).",
    }


def _headline_planted(content: Row) -> Row | None:
    if not content["planted"]:
        return None
    rows = content["planted"]["rows"]
    planted = [row for row in rows if row["expectation"] != "unchanged"]
    found = sum(row["verdict"] == "found" for row in planted)
    alarms = sum(row["verdict"] == "false alarm" for row in rows)
    return {
        "label": "planted relations found again",
        "value": f"{found} of {len(planted)}",
        "text": f"{found} of {len(planted)} planted relations are found again, with "
        f"{_several(alarms, 'false alarm')} among the {len(rows)} relations and controls.",
    }


def _headline_intervention(content: Row) -> Row | None:
    found = {
        (row["policy"], row["group"]): row
        for row in content["interventions"] or []
        if row["truth"] == "original"
    }
    row = found.get(("fp_informed", "affected"))
    if row is None or row["accuracy"]["value"] is None:
        return None
    strongest, best = (row["against"][name] for name in ("uniform_strongest", "uniform_best"))
    overall = found["fp_informed", "all"]["against"]["uniform_strongest"]
    return {
        "label": "what the class-conditional policy gives the affected classes",
        "value": _change(strongest["value"]),
        "text": "Against the strongest augmentation for all, the FP-informed policy changes the "
        f"{_several(row['classes'], 'affected class', 'es')} by {_change(strongest['value'])} "
        f"{_between(strongest, _change)} and the average of all by {_change(overall['value'])} "
        f"{_between(overall, _change)}; against the best uniform strength the affected classes "
        f"change by {_change(best['value'])} {_between(best, _change)} "
        f"({row['images']} fresh pictures, {_seeds(row['seeds'])}).",
    }


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{100 * share:.1f}%"


def _points(difference: float | None) -> str:
    return "unknown" if difference is None else f"{100 * difference:.1f} points"


def _change(difference: float | None) -> str:
    return "unknown" if difference is None else f"{100 * difference:+.1f} points"


def _between(row: Row, show: Callable[[float], str]) -> str:
    """The interval in brackets, with the unit left to the number before it."""
    if row["low"] is None:
        return "[no interval]"
    low, high = (show(row[end]).split()[0].rstrip("%") for end in ("low", "high"))
    return f"[{low}, {high}]"


def _several(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"


def _seeds(number: int) -> str:
    return _several(number, "seed")


def _records(table: pd.DataFrame) -> list[Row]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    """The same in types that JSON has: NaN and missing values become None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
