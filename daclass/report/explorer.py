"""The data of the class explorer: everything it shows about every class, as compact JSON."""

from __future__ import annotations

import base64
import math
from typing import Any

from daclass.plots.accuracy import accuracy_numbers
from daclass.plots.effects import sorted_numbers
from daclass.plots.tables import Tables
from daclass.wording.numbers import percent

Row = dict[str, Any]
BANDS = (
    "accuracy", "low", "high", "seeds_low", "seeds_high", "null_low", "null_high",
)  # fmt: skip
ERRORS = ("false_positives", "false_negatives")


def explorer_data(tables: Tables) -> Row:
    """What explorer.js reads. Shares are in points (0 to 100); missing numbers are None.

    Returns:
        conditions: their names, positions and roles. truths: those that say different things.
        classes: one entry per class, by falling drop, with `curves` (truth -> column -> values in
        the order of the conditions), `errors`, `confusions`, `policies` and `examples`.
    """
    names = dict(zip(tables.classes["class_id"], tables.classes["name"], strict=True))
    truths = list(accuracy_numbers(tables.accuracy, tables.conditions)["truth"].unique())
    curves = _curves(tables, truths)
    confusions = _confusions(tables)
    policies = _policies(tables)
    examples = _examples(tables, names)
    ranked = sorted_numbers(tables.effects, tables.classes, tables.null_band, tables.lost)
    conditions = tables.conditions
    return {
        "conditions": {
            "names": list(conditions.names),
            "positions": list(conditions.positions),
        },
        "truths": truths,
        "noun": conditions.noun,
        "replicate": tables.replicate,
        "replicates": tables.replicates,
        "contrast": conditions.contrast,
        "underTested": conditions.under_tested,
        "underReference": conditions.under_reference,
        "hasExamples": not tables.examples.empty,
        "confidence": tables.confidence,
        "classes": [
            {
                "id": int(row["class_id"]),
                "name": row["name"],
                **{
                    key: _points(row.get(key))
                    for key in (
                        "drop", "low", "high", "seeds_low", "seeds_high", "shrunken",
                        "detectable", "null_low", "null_high",
                    )
                },
                "q": _plain(row["q"], 4),
                "pMax": _plain(row.get("p_max"), 4),
                "found": bool(row["found"]),
                "affected": bool(row["affected"]),
                "seeds": int(row["seeds"]),
                "images": int(row["images"]),
                **curves.get(int(row["class_id"]), {}),
                "confusions": confusions.get(int(row["class_id"]), []),
                "policies": policies.get(int(row["class_id"]), {}),
                "examples": examples.get(int(row["class_id"]), []),
            }
            for row in ranked.to_dict("records")
        ],
    }  # fmt: skip


def _curves(tables: Tables, truths: list[str]) -> dict[int, Row]:
    """Class id -> curves and errors over the conditions, in their order."""
    conditions = tables.conditions
    place = {name: i for i, name in enumerate(conditions.names)}
    found: dict[int, Row] = {}
    # Plain loops: a group by in pandas takes a hundred times as long for a thousand classes.
    for row in conditions.place(tables.class_accuracy).to_dict("records"):
        truth, i = row["truth"], place[row["condition"]]
        if truth not in truths:
            continue
        entry = found.setdefault(int(row["class_id"]), {"curves": {}, "errors": {}})
        for kind, columns in (("curves", BANDS), ("errors", ERRORS)):
            blank = {column: [None] * len(place) for column in columns}
            values = entry[kind].setdefault(truth, blank)
            for column in columns:
                values[column][i] = (
                    _points(row[column]) if kind == "curves" else _plain(row[column], 1)
                )
        entry["curves"][truth]["images"] = int(row["images"])
    return found


def _confusions(tables: Tables) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    chosen = set(zip(tables.categories["class_id"], tables.categories["swallower_id"], strict=True))
    for row in tables.top_confusions.to_dict("records"):
        found.setdefault(int(row["class_id"]), []).append(
            {
                "id": int(row["predicted_id"]),
                "tested": _points(row["rate_tested"]),
                "reference": _points(row["rate_reference"]),
                "growth": _points(row["growth"]),
                "low": _points(row["low"]),
                "high": _points(row["high"]),
                "overlap": _points(max(row["overlap"], row["overlap_reverse"])),
                "similarity": _plain(row["similarity"], 2),
                "category": row["category"],
                "chosen": (row["class_id"], row["predicted_id"]) in chosen,
            }
        )
    return found


def _policies(tables: Tables) -> dict[int, dict[str, str]]:
    """Class id -> designed policy, as readers know it -> what the class gets."""
    named, frame = tables.named_policies, tables.policy_classes
    rows: dict[str, list[Row]] = {}
    for record in frame.to_dict("records"):
        row = {str(key): value for key, value in record.items()}
        rows.setdefault(row["policy"], []).append(row)
    designed = tables.policies.loc[tables.policies["phase"] == "interventions", "policy"]
    found: dict[int, dict[str, str]] = {}
    for first, same in named.merged([policy for policy in designed if policy in rows]).items():
        for row in rows[first]:
            entry = found.setdefault(int(row["class_id"]), {})
            name, strength = named.merged_name(same), f"{row['strength']:g}"
            if row["share"] < 1:
                strength += f" for {percent(row['share'], 0)}"
            entry[name] = f"{entry[name]}, {strength}" if name in entry else strength
    return found


def _examples(tables: Tables, names: dict[int, str]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in tables.examples.to_dict("records"):
        found.setdefault(int(row["class_id"]), []).append(
            {
                "file": row["image_id"],
                "chosen": row["chosen"],
                "labels": [names.get(int(label), "") for label in row["labels"]],
                "training": row["chosen"] == "training",
                "saidReference": names.get(int(row["prediction_reference"]), ""),
                "saidTested": names.get(int(row["prediction_tested"]), ""),
                "rightReference": int(row["right_reference"]),
                "rightTested": int(row["right_tested"]),
                "seeds": int(row["seeds"]),
                "width": int(row["width"]),
                "height": int(row["height"]),
                "jpeg": base64.b64encode(row["jpeg"]).decode(),
                "boxes": [
                    [f"{strength:g}", *(round(float(share), 4) for share in box)]
                    for strength, box in zip(row["strengths"], row["boxes"], strict=True)
                ],
            }
        )
    return found


def _plain(value: float | None, digits: int = 0) -> float | None:
    """A rounded number that JSON knows: None where it is missing."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits) if digits else int(value)


def _points(share: float | None) -> float | None:
    return None if share is None else _plain(100 * share, 2)
