"""The command line: `daclass <stage> <config>`, for Snakemake's rules and for people."""

from __future__ import annotations

import argparse
import errno
import json
import logging
import os
import shlex
import signal
import sys
import textwrap
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from daclass import __version__
from daclass.atomic import replacing
from daclass.augment.errors import AugmentError
from daclass.command_help import GroupedHelp, PrintCompletion
from daclass.config import Layout, Phase, Study
from daclass.errors import InputError, printable
from daclass.predictions import write_predictions
from daclass.stages import STAGES, Jobs, Of, jobs_of
from daclass.stages.stage import files, record, table
from daclass.tables import with_readable_names

if TYPE_CHECKING:
    from daclass.data.survey import Survey

# What the machine refuses, rather than what daclass does wrong.
SURROUNDINGS = {
    errno.EACCES, errno.EDQUOT, errno.EEXIST, errno.EFBIG, errno.EIO, errno.EISDIR, errno.ELOOP,
    errno.EMFILE, errno.ENAMETOOLONG, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS,
}  # fmt: skip


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 2 after bad input or where the machine refuses, or 3
    where a rule of --fail-if holds; 141 where nobody reads what it prints any more."""
    try:
        try:
            return _main(make_parser().parse_args(arguments))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # as by `| head`; what is still to be printed goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _main(options: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        if options.command == "schema":
            print(json.dumps(Study.model_json_schema(), indent=2))
        elif options.command == "init":
            _init(options)
        elif options.command == "unpack-imagenet":
            from daclass.data.ilsvrc import unpack

            unpack(options.folder, options.labels, options.check)
        else:
            return _run(options)
    except (InputError, AugmentError) as error:
        print(printable(f"daclass: {error}"), file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(
            f"daclass: {options.command} needs {error.name}, which is not installed; "
            "pip install 'daclass[train,ffcv]', or set training.loader: torchvision",
            file=sys.stderr,
        )
        return 2
    except OSError as error:
        if error.errno not in SURROUNDINGS:  # what nobody reads, for one, is no fault
            raise
        what = f"daclass: {error.filename or error}: {os.strerror(error.errno)}"
        print(printable(what), file=sys.stderr)
        return 2
    return 0


def _run(options: argparse.Namespace) -> int:
    options.set += getattr(options, "words", [])
    study = study_of(options)
    layout = Layout(study.name, options.results, options.figures)
    match options.command:
        case "check":
            from daclass.check import check
            from daclass.realised import known_sizes, view_lines

            for lack in check(study):
                print(f"! {lack}")
            print(f"{options.config}: study {study.name}, fine")
            if sizes := known_sizes(study):
                print("\n".join(view_lines(study, sizes)))
        case "plan":
            from daclass.plan import plan

            print(
                plan(
                    study,
                    layout,
                    options.config,
                    options.set,
                    measure=options.measure,
                    sizes=options.sizes,
                )
            )
        case "predict" if options.networks:
            _predict_networks(study, layout, options)
        case "verify":
            from daclass.stages.verify import verify

            verify(jobs_of(study, layout, look=True))
        case "headline":
            _print_headline(jobs_of(study, layout))
        case "study":
            _print_headline(_study(study, layout, options))
        case "scout":
            _scout(study, layout, options)
        case "analyze":
            return _analyze(study, layout, options)
        case name:
            which = {field: getattr(options, field) for field in STAGES[name].which}
            jobs_of(study, layout).get(name, Of(**which)).run()
    return 0


def study_of(options: argparse.Namespace) -> Study:
    """The study of a config; for `analyze`, also of files with predictions."""
    if options.command != "analyze" or options.config.suffix.lower() in CONFIGS:
        return Study.load(options.config, options.set)
    from daclass.data.predictions.plain import study_of_files

    if options.set:
        raise InputError("--set: changes a config; there is none here")
    return study_of_files(
        [options.config, *options.files],
        {name: str(value)
         for name in ("labels", "classes", "annotations", "images", "images_root")
         if (value := getattr(options, name)) is not None}
        | {"columns": {name: value for name in COLUMNS
                       if (value := getattr(options, f"column_{name}")) is not None}}
        | ({"pictures": "common"} if options.common else {}),
        tested=options.tested, reference=options.reference, name=options.name,
    )  # fmt: skip


def _analyze(study: Study, layout: Layout, options: argparse.Namespace) -> int:
    """From files to the report; then the rules of --fail-if, whose breach has its own status."""
    from daclass import gate

    rules = [gate.Rule.parse(text) for text in options.fail_if]
    if study.sweep:
        raise InputError(f"{options.config}: trains networks; `daclass study` runs it")
    config = options.config
    plain = config.suffix.lower() not in CONFIGS
    if plain:
        config = layout.results / "study.yaml"
        study.keep_origin(config)
    jobs = jobs_of(study, layout, look=True)
    for job in jobs:
        if job.why():
            job.run()
    if plain:
        with replacing(config) as partial:
            partial.write_text(study.as_yaml(), encoding="utf-8")
    _print_headline(jobs)
    if not rules:
        return 0
    tables = {name: jobs.read(table(name)) for name in ("effects", "explained", "classes")}
    tables["classes"] = with_readable_names(tables["classes"])
    verdicts = gate.judge(rules, tables, study.analysis.affected.q)
    if options.json:
        gate.write_json(verdicts, options.json)
    if options.junit:
        gate.write_junit(verdicts, options.junit)
    print()
    for verdict in verdicts:
        print(f"{verdict.reason}")
    return gate.FAILED if any(verdict.broken for verdict in verdicts) else 0


def _predict_networks(study: Study, layout: Layout, options: argparse.Namespace) -> None:
    """Predict with networks from elsewhere; what they are goes into the file that is asked for."""
    from daclass.analysis.cells import one_view
    from daclass.stages.data import root_of, written
    from daclass.stages.stage import files, table
    from daclass.stages.training import predict_networks

    if options.output is None:
        raise InputError("predict --networks: --output names the file for the predictions")
    jobs = jobs_of(study, layout)
    ffcv = study.training.loader == "ffcv"
    made = predict_networks(
        study,
        options.networks,
        jobs.read(table("index")),
        jobs.read(table("classes")),
        jobs.read(files("beton", "val", -1)) if ffcv else None,
        root_of(study, jobs.read(files("pictures")) if written(study) else None),
    )
    if options.output.suffix == ".csv":
        made = one_view(made, study.training.val_crop)
    write_predictions(made, options.output)


def _study(study: Study, layout: Layout, options: argparse.Namespace) -> Jobs:
    """Run what is not done yet of a study, from its pictures to its report, and say what it found.

    Stages that are up to date are not run again, and an interrupted training goes on where its last
    checkpoint is.
    """
    from daclass.workflow import run_study, with_loader_that_is_there

    changes = with_loader_that_is_there(study, options.set)
    study = Study.load(options.config, changes)
    run_study(
        study,
        layout,
        options.config,
        changes,
        cores=options.cores,
        profile=options.profile,
        arguments=options.arguments,
    )
    return jobs_of(study, layout)


def _scout(study: Study, layout: Layout, options: argparse.Namespace) -> None:
    """Train a few networks in full, with seeds that the study does not use, and write the study
    that they speak for: its tested strength, the strengths worth training, and the number of seeds
    that finds a drop of --drop.
    """
    from daclass.scout import report, scout, write
    from daclass.workflow import run_study, with_loader_that_is_there

    config = options.output or options.config.with_suffix(".scouted.yaml")
    if config.exists() and not options.force:
        raise InputError(f"{config}: exists already; --force replaces it, -o takes another name")
    study = Study.load(options.config, with_loader_that_is_there(study, options.set))

    def train(trial: Study, file: Path) -> None:
        where = Layout(trial.name, layout.results_root, layout.figures_root)
        run_study(
            trial,
            where,
            file,
            [],
            cores=options.cores,
            profile=options.profile,
            arguments=[str(where.table("predictions", "sweep"))],
        )

    found = scout(study, layout, options.seeds, options.drop, train)
    write(study, found, options.drop, config)
    print(f"\n{report(study, found, options.drop)}\n\nWritten: {config}")


def _init(options: argparse.Namespace) -> None:
    """Look at a folder of pictures, say what is there, and write a config that runs."""
    from daclass.augment.pictures import shrunk
    from daclass.data.draft import draft, report, study_name
    from daclass.data.labels import draft_labels
    from daclass.data.survey import survey
    from daclass.realised import view_lines

    config = options.output or Path(f"{study_name(options.folder)}.yaml")
    if config.is_dir():
        raise InputError(f"{config}: is a folder; -o takes the name of a file")
    if config.exists() and not options.force:
        raise InputError(f"{config}: exists already; --force replaces it, -o takes another name")
    labels = draft_labels(options.labels) if options.labels else None
    found = survey(options.folder, options.seconds, labels)
    print(report(found))
    with replacing(config) as partial:
        text = draft(found, config, pretrained=options.pretrained)
        partial.write_text(text, encoding="utf-8")
        drafted = Study.load(partial)
        threads = _threads(drafted, found)
        text = draft(found, config, threads, pretrained=options.pretrained)
        partial.write_text(text, encoding="utf-8")
    limit = drafted.beton.max_resolution
    sides = zip(found.widths, found.heights, strict=True)
    sizes = [shrunk(width, height, limit)[::-1] for width, height in sides]
    print("\n".join(view_lines(drafted, sizes)))
    print(f"\nWritten: {config}. Look it through, then: daclass study {shlex.quote(str(config))}")


def _threads(study: Study, found: Survey) -> int:
    """Threads of one training job, measured where there is a choice and something to train with."""
    if not all(map(find_spec, ("torch", "timm", "safetensors"))):
        return 1
    from daclass.plan.counts import Counts
    from daclass.plan.threads import best_threads

    sizes = [int((found.kept["split"] == split).sum()) for split in ("train", "val")]
    counts = Counts(sizes[0], sizes[1], len(found.classes), "the survey")
    return best_threads(study, counts, len(os.sched_getaffinity(0)))


def _print_headline(jobs: Jobs) -> None:
    from daclass.wording.answers import short_answers
    from daclass.wording.decision import decision_headline, decision_reasons

    content = jobs.read(record("summary"))
    print(f"\n{content['title'] or content['study']}")
    for answer in short_answers(content):
        print(textwrap.fill(answer.line(), 100, initial_indent="  ", subsequent_indent="      "))
    policy = jobs.layout.policy("interventions", content["decision"]["policy"])
    told = {**content, "decision": {**content["decision"], "file": str(policy)}}
    print()
    print(textwrap.fill(decision_headline(told), 100))
    for reason in decision_reasons(told):
        print(textwrap.fill(reason, 100, break_long_words=False, break_on_hyphens=False))
    print(f"\nReport: {jobs.read(files('report')).resolve()}")


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not words as a shell reads them ({error})"
        ) from None


CONFIGS = (".yaml", ".yml")
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
        ("classes", "a file with the columns name and path, imagenet or wordnet"),
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
        description=_init.__doc__,
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
        help="classes of the validation pictures, one a line, instead of the devkit: WordNet ids, "
        "or numbers from 0 in their order",
    )
    unpack.add_argument(
        "--no-check", dest="check", action="store_false", help="skip the archives' checksums"
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

    study = add("study", " ".join((_study.__doc__ or "").split()))
    study.add_argument(
        "--words",
        type=_words,
        default=[],
        metavar="TEXT",
        help="more settings in one text, in words as a shell reads them; `make` passes its SET so",
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
    scouting = add("scout", " ".join((_scout.__doc__ or "").split()))
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


if __name__ == "__main__":
    sys.exit(main())
