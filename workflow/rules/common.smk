# Which study, where its files lie, and what every rule shares.

import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from daclass.errors import InputError
from daclass.config.memory import predict_mb, train_mb
from daclass.plots.titles import TITLES
from daclass.stages import STAGES, Of, jobs_of
from daclass.stages.stage import each
from daclass.config import Layout, Study

CONFIG = Path(config.get("study", "configs/demo.yaml"))
CHANGES = config.get("set") or []  # as a list, or as a shell would write it
CHANGES = shlex.split(CHANGES) if isinstance(CHANGES, str) else list(map(str, CHANGES))

try:
    STUDY = Study.load(CONFIG, CHANGES)
except InputError as error:
    raise WorkflowError(str(error))

# The main process looks at outside files; its jobs believe what it saw.
FILES = Layout(STUDY.name, Path(config.get("results", "results")), Path(config.get("figures", "figures")))
JOBS = jobs_of(STUDY, FILES, look=workflow.is_main_process)

onstart:
    JOBS.outside.keep()



def daclass(stage, *arguments, processes=1):
    """The shell command of a stage; its messages go to the terminal and to the rule's log.

    More than one process is torchrun's business. Slurm sends SIGTERM to every process of a job: the
    shell and tee outlive it, because Slurm kills what is left, a training that is writing its
    checkpoint, as soon as Snakemake sees the shell end.
    """
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    paths = [f"--results={FILES.results_root}", f"--figures={FILES.figures_root}"]
    changes = [f"--set={change}" for change in CHANGES]
    launcher = torchrun if processes > 1 else []
    words = [sys.executable, *launcher, "-m", "daclass", stage, str(CONFIG), *paths, *changes]
    tee = "2>&1 | (trap '' TERM INT; exec tee {log:q})"
    # Snakemake fills in braces; those of a setting stay.
    quoted = [shlex.quote(word).replace("{", "{{").replace("}", "}}") for word in words]
    return " ".join(["trap : TERM;", *quoted, *arguments, tee])


def job(stage, **which):
    """A job of the study, by its stage and the wildcards that tell it apart."""
    return JOBS.get(stage, Of(**{name: int(x) if x.lstrip("-").isdigit() else x for name, x in which.items()}))


def has(stage):
    """Whether the study has the stage at all."""
    return bool(STAGES[stage].jobs(STUDY))


def receipt(stage):
    return str(job(stage).receipt_path)


def reads(stage, **which):
    """What a stage reads: from its declaration, as all that follows."""
    return list(map(str, job(stage, **which).inputs()))


def writes(stage, **which):
    return list(map(str, job(stage, **which).outputs()))


def pattern(stage, **which):
    """What a stage writes, where wildcards tell its jobs apart."""
    items = [item for given in STAGES[stage].writes(STUDY, Of(**which)).values() for item in each(given)]
    return [*(str(item.path(FILES)) for item in items), str(FILES.receipts / f"{name(stage, **which)}.json")]


def digest(stage, **which):
    """All that decides the result: with another digest the stage runs again."""
    return job(stage, **which).digest


def name(stage, **which):
    return ".".join(part for part in (stage, str(Of(**which))) if part)


def log(stage):
    return str(FILES.results / "logs" / f"{stage}.log")


def gpus(processes=1):
    """Resources: the GPUs that a job computes on; none where no profile offers any (`gpu`)."""
    offered = "gpu" in workflow.global_resources and STUDY.machine.device != "cpu"
    number, model = STUDY.machine.devices * processes, STUDY.machine.gpu_model
    return {"gpu": number if offered else 0, **({"gpu_model": model} if model and offered else {})}


def figure(path):
    """A figure's file; `snakemake --report` shows it with the caption that lies beside it."""
    if path.suffix != ".svg":
        return str(path)
    return report(
        str(path),
        caption=str(path.with_suffix(".txt").absolute()),
        category=TITLES[path.stem].question,
        labels={"figure": TITLES[path.stem].text},
    )
