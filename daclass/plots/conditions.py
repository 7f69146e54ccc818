"""What a study compares, and how figures place and name it: strengths, or named conditions."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from daclass.augment.settings import find_axis
from daclass.plots.style import label_strengths
from daclass.wording.contrast import Contrast
from daclass.wording.names import isolate, shorten_apart

WIDE, PANEL = 48, 16  # letters that fit below a figure of full width, and below a small panel
KEY = 56  # letters of a line across a figure
LABELLED = 14  # letters of a condition's name within the label of an axis


@dataclass(frozen=True)
class Conditions:
    """The compared conditions in the order of the x axis.

    Attributes:
        names: as readers see them: a strength such as "0.08", or the condition's name.
        positions: where they stand on the x axis: the strength itself, or 0, 1, 2, ...
        tested: name of the condition that may hurt, such as the strength best on average.
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
    def short(self) -> Contrast:
        """The same as `words` within the label of an axis."""
        tested, reference = shorten_apart((self.tested, self.reference), LABELLED)
        return Contrast(tested, reference, self.by_strength)

    @property
    def panel_label(self) -> str:
        """The x axis's label of small panels, where names of conditions may have to be numbers."""
        if self.by_strength or not self._long(PANEL):
            return self.label if self.by_strength else ""
        lines = [""]
        for i, name in enumerate(shorten_apart(self.names, 22), start=1):
            entry = f"{i}: {isolate(name)}"
            joined = f"{lines[-1]},  {entry}" if lines[-1] else entry
            lines[-1:] = [joined] if len(joined) <= KEY else [f"{lines[-1]},", entry]
        return "\n".join(lines)

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
            list(map(isolate, shorten_apart(self.names, 18 if slanted else 26))),
            rotation=30 if slanted else 0,
            ha="right" if slanted else "center",
        )


def conditions_of(axis: str, named: tuple[str, ...], tested: pd.DataFrame) -> Conditions:
    """What a study compares, from its tables.

    Args:
        axis: name of the axis of the strengths.
        named: the conditions of a study without strengths, the tested one first; else empty.
        tested: the table of this name.
    """
    rows = tested if named else tested.sort_values("strength", kind="stable")
    names = named or tuple(f"{strength:g}" for strength in rows["strength"])
    of_role = {
        role: dict(
            zip(
                rows[role],
                rows["policy"] if named else map("{:g}".format, rows["strength"]),
                strict=True,
            )
        ).get(True, "")
        for role in ("tested", "reference")
    }
    if named:
        places = tuple(float(i) for i in range(len(named)))
        return Conditions(
            named, places, of_role["tested"], of_role["reference"], False, "condition"
        )
    known = find_axis(axis)
    label = axis
    if known is not None:
        arrow = "(← stronger)" if known.stronger == "lower" else "(stronger →)"
        label = f"{known.label} {arrow}"
    return Conditions(
        names=names,
        positions=tuple(rows["strength"].astype(float)),
        tested=of_role["tested"],
        reference=of_role["reference"],
        by_strength=True,
        label=label,
    )
