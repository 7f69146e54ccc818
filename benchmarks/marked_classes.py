"""Does a network tell a class by how whole its pictures are?

    python benchmarks/marked_classes.py configs/petri.yaml configs/cifar10h.yaml

A policy that gives few classes weaker crops makes whole pictures rare among the others. If networks
learn that, these classes get the more predictions the more of a validation picture is shown, and
hardly any where only a part is. For every finished study, the networks of its FP-informed policy
and of the strongest strength for all predict the pictures of the estimation half, of which the
central square is shown. Writes benchmarks/results/marked_classes.csv, one row a (study, side of the
square): the share of predictions that the policy's classes get under either policy, their
difference, paired by seed and picture, and the accuracies. Intervals are for new seeds and new
pictures (`crossed`). A study whose policy has no classes of its own is passed over. --draw draws
the table that is there, as figures/gallery/marked_classes.png.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from daclass.analysis.cells import one_view
from daclass.config import Layout, Study
from daclass.inference.arrays import Bools
from daclass.inference.crossed import Crossed, crossed
from daclass.plots.save import save_png
from daclass.plots.style import INK, LINE, RED, key, panels, styled
from daclass.stages import jobs_of
from daclass.stages.data import root_of, written
from daclass.stages.stage import files
from daclass.stages.stage import table as item
from daclass.stages.training import predict_networks
from daclass.tables import read_table

POLICY, BASELINE = "fp_informed", "uniform_tested"
GALLERY = Path(__file__).parents[1] / "figures" / "gallery"
SIDES = (0.3, 0.5, 0.7, 0.85, 0.95, 1.0)


def predictions(study: Study, layout: Layout, folder: Path) -> pd.DataFrame:
    """What the networks of both policies predict, at the study's `training.val_crop`."""
    trained = [
        json.loads(layout.trained("interventions", seed).read_text())
        for seed in study.seeds("interventions")
    ]
    rows = [
        {"policy": policy, "seed": run[policy]["seed"], "weights": run[policy]["weights"]}
        for run in trained
        for policy in (POLICY, BASELINE)
    ]
    listed = pd.DataFrame(rows)
    listed["weights"] = [str(Path(file).absolute()) for file in listed["weights"]]
    listed.to_csv(folder / "networks.csv", index=False)
    jobs = jobs_of(study, layout)
    found = predict_networks(
        study,
        folder / "networks.csv",
        jobs.read(item("index")),
        jobs.read(item("classes")),
        jobs.read(files("beton", "val", -1)),
        root_of(study, jobs.read(files("pictures")) if written(study) else None),
    )
    return one_view(found, study.training.val_crop)


def compare(study: Study, layout: Layout) -> Iterator[dict[str, object]]:
    index = read_table("index", layout.table("index"))
    labels = index[index["half"] == "estimate"].set_index("image_id")["class_id"]
    names = read_table("classes", layout.table("classes"))
    seeds = study.seeds("interventions")
    record = json.loads(layout.trained("interventions", seeds[0]).read_text())
    own = record[POLICY]["policy"].get("classes", {})
    marked = names.loc[names["name"].isin(own), "class_id"]
    if marked.empty:
        return
    for side in SIDES:
        shown = study.model_copy(
            update={"training": study.training.model_copy(update={"val_crop": side})}
        )
        with tempfile.TemporaryDirectory() as folder:
            table = predictions(shown, layout, Path(folder))
        table = table.set_index(["policy", "seed", "image_id"])["prediction"]
        chosen = {
            name: np.stack([table[name, seed][labels.index] for seed in seeds])
            for name in (POLICY, BASELINE)
        }
        truth = labels.to_numpy()
        taken = {name: np.isin(values, marked) for name, values in chosen.items()}
        right = {name: values == truth for name, values in chosen.items()}
        row: dict[str, object] = {
            "study": study.name,
            "side": side,
            "marked_classes": len(marked),
            "of_pictures": round(float(np.isin(truth, marked).mean()), 4),
            "seeds": len(seeds),
            "pictures": len(truth),
        }
        for what, cells in (("share", taken), ("accuracy", right)):
            row |= {f"{what}_{name}": round(float(cells[name].mean()), 4) for name in cells}
            found = paired(cells[POLICY], cells[BASELINE], study.analysis.confidence)
            row |= {
                f"{what}_{end}": round(float(getattr(found, name)[0]), 4)
                for end, name in (("difference", "mean"), ("low", "low"), ("high", "high"))
            }
        print(row, flush=True)
        yield row


def paired(own: Bools, other: Bools, confidence: float) -> Crossed:
    values = own.astype(np.int8) - other.astype(np.int8)
    return crossed(values, np.zeros(own.shape[1], np.int64), 1, confidence=confidence)


@styled
def draw(table: pd.DataFrame) -> Figure:
    """The share of predictions of the policy's classes against the area shown, a panel a study."""
    studies = list(dict.fromkeys(table["study"]))
    figure, axes = panels(len(studies), 2, 1.5)
    for ax, study in zip(axes, studies, strict=True):
        rows = table[table["study"] == study]
        area = 100 * rows["side"] ** 2
        for policy, colour, marker in ((BASELINE, INK, "s"), (POLICY, RED, "o")):
            share = 100 * rows[f"share_{policy}"]
            ax.plot(area, share, color=colour, marker=marker, markersize=3.5, linewidth=1.1)
        ends = [100 * (rows[f"share_{BASELINE}"] + rows[f"share_{end}"]) for end in ("low", "high")]
        ax.vlines(area, *ends, color=RED, linewidth=1.1)
        due = 100 * rows["of_pictures"].iloc[0]
        ax.axhline(due, color=INK, alpha=0.5, linewidth=0.7, dashes=(4, 3))
        ax.set_title(f"{study}, {rows['marked_classes'].iloc[0]} classes")
    axes[0].set_ylim(0)
    looks = (("strongest for all", INK, {"marker": "s"}), ("FP-informed", RED, {"marker": "o"}))
    key(figure, [*looks, ("share of the pictures", INK, {"linestyle": "--", "alpha": 0.5})])
    figure.supxlabel("share of the picture's area that is shown (%)", fontsize=LINE, color=INK)
    figure.supylabel("predictions that the classes get (%)", fontsize=LINE, color=INK)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("configs", type=Path, nargs="*")
    parser.add_argument("--draw", action="store_true", help="draw the table that is there")
    parser.add_argument("--results", type=Path, default=Path("results"), help="of the studies")
    options = parser.parse_args()
    file = Path(__file__).parent / "results" / "marked_classes.csv"
    if options.draw:
        save_png(draw(pd.read_csv(file)), GALLERY / "marked_classes.png")
        return
    rows: list[dict[str, object]] = []
    for config in options.configs:
        study = Study.load(config)
        rows.extend(compare(study, Layout(study.name, options.results)))
    table = pd.DataFrame(rows)
    table.to_csv(file, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
