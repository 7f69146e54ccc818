"""What a stage is: what it reads, what it writes, which settings decide it, and how it runs.

Everything else follows from this declaration: the inputs, outputs and parameters of the workflow's
rule, the digest in the written tables, what `daclass plan` gives as reasons, and the documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from daclass.config import Layout, Study


class Item(NamedTuple):
    """Something that lies between stages: a table, a record, or files.

    Attributes:
        kind: "table", "record" (JSON), or a kind of file or folder.
        name: what it is called; a table's is a key of `daclass.tables.TABLES`.
        of: what it is of, such as a phase, or a phase and a seed; empty where a study has one.
    """

    kind: str
    name: str
    of: tuple[Any, ...] = ()

    @property
    def label(self) -> str:
        """Such as "policies.sweep"."""
        return ".".join((self.name, *map(str, self.of)))

    def path(self, layout: Layout) -> Path:
        """Where it lies."""
        match self.kind:
            case "table":
                return layout.table(self.name, *self.of)
            case "figure":
                return layout.figures / self.name
            case _:
                place = getattr(layout, self.name)
                return place(*self.of) if self.of else place


Items = Item | Sequence[Item]


def table(name: str, *of: Any) -> Item:
    return Item("table", name, of)


def record(name: str, *of: Any) -> Item:
    return Item("record", name, of)


def files(name: str, *of: Any) -> Item:
    return Item("files", name, of)


RUN_STORES = files("stores")
"""Where trained runs lie, each under a hash of all that it depends on."""
RECEIPTS = files("receipts")
"""What finished jobs say about themselves; only the time that they took is read."""
CONTENTS = files("outside")
"""Hashes of the outside files that the stage declares, by path: they were read for its digest."""
RESULTS, FIGURE_FOLDER = files("results"), files("figures")
"""Where a study's files lie, for links from one to another."""
UNCHECKED = frozenset({RUN_STORES, RECEIPTS, CONTENTS, RESULTS, FIGURE_FOLDER})
"""What no single job wrote, and no digest covers."""


class Of(NamedTuple):
    """Which of its jobs a stage does, where a study has several."""

    phase: Any = None
    seed: Any = None
    split: Any = None
    draw: Any = None

    def __str__(self) -> str:
        parts = [self.phase, None if self.seed is None else f"seed{self.seed}"]
        if self.split is not None:
            parts.append(f"train-{self.draw}" if self.split == "train" else self.split)
        return ".".join(str(part) for part in parts if part is not None)


ONE = (Of(),)


@dataclass(frozen=True)
class Stage:
    """A stage of a study.

    Attributes:
        name: as in ``daclass <name> <config>``.
        run: does the work. It is called with a view of the study that holds the declared settings
            alone, with `of` where the stage has several jobs, and with what it reads and writes by
            name: tables as data frames, records as dicts, files as paths. It returns the tables
            and records that it writes, by name; files it writes itself.
        reads: what it reads, by name; several items of one name come as a list, but for tables,
            which come as one.
        writes: what it writes, by name.
        settings: dotted names of the settings that decide the result.
        spared: settings that it may look at though they decide no result beyond rounding, such as
            where a file lies and how many threads there are.
        jobs: which jobs of it a study has; none where the study does not have the stage.
        which: the fields of `Of` that tell its jobs apart.
        outside: files and folders that no stage wrote and that it reads, by the setting that names
            them; their content counts.
        columns: of a table, those that it needs, where these are not all.
        version: raised when equal settings and inputs give another result than before.
        packages: versions of other people's packages that decide the result, by what they bring.
        shared: whether what is made of a part of the study takes its results from the whole.
    """

    name: str
    run: Callable[..., Mapping[str, Any] | None]
    reads: Callable[[Study, Of], Mapping[str, Items]]
    writes: Callable[[Study, Of], Mapping[str, Items]]
    settings: Callable[[Study, Of], Sequence[str]]
    spared: Sequence[str] = ("machine",)
    jobs: Callable[[Study], Sequence[Of]] = lambda study: ONE
    which: Sequence[str] = ()
    outside: Callable[[Study], Mapping[str, Sequence[Path]]] = lambda study: {}
    columns: Mapping[str, Sequence[str]] | None = None
    version: int = 1
    packages: Callable[[Study], Mapping[str, str]] = lambda study: {}
    shared: bool = False

    @property
    def about(self) -> str:
        """What it does, in a sentence or two."""
        return " ".join((self.run.__doc__ or "").split("\n\n")[0].split())


def each(items: Items) -> list[Item]:
    """An item, or several, as a list."""
    return [items] if isinstance(items, Item) else list(items)
