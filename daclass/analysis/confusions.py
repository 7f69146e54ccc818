"""Which classes each class is taken for, and how that grows with the augmentation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from daclass.analysis.cells import HALVES, Runs
from daclass.analysis.conditions import Conditions
from daclass.inference.arrays import Floats, Ints
from daclass.inference.crossed import Crossed, Sums, crossed_from_sums, difference_from_sums
from daclass.inference.discoveries import q_values

Q_CLASSES = 0.05
"""False discovery rate of the classes whose false positives grow, within which pairs are tested."""


def confusions(runs: Runs, conditions: Conditions, *, confidence: float) -> pd.DataFrame:
    """Confusion rates at the tested and at the reference condition, and their growth.

    The rate of (k, l) is the share of the pictures of class k that a run predicts as l, averaged
    over runs (the confusion rate of Kirichenko et al., NeurIPS 2023). Growth is paired over
    pictures, and over seeds where runs are pairs; its interval speaks for new seeds and new
    pictures (see `crossed`).

    Args:
        runs: what `arrange_runs` or `arrange_cells` gives.
        conditions: which of its policies are compared.
        confidence: level of the intervals, in (0, 1).

    A run that is ready to say l raises all pairs (k, l) at once, so that what is tested is the
    growth of each class's false positives (see `false_positives`). Pairs are tested within the
    classes l that are found there (Benjamini and Bogomolov 2014, J. R. Stat. Soc. B 76, 297), and
    describe elsewhere.

    Returns:
        Table "confusions": for each half, one row for each ordered pair (k, l), l != k, that occurs
        at either condition in any run, on whichever half. q-values are Benjamini and Hochberg's
        over the pairs of one l, times all classes over those found: of the classes l found,
        at most that share has, on average, a pair of such a q for nothing. NaN for the
        pairs of all other l.

    Raises:
        InputError: as `Conditions.replicates`.
    """
    rows = conditions.replicates(runs.table)
    arms = (rows[0], rows[conditions.reference_level])
    events = pd.concat(
        [_errors(runs, own).assign(arm=arm) for arm, own in enumerate(arms)], ignore_index=True
    )
    n_classes = runs.images.n_classes
    pair_codes, pair = np.unique(
        runs.images.labels[events["image"]] * n_classes + events["predicted"], return_inverse=True
    )
    events["pair"] = pair
    class_ids, predicted_ids = np.divmod(pair_codes, n_classes)
    seeds = (len(arms[0]), len(arms[1]))
    positives = false_positives(runs, conditions, confidence=confidence)
    frames = []
    for half in HALVES:
        classes = positives[positives["half"] == half]
        chosen = runs.images.half(half)
        images = np.bincount(runs.images.labels[chosen], minlength=n_classes)[class_ids]
        found = _growth(events[chosen[events["image"]]], images, seeds, conditions, confidence)
        q = _within(found["p"].to_numpy(), predicted_ids, classes["q"].to_numpy())
        frames.append(
            found.assign(
                class_id=class_ids, predicted_id=predicted_ids, half=half, images=images, q=q
            )
        )
    return pd.concat(frames, ignore_index=True).assign(seeds=min(seeds))


def false_positives(runs: Runs, conditions: Conditions, *, confidence: float) -> pd.DataFrame:
    """How many pictures are wrongly taken for each class, and how that grows.

    The model is that of the effects: pictures of all other classes and runs are random, and classes
    share what their runs have in common (see `moderation`).

    Args:
        runs, conditions, confidence: as for `confusions`.

    Returns:
        Table "false_positives": one row for each half and class. q-values are Benjamini and
        Hochberg's over the classes of a half.

    Raises:
        InputError: as `Conditions.replicates`.
    """
    rows = conditions.replicates(runs.table)
    arms = (rows[0], rows[conditions.reference_level])
    seeds, n_classes = (len(arms[0]), len(arms[1])), runs.images.n_classes
    events = pd.concat(
        [_errors(runs, own).assign(arm=arm) for arm, own in enumerate(arms)], ignore_index=True
    ).rename(columns={"predicted": "pair"})
    frames = []
    for half in HALVES:
        chosen = runs.images.half(half)
        foreign = chosen.sum() - np.bincount(runs.images.labels[chosen], minlength=n_classes)
        found = _growth(
            events[chosen[events["image"]]],
            foreign,
            seeds,
            conditions,
            confidence,
            moderate=True,
        )
        counts = found[["rate_tested", "rate_reference", "growth", "low", "high"]]
        frames.append(
            counts.mul(foreign, axis=0)
            .rename(columns={"rate_tested": "tested", "rate_reference": "reference"})
            .assign(
                class_id=np.arange(n_classes),
                half=half,
                p=found["p"],
                q=q_values(found["p"], "bh"),
                images=foreign,
            )
        )
    return pd.concat(frames, ignore_index=True).assign(seeds=min(seeds))


def _within(p: Floats, predicted: Ints, q_classes: Floats) -> Floats:
    """q-values of pairs within the classes that are found, else NaN, [P].

    Args:
        p: of each pair, [P].
        predicted: its second class, [P].
        q_classes: q-values of the classes' false positives, [C].
    """
    found = q_classes <= Q_CLASSES
    q = np.full_like(p, np.nan)
    if found.any():
        penalty = np.isfinite(q_classes).sum() / found.sum()
        for class_id in np.flatnonzero(found):
            own = predicted == class_id
            q[own] = np.minimum(q_values(p[own], "bh") * penalty, 1.0)
    return q


def _errors(runs: Runs, rows: Ints) -> pd.DataFrame:
    """One row a wrong prediction of `rows` [S]: rank of the seed, of the picture, and the class."""
    predicted = runs.predicted[rows]
    seed, image = np.nonzero(predicted != runs.images.labels)
    return pd.DataFrame(
        {"seed": seed, "image": image, "predicted": predicted[seed, image].astype(np.int64)}
    )


def _growth(
    events: pd.DataFrame,
    images: Ints,
    seeds: tuple[int, int],
    conditions: Conditions,
    confidence: float,
    moderate: bool = False,
) -> pd.DataFrame:
    """Rates and growth of each pair of classes, [P]; arm 0 is the tested condition."""
    arms = [events[events["arm"] == arm].assign(value=1) for arm in (0, 1)]
    found: Crossed
    if conditions.paired:
        # 1 where only the tested condition takes the picture for the class, -1 where only the
        # reference does.
        signed = pd.concat([arms[0], arms[1].assign(value=-1)])
        # A picture belongs to one class, so (pair, picture) names the predicted class as well.
        cells = signed.groupby(["pair", "image", "seed"], sort=False)["value"].sum().reset_index()
        found = crossed_from_sums(
            _sums(cells, len(images), seeds[0]), images, confidence=confidence, moderate=moderate
        )
    else:
        by_image = [arm.groupby(["pair", "image"])["value"].sum() for arm in arms]
        both = by_image[0].mul(by_image[1]).dropna().reset_index()
        found = difference_from_sums(
            _sums(arms[0], len(images), seeds[0]),
            _sums(arms[1], len(images), seeds[1]),
            np.bincount(both["pair"], both["value"], len(images)).astype(np.float64),
            images,
            confidence=confidence,
            moderate=moderate,
        )
    found = conditions.holding(found, confidence)
    rates = [
        np.bincount(arm["pair"], minlength=len(images)) / np.where(images > 0, images * n, np.nan)
        for arm, n in zip(arms, seeds, strict=True)
    ]
    return pd.DataFrame(
        {
            "rate_tested": rates[0],
            "rate_reference": rates[1],
            "growth": found.mean,
            "low": found.low,
            "high": found.high,
            "p": found.p,
        }
    )


def _sums(cells: pd.DataFrame, pairs: int, seeds: int) -> Sums:
    """Sums over the cells that are not 0, which are few."""
    by_image = cells.groupby(["pair", "image"], sort=False)["value"].sum().reset_index()

    def per_pair(pair: pd.Series, weights: npt.ArrayLike) -> Floats:
        return np.bincount(pair, weights, pairs).astype(np.float64)

    seed_sums = np.bincount(cells["seed"] * pairs + cells["pair"], cells["value"], seeds * pairs)
    return Sums(
        seed_sums.reshape(seeds, pairs).astype(np.float64),
        per_pair(by_image["pair"], by_image["value"] ** 2),
        per_pair(cells["pair"], cells["value"] ** 2),
    )
