"""Which classes each class is taken for, and how that grows with the augmentation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from daclass.analysis.cells import HALVES, Ints, Runs, arrange_runs, grid, level_of
from daclass.analysis.crossed import crossed_from_sums
from daclass.analysis.discoveries import q_values


def confusions(
    predictions: pd.DataFrame,
    index: pd.DataFrame,
    n_classes: int,
    *,
    strongest: float,
    reference: float,
    confidence: float,
) -> pd.DataFrame:
    """Confusion rates at the strongest and the reference strength, and their growth.

    The rate of (k, l) is the share of the pictures of class k that a run predicts as l, averaged
    over seeds (the confusion rate of Kirichenko et al., NeurIPS 2023). Growth is paired over seeds
    and pictures; its interval speaks for new seeds and new pictures (see `crossed`).

    Args:
        predictions: table "predictions" with both strengths, each with the same seeds.
        index: table "index".
        n_classes: C.
        strongest, reference: strengths that occur in `predictions`.
        confidence: level of the intervals, in (0, 1).

    Returns:
        Table "confusions": for each half, one row for each ordered pair (k, l), l != k, that occurs
        at either strength in any run, on whichever half. q-values are Benjamini-Yekutieli's over
        the pairs of a half, since the pairs of one class exclude each other.

    Raises:
        InputError: as `arrange_runs`; a strength lacks a seed, or one of the two does not occur.
    """
    # Other strengths are left out before the join: it is the dearest step.
    pair_of_strengths = predictions[predictions["strength"].isin([strongest, reference])]
    runs = arrange_runs(pair_of_strengths, index, n_classes)
    levels, seeds, rows = grid(runs.table, "strength")
    at_strongest = rows[level_of(levels, strongest, "strength")]
    at_reference = rows[level_of(levels, reference, "strength")]
    events = pd.concat(
        [_errors(runs, at_strongest, "strongest"), _errors(runs, at_reference, "reference")],
        ignore_index=True,
    )
    pair_codes, pair = np.unique(
        runs.images.labels[events["image"]] * n_classes + events["predicted"], return_inverse=True
    )
    events["pair"] = pair
    class_ids, predicted_ids = np.divmod(pair_codes, n_classes)
    frames = []
    for half in HALVES:
        chosen = runs.images.half(half)
        images = np.bincount(runs.images.labels[chosen], minlength=n_classes)[class_ids]
        found = _growth(events[chosen[events["image"]]], images, len(seeds), confidence)
        frames.append(
            found.assign(class_id=class_ids, predicted_id=predicted_ids, half=half, images=images)
        )
    return pd.concat(frames, ignore_index=True).assign(seeds=len(seeds))


def _errors(runs: Runs, rows: Ints, strength: str) -> pd.DataFrame:
    """One row a wrong prediction of `rows` [S]: rank of the seed, of the picture, and the class."""
    predicted = runs.predicted[rows]
    seed, image = np.nonzero(predicted != runs.images.labels)
    return pd.DataFrame(
        {
            "seed": seed,
            "image": image,
            "predicted": predicted[seed, image].astype(np.int64),
            "strongest": np.int64(strength == "strongest"),
            "reference": np.int64(strength == "reference"),
        }
    )


def _growth(events: pd.DataFrame, images: Ints, seeds: int, confidence: float) -> pd.DataFrame:
    """Rates and growth of each pair, [P].

    A cell of pair (k, l) is 1 where only the strongest strength takes the picture for l, -1 where
    only the reference does, else 0. Nearly all are 0, so sums are taken over the errors alone.
    """
    pairs = len(images)

    def per_pair(pair: pd.Series, weights: pd.Series) -> np.ndarray:
        return np.bincount(pair, weights, minlength=pairs)

    # A picture belongs to one class, so (picture, predicted) names the pair as well.
    cells = events.groupby(["pair", "image", "seed"], sort=False)[["strongest", "reference"]].sum()
    cells = cells.reset_index()
    cells["change"] = cells["strongest"] - cells["reference"]
    by_image = cells.groupby(["pair", "image"], sort=False)["change"].sum().reset_index()
    seed_sums = np.bincount(
        cells["seed"] * pairs + cells["pair"], cells["change"], minlength=seeds * pairs
    )
    found = crossed_from_sums(
        seed_sums.reshape(seeds, pairs).astype(np.float64),
        per_pair(by_image["pair"], by_image["change"] ** 2),
        per_pair(cells["pair"], cells["change"] ** 2),
        images,
        confidence=confidence,
    )
    total = np.where(images > 0, images * seeds, np.nan)
    return pd.DataFrame(
        {
            "rate_strongest": per_pair(cells["pair"], cells["strongest"]) / total,
            "rate_reference": per_pair(cells["pair"], cells["reference"]) / total,
            "growth": found.mean,
            "low": found.low,
            "high": found.high,
            "p": found.p,
            "q": q_values(found.p, "by"),
        }
    )
