"""The loaders that read .beton files through FFCV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from ffcv.fields.basics import IntDecoder
from ffcv.loader import Loader, OrderOption
from ffcv.reader import Reader
from ffcv.transforms import Squeeze, ToTensor
from ffcv.traversal_order.base import TraversalOrder
from numba.np.ufunc.parallel import get_thread_count

from daclass.atomic import set_aside
from daclass.augment import AugmentError, StrengthTable
from daclass.augment.beton import read_labels
from daclass.augment.decoder import PolicyCropDecoder
from daclass.augment.sums import read_sums, sums_path
from daclass.errors import InputError
from daclass.training.batches import Batch, Order, Samples, central_square
from daclass.training.ffcv_views import ViewsDecoder
from daclass.training.recipe import Recipe


class FfcvTrainLoader:
    def __init__(
        self,
        recipe: Recipe,
        samples: Samples,
        strengths: StrengthTable,
        seed: int,
        order: Order,
        threads: int,
    ) -> None:
        sums = _checked_sums(samples)
        self.decoder = PolicyCropDecoder(
            recipe.training.resolution,
            strengths,
            study_seed=recipe.seed,
            run_seed=seed,
            flip=recipe.augmentation.flip,
            sums=sums,
        )
        self.samples = samples
        self.order = order
        self.traversal = _Traversal(order)
        self.loader = Loader(
            str(samples.beton),
            batch_size=order.batch // order.part.size,
            num_workers=_workers(threads),
            order=self.traversal,
            seed=order.seed,
            drop_last=True,
            pipelines={
                "image": [self.decoder, ToTensor()],
                "label": [IntDecoder(), ToTensor(), Squeeze()],
            },
        )

    def __len__(self) -> int:
        return len(self.order)

    def epoch(self, epoch: int, start: int, side: int) -> Iterator[Batch]:
        if side != self.decoder.side:
            self.decoder.side = side
            self.loader.code = None  # compiled code holds the side: FFCV compiles anew
        self.decoder.set_epoch(epoch)
        self.loader.next_epoch = epoch
        self.traversal.start = start
        steps = self.order.positions(epoch, start)
        for positions, (crops, labels) in zip(steps, self.loader, strict=True):
            _check(self.decoder, self.samples)
            yield Batch(crops.permute(0, 1, 4, 2, 3), labels, torch.from_numpy(positions))

    def sizes(self) -> npt.NDArray[np.int64]:
        field = Reader(str(self.samples.beton)).metadata["f0"]
        return np.stack([field["height"], field["width"]], axis=1).astype(np.int64)


class FfcvValLoader:
    def __init__(
        self,
        side: int,
        views: Sequence[float],
        batch: int,
        samples: Samples,
        positions: npt.NDArray[np.int64],
        threads: int,
    ) -> None:
        sums = _checked_sums(samples)
        _check_views(views, samples)
        self.samples, self.positions = samples, torch.from_numpy(positions)
        self.decoder = ViewsDecoder(side, views, sums)
        self.loader = Loader(
            str(samples.beton),
            batch_size=min(batch, len(positions)),
            num_workers=_workers(threads),
            order=OrderOption.SEQUENTIAL,
            indices=positions.astype(np.uint64),
            drop_last=False,
            pipelines={
                "image": [self.decoder, ToTensor()],
                "label": [IntDecoder(), ToTensor(), Squeeze()],
            },
        )

    def __iter__(self) -> Iterator[Batch]:
        steps = self.positions.split(self.loader.batch_size)
        for positions, (pictures, labels) in zip(steps, self.loader, strict=True):
            _check(self.decoder, self.samples)
            # A last batch of one picture comes squeezed to a scalar label.
            yield Batch(pictures.permute(0, 1, 4, 2, 3), labels.reshape(-1), positions)


class _Traversal(TraversalOrder):
    """Hands `Order` to FFCV, from any step of an epoch on: what comes before is not decoded."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.start = 0

    def __call__(self, _loader: Loader) -> _Traversal:
        """FFCV calls the order that it is given, as if it were a class."""
        return self

    def sample_order(self, epoch: int) -> npt.NDArray[np.uint64]:
        return self.order.positions(epoch, self.start).reshape(-1).astype(np.uint64)


def _workers(threads: int) -> int:
    """numba refuses more threads than it found cores at its start."""
    return min(threads, get_thread_count())


def _checked_sums(samples: Samples) -> npt.NDArray[np.uint64] | None:
    """The sums of a .beton that is whole and holds the samples of the index; None if it has none.

    Raises:
        InputError: it is missing, cut short, damaged, or holds other samples.
    """
    try:
        labels = read_labels(samples.beton)
    except AugmentError as error:
        raise InputError(str(error)) from None
    if not np.array_equal(labels, samples.labels):
        raise InputError(f"{samples.beton}: its labels differ from the index; remove it")
    try:
        return read_sums(samples.beton)
    except AugmentError as error:
        raise InputError(f"{error}, {_again(samples)}") from None


def _check(decoder: PolicyCropDecoder | ViewsDecoder, samples: Samples) -> None:
    """Refuse what the last batches were decoded from where it is not what was written."""
    try:
        decoder.check()
    except AugmentError as error:
        raise InputError(f"{samples.beton}: {error}, {_again(samples)}") from None


def _again(samples: Samples) -> str:
    sums_path(samples.beton).unlink(missing_ok=True)
    return f"{set_aside(samples.beton)}; the same make command writes it again"


def _check_views(shares: Sequence[float], samples: Samples) -> None:
    """Refuse pictures of which a central square would be less than a pixel."""
    field = Reader(str(samples.beton)).metadata["f0"]
    sides = np.minimum(field["height"], field["width"])
    central_square(int(sides.min()), min(shares), samples.files[int(sides.argmin())])
