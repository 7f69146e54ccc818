"""The policies of a study as figures and report meet them: named, ordered, draws pooled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from daclass.designer import BEST, CONTROL, REFERENCE, TESTED
from daclass.wording.policies import REMEDIES, Words, designer_rank, policy_words

__all__ = ["BEST", "CONTROL", "REFERENCE", "TESTED", "Policies"]


@dataclass(frozen=True)
class Policies:
    """What tables "policies" and "policy_classes" say; other names are shown as they are.

    Attributes:
        table, classes: the tables.
    """

    table: pd.DataFrame
    classes: pd.DataFrame

    @cached_property
    def _words(self) -> dict[str, Words]:
        return policy_words(self._rows.values())

    @cached_property
    def _rows(self) -> dict[str, dict[str, Any]]:
        rows = self.table.drop_duplicates("policy").to_dict("records")
        return {row["policy"]: {str(key): value for key, value in row.items()} for row in rows}

    @cached_property
    def _pools(self) -> dict[str, list[str]]:
        """Pooled control -> its draws."""
        pools: dict[str, list[str]] = {}
        for name, row in self._rows.items():
            if row["control"]:
                pools.setdefault(row["control"], []).append(name)
        return pools

    def name(self, policy: str) -> str:
        """What readers call a policy."""
        return self._words[policy].name if policy in self._words else policy

    def design(self, policy: str) -> str:
        """One sentence on what a policy is."""
        return self._words[policy].design if policy in self._words else ""

    def reason(self, policy: str) -> str:
        """Why the study's policy is as it is, in one line; "" where that is not known."""
        return str(self._rows[policy]["summary"]) if policy in self._rows else ""

    def ordered(self, policies: Iterable[str]) -> list[str]:
        """Distinct names in the order that readers meet them: baselines, policies, control; those
        that were fine-tuned come last."""

        def place(name: str) -> tuple[bool, tuple[int, str], int, int, float]:
            row = self._of(name)
            if not row:
                return (False, designer_rank(name if name in REMEDIES else ""), 0, 0, 0.0)
            draw = 0 if name in self._pools else row["draw"]
            strength = 0.0 if np.isnan(row["strength"]) else float(row["strength"])
            return (bool(row["parent"]), designer_rank(row["designer"]), row["m"], draw, strength)

        return sorted(dict.fromkeys(policies), key=place)

    def without_draws(self, policies: Iterable[str]) -> list[str]:
        """Less the single draws of a control that is there as their mean, in order."""
        there = self.ordered(policies)
        return [name for name in there if self._of(name).get("control") not in there or
                name in self._pools]  # fmt: skip

    def draws_of(self, control: str) -> list[str]:
        """The single draws of a pooled control."""
        return self._pools.get(control, [])

    def is_draw(self, policy: str) -> bool:
        return policy not in self._pools and bool(self._of(policy).get("control"))

    def is_fine_tuned(self, policy: str) -> bool:
        return bool(self._of(policy).get("parent"))

    def find(self, designer: str, fine_tuned: bool = False) -> str:
        """The first policy of a designer, the pooled one of a control; "" without one."""
        for name, row in self._rows.items():
            if row["designer"] == designer and bool(row["parent"]) == fine_tuned:
                return str(row["control"] or name)
        return ""

    def merged(self, policies: Iterable[str]) -> dict[str, list[str]]:
        """Of policies that give every class the same, the first -> all of them, in order.

        Equal policies share their runs: their numbers are one result, not two that agree.
        """
        groups: dict[Any, list[str]] = {}
        for name in self.ordered(policies):
            groups.setdefault(self._content.get(name, name), []).append(name)
        return {names[0]: names for names in groups.values()}

    def merged_name(self, names: list[str]) -> str:
        """What readers call policies that are one."""
        return " = ".join(self.name(name) for name in names)

    @cached_property
    def _content(self) -> dict[str, tuple[Any, ...]]:
        """What decides a policy's runs: who gets what, and where they start from."""
        columns = ["class_id", "strength", "share", "weight"]
        found = {}
        for name, rows in self.classes.groupby("policy", sort=False):
            row = self._of(str(name))
            ordered = rows[columns].sort_values(["class_id", "strength"])
            own = (row.get("parent", ""), bool(row.get("view_aware")))
            found[str(name)] = (*own, *map(tuple, ordered.to_numpy().tolist()))
        return found

    def _of(self, name: str) -> dict[str, Any]:
        draws = self._pools.get(name)
        return self._rows.get(draws[0] if draws else name, {})
