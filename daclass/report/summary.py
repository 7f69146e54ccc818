"""What summary.json holds: the findings as values and verdict codes.

Their words are `daclass.wording.answers`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from daclass.analysis.categories import CATEGORIES
from daclass.analysis.decision import GAINS, verdict
from daclass.analysis.effects import selection_drop
from daclass.analysis.marks import marked
from daclass.analysis.tested import condition_of
from daclass.plots.effects import lost
from daclass.plots.policies import BEST
from daclass.plots.tables import has_multi
from daclass.plots.views import views_of
from daclass.wording.verdicts import direction, finding

Row = dict[str, Any]


def summarise(
    *,
    study: str,
    title: str,
    config_digest: str,
    axis: str | None,
    strengths: Sequence[float],
    conditions: Sequence[str],
    replicates: str,
    q: float,
    confidence: float,
    runs_trained: int,
    versions: Mapping[str, str],
    wall_seconds: Mapping[str, float],
    tables: Mapping[str, pd.DataFrame],
    policies: str = "",
) -> Row:
    """Gather the findings of a study.

    Args:
        study, title, config_digest, versions, wall_seconds, runs_trained: copied.
        axis, strengths: of the sweep; None and empty for a study of predictions.
        conditions: what is compared; table "tested" says which of them is tested.
        replicates: what the runs of a condition are, in the plural, such as "seeds".
        q: false discovery rate up to which a class counts as hurt or helped.
        confidence: level of the intervals.
        policies: the folder of the policy files, from where the summary lies.
        tables: "classes", "tested", "decision", "counts", "accuracy", "effects", "explained" and
            "categories"; "planted", "views" and "view_effects" of the sweep, "interventions",
            "intervention_costs" and "marks" where there are any.

    Returns:
        A dict of plain Python values that `json` can write; missing numbers are None. Shares are in
        [0, 1]. `findings` has the answer to each of the report's questions: a verdict code and the
        numbers behind it.
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
        "tested": condition_of(tables["tested"], "tested"),
        "reference": condition_of(tables["tested"], "reference"),
        "replicates": replicates,
        "q": q,
        "confidence": confidence,
        "classes": len(names),
        "runs_trained": runs_trained,
        "versions": dict(versions),
        "wall_seconds": dict(wall_seconds),
        "accuracy": _accuracy(tables["accuracy"], conditions),
        "gains": _records(tables["tested"]),
        "decision": _decision(tables["decision"], tables["tested"], names, strengths, policies),
        "best_average": _best_average(tables["accuracy"], tables["tested"]),
        "discoveries": _discoveries(effects, q),
        "explained": _records(tables["explained"]),
        "affected": _affected(effects, categories, names),
        "categories": {kind: int((categories["category"] == kind).sum()) for kind in CATEGORIES},
        "planted": _planted(tables.get("planted"), names),
        "policies": _optional_records(tables.get("policies")) or [],
        "interventions": _interventions(tables.get("interventions")),
        "marks": _marks(tables.get("marks")),
        "intervention_costs": _optional_records(tables.get("intervention_costs")),
    }
    plain: Row = _plain(content)
    return {**plain, "findings": _findings(plain, tables)}


def _findings(content: Row, tables: Mapping[str, pd.DataFrame]) -> Row:
    """A verdict code and its numbers for each question, all from what the summary says already."""
    found: Row = _plain(
        {
            "average": _average(content),
            "classes": _classes(tables["effects"], content["q"], tables.get("view_effects")),
            "view": views_of(tables["view_effects"], tables["views"])
            if "view_effects" in tables
            else None,
            "annotations": _annotations(content, has_multi(tables["counts"])),
            "swallowers": _swallowers(content, tables["categories"]),
            "fixes": _fixes(content),
            "planted": _calibration(content["planted"]),
        }
    )
    return found


def _decision(
    table: pd.DataFrame,
    tested: pd.DataFrame,
    names: Mapping[int, str],
    strengths: Sequence[float],
    folder: str,
) -> Row:
    """What to train, and the bounds that it rests on."""
    gains = {
        row["part"]: {
            "difference": row["difference"],
            "low": row["at_least"],
            "high": row["at_most"],
            **{key: row[key] for key in ("seeds", "images")},
        }
        for _, row in table[table["part"].isin(GAINS)].iterrows()
    }
    policy = str(table["policy"].iloc[0])
    candidates = table[(table["part"] == "candidate") & table["holds"]]
    asked = table[~table["part"].isin([*GAINS, "candidate"])]
    rows = _records(asked.drop(columns="policy"))
    simultaneous = bool(tested["simultaneous"].any())
    return {
        "verdict": verdict(table),
        "gain": gains["gain"],
        "gain_at_best_views": gains.get("gain at best views"),
        "policy": policy,
        "file": f"{folder}/{policy}.yaml" if policy else "",
        "parts": [{**row, "class": names.get(row["class_id"])} for row in rows],
        "candidates": list(candidates["policy"]),
        "simultaneous": simultaneous,
        "grid_ends": simultaneous
        and bool(tested.loc[tested["best"], "strength"].iloc[0] == strengths[0]),
    }


def _average(content: Row) -> Row:
    """What the tested condition buys: the mean of all classes there less that at the reference."""
    (row,) = (row for row in content["gains"] if row["tested"])
    change = {
        "value": row["gain"], **{key: row[key] for key in ("low", "high", "seeds", "images")},
    }  # fmt: skip
    return {"verdict": direction(change["low"], change["high"]), "change": change}


def _classes(effects: pd.DataFrame, q: float, view_effects: pd.DataFrame | None) -> Row:
    """Which classes pay, in both senses: below the reference, and below their own best; and how
    many are found to lose at the common view alone."""
    original = effects[effects["truth"] == "original"]
    fixed = original[(original["half"] == "all") & (original["reference"] == "fixed")]
    best = original[(original["half"] == "all") & (original["reference"] == "best")]
    lose, tested = len(lost(effects, q, view_effects)), int(fixed["q"].notna().sum())
    below = best[best["q"] <= q]
    power = fixed["detectable"].to_numpy(float)
    of_networks = bool((fixed["speaks_of"] == "networks").all())
    powerless = not of_networks and not np.isfinite(power).any()
    return {
        "verdict": finding(tested, lose, powerless=powerless),
        "speaks_of": "networks" if of_networks else "runs",
        "lose": lose,
        "lose_by_view": len(lost(effects, q)) - lose,
        "gain": int(((fixed["q"] <= q) & (fixed["drop"] < 0)).sum()),
        "tested": tested,
        "seeds": int(fixed["seeds"].max()),
        "images": [int(fixed["images"].min()), int(fixed["images"].max())],
        "detectable": float(np.nanmedian(power)) if np.isfinite(power).any() else None,
        "below_own_best": {
            "verdict": finding(int(best["q"].notna().sum()), len(below)),
            "lose": len(below),
            "at_least": float(below["at_least"].max()) if len(below) else None,
        },
    }


def _annotations(content: Row, known: bool) -> Row:
    """Which share of the drop annotations explain: of the followed-up classes where that is known,
    else of all."""
    if not known:
        return {"verdict": "no annotations"}
    pooled = {(row["group"], row["reference"]): row for row in content["explained"]}
    row = next(
        (
            pooled[key]
            for key in (("affected", "best"), ("all", "best"), ("all", "fixed"))
            if key in pooled and pooled[key]["drop_original"] is not None
        ),
        None,
    )
    if row is None:
        return {"verdict": "unknown"}
    names = {"drop": "drop_original", "drop_multi": "drop_multi", "share": "explained",
             "control": "control"}  # fmt: skip
    return {
        "verdict": "withheld" if row["explained"] is None else "share",
        "direction": direction(row["explained_low"], row["explained_high"]),
        **{key: row[key] for key in ("group", "reference", "classes", "images", "seeds")},
        **{
            name: {"value": row[of], "low": row[f"{of}_low"], "high": row[f"{of}_high"]}
            for name, of in names.items()
        },
    }


def _swallowers(content: Row, categories: pd.DataFrame) -> Row:
    """How many followed-up classes lose pictures to one class, measurably, and of which kind."""
    growing = categories[categories["low"] > 0]
    return {
        "verdict": finding(int(categories["low"].notna().sum()), len(growing)),
        "followed_up": len(categories),
        "growing": len(growing),
        "kinds": {kind: int((growing["category"] == kind).sum()) for kind in CATEGORIES},
    }


def _fixes(content: Row) -> Row:
    """The policy in question against the best single strength for all, on the followed-up
    classes."""
    rows = {
        (row["policy"], row["group"]): row
        for row in content["interventions"] or []
        if row["truth"] == "original"
    }
    if not rows:
        return {"verdict": "not trained"}
    group = "affected" if content["affected"] else "all"
    question = content["decision"]["policy"]
    policy, whole = rows.get((question, group)), rows.get((question, "all"))
    if policy is None or whole is None or policy["accuracy"]["value"] is None:
        return {"verdict": "not judged"}
    rival = policy["against"][BEST]
    return {
        "verdict": direction(rival["low"], rival["high"]),
        "policy": question,
        "group": group,
        "rival": BEST,
        "change": rival,
        "change_all": whole["against"][BEST],
        "others": {name: row for name, row in policy["against"].items() if name != BEST},
        **{key: policy[key] for key in ("seeds", "images", "classes")},
    }


def _calibration(planted: Row | None) -> Row | None:
    if planted is None:
        return None
    rows = planted["rows"]
    relations = [row for row in rows if row["expectation"] != "unchanged"]
    return {
        "relations": len(relations),
        "found": sum(row["verdict"] == "found" for row in relations),
        "alarms": sum(row["verdict"] == "false alarm" for row in rows),
    }


def _accuracy(accuracy: pd.DataFrame, conditions: Sequence[str]) -> list[Row]:
    """Accuracy of each condition over all pictures, under both truths."""
    table = accuracy[accuracy["half"] == "all"].drop(columns=["half"])
    rank = table["policy"].map({name: rank for rank, name in enumerate(conditions)})
    return _records(
        table.assign(rank=rank).sort_values(["rank", "k", "truth"]).drop(columns="rank")
    )


def _best_average(accuracy: pd.DataFrame, tested: pd.DataFrame) -> Row:
    """The best condition on average, chosen on one half and reported on the other."""
    first = accuracy[(accuracy["truth"] == "original") & (accuracy["k"] == 1)].set_index("policy")
    estimate = first[first["half"] == "estimate"]
    rows = dict(zip(estimate.index, _records(estimate), strict=True))
    shown = ("accuracy", "low", "high", "seeds", "images")
    best = condition_of(tested, "best")
    return {
        "condition": best,
        **{key: rows[best][key] for key in ("strength", *shown)},
        "tested": {key: rows[condition_of(tested, "tested")][key] for key in shown},
    }


def _discoveries(effects: pd.DataFrame, q: float) -> Row:
    """How many classes differ between the reference and the tested condition, on all cells."""
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


def _marks(marks: pd.DataFrame | None) -> list[Row] | None:
    """Each policy at the fullest view: what share of predictions its fuller classes get, and
    whether it marks them."""
    return None if marks is None or marks.empty else _records(marked(marks))


def _optional_records(table: pd.DataFrame | None) -> list[Row] | None:
    return None if table is None or table.empty else _records(table)


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
