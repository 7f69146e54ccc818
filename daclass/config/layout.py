"""Where a study's files lie: the one place that the workflow and the commands take names from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from daclass.config.interventions import Phase
from daclass.designer import FINE_TUNED


@dataclass(frozen=True)
class Layout:
    """The files of one study below results/<study> and figures/<study>."""

    study: str
    results_root: Path = Path("results")
    figures_root: Path = Path("figures")
    part: str = ""
    """Of what is made of a part of the study alone: the folder below the study's own."""

    @property
    def whole(self) -> Layout:
        """Where the files of the whole study lie."""
        return replace(self, part="")

    @property
    def results(self) -> Path:
        return self.results_root / self.study / self.part

    @property
    def figures(self) -> Path:
        return self.figures_root / self.study / self.part

    @property
    def asked(self) -> Path:
        """Which config and changes the study was last run with, for Snakemake's jobs."""
        return self.results / "asked.json"

    @property
    def data(self) -> Path:
        return self.results / "data"

    @property
    def pictures(self) -> Path:
        return self.data / "pictures"

    def beton(self, split: str, draw: int) -> Path:
        """Of the validation pictures (draw -1), or of one draw of the training pictures."""
        return self.data / ("val.beton" if split == "val" else f"train-{draw}.beton")

    @property
    def runs(self) -> Path:
        """The store of trained runs, which all studies below one results folder share: a run's
        folder is named by a hash of all that decides its weights."""
        return self.results_root / "runs"

    @property
    def stores(self) -> tuple[Path, ...]:
        """Where runs are looked for: the store, then that of the study alone, which runs went into
        before studies shared one."""
        return (self.runs, self.whole.results / "runs")

    def policy(self, phase: Phase, name: str) -> Path:
        """Networks are fine-tuned under the very policies that others are trained under."""
        if phase == "fine_tuning":
            phase, name = "interventions", name.removeprefix(FINE_TUNED)
        return self.results / "policies" / phase / f"{name}.yaml"

    def provenance(self, name: str) -> Path:
        return self.results / "policies" / "interventions" / f"{name}.provenance.json"

    def trained(self, phase: Phase, seed: int | str) -> Path:
        return self.results / "trained" / phase / f"seed{seed}.json"

    def table(self, name: str, phase: Phase | None = None) -> Path:
        """A table that a study has once, or once per phase; see `daclass.tables.TABLES`."""
        if phase is not None:
            return self.results / name / f"{phase}.parquet"
        described = name in {"index", "classes", "annotations", "overlaps", "truth", "notes"}
        return (self.data if described else self.results) / f"{name}.parquet"

    @property
    def receipts(self) -> Path:
        """Folder of what finished jobs say about themselves, a file per job."""
        return self.results / "receipts"

    @property
    def outside(self) -> Path:
        """Folder of what is known about files that no stage wrote."""
        return self.results / "outside"

    @property
    def summary(self) -> Path:
        return self.results / "summary.json"

    @property
    def report(self) -> Path:
        return self.figures / "report.html"
