"""Whether two results folders of one study hold the same tables, cell by cell.

    python benchmarks/compare_tables.py results/before/petri results/after/petri

For changes that are to change no result. Digests and receipts are left out, and columns that say
how long something took. Exits with 1 where a table differs or is missing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

CLOCK = ["seconds", "seconds_relative"]


def tables(folder: Path) -> dict[str, Path]:
    """The tables of daclass below a folder, by their path there; those of single runs left out."""
    found = {}
    for path in sorted(folder.rglob("*.parquet")):
        said = pq.read_schema(path).metadata or {}
        if b"daclass.table" in said and "runs" not in path.relative_to(folder).parts:
            found[str(path.relative_to(folder))] = path
    return found


def difference(one: Path, other: Path) -> str:
    """What differs between two tables; "" where nothing does."""
    first, second = (
        pd.read_parquet(path).drop(columns=[*CLOCK], errors="ignore") for path in (one, other)
    )
    try:
        pd.testing.assert_frame_equal(first, second, check_exact=True)
    except AssertionError as error:
        return " ".join(str(error).split())[:200]
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    options = parser.parse_args()
    before, after = tables(options.before), tables(options.after)
    differ = 0
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after:
            print(f"{name}: only {'after' if name in after else 'before'}")
            continue
        said = difference(before[name], after[name])
        differ += bool(said)
        print(f"{name}: {said or 'equal'}")
    differ += len(before.keys() - after.keys())
    print(f"{len(before.keys() & after.keys())} tables compared, {differ} differ or are gone")
    raise SystemExit(differ > 0)


if __name__ == "__main__":
    main()
