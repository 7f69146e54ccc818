# Which study, where its files lie, and what every rule shares.

import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from daclass import stages
from daclass.data.fingerprint import fingerprint
from daclass.errors import InputError
from daclass.config import Layout
from daclass.config.memory import predict_mb, train_mb
from daclass.plots.titles import ENDINGS, TITLES
from daclass.config import Study
from daclass.tables import VERSION

CONFIG = Path(config.get("study", "configs/demo.yaml"))
CHANGES = config.get("set") or []  # as a list, or as a shell would write it
CHANGES = shlex.split(CHANGES) if isinstance(CHANGES, str) else list(map(str, CHANGES))

try:
    STUDY = Study.load(CONFIG, CHANGES)
except InputError as error:
    raise WorkflowError(str(error))

FILES = Layout(STUDY.name, Path(config.get("results", "results")), Path(config.get("figures", "figures")))


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


def literal(paths):
    """Paths that may have braces in them, which are no wildcards."""
    return [str(path).replace("{", "{{").replace("}", "}}") for path in paths]


def log(stage):
    return str(FILES.results / "logs" / f"{stage}.log")


def times(stage):
    return str(FILES.times / f"{stage}.tsv")


def gpus(processes=1):
    """GPUs that a job computes on; none where no profile offers any (`resources: gpu`)."""
    offered = "gpu" in workflow.global_resources and STUDY.machine.device != "cpu"
    return STUDY.machine.devices * processes if offered else 0


def beton(split, draw):
    return FILES.beton(split, draw) if STUDY.training.loader == "ffcv" else []


def policy_files(phase):
    return [FILES.policy(phase, name) for name in STUDY.policy_names(phase)]


def trained(phase):
    return [FILES.trained(phase, seed) for seed in STUDY.seeds(phase)]


def parents(phase, seed):
    """The runs whose weights fine-tuning starts from."""
    return FILES.trained("interventions", seed) if phase == "fine_tuning" else []


def recipe(phase):
    """Hash of what the runs of a phase depend on, besides policy, seed and pictures."""
    added = [STUDY.digest("interventions.fine_tuning")] if phase == "fine_tuning" else []
    return "-".join([STUDY.training_digest(), *added])


def tables(*names):
    return [FILES.table(name) for name in names]


def evidence(*phases):
    return [*map(FILES.predictions, phases), *tables("index", "classes", "annotations")]


def findings():
    """What the summary reads."""
    return tables(*stages.table_names(STUDY))


def drawn():
    """What figures and report read."""
    return [
        *tables(*stages.drawn_names(STUDY)),
        *(FILES.policy("interventions", name) for name in STUDY.policy_names("interventions")),
    ]


def figure(stem, ending):
    """A figure's file; `snakemake --report` shows it with the caption that lies beside it."""
    file = str(FILES.figures / f"{stem}.{ending}")
    if ending != "svg":
        return file
    return report(
        file,
        caption=str((FILES.figures / f"{stem}.txt").absolute()),
        category=TITLES[stem].question,
        labels={"figure": TITLES[stem].text},
    )
