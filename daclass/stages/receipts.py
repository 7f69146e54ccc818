"""Receipts: what finished jobs say about themselves, and other JSON that stages write."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from daclass.atomic import replacing
from daclass.errors import InputError

SUM = "sum"
"""Where a receipt says what `_sum` gives for it."""


@dataclass(frozen=True)
class Receipt:
    """What a finished job says about itself.

    Attributes:
        digest: hash of all that decides the result; what follows went into it.
        files: SHA-256 of the files that it wrote, by `stage.Item.label`, and of those `beside`
            them, by label and name; folders have none.
        seconds: wall time that it took.
        made_with: versions of what it was made with.
    """

    digest: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    outside: Mapping[str, str] = field(default_factory=dict)
    jobs: Mapping[str, str] = field(default_factory=dict)
    version: int = 0
    packages: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    seconds: float = float("nan")
    made_with: Mapping[str, str] = field(default_factory=dict)


def file_sum(path: Path) -> str:
    """SHA-256 of a file, in hex; "" of a folder.

    Of a file with its checksum beside it, as ``sha256sum`` writes one, that: a .beton may have
    150 GB, and says itself whether a sample is damaged.

    Raises:
        InputError: it cannot be read.
    """
    beside = path.with_name(f"{path.name}.sha256")
    try:
        if path.is_dir():
            return ""
        if beside.is_file():
            return beside.read_text(encoding="utf-8", errors="replace").partition(" ")[0]
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def beside(path: Path) -> list[Path]:
    """The files that belong to one that a job wrote: the sums of a .beton; or to a folder of
    pictures: what says what they show."""
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.is_file())
    return [
        file
        for ending in (".sha256", ".sums.npy")
        if (file := path.with_name(f"{path.name}{ending}")).is_file()
    ]


def read_receipt(path: Path) -> Receipt:
    """A receipt that lies at `path`.

    Raises:
        InputError: it is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        told = content.pop(SUM, None)  # receipts of earlier versions have none
        receipt = Receipt(**content)
        if told in {None, _sum(receipt)}:
            return receipt
    except (TypeError, ValueError, AttributeError):
        pass
    raise InputError(f"{path}: damaged; remove it to have the job run again")


def write_receipt(receipt: Receipt, path: Path) -> None:
    write_record({**asdict(receipt), SUM: _sum(receipt)}, path)


def _sum(receipt: Receipt) -> str:
    """SHA-256 of all that a receipt says, in hex."""
    return hashlib.sha256(json.dumps(asdict(receipt), sort_keys=True).encode()).hexdigest()


def seconds_by_stage(receipts: Mapping[str, Receipt], training: float) -> dict[str, float]:
    """Seconds per stage, summed over its jobs.

    Args:
        receipts: by the job's name.
        training: seconds of all runs by their own account; a receipt tells those of the last
            process alone, and a training may have been interrupted.
    """
    seconds: dict[str, float] = {}
    for name, receipt in receipts.items():
        if math.isnan(receipt.seconds):
            continue
        stage = name.split(".")[0]
        seconds[stage] = round(seconds.get(stage, 0.0) + receipt.seconds, 1)
    return {**seconds, "train": round(training, 1)} if training else seconds


def read_record(path: Path) -> Any:
    """The content of a JSON file that a stage wrote.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); run the study first"
        ) from None
    except ValueError:
        raise InputError(f"{path}: damaged; remove it to have its stage run again") from None


def write_record(content: Any, path: Path) -> None:
    with replacing(path) as partial:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        partial.write_text(text + "\n", encoding="utf-8")
