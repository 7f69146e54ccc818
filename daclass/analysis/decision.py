"""What to train: the decision that a study ends in, and what it rests on.

All that is asked is named before fresh seeds are looked at: the tested strength b, one policy (the
study's question), the classes followed up, those that swallow them, and two margins. Measured on
fresh seeds and the estimation half, with one-sided 95% bounds L and U of the policy less what it
would replace, means over classes:

- **Use the policy** if ``L(followed up) > 0``, ``L(these and their swallowers) > 0`` and
  ``L(all) > -margin``. All three have to hold, so that nothing is to be corrected for their number
  (an intersection-union test: Berger 1982, Technometrics 24, 295). A single class whose loss is
  certain after Holm's correction is a veto.
- **Keep b** if ``U(followed up) < worthwhile``, ``U(these and their swallowers) < 0``,
  ``U(all) < -margin``, or the veto.
- **Undecided** otherwise: train b; `seeds_needed` says what it would take.

What the policy would replace is b for all, and b with each remedy that takes no training
(`daclass.analysis.remedies`): it has to be better than every one of these, and one of them that is
as good is enough to keep b. Before all that stands the question whether b itself pays: its gain
over the weakest strength on average. Where several views were judged, it has to pay with each
strength shown at its own best view: another view of the networks that one has costs no training.

Policies that are not the question are never adopted on the data that found them. Those that pass
the same three parts against every rival, at Holm's levels among themselves, are candidates for a
study of their own with fresh seeds.

`benchmarks/decision.py` simulates how often such a decision is wrong, and how often it is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from daclass.analysis.cells import Cells
from daclass.analysis.conditions import replicates
from daclass.inference.averages import average_difference
from daclass.inference.crossed import Crossed, crossed_difference
from daclass.inference.discoveries import holm

Verdict = Literal[
    "train the policy", "train the tested", "train the reference",
    "undecided on the policy", "undecided on the strength",
]  # fmt: skip
CONFIDENCE = 0.95
"""Of each one-sided bound."""
POWER = 0.8
GAINS = ("gain", "gain at best views")
"""Parts that tell whether the tested strength pays; the last one that is there decides."""
LEAST_SEEDS = 3
"""Fresh seeds below which no policy is adopted."""
_Z = float(stats.norm.ppf(CONFIDENCE) + stats.norm.ppf(POWER))


@dataclass(frozen=True)
class Margins:
    """What counts.

    Attributes:
        loss: of accuracy on average over all classes that a policy may cost, in [0, 1].
        gain: on average over the classes followed up that is worth having, in [0, 1].
    """

    loss: float
    gain: float

    def bounds(self) -> dict[str, tuple[float, float]]:
        """Part -> what the lower bound has to exceed, and which upper bound is hopeless."""
        return {
            "followed up": (0.0, self.gain),
            "with swallowers": (0.0, 0.0),
            "all": (-self.loss, -self.loss),
        }


def decision(
    tested: pd.DataFrame,
    cells: Cells | None = None,
    *,
    policy: str = "",
    rivals: Sequence[str] = (),
    followed_up: Sequence[int] = (),
    swallowers: Sequence[int] = (),
    others: Sequence[str] = (),
    margins: Margins = Margins(0.01, 0.02),
    at_best_views: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The bounds that a study's decision rests on.

    Args:
        tested: table "tested" of the sweep.
        cells: runs of the policies and remedies on fresh seeds, as of
            `daclass.analysis.interventions`; None where no policy was trained.
        policy: the one that is the study's question.
        rivals: what it would replace: the tested strength for all, and remedies.
        followed_up, swallowers: class ids, chosen in the sweep.
        others: policies that are not the question, trained beside it.
        margins: of loss and gain.
        at_best_views: table "view_effects"; None where one view was judged.

    Returns:
        Table "decision": a row for the gain of the tested strength, one for its gain with each
        strength at its own best view where several were judged, and for each rival one for each
        part of the rule and one for the class that loses most; then one for each other policy.
    """
    rows = [{"policy": policy, **_gain(tested)}]
    if at_best_views is not None:
        rows.append({"policy": policy, **_gain_at_best_views(at_best_views, rows[0]["rival"])})
    if cells is not None and followed_up:
        runs = dict(
            zip(
                (policy, *rivals),
                replicates(cells.table, (policy, *rivals), paired=True),
                strict=True,
            )
        )
        # A policy that changes nothing is no policy: it shares the runs of what it would replace.
        said = {name: cells.predicted[own] for name, own in runs.items()}
        same = any((said[policy] == said[rival]).all() for rival in rivals)
        members = {
            "followed up": sorted(set(followed_up)),
            "with swallowers": sorted({*followed_up, *swallowers}),
            "all": list(range(cells.images.n_classes)),
        }
        for rival in rivals if not same else ():
            arms = [cells.correct["original"][runs[name]] for name in (policy, rival)]
            asked = [
                _part(part, rival, _average(cells, arms, own), len(own), *margins.bounds()[part])
                for part, own in members.items()
            ]
            rows += [{"policy": policy, **row} for row in [*asked, _class(cells, arms, rival)]]
        rows += _candidates(cells, others, rivals, members, margins)
    return pd.DataFrame(rows)


def verdict(decision: pd.DataFrame) -> Verdict:
    """What to train, from table "decision"."""
    gain = decision[decision["part"].isin(GAINS)].iloc[-1]
    if gain["refuted"]:
        return "train the reference"
    if not gain["holds"]:
        return "undecided on the strength"
    rest = decision[~decision["part"].isin([*GAINS, "candidate"])]
    if rest.empty or rest["refuted"].any():
        return "train the tested"
    enough = rest["seeds"].min() >= LEAST_SEEDS
    return "train the policy" if rest["holds"].all() and enough else "undecided on the policy"


def _gain(tested: pd.DataFrame) -> dict[str, object]:
    row = tested[tested["tested"]].iloc[0]
    rival = str(tested.loc[tested["reference"], "policy"].iloc[0])
    return _bought("gain", rival, row["gain"], row["low"], row["high"], row)


def _gain_at_best_views(view_effects: pd.DataFrame, rival: object) -> dict[str, object]:
    average = view_effects[(view_effects["class_id"] == -1) & (view_effects["half"] == "all")]
    row = average.iloc[0]
    return _bought("gain at best views", rival, -row["drop"], -row["high"], -row["low"], row)


def _bought(
    part: str, rival: object, gain: float, low: float, high: float, row: pd.Series
) -> dict[str, object]:
    return {
        "part": part,
        "rival": rival,
        "difference": gain,
        "at_least": low,
        "at_most": high,
        "must_exceed": 0.0,
        "hopeless_below": 0.0,
        "holds": bool(low > 0),
        "refuted": bool(high < 0),
        "p": row["p"],
        "class_id": -1,
        "seeds": row["seeds"],
        "images": row["images"],
        "classes": 0,
        "seeds_needed": 0,
    }


def _average(cells: Cells, arms: Sequence[np.ndarray], members: Sequence[int]) -> Crossed:
    """The first arm less the second, mean over some classes, on the estimation half."""
    chosen = cells.images.half("estimate") & cells.counted["original"]
    chosen &= np.isin(cells.images.labels, members)
    return average_difference(
        arms[0][:, chosen],
        arms[1][:, chosen],
        cells.images.labels[chosen],
        "macro",
        paired=True,
        confidence=CONFIDENCE,
    )


def _part(
    part: str,
    rival: str,
    found: Crossed,
    classes: int,
    must_exceed: float,
    hopeless_below: float,
) -> dict[str, object]:
    at_least, at_most = found.at_least(CONFIDENCE)[0], found.at_most(CONFIDENCE)[0]
    return {
        "part": part,
        "rival": rival,
        "difference": found.mean[0],
        "at_least": at_least,
        "at_most": at_most,
        "must_exceed": must_exceed,
        "hopeless_below": hopeless_below,
        "holds": bool(at_least > must_exceed),
        "refuted": bool(at_most < hopeless_below),
        "p": found.p[0],
        "class_id": -1,
        "seeds": found.seeds,
        "images": found.images[0],
        "classes": classes,
        "seeds_needed": seeds_needed(found, must_exceed),
    }


def _candidates(
    cells: Cells,
    others: Sequence[str],
    rivals: Sequence[str],
    members: Mapping[str, Sequence[int]],
    margins: Margins,
) -> list[dict[str, object]]:
    """A row for each of `others` that differs from every rival: its weakest part, and whether all
    of them hold."""
    asked: dict[str, list[tuple[str, str, Crossed]]] = {}
    for name in others:
        runs = replicates(cells.table, (name, *rivals), paired=True)
        if any((cells.predicted[runs[0]] == cells.predicted[own]).all() for own in runs[1:]):
            continue
        mine, *theirs = (cells.correct["original"][places] for places in runs)
        asked[name] = [
            (part, rival, _average(cells, (mine, its), classes))
            for rival, its in zip(rivals, theirs, strict=True)
            for part, classes in members.items()
        ]
    bounds = margins.bounds()
    passed: set[str] = set()
    while left := asked.keys() - passed:  # Holm: each that passes makes the others' test easier
        level = 1 - (1 - CONFIDENCE) / len(left)
        new = {
            name
            for name in left
            if all(x.at_least(level)[0] > bounds[part][0] for part, _, x in asked[name])
        }
        if not new:
            break
        passed |= new
    rows = []
    for name, parts in asked.items():
        part, rival, found = min(
            parts, key=lambda one: np.nan_to_num(one[2].at_least(CONFIDENCE)[0] - bounds[one[0]][0])
        )
        row = _part(part, rival, found, len(members[part]), *bounds[part])
        rows.append({"policy": name, **row, "part": "candidate", "holds": name in passed})
    return rows


def _class(cells: Cells, arms: Sequence[np.ndarray], rival: str) -> dict[str, object]:
    """The class that loses most for certain; no loss that is larger than `at_least` says went
    unseen, whichever class it is of."""
    chosen = cells.images.half("estimate") & cells.counted["original"]
    n_classes = cells.images.n_classes
    found = crossed_difference(
        arms[0][:, chosen],
        arms[1][:, chosen],
        cells.images.labels[chosen],
        n_classes,
        paired=True,
        confidence=CONFIDENCE,
        moderate=True,
    )
    # One-sided, since gains are no veto.
    one_sided = np.where(found.mean < 0, found.p / 2, 1 - found.p / 2)
    p = holm(one_sided)
    known = np.isfinite(found.mean)
    worst = int(np.nanargmin(np.where(np.isfinite(p), p, 2.0) + 1e-9 * np.nan_to_num(found.mean)))
    unseen = found.at_least(1 - (1 - CONFIDENCE) / max(int(known.sum()), 1))
    return {
        "part": "class",
        "rival": rival,
        "difference": found.mean[worst],
        "at_least": float(np.nanmin(unseen)) if np.isfinite(unseen).any() else np.nan,
        "at_most": np.nan,
        "must_exceed": np.nan,
        "hopeless_below": np.nan,
        "holds": bool(not p[worst] < 1 - CONFIDENCE),
        "refuted": bool(p[worst] < 1 - CONFIDENCE),
        "p": p[worst],
        "class_id": worst,
        "seeds": found.seeds,
        "images": found.images[worst],
        "classes": int(known.sum()),
        "seeds_needed": 0,
    }


def seeds_needed(found: Crossed, must_exceed: float) -> int:
    """Seeds with which a lower bound exceeds a value in 80% of studies, were the estimate true.

    The share of the variance that runs make up falls with their number, that of the pictures does
    not. Normal approximation.

    Args:
        found: an average, one group.
        must_exceed: the value.

    Returns:
        -1 where no number is enough: the estimate itself is no better, or the pictures alone leave
        it open.
    """
    runs = sum(float(part.excess()[0]) for part in found.spread.runs) * found.seeds
    pictures = float(found.spread.variance[0]) - runs / found.seeds
    distance = float(found.mean[0]) - must_exceed
    if not distance > 0:
        return -1
    room = (distance / _Z) ** 2 - pictures
    if not room > 0:
        return -1
    return max(int(np.ceil(runs / room)), LEAST_SEEDS)
