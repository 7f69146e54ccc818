"""What figures and report read: the tables of one study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

import pandas as pd
import pyarrow as pa

from daclass.plots.conditions import Conditions, conditions_of
from daclass.plots.effects import affected_ids, lost
from daclass.plots.policies import Policies
from daclass.tables import SCHEMAS, with_readable_names
from daclass.wording.runs import runs_of


def has_multi(counts: pd.DataFrame) -> bool:
    """Whether annotations say more than the original label anywhere in the table "counts"."""
    return bool(
        (counts["labelled"] != counts["images"]).any()
        or (counts["correct_multi"] != counts["correct"]).any()
    )


def _absent(name: str) -> Callable[[], pd.DataFrame]:
    return lambda: pa.schema(list(SCHEMAS[name].items())).empty_table().to_pandas()


@dataclass(frozen=True)
class Tables:
    """Everything that figures and report read.

    Attributes:
        classes: the classes table, with the names that readers see.
        axis: name of the axis that strengths belong to.
        named: what a study without strengths compares, the tested condition first; else empty.
        overlap: label sets overlap from this share on.
        overlap_from: whose label sets: "annotations" (the study's own) or "real" (ReaL's).
        similarity: classes are alike from this similarity on.
        replicates: what the runs of a condition are, in the plural: seeds, or what stands for them.
        confidence: level of the intervals.
        q: false discovery rate up to which a class is found to lose.
        counts, accuracy, ...: the tables of these names; those that a study lacks have no rows.
    """

    classes: pd.DataFrame
    axis: str = "rrc_scale"
    named: tuple[str, ...] = ()
    replicates: str = "seeds"
    overlap: float = 0.1
    overlap_from: str = "annotations"
    similarity: float = 0.7
    confidence: float = 0.95
    q: float = 0.05
    policies: pd.DataFrame = field(default_factory=_absent("policies"))
    policy_classes: pd.DataFrame = field(default_factory=_absent("policy_classes"))
    models: pd.DataFrame = field(default_factory=_absent("models"))
    tested: pd.DataFrame = field(default_factory=_absent("tested"))
    decision: pd.DataFrame = field(default_factory=_absent("decision"))
    counts: pd.DataFrame = field(default_factory=_absent("counts"))
    accuracy: pd.DataFrame = field(default_factory=_absent("accuracy"))
    class_accuracy: pd.DataFrame = field(default_factory=_absent("class_accuracy"))
    effects: pd.DataFrame = field(default_factory=_absent("effects"))
    views: pd.DataFrame = field(default_factory=_absent("views"))
    view_effects: pd.DataFrame = field(default_factory=_absent("view_effects"))
    null_band: pd.DataFrame = field(default_factory=_absent("null_band"))
    explained: pd.DataFrame = field(default_factory=_absent("explained"))
    confusions: pd.DataFrame = field(default_factory=_absent("confusions"))
    top_confusions: pd.DataFrame = field(default_factory=_absent("top_confusions"))
    categories: pd.DataFrame = field(default_factory=_absent("categories"))
    kind_drops: pd.DataFrame = field(default_factory=_absent("kind_drops"))
    share_sensitivity: pd.DataFrame = field(default_factory=_absent("share_sensitivity"))
    sensitivity: pd.DataFrame = field(default_factory=_absent("sensitivity"))
    interventions: pd.DataFrame = field(default_factory=_absent("interventions"))
    intervention_classes: pd.DataFrame = field(default_factory=_absent("intervention_classes"))
    intervention_costs: pd.DataFrame = field(default_factory=_absent("intervention_costs"))
    marks: pd.DataFrame = field(default_factory=_absent("marks"))
    planted: pd.DataFrame = field(default_factory=_absent("planted"))
    realised_area: pd.DataFrame = field(default_factory=_absent("realised_area"))
    examples: pd.DataFrame = field(default_factory=_absent("examples"))

    @classmethod
    def of(cls, tables: Mapping[str, pd.DataFrame], **settings: object) -> Tables:
        """Tables as they are stored, for readers.

        Args:
            tables: by name; "classes" is needed, all others may be left out.
            settings: the attributes that are no tables.
        """
        known = {f.name for f in fields(cls)}
        frames = {name: frame for name, frame in tables.items() if name in known}
        frames["classes"] = with_readable_names(frames["classes"])
        for name in {"accuracy", "class_accuracy"} & set(frames):
            frames[name] = frames[name][frames[name]["k"] == 1]  # figures show the top prediction
        return cls(**settings, **frames)  # type: ignore[arg-type]

    @cached_property
    def conditions(self) -> Conditions:
        """What the study compares: strengths of an axis, or named conditions."""
        return conditions_of(self.axis, self.named, self.tested)

    @cached_property
    def question(self) -> str:
        """The policy that the study's decision is about; "" where there is none."""
        asked = self.decision.loc[self.decision["part"] == "gain", "policy"]
        return str(asked.iloc[0]) if len(asked) else ""

    @cached_property
    def named_policies(self) -> Policies:
        """The policies with their names for readers."""
        return Policies(self.policies, self.policy_classes)

    @cached_property
    def has_multi(self) -> bool:
        """Whether annotations say more than the original label anywhere."""
        return has_multi(self.counts)

    @property
    def replicate(self) -> str:
        """One of the replicates."""
        return self.replicates.removesuffix("s")

    @cached_property
    def seeds(self) -> int:
        """Runs of the tested condition or of the reference, whichever has fewer: what intervals of
        their contrast rest on."""
        return min(self._contrast)

    @cached_property
    def runs(self) -> str:
        """The runs behind the contrast of the tested condition with the reference, in words."""
        return runs_of(*self._contrast, self.replicates)

    @cached_property
    def _contrast(self) -> tuple[int, int]:
        """Runs of the tested condition and of the reference."""
        runs = self.tested.set_index("policy")[["tested", "reference"]]
        runs["known"] = self.accuracy.groupby("policy")["seeds"].max()
        tested, reference = (
            int(runs.loc[runs[role].astype(bool), "known"].fillna(0).max()) if len(runs) else 0
            for role in ("tested", "reference")
        )
        return tested, reference

    @cached_property
    def lost(self) -> list[int]:
        """The ids of the classes found to lose, the largest drop first: at the best views too,
        where the study judged several."""
        return lost(self.effects, self.q, self.view_effects)

    @cached_property
    def lost_by_view(self) -> list[int]:
        """The ids of those that would be found to lose at the common view, but not at the best."""
        return [i for i in lost(self.effects, self.q) if i not in self.lost]

    @property
    def of_networks(self) -> bool:
        """Whether drops are of two single networks, and say nothing of other runs."""
        fixed = self.effects[self.effects["reference"] == "fixed"]
        return len(fixed) > 0 and bool((fixed["speaks_of"] == "networks").all())

    @cached_property
    def affected(self) -> list[int]:
        """The ids of the classes chosen for follow-up, in the order of their choice."""
        return affected_ids(self.effects)

    @cached_property
    def swallowers(self) -> list[int]:
        """The ids of the classes that swallow affected ones, in the order of those."""
        swallower = self.categories.set_index("class_id")["swallower_id"]
        found = [int(swallower.get(victim, -1)) for victim in self.affected]
        return [i for i in dict.fromkeys(found) if i >= 0]
