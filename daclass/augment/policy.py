"""Policies: with which strength of an augmentation, and which weight, each class is trained."""

from __future__ import annotations

import hashlib
import json
import math
import reprlib
import sys
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from daclass.atomic import replacing
from daclass.augment.axes.rrc_scale import RRC_SCALE
from daclass.augment.axis import AXES, Axis
from daclass.augment.errors import AugmentError
from daclass.augment.mixture import Mixture, StrengthTable
from daclass.augment.plain_yaml import dump_yaml, load_yaml
from daclass.augment.settings import find_axis

KEYS = (
    "version", "axis", "default", "classes", "class_ids", "loss_weights", "mixture", "view_aware",
)  # fmt: skip
VERSION = 2
"""Of the files of policies with a `mixture` or a loss that is aware of views; others are of version
1, which they do not say."""


@dataclass(frozen=True)
class Policy:
    """A strength for every class: `default`, except where `classes` names another.

    A policy with no exceptions is *uniform*. Exceptions equal to the default and loss weights of 1
    are dropped, so equal policies compare, hash and serialise equally.

    Attributes:
        axis: the axis that the strengths belong to.
        default: strength of every class that `classes` does not name.
        classes: class -> strength, read-only. A string is a class's name, an integer its id: its
            position in the data set's list of classes.
        loss_weights: class name -> how much the loss of its samples counts, read-only; classes that
            are not named have 1. Only ratios matter: see `weights`.
        mixture: strengths that every picture may get instead of its class's own, or None.
        view_aware: whether the training loss takes into account how likely the drawn crop is under
            each class's own strengths (`density.view_log_likelihoods`), so that nothing is gained
            by telling classes by how much of them is shown. False where no class has an exception.

    Raises:
        AugmentError: a strength lies outside the axis's range, a class is neither a name nor an
            id or is named in two spellings, a loss weight is not positive and finite or not given
            by a class's name, a mixture has a strength outside the range, `view_aware` for another
            axis than rrc_scale, or exceptions or a mixture where the axis is a setting.
    """

    axis: Axis
    default: float
    classes: Mapping[str | int, float] = field(default_factory=dict)
    loss_weights: Mapping[str, float] = field(default_factory=dict)
    mixture: Mixture | None = None
    view_aware: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "default", self.axis.check(self.default))
        _check_spellings(self.classes)
        _check_spellings(self.loss_weights)
        kept: dict[str | int, float] = {}
        for named, strength in self.classes.items():
            if self.axis.check(strength) != self.default:
                kept[_class_key(named)] = float(strength)
        order = sorted(kept, key=lambda key: (isinstance(key, int), key))
        object.__setattr__(self, "classes", MappingProxyType({key: kept[key] for key in order}))
        weights = {
            name: _loss_weight(name, self.loss_weights[name])
            for name in sorted(self.loss_weights, key=str)
        }
        kept_weights = {name: weight for name, weight in weights.items() if weight != 1}
        object.__setattr__(self, "loss_weights", MappingProxyType(kept_weights))
        if self.mixture:
            self.axis.check_all(list(self.mixture.strengths))
            if not self.classes and set(self.mixture.strengths) == {self.default}:
                object.__setattr__(self, "mixture", None)  # whatever is drawn, it is the default
        if not isinstance(self.view_aware, bool):
            raise AugmentError(f"view_aware is true or false, not {self.view_aware!r}")
        if self.axis.setting and (self.classes or self.mixture):
            raise AugmentError(f"{self.axis.name} is one for all classes and pictures")
        if self.view_aware and self.axis != RRC_SCALE:
            raise AugmentError(
                f"view_aware is for {RRC_SCALE.name}, whose crops have a known density, not for "
                f"{self.axis.name}"
            )
        if not self.classes:  # every view is as likely under each class
            object.__setattr__(self, "view_aware", False)

    @property
    def uniform(self) -> bool:
        """Whether all pictures have one strength; their losses may still be weighted."""
        return not self.classes and self.mixture is None

    @property
    def strength(self) -> float:
        """The strength of a uniform policy; NaN where classes or pictures differ."""
        return self.default if self.uniform else math.nan

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what the policy says, in hex: equal exactly where the policies are equal."""
        content = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def strengths(self, class_names: Sequence[str]) -> npt.NDArray[np.float64]:
        """The strength of each class of `class_names`, shape [classes], float64.

        Of policies with a mixture, the class's own.

        Raises:
            AugmentError: the policy names a class that `class_names` lacks, an id that is no
                position in it, or one class twice; or `class_names` holds a name twice.
        """
        ids = _ids(class_names)
        table = np.full(len(class_names), self.default)
        unknown = [
            key
            for key in self.classes
            if (key not in ids if isinstance(key, str) else not 0 <= key < len(ids))
        ]
        if unknown:
            raise AugmentError(f"the policy names classes that the data set lacks: {unknown}")
        for key, strength in self.classes.items():
            number = ids[key] if isinstance(key, str) else key
            if isinstance(key, int) and _composed(class_names[number]) in self.classes:
                raise AugmentError(
                    f"the policy gives class {class_names[number]!r} a strength by its name and "
                    f"another by its id {number}"
                )
            table[number] = strength
        return table

    def sample_strengths(
        self, axis: Axis, labels: npt.ArrayLike, class_names: Sequence[str]
    ) -> npt.NDArray[np.float64]:
        """The strength of each sample, shape [samples], float64; see `strength_table`.

        Raises:
            AugmentError: as `strength_table`; or the policy has a mixture, so that a sample's
                strength changes from epoch to epoch.
        """
        row: npt.NDArray[np.float64] = strength_table(axis, [self], labels, class_names)[0]
        return row

    def distribution(
        self, class_names: Sequence[str]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """How the pictures of each class are spread over strengths.

        Returns:
            the strengths that some picture gets, ascending, shape [strengths]; the share of each
            class's pictures that get it, shape [classes, strengths], rows that sum to 1.
        """
        own = self.strengths(class_names)
        mixed = self.mixture.strengths if self.mixture else {}
        levels = np.array(sorted({*own.tolist(), *mixed}))
        kept = 1 - (self.mixture.share if self.mixture else 0.0)
        shares = kept * (levels == own[:, None])
        if self.mixture:
            shares += self.mixture.share * np.array([mixed.get(s, 0.0) for s in levels.tolist()])
        return levels, shares

    def weights(
        self, class_names: Sequence[str], labels: npt.ArrayLike | None = None
    ) -> npt.NDArray[np.float64]:
        """The weight of each class's samples in the loss, shape [classes], float64.

        Scaled to a mean of 1 over the samples, so that a learning rate keeps its meaning: the
        batch's loss is the mean of ``weights[label] * loss`` over its samples. torch's
        ``CrossEntropyLoss(weight=...)`` divides by the weights of each batch instead.

        Args:
            class_names: the data set's classes; a class's id is its position here.
            labels: class id of each training sample, integers of shape [samples]. Without them,
                every class counts once, as in a data set with equally many samples per class.

        Raises:
            AugmentError: a weight for a class that `class_names` lacks, or bad labels.
        """
        ids = _ids(class_names)
        unknown = [name for name in self.loss_weights if name not in ids]
        if unknown:
            raise AugmentError(f"the policy weights classes that the data set lacks: {unknown}")
        table = np.ones(len(class_names))
        for name, weight in self.loss_weights.items():
            table[ids[name]] = weight
        of_samples = table if labels is None else table[_labels(labels, ids)]
        if not of_samples.size:
            raise AugmentError("loss weights are scaled over samples, but there are none")
        return table / of_samples.mean()

    def as_dict(self) -> dict[str, Any]:
        names = {key: value for key, value in self.classes.items() if isinstance(key, str)}
        ids = {key: value for key, value in self.classes.items() if isinstance(key, int)}
        newer = self.mixture or self.view_aware
        content: dict[str, Any] = {"version": VERSION} if newer else {}
        content |= {"axis": self.axis.name, "default": self.default}
        content |= {"classes": names} | ({"class_ids": ids} if ids else {})
        # What a policy does not have is not written: files and hashes of others stay as they are.
        content |= {"loss_weights": dict(self.loss_weights)} if self.loss_weights else {}
        content |= {"mixture": self.mixture.as_dict()} if self.mixture else {}
        return content | ({"view_aware": True} if self.view_aware else {})

    @classmethod
    def from_dict(cls, content: Any) -> Policy:
        """Build a policy from what `as_dict` gives; JSON's string keys are ids in `class_ids`.

        Raises:
            AugmentError: missing or unknown keys, an unknown axis, a class that is neither a name
                nor an id, a strength that is no number or lies outside the axis's range, a loss
                weight that is not positive and finite, a mixture that is none, a `view_aware`
                that is neither true nor false, or a version that this daclass does not know.
        """
        if not isinstance(content, Mapping):
            raise AugmentError("a policy is a mapping with the keys axis, default and classes")
        version = content.get("version", 1)
        if version not in (1, VERSION) or isinstance(version, bool):
            raise AugmentError(
                f"version {version!r}: this daclass reads policies of version 1 and {VERSION}"
            )
        odd = sorted(set(map(str, content)) - set(KEYS))
        missing = sorted({"axis", "default"} - set(content))
        if odd or missing:
            raise AugmentError(f"a policy has {', '.join(KEYS)}; unknown {odd}, missing {missing}")
        axis = find_axis(content["axis"]) if isinstance(content["axis"], str) else None
        if axis is None:
            raise AugmentError(f"unknown axis {content['axis']!r}; known: {sorted(AXES)}")
        names, ids = content.get("classes") or {}, content.get("class_ids") or {}
        if not isinstance(names, Mapping) or not isinstance(ids, Mapping):
            raise AugmentError("classes and class_ids must map classes to strengths")
        for key in names:
            if not isinstance(key, str):  # of folders 0 to 999, 100 is not the hundredth
                raise AugmentError(
                    f"classes: {key!r} is no name; the class called so is {str(key)!r} in quotes, "
                    "a class's position stands below class_ids"
                )
        classes = {**names, **{_class_id(key): strength for key, strength in ids.items()}}
        for where, value in {"default": content["default"], **classes}.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise AugmentError(f"the strength of {where} must be a number, got {value!r}")
        weights = content.get("loss_weights") or {}
        if not isinstance(weights, Mapping):
            raise AugmentError("loss_weights must map class names to weights")
        mixture = Mixture.from_dict(content["mixture"]) if content.get("mixture") else None
        aware = content.get("view_aware", False)
        return cls(axis, content["default"], classes, weights, mixture, aware)

    def save(self, path: Path | str) -> None:
        """Write the policy as YAML, or JSON where `path` ends in .json, atomically.

        The same policy gives the same bytes.
        """
        path = Path(path)
        if path.suffix == ".json":
            text = json.dumps(self.as_dict(), ensure_ascii=False, indent=2) + "\n"
        else:
            text = dump_yaml(self.as_dict())
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, path: Path | str) -> Policy:
        """Read a policy from a YAML or JSON file.

        Raises:
            AugmentError: the file is not readable as a policy; the message names the file.
        """
        try:
            return cls.from_dict(load_yaml(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise AugmentError(f"{path}: not a policy: {' '.join(str(error).split())}") from error


def strength_table(
    axis: Axis, policies: Sequence[Policy], labels: npt.ArrayLike, class_names: Sequence[str]
) -> StrengthTable:
    """The strength of every sample under every policy, shape [policies, samples].

    Args:
        axis: what the strengths are for: all policies must be of this axis.
        policies: one or more.
        labels: class id of each sample, integers of shape [samples].
        class_names: the data set's classes; a class's id is its position here.

    Raises:
        AugmentError: no policies, a policy of another axis, a class that the data set lacks, or
            labels that are no integers, not one-dimensional, or no positions in `class_names`.
    """
    others = sorted({policy.axis.name for policy in policies} - {axis.name})
    if others or not policies:
        raise AugmentError(
            f"policies of the axis {axis.name} are needed, got {' and '.join(others) or 'none'}"
        )
    ids = _labels(labels, class_names)
    own = np.stack([policy.strengths(class_names)[ids] for policy in policies])
    return StrengthTable(own, tuple(policy.mixture for policy in policies))


def _ids(class_names: Sequence[str]) -> dict[str, int]:
    """Class ids by name."""
    ids = {_composed(name): number for number, name in enumerate(class_names)}
    if len(ids) != len(class_names):
        twice = sorted({name for name in class_names if list(class_names).count(name) > 1})
        raise AugmentError(f"the data set has several classes of one name: {twice}")
    return ids


def _labels(labels: npt.ArrayLike, class_names: Collection[str]) -> npt.NDArray[np.integer]:
    """Labels as an array, each a position in `class_names`."""
    ids = np.asarray(labels)
    if ids.ndim != 1 or not np.issubdtype(ids.dtype, np.integer):
        raise AugmentError(
            f"labels must be integers of shape [samples]; got {ids.dtype} of shape {ids.shape}"
        )
    outside = np.flatnonzero((ids < 0) | (ids >= len(class_names)))
    if len(outside):
        raise AugmentError(
            f"sample {outside[0]} has label {ids[outside[0]]}, but there are "
            f"{len(class_names)} classes"
        )
    return ids


def _loss_weight(name: Any, weight: Any) -> float:
    if not isinstance(name, str):
        raise AugmentError(f"loss_weights names classes by their names, not by {name!r}")
    number = isinstance(weight, int | float | np.integer | np.floating)
    if isinstance(weight, bool) or not number or not 0 < weight <= sys.float_info.max:  # nor NaN
        got = reprlib.repr(weight)
        raise AugmentError(f"the loss weight of {name} must be positive and finite, got {got}")
    return float(weight)


def _composed(name: str) -> str:
    """A class's name with composed accents: a Mac's folders have decomposed ones."""
    return unicodedata.normalize("NFC", name)


def _check_spellings(named: Mapping[Any, float]) -> None:
    """Refuse a class that is named in two spellings: one would overrule the other."""
    names = [_composed(key) for key in named if isinstance(key, str)]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise AugmentError(f"the class {twice} is named twice, with accents composed and not")


def _class_key(key: Any) -> str | int:
    if isinstance(key, str):
        return _composed(key)
    if isinstance(key, bool | np.bool_) or not isinstance(key, int | np.integer):
        raise AugmentError(f"a class is a name or an id, not {key!r}")
    return int(key)


def _class_id(key: Any) -> int:
    if isinstance(key, str) and key.isdecimal():
        return int(key)
    if isinstance(key, bool) or not isinstance(key, int):
        raise AugmentError(f"class_ids: {key!r} is no class id")
    return key
