"""Strengths that are drawn for every picture, so that a strength is no sign of a class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from daclass.augment.errors import AugmentError
from daclass.augment.variates import MIXTURE, Keys, uniform

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Mixture:
    """Which strengths pictures get beside their class's own.

    In each epoch, a picture of class k gets the strength of k with probability ``1 - share``, and
    with probability `share` one that is drawn by `strengths`, whatever its class.

    Attributes:
        share: probability in (0, 1] that the strength is drawn.
        strengths: strength -> its probability where it is drawn, in order of strength, read-only.

    Raises:
        AugmentError: no strengths, or probabilities that are not above 0 or do not sum to 1.
    """

    share: float
    strengths: Mapping[float, float]

    def __post_init__(self) -> None:
        if not _is_number(self.share) or not 0 < self.share <= 1:
            raise AugmentError(f"a mixture's share is a number in (0, 1], got {self.share!r}")
        for strength, share in self.strengths.items():
            if not _is_number(strength) or not _is_number(share) or not 0 < share <= 1:
                raise AugmentError(
                    "a mixture maps strengths to probabilities in (0, 1], got "
                    f"{strength!r}: {share!r}"
                )
        total = math.fsum(self.strengths.values())
        if abs(total - 1) > 1e-9:
            raise AugmentError(f"the probabilities of a mixture sum to 1, not to {total:g}")
        kept = {float(s): float(self.strengths[s]) for s in sorted(self.strengths)}
        object.__setattr__(self, "strengths", MappingProxyType(kept))
        object.__setattr__(self, "share", float(self.share))

    def __hash__(self) -> int:
        return hash((self.share, tuple(self.strengths.items())))

    @property
    def bounds(self) -> Floats:
        """What the variate of a picture whose strength is drawn is compared with, [strengths]."""
        return np.cumsum(list(self.strengths.values()))

    def drawn(self, own: npt.ArrayLike, keys: Keys) -> Floats:
        """The strength of each picture.

        Args:
            own: of the pictures' classes, shape [n].
            keys: `image_keys` of the epoch and the pictures, shape [n].

        Returns:
            float64, shape [n]: a function of the keys, so that all runs of a seed mix the same
            pictures and give them the same strengths.
        """
        variate = uniform(keys, MIXTURE)
        level = np.searchsorted(self.bounds[:-1], variate / self.share, side="right")
        others = np.array(list(self.strengths))[level]
        return np.where(variate < self.share, others, np.asarray(own, np.float64))

    def as_dict(self) -> dict[str, Any]:
        return {"share": self.share, "strengths": dict(self.strengths)}

    @classmethod
    def from_dict(cls, content: Any) -> Mixture:
        """Build a mixture from what `as_dict` gives; JSON's keys are numbers as text.

        Raises:
            AugmentError: other keys, or no such mixture.
        """
        if not isinstance(content, Mapping) or set(content) != {"share", "strengths"}:
            raise AugmentError("mixture is a mapping with the keys share and strengths")
        if not isinstance(content["strengths"], Mapping):
            raise AugmentError("mixture: strengths must map strengths to probabilities")
        strengths = {_number(key): share for key, share in content["strengths"].items()}
        if len(strengths) < len(content["strengths"]):
            raise AugmentError("mixture: a strength stands there twice")
        return cls(content["share"], strengths)


@dataclass(frozen=True, eq=False)
class StrengthTable:
    """The strength of every sample under every policy; `policy.strength_table` makes it.

    NumPy takes it for the array `own` where no policy mixes, and is refused else: a strength that
    is drawn anew in every epoch is no number of the sample.

    Attributes:
        own: strength of each sample's class, float64, shape [policies, samples].
        mixtures: one for each policy, None where its classes keep their own strengths.

    Raises:
        AugmentError: as an array, where a policy mixes.
    """

    own: Floats
    mixtures: tuple[Mixture | None, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of policies and of samples."""
        return self.own.shape  # type: ignore[return-value]

    def __len__(self) -> int:
        return len(self.own)

    def __getitem__(self, index: Any) -> Any:
        return np.asarray(self)[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if any(self.mixtures):
            raise AugmentError(
                "a mixed policy draws a strength for each picture and epoch: pass the table as it "
                "is to what cuts crops, or ask it for `drawn` strengths"
            )
        return np.array(self.own, dtype, copy=copy)

    def drawn(self, policy: int, samples: npt.NDArray[np.integer], keys: Keys) -> Floats:
        """The strengths of some samples under one policy, shape [n].

        Args:
            policy: its position in the table.
            samples: positions of the samples, shape [n].
            keys: `image_keys` of the epoch and the samples, shape [n].
        """
        own, mixture = self.own[policy, samples], self.mixtures[policy]
        return own if mixture is None else mixture.drawn(own, keys)

    def compiled(self) -> tuple[Floats, Floats, Floats]:
        """What compiled code draws from.

        Returns:
            share of the pictures whose strength is drawn, shape [policies], 0 for policies that do
            not mix; bounds of the variate and strengths, shape [policies, levels]: padded at the
            end with 1 and the last strength.
        """
        levels = max([len(m.strengths) for m in self.mixtures if m], default=1)
        shares = np.array([m.share if m else 0.0 for m in self.mixtures])
        bounds, strengths = np.ones((2, len(self.mixtures), levels))
        for row, mixture in enumerate(self.mixtures):
            if mixture:
                known = list(mixture.strengths)
                bounds[row, : len(known) - 1] = mixture.bounds[:-1]
                strengths[row] = known + known[-1:] * (levels - len(known))
        return shares, bounds, strengths


def as_table(strengths: StrengthTable | npt.ArrayLike) -> StrengthTable:
    """A table, also of an array of shape [policies, samples] that mixes nothing.

    Raises:
        AugmentError: the array has another shape, or no policy.
    """
    if isinstance(strengths, StrengthTable):
        return strengths
    own = np.asarray(strengths, np.float64)
    if own.ndim != 2 or not len(own):
        raise AugmentError(f"strengths must be [policies, samples], got {own.shape}")
    return StrengthTable(own, (None,) * len(own))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _number(key: Any) -> Any:
    try:
        return float(key) if isinstance(key, str) else key
    except ValueError:
        raise AugmentError(f"mixture: {key!r} is no strength") from None
