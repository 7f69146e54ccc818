"""An FFCV decoder that gives several central squares of each picture from one JPEG decode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from ffcv.fields.rgb_image import IMAGE_MODES, SimpleRGBImageDecoder
from ffcv.libffcv import imdecode, resize_crop
from ffcv.pipeline.allocation_query import AllocationQuery
from ffcv.pipeline.compiler import Compiler
from ffcv.pipeline.state import State
from numba import carray

from daclass.augment import AugmentError
from daclass.augment.decoder import pointer
from daclass.augment.sums import sample_sum


class ViewsDecoder(SimpleRGBImageDecoder):
    """Central squares as FFCV's `CenterCropRGBImageDecoder` cuts them: [views, side, side, 3].

    Args:
        side: height and width of the squares as they come, in px.
        shares: sides of the squares as shares of the picture's shorter side, in (0, 1].
        sums: what `sums.read_sums` gives; None checks nothing.
    """

    def __init__(
        self, side: int, shares: Sequence[float], sums: npt.NDArray[np.uint64] | None
    ) -> None:
        super().__init__()
        self.side, self.sums = side, sums
        self.shares = np.array(shares, np.float64)
        self._damaged = np.full(1, -1, np.int64)

    def check(self) -> None:
        """See whether all samples so far were what was written and could be decoded.

        Raises:
            AugmentError: one was not; it is named.
        """
        if self._damaged[0] >= 0:
            raise AugmentError(f"sample {self._damaged[0]} of the .beton is damaged")

    def declare_state_and_memory(self, previous_state: State) -> tuple[State, AllocationQuery]:
        shape, dtype = (len(self.shares), self.side, self.side, 3), np.dtype("<u1")
        state = replace(previous_state, jit_mode=True, shape=shape, dtype=dtype)
        return state, AllocationQuery(shape, dtype)

    def generate_code(self) -> Callable:
        jpg = IMAGE_MODES["jpg"]
        read = self.memory_read
        samples_of = Compiler.get_iterator()
        decode_jpeg = Compiler.compile(imdecode)
        resize = Compiler.compile(resize_crop)
        shares, checked = tuple(self.shares.tolist()), self.sums is not None
        self._kept = np.zeros(1, np.uint64) if self.sums is None else self.sums
        sums_at, samples = self._kept.ctypes.data, len(self._kept)
        damaged_at = self._damaged.ctypes.data

        def decode(batch_indices, destination, metadata, storage_state):  # type: ignore[no-untyped-def]
            sums = carray(pointer(sums_at), (samples,), np.uint64)  # type: ignore[call-arg]
            damaged = carray(pointer(damaged_at), (1,), np.int64)  # type: ignore[call-arg]
            for slot in samples_of(len(batch_indices)):
                image = batch_indices[slot]
                field = metadata[image]
                data = read(field["data_ptr"], storage_state)
                height, width = np.int64(field["height"]), np.int64(field["width"])
                if checked and sample_sum(data) != sums[image]:
                    damaged[0] = image
                if field["mode"] == jpg:
                    pixels = np.empty(3 * height * width, np.uint8)
                    failed = decode_jpeg(
                        data, pixels, height, width, height, width, 0, 0, 1, 1, False, False
                    )
                    if failed:
                        damaged[0] = image
                    picture = pixels.reshape(height, width, 3)
                else:
                    picture = data.reshape(height, width, 3)
                for view in range(len(shares)):
                    crop = int(shares[view] * min(height, width))
                    top, left = (height - crop) // 2, (width - crop) // 2
                    resize(picture, top, top + crop, left, left + crop, destination[slot, view])
            return destination[: len(batch_indices)]

        decode.is_parallel = True  # type: ignore[attr-defined]
        return decode
