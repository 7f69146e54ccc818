"""The two conditions that a study compares, as words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from daclass.wording.names import isolate


@dataclass(frozen=True)
class Contrast:
    """The tested condition and the one that it is compared with.

    Attributes:
        tested, reference: as readers see them: a strength such as "0.08", or a condition's name.
        by_strength: whether they are strengths of one axis.
    """

    tested: str
    reference: str
    by_strength: bool

    @property
    def noun(self) -> str:
        return "strength" if self.by_strength else "condition"

    @property
    def under_tested(self) -> str:
        """The tested condition within a sentence."""
        return self.under(self.tested)

    @property
    def under_reference(self) -> str:
        return self.under(self.reference)

    @property
    def change(self) -> str:
        """The way from one to the other within a sentence."""
        return f"from {self.named(self.reference)} to {self.named(self.tested)}"

    def under(self, condition: str) -> str:
        """ "at 0.08", or "under “with jitter”"."""
        return f"{'at' if self.by_strength else 'under'} {self.named(condition)}"

    def named(self, condition: str) -> str:
        """A condition's name within a sentence."""
        return condition if self.by_strength else f"“{isolate(condition)}”"


def contrast_of(summary: Mapping[str, Any]) -> Contrast:
    """What a summary compares, as readers see it."""
    strengths = {row["policy"]: row["strength"] for row in summary["accuracy"]}

    def readable(condition: str) -> str:
        strength = strengths.get(condition)
        return condition if strength is None else f"{strength:g}"

    return Contrast(
        readable(summary["tested"]), readable(summary["reference"]), summary["axis"] is not None
    )
