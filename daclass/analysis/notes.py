"""What about predictions looks like a mistake: said beside the results, since it may be none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from daclass.analysis.cells import Runs, arrange_runs
from daclass.inference.arrays import Ints

FAR = 0.1  # accuracy that a renaming has to win for it to be said
MOST_CLASSES = 5000  # whose confusion matrix is searched for a renaming
_IGNORED = "255"  # the label that other programs pass over
_SHOWN = 4  # names that a note lists


def suspicions(
    predictions: pd.DataFrame, index: pd.DataFrame, names: Sequence[str]
) -> tuple[str, ...]:
    """`notes` of tables "predictions" and "index"."""
    runs = arrange_runs(predictions, index, len(names))
    return tuple(notes(runs, names, names_of_runs(runs.table, predictions)))


def notes(runs: Runs, names: Sequence[str], run_names: Sequence[str]) -> list[str]:
    """Sentences on runs and classes that a reader should look at.

    - Runs at or below chance: the share that labels and predictions would have in common if they
      were independent (as in Cohen's kappa), and two standard errors.
    - Runs that a one-to-one renaming of the classes would make far more accurate. The renaming is
      the assignment on the confusion matrix of the selection half with most pictures on its
      diagonal (Kuhn 1955), and its gain is measured on the estimation half.
    - Classes that no run ever predicts, and classes without pictures.

    Args:
        runs: what `arrange_runs` or `arrange_cells` gives.
        names: of the classes, by number.
        run_names: of the runs, in the order of `runs.table`.
    """
    n_classes, labels = runs.images.n_classes, runs.images.labels
    sizes = np.bincount(labels, minlength=n_classes)
    predicted = np.stack([np.bincount(row, minlength=n_classes) for row in runs.predicted])
    found = []
    by_chance = [
        run
        for run, row, own in zip(run_names, runs.predicted, predicted, strict=True)
        if _at_chance(row == labels, sizes, own)
    ]
    if by_chance:
        found.append(
            f"Accuracy is at or below chance for {_listed(by_chance, 'run')}: are labels and "
            "predictions of the same pictures, and classes in one order?"
        )
    found += _renamings(runs, names, run_names)
    never = np.flatnonzero((predicted.sum(axis=0) == 0) & (sizes > 0))
    if len(never):
        which = _listed([names[k] for k in never.tolist()], "class", "classes")
        have = "has" if len(never) == 1 else "have"
        ignored = _IGNORED in (names[k] for k in never.tolist())
        hint = f" Is {_IGNORED} what marks pictures to be ignored?" if ignored else ""
        pictures = int(sizes[never].sum())
        noun = "picture" if pictures == 1 else "pictures"
        found.append(f"No run ever predicts {which}, which {have} {pictures} {noun}.{hint}")
    empty = np.flatnonzero(sizes == 0)
    if len(empty):
        which = _listed([names[k] for k in empty.tolist()], "class", "classes")
        found.append(f"No picture has the label of {which}: nothing is known of them.")
    return found


def names_of_runs(runs: pd.DataFrame, predictions: pd.DataFrame) -> list[str]:
    """The names of runs, in the order of `runs`, the table of a `Runs`."""
    columns = ["policy", "seed", "run"]
    told: Mapping[tuple[str, int], str] = {
        (policy, seed): run
        for policy, seed, run in predictions[columns]
        .drop_duplicates()
        .astype({"policy": str, "run": str})
        .itertuples(index=False)
    }
    return [told[policy, seed] for policy, seed in zip(runs["policy"], runs["seed"], strict=True)]


def _at_chance(right: np.ndarray, sizes: Ints, predicted: Ints) -> bool:
    pictures = len(right)
    chance = float(sizes @ predicted) / pictures**2
    if chance >= 1:  # one class alone, which says nothing
        return False
    return bool(right.mean() <= chance + 2 * np.sqrt(chance * (1 - chance) / pictures))


def _renamings(runs: Runs, names: Sequence[str], run_names: Sequence[str]) -> list[str]:
    """A note for each run that a renaming would raise far; one for all that are alike."""
    n_classes, labels, select = runs.images.n_classes, runs.images.labels, runs.images.select
    if n_classes > MOST_CLASSES or not select.any() or select.all():
        return []
    texts: dict[str, list[str]] = {}
    for run, row in zip(run_names, runs.predicted, strict=True):
        matrix = np.bincount(
            labels[select] * n_classes + row[select], minlength=n_classes**2
        ).reshape(n_classes, n_classes)
        # No renaming keeps more than the largest cell of each class.
        if matrix.max(axis=1).sum() - matrix.trace() < FAR * select.sum():
            continue
        label, prediction = linear_sum_assignment(matrix, maximize=True)
        renamed = np.empty(n_classes, np.int64)
        renamed[prediction] = label
        before = (row[~select] == labels[~select]).mean()
        after = (renamed[row[~select]] == labels[~select]).mean()
        if after - before < FAR:
            continue
        shifts = np.bincount(renamed - np.arange(n_classes) + n_classes)
        shift = int(shifts.argmax()) - n_classes
        if shift and shifts.max() > n_classes / 2:
            how = f"each number is {abs(shift)} too {'low' if shift > 0 else 'high'}"
        else:
            changed = np.flatnonzero(label != prediction)
            moved = int(changed[matrix[label, prediction][changed].argmax()])
            how = f"{names[prediction[moved]]} would be {names[label[moved]]}, for example"
        texts.setdefault(how, []).append(f"{run} ({before:.1%} to {after:.1%})")
    return [
        f"Another order of the classes would raise accuracy far for {_listed(found, 'run')}: {how}."
        for how, found in texts.items()
    ]


def _listed(names: Sequence[str], one: str, several: str = "") -> str:
    """Some names and how many there are."""
    if len(names) == 1:
        return f"the {one} {names[0]}"
    shown = ", ".join(map(str, names[:_SHOWN]))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} {several or one + 's'} ({shown}{more})"
