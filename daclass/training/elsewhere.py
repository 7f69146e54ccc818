"""Networks for prediction that another study, or no study at all, has trained."""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors import SafetensorError, safe_open
from torch import nn

from daclass.config import Training
from daclass.errors import InputError
from daclass.training.initial import read_state
from daclass.training.models import build_model

COLUMNS = ("policy", "strength", "seed", "model", "weights")


@dataclass(frozen=True)
class Network:
    """A trained network and the place of its predictions in the table.

    Attributes:
        build: gives the network, which maps normalised pictures to logits.
        policy, strength, seed: what the analysis compares by; strength is NaN where none applies.
    """

    run: str
    policy: str
    strength: float
    seed: int
    build: Callable[[], nn.Module]


def read_networks(path: Path, training: Training, classes: int) -> list[Network]:
    """The networks that a CSV file lists, one per row.

    Columns: `policy` (the condition that the network belongs to) and `seed` (its number within the
    condition); `strength`, a number, optional; `model`, a name as in `training.model`, or
    `module:function`, which is called and gives a network; `weights`, a .safetensors file or a
    torch checkpoint below the CSV's folder. A weights file of daclass says itself what it is: the
    other columns may stay empty. Without weights, `module:function` has to load its own.

    Args:
        training: of the study; its networks are built as `training.model` and the like say.
        classes: that the pictures have.

    Raises:
        InputError: naming the row (counted as in a spreadsheet) and what is wrong with it.
    """
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{path}: not a readable CSV file ({error})") from None
    unknown = sorted(set(map(str, rows)) - set(COLUMNS))
    if unknown or rows.empty:
        what = f"unknown column {unknown[0]}" if unknown else "no rows"
        raise InputError(f"{path}: {what}; the columns are {', '.join(COLUMNS)}")
    networks = []
    for number, row in enumerate(rows.to_dict("records"), start=2):
        with _naming(f"{path}, row {number}"):
            network = _network(row, path.parent, training, classes)
        networks.append(replace(network, build=_naming(f"{path}, row {number}")(network.build)))
    runs = pd.Series([network.run for network in networks])
    if runs.duplicated().any():
        twice = int(runs.duplicated().argmax())
        raise InputError(f"{path}, row {twice + 2}: {runs[twice]} comes twice")
    return networks


def _network(row: Mapping[Any, str], folder: Path, training: Training, classes: int) -> Network:
    file = folder / row["weights"] if row.get("weights") else None
    trained, run = _written_by_daclass(file) if file else (None, {})
    policy = row.get("policy") or run.get("name", "")
    seed = row.get("seed") or run.get("seed", "")
    if not policy or seed == "":
        raise InputError("policy and seed are needed")
    strength = row.get("strength") or run.get("strength", math.nan)
    name = row.get("model", "")
    if file is None and ":" not in name:
        raise InputError("the column weights is needed, but for a module:function")

    def build() -> nn.Module:
        if ":" in name:
            model = _call(name)
        elif name or trained:
            recipe = training.model_copy(update={"model": name}) if name else trained
            assert recipe is not None
            model = build_model(recipe, classes)
        else:
            raise InputError(f"{file or policy}: the column model is needed")
        if file:
            load(model, file)
        return model

    return Network(f"{policy}-seed{seed}", policy, float(strength), int(seed), build)


@contextmanager
def _naming(place: str) -> Iterator[None]:
    """Say where in the table a fault lies."""
    try:
        yield
    except (InputError, ValueError) as error:
        raise InputError(f"{place}: {error}") from None


def _call(name: str) -> nn.Module:
    """What `module:function` gives; modules of the working directory are found."""
    module, _, function = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        model = getattr(importlib.import_module(module), function)()
    except (ImportError, AttributeError, TypeError) as error:
        raise InputError(f"model {name}: {error}") from None
    finally:
        sys.path.pop(0)
    if not isinstance(model, nn.Module):
        raise InputError(f"model {name}: gives a {type(model).__name__}, not a torch.nn.Module")
    return model


def _written_by_daclass(file: Path) -> tuple[Training | None, dict[str, Any]]:
    """The recipe and the run inside a weights file of daclass; nothing for other files."""
    try:
        with safe_open(file, framework="pt") as opened:
            metadata = opened.metadata() or {}
        return (
            Training.model_validate(json.loads(metadata["daclass.study"])["training"]),
            json.loads(metadata["daclass.run"]),
        )
    except (OSError, SafetensorError, KeyError, ValueError):
        return None, {}


def load(model: nn.Module, file: Path) -> None:
    """Fill `model` from a .safetensors file or a torch checkpoint, without unpickling code.

    Raises:
        InputError: the file is missing, damaged, holds code, or fits another network.
    """
    state = read_state(file)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{file}: cannot be used ({reason})") from None
