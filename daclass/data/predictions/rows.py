"""What a file with predictions says, before it is joined to labels and classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from daclass.data.tabular import row_of
from daclass.errors import InputError
from daclass.tables import RUNNERS_UP

RANKS = ("prediction", *RUNNERS_UP)
COLUMNS = ("image", *RANKS, "model", "condition", "replicate", "probability", "label")


@dataclass(frozen=True)
class Rows:
    """One row for each model and picture.

    Attributes:
        frame: columns of `COLUMNS`, image and prediction among them, with values as the file has
            them.
        file: where they come from, for messages.
        names: class names by number, where the file tells them.
        scores: how many classes the file has scores of, whose numbers are their places; 0 where it
            has none.
        notes: what a reader should know, in whole sentences.
        block: rows of each model, where models lie side by side in the file; else 0.
        stem: the file's name without folder and ending.
    """

    frame: pd.DataFrame
    file: str
    names: tuple[str, ...] = ()
    scores: int = 0
    notes: tuple[str, ...] = ()
    block: int = 0
    stem: str = ""

    def place(self, row: int) -> str:
        """Where a row of the frame, from 0, is in the file, for messages."""
        if not self.block:
            return row_of(self.file, row + 1)
        model = self.frame["model"].iloc[row]
        return f"{row_of(self.file, row % self.block + 1)} of model {model}"


def rows_of_arrays(
    ranked: np.ndarray,
    models: Sequence[str],
    images: pd.Series,
    file: str,
    *,
    probability: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    scores: int = 0,
    notes: Sequence[str] = (),
) -> Rows:
    """Rows of models whose predictions lie side by side.

    Args:
        ranked: classes [M, N, k], the first rank first; what is beyond the fifth is left out.
        models: [M] names.
        images: [N] names of the pictures.
        file, scores, notes: as the attributes of `Rows`.
        probability: of the first class, [M, N].
        labels: original classes, [N].
    """
    count, pictures, depth = ranked.shape
    if len(images) != pictures:
        raise InputError(f"{file}: covers {pictures} pictures, there are {len(images)} names")
    frame = pd.DataFrame(
        {
            "model": pd.Categorical.from_codes(
                np.repeat(np.arange(count), pictures), dtype=_distinct(models, file)
            ),
            "image": _repeated(images, count),
        }
    )
    for rank, name in enumerate(RANKS[:depth]):
        frame[name] = ranked[:, :, rank].ravel()
    if probability is not None:
        frame["probability"] = probability.ravel()
    if labels is not None:
        frame["label"] = np.tile(labels, count)
    return Rows(frame, file, scores=scores, notes=tuple(notes), block=pictures)


def _distinct(models: Sequence[str], file: str) -> pd.CategoricalDtype:
    names = pd.Index([str(model) for model in models])
    if not names.is_unique:
        raise InputError(f"{file}: model {names[names.duplicated()][0]} is there twice")
    return pd.CategoricalDtype(names)


def _repeated(images: pd.Series, count: int) -> pd.Categorical:
    codes, distinct = pd.factorize(images)
    return pd.Categorical.from_codes(np.tile(codes, count), categories=distinct)
