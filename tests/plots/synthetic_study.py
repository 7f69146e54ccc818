"""Made-up tables of a whole study, true to `daclass.tables.SCHEMAS`, for plots and report."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from daclass.analysis.summary import summarise
from daclass.plots import Tables
from daclass.tables import SCHEMAS

STRENGTHS = (0.08, 0.2, 0.4, 0.75, 0.99)
NAMES = [
    "bee",
    "butterfly",
    "cherry",
    "crab",
    "daisy",
    "dogwood",
    "fish",
    "flock",
    "gull",
    "kite",
    "ladder",
    "leaf",
    "lizard",
    "lollipop",
    "match",
    "monitor",
    "mug",
    "mushroom",
    "plum",
    "screen",
    "snail",
    "stick",
    "tree",
    "zebra",
]
PAIRS = {
    "screen": ("monitor", "ambiguous", 0.62, 0.95),
    "gull": ("flock", "ambiguous", 0.21, 0.9),
    "kite": ("tree", "co-occurring", 0.45, 0.2),
    "plum": ("cherry", "fine-grained", 0.0, 0.92),
    "lollipop": ("snail", "unrelated", 0.01, 0.15),
}


def study_tables(
    names: Sequence[str] = tuple(NAMES),
    seeds: int = 4,
    affected: int = 5,
    annotations: bool = True,
    interventions: bool = True,
    planted: bool = True,
    similarity: bool = True,
) -> Tables:
    """All tables of a study; the first `affected` classes of `names` in pair order pay most."""
    rng = np.random.default_rng(0)
    classes = pd.DataFrame({"class_id": range(len(names)), "name": list(names)})
    classes["path"] = "thing/" + classes["name"].astype(str)
    victims = [names.index(n) for n in PAIRS if n in names][:affected]
    victims += [i for i in range(len(names)) if i not in victims][: affected - len(victims)]
    counts = _counts(len(names), range(seeds), victims, annotations, rng)
    effects = _effects(counts, victims, seeds)
    categories = _categories(list(names), victims, similarity, seeds)
    tables = {
        "classes": classes,
        "counts": counts,
        "accuracy": _accuracy(counts, seeds),
        "effects": effects,
        "confusions": _confusions(categories, seeds),
        "categories": categories,
        "interventions": _interventions(seeds, len(victims), rng) if interventions else None,
        "planted": _planted(list(names), effects, categories) if planted else None,
    }
    frames = {name: _shaped(frame, name) for name, frame in tables.items() if frame is not None}
    return Tables(axis="rrc_scale", overlap=0.1, similarity=0.7, **frames)


def _shaped(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    assert set(frame.columns) == set(SCHEMAS[name]), set(frame.columns) ^ set(SCHEMAS[name])
    return frame[list(SCHEMAS[name])].reset_index(drop=True)


def _counts(classes, seeds, victims, annotations, rng) -> pd.DataFrame:
    base = rng.uniform(0.6, 0.95, classes)
    slope = rng.normal(-0.03, 0.04, classes)
    slope[victims] = np.linspace(0.3, 0.16, len(victims))
    grid = pd.MultiIndex.from_product(
        [STRENGTHS, seeds, ["select", "estimate"], range(classes)],
        names=["strength", "seed", "half", "class_id"],
    ).to_frame(index=False)
    strong = 1 - grid["strength"].to_numpy()
    k = grid["class_id"].to_numpy()
    share = np.clip(base[k] - slope[k] * strong**2, 0.02, 0.99)
    grid["images"] = 50
    grid["correct"] = rng.binomial(50, share)
    grid["labelled"] = 49 if annotations else 50
    multi = np.clip(share + (1 - share) * 0.4, 0, 1)
    grid["correct_multi"] = np.minimum(
        grid["labelled"], np.maximum(grid["correct"], rng.binomial(49, multi))
    )
    if not annotations:
        grid["correct_multi"] = grid["correct"]
    grid["false_negatives"] = grid["images"] - grid["correct"]
    grid["false_negatives_multi"] = grid["labelled"] - grid["correct_multi"]
    grid["false_positives"] = rng.poisson(6 + 10 * strong)
    grid["false_positives_multi"] = rng.poisson(4 + 8 * strong)
    both = grid.drop(columns="half").groupby(["strength", "seed", "class_id"], as_index=False).sum()
    grid = pd.concat([grid, both.assign(half="all")], ignore_index=True)
    grid["policy"] = "uniform_" + grid["strength"].astype(str)
    return grid


def _accuracy(counts, seeds) -> pd.DataFrame:
    sums = counts.groupby(["policy", "strength", "half"], as_index=False).sum(numeric_only=True)
    parts = []
    for truth, correct, images in (
        ("original", "correct", "images"),
        ("multi", "correct_multi", "labelled"),
    ):
        part = sums[["policy", "strength", "half"]].copy()
        part["truth"] = truth
        part["k"] = 1
        part["accuracy"] = sums[correct] / sums[images]
        part["low"] = part["accuracy"] - 0.011 if seeds > 1 else np.nan
        part["high"] = part["accuracy"] + 0.012 if seeds > 1 else np.nan
        part["seeds"] = seeds
        part["images"] = sums[images] // seeds
        parts.append(part)
    return pd.concat(parts)


def _effects(counts, victims, seeds) -> pd.DataFrame:
    parts = []
    for half in ("select", "estimate", "all"):
        mean = (
            counts[counts["half"] == half]
            .drop(columns=["policy", "half", "seed"])
            .pivot_table(index="class_id", columns="strength", aggfunc="sum")
        )
        for truth, correct, images in (
            ("original", "correct", "images"),
            ("multi", "correct_multi", "labelled"),
        ):
            shares = mean[correct] / mean[images]
            for reference in ("fixed", "best"):
                drop = shares[0.99] - shares[0.08]
                part = pd.DataFrame({"class_id": drop.index, "drop": drop.to_numpy()})
                part = part.assign(truth=truth, half=half, reference=reference)
                part["reference_policy"] = "uniform_0.99"
                part["reference_strength"] = 0.99 if reference == "fixed" else 0.61
                for name, width in (("", 0.09), ("seeds_", 0.04)):
                    part[f"{name}low"] = part["drop"] - width if seeds > 1 else np.nan
                    part[f"{name}high"] = part["drop"] + width if seeds > 1 else np.nan
                part["p"] = np.exp(-20 * np.abs(part["drop"])) if seeds > 1 else np.nan
                part["q"] = np.minimum(1, part["p"] * 3)
                part["shrunken"] = 0.8 * part["drop"] if seeds > 1 else np.nan
                part["p_max"] = np.nan
                if half == "all" and reference == "fixed":
                    part["p_max"] = np.minimum(1, part["p"] * 10)
                part["detectable"] = 0.1 if seeds > 1 else np.nan
                part["plug_in"] = part["drop"] + 0.03
                part["rank"] = part["drop"].rank(ascending=False, method="first").astype(int)
                part["affected"] = part["class_id"].isin(victims)
                part["seeds"] = seeds
                part["images"] = 100 if half == "all" else 50
                parts.append(part)
    return pd.concat(parts)


def _categories(names, victims, similarity, seeds) -> pd.DataFrame:
    rows = []
    for i, victim in enumerate(victims):
        partner, kind, overlap, alike = PAIRS.get(
            names[victim], (names[(victim + 1) % len(names)], "unrelated", 0.0, 0.3)
        )
        swallower = names.index(partner) if partner in names else (victim + 1) % len(names)
        growth = 0.2 - 0.02 * i
        width = 0.06 if seeds > 1 else np.nan
        rows.append(
            {
                "class_id": victim, "swallower_id": swallower, "growth": growth,
                "low": growth - width, "high": growth + width, "overlap": overlap,
                "overlap_reverse": 0.8 * overlap, "jaccard": 0.5 * overlap,
                "both": int(100 * overlap), "similarity": alike if similarity else np.nan,
                "category": kind,
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(SCHEMAS["categories"]))


def _confusions(categories, seeds) -> pd.DataFrame:
    frame = categories[["class_id", "growth", "low", "high"]].copy()
    frame["predicted_id"] = categories["swallower_id"]
    frame["rate_reference"] = 0.05
    frame["rate_tested"] = 0.05 + frame["growth"]
    frame = frame.assign(half="estimate", p=0.001, q=0.01, seeds=seeds, images=50)
    return frame


def _interventions(seeds, victims, rng) -> pd.DataFrame:
    rows = []
    policies = ["uniform_strongest", "uniform_best", "naive_removal", "fp_informed",
                "random_classes"]  # fmt: skip
    for policy in policies:
        for group in ("all", "affected", "swallowers", "both"):
            for truth in ("original", "multi"):
                for baseline in ("uniform_strongest", "uniform_best"):
                    gain = 0.0 if policy == baseline else rng.normal(0.02, 0.03)
                    accuracy = 0.7 + gain
                    width = 0.03 if seeds > 1 else np.nan
                    rows.append(
                        {
                            "policy": policy, "group": group, "truth": truth,
                            "accuracy": accuracy, "accuracy_low": accuracy - width,
                            "accuracy_high": accuracy + width, "baseline": baseline,
                            "difference": gain,
                            "low": gain - width, "high": gain + width,
                            "p": 0.04 if seeds > 1 else np.nan, "seeds": seeds, "images": 1200,
                            "classes": {"all": 24, "both": 2 * victims}.get(group, victims),
                        }
                    )  # fmt: skip
    return pd.DataFrame(rows)


def _planted(names, effects, categories) -> pd.DataFrame:
    part = effects[(effects["half"] == "estimate") & (effects["reference"] == "fixed")].set_index(
        ["truth", "class_id"]
    )
    swallower = categories.set_index("class_id")["swallower_id"]
    kinds = categories.set_index("class_id")["category"]
    rows = []
    for victim, (partner, kind, _, _) in PAIRS.items():
        for name, other, expectation in ((victim, partner, "hurt"), (partner, victim, "swallows")):
            rows.append((name, other, kind, expectation))
    rows += [(name, "", "helped", "helped") for name in ("butterfly", "crab", "fish", "zebra")]
    rows += [(name, "", "control", "unchanged") for name in ("ladder", "mug", "mushroom")]
    table = []
    for name, other, kind, expectation in rows:
        if name not in names or (other and other not in names):
            continue
        i = names.index(name)
        effect = part.loc[("original", i)]
        affected = bool(effect["affected"])
        verdict = ("found" if affected else "missed") if expectation == "hurt" else "quiet"
        if name == "mug":
            verdict = "false alarm"
        table.append(
            {
                "class_id": i, "partner_id": names.index(other) if other else -1, "kind": kind,
                "expectation": expectation, "drop": effect["drop"], "low": effect["low"],
                "high": effect["high"], "drop_multi": part.loc[("multi", i)]["drop"],
                "q": effect["q"], "affected": affected, "swallower_id": swallower.get(i, -1),
                "category": kinds.get(i, "none"), "verdict": verdict,
            }
        )  # fmt: skip
    return pd.DataFrame(table, columns=list(SCHEMAS["planted"]))


def _explained(seeds) -> pd.DataFrame:
    shown = {"drop_original": 0.2, "drop_multi": 0.1, "drop_control": 0.18, "explained": 0.5,
             "control": 0.1}  # fmt: skip
    row: dict[str, object] = {}
    for name, value in shown.items():
        width = 0.05 if seeds > 1 else np.nan
        row |= {name: value, f"{name}_low": value - width, f"{name}_high": value + width}
    if seeds == 1:
        row |= {"explained": np.nan, "control": np.nan}
    row |= {"classes": 24, "images": 2376, "seeds": seeds}
    pools = [("all", "fixed"), ("all", "best"), ("affected", "best")]
    rows = [{"group": group, "reference": reference, **row} for group, reference in pools]
    return _shaped(pd.DataFrame(rows[:1] if seeds == 1 else rows), "explained")


def study_summary(tables: Tables, title: str = "Random resized crops on made-up tables") -> dict:
    """What summary.json holds for such a study, made by the function that makes it."""
    used = ("classes", "accuracy", "effects", "categories", "planted", "interventions")
    seeds = tables.counts["seed"].nunique()
    summary = summarise(
        study="synthetic",
        title=title,
        config_digest="0123456789ab",
        axis="rrc_scale",
        strengths=STRENGTHS,
        conditions=[f"uniform_{strength}" for strength in STRENGTHS],
        reference="uniform_0.99",
        replicates="seeds",
        q=0.05,
        runs_trained=5 * seeds,
        versions={"python": "3.11.2", "daclass": "0.1.0", "torch": "2.11.0"},
        wall_seconds={"pictures": 12.3, "train": 480.0, "effects": 3.2},
        tables={**{name: getattr(tables, name) for name in used}, "explained": _explained(seeds)},
    )
    affected = {"rule": "top", "share": 0.05, "at_least": 2, "q": 0.05}
    summary["provenance"] = {
        "command": "make study CONFIG=configs/synthetic.yaml",
        "git_revision": "abcdef123456",
        "settings": {
            "data": {"draws": 4},
            "analysis": {"confidence": 0.95, "affected": affected},
        },
    }
    return json.loads(json.dumps(summary))
