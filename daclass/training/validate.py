"""Accuracy on the validation pictures while training."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from daclass.training.batches import ValLoader
from daclass.training.devices import on_devices
from daclass.training.distributed import Crew
from daclass.training.trainee import Trainee


def accuracy(
    trainees: Sequence[Trainee], val: ValLoader, crew: Crew, flip: bool
) -> dict[Trainee, float]:
    """Top-1 accuracy of each run over all validation pictures, each counted once.

    Every process judges its part of the pictures; all have to call this together.
    """
    hits, seen = torch.zeros(len(trainees), dtype=torch.int64), torch.zeros((), dtype=torch.int64)
    devices = list(dict.fromkeys(trainee.device for trainee in trainees))
    for trainee in trainees:
        trainee.model.eval()
    with torch.inference_mode():
        for batch in on_devices(val, devices):
            for row, trainee in enumerate(trainees):
                pictures, labels, _ = batch[trainee.device]
                with trainee.autocast:
                    top = logits(trainee.seen, pictures[:, 0], flip).argmax(1)
                hits[row] += (top == labels).sum().cpu()
            seen += len(labels)
    for trainee in trainees:
        trainee.model.train()
    shares = crew.total(hits) / crew.total(seen)
    return dict(zip(trainees, shares.tolist(), strict=True))


def logits(network: nn.Module, pictures: Tensor, flip: bool) -> Tensor:
    """Logits in float32; with `flip`, the mean over each picture and its mirror image."""
    found = network(pictures).float()
    if flip:
        found = (found + network(pictures.flip(-1)).float()) / 2
    return found
