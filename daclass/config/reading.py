"""A study's YAML file and the changes to it, as plain settings; and what was wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from daclass.errors import InputError


def read_settings(path: Path, changes: Sequence[str] = ()) -> dict[str, Any]:
    """The settings in a YAML file, changed.

    Args:
        path: the file.
        changes: settings that replace the file's, as ``dotted.name=value``, the value in YAML.

    Raises:
        InputError: the file is missing or is not YAML, or a change is not of that form.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot read the study ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: a study is a mapping of settings; this file holds none")
    for change in changes:
        _change(content, change)
    return content


def _change(content: dict[str, Any], change: str) -> None:
    """Apply one ``dotted.name=value`` to a config in place."""
    name, equals, value = change.partition("=")
    if not equals or not name:
        raise InputError(f"--set {change}: expected SETTING=VALUE")
    *sections, last = name.split(".")
    for section in sections:
        content = content.setdefault(section, {})
        if not isinstance(content, dict):
            raise InputError(f"--set {change}: {section} is not a section")
    try:
        content[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise InputError(f"--set {change}: the value is not valid YAML") from None


def explain(error: ValidationError) -> str:
    """One line for the first fault of a config, naming the setting."""
    faults = error.errors(include_url=False)
    # Where a setting is a path or something else, what the something else lacks says more.
    faults = [fault for fault in faults if fault["type"] != "path_type"] or faults
    first = faults[0]
    place = [part for part in first["loc"] if "[" not in str(part)]  # less the types of a union
    if place[:1] == ["data"]:
        del place[1:2]  # pydantic's name of the source's model, which no config spells out
    where = ".".join(map(str, place)) or "the study"
    what = "unknown setting" if first["type"] == "extra_forbidden" else first["msg"]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{where}: {what.removeprefix('Value error, ')}{more}"
