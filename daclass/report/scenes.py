"""The classes that pay most as pictures: judged ones beside the swallower's, training crops."""

from __future__ import annotations

import base64
from typing import Any

from daclass.plots.tables import Tables

Row = dict[str, Any]
CLASSES = 3  # that are shown
JUDGED, BESIDE = 3, 2  # pictures of the class, and of its swallower


def scenes(tables: Tables) -> list[Row]:
    """One entry per class, those found to lose first, else those chosen for follow-up.

    Returns:
        class_id and name; found (whether the class is found to lose, else it is a candidate);
        swallower_id and swallower (None where no confusion grew); judged and beside (pictures of
        the two that were judged, with what most runs said of them); training (a training picture of
        each with the crops that a network saw, by strength).
    """
    names = dict(zip(tables.classes["class_id"], tables.classes["name"], strict=True))
    pictures: dict[int, list[Row]] = {}
    for record in tables.examples.to_dict("records"):
        row = {str(key): value for key, value in record.items()}
        pictures.setdefault(int(row["class_id"]), []).append(_picture(row, names))
    chosen = [k for k in (tables.lost or tables.affected) if k in pictures][:CLASSES]
    taken = _swallowers(tables)
    return [
        {
            "class_id": k,
            "name": names[k],
            "found": k in tables.lost,
            "swallower_id": taken.get(k),
            "swallower": names.get(taken.get(k, -1)),
            "judged": [p for p in pictures[k] if p["chosen"] != "training"][:JUDGED],
            "beside": [p for p in pictures.get(taken.get(k, -1), []) if p["chosen"] == "typical"][
                :BESIDE
            ],
            "training": [
                picture
                for class_id in (k, taken.get(k, -1))
                for picture in pictures.get(class_id, [])
                if picture["chosen"] == "training" and picture["crops"]
            ],
        }
        for k in chosen
    ]


def _swallowers(tables: Tables) -> dict[int, int]:
    """Class -> the class that takes its pictures: the chosen swallower of classes followed up, of
    others the confusion that grows most."""
    found: dict[int, int] = {}
    for row in tables.top_confusions.sort_values("growth", ascending=False).to_dict("records"):
        found.setdefault(int(row["class_id"]), int(row["predicted_id"]))
    chosen = tables.categories[tables.categories["swallower_id"] >= 0]
    pairs = zip(chosen["class_id"], chosen["swallower_id"], strict=True)
    return found | {int(k): int(other) for k, other in pairs}


def _picture(row: Row, names: dict[int, str]) -> Row:
    return {
        "file": row["image_id"],
        "class_name": names[int(row["class_id"])],
        "chosen": row["chosen"],
        "uri": f"data:image/jpeg;base64,{base64.b64encode(row['jpeg']).decode()}",
        "width": int(row["width"]),
        "height": int(row["height"]),
        "said_reference": names.get(int(row["prediction_reference"]), ""),
        "said_tested": names.get(int(row["prediction_tested"]), ""),
        "right_reference": int(row["right_reference"]),
        "right_tested": int(row["right_tested"]),
        "seeds": int(row["seeds"]),
        "crops": [
            {"strength": f"{strength:g}", "box": [round(float(share), 4) for share in box]}
            for strength, box in zip(row["strengths"], row["boxes"], strict=True)
        ],
    }
