"""Numbers of docs/results.md from the committed predictions of a study.

    python benchmarks/study_numbers.py tiny_imagenet            # rewrites its block of the page
    python benchmarks/study_numbers.py tiny_imagenet --keep results/tiny_imagenet   # commits them

figures/gallery/<study>/predictions.parquet has one row per (strength, seed, picture, view): the
class that the network says, and the picture's own. Everything that the page says of the study's
average, its classes and its named pairs is computed from it here, by the package's own estimators.
Pairs and classes are those of the study's own view; averages, and the classes that pay, are given
with each strength at its best view too, which is chosen on the other half of the pictures.
Contrasts are those of every strength with the weakest one. Which of them is the best is read off
the same data, so each family of statements is corrected over all of them: averages by Bonferroni,
classes by Benjamini-Hochberg over classes and strengths, named pairs by Holm over pairs and
strengths.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from daclass.analysis.cells import one_view
from daclass.analysis.views import best_view, views
from daclass.config import Layout, Study
from daclass.data.wordnet import class_path
from daclass.inference.arrays import Ints
from daclass.inference.crossed import Crossed, crossed
from daclass.inference.discoveries import q_values
from daclass.tables import read_table

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "results.md"
PAIRS = {
    "tiny_imagenet": (
        ("n03179701", "n03085013"),
        ("n07871810", "n07579787"),
        ("n04285008", "n03100240"),
        ("n07749582", "n07747607"),
        ("n04371430", "n09428293"),
        ("n02124075", "n02123045"),
        ("n03983396", "n02823428"),
        ("n04133789", "n03770439"),
        ("n03355925", "n03976657"),
        ("n01644900", "n01641577"),
    )
}
"""Victim and partner, as the study's config has named them beforehand."""
CONFIDENCE, RATE = 0.95, 0.05
NAMED = 10
"""Classes that gain, the largest first."""


@dataclass(frozen=True)
class Sweep:
    """A study's predictions.

    Attributes:
        names: of the classes.
        labels: class of each picture, [N].
        said: strength -> predicted classes at the study's own view, [S, N]; seeds in one order, so
            that rows are pairs.
        at_best: the same at the strength's best view.
        table: the stored rows, of all views.
        common: the study's own view.
    """

    names: Sequence[str]
    labels: Ints
    said: dict[float, Ints]
    at_best: dict[float, Ints]
    table: pd.DataFrame
    common: float

    @classmethod
    def read(cls, study: str) -> Sweep:
        folder = ROOT / "figures" / "gallery" / study
        table = pd.read_parquet(folder / "predictions.parquet")
        common = Study.load(ROOT / "configs" / f"{study}.yaml").training.val_crop
        names = list(pd.read_csv(folder / "classes.csv")["name"])
        images = table.drop_duplicates("image_id").sort_values("image_id")
        labels = images["class_id"].to_numpy(np.int64)

        def seen(view: float) -> dict[float, Ints]:
            return {
                float(str(strength)): rows.sort_values(["seed", "image_id"])["prediction"]
                .to_numpy(np.int64)
                .reshape(-1, len(images))
                for strength, rows in one_view(table, view).groupby("strength")
            }

        said = seen(common)
        at_best = {strength: own.copy() for strength, own in said.items()}
        if "view" in table:
            select = images["half"].to_numpy() == "select"
            shown = {view: seen(view) for view in table["view"].unique()}
            for strength in said:
                for here in (select, ~select):  # chosen on the half that a picture is not in
                    right = {
                        view: (own[strength] == labels)[:, ~here].mean()
                        for view, own in shown.items()
                    }
                    best = best_view(right, common)
                    at_best[strength][:, here] = shown[best][strength][:, here]
        return cls(names, labels, said, at_best, table, common)

    @property
    def weakest(self) -> float:
        return max(self.said)

    @property
    def others(self) -> list[float]:
        return sorted(set(self.said) - {self.weakest})

    def right(self, strength: float) -> Ints:
        return (self.said[strength] == self.labels).astype(np.int64)

    def gains(
        self, strength: float, groups: Ints, n: int, confidence: float, *, at_best: bool = False
    ) -> Crossed:
        """Accuracy at a strength less that at the weakest, by group of pictures."""
        said = self.at_best if at_best else self.said
        values = [(said[s] == self.labels).astype(np.int64) for s in (strength, self.weakest)]
        return estimate(values[0] - values[1], groups, n, confidence)

    def growth(
        self, strength: float, pair: tuple[int, int], confidence: float, *, at_best: bool = False
    ) -> Crossed:
        """How much more often than at the weakest strength the pair's first class is taken for the
        second one."""
        victim, partner = pair
        own = self.labels == victim
        said = self.at_best if at_best else self.said
        taken = [(said[s][:, own] == partner) for s in (strength, self.weakest)]
        values = taken[0].astype(np.int64) - taken[1]
        return estimate(values, np.zeros(own.sum(), np.int64), 1, confidence)


def estimate(values: Ints, groups: Ints, n: int, confidence: float) -> Crossed:
    """Means by group of pictures, for new seeds and new pictures; with a single seed, which tells
    nothing of others, for that network and new pictures (normal approximation)."""
    if len(values) > 1:
        return crossed(values, groups, n, confidence=confidence, moderate=n > 1)
    images = np.bincount(groups, minlength=n)
    mean = np.bincount(groups, values[0], minlength=n) / images
    squares = np.bincount(groups, values[0] ** 2, minlength=n) / images
    error = np.sqrt((squares - mean**2) / (images - 1))
    z = np.divide(np.abs(mean), error, out=np.zeros(n), where=error > 0)
    half = stats.norm.ppf((1 + confidence) / 2) * error
    unknown, p = np.full(n, np.nan), 2 * stats.norm.sf(z)
    low, high = mean - half, mean + half
    found: dict[str, Any] = {
        "mean": mean,
        "error": error,
        "low": low,
        "high": high,
        "p": p,
        "images": images,
    }
    rest: dict[str, Any] = {f.name: unknown for f in fields(Crossed) if f.name not in found}
    return Crossed(**found, **rest | {"seeds": 1})


def keep(study: str, results: Path) -> None:
    """Store a finished sweep's predictions and class names, small, for others to count again."""
    layout = Layout(results.name, results.parent)
    index = read_table("index", layout.table("index"))
    val = index.loc[index["split"] == "val", ["image_id", "class_id", "half"]]
    table = read_table("predictions", layout.table("predictions", "sweep"))
    table = table.astype({"image_id": str}).merge(val, on="image_id")
    columns = {
        "seed": "int16", "class_id": "int16", "half": "category", "prediction": "int16",
        "strength": "float64", "view": "float64", "shifted": "bool",
    }  # fmt: skip
    folder = ROOT / "figures" / "gallery" / study
    folder.mkdir(parents=True, exist_ok=True)
    kept = table[["image_id", *columns]].astype(columns).astype({"image_id": "category"})
    # What is said of one picture is much alike, and a third as large side by side.
    kept.sort_values(["image_id", "strength", "seed", "shifted", "view"]).to_parquet(
        folder / "predictions.parquet", index=False, compression="zstd", compression_level=19
    )
    classes = read_table("classes", layout.table("classes"))
    classes[["class_id", "name"]].to_csv(folder / "classes.csv", index=False)


def block(study: str) -> str:
    """The study's part of the results page, in Markdown."""
    sweep = Sweep.read(study)
    return "\n".join(
        [
            *_averages(sweep),
            *_views(sweep),
            "",
            *_classes(sweep),
            "",
            *_pairs(sweep, PAIRS.get(study, ())),
        ]
    )


def _averages(sweep: Sweep) -> Iterator[str]:
    yield "| Strength | Accuracy | Less the weakest | Less the weakest, best views |"
    yield "|---:|---:|---:|---:|"
    everything = np.zeros(len(sweep.labels), np.int64)
    for strength in sorted(sweep.said):
        found = estimate(sweep.right(strength), everything, 1, CONFIDENCE)
        level = 1 - (1 - CONFIDENCE) / len(sweep.others)
        gains = [
            _points(sweep.gains(strength, everything, 1, level, at_best=at_best), 0)
            for at_best in (False, True)
            if strength != sweep.weakest
        ]
        yield f"| {strength:g} | {_points(found, 0)} | {' | '.join(gains or ('', ''))} |"


def _views(sweep: Sweep) -> Iterator[str]:
    """Accuracy over the views on the estimation half; bold where the selection half does best."""
    if "view" not in sweep.table:
        return
    index = sweep.table[["image_id", "class_id", "half"]].drop_duplicates("image_id")
    rows = sweep.table.assign(policy=sweep.table["strength"].map("{:g}".format))
    found = views(rows, index, len(sweep.names), sweep.common, confidence=CONFIDENCE)
    found = found[found["half"] == "estimate"]
    sides = sorted(found["view"].unique())
    yield ""
    yield f"| Strength | {' | '.join(f'view {side:g}' for side in sides)} | logits shifted |"
    yield "|---:|" + "---:|" * (len(sides) + 1)
    for strength, own in found.groupby("strength"):
        cells = []
        row: Any
        for row in own.sort_values(["shifted", "view"]).itertuples():
            text = f"{100 * row.accuracy:.1f}"
            if not np.isnan(row.low):
                text += f" [{100 * row.low:.1f}, {100 * row.high:.1f}]"
            cells.append(f"**{text}**" if row.best else text)
        yield f"| {strength:g} | {' | '.join(cells)} |"


def _classes(sweep: Sweep) -> Iterator[str]:
    n = len(sweep.names)
    found = {s: sweep.gains(s, sweep.labels, n, CONFIDENCE) for s in sweep.others}
    q = q_values(np.concatenate([each.p for each in found.values()]), "bh").reshape(-1, n)
    yield "| Strength | Classes that pay | Classes that gain | Half-width, median |"
    yield "|---:|---|---|---:|"
    for (strength, each), own in zip(found.items(), q, strict=True):
        order = np.argsort(each.mean)
        sides = [
            [rank for rank in places if own[rank] <= RATE and sign * each.mean[rank] > 0]
            for places, sign in ((order, -1), (order[::-1], 1))
        ]
        best = sweep.gains(strength, sweep.labels, n, CONFIDENCE, at_best=True)
        told = [_called(name) for name in sweep.names]
        cells = [
            f"{len(sides[0])}"
            + "".join(
                f"; {told[r]} {_points(each, r)}, at the best views {_points(best, r)}"
                for r in sides[0]
            ),
            f"{len(sides[1])}"
            + "".join(f"; {told[r]} {_points(each, r)}" for r in sides[1][:NAMED])
            + ("; ..." if len(sides[1]) > NAMED else ""),
        ]
        width = np.median((each.high - each.low) / 2)
        yield f"| {strength:g} | {cells[0]} | {cells[1]} | {100 * width:.1f} |"


def _pairs(sweep: Sweep, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    places = {name: rank for rank, name in enumerate(sweep.names)}
    numbers = [(places[victim], places[partner]) for victim, partner in pairs]
    found = [[sweep.growth(s, pair, CONFIDENCE) for s in sweep.others] for pair in numbers]
    p = np.array([float(each.p[0]) for row in found for each in row])
    adjusted = _holm(p).reshape(len(pairs), -1)
    yield "| Named pair | " + " | ".join(f"{s:g}" for s in sweep.others) + " |"
    yield "|---|" + "---:|" * len(sweep.others)
    for named, pair, row, holm in zip(pairs, numbers, found, adjusted, strict=True):
        cells = []
        for strength, each, value in zip(sweep.others, row, holm, strict=True):
            cells.append(f"{_points(each, 0)}, p {'< 0.01' if value < 0.01 else f'{value:.2f}'}")
            if value <= RATE:
                best = sweep.growth(strength, pair, CONFIDENCE, at_best=True)
                cells[-1] += f"; at the best views {_points(best, 0)}"
        yield f"| {_called(named[0])} as {_called(named[1])} | {' | '.join(cells)} |"


def _holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values (1979)."""
    order = np.argsort(p)
    scaled = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, scaled)
    return adjusted


def _points(found: Crossed, rank: int) -> str:
    low, high = 100 * found.low[rank], 100 * found.high[rank]
    return f"{100 * found.mean[rank]:.1f} [{low:.1f}, {high:.1f}]"


def _called(name: str) -> str:
    return class_path(name).rsplit("/", 1)[-1] if re.fullmatch(r"n\d{8}", name) else name


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("study")
    parser.add_argument("--keep", type=Path, metavar="RESULTS", help="of a finished study")
    options = parser.parse_args()
    if options.keep:
        keep(options.study, options.keep)
    start, end = f"<!-- numbers: {options.study} -->", "<!-- end of numbers -->"
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(start)
    _, after = rest.split(end, 1)
    text = block(options.study)
    PAGE.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
