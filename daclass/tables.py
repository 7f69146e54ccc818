"""The Parquet tables between the stages: their columns, and how they are written and read.

Every table carries its name, the version of its layout and the digest of the settings it was made
with in the file's metadata. A table is written to a temporary name and renamed, so a reader never
sees half of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from daclass.atomic import replacing
from daclass.errors import InputError

VERSION = "3"
RUNNERS_UP = ("second", "third", "fourth", "fifth")
"""Columns of the classes that a run ranks behind its prediction."""

ENCODING: Mapping[str, Any] = {
    "compression": "zstd", "dictionary_pagesize_limit": 2**26, "write_page_checksum": True,
}  # fmt: skip
"""How tables are stored; readers hold every page against its checksum. Image ids are repeated for
every run: with the usual limit of 1 MiB the dictionary of 50,000 of them would be given up, and
reading take several times as long."""


@dataclass(frozen=True)
class Table:
    """The layout of a table.

    Attributes:
        rows: what one row stands for, and what holds for several columns.
        columns: column -> its Arrow type and what it holds, in the order of the file.
    """

    rows: str
    columns: Mapping[str, tuple[pa.DataType, str]]


_int, _long, _real, _text, _flag = pa.int32(), pa.int64(), pa.float64(), pa.string(), pa.bool_()

_CLASS = (_int, "The class.")
_POLICY = (_text, "Name of the policy or condition.")
_STRENGTH = (_real, "Its strength where it is uniform, else NaN.")
_DIFFERENCE = (_real, "Its accuracy less the baseline's.")
_NO_DIFFERENCE = (_real, "Two-sided p-value of no difference, for new seeds and new pictures.")
_TRUTH = (_text, '"original" (the one label) or "multi" (any annotated label counts as right).')
_SEEDS = (_int, "Seeds, or other replicates, behind the numbers.")
_IMAGES = (_int, "Pictures behind the numbers.")
_LOW = (_real, "Lower end of the interval for new seeds and new pictures.")
_HIGH = (_real, "Upper end of the interval for new seeds and new pictures.")
_SEEDS_LOW = (_real, "Lower end of the interval for new seeds on these very pictures.")
_SEEDS_HIGH = (_real, "Upper end of the interval for new seeds on these very pictures.")
_GROWTH = (_real, "`rate_tested` less `rate_reference`.")
_OVERLAP = (_real, "Share of the pictures labelled with the class that carry the other one too.")
_OVERLAP_REVERSE = (_real, "Share of the pictures labelled with the other that carry this one too.")
_JACCARD = (_real, "Pictures that carry both, as a share of those that carry either.")
_BOTH = (_int, "Pictures whose label set holds both.")
_SIMILARITY = (
    _real,
    "Wu-Palmer similarity of the two in the class tree, in (0, 1]; NaN without a tree.",
)
_EMBEDDING = (
    _real,
    "Cosine of their embeddings, in [-1, 1]; NaN where the study has none.",
)
_RATE_TESTED = (_real, "Share of the class's pictures predicted so under the tested condition.")
_RATE_REFERENCE = (_real, "The same under the fixed reference.")

_EXPLAINED = {
    **{
        f"{name}{end}": (_real, f"{what}{of}.")
        for name, what in (
            ("drop_original", "Drop under the original label"),
            ("drop_multi", "Drop where any annotated label counts as right"),
            ("drop_control", "Drop where as many random other labels count as right"),
            ("explained", "Share of the original-label drop that annotations explain"),
            ("control", "Share of it that as many random labels explain"),
        )
        for end, of in (("", ""), ("_low", ": lower end"), ("_high", ": upper end"))
    },
    "classes": (_int, "Classes of the group."),
    "images": _IMAGES,
    "seeds": _SEEDS,
}

TABLES: Mapping[str, Table] = {
    "classes": Table(
        "A class.",
        {
            "class_id": (_int, "Rank of the name among all sorted names, from 0."),
            "name": (_text, "Its name; for pictures in folders, the folder's."),
            "path": (
                _text,
                "Its way through the class tree, joined by /. Readers see its last part.",
            ),
        },
    ),
    "index": Table(
        "A picture in a split and a draw.",
        {
            "image_id": (_text, "Path below the source's root, or the name that the labels give."),
            "split": (_text, '"train" or "val".'),
            "draw": (_int, "The draw of the training pictures; -1 for validation pictures."),
            "position": (_long, "Row of the picture in the .beton of its split and draw."),
            "class_id": (_int, "Its original class."),
            "half": (_text, '"select" or "estimate"; "" for training pictures.'),
            "content": (_text, 'SHA-256 of its file, 16 hex digits; "" where there is no file.'),
        },
    ),
    "annotations": Table(
        "A validation picture.",
        {
            "image_id": (_text, "The picture."),
            "labels": (
                pa.list_(_int),
                "Its label set, sorted class ids; empty where annotators found no class.",
            ),
        },
    ),
    "overlaps": Table(
        "An ordered pair of classes that share a label set elsewhere than in the study's own "
        "annotations; only of studies that name such a place (`data.overlap`).",
        {
            "class_id": _CLASS,
            "other_id": (_int, "The other class."),
            "overlap": _OVERLAP,
            "overlap_reverse": _OVERLAP_REVERSE,
            "jaccard": _JACCARD,
            "both": _BOTH,
        },
    ),
    "truth": Table(
        "A directed relation that a generated set has planted; no rows for real data.",
        {
            "class_id": _CLASS,
            "partner_id": (_int, "The other class; -1 where the relation has none."),
            "kind": (
                _text,
                '"ambiguous", "co-occurring", "fine-grained", "unrelated", "helped" or "control".',
            ),
            "expectation": (_text, '"hurt", "swallows", "helped" or "unchanged".'),
            "note": (_text, "How the relation was drawn."),
        },
    ),
    "predictions": Table(
        "A run's prediction of a view of a validation picture. Runs of a policy (or another "
        "condition) are its replicates.",
        {
            "run": (_text, "Name of the run: a policy and a seed, or a model from elsewhere."),
            "policy": (_text, "The policy or condition that the run replicates."),
            "strength": (_real, "Its strength; NaN where it is not uniform or is no policy."),
            "seed": (_int, "Number of the replicate; equal numbers are pairs."),
            "image_id": (_text, "The picture."),
            "view": (
                _real,
                "Side of the central square that was judged, as a share of the picture's shorter "
                "side; NaN where unknown.",
            ),
            "shifted": (
                _flag,
                "Whether a shift per class, fitted on the selection half, was added to the logits.",
            ),
            "prediction": (_int, "The class ranked first."),
            **{rank: (_int, f"The class ranked {rank}; -1 where unknown.") for rank in RUNNERS_UP},
            "probability": (pa.float32(), "Of `prediction`, in [0, 1]; NaN where unknown."),
        },
    ),
    "policies": Table(
        "A policy that a phase trains under. Names are made once, where a policy is planned, and "
        "never taken apart: what a policy is stands in the other columns.",
        {
            "policy": (_text, "Its name."),
            "phase": (_text, '"sweep", "interventions" or "fine_tuning".'),
            "designer": (_text, 'The designer that made it; "uniform" for those of the sweep.'),
            "m": (_int, "Classes that the designer was asked to change; -1 where it is not asked."),
            "draw": (_int, "Number of the draw, from 1, of designers that draw lots; else 0."),
            "parent": (_text, 'The policy whose networks it goes on from; "" from scratch.'),
            "control": (
                _text,
                'The pooled control that it is a draw of, such as "random_classes"; else "".',
            ),
            "strength": _STRENGTH,
            "view_aware": (
                _flag,
                "Whether the training loss takes into account how likely each crop is under each "
                "class's strengths.",
            ),
            "summary": (_text, "Why it is as it is, in one line."),
        },
    ),
    "policy_classes": Table(
        "A strength that a policy gives a class: one row where the class has one strength, several "
        "where each picture draws one.",
        {
            "policy": _POLICY,
            "class_id": _CLASS,
            "strength": (_real, "The strength."),
            "share": (
                _real,
                "Share of the class's pictures that get it, in (0, 1]; they sum to 1.",
            ),
            "own": (_flag, "Whether the strength is the one that the policy gives the class."),
            "weight": (_real, "Weight of the class in the loss; 1 where the policy sets none."),
            "reason": (_text, 'Why the class was picked; "" where it was not.'),
        },
    ),
    "preserved": Table(
        "A strength and a class, as the sweep's first network of the weakest strength sees it: on "
        "pictures of the selection half, augmented as training pictures are. Only of studies with "
        "a designer that looks at one run.",
        {
            "strength": (_real, "The strength that pictures were shown under."),
            "seed": (_int, "Of the network."),
            "class_id": _CLASS,
            "shown": (_int, "Augmented pictures of the class, several of each picture."),
            "correct": (_int, "Those predicted as their original label."),
        },
    ),
    "notes": Table(
        "What a reader should look at first; only of studies of predictions.",
        {"text": (_text, "One or two sentences.")},
    ),
    "models": Table(
        "A run, such as a model from elsewhere, over all pictures.",
        {
            "run": (_text, "Its name."),
            "policy": _POLICY,
            "seed": (_int, "Number of the replicate; equal numbers are pairs."),
            "accuracy": (_real, "Share of pictures predicted as their original label."),
            "accuracy_multi": (_real, "Share of labelled pictures predicted as one of the labels."),
            "top": (_int, "How many ranked classes the predictions hold."),
            "accuracy_top": (_real, "Share of pictures with the original label among these."),
            "confidence": (_real, "Mean probability of the predictions; NaN where unknown."),
            "calibration_error": (
                _real,
                "Mean distance of probability and accuracy, in 15 bins by probability and weighted "
                "by their pictures (Guo et al. 2017); NaN where unknown.",
            ),
            "images": _IMAGES,
            "labelled": (_int, "Those that count for multi-label figures."),
        },
    ),
    "tested": Table(
        "A condition and what it buys against the reference: means over classes, all pictures, "
        "original labels. One of them is tested: the other tables say what it costs.",
        {
            "policy": _POLICY,
            "strength": _STRENGTH,
            "tested": (_flag, "Whether this is the tested condition."),
            "reference": (_flag, "Whether the tested one is compared with this."),
            "best": (_flag, "Whether it is best on average on the selection half."),
            "simultaneous": (
                _flag,
                "Whether the data decided which one is tested; intervals and p-values of all "
                "contrasts with it then hold for all conditions that might have been.",
            ),
            "accuracy": (_real, "Mean over seeds and classes."),
            "accuracy_low": _LOW,
            "accuracy_high": _HIGH,
            "gain": (_real, "Its accuracy less the reference's."),
            "low": _LOW,
            "high": _HIGH,
            "p": (_real, "Two-sided p-value of no gain, for new seeds and new pictures."),
            "seeds": _SEEDS,
            "images": _IMAGES,
        },
    ),
    "counts": Table(
        "A class in a run's predictions of one half of the pictures. Original counts are over the "
        "class's pictures; multi-label ones over its labelled pictures, those with a non-empty "
        'label set (all of them where `analysis.empty_labels` is "wrong").',
        {
            "policy": _POLICY,
            "strength": _STRENGTH,
            "seed": (_int, "The seed."),
            "half": (_text, '"select", "estimate" or "all".'),
            "class_id": _CLASS,
            "images": (_int, "Its pictures, by the original label."),
            "correct": (_int, "Those predicted as their original label."),
            "labelled": (_int, "Its pictures that count for multi-label figures."),
            "correct_multi": (_int, "Those predicted as one of their labels."),
            "false_negatives": (_int, "`images` less `correct`."),
            "false_positives": (_int, "Pictures of other classes predicted as this one."),
            "false_negatives_multi": (_int, "`labelled` less `correct_multi`."),
            "false_positives_multi": (
                _int,
                "Labelled pictures of other classes predicted as this one, which is not among "
                "their labels.",
            ),
        },
    ),
    "accuracy": Table(
        "A condition's accuracy over all pictures of a half, under one truth, in the top k.",
        {
            "policy": _POLICY,
            "strength": _STRENGTH,
            "half": (_text, '"select", "estimate" or "all".'),
            "truth": _TRUTH,
            "k": (_int, "How many of the highest ranked classes may hold the right one."),
            "accuracy": (_real, "Mean over seeds and pictures (micro)."),
            "low": _LOW,
            "high": _HIGH,
            "macro": (_real, "Mean over seeds and classes, of those that have pictures (macro)."),
            "macro_low": (_real, "Lower end of its interval, for these classes."),
            "macro_high": (_real, "Upper end of its interval, for these classes."),
            "seeds": _SEEDS,
            "images": _IMAGES,
        },
    ),
    "class_accuracy": Table(
        "A class's accuracy under a condition and a truth, in the top k, on all its pictures. "
        "What has no meaning for k > 1 is NaN there.",
        {
            "policy": _POLICY,
            "strength": _STRENGTH,
            "truth": _TRUTH,
            "k": (_int, "How many of the highest ranked classes may hold the right one."),
            "class_id": _CLASS,
            "accuracy": (_real, "Mean over seeds and the class's pictures."),
            "low": _LOW,
            "high": _HIGH,
            "seeds_low": _SEEDS_LOW,
            "seeds_high": _SEEDS_HIGH,
            "null_low": (_real, "Lower end of where it would lie if conditions did not matter."),
            "null_high": (_real, "Upper end of where it would lie if conditions did not matter."),
            "false_negatives": (_real, "Pictures of the class that are missed, mean over seeds."),
            "false_positives": (_real, "Pictures wrongly predicted as it, mean over seeds."),
            "precision": (
                _real,
                "Share of the pictures predicted as it that are right; NaN where none is.",
            ),
            "f1": (_real, "Harmonic mean of `precision` and `accuracy`, its recall."),
            "seeds": _SEEDS,
            "images": _IMAGES,
        },
    ),
    "effects": Table(
        "A class's drop: its accuracy at a reference less that under the tested condition, such as "
        "the strongest augmentation. Positive where the class pays.",
        {
            "class_id": _CLASS,
            "truth": _TRUTH,
            "half": (_text, '"select", "estimate" or "all".'),
            "reference": (
                _text,
                '"fixed" (the one that the config names) or "best" (the class\'s own best one, '
                "cross-fitted).",
            ),
            "reference_policy": (
                _text,
                'Name of the reference; for "best", the condition that served most cells.',
            ),
            "reference_strength": (_real, 'Its strength; for "best", the mean over cells.'),
            "drop": (_real, "The estimate."),
            "low": _LOW,
            "high": _HIGH,
            "seeds_low": _SEEDS_LOW,
            "seeds_high": _SEEDS_HIGH,
            "shrunken": (
                _real,
                "The estimate pulled towards those of all classes (empirical Bayes).",
            ),
            "at_least": (
                _real,
                'For "best": the drop from the class\'s own best condition is at least that, in '
                "[0, 1] (one-sided, for all conditions and for the classes named at once: above 0 "
                "for those); else NaN.",
            ),
            "p": (
                _real,
                'p-value of no drop, for new seeds and new pictures: two-sided for "fixed"; for '
                '"best" one-sided, of no condition being better than the tested one.',
            ),
            "q": (
                _real,
                "Benjamini-Hochberg's, over the classes of one truth, half and reference.",
            ),
            "p_max": (_real, 'Adjusted by max-T; "fixed" on half "all" alone, else NaN.'),
            "detectable": (_real, "The true drop that would be found with a probability of .8."),
            "plug_in": (
                _real,
                "Best accuracy less the tested one on the same data: too large by construction.",
            ),
            "rank": (_int, "1 is the class that pays most."),
            "affected": (_flag, "Whether the class is affected under the study's rule."),
            "seeds": (_int, "Runs of the condition that has the fewest of those compared."),
            "images": _IMAGES,
            "speaks_of": (
                _text,
                '"runs" (intervals and p speak for new runs and new pictures) or "networks" (for '
                "these two networks and new pictures: either condition has one run).",
            ),
        },
    ),
    "views": Table(
        "A policy at a view of the judged pictures, on one half, under original labels, all "
        "classes alike; one such table per phase.",
        {
            "policy": _POLICY,
            "strength": _STRENGTH,
            "view": (
                _real,
                "Side of the central square that was judged, as a share of the picture's shorter "
                "side.",
            ),
            "shifted": (
                _flag,
                "Whether a shift per class, fitted on the selection half, was added to the logits.",
            ),
            "half": (_text, '"select", "estimate" or "all".'),
            "accuracy": (_real, "Mean over seeds and pictures."),
            "low": _LOW,
            "high": _HIGH,
            "difference": (_real, "`accuracy` less that at the common view, unshifted."),
            "difference_low": _LOW,
            "difference_high": _HIGH,
            "common": (_flag, "Whether this is `training.val_crop`, the study's own view."),
            "best": (
                _flag,
                "Whether the policy does best at this view on the selection half; ties go to the "
                "view nearest to the common one.",
            ),
            "seeds": _SEEDS,
            "images": _IMAGES,
        },
    ),
    "view_effects": Table(
        "A class's drop, as in table effects against the fixed reference, where the tested and the "
        "reference strength are judged each at its own best view. The view is chosen on the half "
        "that a picture is not in; original labels.",
        {
            "class_id": (_int, "The class; -1 for the average of all classes."),
            "half": (_text, '"estimate" or "all".'),
            "tested_view": (_real, "The tested strength's best view on the selection half."),
            "reference_view": (_real, "The reference strength's."),
            "drop": (_real, "The estimate."),
            "low": _LOW,
            "high": _HIGH,
            "p": (_real, "Two-sided p-value of no drop, for new seeds and new pictures."),
            "q": (
                _real,
                "Benjamini-Hochberg's, over the classes of one half; NaN for the average.",
            ),
            "view_part": (
                _real,
                "The drop at the common view less this one: what the view made of it.",
            ),
            "part_low": _LOW,
            "part_high": _HIGH,
            "seeds": _SEEDS,
            "images": _IMAGES,
        },
    ),
    "null_band": Table(
        "A rank among the drops of all classes, sorted from the largest, as they come out if no "
        "condition has an effect.",
        {
            "truth": _TRUTH,
            "reference": (_text, '"fixed" or "plug_in".'),
            "rank": (_int, "1 is the largest drop."),
            "expected": (_real, "Mean of that drop over bootstrap replicates."),
            "low": (_real, "Lower end of where it lies."),
            "high": (_real, "Upper end of where it lies."),
        },
    ),
    "explained": Table(
        "A group of classes: their pooled drop, and which share of it annotations explain. A share "
        "is NaN where the interval of the original-label drop holds 0.",
        {
            "group": (
                _text,
                '"all", "affected", or another share of the classes, such as "top 10%".',
            ),
            "reference": (_text, '"fixed" or "best".'),
            **_EXPLAINED,
        },
    ),
    "kind_drops": Table(
        "A kind of confusion among the affected classes: what these lose on the estimation half, "
        "and which share of it annotations explain.",
        {
            "group": (_text, 'The kind, as in table "categories".'),
            "reference": (_text, '"fixed" or "best".'),
            **_EXPLAINED,
        },
    ),
    "confusions": Table(
        "An ordered pair (class, predicted) that occurs, on one half of the pictures.",
        {
            "class_id": (_int, "The original class of the pictures."),
            "predicted_id": (_int, "The class that they are predicted as."),
            "half": (_text, '"select", "estimate" or "all".'),
            "rate_tested": _RATE_TESTED,
            "rate_reference": _RATE_REFERENCE,
            "growth": _GROWTH,
            "low": _LOW,
            "high": _HIGH,
            "p": (_real, "Two-sided p-value of no growth, for new seeds and new pictures."),
            "q": (
                _real,
                "Within the predicted classes whose false positives grow (table "
                '"false_positives"), else NaN.',
            ),
            "seeds": _SEEDS,
            "images": _IMAGES,
        },
    ),
    "false_positives": Table(
        "A class on one half of the pictures: how many pictures of other classes a run takes for "
        "it.",
        {
            "class_id": _CLASS,
            "half": (_text, '"select", "estimate" or "all".'),
            "tested": (_real, "Their number under the tested condition, mean over runs."),
            "reference": (_real, "The same under the fixed reference."),
            "growth": (_real, "`tested` less `reference`."),
            "low": _LOW,
            "high": _HIGH,
            "p": (_real, "Two-sided p-value of no growth, for new seeds and new pictures."),
            "q": (_real, "Benjamini-Hochberg's, over the classes of one half."),
            "seeds": _SEEDS,
            "images": (_int, "Pictures of all other classes."),
        },
    ),
    "categories": Table(
        "An affected class, the class that swallows it, and of which kind the pair is.",
        {
            "class_id": _CLASS,
            "swallower_id": (_int, "Chosen on the selection half; -1 where no confusion grew."),
            "growth": (_real, "Growth of the confusion on the estimation half."),
            "low": _LOW,
            "high": _HIGH,
            "overlap": _OVERLAP,
            "overlap_reverse": _OVERLAP_REVERSE,
            "jaccard": _JACCARD,
            "both": _BOTH,
            "similarity": _SIMILARITY,
            "embedding": _EMBEDDING,
            "category": (
                _text,
                '"ambiguous", "co-occurring", "fine-grained", "unrelated", "unknown" (without a '
                'class tree) or "none".',
            ),
        },
    ),
    "sensitivity": Table(
        "A kind of confusion under other thresholds.",
        {
            "overlap": (_real, "Threshold of overlap."),
            "similarity": (_real, "Threshold of similarity."),
            "category": (_text, "The kind."),
            "classes": (_int, "Affected classes of that kind, were these the thresholds."),
        },
    ),
    "decision": Table(
        "A part of the decision on what to train (see `daclass.analysis.decision`).",
        {
            "policy": (
                _text,
                "The policy that the study asks about, or that might be a candidate for another "
                'study; "" where none was trained.',
            ),
            "part": (
                _text,
                '"gain" (the tested condition less the reference, in the sweep), "gain at best '
                'views" (the same with each shown at its own best view), "followed up", '
                '"with swallowers", "all" (the policy less what it would replace, fresh seeds, '
                'mean over these classes), "class" (the class that loses most for certain), or '
                '"candidate" (the weakest part of another policy).',
            ),
            "rival": (_text, "What it is compared with."),
            "difference": (_real, "Accuracy less the rival's."),
            "at_least": (
                _real,
                "One-sided 95% lower bound; of a gain the interval's lower end; of part class, the "
                "largest loss that any class may have had unseen, as a negative number.",
            ),
            "at_most": (_real, "One-sided 95% upper bound; of a gain the interval's upper end."),
            "must_exceed": (_real, "What `at_least` has to exceed."),
            "hopeless_below": (_real, "The policy is given up where `at_most` is below."),
            "holds": (
                _flag,
                "Whether this part speaks for the policy; of part class, no veto; of part "
                "candidate, whether all parts do at Holm's levels.",
            ),
            "refuted": (_flag, "Whether this part alone rules the policy out."),
            "p": (_real, "Two-sided p-value; of part class one-sided, Holm's over the classes."),
            "class_id": (_int, "Of part class, the class; else -1."),
            "seeds": _SEEDS,
            "images": _IMAGES,
            "classes": (_int, "Classes of the part; 0 of part gain."),
            "seeds_needed": (
                _int,
                "Seeds that would make this part hold in 80% of studies, were the difference "
                "true; -1 where no number would; 0 where the question does not arise.",
            ),
        },
    ),
    "share_sensitivity": Table(
        "A kind of confusion among other shares of the classes, those with the largest drops.",
        {
            "share": (_real, "Share of the classes that is followed up."),
            "category": (_text, "The kind."),
            "classes": (_int, "Classes of that kind among them."),
            "growing": (_int, "Those whose confusion grows by an interval above 0."),
        },
    ),
    "interventions": Table(
        "A policy on a group of classes, beside a baseline: paired on fresh seeds and the "
        "estimation half. Several draws of one control are also one policy, their mean; so are the "
        'remedies that train nothing, "view" and "logit_shift": the networks of uniform_tested '
        "at the view that was best in the sweep, and with shifted logits.",
        {
            "policy": _POLICY,
            "group": (_text, '"all", "affected", "swallowers" or "both" (the last two together).'),
            "truth": _TRUTH,
            "accuracy": (_real, "Mean over seeds and the group's pictures."),
            "accuracy_low": _LOW,
            "accuracy_high": _HIGH,
            "recovered": (
                _real,
                "Share of the drop from uniform_reference to uniform_tested that it wins back.",
            ),
            "recovered_low": _LOW,
            "recovered_high": _HIGH,
            "baseline": (_text, "The policy that it is compared with."),
            "difference": _DIFFERENCE,
            "low": _LOW,
            "high": _HIGH,
            "p": _NO_DIFFERENCE,
            "worse": (
                _real,
                "Classes of the group that lose, at the study's q; the mean over a control's "
                "draws.",
            ),
            "better": (_real, "Classes of the group that gain, likewise."),
            "seeds": _SEEDS,
            "images": _IMAGES,
            "classes": (_int, "Classes of the group."),
        },
    ),
    "intervention_classes": Table(
        "A policy on one class, beside a baseline: the same, class by class.",
        {
            "policy": _POLICY,
            "baseline": (_text, "The policy that it is compared with."),
            "truth": _TRUTH,
            "class_id": _CLASS,
            "difference": _DIFFERENCE,
            "low": _LOW,
            "high": _HIGH,
            "p": _NO_DIFFERENCE,
            "q": (_real, "Benjamini-Hochberg's, over the classes."),
            "seeds": _SEEDS,
            "images": _IMAGES,
        },
    ),
    "intervention_costs": Table(
        "What a run under a trained policy takes, and what its design took before.",
        {
            "policy": _POLICY,
            "runs": (_int, "With fresh seeds; equal policies share theirs."),
            "epochs": (_real, "Of a run, those of the network that it starts from included."),
            "pictures": (_real, "That a run trains on, repeats included; mean over seeds."),
            "relative": (_real, "Pictures, as a multiple of those of uniform_tested."),
            "seconds": (
                _real,
                "Measured, of a run; mean over seeds. Of runs side by side each has its share; of "
                "fine-tuned ones the network's that it starts from included.",
            ),
            "seconds_relative": (_real, "Seconds, as a multiple of those of uniform_tested."),
            "design_runs": (_int, "Of the sweep, without which it could not be designed."),
        },
    ),
    "marks": Table(
        "A policy that shows some classes fuller than most, and a view that its networks judged: "
        "how much they predict these classes, beside the baseline of one strength for all. Only of "
        "random resized crops.",
        {
            "policy": _POLICY,
            "baseline": (_text, "One policy for all, at the strength that most classes have."),
            "view": (_real, "Side of the square that was judged, as in table predictions."),
            "classes": (_int, "That the policy shows fuller than most."),
            "due": (_real, "Share of the pictures that belong to these classes."),
            "share": (_real, "Share of the policy's predictions that name one of them."),
            "share_baseline": (_real, "The same of the baseline's predictions."),
            "difference": (_real, "`share` less `share_baseline`, paired by seed and picture."),
            "low": _LOW,
            "high": _HIGH,
            "mark": (
                _real,
                "What `difference` gains from the least view; NaN at the least. Above 0: "
                "the networks take a fuller view for a sign of these classes.",
            ),
            "mark_low": (_real, "Lower end of its interval."),
            "mark_high": (_real, "Upper end of its interval."),
            "seeds": (_int, "Fresh seeds."),
            "images": (_int, "Pictures of the estimation half."),
        },
    ),
    "top_confusions": Table(
        "One of the few confusions of a class that grow most on all pictures, with what decides "
        "the pair's kind.",
        {
            "class_id": (_int, "The original class of the pictures."),
            "predicted_id": (_int, "The class that they are predicted as."),
            "rate_tested": _RATE_TESTED,
            "rate_reference": _RATE_REFERENCE,
            "growth": _GROWTH,
            "low": _LOW,
            "high": _HIGH,
            "q": (_real, 'As in table "confusions".'),
            "overlap": _OVERLAP,
            "overlap_reverse": _OVERLAP_REVERSE,
            "similarity": _SIMILARITY,
            "embedding": _EMBEDDING,
            "category": (
                _text,
                '"ambiguous", "co-occurring", "fine-grained", "unrelated" or "unknown".',
            ),
        },
    ),
    "realised_area": Table(
        "What crops of one strength keep of pictures of one size, in a sample of the training "
        "pictures.",
        {
            "strength": (_real, "Lower bound of the crop's share of the area."),
            "height": (_int, "Of the pictures, px."),
            "width": (_int, "Of the pictures, px."),
            "mean_area": (_real, "Mean share of the area that a crop has in truth."),
            "fallback_share": (_real, "Share of crops that are the centred fallback box."),
            "enlarged_share": (_real, "Share of crops with fewer pixels than training.resolution."),
            "exact_share": (_real, "Share of crops of just that side, which are not resampled."),
            "images": (_int, "Pictures of this size in the sample."),
        },
    ),
    "examples": Table(
        "A picture that the report shows: one that was judged, or one that networks trained on.",
        {
            "class_id": (_int, "The class that it is shown for."),
            "image_id": (_text, "The picture."),
            "chosen": (
                _text,
                'Why: "lost", "gained", "typical", or "training" for a training picture.',
            ),
            "labels": (pa.list_(_int), "Its label set."),
            "prediction_reference": (
                _int,
                "What most seeds say under the reference; -1 if trained on.",
            ),
            "prediction_tested": (
                _int,
                "What most seeds say under the tested one; -1 if trained on.",
            ),
            "right_reference": (_int, "Seeds that are right there, by the original label."),
            "right_tested": (_int, "Seeds that are right there, by the original label."),
            "seeds": _SEEDS,
            "width": (_int, "Of the thumbnail, px."),
            "height": (_int, "Of the thumbnail, px."),
            "jpeg": (pa.binary(), "The thumbnail."),
            "strengths": (
                pa.list_(_real),
                "Strengths whose crops are shown; none of judged pictures.",
            ),
            "boxes": (
                pa.list_(pa.list_(_real)),
                "One epoch's crop at each, as left, top, width and height in shares of the "
                "picture.",
            ),
        },
    ),
    "planted": Table(
        "A planted relation beside what was found of it on the estimation half.",
        {
            "class_id": _CLASS,
            "partner_id": (_int, "The other class; -1 where the relation has none."),
            "kind": (_text, "As in table truth."),
            "expectation": (_text, "As in table truth."),
            "drop": (_real, "The class's drop against the fixed reference, original labels."),
            "low": _LOW,
            "high": _HIGH,
            "drop_multi": (_real, "The same drop under multi-label truth."),
            "q": (_real, "Benjamini-Hochberg's."),
            "affected": (_flag, "Whether the class is affected under the study's rule."),
            "swallower_id": (_int, "As in table categories; -1 also where it is not affected."),
            "category": (_text, 'As in table categories; "" where the class is not affected.'),
            "verdict": (_text, '"found", "missed", "false alarm" or "quiet".'),
        },
    ),
}
"""Every table by name. Rates, accuracies, drops and growths are shares: 0.1 is ten points. A number
that is missing is NaN, a text that is missing is empty."""

SCHEMAS: Mapping[str, Mapping[str, pa.DataType]] = {
    name: {column: kind for column, (kind, _) in table.columns.items()}
    for name, table in TABLES.items()
}
"""Arrow type by column by table."""


_UNREADABLE = (OSError, pa.ArrowException, ValueError)  # names that are no UTF-8 are the last


def write_table(frame: pd.DataFrame, name: str, path: Path, digest: str = "") -> None:
    """Write `frame` as the table called `name`, atomically.

    Args:
        frame: must hold exactly the columns of ``SCHEMAS[name]``, in any order.
        name: a key of ``SCHEMAS``.
        path: the Parquet file to write; its folder is made if missing.
        digest: hash of the settings that the table depends on.
    """
    columns = SCHEMAS[name]
    if set(frame.columns) != set(columns):
        odd = sorted(set(frame.columns) ^ set(columns))
        raise ValueError(f"table {name}: columns differ from its layout in {odd}")
    metadata = {"daclass.table": name, "daclass.version": VERSION, "daclass.digest": digest}
    schema = pa.schema(list(columns.items()), metadata=metadata)
    table = pa.Table.from_pandas(frame[list(columns)], schema=schema, preserve_index=False)
    with replacing(path) as partial:
        pq.write_table(table.replace_schema_metadata(metadata), partial, **ENCODING)


def table_digest(name: str, path: Path) -> str:
    """The hash of settings that a table was written with.

    Raises:
        InputError: the file is damaged.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
    except _UNREADABLE as error:
        raise InputError(f"{path}: not a readable table {name} ({error})") from None
    return metadata.get(b"daclass.digest", b"").decode(errors="replace")


def content_digest(frame: pd.DataFrame) -> str:
    """SHA-256 of what a table says, in hex: of the table as CSV, in the order of its rows.

    The file's own bytes change with the version of Parquet's writer; this does not.
    """
    return hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()


def read_table(name: str, *paths: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read one or more files of the table called `name`, or some of its columns, into one frame.

    Text of table "predictions" comes as categories: it repeats millions of times.

    Raises:
        InputError: a file is missing, is not Parquet, is another table or another version.
    """
    read = pa.concat_tables([_read(name, path, columns) for path in paths])
    return read.unify_dictionaries().to_pandas()


def with_readable_names(classes: pd.DataFrame) -> pd.DataFrame:
    """Table "classes" with names for readers: what is called n03179701 may be a "desk".

    The name is the last part of the class's path; where classes share it, what the class is called
    follows in brackets.
    """
    last = classes["path"].str.rsplit("/", n=1).str[-1]
    # A name may hold a slash itself, such as "T-shirt/top": then the path ends with all of it.
    names = classes["name"].astype(str)
    whole = pd.Series(
        [
            f"/{path}".endswith(f"/{name}")
            for path, name in zip(classes["path"], names, strict=True)
        ],
        index=classes.index,
        dtype=bool,
    )
    leaf = last.mask(whole, names)
    readable = leaf.where(~leaf.duplicated(keep=False), leaf + " (" + classes["name"] + ")")
    return classes.assign(name=readable.where(leaf != "", classes["name"]))


def _read(name: str, path: Path, columns: Sequence[str] | None) -> pa.Table:
    if not path.is_file():
        raise InputError(f"{path}: no such file (expected the {name} table)")
    text = [column for column, kind in SCHEMAS[name].items() if kind == _text]
    try:
        table = pq.read_table(
            path,
            columns=list(columns) if columns is not None else None,
            read_dictionary=text if name == "predictions" else [],
            page_checksum_verification=True,
        )
        there = table.column_names
        stored = table.schema.metadata or {}
        metadata = {key.decode(): value.decode() for key, value in stored.items()}
    except _UNREADABLE as error:
        what = " ".join(str(error).split())
        raise InputError(f"{path}: not a readable Parquet file ({what})") from None
    found = metadata.get("daclass.table")
    if found != name:
        raise InputError(f"{path}: holds {found or 'something else'}, expected the {name} table")
    if metadata.get("daclass.version") != VERSION:
        raise InputError(
            f"{path}: written with table layout {metadata.get('daclass.version')}, "
            f"this daclass reads layout {VERSION}; run the stage again"
        )
    missing = sorted(set(columns or SCHEMAS[name]) - set(there))
    if missing:
        raise InputError(f"{path}: lacks the column {missing[0]}; run the stage again")
    for column, kind in SCHEMAS[name].items():
        held = table.schema.field(column).type if column in there else kind
        if held not in (kind, pa.dictionary(pa.int32(), kind)):
            raise InputError(
                f"{path}: column {column} holds {held}, not {kind}; run the stage again"
            )
    return table.replace_schema_metadata(None)
