"""Real networks split at random into two groups that cannot differ: a stress test.

    python -m benchmarks.model_splits shared/imagenet_val --splits 2000

16 published ImageNet networks (names, labels and predictions of 50,000 pictures lie in the folder)
are dealt into two groups of three at random, and compared as two conditions of three models each:
unpaired, and paired arbitrarily. Any class that is reported is reported for nothing. All splits are
of the same few networks, so they are not independent, and their number says nothing of how sure
the rates are: the error beside them is the jackknife's, which leaves out one network at a time (the
splits that it is part of). This is no level either: the networks are of different kinds, so that
the groups of a split differ more than groups of one recipe's runs do.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import pandas as pd

from daclass.inference.crossed import Sums, spread_of, spread_of_difference
from daclass.inference.discoveries import q_values

Q, ALPHA = 0.05, 0.05
RESULTS = Path("benchmarks/results/model_splits.csv")
MEASURES = ("coverage of classes", "splits that report a class", "classes reported where any is")


def agreement(correct: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Pictures of each class that two networks both have right, [M, M, C]."""
    return np.array(
        [[np.bincount(labels, one & other, n_classes) for other in correct] for one in correct]
    )


def sums_of(models: np.ndarray, both: np.ndarray) -> Sums:
    """Of a group of networks as runs."""
    hits = both[models, models]
    pairs = both[np.ix_(models, models)].sum(axis=(0, 1))
    return Sums(hits.astype(float), pairs.astype(float), hits.sum(axis=0).astype(float))


def paired_sums(first: np.ndarray, second: np.ndarray, both: np.ndarray) -> Sums:
    """Of the differences between the s-th networks of two groups."""
    hits = both[first, first] - both[second, second]
    cross = both[np.ix_(first, first)] + both[np.ix_(second, second)]
    cross = cross - both[np.ix_(first, second)] - both[np.ix_(second, first)]
    own = both[first, first] + both[second, second] - 2 * both[first, second]
    return Sums(hits.astype(float), cross.sum(axis=(0, 1)).astype(float), own.sum(axis=0) * 1.0)


def p_values(first: np.ndarray, second: np.ndarray, both: np.ndarray, images, paired) -> np.ndarray:
    if paired:
        mean, spread = spread_of(paired_sums(first, second, both), images, moderate=True)
    else:
        shared = both[np.ix_(first, second)].sum(axis=(0, 1)).astype(float)
        mean, spread = spread_of_difference(
            sums_of(first, both), sums_of(second, both), shared, images, moderate=True
        )
    return spread.p(mean)


def jackknife(table: pd.DataFrame, networks: int) -> pd.DataFrame:
    """Each measure with its delete-one-network error: columns value and error."""

    def measures(rows: pd.DataFrame) -> np.ndarray:
        reported = rows.loc[rows["reported"] > 0, "reported"]
        return np.array([rows["covered"].mean(), (rows["reported"] > 0).mean(), reported.median()])

    without = np.array(
        [measures(table[[k not in split for split in table["split"]]]) for k in range(networks)]
    )
    spread = ((without - without.mean(axis=0)) ** 2).sum(axis=0)
    return pd.DataFrame(
        {"value": measures(table), "error": np.sqrt((networks - 1) / networks * spread)},
        index=list(MEASURES),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="with val_labels.txt and top5_16models.npz")
    parser.add_argument("--splits", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3, help="networks per group")
    options = parser.parse_args()
    labels = np.loadtxt(options.folder / "val_labels.txt", dtype=np.int64)
    with np.load(options.folder / "top5_16models.npz") as file:
        correct = file["top5"][:, :, 0] == labels
    networks, n_classes = len(correct), int(labels.max()) + 1
    both, images = agreement(correct, labels, n_classes), np.bincount(labels)
    rng = np.random.default_rng(0)
    deals = [rng.permutation(networks)[: 2 * options.runs] for _ in range(options.splits)]
    rows = []
    for paired in (False, True):
        found = []
        for deal in deals:
            p = p_values(deal[: options.runs], deal[options.runs :], both, images, paired)
            reported = int((q_values(p, "bh") <= Q).sum())
            # A 95% interval ends where p is 5%.
            covered = float((p > ALPHA).mean())
            found.append({"split": set(deal), "reported": reported, "covered": covered})
        for measure, row in jackknife(pd.DataFrame(found), networks).iterrows():
            name = "paired arbitrarily" if paired else "unpaired"
            rows.append((name, options.runs, measure, row["value"], row["error"], options.splits))
            print(*rows[-1], flush=True)
    with RESULTS.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("pairs", "runs", "measure", "value", "jackknife_error", "splits"))
        writer.writerows((*row[:3], round(row[3], 4), round(row[4], 4), row[5]) for row in rows)


if __name__ == "__main__":
    main()
