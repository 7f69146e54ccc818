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

from daclass.atomic import replacing
from daclass.augment import Policy
from daclass.errors import InputError


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
            "daclass.config": config,
            "daclass.seconds": f"{seconds:.1f}",
        }
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
            InputError: the weights are damaged.
        """
        try:
            with safe_open(self.weights, framework="pt") as file:
                return float(file.metadata()["daclass.seconds"])
        except (OSError, SafetensorError, KeyError, TypeError) as error:
            raise InputError(
                f"{self.weights}: damaged ({error}); remove it to train this run again"
            ) from None

    def load_weights(self, model: torch.nn.Module) -> None:
        """Fill `model`.

        Raises:
            InputError: the weights are missing, damaged or of another network.
        """
        try:
            with safe_open(self.weights, framework="pt") as file:
                state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
            model.load_state_dict(state)
        except (OSError, SafetensorError, RuntimeError) as error:
            first = str(error).splitlines()[0]
            raise InputError(f"{self.weights}: cannot be used ({first})") from None


def plan_runs(
    recipe: str, pictures: str, policies: Mapping[str, Policy], seed: int, *stores: Path
) -> list[Run]:
    """The runs of one seed, one a policy; equal policies share a run.

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
    """The runs that start from the weights of `parent`, one a policy, of the same seed.

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
