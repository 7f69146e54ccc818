"""What a loader gives and in which order: the same for every kind of loader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

from daclass.augment.variates import epoch_key
from daclass.errors import InputError
from daclass.training.balance import balanced_order


class Batch(NamedTuple):
    """What a loader gives for one step; it stays valid until the next batch is asked for."""

    pictures: Tensor
    """uint8 [batch, policies, 3, side, side] in training, [batch, views, 3, side, side] in
    validation."""
    labels: Tensor
    """int64 [batch]."""
    positions: Tensor
    """Places of the samples in the index, int64 [batch]: what random operations are keyed by."""


class TrainLoader(Protocol):
    def __len__(self) -> int:
        """Steps an epoch; the last, incomplete batch is left out."""

    def epoch(self, epoch: int, start: int, side: int) -> Iterator[Batch]:
        """The batches of an epoch from step `start` on, with crops of `side` px."""

    def sizes(self) -> npt.NDArray[np.int64]:
        """Height and width in px of the pictures that crops are cut from, [samples, 2]."""


class ValLoader(Protocol):
    def __iter__(self) -> Iterator[Batch]:
        """Every validation picture of this process once, in index order."""


@dataclass(frozen=True)
class Samples:
    """One split and draw: its .beton, its picture files and its labels, all in index order; and the
    files' hashes, which they are held against where the files themselves are read."""

    beton: Path
    files: Sequence[Path]
    labels: npt.NDArray[np.int64]
    contents: Sequence[str] | None = None


@dataclass(frozen=True)
class Part:
    """Which part of every batch a process has: part `rank` of `size`."""

    rank: int = 0
    size: int = 1


WHOLE = Part()


@dataclass(frozen=True)
class Order:
    """Which samples each step of an epoch holds: a pure function of seed, epoch, step and part.

    Attributes:
        samples: size of the data set.
        batch: samples per step, over all processes; a multiple of ``part.size``.
        seed: what `order_seed` returns.
        part: what this process has of it. The parts of a step make up a single process's batch.
        balanced: classes of the samples, shape [samples], where each is to come equally often.
    """

    samples: int
    batch: int
    seed: int
    part: Part = WHOLE
    balanced: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return self.samples // self.batch

    def positions(self, epoch: int, start: int = 0) -> npt.NDArray[np.int64]:
        """Positions, shape [steps from `start` on, samples per step and process]."""
        rng = np.random.default_rng(self.seed + epoch)
        if self.balanced is None:
            order = rng.permutation(self.samples)
        else:
            order = balanced_order(self.balanced, rng)
        steps = order[: len(self) * self.batch].reshape(len(self), self.part.size, -1)
        return np.ascontiguousarray(steps[start:, self.part.rank])


def order_seed(study_seed: int, run_seed: int) -> int:
    """The number that the epoch is added to, and the shuffle seeded with.

    Run seeds 0, 1, 2 would shuffle alike one epoch apart; hashed, they are far apart.
    """
    return int(epoch_key(study_seed, run_seed, 2**62)) >> 16


def central_square(shorter: int, share: float, file: Path) -> int:
    """Side in px of the square that validation sees of a picture.

    Raises:
        InputError: it is less than one pixel.
    """
    side = int(share * shorter)
    if side < 1:
        raise InputError(
            f"training.val_crop: {share:g} leaves less than one pixel of {file}, whose shorter "
            f"side has {shorter} px"
        )
    return side
