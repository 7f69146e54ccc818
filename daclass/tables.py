"""The Parquet tables between the stages: their columns, and how they are written and read.

Every table carries its name, the version of its layout and the digest of the settings it was made
with in the file's metadata. A table is written to a temporary name and renamed, so a reader never
sees half of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from daclass.atomic import replacing
from daclass.errors import InputError

VERSION = "2"
RUNNERS_UP = ("second", "third", "fourth", "fifth")
"""Columns of the classes that a run ranks behind its prediction."""

ENCODING: Mapping[str, Any] = {"compression": "zstd", "dictionary_pagesize_limit": 2**26}
"""How tables are stored. Image ids are repeated for every run: with the usual limit of 1 MiB the
dictionary of 50,000 of them would be given up, and reading take several times as long."""

_int, _long, _real, _text, _flag = pa.int32(), pa.int64(), pa.float64(), pa.string(), pa.bool_()

# Column orders are the order of the keys. Rates and accuracies are shares in [0, 1]; a missing
# number is NaN (float) and a missing text is "".
SCHEMAS: Mapping[str, Mapping[str, pa.DataType]] = {
    # One row a class; class_id is its rank among the sorted names. The path's last part is what
    # readers see as the name, see `with_readable_names`.
    "classes": {"class_id": _int, "name": _text, "path": _text},
    # One row a picture. `image_id` is the path below the source's root; `position` is the row of
    # the picture in the .beton of its split and draw; `draw` is -1 and `half` is "select" or
    # "estimate" for validation pictures, `half` is "" for training pictures.
    "index": {
        "image_id": _text,
        "split": _text,
        "draw": _int,
        "position": _long,
        "class_id": _int,
        "half": _text,
        "content": _text,
    },
    # One row a validation picture: the set of its labels, sorted; empty where annotators found
    # none of the classes in it.
    "annotations": {"image_id": _text, "labels": pa.list_(_int)},
    # One row an ordered pair of classes that share a label set elsewhere than in the study's own
    # annotations; of studies that name such a place (data.overlap). Shares as in "categories".
    "overlaps": {
        "class_id": _int,
        "other_id": _int,
        "overlap": _real,
        "overlap_reverse": _real,
        "jaccard": _real,
        "both": _int,
    },
    # What a generated set has planted, one row a directed relation; empty for real data.
    "truth": {
        "class_id": _int,
        "partner_id": _int,  # -1 where the relation has no partner
        "kind": _text,  # ambiguous, co-occurring, fine-grained, unrelated, helped, control
        "expectation": _text,  # hurt, swallows, helped, unchanged
        "note": _text,
    },
    # One row a (run, validation picture). `policy` is the condition that the run replicates and
    # `seed` its number there; `strength` is NaN for policies that are not uniform, and for
    # conditions that are no policies. The classes ranked behind `prediction` are -1 where unknown.
    "predictions": {
        "run": _text,
        "policy": _text,
        "strength": _real,
        "seed": _int,
        "image_id": _text,
        "prediction": _int,
        **dict.fromkeys(RUNNERS_UP, _int),
        "probability": pa.float32(),  # of `prediction`; NaN where unknown
    },
    # One row a (policy, seed, half, class), half being "select", "estimate" or "all". Original
    # counts are over the class's pictures; *_multi over its `labelled` ones, those with a non-empty
    # label set (all of them where analysis.empty_labels is "wrong").
    "counts": {
        "policy": _text,
        "strength": _real,
        "seed": _int,
        "half": _text,
        "class_id": _int,
        "images": _int,
        "correct": _int,
        "labelled": _int,
        "correct_multi": _int,
        "false_negatives": _int,
        "false_positives": _int,
        "false_negatives_multi": _int,
        "false_positives_multi": _int,
    },
    # One row a (policy, half, truth, k), truth being "original" or "multi": accuracy in the top k
    # over all pictures, with the interval for new seeds and new pictures.
    "accuracy": {
        "policy": _text,
        "strength": _real,
        "half": _text,
        "truth": _text,
        "k": _int,
        "accuracy": _real,
        "low": _real,
        "high": _real,
        "seeds": _int,
        "images": _int,
    },
    # One row a (policy, truth, k, class), on all pictures. Intervals as in "effects". The null band
    # is where the accuracy would lie if conditions did not matter. False negatives and positives
    # are means over seeds. What has no meaning for k > 1 is NaN there.
    "class_accuracy": {
        "policy": _text,
        "strength": _real,
        "truth": _text,
        "k": _int,
        "class_id": _int,
        "accuracy": _real,
        "low": _real,
        "high": _real,
        "seeds_low": _real,
        "seeds_high": _real,
        "null_low": _real,
        "null_high": _real,
        "false_negatives": _real,
        "false_positives": _real,
        "seeds": _int,
        "images": _int,
    },
    # One row a (class, truth, half, reference). `drop` is the accuracy at the reference condition
    # less that at the tested one, such as the strongest augmentation: positive where the class
    # pays. reference is "fixed" (the one the config names) or "best" (the class's own best one,
    # cross-fitted).
    "effects": {
        "class_id": _int,
        "truth": _text,
        "half": _text,
        "reference": _text,
        "reference_policy": _text,  # for "best": the one that served most cells
        "reference_strength": _real,  # for "best": the mean over cells
        "drop": _real,
        "low": _real,  # "the class": seeds and pictures are both random
        "high": _real,
        "seeds_low": _real,  # "these images": only the seeds are random
        "seeds_high": _real,
        "shrunken": _real,  # empirical Bayes, see `analysis.shrinkage`
        "p": _real,
        "q": _real,  # Benjamini-Hochberg
        "p_max": _real,  # adjusted by max-T; "fixed" on half "all" alone
        "detectable": _real,  # the true drop that would be found with a probability of .8
        "plug_in": _real,  # max over conditions less the tested one on the same data: too large
        "rank": _int,  # 1 is the class that pays most
        "affected": _flag,
        "seeds": _int,
        "images": _int,
    },
    # One row a (truth, reference, rank): the drops of all classes in descending order, as they come
    # out if no condition has an effect. reference: "fixed" or "plug_in".
    "null_band": {
        "truth": _text,
        "reference": _text,
        "rank": _int,
        "expected": _real,
        "low": _real,
        "high": _real,
    },
    # One row a (group, reference): pooled drops, and the share of the original-label drop that
    # multi-label annotations (`explained`), or as many random labels (`control`), explain. A share
    # is NaN where the drop's interval holds 0.
    "explained": {
        "group": _text,  # all, affected
        "reference": _text,  # fixed, best
        **{
            f"{name}{end}": _real
            for name in ("drop_original", "drop_multi", "drop_control", "explained", "control")
            for end in ("", "_low", "_high")
        },
        "classes": _int,
        "images": _int,
        "seeds": _int,
    },
    # One row an ordered pair (class -> predicted) that occurs, and a half: the share of the class's
    # pictures predicted as the other, at the tested condition and at the fixed reference.
    "confusions": {
        "class_id": _int,
        "predicted_id": _int,
        "half": _text,
        "rate_tested": _real,
        "rate_reference": _real,
        "growth": _real,
        "low": _real,
        "high": _real,
        "p": _real,
        "q": _real,
        "seeds": _int,
        "images": _int,
    },
    # One row an affected class: the class that swallows it and of which kind the pair is.
    "categories": {
        "class_id": _int,
        "swallower_id": _int,  # chosen on the selection half; -1 where no confusion grew
        "growth": _real,  # measured on the estimation half
        "low": _real,
        "high": _real,
        "overlap": _real,  # share of the class's annotated pictures that also carry the swallower
        "overlap_reverse": _real,
        "jaccard": _real,
        "both": _int,  # pictures whose label set holds both
        "similarity": _real,
        "category": _text,  # ambiguous, co-occurring, fine-grained, unrelated, none
    },
    # One row a (overlap, similarity, category): affected classes of that category if these were the
    # thresholds.
    "sensitivity": {"overlap": _real, "similarity": _real, "category": _text, "classes": _int},
    # One row a (policy, group, truth, baseline): paired difference in accuracy on the estimation
    # half with fresh seeds. group: all, affected, swallowers, both. baseline: a policy's name.
    "interventions": {
        "policy": _text,
        "group": _text,
        "truth": _text,
        "accuracy": _real,
        "accuracy_low": _real,
        "accuracy_high": _real,
        "baseline": _text,
        "difference": _real,
        "low": _real,
        "high": _real,
        "p": _real,
        "seeds": _int,
        "images": _int,
        "classes": _int,
    },
    # The few largest growths of each class on all pictures, with what decides the pair's kind.
    "top_confusions": {
        "class_id": _int,
        "predicted_id": _int,
        "rate_tested": _real,
        "rate_reference": _real,
        "growth": _real,
        "low": _real,
        "high": _real,
        "q": _real,
        "overlap": _real,
        "overlap_reverse": _real,
        "similarity": _real,
        "category": _text,
    },
    # One row a (strength, picture size): what share of the area the crops have in truth, and how
    # many of them are the fallback box, for the pictures of a sample that have this size (px).
    "realised_area": {
        "strength": _real,
        "height": _int,
        "width": _int,
        "mean_area": _real,
        "fallback_share": _real,
        "images": _int,
    },
    # A few validation pictures of some classes, as thumbnails for the report. Boxes are the crops
    # of one epoch at each of `strengths`, as (left, top, width, height) in shares of the picture.
    "examples": {
        "class_id": _int,
        "image_id": _text,
        "chosen": _text,  # "lost", "gained" or "typical"
        "labels": pa.list_(_int),
        "prediction_reference": _int,  # what most seeds say
        "prediction_tested": _int,
        "right_reference": _int,  # seeds that are right, by the original label
        "right_tested": _int,
        "seeds": _int,
        "width": _int,  # of the thumbnail, px
        "height": _int,
        "jpeg": pa.binary(),
        "strengths": pa.list_(_real),
        "boxes": pa.list_(pa.list_(_real)),
    },
    # One row a planted relation beside what was found on the estimation half.
    "planted": {
        "class_id": _int,
        "partner_id": _int,
        "kind": _text,
        "expectation": _text,
        "drop": _real,
        "low": _real,
        "high": _real,
        "drop_multi": _real,
        "q": _real,
        "affected": _flag,
        "swallower_id": _int,
        "category": _text,
        "verdict": _text,  # found, missed, false alarm, quiet
    },
}


def write_table(frame: pd.DataFrame, name: str, path: Path, digest: str = "") -> None:
    """Write `frame` as the table called `name`, atomically.

    Args:
        frame: must hold exactly the columns of ``SCHEMAS[name]``, in any order.
        name: a key of ``SCHEMAS``.
        path: the Parquet file to write; its folder is made if missing.
        digest: hash of the settings that the table depends on.
    """
    columns = SCHEMAS[name]
    if set(frame.columns) != set(columns):
        odd = sorted(set(frame.columns) ^ set(columns))
        raise ValueError(f"table {name}: columns differ from its layout in {odd}")
    metadata = {"daclass.table": name, "daclass.version": VERSION, "daclass.digest": digest}
    schema = pa.schema(list(columns.items()), metadata=metadata)
    table = pa.Table.from_pandas(frame[list(columns)], schema=schema, preserve_index=False)
    with replacing(path) as partial:
        pq.write_table(table.replace_schema_metadata(metadata), partial, **ENCODING)


def content_digest(frame: pd.DataFrame) -> str:
    """SHA-256 of what a table says, in hex: of the table as CSV, in the order of its rows.

    The file's own bytes change with the version of Parquet's writer; this does not.
    """
    return hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()


def read_table(name: str, *paths: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read one or more files of the table called `name`, or some of its columns, into one frame.

    Text of table "predictions" comes as categories: it repeats millions of times.

    Raises:
        InputError: a file is missing, is not Parquet, is another table or another version.
    """
    read = pa.concat_tables([_read(name, path, columns) for path in paths])
    return read.unify_dictionaries().to_pandas()


def with_readable_names(classes: pd.DataFrame) -> pd.DataFrame:
    """Table "classes" with names for readers: what is called n03179701 may be a "desk".

    The name is the last part of the class's path; where classes share it, what the class is called
    follows in brackets.
    """
    leaf = classes["path"].str.rsplit("/", n=1).str[-1]
    readable = leaf.where(~leaf.duplicated(keep=False), leaf + " (" + classes["name"] + ")")
    return classes.assign(name=readable.where(leaf != "", classes["name"]))


def _read(name: str, path: Path, columns: Sequence[str] | None) -> pa.Table:
    if not path.is_file():
        raise InputError(f"{path}: no such file (expected the {name} table)")
    text = [column for column, kind in SCHEMAS[name].items() if kind == _text]
    try:
        table = pq.read_table(
            path,
            columns=list(columns) if columns is not None else None,
            read_dictionary=text if name == "predictions" else [],
        )
    except (pa.ArrowInvalid, OSError) as error:
        what = " ".join(str(error).split())
        raise InputError(f"{path}: not a readable Parquet file ({what})") from None
    metadata = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    found = metadata.get("daclass.table")
    if found != name:
        raise InputError(f"{path}: holds {found or 'something else'}, expected the {name} table")
    if metadata.get("daclass.version") != VERSION:
        raise InputError(
            f"{path}: written with table layout {metadata.get('daclass.version')}, "
            f"this daclass reads layout {VERSION}; run the stage again"
        )
    return table.replace_schema_metadata(None)
