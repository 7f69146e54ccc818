"""What a study compares, and how figures place and name it: strengths, or named conditions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from daclass.augment.axis import AXES
from daclass.plots.style import label_strengths
from daclass.wording.contrast import Contrast
from daclass.wording.names import isolate, shorten

WIDE, PANEL = 48, 16  # letters that fit below a figure of full width, and below a small panel


@dataclass(frozen=True)
class Conditions:
    """The compared conditions in the order of the x axis.

    Attributes:
        names: as readers see them: a strength such as "0.08", or the condition's name.
        positions: where they stand on the x axis: the strength itself, or 0, 1, 2, ...
        tested: name of the condition that may hurt: the strongest strength, or the first condition.
        reference: name of the one that the fixed contrast compares it with; "" where unknown.
        by_strength: whether they are strengths of one axis.
        label: the x axis's label.
    """

    names: tuple[str, ...]
    positions: tuple[float, ...]
    tested: str
    reference: str
    by_strength: bool
    label: str

    @property
    def words(self) -> Contrast:
        """The tested condition and the reference within sentences."""
        return Contrast(self.tested, self.reference, self.by_strength)

    @property
    def noun(self) -> str:
        return self.words.noun

    @property
    def under_tested(self) -> str:
        return self.words.under_tested

    @property
    def under_reference(self) -> str:
        return self.words.under_reference

    @property
    def contrast(self) -> str:
        return self.words.change

    @property
    def panel_label(self) -> str:
        """The x axis's label of small panels, where names of conditions may have to be numbers."""
        if self.by_strength or not self._long(PANEL):
            return self.label if self.by_strength else ""
        return ",  ".join(
            f"{i}: {isolate(shorten(name, 24))}" for i, name in enumerate(self.names, start=1)
        )

    def _long(self, letters: int) -> bool:
        return sum(len(name) + 1 for name in self.names) > letters

    def place(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of `frame` that belong to a condition, in order, with its position and name.

        Args:
            frame: holds "policy" and "strength"; interventions and other policies are left out.
        """
        key = (
            frame["strength"].map("{:g}".format, na_action="ignore")
            if self.by_strength
            else frame["policy"]
        )
        position = dict(zip(self.names, self.positions, strict=True))
        rows = frame.assign(condition=key, position=key.map(position))
        return rows[rows["position"].notna()].sort_values("position", kind="stable")

    def mark(self, ax: Axes, panel: bool = False) -> None:
        """Ticks at the conditions.

        Strengths are thinned out where they would overlap. Long names are slanted, or numbers in a
        small panel, where `panel_label` says what they stand for.
        """
        if self.by_strength:
            label_strengths(ax, self.positions, at_most=3 if panel else 9)
            return
        ax.set_xlim(-0.3, len(self.names) - 0.7)
        if panel and self._long(PANEL):
            ax.set_xticks(self.positions, [str(i + 1) for i in range(len(self.names))])
            return
        slanted = not panel and self._long(WIDE)
        ax.set_xticks(
            self.positions,
            [isolate(shorten(name, 18 if slanted else 26)) for name in self.names],
            rotation=30 if slanted else 0,
            ha="right" if slanted else "center",
        )


def conditions_of(
    axis: str, named: tuple[str, ...], accuracy: pd.DataFrame, effects: pd.DataFrame
) -> Conditions:
    """What a study compares, from its tables.

    Args:
        axis: name of the axis of the strengths.
        named: the conditions of a study without strengths, the tested one first; else empty.
        accuracy, effects: the tables of these names.
    """
    fixed = effects[effects["reference"] == "fixed"]
    if named:
        told = fixed.get("reference_policy", pd.Series([""])).iloc[:1].tolist()
        reference = (told or [""])[0] or named[-1]
        places = tuple(float(i) for i in range(len(named)))
        return Conditions(named, places, named[0], reference, False, "condition")
    strengths = sorted({float(s) for s in accuracy["strength"].dropna()})
    known = AXES.get(axis)
    if known is None:
        label, tested = axis, min(strengths, default=np.nan)
    else:
        arrow = "(← stronger)" if known.stronger == "lower" else "(stronger →)"
        label = f"{known.label} {arrow}"
        tested = known.strongest(strengths) if strengths else np.nan
    against = fixed["reference_strength"].dropna().iloc[:1].tolist()
    return Conditions(
        names=tuple(f"{s:g}" for s in strengths),
        positions=tuple(strengths),
        tested=f"{tested:g}",
        reference=f"{against[0]:g}" if against else "",
        by_strength=True,
        label=label,
    )
