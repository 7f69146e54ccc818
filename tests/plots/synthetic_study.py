"""Made-up tables of a whole study, true to `daclass.tables.SCHEMAS`, for plots and report."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
from PIL import Image

from daclass.analysis.categories import CATEGORIES, sensitivity
from daclass.analysis.decision import decision
from daclass.plots.tables import Tables
from daclass.report.summary import summarise
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
    conditions: Sequence[str] = (),
    extras: bool = True,
    overlap_from: str = "annotations",
) -> Tables:
    """All tables of a study; the first `affected` classes of `names` in pair order pay most.

    Args:
        conditions: compare these, tested first, instead of the strengths.
        extras: with the tables that older studies lack.
        overlap_from: whose label sets tell how much two classes overlap.
    """
    rng = np.random.default_rng(0)
    classes = pd.DataFrame({"class_id": range(len(names)), "name": list(names)})
    classes["path"] = "thing/" + classes["name"].astype(str)
    victims = [names.index(n) for n in PAIRS if n in names][:affected]
    victims += [i for i in range(len(names)) if i not in victims][: affected - len(victims)]
    counts = _counts(len(names), range(seeds), victims, annotations, rng)
    effects = _effects(counts, victims, seeds)
    categories = _categories(list(names), victims, similarity, seeds)
    seen = _views(effects, seeds, victims) if extras and not conditions else {}
    tables = {
        "classes": classes,
        "models": _models(counts),
        "counts": counts,
        "accuracy": _accuracy(counts, seeds),
        "tested": _tested(counts, seeds),
        "decision": _decision(
            _tested(counts, seeds), seen.get("view_effects"), victims, seeds if interventions else 0
        ),
        "effects": effects,
        "explained": _explained(affected, len(names), seeds).head(None if extras else 0),
        "confusions": _confusions(categories, seeds),
        "categories": categories,
        "interventions": _interventions(seeds, len(victims), rng) if interventions else None,
        "intervention_classes": (
            _intervention_classes(len(names), seeds, rng) if interventions else None
        ),
        "intervention_costs": _intervention_costs(seeds) if interventions else None,
        "planted": _planted(list(names), effects, categories) if planted else None,
    }
    if extras:
        tables |= {
            "class_accuracy": _class_accuracy(counts, seeds),
            **seen,
            "null_band": _null_band(len(names)),
            "sensitivity": sensitivity(categories),
            "share_sensitivity": _share_sensitivity(),
            "kind_drops": _kind_drops(categories, seeds),
            "top_confusions": _top_confusions(categories),
            "realised_area": _realised_area(),
            "examples": _examples(victims, len(names), seeds),
        }
    if interventions:
        tables |= {"policies": _policies(), "policy_classes": _policy_classes(len(names), victims)}
        tables |= {"marks": _marks(seeds)}
    frames = {name: _shaped(frame, name) for name, frame in tables.items() if frame is not None}
    if conditions:
        frames = {name: _named(frame, conditions) for name, frame in frames.items()}
        frames.pop("realised_area", None)
    return Tables(
        named=tuple(conditions),
        replicates="models" if conditions else "seeds",
        overlap_from=overlap_from,
        **frames,
    )


def _shaped(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    assert set(frame.columns) >= set(SCHEMAS[name]), set(SCHEMAS[name]) - set(frame.columns)
    return frame.reset_index(drop=True)


def _named(frame: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """The same study with names for its first and last strengths, and none between."""
    if "reference_strength" in frame:
        frame = frame.assign(reference_strength=np.nan, reference_policy=conditions[-1])
    if "policy" not in frame or "strength" not in frame:
        return frame
    names = dict(zip(STRENGTHS[: len(conditions) - 1], conditions, strict=False))
    names[STRENGTHS[-1]] = conditions[-1]
    renamed = frame.assign(policy=frame["strength"].map(names), strength=np.nan)
    if "best" in frame:
        renamed["best"] = frame["reference"]
    return renamed[renamed["policy"].notna()].reset_index(drop=True)


def _views(effects, seeds: int, victims: Sequence[int]) -> dict[str, pd.DataFrame]:
    """The stronger, the smaller the best view; the second victim's drop is the view's doing."""
    rows = [
        {
            "policy": f"rrc_scale={s:g}", "strength": s, "view": view, "shifted": shifted,
            "half": half, "accuracy": 0.6 + 0.1 * s - (view - 0.8 - 0.2 * s) ** 2,
            "common": view == 0.875 and not shifted, "best": view == best and not shifted,
            "seeds": seeds, "images": 600,
        }
        for s, best in zip(STRENGTHS, (0.8, 0.8, 0.875, 0.95, 1.0), strict=True)
        for view, shifted in ((0.8, False), (0.875, False), (0.95, False), (1.0, False),
                              (0.875, True))
        for half in ("select", "estimate", "all")
    ]  # fmt: skip
    views = pd.DataFrame(rows)
    views = views.assign(low=views["accuracy"] - 0.02, high=views["accuracy"] + 0.02,
                         difference=0.01, difference_low=-0.01, difference_high=0.03)  # fmt: skip
    fixed = effects[
        (effects["reference"] == "fixed") & (effects["truth"] == "original")
        & (effects["half"] != "select")
    ]  # fmt: skip
    columns = ["class_id", "half", "drop", "low", "high", "p", "q", "seeds", "images"]
    spared = fixed["class_id"].isin(victims[1:2])
    own = fixed[columns].assign(
        drop=fixed["drop"].mask(spared, 0.0), q=fixed["q"].mask(spared, 0.9)
    )
    mean = own.groupby("half", as_index=False).mean(numeric_only=True).assign(class_id=-1)
    both = pd.concat([own, mean.astype({"seeds": int, "images": int})])
    part = both.assign(tested_view=0.8, reference_view=1.0, view_part=0.03, part_low=0.01,
                       part_high=0.05)  # fmt: skip
    return {"views": views, "view_effects": part}


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


def _models(counts) -> pd.DataFrame:
    whole = counts[counts["half"] == "all"]
    sums = whole.groupby(["policy", "seed"], as_index=False)[
        ["images", "correct", "labelled", "correct_multi"]
    ].sum()
    return sums.assign(
        run=sums["policy"] + "/seed" + sums["seed"].astype(str), strength=whole["strength"].iloc[0],
        accuracy=sums["correct"] / sums["images"], top=1, accuracy_top=np.nan, confidence=0.8,
        accuracy_multi=sums["correct_multi"] / sums["labelled"], calibration_error=0.05,
    ).drop(columns=["strength"])  # fmt: skip


def _accuracy(counts, seeds) -> pd.DataFrame:
    sums = counts.groupby(["policy", "strength", "half"], as_index=False).sum(numeric_only=True)
    parts = []
    for truth, correct, images in (
        ("original", "correct", "images"),
        ("multi", "correct_multi", "labelled"),
    ):
        part = sums[["policy", "strength", "half"]].copy()
        part["truth"], part["k"] = truth, 1
        part["accuracy"] = sums[correct] / sums[images]
        part["low"] = part["accuracy"] - 0.011 if seeds > 1 else np.nan
        part["high"] = part["accuracy"] + 0.012 if seeds > 1 else np.nan
        for end in ("", "_low", "_high"):
            part[f"macro{end}"] = part[end.removeprefix("_") or "accuracy"] - 0.004
        part["seeds"] = seeds
        part["images"] = sums[images] // seeds
        parts.append(part)
    return pd.concat(parts)


def _tested(counts, seeds) -> pd.DataFrame:
    """The strongest is tested, as by `analysis.tested: strongest`."""
    whole = _accuracy(counts, seeds).query("half == 'all' and truth == 'original'")
    gain = whole["accuracy"] - whole.set_index("strength")["accuracy"][0.99]
    width = 0.02 if seeds > 1 else np.nan
    at = whole["strength"]
    return whole.rename(columns={"low": "accuracy_low", "high": "accuracy_high"}).assign(
        tested=at == 0.08, reference=at == 0.99, best=at == 0.4, simultaneous=False, gain=gain,
        low=(gain - width).where(at != 0.99), high=(gain + width).where(at != 0.99),
        p=np.where(at != 0.99, 0.04 if seeds > 1 else np.nan, np.nan),
    )  # fmt: skip


def _decision(tested, at_best_views, victims, seeds) -> pd.DataFrame:
    """A policy that helps the classes followed up, and has to cost less on average."""
    rows = []
    for rival in ("uniform_tested", "logit_shift") if seeds else ():
        for part, value, wanted, hopeless in (
            ("followed up", 0.031, 0.0, 0.02), ("with swallowers", 0.012, 0.0, 0.0),
            ("all", -0.004, -0.01, -0.01),
        ):  # fmt: skip
            rows.append(
                {
                    "part": part, "rival": rival, "difference": value, "at_least": value - 0.009,
                    "at_most": value + 0.009, "must_exceed": wanted, "hopeless_below": hopeless,
                    "holds": value - 0.009 > wanted, "refuted": False, "p": 0.01, "class_id": -1,
                    "seeds": seeds, "images": 900, "classes": len(victims), "seeds_needed": 7,
                }
            )  # fmt: skip
        rows.append(
            {
                "part": "class", "rival": rival, "difference": -0.04, "at_least": -0.12,
                "at_most": np.nan, "must_exceed": np.nan, "hopeless_below": np.nan, "holds": True,
                "refuted": False, "p": 0.4, "class_id": 3, "seeds": seeds, "images": 50,
                "classes": 24, "seeds_needed": 0,
            }
        )  # fmt: skip
    policy = "fp_informed" if seeds else ""
    gains = decision(tested, at_best_views=at_best_views)
    return pd.concat([gains, pd.DataFrame(rows)]).assign(policy=policy)


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
                part["reference_strength"] = 0.99 if reference == "fixed" else 0.61
                for name, width in (("", 0.09), ("seeds_", 0.04)):
                    part[f"{name}low"] = part["drop"] - width if seeds > 1 else np.nan
                    part[f"{name}high"] = part["drop"] + width if seeds > 1 else np.nan
                part["p"] = np.exp(-30 * np.abs(part["drop"])) if seeds > 1 else np.nan
                part["q"] = np.minimum(1, part["p"] * 3)
                part["plug_in"] = part["drop"] + 0.03
                part["reference_policy"] = "uniform_0.99" if reference == "fixed" else ""
                part["shrunken"] = 0.7 * part["drop"]
                part["at_least"] = np.nan if reference == "fixed" else np.maximum(drop - 0.1, 0)
                part["speaks_of"] = "runs"
                part["p_max"] = np.minimum(1, part["p"] * 10)
                part["detectable"] = 0.12 if seeds > 1 else np.nan
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
                "both": int(100 * overlap), "embedding": np.nan,
                "similarity": alike if similarity else np.nan,
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


INTERVENTIONS = (
    "uniform_tested", "uniform_best", "uniform_reference", "naive_removal", "fp_informed",
    "random_classes_1", "random_classes_2", "fine_tuned_uniform_tested",
    "fine_tuned_fp_informed",
)  # fmt: skip
BASELINES = ("uniform_tested", "uniform_best", "uniform_reference", "random_classes")
BASELINES = (*BASELINES, "fine_tuned_uniform_tested")


def _interventions(seeds, victims, rng) -> pd.DataFrame:
    rows = []
    width = 0.03 if seeds > 1 else np.nan
    for policy in (*INTERVENTIONS, "random_classes"):
        for group in ("all", "affected", "swallowers", "both"):
            for truth in ("original", "multi"):
                share = {"uniform_tested": 0.0, "uniform_reference": 1.0}.get(policy, 0.4)
                known = 0.0 if policy in ("uniform_tested", "uniform_reference") else width
                for baseline in BASELINES:
                    if policy.startswith(f"{baseline}_"):
                        continue
                    gain = 0.0 if policy == baseline else rng.normal(0.02, 0.03)
                    accuracy = 0.7 + gain
                    rows.append(
                        {
                            "policy": policy, "group": group, "truth": truth,
                            "accuracy": accuracy, "accuracy_low": accuracy - width,
                            "accuracy_high": accuracy + width, "baseline": baseline,
                            "recovered": np.nan if group == "all" else share,
                            "recovered_low": share - 9 * known or np.nan,
                            "recovered_high": share + 9 * known or np.nan,
                            "difference": gain,
                            "low": gain - width, "high": gain + width,
                            "p": 0.04 if seeds > 1 else np.nan,
                            "worse": 1.5, "better": 3.0, "seeds": seeds, "images": 1200,
                            "classes": {"all": 24, "both": 2 * victims}.get(group, victims),
                        }
                    )  # fmt: skip
    return pd.DataFrame(rows)


def _intervention_classes(classes, seeds, rng) -> pd.DataFrame:
    keys = [
        (policy, baseline, truth, k)
        for policy in INTERVENTIONS for baseline in BASELINES[:3] if policy != baseline
        for truth in ("original", "multi") for k in range(classes)
    ]  # fmt: skip
    frame = pd.DataFrame(keys, columns=["policy", "baseline", "truth", "class_id"])
    gain, width = rng.normal(0, 0.08, len(frame)), 0.1 if seeds > 1 else np.nan
    return frame.assign(
        difference=gain, low=gain - width, high=gain + width, p=0.01,
        q=np.where(np.abs(gain) > width, 0.02, 0.6) if seeds > 1 else np.nan, seeds=seeds,
        images=50,
    )  # fmt: skip


def _intervention_costs(seeds) -> pd.DataFrame:
    return pd.DataFrame({"policy": INTERVENTIONS}).assign(
        runs=seeds, epochs=24.0, pictures=40320.0, relative=1.0, seconds=50.0,
        seconds_relative=1.0, design_runs=25,
    )  # fmt: skip


def _class_accuracy(counts, seeds) -> pd.DataFrame:
    sums = counts[counts["half"] == "all"].groupby(
        ["policy", "strength", "class_id"], as_index=False
    ).sum(numeric_only=True)  # fmt: skip
    parts = []
    for truth, correct, images, ending in (
        ("original", "correct", "images", ""),
        ("multi", "correct_multi", "labelled", "_multi"),
    ):
        part = sums[["policy", "strength", "class_id"]].assign(truth=truth, k=1, seeds=seeds)
        part["accuracy"] = sums[correct] / sums[images]
        part["images"] = sums[images] // seeds
        for error in ("false_negatives", "false_positives"):
            part[error] = sums[f"{error}{ending}"] / seeds
        part["precision"], part["f1"] = part["accuracy"] - 0.01, part["accuracy"] - 0.005
        middle = part.groupby("class_id")["accuracy"].transform("mean")
        for name, value, width in (
            ("", part["accuracy"], 0.06),
            ("seeds_", part["accuracy"], 0.03),
            ("null_", middle, 0.05),
        ):
            width = width if seeds > 1 else np.nan
            part[f"{name}low"], part[f"{name}high"] = value - width, value + width
        parts.append(part)
    return pd.concat(parts)


def _null_band(classes) -> pd.DataFrame:
    expected = np.linspace(0.06, -0.06, classes)
    rank = np.arange(1, classes + 1)
    band = pd.DataFrame({"rank": rank, "expected": expected})
    band = band.assign(low=expected - 0.02, high=expected + 0.02, reference="fixed")
    return pd.concat([band.assign(truth=truth) for truth in ("original", "multi")])


def _explained(affected, classes, seeds) -> pd.DataFrame:
    rows = []
    for group, reference, drop, share in (
        ("affected", "best", 0.2, 0.4), ("all", "best", 0.1, 0.3), ("all", "fixed", 0.01, np.nan),
    ):  # fmt: skip
        row = {"group": group, "reference": reference, "images": 50 * classes, "seeds": seeds}
        row["classes"] = affected if group == "affected" else classes
        for name, value, width in (
            ("drop_original", drop, 0.03), ("drop_multi", 0.6 * drop, 0.03),
            ("drop_control", 0.95 * drop, 0.03), ("explained", share, 0.1), ("control", 0.05, 0.04),
        ):  # fmt: skip
            width = width if seeds > 1 else np.nan
            row |= {name: value, f"{name}_low": value - width, f"{name}_high": value + width}
        rows.append(row)
    return pd.DataFrame(rows)


def _share_sensitivity() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"share": share, "category": kind, "classes": n + 1, "growing": n}
            for n, share in enumerate((0.05, 0.1, 0.2))
            for kind in CATEGORIES
        ]
    )


def _kind_drops(categories, seeds) -> pd.DataFrame:
    pooled = _explained(1, 1, seeds).iloc[[1]]
    return pd.concat(
        pooled.assign(group=kind, reference=reference, classes=len(own))
        for kind, own in categories.groupby("category")
        for reference in ("fixed", "best")
    ) if len(categories) else pooled.head(0)  # fmt: skip


def _top_confusions(categories) -> pd.DataFrame:
    frame = categories.rename(columns={"swallower_id": "predicted_id"})
    frame = frame[frame["predicted_id"] >= 0]
    return frame.assign(
        rate_reference=0.05, rate_tested=0.05 + frame["growth"], q=0.01
    ).drop(columns=["jaccard", "both"])  # fmt: skip


def _realised_area() -> pd.DataFrame:
    rows = [
        (s, side, 500, (1 + s) / 2 - 0.02 * wide, 0.3 * s**4, 0.9 - 0.8 * s, 0.05 * s, 200)
        for s in STRENGTHS
        for wide, side in enumerate((500, 375))
    ]
    return pd.DataFrame(rows, columns=list(SCHEMAS["realised_area"]))


def _examples(victims, classes, seeds) -> pd.DataFrame:
    rows = []
    for victim in victims[:8]:
        for number in range(3):
            content = io.BytesIO()
            shade = (37 * victim % 256, 90 * number, 120)
            Image.new("RGB", (48, 36), shade).save(content, "JPEG")
            rows.append(
                {
                    "class_id": victim, "image_id": f"val/{victim}/<{number}>.png",
                    "chosen": ("lost", "typical", "training")[number],
                    "labels": [victim, (victim + 1) % classes],
                    "prediction_reference": victim if number < 2 else -1,
                    "prediction_tested": (victim + 1) % classes if number < 2 else -1,
                    "right_reference": seeds if number < 2 else -1,
                    "right_tested": 0 if number < 2 else -1, "seeds": seeds if number < 2 else 0,
                    "width": 48, "height": 36, "jpeg": content.getvalue(),
                    "strengths": [0.08, 0.4, 0.99][: 3 * (number == 2)],
                    "boxes": [[0.5, 0.4, 0.3, 0.3], [0.2, 0.1, 0.6, 0.7],
                              [0.0, 0.0, 1.0, 1.0]][: 3 * (number == 2)],
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(SCHEMAS["examples"]))


def _policies() -> pd.DataFrame:
    rows = []
    for policy in INTERVENTIONS:
        tuned = policy.startswith("fine_tuned_")
        designer = policy.removeprefix("fine_tuned_")
        draw = int(designer[-1]) if designer[-1].isdigit() else 0
        uniform = {"uniform_tested": 0.08, "uniform_best": 0.75, "uniform_reference": 0.99}
        rows.append(
            {
                "policy": policy, "phase": "fine_tuning" if tuned else "interventions",
                "designer": "random_classes" if draw else designer, "m": 2, "draw": draw,
                "parent": "uniform_tested" if tuned else "",
                "control": "random_classes" if draw else "",
                "strength": uniform.get(designer, np.nan), "view_aware": False,
                "summary": f"why {policy}",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _policy_classes(classes, victims) -> pd.DataFrame:
    def strength(policy, i):
        name = policy.removeprefix("fine_tuned_")
        uniform = {"uniform_tested": 0.08, "uniform_best": 0.75, "uniform_reference": 0.99}
        changed = (
            victims
            if name in ("naive_removal", "fp_informed")
            else [int(name[-1]) + 4]
            if name[-1].isdigit()
            else []
        )
        if name == "fp_informed":
            changed = [*victims, 0]
        return uniform.get(name, 0.99 if i in changed else 0.08)

    return pd.DataFrame(
        [
            (policy, i, strength(policy, i), 1.0, True, 1.0, "")
            for policy in INTERVENTIONS
            for i in range(classes)
        ],
        columns=list(SCHEMAS["policy_classes"]),
    )


def _marks(seeds) -> pd.DataFrame:
    """fp_informed marks its classes, naive_removal does not."""
    rows = []
    for policy, mark in (("fp_informed", 0.06), ("naive_removal", 0.004)):
        for view, gain in ((0.5, np.nan), (1.0, mark)):
            change = 0.02 + (0 if np.isnan(gain) else gain)
            half = 0.01 if seeds > 1 else np.nan
            rows.append(
                {
                    "policy": policy, "baseline": "uniform_tested", "view": view, "classes": 2,
                    "due": 0.1, "share": 0.11 + change, "share_baseline": 0.11,
                    "difference": change, "low": change - half, "high": change + half,
                    "mark": gain, "mark_low": gain - half, "mark_high": gain + half,
                    "seeds": seeds, "images": 400,
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


def study_summary(tables: Tables, title: str = "Random resized crops on made-up tables") -> dict:
    """What summary.json holds for such a study, made by the function that makes it."""
    used = (
        "classes", "tested", "decision", "counts", "accuracy", "effects", "explained",
        "categories", "planted", "policies", "interventions", "marks", "views", "view_effects",
    )  # fmt: skip
    found = {name: getattr(tables, name) for name in used}
    if found["explained"].empty:  # studies of today always have this table
        found["explained"] = _explained(len(tables.affected), len(tables.classes), tables.seeds)
    summary = summarise(
        study="synthetic",
        title=title,
        config_digest="0123456789ab",
        axis=None if tables.named else "rrc_scale",
        strengths=() if tables.named else STRENGTHS,
        conditions=tables.named or [f"uniform_{strength}" for strength in STRENGTHS],
        replicates=tables.replicates,
        q=0.05,
        confidence=0.95,
        runs_trained=5 * tables.counts["seed"].nunique(),
        versions={"python": "3.11.2", "daclass": "0.1.0", "torch": "2.11.0"},
        wall_seconds={"pictures": 12.3, "train": 480.0, "effects": 3.2},
        tables=found,
    )
    affected = {"rule": "top", "share": 0.05, "at_least": 2, "q": 0.05}
    summary["provenance"] = {
        "command": "daclass study configs/synthetic.yaml",
        "results": "../../results/synthetic",
        "git_revision": "abcdef123456",
        "settings": {
            "data": {"draws": 4},
            "analysis": {"confidence": 0.95, "affected": affected},
        },
    }
    return json.loads(json.dumps(summary))
