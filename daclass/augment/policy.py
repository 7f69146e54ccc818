"""Policies: which strength of an augmentation each class is trained with."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from daclass.augment.axis import AXES, Axis


@dataclass(frozen=True)
class Policy:
    """A strength for every class: `default`, except where `classes` names another.

    A policy with no exceptions is *uniform*. Exceptions equal to the default are dropped, so equal
    policies compare, hash and serialise equally.

    Attributes:
        axis: the axis that the strengths belong to.
        default: strength of every class that `classes` does not name.
        classes: class name -> strength, read-only.

    Raises:
        ValueError: a strength lies outside the axis's range.
    """

    axis: Axis
    default: float
    classes: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "default", self.axis.check(self.default))
        kept = {
            str(name): self.axis.check(strength)
            for name, strength in sorted(self.classes.items())
            if float(strength) != self.default
        }
        object.__setattr__(self, "classes", MappingProxyType(kept))

    @property
    def uniform(self) -> bool:
        return not self.classes

    @property
    def strength(self) -> float:
        """The strength of a uniform policy; NaN where classes differ."""
        return self.default if self.uniform else math.nan

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what the policy does, in hex: equal exactly where the policies are equal."""
        content = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def strengths(self, class_names: Sequence[str]) -> npt.NDArray[np.float64]:
        """The strength of each class of `class_names`, shape [classes], float64.

        Index the result with an integer label array to get the strength of every sample.

        Raises:
            ValueError: the policy names a class that is not in `class_names`.
        """
        unknown = sorted(set(self.classes) - set(class_names))
        if unknown:
            raise ValueError(f"the policy names classes that the data set lacks: {unknown}")
        return np.array([self.classes.get(name, self.default) for name in class_names])

    def as_dict(self) -> dict[str, Any]:
        return {"axis": self.axis.name, "default": self.default, "classes": dict(self.classes)}

    @classmethod
    def from_dict(cls, content: Any) -> Policy:
        """Build a policy from what `as_dict` gives.

        Raises:
            ValueError: missing or unknown keys, an unknown axis, a strength that is no number or
                lies outside the axis's range.
        """
        if not isinstance(content, Mapping):
            raise ValueError("a policy is a mapping with the keys axis, default and classes")
        odd = sorted(set(map(str, content)) - {"axis", "default", "classes"})
        missing = sorted({"axis", "default"} - set(content))
        if odd or missing:
            raise ValueError(
                f"a policy has axis, default and classes; unknown {odd}, missing {missing}"
            )
        if content["axis"] not in AXES:
            raise ValueError(f"unknown axis {content['axis']!r}; known: {sorted(AXES)}")
        classes = content.get("classes") or {}
        if not isinstance(classes, Mapping):
            raise ValueError("classes must map class names to strengths")
        for where, value in {"default": content["default"], **classes}.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"the strength of {where} must be a number, got {value!r}")
        return cls(AXES[content["axis"]], content["default"], classes)

    def save(self, path: Path) -> None:
        """Write the policy as YAML, atomically: the same policy gives the same bytes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_text(
                yaml.safe_dump(self.as_dict(), sort_keys=False, allow_unicode=True),
                encoding="utf-8",
            )
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> Policy:
        """Read a policy from a YAML or JSON file.

        Raises:
            ValueError: the file is not readable as a policy; the message names the file.
        """
        try:
            return cls.from_dict(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
            raise ValueError(f"{path}: not a policy: {error}") from error
