"""Arrays in, answers out: `daclass.compare` for a notebook or a script, without files.

It calls what `daclass analyze` calls, so that the same predictions give the same numbers.
"""

from __future__ import annotations

import html
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from daclass.analysis.categories import overlaps
from daclass.analysis.cells import PREDICTION_COLUMNS, arrange_cells
from daclass.analysis.decision import decision
from daclass.analysis.effects import Affected
from daclass.analysis.kinds import kinds_of_confusions
from daclass.analysis.measures import measures
from daclass.analysis.models import models
from daclass.analysis.notes import names_of_runs, notes
from daclass.analysis.tested import conditions_of
from daclass.atomic import replacing
from daclass.config import Study
from daclass.data.embeddings import read_embeddings
from daclass.data.predictions import Joined
from daclass.data.predictions.given import arguments, join_given
from daclass.data.predictions.plain import study_of_arrays
from daclass.errors import InputError
from daclass.predictions import validate_predictions
from daclass.provenance import git_revision, versions
from daclass.tables import with_readable_names, write_table

_SHOWN = 12  # classes that a notebook shows


def compare(
    y_true: Any = None,
    y_pred: Mapping[str, Any] | None = None,
    *,
    labels: Any = None,
    reference: str | None = None,
    images: Sequence[str] | None = None,
    images_root: str | Path | None = None,
    annotations: Any = None,
    classes: Sequence[str] | pd.DataFrame | Literal["imagenet", "wordnet"] | None = None,
    paired: bool = False,
    replicates: str = "models",
    title: str = "",
    settings: Mapping[str, Any] | None = None,
) -> Comparison:
    """Which classes gain and lose between conditions, such as two recipes, and how sure that is.

    Args:
        y_true: original class of each picture, [N]: numbers or names.
        y_pred: predictions by condition, the tested one first. Each is [N] or, for S runs of the
            condition, [S, N] class numbers or names; [S, N, k] ranked classes; or [N, C] or
            [S, N, C] probabilities or logits, as floats. numpy, torch, pandas or lists; or a
            mapping from the names of the condition's models to one of these each. Frames have a row
            for each picture.
        labels: another name of `y_true`; names of classes are `classes`.
        reference: the condition that the tested one is compared with; the last where not given. A
            drop is the reference's accuracy less the tested one's.
        images: names of the pictures, [N]; they decide the halves. Where not given, a pandas index
            of `y_true`, or numbers from 1. Predictions with a pandas index are joined by it.
        images_root: a folder that holds the pictures, or some of them, anywhere below it and called
            as in `images`: the report shows a few.
        annotations: label sets: a list of N lists, a mapping from names to lists, a truth value for
            each class [N, C], a file, or "real" for ImageNet's ReaL labels.
        classes: names by class number, a list or a mapping; or a frame with columns name and path
            (see `daclass.data`); "imagenet" or "wordnet". Where not given, the numbers or names
            that occur; then numbers are no classes where labels are names.
        paired: whether the s-th runs of all conditions belong together, such as one seed.
        replicates: what the runs of a condition are, in the plural, for texts.
        title: of the report.
        settings: of the analysis, as in a config's section `analysis`, such as
            ``{"confidence": 0.9, "affected": {"q": 0.1}}``.

    Raises:
        InputError: naming the argument, and the row, that is wrong.

    Example:
        >>> import numpy as np, daclass
        >>> truth = np.repeat([0, 1, 2], 100)
        >>> rng = np.random.default_rng(0)
        >>> def runs(accuracy):
        ...     right = rng.random((4, 300)) < np.asarray(accuracy)[truth]
        ...     return np.where(right, truth, (truth + 1) % 3)
        >>> found = daclass.compare(
        ...     truth, {"strong": runs([0.5, 0.9, 0.9]), "weak": runs([0.9, 0.9, 0.9])},
        ...     classes=["cup", "bowl", "vase"],
        ... )
        >>> row = found.classes.iloc[0]
        >>> row["name"], round(float(row["drop"]), 2), bool(row["q"] < 0.05), row["swallower"]
        ('cup', 0.41, True, 'bowl')
    """
    truth, predictions = arguments(y_true, labels, y_pred)
    study = study_of_arrays(list(predictions), reference, replicates, title, settings or {})
    joined = join_given(
        truth,
        predictions,
        images=images,
        annotations=annotations,
        classes=classes,
        paired=paired,
        split_seed=0,
    )
    found = analysed(study, joined)
    if images_root is None:
        return found
    shown, unreadable = _examples(found, images_root)
    notes = pd.DataFrame({"text": [*found.notes, *unreadable]}, dtype=str)
    return replace(found, tables={**found.tables, "notes": notes, "examples": shown})


def _examples(found: Comparison, root: str | Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    from daclass.data.predictions.pictures import picture_files
    from daclass.examples import choose_classes, examples_of_predictions

    tables = found.tables
    return examples_of_predictions(
        tables["predictions"],
        tables["index"],
        tables["annotations"],
        picture_files(root, list(tables["index"]["image_id"])),
        choose_classes(tables["effects"], tables["categories"]),
        found.study.conditions[0],
        found.study.reference_condition,
    )


def class_effects(y_true: Any, tested: Any, reference: Any, **options: Any) -> pd.DataFrame:
    """`compare` of two conditions, as its table of classes: see `Comparison.classes`.

    Args:
        y_true, tested, reference: labels, and predictions as in `compare`.
        options: as in `compare`.

    Example:
        >>> import numpy as np, daclass
        >>> truth = np.repeat([0, 1], 50)
        >>> found = daclass.class_effects(truth, np.zeros(100, int), truth)
        >>> found[["name", "drop"]].values.tolist()
        [['1', 1.0], ['0', 0.0]]
    """
    return compare(
        y_true, {"tested": tested, "reference": reference}, reference="reference", **options
    ).classes


def analysed(study: Study, joined: Joined) -> Comparison:
    """The comparison of predictions that are joined to their labels."""
    index, predictions = joined.index, joined.predictions
    names = list(index.classes["name"])
    validate_predictions(predictions, index.index, len(names))
    options = study.analysis
    cells = arrange_cells(
        predictions[list(PREDICTION_COLUMNS)],
        index.index,
        index.annotations,
        len(names),
        options.empty_labels,
    )
    tables = measures(
        cells,
        study.conditions,
        study.reference_condition,
        study.tested_condition,
        Affected(**options.affected.model_dump()),
        confidence=options.confidence,
        replicates=options.bootstrap,
        random_seed=study.seed,
    )
    runs = names_of_runs(cells.table, predictions)
    shared = overlaps(index.index, index.annotations, len(names))
    kinds = options.categories
    tables |= {
        "index": index.index,
        "classes": index.classes,
        "annotations": index.annotations,
        "predictions": predictions,
        "models": models(cells, runs, predictions),
        "notes": pd.DataFrame({"text": [*joined.notes, *notes(cells, names, runs)]}, dtype=str),
        **kinds_of_confusions(
            cells,
            conditions_of(
                cells, study.conditions, study.reference_condition, study.tested_condition
            ),
            tables["effects"], tables["confusions"], shared, index.classes,
            overlap=kinds.overlap, similarity=kinds.similarity, confidence=options.confidence,
            vectors=read_embeddings(kinds.embeddings, names) if kinds.embeddings else None,
        ),
    }  # fmt: skip
    tables["decision"] = decision(tables["tested"])
    return Comparison(study, tables)


@dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare` finds.

    Attributes:
        study: the settings, as a config would have them.
        tables: the tables of the study by name, as `daclass.tables` describes them.
    """

    study: Study
    tables: Mapping[str, pd.DataFrame]

    @cached_property
    def classes(self) -> pd.DataFrame:
        """One row for each class, the largest drop first.

        Columns: name; images, its pictures; reference and tested, its accuracy under both; drop,
        and its interval low and high for new runs and new pictures; q, Benjamini-Hochberg's;
        affected, by the study's rule; swallower, the class that it is most often newly taken for,
        and kind, of which kind that pair is ("" where no confusion grew). Shares in [0, 1]; NaN
        where one run allows no interval. With one run of either condition, interval and q are of
        these two networks and new pictures, and say nothing of other runs.
        """
        effects = self.tables["effects"]
        chosen = (effects["half"] == "all") & (effects["truth"] == "original")
        rows = effects[chosen & (effects["reference"] == "fixed")].set_index("class_id")
        by_class = self.tables["class_accuracy"]
        by_class = by_class[(by_class["truth"] == "original") & (by_class["k"] == 1)]
        accuracy = by_class.pivot_table(index="class_id", columns="policy", values="accuracy")
        names = self._names
        pairs = self.tables["top_confusions"]
        pairs = pairs[pairs["growth"] > 0].sort_values("growth", ascending=False, kind="stable")
        grown = pairs.drop_duplicates("class_id").set_index("class_id")
        found = self.tables["categories"].set_index("class_id")
        swallower = grown["predicted_id"].reindex(rows.index).fillna(-1)
        swallower.update(found["swallower_id"])
        kind = grown["category"].reindex(rows.index).fillna("")
        kind.update(found["category"].replace("none", ""))
        table = pd.DataFrame(
            {
                "name": names[rows.index],
                "images": rows["images"],
                "reference": accuracy[self.study.reference_condition].reindex(rows.index),
                "tested": accuracy[self.study.conditions[0]].reindex(rows.index),
                **{column: rows[column] for column in ("drop", "low", "high", "q", "affected")},
                "swallower": swallower.astype(int).map(names.to_dict()).fillna(""),
                "kind": kind,
            }
        )
        return table.sort_values("drop", ascending=False, kind="stable")

    @cached_property
    def confusions(self) -> pd.DataFrame:
        """One row for each ordered pair of classes that is confused, the largest growth first.

        Columns: name and predicted, the pair; rate_tested and rate_reference, the share of the
        class's pictures that is predicted so; growth, low, high; and q, within the predicted
        classes whose false positives grow, NaN for all others.
        """
        table = self.tables["confusions"]
        table = table[table["half"] == "all"].sort_values(
            "growth", ascending=False, kind="stable", ignore_index=True
        )
        names = self._names.to_dict()
        return pd.DataFrame(
            {
                "name": table["class_id"].map(names),
                "predicted": table["predicted_id"].map(names),
                **{
                    column: table[column]
                    for column in ("rate_tested", "rate_reference", "growth", "low", "high", "q")
                },
            }
        )

    @cached_property
    def average(self) -> pd.DataFrame:
        """Accuracy of each condition over all pictures: columns condition, truth ("original", or
        "multi" where any annotated label counts as right), k, accuracy, low, high, runs, images."""
        table = self.tables["accuracy"]
        table = table[table["half"] == "all"].rename(
            columns={"policy": "condition", "seeds": "runs"}
        )
        order = {name: rank for rank, name in enumerate(self.study.conditions)}
        table = table.assign(rank=table["condition"].map(order))
        columns = ["condition", "truth", "k", "accuracy", "low", "high", "runs", "images"]
        return table.sort_values(["rank", "truth", "k"], ascending=[True, False, True])[
            columns
        ].reset_index(drop=True)

    @cached_property
    def models(self) -> pd.DataFrame:
        """Accuracy and calibration of each run: see table "models" in `daclass.tables`."""
        return self.tables["models"].rename(columns={"policy": "condition", "run": "model"})

    @property
    def notes(self) -> list[str]:
        """What to look at first: what looks like a mistake in the input."""
        return list(self.tables["notes"]["text"])

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The findings in numbers, as summary.json of a study has them."""
        study = self.study
        assert study.comparison is not None
        from daclass.report.summary import summarise

        content = summarise(
            study=study.name,
            title=study.title,
            config_digest=study.digest(),
            axis=None,
            strengths=(),
            conditions=study.conditions,
            replicates=study.comparison.replicates,
            q=study.analysis.affected.q,
            confidence=study.analysis.confidence,
            runs_trained=0,
            versions=versions(),
            wall_seconds={},
            tables={**self.tables, "classes": with_readable_names(self.tables["classes"])},
        )
        settings = study.model_dump(mode="json")
        return {
            **content,
            "notes": self.notes,
            "provenance": {
                "command": "daclass.compare(...)",
                "git_revision": git_revision(),
                "settings": settings,
            },
        }

    def save(self, folder: str | Path) -> None:
        """Write all tables as Parquet files, and summary.json, into a folder.

        Raises:
            InputError: it cannot be written.
        """
        root = Path(folder)
        with _writing(root):
            root.mkdir(exist_ok=True)
            for name, table in self.tables.items():
                write_table(table, name, root / f"{name}.parquet", self.study.digest())
            with replacing(root / "summary.json") as partial:
                partial.write_text(json.dumps(self.summary, indent=2) + "\n", encoding="utf-8")

    def report(self, file: str | Path) -> Path:
        """Write the report, one HTML file, and say where it is.

        Raises:
            InputError: it cannot be written.
        """
        from daclass.plots.draw import draw_all
        from daclass.plots.tables import Tables
        from daclass.report.write import write_report

        options, comparison = self.study.analysis, self.study.comparison
        assert comparison is not None
        if not Path(file).parent.is_dir():
            raise InputError(f"{file}: there is no folder {Path(file).parent}")
        with tempfile.TemporaryDirectory() as folder:
            tables = Tables.of(
                self.tables,
                named=comparison.conditions,
                replicates=comparison.replicates,
                overlap=options.categories.overlap,
                similarity=options.categories.similarity,
                confidence=options.confidence,
                q=options.affected.q,
            )
            draw_all(tables, Path(folder) / "figures")
            with _writing(Path(file)):
                write_report(self.summary, tables, Path(folder) / "figures", Path(file))
        return Path(file)

    def __repr__(self) -> str:
        return "\n\n".join(
            part
            for part in (
                "\n".join(self.answers),
                self.classes.head(_SHOWN).to_string(index=False, float_format="{:.3f}".format),
                "\n".join(f"Note: {note}" for note in self.notes),
            )
            if part
        )

    def _repr_html_(self) -> str:
        """What a notebook shows: the short answers, what to look at, and the largest drops."""
        answers = "".join(f"<li>{html.escape(text)}</li>" for text in self.answers)
        remarks = "".join(f"<li><strong>{html.escape(note)}</strong></li>" for note in self.notes)
        table = self.classes.head(_SHOWN).to_html(
            index=False, float_format="{:.3f}".format, escape=True, border=0
        )
        return f"<ul>{answers}{remarks}</ul>{table}"

    @property
    def answers(self) -> list[str]:
        """The short answers to the report's questions, one line each."""
        from daclass.wording.answers import short_answers

        return [answer.line() for answer in short_answers(self.summary)]

    @property
    def _names(self) -> pd.Series:
        return with_readable_names(self.tables["classes"]).set_index("class_id")["name"]


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """What the machine refuses in the block is one line."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise InputError(f"{where}: cannot be written ({error.strerror or error})") from None
