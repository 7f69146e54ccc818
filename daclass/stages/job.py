"""Jobs: a stage of one study, run and checked.

A job's *digest* is a hash of all that decides its result: the stage and its version, the declared
settings, the content of outside files, and the digests of the jobs whose results it reads, so that
digests form a chain from the pictures to the report. The digest follows from the config and the
outside files alone: it is known before anything has run.

A finished job leaves a *receipt* beside the results: its digest and what went into it. Tables carry
the digest too. A result is used only if its digest is the one that the study asks for now.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from daclass import provenance
from daclass.atomic import asides
from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.stages.outside import Outside
from daclass.stages.receipts import (
    Receipt,
    beside,
    file_sum,
    read_receipt,
    read_record,
    write_receipt,
    write_record,
)
from daclass.stages.settings import Settings, values
from daclass.stages.stage import CONTENTS, RECEIPTS, UNCHECKED, Item, Items, Of, Stage, each
from daclass.tables import VERSION, read_table, table_digest, write_table


class Jobs:
    """All jobs of a study; one after the other, each comes after those that it reads from.

    Args:
        study: the whole study.
        layout: where its files lie.
        stages: in order.
        outside: what outside files hold.
    """

    def __init__(
        self, study: Study, layout: Layout, stages: Mapping[str, Stage], outside: Outside
    ) -> None:
        self.study, self.layout, self.outside = study, layout, outside
        self._jobs = {
            (stage.name, of): Job(stage, of, self)
            for stage in stages.values()
            for of in stage.jobs(study)
        }
        self._writers = {
            item: job
            for job in self._jobs.values()
            for items in job.writes.values()
            for item in each(items)
        }
        self._ordered = tuple(
            TopologicalSorter({job: job.sources for job in self._jobs.values()}).static_order()
        )

    def __iter__(self) -> Iterator[Job]:
        return iter(self._ordered)

    def get(self, name: str, of: Of = Of()) -> Job:  # noqa: B008 (a constant tuple)
        """A job by its stage's name.

        Raises:
            InputError: the study has no such job.
        """
        try:
            return self._jobs[name, of]
        except KeyError:
            which = f" {of}" if str(of) else ""
            raise InputError(f"{self.study.name}: this study has no job {name}{which}") from None

    def writer(self, item: Item) -> Job:
        """The job that an item comes from."""
        return self._writers[item]

    def place(self, item: Item) -> Path:
        """Where an item lies."""
        return item.path(self.layout if item in UNCHECKED else self.writer(item).layout)

    def read(self, item: Item, columns: Sequence[str] | None = None) -> Any:
        """An item that belongs to the study as it is set now: a data frame, a dict, or a path.

        Raises:
            InputError: it is missing, damaged, or of other settings.
        """
        path = self.place(item)
        self.writer(item).check(item)
        if item.kind == "table":
            return read_table(item.name, path, columns=columns)
        return read_record(path) if item.kind == "record" else path


class Job:
    """A stage of one study; where it has several jobs, one of them."""

    def __init__(self, stage: Stage, of: Of, jobs: Jobs) -> None:
        self.stage, self.of, self._jobs = stage, of, jobs
        self.reads, self.writes = stage.reads(jobs.study, of), stage.writes(jobs.study, of)
        self.settings = tuple(stage.settings(jobs.study, of))

    @property
    def name(self) -> str:
        """Such as "measure" or "train.sweep.seed0"."""
        return ".".join(part for part in (self.stage.name, str(self.of)) if part)

    @property
    def receipt_path(self) -> Path:
        return self.layout.receipts / f"{self.name}.json"

    @property
    def layout(self) -> Layout:
        """Where its results lie."""
        return self._jobs.layout.whole if self.stage.shared else self._jobs.layout

    @cached_property
    def sources(self) -> list[Job]:
        """The jobs that it reads from."""
        items = [item for given in self.reads.values() for item in each(given)]
        return list(
            dict.fromkeys(self._jobs.writer(item) for item in items if item not in UNCHECKED)
        )

    @cached_property
    def expected(self) -> Receipt:
        """What the receipt says once the job is done under the study's present settings."""
        study, stage = self._jobs.study, self.stage
        content: dict[str, Any] = {
            "settings": values(study, self.settings),
            "outside": {
                setting: self._jobs.outside.content(paths)
                for setting, paths in stage.outside(study).items()
            },
            "jobs": {job.name: job.digest for job in self.sources},
            "version": stage.version,
            "packages": dict(stage.packages(study)),
        }
        text = json.dumps({"job": self.name, "layout": VERSION, **content}, sort_keys=True)
        return Receipt(hashlib.sha256(text.encode()).hexdigest()[:16], **content)

    @property
    def digest(self) -> str:
        """Hash of all that decides the result, 16 hex digits."""
        return self.expected.digest

    @property
    def receipt(self) -> Receipt | None:
        """That of the job's last end; None where it did not come to one.

        Raises:
            InputError: the file is damaged.
        """
        return read_receipt(self.receipt_path) if self.receipt_path.is_file() else None

    @property
    def last_receipt(self) -> Receipt | None:
        """The same, also where `daclass verify` has set it aside.

        Raises:
            InputError: the file is damaged.
        """
        places = [self.receipt_path] if self.receipt_path.is_file() else asides(self.receipt_path)
        return read_receipt(places[-1]) if places else None

    def inputs(self) -> list[Path]:
        """What it reads, for a workflow: the results of other jobs and their receipts."""
        items = [item for given in self.reads.values() for item in each(given)]
        paths = [self._jobs.place(item) for item in items if item not in UNCHECKED]
        return [*dict.fromkeys(paths), *(job.receipt_path for job in self.sources)]

    def outputs(self) -> list[Path]:
        """What it leaves, its receipt last."""
        return [*(item.path(self.layout) for item in self.items()), self.receipt_path]

    def why(self) -> str:
        """Why it has to run: "" where what is there is what the study asks for."""
        receipt = self.receipt
        if receipt is None:
            return "not done yet"
        if receipt.digest != self.digest:
            return self._difference(receipt)
        missing = [path for path in self.outputs() if not path.exists()]
        if missing:
            return f"{missing[0]} is gone"
        foreign = [item for item in self.items() if not self.belongs(item, receipt)]
        return f"{foreign[0].path(self.layout)} is another one" if foreign else ""

    def run(self) -> None:
        """Do the work, from inputs that belong to the study as it is set now.

        Raises:
            InputError: an input is missing, damaged or of other settings; or what the stage says.
        """
        began = time.monotonic()
        if self.stage.outside(self._jobs.study):
            self._jobs.outside.look()
        given = {name: self._read(name, items) for name, items in self.reads.items()}
        places = {
            name: [item.path(self.layout) for item in each(items)]
            for name, items in self.writes.items()
        }
        handed = {
            name: paths if isinstance(self.writes[name], list) else paths[0]
            for name, paths in places.items()
            if each(self.writes[name])[0].kind in {"files", "figure"}
        }
        which = {"of": self.of} if self.of != Of() else {}
        declared = [*self.settings, *self.stage.spared]
        everything = set(type(self._jobs.study).model_fields) <= set(declared)
        view = self._jobs.study if everything else Settings(self._jobs.study, declared)
        for old in (self.receipt_path, *asides(self.receipt_path)):
            old.unlink(missing_ok=True)  # from here on the old result is none
        made = self.stage.run(view, **which, **given, **handed) or {}
        for name, items in self.writes.items():
            for n, item in enumerate(each(items)):
                if item.kind == "table":
                    write_table(made[name], item.name, item.path(self.layout), self.digest)
                elif item.kind == "record":
                    content = made[name][n] if isinstance(items, list) else made[name]
                    write_record(content, item.path(self.layout))
        done = replace(
            self.expected,
            files=self._sums(),
            seconds=round(time.monotonic() - began, 1),
            made_with=provenance.versions(),
        )
        write_receipt(done, self.receipt_path)
        self._jobs.outside.keep()

    def _read(self, name: str, items: Items) -> Any:
        """An input as the stage's function gets it."""
        if items == RECEIPTS:
            return {job.name: job.receipt for job in self._jobs if job.receipt}
        if items == CONTENTS:
            outside = self.stage.outside(self._jobs.study).values()
            return ChainMap(*(self._jobs.outside.hashes(paths) for paths in outside))
        several = each(items)
        if several and several[0].kind == "table":
            for item in several:
                self._jobs.writer(item).check(item)
            columns = (self.stage.columns or {}).get(name)
            paths = [self._jobs.place(item) for item in several]
            return read_table(several[0].name, *paths, columns=columns)
        found = [
            self._jobs.place(item) if item in UNCHECKED else self._jobs.read(item)
            for item in several
        ]
        return found[0] if isinstance(items, Item) else found

    def check(self, item: Item) -> None:
        """Refuse one of its results that is missing, or is not what the study asks for now.

        Raises:
            InputError: naming the file, why it does not belong, and what to run.
        """
        path, receipt = item.path(self.layout), self.receipt
        again = f"run `daclass {self.stage.name}` first, or the whole study"
        if receipt is None or not path.exists():
            raise InputError(f"{path}: no such file, or not a finished one; {again}")
        if receipt.digest != self.digest:
            raise InputError(f"{path}: of other settings ({self._difference(receipt)}); {again}")
        if not self.belongs(item, receipt):
            raise InputError(f"{path}: is not what its receipt says; {again}")

    def belongs(self, item: Item, receipt: Receipt) -> bool:
        """Whether what lies in an item's place is what the job left there."""
        path = item.path(self.layout)
        if item.kind == "table":
            return table_digest(item.name, path) == receipt.digest
        written = receipt.files.get(item.label, "")  # receipts of earlier versions have none
        return not written or file_sum(path) == written

    def items(self) -> list[Item]:
        """What it writes."""
        return [item for given in self.writes.values() for item in each(given)]

    def _sums(self) -> dict[str, str]:
        """SHA-256 of what it wrote, for its receipt."""
        found = {}
        for item in self.items():
            path = item.path(self.layout)
            found[item.label] = file_sum(path)
            found |= {f"{item.label}/{file.name}": file_sum(file) for file in beside(path)}
        return found

    def _difference(self, receipt: Receipt) -> str:
        """What decided the result that is there, and is different now."""
        new = self.expected
        for what, before, now in (
            ("changed", receipt.settings, new.settings),
            ("holds something else", receipt.outside, new.outside),
            ("has another version", receipt.packages, new.packages),
        ):
            names = [n for n in {**before, **now} if before.get(n) != now.get(n)]
            if names:
                inner = _deeper(names[0], before.get(names[0]), now.get(names[0]))
                return f"{inner} {what}"
        if receipt.version != new.version:
            return "daclass computes it otherwise now"
        changed = [
            n for n in {**receipt.jobs, **new.jobs} if receipt.jobs.get(n) != new.jobs.get(n)
        ]
        return f"{changed[0]} is another one" if changed else "its receipt is of another kind"


def _deeper(name: str, before: Any, now: Any) -> str:
    """The dotted name of the first setting below `name` that differs."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in {**before, **now}:
            if before.get(key) != now.get(key):
                return _deeper(f"{name}.{key}", before.get(key), now.get(key))
    return name
