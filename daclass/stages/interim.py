"""What is known so far of a study that is still in training.

The seeds whose runs of the sweep are there are analysed as a study of their own: with digests,
tables and a report of its own, below the whole study's folders. Pictures, policies and trained runs
are the whole study's; nothing is trained, and no table of the whole study is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.stages import jobs_of
from daclass.stages.job import Jobs
from daclass.stages.stage import Of

LEAST = 2
"""Seeds without which nothing is known of how seeds differ."""


def interim(study: Study, layout: Layout) -> Jobs:
    """Analyse the seeds of the sweep that are trained; the jobs of that analysis.

    Raises:
        InputError: the study trains nothing, fewer than `LEAST` seeds are trained, or a result of
            the whole study is missing or of other settings.
    """
    if study.sweep is None:
        raise InputError("--interim: a study of predictions trains nothing")
    seeds = study.sweep.seeds
    whole = jobs_of(study, layout, look=True)
    done = [seed for seed in seeds if not whole.get("train", Of(phase="sweep", seed=seed)).why()]
    if len(done) < LEAST:
        raise InputError(
            f"{study.name}: --interim needs {LEAST} seeds of the sweep with all their runs; of "
            f"{_spans(seeds)}, {_spans(done) or 'none'} is trained so far"
        )
    jobs = jobs_of(interim_study(study, done), replace(layout, part="interim"), look=True)
    for job in jobs:
        why = job.why()
        if why and job.stage.shared:
            raise InputError(f"{study.name}: --interim: {job.name}: {why}; run the study first")
        if why:
            job.run()
    return jobs


def interim_study(study: Study, seeds: Sequence[int]) -> Study:
    """The study of some of the sweep's seeds, without interventions, that says so in its title."""
    assert study.sweep is not None
    said = f"Interim: seeds {_spans(seeds)} of {_spans(study.sweep.seeds)}"
    content = study.model_dump(mode="json", exclude_defaults=True)
    content["title"] = f"{said}. {study.title}" if study.title else said
    content["sweep"] = {**content.get("sweep", {}), "seeds": list(seeds)}
    content.pop("interventions", None)
    return Study.model_validate(content)


def _spans(seeds: Sequence[int]) -> str:
    """Seeds as readers write them, such as 0-2, 5."""
    spans: list[list[int]] = []
    for seed in sorted(seeds):
        if spans and seed == spans[-1][-1] + 1:
            spans[-1].append(seed)
        else:
            spans.append([seed])
    return ", ".join(f"{s[0]}-{s[-1]}" if len(s) > 1 else str(s[0]) for s in spans)
