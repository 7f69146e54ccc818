"""The settings that a stage declares: all that it can see of a study, and their hash."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MethodType
from typing import Any

from pydantic import BaseModel

from daclass.config.base import FOR_DIGEST

FOLDER = "<folder>"
"""Stands for every folder in hashed settings: what it holds counts, not where it is (`outside`)."""


class UndeclaredSetting(AttributeError):
    """A stage asked for a setting that it has not declared: its results could go stale unseen."""


class Settings:
    """A section of a study, as far as it is declared.

    Settings that are declared, or whose section is, are the section's own values. Properties and
    methods of the section work too, and see no more than the view does: a property that follows
    from an undeclared setting is refused with it.

    Args:
        section: a study or a part of it.
        declared: dotted names of settings or sections, such as ``"training"`` or
            ``"analysis.confidence"``.

    Example:
        >>> view = Settings(study, ["analysis.confidence"])
        >>> view.analysis.confidence
        0.95
        >>> view.analysis.bootstrap
        Traceback (most recent call last):
        daclass.stages.settings.UndeclaredSetting: analysis.bootstrap is not declared
    """

    def __init__(self, section: BaseModel, declared: Collection[str], place: str = "") -> None:
        self._section, self._declared, self._place = section, frozenset(declared), place

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The section's own, so that a view of a source is told from that of another."""
        return type(self._section)

    def __getattr__(self, name: str) -> Any:
        section, dotted = self._section, f"{self._place}{name}"
        if name in (section.__private_attributes__ or {}):  # where the study comes from
            return getattr(section, name)
        if name in type(section).model_fields:
            value = getattr(section, name)
            if dotted in self._declared:
                return value
            if not any(other.startswith(f"{dotted}.") for other in self._declared):
                raise UndeclaredSetting(f"{dotted} is not declared")
            if not isinstance(value, BaseModel):  # a section that the study leaves out
                return value
            return Settings(value, self._declared, f"{dotted}.")
        found = inspect.getattr_static(type(section), name, None)
        if isinstance(found, property) and found.fget:
            return found.fget(self)
        if isinstance(found, cached_property):
            return found.func(self)
        if inspect.isfunction(found):
            return MethodType(found, self)
        raise AttributeError(f"{type(section).__name__} has no {name}")


def values(study: BaseModel, declared: Sequence[str]) -> dict[str, Any]:
    """What the declared settings say, in types that JSON has, by dotted name.

    A file stands as its name, a folder as `FOLDER`. A setting of a section that the study leaves
    out, or of another kind of source, is left out.
    """
    found: dict[str, Any] = {}
    for dotted in declared:
        value: Any = study
        for name in dotted.split("."):
            if not isinstance(value, BaseModel) or name not in value.__class__.model_fields:
                break
            value = getattr(value, name)
        else:
            found[dotted] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _plain(value.model_dump(context=FOR_DIGEST))
    if isinstance(value, Path):
        return value.name if value.suffix else FOLDER
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value
