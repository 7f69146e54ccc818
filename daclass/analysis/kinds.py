"""All that is said of kinds of confusions, in one call."""

from __future__ import annotations

import pandas as pd

from daclass.analysis.categories import categories, kinds_by_share, sensitivity
from daclass.analysis.cells import Cells
from daclass.analysis.conditions import Conditions
from daclass.analysis.explained import explained_by_kind
from daclass.analysis.top_confusions import top_confusions
from daclass.inference.arrays import Floats


def kinds_of_confusions(
    cells: Cells,
    conditions: Conditions,
    effects: pd.DataFrame,
    confusions: pd.DataFrame,
    overlaps: pd.DataFrame,
    classes: pd.DataFrame,
    *,
    overlap: float,
    similarity: float,
    confidence: float,
    vectors: Floats | None = None,
) -> dict[str, pd.DataFrame]:
    """Name swallowers and kinds, what each kind loses, and what other thresholds would give.

    Args:
        cells, conditions: what `effects` was estimated from.
        effects, confusions, classes: the tables of those names.
        overlaps: what `categories.overlaps` gives.
        overlap, similarity: thresholds in [0, 1].
        confidence: level of the intervals, in (0, 1).
        vectors: embeddings of the classes by class id, [C, D], where there are any.

    Returns:
        The tables "categories", "kind_drops", "sensitivity", "share_sensitivity" and
        "top_confusions".
    """
    tables = (effects, confusions, overlaps, classes)
    found = categories(*tables, overlap=overlap, similarity=similarity, vectors=vectors)
    return {
        "categories": found,
        "kind_drops": explained_by_kind(cells, conditions, found, confidence=confidence),
        "sensitivity": sensitivity(found),
        "share_sensitivity": kinds_by_share(
            *tables, overlap=overlap, similarity=similarity, vectors=vectors
        ),
        "top_confusions": top_confusions(
            confusions, overlaps, classes, overlap=overlap, similar=similarity, vectors=vectors
        ),
    }
