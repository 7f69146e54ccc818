"""A whole study: snakemake --config study=configs/demo.yaml"""

import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from daclass import stages
from daclass.errors import InputError
from daclass.layout import Layout
from daclass.study import Study

CONFIG = Path(config.get("study", "configs/demo.yaml"))
CHANGES = shlex.split(str(config.get("set", "")))

try:
    STUDY = Study.load(CONFIG, CHANGES)
except InputError as error:
    raise WorkflowError(str(error))

FILES = Layout(STUDY.name, Path(config.get("results", "results")), Path(config.get("figures", "figures")))


def daclass(stage, *arguments):
    """The shell command of a stage; its messages go to the terminal and to the rule's log."""
    paths = [f"--results={FILES.results_root}", f"--figures={FILES.figures_root}"]
    changes = [f"--set={change}" for change in CHANGES]
    words = [sys.executable, "-m", "daclass", stage, str(CONFIG), *paths, *changes]
    return " ".join([*map(shlex.quote, words), *arguments, "2>&1 | tee {log:q}"])


def log(stage):
    return str(FILES.results / "logs" / f"{stage}.log")


def times(stage):
    return str(FILES.times / f"{stage}.tsv")


wildcard_constraints:
    stage="sweep|interventions",
    seed=r"\d+",
    draw=r"\d+",


rule all:
    input:
        FILES.report,
        FILES.summary,


include: "workflow/rules/data.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/report.smk"
