"""A hundred bad inputs, each given to the command line: is each refused in one clear line?

    python -m tests.stages.bad_inputs

Writes a table with what was given, the exit status, and the line that it was answered with.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import os
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from daclass.cli import main as daclass

TINY = Path(__file__).parents[1] / "tiny.yaml"

SETTINGS = (
    "seed=true", "seed=-1", "seed=1e3", "seed=010", "seed=1:30", "seed=" + "9" * 5000, "seed=null",
    "seed=2147483648", "title=[1, 2]", "title={a: 1}", "title=3", "name=Tiny", "name=../up",
    "name=" + "a" * 65, "data.draws=0", "data.draws=1e9", "data.petri.noise=[0.2, 0.1]",
    "data.petri.sizes={unicorn: [1, 2]}", "data.petri.picture_size=1000000",
    "data.petri.val_per_class=.inf", "data.source=camera", "beton.write_mode=tiff",
    "beton.jpeg_quality=101", "augmentation.axis=sharpness", "augmentation.flip=1.5",
    "augmentation.flip=.nan", "augmentation.crop_scale=0.3", "training.epochs=1e30",
    "training.epochs=0", "training.batch_size=1000000000000", "training.widths=[8, 8]",
    "training.widths=[4, 8, 16]", "training.learning_rate=-0.1", "training.momentum=yes",
    "training.std=[0, 1, 1]", "training.warmup_epochs=3", "training.epoch=3", "training.model=3",
    "training.resolution=100000000", "training.precision=float8", "machine.device=tpu",
    "machine.threads=0", "sweep.strengths=[0.1]", "sweep.strengths=[0.1, 0.1]",
    "sweep.strengths=[0.1, 2]", "sweep.seeds=[]", "sweep.seeds=[0, 0]", "sweep.seeds=[0, 0.5]",
    "analysis.confidence=1", "analysis.confidence=95", "analysis.bootstrap=10",
    "analysis.reference=0.3", "analysis.affected.rule=worst", "analysis.views=[0]",
    "interventions.designers=[nobody]", "interventions.classes=1.5", "interventions.seeds=[0, 1]",
    "interventions.settings={graded: {x: 1}}", "a.b.c=1", "=3", "training", "training=3",
    "sweep=null", 'title="a', "title=[1", "title={a: &x 1, b: *x}",
)  # fmt: skip

CONFIGS = {
    "empty": "", "a list": "- 1\n", "a text": "study\n", "a tab": "name:\n\tx: 1\n",
    "no UTF-8": b"name: \xff\xfe\n", "a zero byte": b"name: a\0b\n", "a date": "name: 2020-01-01\n",
    "a key twice": "name: a\nname: b\n", "deep nesting": "name: " + "[" * 5000 + "]" * 5000,
    "an alias": "name: &a x\ntitle: *a\n", "a tag": "name: !!python/object:os.system x\n",
    "two documents": "name: a\n---\nname: b\n", "open bracket": "name: [a\n",
    "no data": "name: a\n",
}  # fmt: skip

PREDICTIONS = {
    "empty": "", "no rows": "image,prediction,model,condition\n", "no header": "a,b,m,new\n",
    "a column twice": "image,image,prediction,model,condition\na,a,x,m,new\n",
    "more fields than the header": "image,prediction,model,condition\na,x,m,new,1\n",
    "no prediction": "image,prediction,model,condition\na,,m,new\n",
    "no picture": "image,prediction,model,condition\n,x,m,new\n",
    "a picture twice": "image,prediction,model,condition\na,x,m,new\na,y,m,new\n",
    "an unknown picture": "image,prediction,model,condition\nz,x,m,new\n",
    "an unknown class": "image,prediction,model,condition\na,w,m,new\n",
    "no such condition": "image,prediction,model,condition\na,x,m,newer\n",
    "an open quote": 'image,prediction,model,condition\n"a,x,m,new\n',
    "no UTF-8": b"image,prediction,model,condition\n\xff,x,m,new\n",
    "zero bytes": b"\0" * 100,
}  # fmt: skip

LABELS = {
    "empty": "", "no rows": "image,label\n", "no label": "image,label\na,\nb,y\n",
    "a picture twice": "image,label\na,x\na,y\nb,y\n", "another column": "image,klass\na,x\n",
}  # fmt: skip

GOOD = "image,prediction,model,condition\n" + "".join(
    f"{image},{guess},{model},{condition}\n"
    for condition, model, guesses in (("new", "m", "xx"), ("old", "n", "xy"))
    for image, guess in zip("ab", guesses, strict=True)
)
STUDY = """name: small
data: {source: predictions, files: [p.csv], labels: l.csv}
comparison: {conditions: [new, old]}
analysis: {bootstrap: 100}
"""


class Answer(NamedTuple):
    """What was given, and how it was answered; `clear` where by status 2 and one line."""

    kind: str
    given: str
    status: int
    said: str
    clear: bool


def ask(kind: str, given: str, *words: str) -> Answer:
    """Give the command line something, in the working directory."""
    out, err, status = io.StringIO(), io.StringIO(), 1
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = daclass(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        except BaseException:
            traceback.print_exc()
    lines = err.getvalue().strip().splitlines()
    last = lines[-1] if lines else ""
    refusals = [line for line in lines if line.startswith("daclass: ")]
    clear = status == 2 and len(refusals) == 1 and last == refusals[0] and "Traceback" not in last
    return Answer(kind, given[:60], status, last[:160], clear)


def _write(name: str, content: str | bytes) -> None:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())


def study() -> None:
    """A small study of predictions in the working directory."""
    for name, content in (("study.yaml", STUDY), ("p.csv", GOOD)):
        _write(name, content)
    _write("l.csv", "image,label\na,x\nb,y\n")


def answers() -> Iterator[Answer]:
    """One bad input after the other, each in an empty folder."""
    _write("tiny.yaml", TINY.read_bytes())
    for setting in SETTINGS:
        yield ask("setting", setting, "check", "tiny.yaml", "--set", setting)
    for name, content in CONFIGS.items():
        _write("config.yaml", content)
        yield ask("config", name, "check", "config.yaml")
    for name, content in PREDICTIONS.items():
        study()
        _write("p.csv", content)
        yield ask("predictions", name, "analyze", "study.yaml")
    for name, content in LABELS.items():
        study()
        _write("l.csv", content)
        yield ask("labels", name, "analyze", "study.yaml")
    study()
    daclass(["analyze", "study.yaml"])
    results = Path("results", "small")
    cut: Callable[[bytes], bytes] = lambda held: held[: len(held) // 2]  # noqa: E731
    for place, stage in (
        ("data/index.parquet", "measure"), ("predictions/sweep.parquet", "measure"),
        ("effects.parquet", "categories"), ("summary.json", "report"),
        ("summary.json", "headline"), ("receipts/measure.json", "categories"),
    ):  # fmt: skip
        file = results / place
        held = file.read_bytes()
        file.write_bytes(cut(held))
        yield ask("truncated", f"{place}, read by {stage}", stage, "study.yaml")
        file.write_bytes(held)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--table", type=Path, default=Path("benchmarks/results/bad_inputs.csv").absolute()
    )
    options = parser.parse_args()
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        found = list(answers())
        os.chdir(here)
    options.table.parent.mkdir(parents=True, exist_ok=True)
    with options.table.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(Answer._fields)
        rows.writerows(found)
    unclear = [answer for answer in found if not answer.clear]
    for answer in unclear:
        print(*answer, sep=" | ")
    print(f"{len(found)} bad inputs, {len(found) - len(unclear)} clear lines")
    raise SystemExit(bool(unclear))


if __name__ == "__main__":
    main()
