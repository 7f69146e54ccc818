"""Which commands and options there are; `daclass.cli` says what they do."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any, get_args

from daclass import __version__
from daclass.augment.told import DEFAULT_SIZE, parse_size
from daclass.command_help import GroupedHelp, PrintCompletion
from daclass.config import Phase
from daclass.stages import STAGES

WHICH: dict[str, dict[str, Any]] = {
    "phase": {
        "choices": get_args(Phase),
        "default": "sweep",
        "help": "which of the study's trainings",
    },
    "seed": {"type": int, "required": True, "help": "the run seed, one of the phase's"},
    "split": {
        "choices": ("train", "val"),
        "required": True,
        "help": "training or validation pictures",
    },
    "draw": {
        "type": int,
        "default": -1,
        "help": "the draw of the training pictures, from 0; -1 for the validation pictures",
    },
}
"""How a command is told which of a stage's jobs it does."""


COLUMNS = (
    "image",
    "prediction",
    "label",
    "model",
    "condition",
    "replicate",
    "probability",
    "scores",
)
"""Columns of predictions that the command line maps; a config maps all."""


def _add_analyze(command: argparse.ArgumentParser) -> None:
    """What `analyze` takes besides a config: files with predictions, and what their columns are."""
    command.add_argument(
        "files",
        nargs="*",
        type=Path,
        help="instead of a config, files with predictions: each is a condition, or each condition "
        "that a column names, or each model of one file",
    )
    for name in COLUMNS:
        command.add_argument(
            f"--{name}",
            dest=f"column_{name}",
            metavar="COLUMN",
            help=f"the column of the files that holds the {name}",
        )
    for name, about in (
        ("labels", "a file with the columns image and label, where the predictions hold no labels"),
        (
            "classes",
            "a file with a column name, in the order of class numbers, imagenet or wordnet",
        ),
        ("annotations", "a file with label sets, or real"),
        ("images", "a pattern for names of pictures, such as ILSVRC2012_val_{:08d}.JPEG"),
        ("images-root", "a folder with the pictures, of which the report shows a few"),
    ):
        command.add_argument(f"--{name}", help=about)
    command.add_argument(
        "--common", action="store_true", help="compare the pictures that all files have"
    )
    command.add_argument("--tested", help="the condition that is tested (default: the first)")
    command.add_argument("--reference", help="what it is compared with (default: the last)")
    command.add_argument("--name", help="of the study (default: the first file's)")
    command.add_argument(
        "--fail-if",
        action="append",
        default=[],
        metavar="RULE",
        help="end with status 3 where the rule holds, such as 'any class loses more than 5 points "
        "for certain'; may be given several times",
    )
    command.add_argument("--json", type=Path, help="write what the rules found as JSON")
    command.add_argument("--junit", type=Path, help="write it as JUnit's XML")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not words as a shell reads them ({error})"
        ) from None


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands; the documentation's list of commands is made from it."""
    parser = argparse.ArgumentParser(
        prog="daclass",
        description="Which classes a data augmentation hurts, how sure that is, why, and what to "
        "change.",
        formatter_class=GroupedHelp,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=("bash", "zsh", "tcsh"),
        help="print a script that completes commands and options in this shell",
    )
    commands = parser.add_subparsers(
        title="commands", dest="command", required=True, metavar="command"
    )
    about_schema = "Print the JSON schema of a study's config."
    commands.add_parser("schema", help=about_schema, description=about_schema)
    init = commands.add_parser(
        "init",
        help="Look at a folder of pictures and write a config for it.",
        description="Look at a folder of pictures, say what is there, and write a config that "
        "runs.",
    )
    init.add_argument(
        "folder", type=Path, help="holds train/<class>/ and val/<class>/, or <class>/ alone"
    )
    init.add_argument(
        "--labels",
        type=Path,
        metavar="CSV",
        help="says the classes of pictures that lie anywhere below the folder: a column for the "
        "picture (image, id, ...) and one for its class (label, class, ...) or one per class",
    )
    init.add_argument(
        "--picture", default="", metavar="COLUMN", help="the column of --labels with the pictures"
    )
    init.add_argument(
        "--label", default="", metavar="COLUMN", help="the column of --labels with the classes"
    )
    init.add_argument(
        "--pretrained", action="store_true", help="networks that start from published weights"
    )
    init.add_argument("-o", "--output", type=Path, metavar="CONFIG", help="default: <folder>.yaml")
    init.add_argument("--force", action="store_true", help="replace a config that exists")
    init.add_argument(
        "--seconds", type=float, default=60, help="how long to open pictures (default: %(default)g)"
    )

    unpack = commands.add_parser(
        "unpack-imagenet",
        help="Extract ImageNet's archives into folders by class.",
        description="Extract ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar into train/ and "
        "val/ beside them. An interrupted extraction goes on.",
    )
    unpack.add_argument("folder", type=Path, help="holds the archives and the devkit")
    unpack.add_argument(
        "--labels",
        type=Path,
        metavar="TXT",
        help="classes of the validation pictures, one per line, instead of the devkit: WordNet "
        "ids, or numbers from 0 in their order",
    )
    unpack.add_argument(
        "--no-check", dest="check", action="store_false", help="skip the archives' checksums"
    )

    about_policy = (
        "Read a policy's file and say what each class gets, what crops show then, and what trains "
        "with it."
    )
    policy = commands.add_parser("policy", help=about_policy, description=about_policy)
    policy.add_argument("policy", type=Path, help="a .yaml or .json file")
    policy.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="holds a folder per class; a class of the policy that is not there is refused",
    )
    policy.add_argument(
        "--size",
        type=parse_size,
        default=DEFAULT_SIZE,
        metavar="WIDTHxHEIGHT",
        help="of a picture in px, of which crops show a share (default: 400x350)",
    )

    def add(name: str, text: str | None) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("config", type=Path, help="the study's YAML file")
        command.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="SETTING=VALUE",
            help="change a setting, such as training.epochs=4; may be given several times",
        )
        for folder in ("results", "figures"):
            command.add_argument(
                f"--{folder}",
                type=Path,
                default=Path(folder),
                metavar="FOLDER",
                help=f"the study's {folder} lie in a folder of its name below this one",
            )
        return command

    study = add(
        "study",
        "Run what is not done yet of a study, from its pictures to its report, and say what it "
        "found. Stages that are up to date are not run again, and an interrupted training goes on "
        "where its last checkpoint is.",
    )
    study.add_argument(
        "--words",
        type=_words,
        default=[],
        metavar="TEXT",
        help="more settings in one text, in words as a shell reads them; `make` passes its SET so",
    )
    study.add_argument(
        "--interim",
        action="store_true",
        help="train nothing: report what the seeds say that are trained so far, in folders of its "
        "own (interim/ below the study's)",
    )
    study.add_argument("--cores", type=_count, help="for all jobs together (default: all)")
    study.add_argument(
        "--profile",
        help="where jobs run: local, slurm, or a folder with a Snakemake profile of your own "
        "(default: here)",
    )
    study.add_argument(
        "arguments", nargs="*", metavar="-- ARGUMENT", help="more arguments for Snakemake"
    )
    scouting = add(
        "scout",
        "Train a few networks in full, with seeds that the study does not use, and write the study "
        "that they speak for: its tested strength, the strengths worth training, and the number of "
        "seeds that finds a drop of --drop.",
    )
    scouting.add_argument(
        "--seeds", type=_count, default=2, help="of scouting's own (default: %(default)s)"
    )
    scouting.add_argument(
        "--drop",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="the drop of a class's accuracy that the study is to find (default: %(default)g)",
    )
    scouting.add_argument(
        "-o", "--output", type=Path, metavar="CONFIG", help="default: <config>.scouted.yaml"
    )
    scouting.add_argument("--force", action="store_true", help="replace a config that exists")
    scouting.add_argument("--cores", type=_count, help="for all jobs together (default: all)")
    scouting.add_argument("--profile", help="where jobs run, as of `study`")
    add("check", "Check a study's config.")
    plan = add("plan", "Print what a study still costs: runs, hours, disk, and jobs with reasons.")
    plan.add_argument(
        "--measure",
        type=float,
        nargs="?",
        const=10.0,
        metavar="SECONDS",
        help="time real training steps on this machine, for 10 seconds where not given",
    )
    plan.add_argument(
        "--sizes",
        type=_count,
        nargs=3,
        metavar=("TRAIN", "VAL", "CLASSES"),
        help="training pictures of a draw, validation pictures and classes, where the pictures are "
        "not here to be counted",
    )
    add(
        "verify",
        "Check all that a study has stored against its checksums; set aside what is damaged.",
    )
    add("headline", "Print the most important numbers of a finished study.")
    _add_analyze(
        add(
            "analyze",
            "Run a whole study of predictions, from the files to the report, in this process.",
        )
    )
    for stage in STAGES.values():
        command = add(stage.name, stage.about)
        for field in stage.which:
            command.add_argument(f"--{field}", **WHICH[field])
        if stage.name == "predict":
            command.add_argument(
                "--networks",
                type=Path,
                metavar="CSV",
                help="predict with these networks instead of the study's runs: columns policy, "
                "strength, seed, model (as in training.model, or module:function) and weights (a "
                "file)",
            )
            command.add_argument(
                "--output",
                type=Path,
                help="where --networks' predictions go, a .parquet or .csv file, which a study of "
                "predictions can read",
            )
    return parser
