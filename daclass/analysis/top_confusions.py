"""The few confusions of each class that grow most, with what decides their kind."""

from __future__ import annotations

import pandas as pd

from daclass.analysis.categories import closeness, kinds
from daclass.inference.arrays import Floats

SHOWN = 5


def top_confusions(
    confusions: pd.DataFrame,
    overlaps: pd.DataFrame,
    classes: pd.DataFrame,
    *,
    overlap: float,
    similar: float,
    vectors: Floats | None = None,
    shown: int = SHOWN,
) -> pd.DataFrame:
    """The pairs (class, predicted) with the largest growth on all pictures: a description.

    Nothing is chosen on them: affected classes' swallowers, chosen on the selection half, are in
    table "categories".

    Args:
        confusions, classes: the tables of those names.
        overlaps: what `categories.overlaps` gives.
        overlap, similar: the thresholds of overlap and similarity, in [0, 1].
        vectors: embeddings of the classes, as for `categories.categories`.
        shown: pairs a class, at most; those that do not grow are left out.

    Returns:
        Table "top_confusions", by class and falling growth.
    """
    grown = confusions[(confusions["half"] == "all") & (confusions["growth"] > 0)]
    order = ["class_id", "growth", "rate_tested", "predicted_id"]
    top = grown.sort_values(order, ascending=[True, False, False, True])
    top = top.groupby("class_id").head(shown)
    pairs = overlaps.rename(columns={"other_id": "predicted_id"})
    shares = ["overlap", "overlap_reverse"]
    top = top.merge(pairs[["class_id", "predicted_id", *shares]], how="left")
    top[shares] = top[shares].fillna(0.0)
    pairs = top.rename(columns={"predicted_id": "swallower_id"})
    top = top.assign(**closeness(pairs, classes, vectors))
    found = kinds(top.assign(swallower_id=top["predicted_id"]), overlap, similar)
    columns = [
        "class_id", "predicted_id", "rate_tested", "rate_reference", "growth", "low", "high",
        "q", *shares, "similarity", "embedding",
    ]  # fmt: skip
    return top[columns].assign(category=found).reset_index(drop=True)
