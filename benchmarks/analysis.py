"""How long does the analysis take at ImageNet's scale, and how much memory?

    python benchmarks/analysis.py --root /where/imagenet_val/is

Makes predictions of 10, 100 and 1,000 runs for ImageNet's 50,000 validation pictures (a picture of
a run gets the class that one of 16 real models gives it, drawn anew for each run), writes them as a
study's Parquet tables, and times `daclass measure` as a process of its own: from Parquet to all
tables, with 1,000 two-way bootstrap replicates of every class, intervals, tests and confusions.
Beside it, in the same run and from the same tables in memory, counts and accuracies by pandas and
scikit-learn, checked for equal numbers.

Writes benchmarks/results/analysis.csv.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import accuracy_score, confusion_matrix

from daclass.analysis.accuracy import accuracy
from daclass.analysis.cells import PREDICTION_COLUMNS, arrange_cells
from daclass.analysis.counts import count
from daclass.config import Layout, Study
from daclass.data.annotated import label_sets
from daclass.data.annotations import read_annotations
from daclass.data.classes import Classes
from daclass.data.imagenet import class_tree
from daclass.data.index import halves
from daclass.stages import Of, jobs_of
from daclass.stages.receipts import write_record
from daclass.tables import ENCODING, RUNNERS_UP, SCHEMAS, VERSION, read_table, write_table

STRENGTHS = (0.08, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.99)
STUDY = """
name: scale
data: {{source: folder, root: .}}
sweep: {{strengths: {strengths}, seeds: {seeds}}}
"""


def write_study(root: Path, folder: Path, seeds: int) -> tuple[Path, Layout]:
    """The tables of a sweep of 10 strengths, and its config."""
    labels = np.loadtxt(root / "val_labels.txt", dtype=np.int32)
    with np.load(root / "top5_16models.npz") as stored:
        models = stored["top5"][:, :, 0].astype(np.int32)
    ids = [f"ILSVRC2012_val_{rank:08d}.JPEG" for rank in range(1, len(labels) + 1)]
    config = folder / "scale.yaml"
    config.write_text(STUDY.format(strengths=list(STRENGTHS), seeds=list(range(seeds))))
    study, layout = Study.load(config), Layout("scale", folder / "results", folder / "figures")
    val = pd.DataFrame({"image_id": ids, "class_id": labels, "split": "val", "draw": -1})
    val = val.assign(position=range(len(val)), content="", half=halves(val, 0))
    classes = class_tree().assign(class_id=range(1000))
    numbers = {name: number for number, name in enumerate(classes["name"])}
    annotated = read_annotations("real", ids, Classes(list(classes["name"])))
    annotations, _ = label_sets(annotated, val, numbers)
    jobs = jobs_of(study, layout)
    described, labelled = jobs.get("index"), jobs.get("annotations")
    predicted = jobs.get("predict", Of(phase="sweep"))
    for job in (described, labelled, predicted):  # as if they had run
        write_record(asdict(job.expected), job.receipt_path)
    for name, frame, job in (
        ("index", val, described),
        ("classes", classes, described),
        ("annotations", annotations, labelled),
    ):
        write_table(frame, name, layout.table(name), job.digest)

    metadata = {
        "daclass.table": "predictions",
        "daclass.version": VERSION,
        "daclass.digest": predicted.digest,
    }
    schema = pa.schema(list(SCHEMAS["predictions"].items()), metadata=metadata)
    path = layout.table("predictions", "sweep")
    path.parent.mkdir(parents=True)
    rng = np.random.default_rng(0)
    picture, n = np.arange(len(ids)), len(ids)
    with pq.ParquetWriter(path, schema, **ENCODING) as writer:
        for strength, name in zip(study.strengths, study.conditions, strict=True):
            runs = []
            for seed in range(seeds):
                columns = {
                    "run": [f"{name}-{seed}"] * n,
                    "policy": [name] * n,
                    "strength": np.full(n, strength),
                    "seed": np.full(n, seed, np.int32),
                    "image_id": ids,
                    "prediction": models[rng.integers(0, len(models), n), picture],
                    **{rank: np.full(n, -1, np.int32) for rank in RUNNERS_UP},
                    "probability": np.full(n, np.nan, np.float32),
                    "view": np.full(n, study.training.val_crop),
                    "shifted": np.zeros(n, bool),
                }
                runs.append(pa.table(columns, schema=schema))
            writer.write_table(pa.concat_tables(runs), row_group_size=2**20)
    return config, layout


def measure(config: Path, layout: Layout) -> tuple[float, float]:
    """Seconds and GB of a `daclass measure` process."""
    command = [sys.executable, "-m", "daclass", "measure", str(config)]
    command += ["--results", str(layout.results_root), "--figures", str(layout.figures_root)]
    began = time.monotonic()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"daclass measure failed with {status}")
    return time.monotonic() - began, usage.ru_maxrss / 2**20


def naive(
    predictions: pd.DataFrame, index: pd.DataFrame, annotations: pd.DataFrame
) -> tuple[float, dict, dict]:
    """Counts and accuracies of every run by pandas and scikit-learn: the usual way."""
    began = time.monotonic()
    joined = predictions.merge(index[["image_id", "class_id"]], on="image_id")
    joined = joined.merge(annotations, on="image_id")
    counts, accuracies = {}, {}
    for (policy, seed), run in joined.groupby(["policy", "seed"], observed=True):
        matrix = confusion_matrix(run["class_id"], run["prediction"], labels=range(1000))
        right = np.diag(matrix)
        counts[policy, seed] = np.stack([right, matrix.sum(1) - right, matrix.sum(0) - right])
        labelled = run[run["labels"].str.len() > 0]
        pairs = zip(labelled["prediction"], labelled["labels"], strict=True)
        multi = float(np.mean([predicted in labels for predicted, labels in pairs]))
        accuracies[policy, seed] = (accuracy_score(run["class_id"], run["prediction"]), multi)
    return time.monotonic() - began, counts, accuracies


def ours(
    predictions: pd.DataFrame, index: pd.DataFrame, annotations: pd.DataFrame
) -> tuple[float, pd.DataFrame, pd.DataFrame]:
    """The same by daclass: more of it, since halves, intervals and multi-label counts come too."""
    began = time.monotonic()
    cells = arrange_cells(predictions, index, annotations, 1000, "drop")
    counts, accuracies = count(cells), accuracy(cells, confidence=0.95)
    return time.monotonic() - began, counts, accuracies


def check(counts: pd.DataFrame, accuracies: pd.DataFrame, reference: dict, shares: dict) -> None:
    """Equal numbers, or an error."""
    everything = counts[counts["half"] == "all"].set_index(["policy", "seed"])
    names = ["correct", "false_negatives", "false_positives"]
    for key, expected in reference.items():
        found = everything.loc[key].sort_values("class_id")[names].to_numpy().T
        np.testing.assert_array_equal(found, expected)
    found = accuracies[accuracies["half"] == "all"].set_index(["policy", "truth"])["accuracy"]
    by_policy = pd.DataFrame(shares, index=["original", "multi"]).T.groupby(level=0).mean()
    for policy, row in by_policy.iterrows():
        for truth, expected in row.items():
            np.testing.assert_allclose(found[policy, truth], expected, rtol=1e-9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="folder with ImageNet's labels")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/analysis.csv"))
    parser.add_argument("--runs", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--compare", type=int, default=100, help="runs of the comparison")
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["what", "runs", "seconds", "peak_gb", "times_faster"])
        writer.writeheader()
        for runs in options.runs:
            with tempfile.TemporaryDirectory() as folder:
                config, layout = write_study(options.root, Path(folder), runs // len(STRENGTHS))
                seconds, memory = measure(config, layout)
                rows = [{"what": "measure", "runs": runs, "seconds": seconds, "peak_gb": memory}]
                if runs == options.compare:
                    predictions = read_table(
                        "predictions",
                        layout.table("predictions", "sweep"),
                        columns=PREDICTION_COLUMNS,
                    )
                    pictures = [read_table(n, layout.table(n)) for n in ("index", "annotations")]
                    fast, counts, accuracies = ours(predictions, *pictures)
                    plain = predictions.astype({"policy": str, "image_id": str})
                    slow, reference, shares = naive(plain, *pictures)
                    check(counts, accuracies, reference, shares)
                    rows += [
                        {"what": "counts and accuracies", "runs": runs, "seconds": fast,
                         "times_faster": slow / fast},
                        {"what": "the same by pandas and scikit-learn", "runs": runs,
                         "seconds": slow, "times_faster": 1},
                    ]  # fmt: skip
            for line in rows:
                text = {k: round(v, 2) if isinstance(v, float) else v for k, v in line.items()}
                writer.writerow(text)
                file.flush()
                print(text, flush=True)


if __name__ == "__main__":
    main()
