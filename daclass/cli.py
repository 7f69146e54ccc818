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
from typing import TYPE_CHECKING

from daclass.atomic import replacing
from daclass.augment.errors import AugmentError
from daclass.commands import COLUMNS, make_parser
from daclass.config import Layout, Study
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


CONFIGS = (".yaml", ".yml")
"""Endings of configs; `analyze` takes other files for predictions."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 2 after bad input or where the machine refuses, or 3
    where a rule of --fail-if holds; 141 where nobody reads what it prints any more."""
    try:
        try:
            return _main(_options(sys.argv[1:] if arguments is None else list(arguments)))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # as by `| head`; what is still to be printed goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _options(words: list[str]) -> argparse.Namespace:
    """The words' options; all that follows the -- of `study` is Snakemake's.

    argparse gives a list of arguments its share at the first other argument, so that what follows
    an option and -- would be one argument too many.
    """
    cut = words.index("--") if words[:1] == ["study"] and "--" in words else len(words)
    options = make_parser().parse_args(words[:cut])
    if words[cut:]:
        options.arguments = words[cut + 1 :]
    return options


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
        elif options.command == "policy":
            _policy(options)
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
            from daclass.check import read_files
            from daclass.plan import plan

            read_files(study)
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
    """Run what is not done yet of a study, through Snakemake; or report on what is trained."""
    from daclass.stages.interim import interim
    from daclass.workflow import run_study, with_loader_that_is_there

    changes = with_loader_that_is_there(study, options.set)
    study = Study.load(options.config, changes)
    if options.interim:
        return interim(study, layout)
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
            arguments=[
                "--",
                str(where.table("predictions", "sweep")),
                str(where.table("annotations")),
            ],
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
    named = options.picture or options.label
    if named and not options.labels:
        raise InputError(f"--picture and --label name columns of --labels; {named} has no file")
    columns = (options.picture, options.label)
    labels = draft_labels(options.labels, *columns) if options.labels else None
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


def _policy(options: argparse.Namespace) -> None:
    """Say what a policy asks for; with pictures, whether their classes are the policy's."""
    from daclass.augment.policy import Policy
    from daclass.augment.told import policy_lines

    policy = Policy.load(options.policy)
    lines = [f"{options.policy}: fine", *policy_lines(policy, options.size)]
    if options.pictures:
        if not options.pictures.is_dir():
            raise InputError(f"--pictures: {options.pictures}: no such folder")
        names = sorted(each.name for each in options.pictures.iterdir() if each.is_dir())
        try:
            policy.strengths(names)
            policy.weights(names)
        except AugmentError as error:
            raise InputError(f"{options.policy}, {options.pictures}: {error}") from None
        lines.append(f"{options.pictures}: {len(names):,} classes, the policy's among them")
    print("\n".join(map(printable, lines)))


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


if __name__ == "__main__":
    sys.exit(main())
