"""Rectangles of a batch's pictures, as masks."""

from __future__ import annotations

import torch
from torch import Tensor


def inside(boxes: Tensor, height: int, width: int) -> Tensor:
    """Which pixels lie in boxes of (top, left, height, width): bool, [n, 1, height, width]."""
    top, left, h, w = boxes.T[..., None]
    rows = torch.arange(height, device=boxes.device)
    columns = torch.arange(width, device=boxes.device)
    tall = (rows >= top) & (rows < top + h)
    wide = (columns >= left) & (columns < left + w)
    return (tall[:, :, None] & wide[:, None, :])[:, None]
