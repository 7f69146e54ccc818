"""A study's YAML file and the changes to it, as plain settings; and what was wrong with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from daclass.augment.plain_yaml import load_yaml, scalar
from daclass.errors import InputError

M = TypeVar("M", bound=BaseModel)


def read_settings(path: Path, changes: Sequence[str] = ()) -> dict[str, Any]:
    """The settings in a YAML file, changed.

    Args:
        path: the file.
        changes: settings that replace the file's, as ``dotted.name=value``. A value in brackets,
            braces or quotes is YAML; any other is a number, true, false, null or a text as it
            stands, whatever is in it.

    Raises:
        InputError: the file is missing or is not YAML, or a change is not of that form.
    """
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot read the study ({error.strerror})") from None
    except ValueError as error:  # what is no UTF-8 included
        raise InputError(f"{path}: not valid YAML ({error})") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: a study is a mapping of settings; this file holds none")
    for change in changes:
        _change(content, change)
    return content


def validated(model: type[M], content: dict[str, Any]) -> M:
    """Settings, with each value of the very type that is asked for: true is no number, "4" neither.

    Raises:
        InputError: a setting is unknown, missing or wrong; one line that names it.
    """
    try:
        text = json.dumps(content)
    except (TypeError, ValueError) as error:
        raise InputError(f"a setting is nothing that a config can hold ({error})") from None
    try:
        # By way of JSON, because there strictness still takes lists for tuples and texts for paths.
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise InputError(_explain(error)) from None


def _change(content: dict[str, Any], change: str) -> None:
    """Apply one ``dotted.name=value`` to a config in place."""
    name, equals, text = change.partition("=")
    if not equals or not name:
        raise InputError(f"--set {change}: expected SETTING=VALUE")
    *sections, last = name.split(".")
    for section in sections:
        content = content.setdefault(section, {})
        if not isinstance(content, dict):
            raise InputError(f"--set {change}: {section} is not a section")
    try:
        content[last] = _value(text.strip())
    except ValueError as error:
        raise InputError(f"--set {change}: the value is not valid ({error})") from None


def _value(text: str) -> Any:
    """What stands behind the equals sign of a change."""
    return load_yaml(text) if text[:1] in {"[", "{", '"', "'"} else scalar(text)


def _explain(error: ValidationError) -> str:
    """One line for the first fault of a config, naming the setting."""
    faults = error.errors(include_url=False)
    # Where a setting is a path or something else, what the something else lacks says more.
    faults = [fault for fault in faults if "path_validator" not in str(fault["loc"])] or faults
    first = faults[0]
    place = [part for part in first["loc"] if "[" not in str(part)]  # less the types of a union
    if place[:1] == ["data"]:
        del place[1:2]  # pydantic's name of the source's model, which no config spells out
    where = ".".join(map(str, place)) or "the study"
    what = "unknown setting" if first["type"] == "extra_forbidden" else first["msg"]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{where}: {what.removeprefix('Value error, ')}{more}"
