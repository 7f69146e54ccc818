"""What was planted in a generated set beside what was found: the method's own test."""

from __future__ import annotations

import numpy as np
import pandas as pd

from daclass.tables import SCHEMAS


def planted(
    truth: pd.DataFrame, effects: pd.DataFrame, confusions: pd.DataFrame, categories: pd.DataFrame
) -> pd.DataFrame:
    """Hold each planted relation against the findings of the estimation half.

    Drop, interval and q are those of half "estimate", reference "fixed", original labels;
    `drop_multi` is the same under multi labels. The verdict follows from the expectation:

    - hurt: "found" where the drop's interval lies above 0, else "missed".
    - helped: "found" where it lies below 0, "false alarm" where it lies above, else "missed".
    - unchanged: "false alarm" where it leaves 0 on either side, else "quiet".
    - swallows: "found" where the interval of the growing confusion partner -> class lies above 0,
      else "missed".

    A NaN interval (one seed) excludes nothing: "missed" or "quiet".

    Args:
        truth, effects, confusions, categories: the tables of those names.

    Returns:
        Table "planted", one row a relation in the order of `truth`. For classes that are not
        affected, `swallower_id` is -1 and `category` is "".
    """
    contrast = effects[(effects["half"] == "estimate") & (effects["reference"] == "fixed")]
    original = contrast[contrast["truth"] == "original"]
    multi = contrast.loc[contrast["truth"] == "multi", ["class_id", "drop"]]
    table = truth.merge(
        original[["class_id", "drop", "low", "high", "q", "affected"]], how="left", on="class_id"
    )
    table = table.merge(multi.rename(columns={"drop": "drop_multi"}), how="left", on="class_id")
    found = categories[["class_id", "swallower_id", "category"]]
    table = table.merge(found, how="left", on="class_id")
    table["swallower_id"] = table["swallower_id"].fillna(-1).astype(np.int64)
    table["category"] = table["category"].fillna("")
    table["affected"] = table["affected"].eq(True)
    estimate = confusions[confusions["half"] == "estimate"]
    grown = estimate.loc[estimate["low"] > 0, ["class_id", "predicted_id"]]
    swallows = pd.MultiIndex.from_frame(table[["partner_id", "class_id"]]).isin(
        pd.MultiIndex.from_frame(grown)
    )
    table["verdict"] = np.select(
        [
            (table["expectation"] == "swallows") & swallows,
            (table["expectation"] == "hurt") & (table["low"] > 0),
            (table["expectation"] == "helped") & (table["high"] < 0),
            table["expectation"].isin(["helped", "unchanged"]) & (table["low"] > 0),
            (table["expectation"] == "unchanged") & (table["high"] < 0),
            table["expectation"] == "unchanged",
        ],
        ["found", "found", "found", "false alarm", "false alarm", "quiet"],
        default="missed",
    )
    return table[list(SCHEMAS["planted"])]
