"""ImageNet-1k's classes and ReaL labels, from the data files that timm carries.

The files are read where timm is installed, without importing it (or torch).
"""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from daclass.data.wordnet import hypernym_path
from daclass.errors import InputError


def real_labels_file() -> Path:
    """ReaL (Beyer et al. 2020, "Are we done with ImageNet?"): a list of 50,000 lists of class
    numbers, in the order of the validation pictures' file names."""
    return _timm_file("imagenet_real_labels.json")


def synsets() -> list[str]:
    """WordNet ids such as n01440764 by class number, which is their sorted order."""
    return _timm_file("imagenet_synsets.txt").read_text(encoding="utf-8").split()


def class_names() -> list[str]:
    """A readable name for each class number, all distinct.

    The synset's first lemma; where two classes share it, its second one or its WordNet id follows
    in brackets: "crane (n02012849)".
    """
    lines = _timm_file("imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines()
    lemmas = dict(line.split("\t", 1) for line in lines)
    names = [lemmas[synset].split(", ") for synset in synsets()]
    first = Counter(name[0] for name in names)
    full = [
        name[0] if first[name[0]] == 1 else f"{name[0]} ({name[1]})" if name[1:] else name[0]
        for name in names
    ]
    times = Counter(full)
    return [
        name if times[name] == 1 else f"{name} ({synset})"
        for name, synset in zip(full, synsets(), strict=True)
    ]


def class_tree() -> pd.DataFrame:
    """Columns name and path by class number; the path is WordNet's, where that is installed.

    Else the path is the name alone and how similar classes are is unknown.
    """
    names = class_names()
    paths = []
    for synset, name in zip(synsets(), names, strict=True):
        above = hypernym_path(int(synset[1:]))
        paths.append("/".join([*above, name.replace("/", " ")]))
    return pd.DataFrame({"name": names, "path": paths})


def _timm_file(name: str) -> Path:
    spec = find_spec("timm")
    if spec is None or spec.origin is None:
        raise InputError(f"ImageNet's {name} comes with the package timm, which is not installed")
    return Path(spec.origin).parent / "data" / "_info" / name
