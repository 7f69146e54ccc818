"""What mixup and CutMix share: who is mixed with whom, and by how much.

The strength of a mix is that of the picture whose place in the batch it takes, the *host*; its
*partner*'s strength does not matter. A class-conditional policy therefore changes the places of the
classes that it names and no others; pictures of these classes still serve as partners of others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from daclass.augment.variates import PARTNER, Keys, uniform

if TYPE_CHECKING:
    from torch import Tensor


def partners(keys: Keys) -> npt.NDArray[np.int64]:
    """Position in the batch of each picture's partner, shape [n].

    The batch is put into a random circle by its keys and each picture is the partner of the next:
    torchvision pairs neighbours of the batch likewise, but there the pairs depend on its order.
    """
    circle = np.argsort(uniform(keys, PARTNER), kind="stable")
    found = np.empty(len(keys), np.int64)
    found[circle] = np.roll(circle, 1)
    return found


def host_shares(
    strengths: npt.NDArray[np.float64], variate: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The host's share of each mix, Beta(strength, strength) by inversion; 1 where that is 0."""
    mixed = strengths > 0
    shares = np.ones(len(strengths))
    shares[mixed] = betaincinv(strengths[mixed], strengths[mixed], variate[mixed])
    return shares


def mixed_targets(hosts: Tensor, partners: Tensor, shares: Tensor, classes: int) -> Tensor:
    """Targets of shape [n, classes]: the host's share at its class, the rest at its partner's."""
    import torch.nn.functional as F

    own, other = (F.one_hot(ids, classes).to(shares.dtype) for ids in (hosts, partners))
    return shares[:, None] * own + (1 - shares[:, None]) * other
