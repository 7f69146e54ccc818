"""Studies of predictions without a config: of files that a command line names, or of arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from daclass.config import PredictionsData, Study
from daclass.config.reading import validated
from daclass.data.predictions.read import read_parts
from daclass.errors import InputError


def study_of_files(
    files: Sequence[Path],
    settings: dict[str, Any],
    *,
    tested: str | None = None,
    reference: str | None = None,
    name: str | None = None,
) -> Study:
    """A study that compares what files with predictions hold.

    What is compared are the conditions that a column names; else the files, where there are
    several; else the models of the one file. They stand in the order of the files and their rows.

    Args:
        files: the files.
        settings: of the config's section `data`, such as columns and labels.
        tested: the condition that is tested; the first where not given.
        reference: the one that it is compared with; the last where not given.
        name: of the study; the first file's where not given.

    Raises:
        InputError: a file is bad, or there are not two conditions.
    """
    content = {"source": "predictions", "files": [str(file) for file in files], **settings}
    conditions = conditions_in(validated(PredictionsData, content))
    for wanted in (tested, reference):
        if wanted is not None and wanted not in conditions:
            raise InputError(f"there is no condition {wanted!r}; there are {', '.join(conditions)}")
    if len(conditions) < 2:
        raise InputError(
            f"{files[0]}: holds one condition alone, {conditions[0]!r}; give two files or more, or "
            "--condition with the column that says what a row belongs to"
        )
    first = tested or next(each for each in conditions if each != reference)
    ordered = [first, *(each for each in conditions if each != first)]
    return validated(
        Study,
        {
            "name": name or _name(files[0]),
            "data": content,
            "comparison": {
                "conditions": ordered,
                "reference": reference,
                "replicates": "models",
            },
        },
    )


def study_of_arrays(
    conditions: Sequence[str],
    reference: str | None,
    replicates: str,
    title: str,
    settings: Mapping[str, Any],
) -> Study:
    """The settings of a comparison of arrays, checked as those of a config are.

    Raises:
        InputError: a setting is wrong.
    """
    if not isinstance(settings, Mapping):
        raise InputError(f"settings: expected a mapping, got {type(settings).__name__}")
    reference = None if reference is None else str(reference)
    content = {
        "name": "comparison",
        "title": title,
        "data": {"source": "predictions", "files": ["arrays"]},
        "comparison": {
            "conditions": list(conditions),
            "reference": reference,
            "replicates": replicates,
        },
        "analysis": dict(settings),
    }
    if reference is not None and conditions[:1] == [reference]:
        raise InputError(
            f"reference {reference!r} comes first in y_pred, where the tested condition stands"
        )
    return validated(Study, content)


def conditions_in(data: PredictionsData) -> list[str]:
    """The names of what files of predictions compare."""
    _, parts = read_parts(data, ())
    columns = [part.frame["condition"] for part in parts if "condition" in part.frame]
    if columns:
        return list(dict.fromkeys(str(value) for one in columns for value in one.unique()))
    if len(parts) > 1:
        return list(dict.fromkeys(part.stem for part in parts))
    return [str(value) for value in parts[0].frame["model"].unique()]


def _name(file: Path) -> str:
    """A study's name from a file's."""
    stem = file.name.split(".")[0].lower()
    return re.sub(r"[^a-z0-9_.-]", "-", stem).strip("-.")[:64] or "predictions"
