"""Faults at every stage of a tiny study, and whether its end is that of an undisturbed one.

Each round does one thing to one job of the study: ends it at some moment (SIGKILL), has it find no
room on the disk (a limit on the size of its files stands for that), flips a byte of a file that it
wrote, or puts there what another study has in that place; in the last two cases somebody reads it.
Then the study is asked for again, after `verify` where a file was changed, and all that it holds is
compared with an undisturbed study. Rounds follow from a seed and are written down one by one; the
next start goes on behind them.

    python -m tests.stages.campaign --rounds 300
"""

from __future__ import annotations

import argparse
import csv
import errno
import hashlib
import os
import random
import resource
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from daclass.augment import AugmentError
from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.stages import Job, Jobs, jobs_of
from daclass.stages.receipts import read_record
from daclass.stages.stage import Item, each
from daclass.stages.verify import verify
from daclass.tables import content_digest, read_table
from tests.stages.failing import ask
from tests.stages.settings_walk import CLOCK

SMALL = (
    "data.draws=2", "training.epochs=2", "sweep.seeds=[0]", "analysis.bootstrap=100",
    "interventions.seeds=[1]", "interventions.random_draws=1",
    "interventions.designers=[fp_informed, random_classes, label_preserving]",
    "interventions.fine_tuning={epochs: 1, learning_rate: 0.02}",
)  # fmt: skip
FAULTS = ("kill", "full disk", "flipped byte", "replaced")
TIMES = 3
"""How often the study is asked for before a round counts as stuck."""


class Round(NamedTuple):
    """What was done and what came of it.

    Attributes:
        number, fault, job: which round; what was done; to which job.
        what: the moment, the limit, or the file.
        then: how the disturbed job or the reader ended: "ended", "refused" (one line), "killed", or
            "traceback".
        wrong: what differs from the undisturbed study in the end; "stuck" and the reason where the
            study came to none.
        left: files that nobody needs.
    """

    number: int
    fault: str
    job: str
    what: str
    then: str
    wrong: str = ""
    left: str = ""


def in_child(
    work: Callable[[], object], log: Path, seconds: float | None = None, limit: int | None = None
) -> str:
    """How some work ends in a process of its own.

    Args:
        log: gets what it says.
        seconds: after which it is killed, with all its children.
        limit: bytes that a file of it can have.
    """
    sys.stdout.flush()
    heard, said = os.pipe()  # into the log itself a child with a limit could not write
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.close(heard)
        os.close(said)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        status = 1
        try:
            work()
            status = 0
        except (InputError, AugmentError) as error:
            os.write(2, f"{error}\n".encode())
            status = 2
        except OSError as error:
            traceback.print_exc()
            status = 2 if error.errno in {errno.EFBIG, errno.ENOSPC} and error.filename else 1
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(said)
    keeper = threading.Thread(target=_keep, args=(heard, log))
    keeper.start()
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            keeper.join(timeout=10)  # a stray child may hold the pipe open
            code = os.waitstatus_to_exitcode(status)
            return {0: "ended", 2: "refused", -9: "killed"}.get(code, "traceback")
        if end is not None and time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            end = None
        time.sleep(0.005)


def _keep(heard: int, log: Path) -> None:
    with os.fdopen(heard, "rb") as pipe, log.open("ab") as file:
        shutil.copyfileobj(pipe, file)


def files_of(job: Job, layout: Layout) -> list[Path]:
    """Files that a job wrote, those of its runs included."""
    found: list[Path] = []
    for items in job.writes.values():
        for item in each(items):
            path = item.path(layout)
            found += (
                [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
            )
            if item.name == "trained" and path.is_file():
                found += [_run(layout, run) / "weights.safetensors" for run in _runs(path)]
    return sorted(file for file in found if file.is_file())


def _runs(trained: Path) -> list[dict]:
    return list(read_record(trained).values())


def _run(layout: Layout, run: dict) -> Path:
    return layout.runs / f"seed{run['seed']}-{run['run']}"


def content(item: Item, layout: Layout) -> str:
    """Hash of what an item says, less how long something took."""
    path = item.path(layout)
    if item.kind == "table":
        return content_digest(read_table(item.name, path).drop(columns=CLOCK, errors="ignore"))
    if item.name == "trained":
        said = {
            name: {**run, "seconds": 0, "weights": ""} for name, run in read_record(path).items()
        }
        return str(sorted(said.items()))
    if item.name == "summary":
        return str(_without_clocks({**read_record(path), "wall_seconds": 0, "provenance": 0}))
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return hashlib.sha256(
        b"".join(file.read_bytes() for file in files if file.is_file())
    ).hexdigest()


def _without_clocks(said: Any) -> Any:
    if isinstance(said, list):
        return [_without_clocks(one) for one in said]
    if isinstance(said, dict):
        return {name: _without_clocks(one) for name, one in said.items() if name not in CLOCK}
    return said


def state(jobs: Jobs) -> dict[str, str]:
    """What the study holds, by item."""
    return {
        f"{item.kind} {item.label}": content(item, jobs.layout)
        for job in jobs
        for items in job.writes.values()
        for item in each(items)
        if item.kind != "figure" or item.name.endswith(("csv", "txt"))
        if item.name != "report"
    }


class Campaign:
    """A disturbed study beside an undisturbed one."""

    def __init__(self, config: Path, work: Path) -> None:
        self.study = Study.load(config, SMALL)
        self.work, self.log = work, work / "log.txt"
        self.undisturbed, self.sibling, self.disturbed = (
            Layout(self.study.name, work / name / "results", work / name / "figures")
            for name in ("undisturbed", "sibling", "disturbed")
        )
        work.mkdir(parents=True, exist_ok=True)
        self.seconds = self._prepare(self.study, self.undisturbed)
        self._prepare(Study.load(config, [*SMALL, "data.petri.seed=7"]), self.sibling)
        self.right = state(jobs_of(self.study, self.undisturbed))
        self.restore()

    def _prepare(self, study: Study, layout: Layout) -> dict[str, float]:
        """Seconds per job. What is compiled stays so for the rounds; trainings run in children,
        since torch cannot train in a process whose parent has."""
        for job in jobs_of(study, layout, look=True):
            if job.why():
                if job.stage.name != "train":
                    job.run()
                elif in_child(job.run, self.log) != "ended":
                    raise SystemExit(f"{job.name}: see {self.log}")
        receipts = {job.name: job.receipt for job in jobs_of(study, layout)}
        return {name: receipt.seconds for name, receipt in receipts.items() if receipt}

    def restore(self) -> None:
        """The disturbed study is as the undisturbed one."""
        shutil.rmtree(self.work / "disturbed", ignore_errors=True)
        shutil.copytree(self.work / "undisturbed", self.work / "disturbed")

    def round(self, number: int, seed: int) -> Round:
        rng = random.Random(f"{seed} {number}")
        jobs = list(jobs_of(self.study, self.disturbed))
        fault, job = rng.choice(FAULTS), rng.choice(jobs)
        if fault in {"kill", "full disk"}:
            what, then = self._while_running(fault, job, rng)
        else:
            what, then = self._at_rest(fault, job, jobs, rng)
        if then == "silent":
            found = "was used unnoticed"
        else:
            found = self._again(check=fault not in {"kill", "full disk"})
        left = self._left()
        if found or left:
            self.restore()
        return Round(number, fault, job.name, what, then, found, left)

    def _while_running(self, fault: str, job: Job, rng: random.Random) -> tuple[str, str]:
        job.receipt_path.unlink()
        if job.stage.name == "train":
            (item,) = (each(items)[0] for items in job.writes.values())
            for run in _runs(item.path(self.disturbed)):
                shutil.rmtree(_run(self.disturbed, run), ignore_errors=True)
        if fault == "kill":
            moment = rng.random() * (self.seconds[job.name] + 0.1)
            return f"after {moment:.2f} s", in_child(job.run, self.log, seconds=moment)
        most = max(file.stat().st_size for file in files_of(job, self.undisturbed))
        limit = int(most * rng.random() ** 2)
        return f"files of {limit} bytes", in_child(job.run, self.log, limit=limit)

    def _at_rest(
        self, fault: str, job: Job, jobs: list[Job], rng: random.Random
    ) -> tuple[str, str]:
        file = rng.choice(files_of(job, self.disturbed))
        place = file.relative_to(self.work / "disturbed")
        if fault == "replaced":
            other = self.work / "sibling" / place
            if not other.is_file():  # run folders are named by what they hold
                other = rng.choice(list(other.parents[1].rglob(place.name)))
            shutil.copy(other, file)
            os.utime(file, (0, 0))
            what = str(place)
        else:
            held = bytearray(file.read_bytes())
            offset = rng.randrange(len(held)) if held else 0
            if held:
                held[offset] ^= 1 << rng.randrange(8)
            file.write_bytes(held)
            what = f"{place}, byte {offset}"
        readers = [reader for reader in jobs if job.name in {one.name for one in reader.sources}]
        if not readers:
            return what, "nobody reads it"
        reader = rng.choice(readers)
        reader.receipt_path.unlink()
        then = in_child(
            jobs_of(self.study, self.disturbed).get(reader.stage.name, reader.of).run, self.log
        )
        if then == "ended" and any(
            content(item, self.disturbed) != self.right[f"{item.kind} {item.label}"]
            for items in reader.writes.values()
            for item in each(items)
            if f"{item.kind} {item.label}" in self.right
        ):
            return what, "silent"
        return what, then

    def _again(self, *, check: bool) -> str:
        """Ask for the study until it is there; what of it is wrong then."""
        if check:
            in_child(lambda: verify(jobs_of(self.study, self.disturbed, look=True)), self.log)
        for _ in range(TIMES):
            then = in_child(lambda: ask(self.study, self.disturbed), self.log)
            if then == "ended":
                break
        else:
            last = self.log.read_text(errors="replace").splitlines()[-1]
            return f"stuck ({then}): {last}"
        now = state(jobs_of(self.study, self.disturbed))
        return " ".join(name for name in self.right if now.get(name) != self.right[name])

    def _left(self) -> str:
        """Files that the undisturbed study lacks; what was set aside goes."""
        kept = {
            path.relative_to(self.work / "undisturbed")
            for path in (self.work / "undisturbed").rglob("*")
        }
        left = []
        for path in sorted((self.work / "disturbed").rglob("*")):
            if ".damaged-" in path.name:
                path.unlink()
            elif path.relative_to(self.work / "disturbed") not in kept and path.name != ".lock":
                left.append(str(path.relative_to(self.work / "disturbed")))
        return " ".join(left)


def rounds_in(table: Path) -> Iterator[Round]:
    if table.is_file():
        with table.open(newline="") as file:
            for row in csv.DictReader(file):
                yield Round(**{**row, "number": int(row["number"])})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=Path("tests/tiny.yaml"))
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("results/campaign"))
    parser.add_argument(
        "--table", type=Path, default=Path("benchmarks/results/campaign.csv"),
        help="one row per round, read to go on behind it; remove it to begin anew",
    )  # fmt: skip
    options = parser.parse_args()
    done = list(rounds_in(options.table))
    campaign = Campaign(options.config, options.work)
    options.table.parent.mkdir(parents=True, exist_ok=True)
    with options.table.open("a", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        if not done:
            rows.writerow(Round._fields)
        for number in range(len(done), options.rounds):
            done.append(campaign.round(number, options.seed))
            rows.writerow(done[-1])
            file.flush()
            print(*done[-1], sep=" | ", flush=True)
    table = pd.DataFrame(done)
    wrong, left = table["wrong"].ne("").sum(), table["left"].ne("").sum()
    print(table.groupby(["fault", "then"]).size().to_string())
    print(f"{len(done)} faults, {wrong} wrong results, {left} left files behind")
    raise SystemExit(bool(wrong or left))


if __name__ == "__main__":
    main()
