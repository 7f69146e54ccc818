"""All that is estimated from the predictions of a study, in one call."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from daclass.analysis.accuracy import accuracy, class_accuracy
from daclass.analysis.cells import Cells
from daclass.analysis.confusions import confusions, false_positives
from daclass.analysis.counts import count
from daclass.analysis.effects import Affected, effects
from daclass.analysis.explained import explained
from daclass.analysis.nulls import Nulls
from daclass.analysis.tested import conditions_of, gains


def measures(
    cells: Cells,
    names: Sequence[str],
    reference: str,
    condition: str | None,
    affected: Affected,
    *,
    confidence: float,
    replicates: int,
    random_seed: int,
) -> dict[str, pd.DataFrame]:
    """Count, and estimate accuracies, effects and confusions.

    Args:
        cells: what `arrange_cells` gives.
        names, reference, condition: which policies are compared, and which one is tested; see
            `daclass.analysis.tested.conditions_of`.
        affected: the rule that chooses classes.
        confidence: level of the intervals, in (0, 1).
        replicates: of the bootstrap, see `Nulls.draw`.
        random_seed: of the bootstrap.

    Returns:
        The tables of these names, in the layouts of `daclass.tables`.

    Raises:
        InputError: as `Conditions.replicates`.
    """
    conditions = conditions_of(cells, names, reference, condition)
    nulls = Nulls.draw(
        cells, conditions, confidence=confidence, replicates=replicates, random_seed=random_seed
    )
    return {
        "tested": gains(cells, conditions, names, confidence=confidence),
        "counts": count(cells),
        "accuracy": accuracy(cells, confidence=confidence),
        "class_accuracy": class_accuracy(cells, conditions, nulls, confidence=confidence),
        "effects": effects(cells, conditions, nulls, affected, confidence=confidence),
        "null_band": nulls.sorted_drops(confidence),
        "explained": explained(cells, conditions, affected, confidence=confidence),
        "confusions": confusions(cells, conditions, confidence=confidence),
        "false_positives": false_positives(cells, conditions, confidence=confidence),
    }
