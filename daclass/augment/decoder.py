"""An FFCV decoder that gives K class-conditional random resized crops from one JPEG decode.

The pipeline below is FFCV's own: libjpeg-turbo with its fast DCT, and boxes cut and shrunk by area.
Boxes follow torchvision, to the integer (see `boxes`). Decoding at a fraction of the size, which
libjpeg-turbo can do, does not pay here: see benchmarks/README.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from ffcv.fields.basics import IntDecoder
from ffcv.fields.rgb_image import IMAGE_MODES, SimpleRGBImageDecoder
from ffcv.libffcv import imdecode, resize_crop
from ffcv.pipeline.allocation_query import AllocationQuery
from ffcv.pipeline.compiler import Compiler
from ffcv.pipeline.state import State
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from daclass.augment import variates
from daclass.augment.boxes import LOG_RATIO, RATIO, TRIES, check_crops
from daclass.augment.errors import AugmentError
from daclass.augment.mixture import StrengthTable
from daclass.augment.resample import area_crop, mirror
from daclass.augment.sums import sample_sum
from daclass.augment.variates import FLIP, GOLDEN, MIXTURE, epoch_key

# FFCV compiles decoders with fastmath. These are compiled without, so that a box is the same
# integer here and in NumPy.
_mix = njit(variates.mix)

_ONE, _S11, _FOUR = np.uint64(1), np.uint64(11), np.uint64(4)
_LOG_LOW, _LOG_SPAN = LOG_RATIO[0], LOG_RATIO[1] - LOG_RATIO[0]
_RATIO_LOW, _RATIO_HIGH = RATIO
_MIXTURE = np.uint64(MIXTURE)


@njit
def _image_key(epoch: np.uint64, image: np.uint64) -> np.uint64:
    return _mix(_mix((epoch ^ image) + GOLDEN) + GOLDEN)  # occurrence 0


@njit
def _uniform(key: np.uint64, counter: np.uint64) -> float:
    return np.float64(_mix(key + (counter + _ONE) * GOLDEN) >> _S11) * 2.0**-53


@njit
def crop_box(key: Any, height: Any, width: Any, low: float) -> tuple[Any, Any, Any, Any]:
    """`boxes.random_resized_crop_boxes` for one key, compiled: top, left, height, width in px."""
    counter = np.uint64(0)
    for _ in range(TRIES):
        area = (height * width) * (low + (1.0 - low) * _uniform(key, counter))
        ratio = math.exp(_LOG_LOW + _LOG_SPAN * _uniform(key, counter + _ONE))
        w = np.int64(np.rint(math.sqrt(area * ratio)))
        h = np.int64(np.rint(math.sqrt(area / ratio)))
        if 0 < w <= width and 0 < h <= height:
            u, v = _uniform(key, counter + _ONE + _ONE), _uniform(key, counter + _FOUR - _ONE)
            return (
                np.int64(math.floor(u * (height - h + 1))),
                np.int64(math.floor(v * (width - w + 1))),
                h,
                w,
            )
        counter += _FOUR
    h, w = height, width
    if width / height < _RATIO_LOW:
        h = np.int64(np.rint(width / _RATIO_LOW))
    elif width / height > _RATIO_HIGH:
        w = np.int64(np.rint(height * _RATIO_HIGH))
    return (height - h) // 2, (width - w) // 2, h, w


@njit
def drawn_strength(key: Any, own: float, share: float, bounds: Any, strengths: Any) -> float:
    """`Mixture.drawn` for one key, compiled."""
    variate = _uniform(key, _MIXTURE)
    if variate >= share:
        return own
    level = 0
    while level < len(bounds) - 1 and variate / share >= bounds[level]:
        level += 1
    return strengths[level]


@intrinsic
def pointer(_context, address):  # type: ignore[no-untyped-def]
    """Integer -> void*. Numba freezes arrays that a closure holds; reading through their address is
    how a new epoch reaches compiled code without a new compilation."""

    def generate(_target, builder, _signature, arguments):  # type: ignore[no-untyped-def]
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.intp), generate


class PolicyCropDecoder(SimpleRGBImageDecoder):
    """Decode each picture once and cut one reproducible random resized crop per policy.

    A batch is uint8 with shape [batch, policies, side, side, 3]. The crop of picture `i` under
    policy `k` depends on the seeds, the epoch, `i` and `strengths[k, i]` alone: not on the other
    policies, the number of workers, the batch or the order. All crops of a picture are mirrored
    together. Boxes that are smaller than the crop are enlarged by OpenCV, as FFCV does.

    Args:
        side: height and width of the crops in px.
        strengths: what `strength_table` gives, or lower area bounds in `RRC_SCALE`'s range, shape
            [policies, samples of the .beton].
        study_seed, run_seed: non-negative integers below 2^63.
        flip: probability of mirroring, in [0, 1].
        shrink: "area" shrinks boxes with `resample.area_crop`; "opencv" with OpenCV, as FFCV does,
            more slowly. Fewer than one value in ten thousand differs, by one grey level.
        sums: what `sums.read_sums` gives: each sample is held against its own when it is first
            used, and `check` tells. None checks nothing.

    Raises:
        AugmentError: `strengths` has another shape, values outside the range, or does not cover the
            .beton (the latter when the loader is made); a side, seed or probability that is none.
    """

    def __init__(
        self,
        side: int,
        strengths: StrengthTable | npt.ArrayLike,
        *,
        study_seed: int = 0,
        run_seed: int,
        flip: float = 0.5,
        shrink: Literal["area", "opencv"] = "area",
        sums: npt.NDArray[np.uint64] | None = None,
    ) -> None:
        super().__init__()
        self.strengths = check_crops(side, strengths, flip)
        if shrink not in ("area", "opencv"):
            raise AugmentError(f"shrink must be area or opencv, not {shrink!r}")
        self.side = side
        self.seeds = (study_seed, run_seed)
        self.flip = flip
        self.shrink = shrink
        self._epoch = np.zeros(1, np.uint64)
        self._damaged = np.full(1, -1, np.int64)
        self._sums = np.zeros(self.strengths.shape[1], np.uint64) if sums is None else sums
        self._unchecked = np.full(self.strengths.shape[1], sums is not None)
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose crops are cut next; call it between two passes of the loader.

        Raises:
            AugmentError: it is no epoch, or `check` has something to say.
        """
        self.check()
        self._epoch[0] = epoch_key(*self.seeds, epoch)

    def check(self) -> None:
        """See whether all samples so far were what was written and could be decoded; FFCV itself
        passes over JPEGs that cannot, and shows what the memory held before.

        Raises:
            AugmentError: one was not; it is named.
        """
        if self._damaged[0] >= 0:
            raise AugmentError(f"sample {self._damaged[0]} of the .beton is damaged")

    def declare_state_and_memory(self, previous_state: State) -> tuple[State, AllocationQuery]:
        policies, samples = self.strengths.shape
        if samples != len(self.metadata):
            raise AugmentError(
                f"strengths cover {samples} samples, the .beton holds {len(self.metadata)}"
            )
        if not (self.metadata["height"].min() and self.metadata["width"].min()):
            raise AugmentError("the .beton holds a picture without pixels")
        shape = (policies, self.side, self.side, 3)
        dtype = np.dtype("<u1")
        state = replace(previous_state, jit_mode=True, shape=shape, dtype=dtype)
        return state, AllocationQuery(shape, dtype)

    def generate_code(self) -> Callable:
        jpg = IMAGE_MODES["jpg"]
        read = self.memory_read
        samples_of = Compiler.get_iterator()
        decode_jpeg = Compiler.compile(imdecode)
        resize = Compiler.compile(resize_crop)
        shape = self.strengths.shape
        strengths_at = self.strengths.own.ctypes.data
        shares, bounds, levels = self.strengths.compiled()  # frozen into the code
        mixed = bool(shares.any())
        epoch_at = self._epoch.ctypes.data
        damaged_at = self._damaged.ctypes.data
        sums_at, unchecked_at = self._sums.ctypes.data, self._unchecked.ctypes.data
        policies = shape[0]
        side, flip, flip_counter = self.side, self.flip, FLIP
        by_area = self.shrink == "area"

        def decode(batch_indices, destination, metadata, storage_state):  # type: ignore[no-untyped-def]
            strengths = carray(pointer(strengths_at), shape, np.float64)  # type: ignore[call-arg]
            epoch = carray(pointer(epoch_at), (1,), np.uint64)[0]  # type: ignore[call-arg]
            damaged = carray(pointer(damaged_at), (1,), np.int64)  # type: ignore[call-arg]
            sums = carray(pointer(sums_at), (shape[1],), np.uint64)  # type: ignore[call-arg]
            unchecked = carray(pointer(unchecked_at), (shape[1],), np.bool_)  # type: ignore[call-arg]
            for slot in samples_of(len(batch_indices)):
                image = batch_indices[slot]
                field = metadata[image]
                data = read(field["data_ptr"], storage_state)
                height, width = np.int64(field["height"]), np.int64(field["width"])
                if unchecked[image]:
                    unchecked[image] = False
                    if sample_sum(data) != sums[image]:
                        damaged[0] = image
                if field["mode"] == jpg:
                    # FFCV would pin a picture's worth of memory for each place of five batches.
                    pixels = np.empty(3 * height * width, np.uint8)
                    failed = decode_jpeg(
                        data, pixels, height, width, height, width, 0, 0, 1, 1, False, False
                    )
                    if failed:
                        damaged[0] = image
                    picture = pixels.reshape(height, width, 3)
                else:
                    picture = data.reshape(height, width, 3)
                key = _image_key(epoch, np.uint64(image))
                mirrored = _uniform(key, flip_counter) < flip
                for k in range(policies):
                    low = strengths[k, image]
                    if mixed:
                        low = drawn_strength(key, low, shares[k], bounds[k], levels[k])
                    top, left, h, w = crop_box(key, height, width, low)
                    crop = destination[slot, k]
                    if by_area and h >= side and w >= side:
                        area_crop(picture, top, left, h, w, mirrored, crop)
                    else:
                        resize(picture, top, top + h, left, left + w, crop)
                        if mirrored:
                            mirror(crop)
            return destination[: len(batch_indices)]

        decode.is_parallel = True  # type: ignore[attr-defined]
        return decode


class PositionDecoder(IntDecoder):
    """Each sample's position in the .beton instead of a field's value: int64, shape [batch, 1].

    FFCV tells nobody which samples a batch holds; `image_keys` has to know. For one more output of
    a loader, under any name that is no field's::

        PipelineSpec("label", decoder=PositionDecoder(), transforms=[ToTensor(), Squeeze()])
    """

    def generate_code(self) -> Callable:
        def positions(batch_indices, destination, metadata, storage_state):  # type: ignore[no-untyped-def]
            for slot, image in enumerate(batch_indices):
                destination[slot] = image
            return destination[: len(batch_indices)]

        return positions
