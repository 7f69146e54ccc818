"""The findings in numbers: what summary.json holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from daclass.analysis.best import best_condition
from daclass.analysis.categories import CATEGORIES
from daclass.analysis.effects import selection_drop

Row = dict[str, Any]


def summarise(
    *,
    study: str,
    title: str,
    config_digest: str,
    axis: str | None,
    strengths: Sequence[float],
    conditions: Sequence[str],
    reference: str,
    replicates: str,
    q: float,
    runs_trained: int,
    versions: Mapping[str, str],
    wall_seconds: Mapping[str, float],
    tables: Mapping[str, pd.DataFrame],
) -> Row:
    """Gather the findings of a study.

    Args:
        study, title, config_digest, versions, wall_seconds, runs_trained: copied.
        axis, strengths: of the sweep; None and empty for a study of predictions.
        conditions, reference: what is compared, the tested condition first.
        replicates: what the runs of a condition are, in the plural, such as "seeds".
        q: false discovery rate up to which a class counts as hurt or helped.
        tables: "classes", "accuracy", "effects", "explained" and "categories"; "planted",
            "interventions" and "intervention_costs" where there are any.

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
        "strengths": list(strengths),
        "conditions": list(conditions),
        "tested": conditions[0],
        "reference": reference,
        "replicates": replicates,
        "q": q,
        "classes": len(names),
        "runs_trained": runs_trained,
        "versions": dict(versions),
        "wall_seconds": dict(wall_seconds),
        "accuracy": _accuracy(tables["accuracy"], conditions),
        "best_average": _best_average(tables["accuracy"], conditions),
        "discoveries": _discoveries(effects, q),
        "explained": _records(tables["explained"]),
        "affected": _affected(effects, categories, names),
        "categories": {kind: int((categories["category"] == kind).sum()) for kind in CATEGORIES},
        "planted": _planted(tables.get("planted"), names),
        "interventions": _interventions(tables.get("interventions")),
        "intervention_costs": _optional_records(tables.get("intervention_costs")),
    }
    plain: Row = _plain(content)
    return {**plain, "headline": _headline(plain)}


def _accuracy(accuracy: pd.DataFrame, conditions: Sequence[str]) -> list[Row]:
    """Accuracy of each condition over all pictures, under both truths."""
    table = accuracy[accuracy["half"] == "all"].drop(columns=["half"])
    rank = table["policy"].map({name: rank for rank, name in enumerate(conditions)})
    return _records(
        table.assign(rank=rank).sort_values(["rank", "k", "truth"]).drop(columns="rank")
    )


def _best_average(accuracy: pd.DataFrame, conditions: Sequence[str]) -> Row:
    """The best condition on average, chosen on one half and reported on the other."""
    best = best_condition(accuracy, conditions)
    first = accuracy[(accuracy["truth"] == "original") & (accuracy["k"] == 1)].set_index("policy")
    estimate = first[first["half"] == "estimate"]
    rows = dict(zip(estimate.index, _records(estimate), strict=True))
    shown = ("accuracy", "low", "high", "seeds", "images")
    return {
        "condition": best,
        **{key: rows[best][key] for key in ("strength", *shown)},
        "tested": {key: rows[conditions[0]][key] for key in shown},
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
    """Each policy's accuracy on each group and truth, the share of the drop that it recovers, and
    its differences to the baselines."""
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
        row["recovered"] = {
            "value": lines[0]["recovered"],
            "low": lines[0]["recovered_low"],
            "high": lines[0]["recovered_high"],
        }
        row["against"] = {
            line["baseline"]: {
                "value": line["difference"],
                **{key: line[key] for key in ("low", "high", "p", "worse", "better")},
            }
            for line in lines
        }
        rows.append(row)
    return rows


def _optional_records(table: pd.DataFrame | None) -> list[Row] | None:
    return None if table is None or table.empty else _records(table)


def _headline(content: Row) -> list[Row]:
    numbers = [
        _headline_average(content),
        _headline_discoveries(content),
        _headline_worst(content),
        _headline_planted(content) or _headline_explained(content),
        _headline_intervention(content),
    ]
    return [number for number in numbers if number]


def _headline_average(content: Row) -> Row:
    best = content["best_average"]
    if best["condition"] == content["tested"]:
        than = "which is the strongest" if content["strengths"] else "which is the tested one"
    else:
        than = f"against {_percent(best['tested']['accuracy'])} at {content['tested']}"
    return {
        "label": f"accuracy at the best on average, {best['condition']}",
        "value": _percent(best["accuracy"]),
        "text": f"Averaged over all classes, {best['condition']} does best on one half of the "
        f"pictures, and has {_percent(best['accuracy'])} {_between(best, _percent)} of the other "
        f"correct, {than} ({best['images']} pictures, {_runs(best['seeds'], content)}).",
    }


def _headline_discoveries(content: Row) -> Row:
    found, of = content["discoveries"]["original"], content["classes"]
    if not found["tested"]:
        text = "With one run of a condition no class can be tested."
    else:
        text = (
            f"From {content['reference']} to {content['tested']}, {found['hurt']} of {of} "
            f"classes lose accuracy and {found['helped']} gain at a false discovery rate of "
            f"{content['q']:g} ({_runs(content['discoveries']['seeds'], content)}, all pictures)."
        )
    return {
        "label": f"classes hurt / helped by {content['tested']}",
        "value": f"{found['hurt']} / {found['helped']} of {of}" if found["tested"] else "untested",
        "text": text,
    }


def _headline_worst(content: Row) -> Row | None:
    if not content["affected"]:
        return None
    first = content["affected"][0]
    drop, multi = first["drop_best"], first["drop_multi_best"]
    loss = "loses from its own best"
    against = f"its own best, chosen on other pictures and {content['replicates']}"
    if drop["value"] is None:  # one seed: nothing can be cross-fitted
        drop, multi = first["drop_fixed"], first["drop_multi_fixed"]
        against = content["reference"]
        loss = f"loses from {content['reference']}"
    swallower = ""
    if first["swallower"]:
        swallower = f" Its confusion with {first['swallower']} grew most."
    return {
        "label": f"what {first['name']}, the most affected class, {loss}",
        "value": _points(drop["value"]),
        "text": f"At {content['tested']}, {first['name']} loses {_points(drop['value'])} "
        f"{_between(drop, _points)} against {against}; judged by all labels of a picture, "
        f"{_points(multi['value'])} {_between(multi, _points)} ({drop['images']} pictures that did "
        f"not choose the class, {_runs(drop['seeds'], content)}, the same that chose it)."
        f"{swallower}",
    }


def _headline_explained(content: Row) -> Row | None:
    pooled = {(row["group"], row["reference"]): row for row in content["explained"]}
    row = pooled.get(("affected", "best"))
    who = "the affected classes"
    chosen = f"; classes chosen on other pictures and {content['replicates']}"
    if row is None or row["drop_original"] is None:  # nothing to cross-fit, or no affected class
        row, who, chosen = pooled["all", "fixed"], "all classes", ""
    if row["drop_original"] is None:
        return None
    # Without labels beyond the original ones all drops are one, and nothing is explained or not.
    if row["drop_multi"] == row["drop_control"] == row["drop_original"]:
        return None
    drop = {"low": row["drop_original_low"], "high": row["drop_original_high"]}
    multi = {"low": row["drop_multi_low"], "high": row["drop_multi_high"]}
    loss = (
        f"{_points(row['drop_original'])} {_between(drop, _points)} by original labels and "
        f"{_points(row['drop_multi'])} {_between(multi, _points)} by all labels of a picture"
    )
    if row["explained"] is None:
        text = f"Pooled, {who} lose {loss}: too little to say what annotations explain."
    else:
        share = {"low": row["explained_low"], "high": row["explained_high"]}
        text = (
            f"Pooled, {who} lose {loss}: annotations explain {_percent(row['explained'])} "
            f"{_between(share, _percent)} of it, as many random labels "
            f"{_percent(row['control'])} ({row['images']} pictures with labels, "
            f"{_runs(row['seeds'], content)}{chosen})."
        )
    return {
        "label": "share of the drop that multi-label annotations explain",
        "value": _percent(row["explained"]),
        "text": text,
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
    tested, best = (row["against"][name] for name in ("uniform_tested", "uniform_best"))
    overall = found["fp_informed", "all"]["against"]["uniform_tested"]
    random = row["against"].get("random_classes")
    chance = ""
    if random is not None:
        chance = (
            "against the same dose for random classes the affected ones change by "
            f"{_change(random['value'])} {_between(random, _change)}; "
        )
    return {
        "label": "what the class-conditional policy gives the affected classes",
        "value": _change(tested["value"]),
        "text": "Against the tested strength for all, the FP-informed policy changes the "
        f"{_several(row['classes'], 'affected class', 'es')} by {_change(tested['value'])} "
        f"{_between(tested, _change)} and the average of all by {_change(overall['value'])} "
        f"{_between(overall, _change)}; {chance}against the best uniform strength the affected "
        f"classes change by {_change(best['value'])} {_between(best, _change)} "
        f"({row['images']} fresh pictures, {_runs(row['seeds'], content)}).",
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


def _runs(number: int, content: Row) -> str:
    """How many runs each condition has, such as "5 seeds"."""
    many: str = content["replicates"]
    return f"{number} {many.removesuffix('s') if number == 1 else many}"


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
