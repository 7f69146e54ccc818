"""What is compared, and how effects, confusions and categories are judged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from daclass.config.base import Count, Section, Seeds, Share, distinct
from daclass.errors import refuse_unshowable

VIEWS = (0.8, 0.875, 0.95, 1.0)
"""A strong crop's objects are larger than a whole picture's, so its networks do best on a smaller
central square (Touvron et al., NeurIPS 2019); 0.8 to 1 holds the best of common strengths."""


class Sweep(Section):
    """The uniform policies that are compared."""

    strengths: Annotated[tuple[float, ...], Field(min_length=2)]
    """Strengths of the axis, in any order."""
    seeds: Seeds
    """Run seeds; every strength is trained once with each. Two are the minimum for intervals."""

    @model_validator(mode="after")
    def _aredistinct(self) -> Sweep:
        """Strengths are distinct, and so are seeds."""
        distinct(tuple(f"{strength:g}" for strength in self.strengths), "strengths")
        distinct(self.seeds, "seeds")
        return self


class Comparison(Section):
    """What a study of predictions compares."""

    conditions: Annotated[tuple[str, ...], Field(min_length=2)]
    """Names of the conditions, the tested one first: drops are what it loses against the others."""
    reference: str | None = None
    """The condition that the fixed contrast compares the tested one with; the last one where not
    given."""
    replicates: str = "models"
    """What stands in for seeds: one or two words in the plural for the report."""

    @model_validator(mode="after")
    def _names_a_reference(self) -> Comparison:
        """Conditions are distinct; `reference` is one of them, but not the first."""
        distinct(self.conditions, "conditions")
        refuse_unshowable("comparison.conditions", "condition", self.conditions)
        refuse_unshowable("comparison.replicates", "word", [self.replicates])
        if self.reference is not None and self.reference not in self.conditions[1:]:
            raise ValueError(
                f"reference {self.reference!r} is not one of {list(self.conditions[1:])}"
            )
        return self


class Affected(Section):
    """Which classes count as affected; chosen on the selection half."""

    rule: Literal["top", "fdr"] = "top"
    """top: the classes with the largest drop (the paper's rule); fdr: discoveries at rate q."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.05
    """top: share of the classes."""
    at_least: Count = 2
    """top: number of classes, where the share gives fewer."""
    q: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """fdr: false discovery rate (Benjamini-Hochberg over the classes)."""


class Categories(Section):
    """Thresholds of the four kinds of confusion."""

    overlap: Share = 0.1
    """Label sets overlap from this share on (the larger of the two directions)."""
    similarity: Share = 0.7
    """Classes are close from this similarity on: Wu-Palmer's in the class tree or, without a tree,
    the cosine of their embeddings."""
    embeddings: Path | None = None
    """Embeddings of the class names: a CSV with the column name, all others being numbers, or an
    .npz with names [C] and vectors [C, D]. Shown beside the class tree, and used in its place where
    there is none."""


class Analysis(Section):
    """Effects, confusions and categories."""

    tested: float | Literal["best", "strongest"] = "best"
    """The strength that is tested: what would be trained for all classes. best: of the strengths
    stronger than the reference, the one that is best on average on the selection half; since it is
    read off the data, intervals and tests hold for all strengths at once. A number says it before
    the data are seen, and strongest is the question of Kirichenko et al. (NeurIPS 2023)."""
    reference: float | Literal["weakest"] = "weakest"
    """The strength that the tested one is compared with."""
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Level of every interval."""
    empty_labels: Literal["drop", "wrong"] = "drop"
    """Pictures with an empty label set: left out of multi-label figures, or counted as wrong."""
    bootstrap: Annotated[int, Field(ge=100, le=1_000_000)] = 1000
    """Two-way bootstrap replicates for the no-effect band and the max-T p-values."""
    views: tuple[Annotated[float, Field(gt=0, le=1)], ...] = VIEWS
    """Sides of the central squares that every network judges besides training.val_crop, as shares
    of the picture's shorter side; [] for none. All are cut from one decode, and predicting takes
    about as many times as long as there are views."""
    logit_shift: bool = True
    """Also fit a shift per class to the logits of the selection half, at training.val_crop, and
    keep the predictions that it makes."""
    affected: Affected = Affected()
    categories: Categories = Categories()
