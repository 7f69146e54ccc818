"""Which epoch torch's loaders are in."""

from __future__ import annotations

import math
import os
import warnings

import numpy as np
import torch

from daclass.augment.variates import epoch_key


class Epoch:
    """The number of an epoch in shared memory, so that a new one reaches workers that go on.

    Args:
        study_seed, run_seed: as of `PolicyCrop`.
        samples: size of the data set.
    """

    def __init__(self, study_seed: int, run_seed: int, samples: int) -> None:
        self.seeds = (study_seed, run_seed)
        processes = max(1, int(os.environ.get("WORLD_SIZE") or 1))  # torchrun's
        self._pass = math.ceil(samples / processes)
        # The number, how many samples were asked for since it was set, whether that was said.
        self._number, self._asked, self._said = torch.zeros(3, 1, dtype=torch.int64).share_memory_()
        self.set(0)

    def set(self, number: int) -> None:
        epoch_key(*self.seeds, number)  # refuses what is no epoch
        self._number[0] = number
        self._asked[0] = 0

    @property
    def key(self) -> np.uint64:
        return epoch_key(*self.seeds, int(self._number[0]))

    def ask(self, count: int = 1) -> np.uint64:
        """The key for some samples that are about to be cropped.

        More of them than a pass over the data has are a second pass in the same epoch: it would see
        the crops of the first, so that is said, once.
        """
        self._asked += count
        if self._asked > self._pass and not self._said:
            self._said[0] = 1
            warnings.warn(
                f"epoch {int(self._number[0])} has given a whole pass over the data already, so "
                "these crops are the same again; call set_epoch(epoch) before every epoch",
                stacklevel=2,
            )
        return self.key
