"""Numbers drawn on the host, brought to where the pictures are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def beside(images: Tensor, values: npt.NDArray[Any]) -> Tensor:
    """`values` on the device of `images`; floats in the dtype of `images`, others as int64."""
    tensor = torch.from_numpy(np.ascontiguousarray(values))
    dtype = images.dtype if tensor.is_floating_point() else torch.int64
    return tensor.to(images.device, dtype, non_blocking=True)
