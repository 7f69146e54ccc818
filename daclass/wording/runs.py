"""How many runs stand behind a statement, and what few of them can show."""

from __future__ import annotations

from daclass.wording.numbers import counted

_SHOWN = {
    1: "cannot tell what other runs of the same recipes would do: a class is tested for these very "
    "networks and new pictures alone",
    2: "give intervals that hold, but wide ones: in simulation 1.7 to 2.5 times as wide as with "
    "three, so that a class is found only where it loses some tens of points, and not finding any "
    "says little",
    3: "find the classes that lose most; where a run is good or bad for all classes alike, or "
    "matters more to some than to others, far fewer of them than five or ten would",
}


def runs_of(tested: int, reference: int, replicates: str) -> str:
    """The runs behind a contrast, such as "5 seeds", or "4 models against 10" where the tested
    condition has four and the reference ten.

    Args:
        tested, reference: number of runs of either condition.
        replicates: what they are, in the plural.
    """
    words = counted(tested, replicates.removesuffix("s"), replicates)
    return words if tested == reference else f"{words} against {reference:,}"


def few_runs(runs: int, replicates: str) -> str | None:
    """What this many runs per condition can and cannot show, as a sentence without its full stop;
    None from four on.

    Args:
        runs: number of runs per condition.
        replicates: what they are, in the plural.
    """
    shown = _SHOWN.get(runs)
    return shown and f"{counted(runs, replicates.removesuffix('s'), replicates)} {shown}"
