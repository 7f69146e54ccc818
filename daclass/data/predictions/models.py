"""Which condition each model belongs to, and which models are pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from daclass.config import Model
from daclass.data.tabular import read_csv
from daclass.errors import InputError, refuse_unshowable


def models_said(models: object) -> pd.DataFrame | None:
    """Columns run, condition and replicate: what `data.models` says, or None where it is not given.

    Args:
        models: the setting, with a file's path whole.

    Raises:
        InputError: the file with the table of models is bad.
    """
    if models is None:
        return None
    if isinstance(models, dict):
        rows = [
            (name, m.condition, m.replicate) for name, m in models.items() if isinstance(m, Model)
        ]
        return pd.DataFrame(rows, columns=["run", "condition", "replicate"])
    table = read_csv(models, "model", "condition", optional=("replicate",))  # type: ignore[arg-type]
    table = table.rename(columns={"model": "run"})
    return table if "replicate" in table else table.assign(replicate="")


def models_found(runs: pd.DataFrame, conditions: Sequence[str], source: str) -> pd.DataFrame:
    """The same from the predictions themselves.

    Args:
        runs: one row for each model with the columns run, condition, replicate and stem (of its
            file); condition and replicate are "" where the file does not give them.
        conditions: those that are compared. Where no file gives conditions, each is the model of
            its name, or all models in the file of its name.
        source: where they come from, for messages.

    Raises:
        InputError: a model belongs to no condition.
    """
    lacking = runs["condition"] == ""
    if lacking.all():
        for column in ("run", "stem"):
            if set(conditions) <= set(runs[column]):
                return runs.assign(condition=runs[column])
    if lacking.any():
        raise InputError(
            f"{source}: no column condition says what model {runs.loc[lacking, 'run'].iloc[0]} "
            "belongs to; add it, or give data.models"
        )
    return runs


def numbered_models(
    models: pd.DataFrame, present: Sequence[str], conditions: Sequence[str], source: str
) -> pd.DataFrame:
    """The models of the compared conditions: columns run, policy, strength and seed.

    Runs of a condition are numbered by their replicate's rank among all replicates, so that runs
    with one replicate are pairs; without replicates each run has a number of its own.

    Args:
        models: columns run, condition and replicate.
        present: models that there are predictions of.
        conditions: those that are compared.
        source: where `models` comes from, for messages.

    Raises:
        InputError: a model is there twice or absent, a condition has none, or replicates are given
            in part or do not fit.
    """
    again = models["run"].duplicated()
    if again.any():
        raise InputError(f"{source}: model {models.loc[again, 'run'].iloc[0]} is there twice")
    chosen = models[models["condition"].isin(conditions)].reset_index(drop=True)
    for condition in conditions:
        if condition not in set(chosen["condition"]):
            raise InputError(f"{source}: no model of the condition {condition!r}")
    refuse_unshowable(source, "model", chosen["run"])
    absent = sorted(set(chosen["run"]) - set(present))
    if absent:
        raise InputError(f"{source}: there are no predictions of model {absent[0]!r}")
    replicates = chosen["replicate"]
    if (replicates == "").all():
        seeds = pd.Series(range(len(chosen)), chosen.index)
    elif (replicates == "").any():
        name = chosen.loc[replicates == "", "run"].iloc[0]
        raise InputError(f"{source}: model {name} has no replicate, though others have one")
    else:
        _check_pairs(source, chosen)
        seeds = pd.Series(pd.factorize(replicates, sort=True)[0], chosen.index)
    return pd.DataFrame(
        {"run": chosen["run"], "policy": chosen["condition"], "strength": np.nan, "seed": seeds}
    )


def _check_pairs(source: str, models: pd.DataFrame) -> None:
    """Conditions share all of their replicates, as pairs, or none."""
    own = models.groupby("condition", sort=False)["replicate"].agg(set)
    every = set().union(*own)
    for condition, found in own.items() if len(every) < sum(map(len, own)) else ():
        for replicate in sorted(every - found):
            raise InputError(
                f"{source}: condition {condition!r} has no model with the replicate {replicate!r}; "
                "conditions share all replicates or none"
            )
