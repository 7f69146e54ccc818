"""What is wrong with a study before it runs: what it will be refused for, and what is not here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from daclass.config import FolderData, PetriData, PredictionsData, Study
from daclass.errors import InputError


def check(study: Study) -> list[str]:
    """Look at what a study asks for beyond its settings: its network, its files, this machine.

    Returns:
        What this machine lacks, in a line each: studies are checked on login nodes as well.

    Raises:
        InputError: training would be refused on any machine: there is no such network, or a file or
            folder that the study names is not there.
    """
    _files(study)
    return [] if study.sweep is None else list(_training(study))


def _files(study: Study) -> None:
    data = study.data
    if not isinstance(data, PetriData | PredictionsData) and not data.root.exists():
        raise InputError(f"data.root: {data.root}: no such folder")
    if isinstance(data, FolderData):
        for split in data.splits:
            if not (data.root / split).is_dir():
                raise InputError(f"data.root: {data.root} has no folder {split}")
    for file in data.input_files():
        if not Path(file).exists():
            raise InputError(f"{file}: no such file")


def _training(study: Study) -> Iterator[str]:
    if study.training.loader == "ffcv" and find_spec("ffcv") is None:
        yield "training.loader: FFCV is not installed here; torchvision in its place needs none"
    if find_spec("torch") is None:
        yield "PyTorch is not installed here: the network's name is not checked"
        return
    import torch

    from daclass.training.models import build_model

    with torch.device("meta"):  # shapes alone, no numbers: a moment for any network
        build_model(study.training, 2)
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    device, _, number = study.machine.device.partition(":")
    wanted = int(number) + 1 if number else study.machine.devices
    if device == "cuda" and wanted > there:
        yield f"machine.device: {study.machine.device}: {there or 'no'} usable GPUs here"
    elif study.training.precision == "float16" and not there:
        yield "training.precision: float16 needs a GPU, and there is none here"
