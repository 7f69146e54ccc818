"""Policies to train: constant ones for the sweep, designed ones for interventions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from daclass.augment import AugmentError, Axis, Policy
from daclass.config import Study
from daclass.designer import DESIGNERS, FINE_TUNED, TESTED
from daclass.errors import InputError
from daclass.stages.stage import Items, Of, Stage, files, record, table
from daclass.tables import content_digest

DESIGN_TABLES = ("tested", "counts", "effects", "categories", "classes", "index")
"""What designers see, as far as `Evidence` lets them."""


def design_tables(study: Study) -> tuple[str, ...]:
    """The same, with what one run shows where a designer looks at that."""
    one_run = any(DESIGNERS[plan.designer].needs == "one run" for plan in study.planned)
    return (*DESIGN_TABLES, *(["preserved"] if one_run else []))


UNIFORM = {
    "designer": "uniform", "m": -1, "draw": 0, "parent": "", "control": "",
}  # fmt: skip


def phases(study: Study) -> Sequence[Of]:
    return [Of(phase=phase) for phase in study.phases] if study.sweep else []


def policy_files(study: Study, phase: str) -> list[Any]:
    """Networks are fine-tuned under the very policies that others are trained under."""
    if phase == "sweep":
        return [files("policy", phase, name) for name in study.policy_names("sweep")]
    return [files("policy", "interventions", plan.name) for plan in study.planned]


def policies(
    study: Study,
    of: Of,
    classes: pd.DataFrame,
    policy: Sequence[Path] = (),
    provenance: Sequence[Path] = (),
    **tables: pd.DataFrame,
) -> Mapping[str, Any]:
    """Write the policies to train: constant ones for the sweep, designed ones for interventions."""
    names = list(classes["name"])
    if of.phase == "fine_tuning":
        return _fine_tuned(study, **tables)
    if of.phase == "sweep":
        made = [Policy(study.axis, strength) for strength in study.strengths]
        rows = [
            {**UNIFORM, "policy": name, "summary": f"every class at {one.default:g}"}
            for name, one in zip(study.policy_names("sweep"), made, strict=True)
        ]
        reasons: list[Mapping[str, str]] = [{} for _ in made]
        records: list[Any] = []
    else:
        made, rows, reasons, records = _designed(study, classes, **tables)
    for one, path in zip(made, policy, strict=True):
        one.save(path)
    return {
        "policies": pd.DataFrame(
            [
                {
                    **row,
                    "phase": of.phase,
                    "strength": one.strength,
                    "view_aware": one.view_aware,
                }
                for row, one in zip(rows, made, strict=True)
            ]
        ),
        "policy_classes": pd.concat(
            [
                _of_classes(str(row["policy"]), one, names, why)
                for row, one, why in zip(rows, made, reasons, strict=True)
            ]
        ),
        "provenance": records,
    }


def _of_classes(
    name: str, policy: Policy, names: Sequence[str], reasons: Mapping[str, str]
) -> pd.DataFrame:
    """Table "policy_classes" of a policy."""
    levels, shares = policy.distribution(names)
    classes, drawn = np.nonzero(shares > 0)
    return pd.DataFrame(
        {
            "policy": name,
            "class_id": classes,
            "strength": levels[drawn],
            "share": shares[classes, drawn],
            "own": levels[drawn] == policy.strengths(names)[classes],
            "weight": policy.weights(names)[classes],
            "reason": [reasons.get(names[int(k)], "") for k in classes],
        }
    )


def _fine_tuned(study: Study, policies: pd.DataFrame, policy_classes: pd.DataFrame) -> Any:
    """Networks are fine-tuned under the very policies that others are trained under."""
    return {
        "policies": policies.assign(
            policy=FINE_TUNED + policies["policy"],
            phase="fine_tuning",
            parent=TESTED,
            control=policies["control"].where(
                policies["control"] == "", FINE_TUNED + policies["control"]
            ),
        ),
        "policy_classes": policy_classes.assign(policy=FINE_TUNED + policy_classes["policy"]),
    }


def _designed(
    study: Study, classes: pd.DataFrame, **tables: pd.DataFrame
) -> tuple[list[Policy], list[dict[str, Any]], list[Mapping[str, str]], list[Any]]:
    from daclass.analysis.designers import Evidence, nothing_to_trade, resolve_m
    from daclass.analysis.tested import strength_of

    assert study.interventions is not None
    tables["classes"] = classes
    digests = {name: content_digest(found) for name, found in tables.items()}
    train = tables["index"][tables["index"]["split"] == "train"]
    of_class = train["class_id"].value_counts() / train["draw"].nunique()
    evidence = Evidence(
        counts=tables["counts"],
        effects=tables["effects"],
        categories=tables["categories"],
        classes=classes,
        training_pictures=of_class.reindex(range(len(classes))).to_numpy("float64"),
        axis=study.axis,
        strengths=study.strengths,
        tested=strength_of(tables["tested"], "tested"),
        reference=strength_of(tables["tested"], "reference"),
        m=len(classes),
        random_seed=study.interventions.random_seed,
        one_run=tables.get("preserved"),
    )
    best = strength_of(tables["tested"], "best")
    at_stake = study.analysis.tested != "best" or (
        study.strengths.index(best) < study.strengths.index(evidence.reference)
    )
    pooled = {draw: name for name, draws in study.controls().items() for draw in draws}
    made, rows, reasons, records = [], [], [], []
    for plan in study.planned:
        m = resolve_m(plan.classes, len(classes))
        own = replace(evidence, m=m, strength=plan.strength, draw=plan.draw)
        if not at_stake and plan.name not in study.baselines and plan.strength is None:
            design = nothing_to_trade(own)
        else:
            chosen = study.interventions.settings.get(plan.designer)
            design = DESIGNERS[plan.designer](own, chosen)
        control = pooled.get(plan.name, "")
        row = {
            "policy": plan.name,
            "designer": plan.designer,
            "m": m,
            "draw": plan.draw if control else 0,
            "parent": "",
            "control": control,
            "summary": design.reasons["summary"],
        }
        made.append(design.policy)
        rows.append(row)
        reasons.append(design.reasons["classes"])
        records.append(
            {
                **row,
                "reasons": design.reasons,
                "half": "select",
                "seeds": list(study.seeds("sweep")),
                "strengths": list(study.strengths),
                "tested": evidence.tested,
                "reference": evidence.reference,
                "random_seed": evidence.random_seed,
                "tables": digests,
            }
        )
    return made, rows, reasons, records


def _policy_reads(study: Study, of: Of) -> Mapping[str, Items]:
    if of.phase == "fine_tuning":
        names = ("policies", "policy_classes")
        return {"classes": table("classes"), **{n: table(n, "interventions") for n in names}}
    designed = design_tables(study) if of.phase == "interventions" else ("classes",)
    return {name: table(name) for name in designed}


def _policy_writes(study: Study, of: Of) -> Mapping[str, Items]:
    tables = {name: table(name, of.phase) for name in ("policies", "policy_classes")}
    own: dict[str, Items] = {}
    if of.phase != "fine_tuning":
        own["policy"] = policy_files(study, of.phase)
    if of.phase == "interventions":
        own["provenance"] = [
            record("provenance", name) for name in study.policy_names("interventions")
        ]
    return {**tables, **own}


POLICIES = Stage(
    "policies",
    policies,
    reads=_policy_reads,
    writes=_policy_writes,
    settings=lambda study, of: {
        "sweep": ["augmentation.axis", "sweep.strengths"],
        "interventions": [
            "augmentation.axis",
            "sweep",
            "analysis.tested",
            "interventions.designers",
            "interventions.classes",
            "interventions.random_draws",
            "interventions.random_seed",
            "interventions.settings",
        ],
        "fine_tuning": [],
    }[of.phase],
    spared=("comparison", "interventions.fine_tuning"),  # which decides names of other policies
    jobs=phases,
    packages=lambda study: study.plugins(),
    which=("phase",),
    version=2,
    shared=True,
)


def load_policy(file: Path, axis: Axis, class_names: Sequence[str]) -> Policy:
    """A policy that fits the study.

    Raises:
        InputError: the file is no policy, is for another axis, or names classes the study lacks.
    """
    try:
        policy = Policy.load(file)
        if policy.axis != axis:
            raise InputError(f"{file}: a policy for {policy.axis.name}, not for {axis.name}")
        policy.strengths(class_names)
        policy.weights(class_names)
    except AugmentError as error:
        raise InputError(f"{file}: {str(error).removeprefix(f'{file}: ')}") from None
    return policy
