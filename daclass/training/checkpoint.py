"""Checkpoints: the state of a run in training, on disk whole or not at all."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from daclass.atomic import replacing, set_aside
from daclass.errors import InputError
from daclass.training.runs import Run


def save_checkpoint(run: Run, state: Mapping[str, Any]) -> None:
    """Replace the run's checkpoint; the earlier one stays until this one is complete on the disk.

    Raises:
        InputError: it cannot be written, because the disk is full for example.
    """
    content = io.BytesIO()  # torch has no word for a full disk
    torch.save({"run": run.key, **run.describe(), **state}, content)
    try:
        with replacing(run.checkpoint) as partial, partial.open("wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(
            f"{run.checkpoint}: cannot be written ({error.strerror}); an earlier checkpoint is "
            "kept, and the same command goes on from it"
        ) from None


def load_checkpoint(run: Run) -> dict[str, Any] | None:
    """The state of an interrupted run; None where there is none.

    Raises:
        InputError: the file is damaged, and now set aside, or was written with other settings.
    """
    if not run.checkpoint.is_file():
        return None
    try:
        check_sums(run.checkpoint)
        state = torch.load(run.checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen kinds for damaged files
        raise InputError(
            f"{run.checkpoint}: damaged ({type(error).__name__}), {set_aside(run.checkpoint)}; the "
            "same command trains this run from the start"
        ) from None
    expected = {"run": run.key, **run.describe()}
    changed = [key for key, value in expected.items() if state.get(key) != value]
    if changed:
        raise InputError(
            f"{run.checkpoint}: belongs to another run (another {changed[-1]}); remove it to train "
            "this run from the start"
        )
    return dict(state)


def check_sums(checkpoint: Path) -> None:
    """Hold every part of a checkpoint against its CRC-32, which torch writes and never reads.

    Raises:
        zipfile.BadZipFile: a part, or the list of parts, is damaged.
    """
    with zipfile.ZipFile(checkpoint) as parts:
        damaged = parts.testzip()
    if damaged:
        raise zipfile.BadZipFile(damaged)
