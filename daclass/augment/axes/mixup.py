"""Mixup with a strength for each sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daclass.augment.axis import Axis
from daclass.augment.mixing import host_shares, mixed_targets, partners
from daclass.augment.variates import Keys, uniform

if TYPE_CHECKING:
    from torch import Tensor


def mixup(
    images: Tensor,
    labels: Tensor,
    strengths: npt.NDArray[np.float64],
    keys: Keys,
    classes: int,
) -> tuple[Tensor, Tensor]:
    """Blend each picture and its target with its partner's (Zhang et al. 2018).

    The host's share is drawn for each sample from Beta(alpha, alpha), alpha being the host's
    strength. Arguments and result are those of `batch.BatchOperation`.
    """
    import torch

    from daclass.augment.device import beside

    partner = beside(images, partners(keys))
    shares = beside(images, host_shares(strengths, uniform(keys, MIXUP.counter())))
    host = shares.view(-1, 1, 1, 1)
    return (
        torch.where(host == 1, images, host * images + (1 - host) * images[partner]),
        mixed_targets(labels, labels[partner], shares, classes),
    )


MIXUP = Axis(
    name="mixup",
    low=0.0,
    high=10.0,
    stronger="higher",
    identity=0.0,
    meaning="mixup's alpha, the parameter of the Beta distribution of mixing shares",
    label="mixup's alpha",
    draws=5,
    operation=mixup,
    mixes=True,
)
