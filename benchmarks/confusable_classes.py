"""The classes of the main real study, and the pairs that it asks about: picked before it was run.

    python benchmarks/confusable_classes.py ../shared/data/tiny_imagenet_200

Of Tiny-ImageNet's 200 classes, first the 45 that share the largest share of their pictures with
another one of the 200, by ReaL's label sets of ImageNet's validation pictures; then 15 more, one by
one, each the class that is most similar in WordNet (Wu and Palmer) to one that is chosen already.
The pairs are those of the chosen classes with the largest overlap, seen from the class that shares
the larger part of its pictures, each class in one pair. Ties go to the lower WordNet id. No network
was asked.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from daclass.analysis.categories import overlaps_of_sets, similarity
from daclass.data.annotations import real_label_sets
from daclass.data.tiny_imagenet import class_folders
from daclass.data.wordnet import class_path

OVERLAPPING, SIBLINGS, PAIRS = 45, 15, 10


def confusable(names: Sequence[str]) -> list[str]:
    """The chosen classes, sorted; `names` are sorted WordNet ids."""
    shared = overlaps_of_sets(real_label_sets(names), len(names))
    largest = shared.groupby("class_id")["overlap"].max().reindex(range(len(names)), fill_value=0)
    chosen = list(largest.sort_values(ascending=False, kind="stable").index[:OVERLAPPING])
    alike = similarity([class_path(name) for name in names])
    for _ in range(SIBLINGS):
        nearest = alike[:, chosen].max(axis=1)
        nearest[chosen] = -1
        chosen.append(int(np.argmax(nearest)))
    return [names[number] for number in sorted(chosen)]


def named_pairs(names: Sequence[str]) -> pd.DataFrame:
    """The pairs of the confirmatory question: columns victim, partner, overlap, largest first."""
    shared = overlaps_of_sets(real_label_sets(names), len(names))
    seen: set[int] = set()
    rows = []
    ordered = shared.sort_values(["overlap", "class_id"], ascending=[False, True])
    row: Any
    for row in ordered.itertuples():
        if not {row.class_id, row.other_id} & seen:
            seen |= {row.class_id, row.other_id}
            rows.append((names[row.class_id], names[row.other_id], row.overlap))
    return pd.DataFrame(rows[:PAIRS], columns=["victim", "partner", "overlap"])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("root", type=Path, help="Tiny-ImageNet: its folder, or a zip of it")
    classes = confusable(class_folders(parser.parse_args().root))
    for name in classes:
        print(f"    - {name}  # {class_path(name).rsplit('/', 1)[-1]}")
    for victim, partner, overlap in named_pairs(classes).itertuples(index=False):
        ends = [class_path(name).rsplit("/", 1)[-1] for name in (victim, partner)]
        print(f"#   {victim} {partner} {overlap:.2f}  {' and '.join(ends)}")


if __name__ == "__main__":
    main()
