"""What Snakemake would run, and why: its own dry run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from daclass.config import Layout
from daclass.errors import InputError

CHECKOUT = Path(__file__).parents[2]
"""The repository, where daclass runs from one: the workflow is no part of the package."""


@dataclass(frozen=True)
class Job:
    """A job that is to run.

    Attributes:
        rule: the stage.
        reason: Snakemake's, such as "Missing output files: ...".
    """

    rule: str
    reason: str


def jobs(config: Path, changes: Sequence[str], layout: Layout) -> list[Job]:
    """The jobs of a dry run, in the order of their rules.

    Raises:
        InputError: the workflow is not here, or Snakemake refuses the study.
    """
    snakefile = CHECKOUT / "Snakefile"
    if not snakefile.is_file():
        raise InputError("the workflow is in daclass's repository, not in the installed package")
    if find_spec("snakemake") is None:
        raise InputError("Snakemake is not installed; pip install 'daclass[workflow]'")
    command = [
        sys.executable, "-m", "snakemake", "--dry-run", "--nocolor", "--quiet", "host",
        "--snakefile", str(snakefile),
        "--workflow-profile", str(CHECKOUT / "workflow" / "profiles" / "default"),
        "--config", f"study={config}", f"set={json.dumps(list(changes))}",
        f"results={layout.results_root}", f"figures={layout.figures_root}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise InputError(f"snakemake --dry-run: {' '.join(said[-6:])}")
    return read_dry_run(done.stdout + done.stderr)


def read_dry_run(text: str) -> list[Job]:
    """The jobs that Snakemake's output names."""
    found = re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)*)", text, re.MULTILINE)
    reasons = [re.search(r"^    reason: (.*)$", block, re.MULTILINE) for _, block in found]
    return [
        Job(rule, shorten(reason[1]) if reason else "")
        for (rule, _), reason in zip(found, reasons, strict=True)
        if rule != "all"
    ]


def shorten(reason: str) -> str:
    """Snakemake's reason with one file of each list. That the input is remade says something only
    where it is the whole reason."""
    parts = reason.split("; ")
    own = [part for part in parts if not part.startswith("Input files updated by another job")]
    return "; ".join(_first_of_list(part) for part in own or parts)


def _first_of_list(part: str) -> str:
    what, colon, listed = part.partition(": ")
    files = sorted(listed.split(", "))
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{what}{colon}{files[0]}{more}"
