"""Runs and their store: what a run is, where its results lie, and when they are still good.

A run's folder is named by a hash of all that decides its weights. A finished run is therefore found
again by any later job that wants it, and a changed setting leads to another folder, not to a stale
result.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from daclass.atomic import replacing, set_aside
from daclass.augment import Policy
from daclass.errors import InputError

CHECKSUM = "daclass.sha256"
"""Where a weights file says what `_checksum` gives for it."""
METRICS = "daclass.metrics"
"""Where it says the SHA-256 of the run's metrics.jsonl."""
SAID = ("daclass.run", "daclass.study", "daclass.seconds", METRICS)
"""What else it says: the run, the study, and the time that the run took."""


def fingerprint(rows: pd.DataFrame) -> str:
    """Hash of the pictures that `rows` of the index name: their ids, classes and contents."""
    content = rows[["image_id", "class_id", "content"]].to_csv(index=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Run:
    """A policy, a seed, and the hash of everything else that the weights depend on.

    Attributes:
        name: the policy's name in this study.
        policy: the strengths.
        seed: the run seed.
        settings: hash of the recipe and of the training pictures; of a fine-tuned run, its parent's
            key, which says that and more, and the hash of how it is fine-tuned.
        store: the folder that the run's own lies in.
        parent: the run whose weights a fine-tuned run starts from.
    """

    name: str
    policy: Policy
    seed: int
    settings: str
    store: Path
    parent: Run | None = None

    @property
    def key(self) -> str:
        content = json.dumps([self.policy.fingerprint, self.seed, self.settings])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def folder(self) -> Path:
        return self.store / f"seed{self.seed}-{self.key}"

    @property
    def weights(self) -> Path:
        return self.folder / "weights.safetensors"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def trained(self) -> bool:
        return self.weights.is_file()

    def describe(self) -> dict[str, Any]:
        return {
            "run": self.key,
            "seed": self.seed,
            "settings": self.settings,
            "policy": self.policy.as_dict(),
        }

    def save_weights(self, model: torch.nn.Module, config: str, seconds: float) -> None:
        """Write the final weights with the run, the study and the time it took inside, and drop the
        checkpoint.

        Args:
            config: the study as JSON.
            seconds: wall time that went into the run.

        Raises:
            InputError: they cannot be written; the checkpoint stays.
        """
        tensors = {k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}
        metadata = {
            "daclass.run": json.dumps(
                {**self.describe(), "name": self.name, "strength": str(self.policy.strength)}
            ),
            "daclass.study": config,
            "daclass.seconds": f"{seconds:.1f}",
        }
        if self.metrics.is_file():
            metadata[METRICS] = hashlib.sha256(self.metrics.read_bytes()).hexdigest()
        metadata[CHECKSUM] = _checksum(tensors, metadata)
        try:
            with replacing(self.weights) as partial:
                save_file(tensors, partial, metadata)
                with partial.open("rb") as file:
                    os.fsync(file.fileno())  # the checkpoint goes next, so these have to stay
        except (OSError, SafetensorError) as error:
            raise InputError(f"{self.weights}: cannot be written ({error})") from None
        self.checkpoint.unlink(missing_ok=True)

    @property
    def seconds(self) -> float:
        """Wall time that the trained run took, in all the processes that worked on it in turn.

        Raises:
            DamagedWeights: they are not what was written, or another run's.
        """
        return float(self._read()[1]["daclass.seconds"])

    def load_weights(self, model: torch.nn.Module) -> None:
        """Fill `model`.

        Raises:
            InputError: the weights are missing or of another network.
            DamagedWeights: they are not what was written, or another run's.
        """
        state, _ = self._read()
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            first = str(error).splitlines()[0]
            raise InputError(f"{self.weights}: cannot be used ({first})") from None

    def verify_metrics(self) -> None:
        """Hold the metrics of a trained run against what its weights say of them.

        Raises:
            InputError: they are not what was written.
            DamagedWeights: the weights are damaged.
        """
        told = self._read()[1].get(METRICS)  # weights of earlier versions have none
        if told not in {None, hashlib.sha256(self.metrics.read_bytes()).hexdigest()}:
            raise InputError(
                f"{self.metrics}: damaged (not what was written); no result is made from it: "
                f"remove it, or remove {self.folder} to have the study train this run again"
            )

    def verify(self) -> None:
        """Read the weights and hold them against their checksum and this run.

        Raises:
            InputError: they are missing.
            DamagedWeights: they are not what was written, or another run's.
        """
        self._read()

    def _read(self) -> tuple[dict[str, Tensor], dict[str, str]]:
        """The weights and what stands beside them in their file."""
        if not self.trained:
            raise InputError(f"{self.weights}: cannot be used (no such file)")
        try:
            with safe_open(self.weights, framework="pt") as file:
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
                metadata = dict(file.metadata())
            owner = json.loads(metadata["daclass.run"])["run"]
            float(metadata["daclass.seconds"])
            if unknown := set(metadata) - {*SAID, CHECKSUM}:
                raise ValueError(f"unknown {min(unknown)}")
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            what = " ".join(str(error).split())[:200]
            raise DamagedWeights(self, f"damaged ({what})") from None
        # Runs of before there were checksums have none.
        if metadata.get(CHECKSUM, _checksum(tensors, metadata)) != _checksum(tensors, metadata):
            raise DamagedWeights(self, "damaged (not what was written)")
        if owner != self.key:
            raise DamagedWeights(self, f"those of another run, {owner}")
        return tensors, metadata


class DamagedWeights(InputError):
    """A run's weights that cannot be trusted; by now they are set aside.

    Attributes:
        run: the run, which is to be trained again.
    """

    def __init__(self, run: Run, what: str) -> None:
        self.run = run
        super().__init__(
            f"{run.weights}: {what}, {set_aside(run.weights)}; the same command trains run "
            f"{run.name}, seed {run.seed}, again"
        )


def _checksum(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """SHA-256 of all that a weights file says, the checksum apart, in hex."""
    found = hashlib.sha256()
    said = {name: text for name, text in metadata.items() if name != CHECKSUM}
    found.update(json.dumps(said, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        found.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        found.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def plan_runs(
    recipe: str, pictures: str, policies: Mapping[str, Policy], seed: int, *stores: Path
) -> list[Run]:
    """The runs of one seed, one per policy; equal policies share a run.

    Args:
        recipe: digest of what decides the weights besides pictures, policy and seed.
        pictures: `fingerprint` of the training pictures of the seed's draw.
        stores: folders of runs. A run lies in the first that has it trained, else begun; a new one
            is for the first of all.
    """
    settings = f"{recipe}-{pictures}"
    return [
        _housed(Run(name, policy, seed, settings, stores[0]), stores)
        for name, policy in policies.items()
    ]


def plan_fine_tuning(
    recipe: str, policies: Mapping[str, Policy], parent: Run, *stores: Path
) -> list[Run]:
    """The runs that start from the weights of `parent`, one per policy, of the same seed.

    Args:
        recipe: digest of how they are fine-tuned.
        stores: as in `plan_runs`.
    """
    settings = f"{parent.key}-{recipe}"
    return [
        _housed(Run(name, policy, parent.seed, settings, stores[0], parent), stores)
        for name, policy in policies.items()
    ]


def _housed(run: Run, stores: Sequence[Path]) -> Run:
    places = [replace(run, store=store) for store in stores]
    trained = (place for place in places if place.trained)
    begun = (place for place in places if place.checkpoint.is_file())
    return next(chain(trained, begun), run)
