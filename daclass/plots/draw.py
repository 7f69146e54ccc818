"""All figures of a study: which there are, and how they reach the disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure

from daclass.plots import accuracy, confusions, effects, interventions, planted
from daclass.plots.save import save_csv, save_png, save_svg, settle
from daclass.tables import SCHEMAS, read_table

PANELS_AT_MOST = 12


def _empty(name: str) -> pd.DataFrame:
    return pa.schema(list(SCHEMAS[name].items())).empty_table().to_pandas()


@dataclass(frozen=True)
class Tables:
    """Everything that figures and report read.

    Attributes:
        classes: the classes table.
        axis: name of the axis that strengths belong to.
        overlap: label sets overlap from this share on.
        similarity: classes are alike from this similarity on.
        counts, accuracy, effects, confusions, categories, interventions, planted: the tables of
            these names; those that a study lacks have no rows.
    """

    classes: pd.DataFrame
    axis: str = "rrc_scale"
    overlap: float = 0.1
    similarity: float = 0.7
    counts: pd.DataFrame = field(default_factory=lambda: _empty("counts"))
    accuracy: pd.DataFrame = field(default_factory=lambda: _empty("accuracy"))
    effects: pd.DataFrame = field(default_factory=lambda: _empty("effects"))
    confusions: pd.DataFrame = field(default_factory=lambda: _empty("confusions"))
    categories: pd.DataFrame = field(default_factory=lambda: _empty("categories"))
    interventions: pd.DataFrame = field(default_factory=lambda: _empty("interventions"))
    planted: pd.DataFrame = field(default_factory=lambda: _empty("planted"))

    @classmethod
    def read(
        cls, paths: Mapping[str, Path], axis: str, overlap: float, similarity: float
    ) -> Tables:
        """Read the tables that exist.

        Args:
            paths: table name -> Parquet file; "classes" is needed, all others may be left out.
            axis: name of the axis.
            overlap: threshold of overlap.
            similarity: threshold of similarity.
        """
        known = {f.name for f in fields(cls)} & set(SCHEMAS)
        frames = {name: read_table(name, path) for name, path in paths.items() if name in known}
        return cls(axis=axis, overlap=overlap, similarity=similarity, **frames)

    @property
    def has_multi(self) -> bool:
        """Whether annotations say more than the original label anywhere."""
        counts = self.counts
        return bool(
            (counts["labelled"] != counts["images"]).any()
            or (counts["correct_multi"] != counts["correct"]).any()
        )

    @property
    def affected(self) -> list[int]:
        """The affected classes' ids in the order of their choice."""
        return effects.affected_ids(self.effects)

    @property
    def swallowers(self) -> list[int]:
        """The ids of the classes that swallow affected ones, in the order of those."""
        swallower = self.categories.set_index("class_id")["swallower_id"]
        found = [int(swallower.get(victim, -1)) for victim in self.affected]
        return [i for i in dict.fromkeys(found) if i >= 0]


@dataclass(frozen=True)
class Plot:
    """A figure and the numbers behind it, both from a study's tables.

    Attributes:
        title: what the figure shows, in one line.
        numbers: the data; without a row there is no figure.
        draw: the figure.
    """

    title: str
    numbers: Callable[[Tables], pd.DataFrame]
    draw: Callable[[Tables], Figure]


def _against(baseline: str) -> Plot:
    return Plot(
        f"Difference of each policy to {interventions.POLICIES[baseline]}",
        lambda t: interventions.intervention_numbers(t.interventions, baseline),
        lambda t: interventions.interventions(t.interventions, baseline),
    )


def _multi_numbers(tables: Tables) -> pd.DataFrame:
    numbers = effects.original_vs_multi_numbers(tables.effects, tables.classes)
    return numbers if tables.has_multi else numbers.head(0)


FIGURES: Mapping[str, Plot] = {
    "accuracy_by_strength": Plot(
        "Average accuracy over the strength of the augmentation",
        lambda t: accuracy.accuracy_numbers(t.accuracy),
        lambda t: accuracy.accuracy_by_strength(t.accuracy, t.axis),
    ),
    "class_effects": Plot(
        "Accuracy that each class loses at the strongest augmentation",
        lambda t: effects.effect_numbers(t.effects, t.classes),
        lambda t: effects.class_effects(t.effects, t.classes),
    ),
    "class_accuracy": Plot(
        "Accuracy of the affected classes over strength",
        lambda t: accuracy.class_accuracy_numbers(t.counts, t.classes, t.affected[:PANELS_AT_MOST]),
        lambda t: accuracy.class_accuracy(t.counts, t.classes, t.affected[:PANELS_AT_MOST], t.axis),
    ),
    "original_vs_multi": Plot(
        "What each class loses under the original label and under any annotated label",
        _multi_numbers,
        lambda t: effects.original_vs_multi(t.effects, t.classes),
    ),
    "confusion_plane": Plot(
        "Affected classes and their swallowers by label overlap and similarity",
        lambda t: confusions.confusion_numbers(t.categories, t.classes),
        lambda t: confusions.confusion_plane(t.categories, t.classes, (t.overlap, t.similarity)),
    ),
    "false_positives": Plot(
        "Errors of the swallowing classes over strength",
        lambda t: accuracy.false_positive_numbers(
            t.counts, t.classes, t.swallowers[:PANELS_AT_MOST]
        ),
        lambda t: accuracy.false_positives(
            t.counts, t.classes, t.swallowers[:PANELS_AT_MOST], t.axis
        ),
    ),
    "interventions_vs_strongest": _against("uniform_strongest"),
    "interventions_vs_best": _against("uniform_best"),
    "planted_vs_found": Plot(
        "Planted relations beside what was found",
        lambda t: planted.planted_numbers(t.planted, t.classes),
        lambda t: planted.planted_vs_found(t.planted, t.classes),
    ),
}


def draw_all(tables: Tables, folder: Path) -> list[str]:
    """Write <stem>.svg, <stem>.png and <stem>.csv of every figure that has data.

    Figures that an earlier call left in the folder and that have no data now are removed.

    Args:
        tables: the study's tables.
        folder: where the files go; made if missing.

    Returns:
        The stems that were written, in order.
    """
    written = []
    for stem, plot in FIGURES.items():
        numbers = plot.numbers(tables)
        if numbers.empty:
            for ending in ("svg", "png", "csv"):
                (folder / f"{stem}.{ending}").unlink(missing_ok=True)
            continue
        figure = plot.draw(tables)
        settle(figure)
        save_svg(figure, folder / f"{stem}.svg", plot.title)
        save_png(figure, folder / f"{stem}.png")
        save_csv(numbers, folder / f"{stem}.csv")
        written.append(stem)
    return written
