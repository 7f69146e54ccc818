"""Why a class is affected: what kind of pair it forms with the class that swallows it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from daclass.analysis.cells import label_pairs, validation_images
from daclass.analysis.effects import Affected, selection_drop
from daclass.analysis.explained import SHARES
from daclass.inference.arrays import Floats, Ints

CATEGORIES = ("ambiguous", "co-occurring", "fine-grained", "unrelated", "unknown", "none")


def overlaps(index: pd.DataFrame, annotations: pd.DataFrame, n_classes: int) -> pd.DataFrame:
    """How often the label sets that hold one class hold another.

    ``overlap = #{x: k in l(x) and l in l(x)} / #{x: k in l(x)}``, over all validation pictures
    whichever their original class; `overlap_reverse` divides by the pictures that hold l, and
    `jaccard` by those that hold either. (On the ReaL labels this gives .87, .91 and .81 for
    sunglass and sunglasses.)

    Returns:
        One row for each ordered pair that shares a picture, sorted: class_id, other_id (int),
        overlap, overlap_reverse, jaccard (in (0, 1]), both (number of pictures, int).
    """
    images = validation_images(index, n_classes)
    return _overlaps(*label_pairs(annotations, images), len(images.ids), n_classes)


def overlaps_of_sets(sets: Sequence[Sequence[int]], n_classes: int) -> pd.DataFrame:
    """As `overlaps`, from label sets alone, whosever pictures they belong to.

    Args:
        sets: class numbers in [0, n_classes), one sequence a picture.
    """
    picture = np.repeat(np.arange(len(sets)), [len(labels) for labels in sets])
    label = np.array([label for labels in sets for label in labels], np.int64)
    return _overlaps(picture, label, len(sets), n_classes)


def _overlaps(picture: Ints, label: Ints, n_pictures: int, n_classes: int) -> pd.DataFrame:
    member = sparse.csr_array(
        (np.ones(len(picture), np.int64), (picture, label)), shape=(n_pictures, n_classes)
    )
    member.data[:] = 1  # a label that a set names twice counts once
    together = (member.T @ member).tocoo()
    carriers = together.diagonal()
    pairs = pd.DataFrame(
        {"class_id": together.row, "other_id": together.col, "both": together.data}
    )
    pairs = pairs[pairs["class_id"] != pairs["other_id"]].sort_values(["class_id", "other_id"])
    own, other = carriers[pairs["class_id"]], carriers[pairs["other_id"]]
    pairs["overlap"] = pairs["both"] / own
    pairs["overlap_reverse"] = pairs["both"] / other
    pairs["jaccard"] = pairs["both"] / (own + other - pairs["both"])
    columns = ["class_id", "other_id", "overlap", "overlap_reverse", "jaccard", "both"]
    return pairs[columns].reset_index(drop=True)


def similarity(paths: Sequence[str]) -> Floats:
    """Wu-Palmer similarity of classes in their tree, float64 [C, C] in (0, 1].

    ``2 depth(lowest common ancestor) / (depth(a) + depth(b))`` (Wu and Palmer, ACL 1994) with
    NLTK's convention: the root, which the paths leave out, has depth 1. Two classes that share
    nothing but the root are thus a little similar. Where each path is one name there is no tree,
    and the similarity of any two classes is unknown (NaN).

    Args:
        paths: way from below the root to each class, joined by "/", the class last. An empty path
            stands for a class right below the root.
    """
    ways = [path.split("/") if path else [f"\0{rank}"] for rank, path in enumerate(paths)]
    depth = 1 + np.array([len(way) for way in ways])
    shared = np.ones((len(ways), len(ways)))
    for level in range(1, max(depth, default=1)):
        # Prefixes, not names: nodes of one name in two branches are two nodes.
        prefixes = ["/".join(way[:level]) if len(way) >= level else None for way in ways]
        node = pd.factorize(np.array(prefixes, object))[0]
        shared += (node[:, None] == node[None, :]) & (node[:, None] >= 0)
    found = 2 * shared / (depth[:, None] + depth[None, :])
    flat = max(depth, default=0) <= 2
    return np.where(np.eye(len(ways), dtype=bool) | (not flat), found, np.nan)


def swallowers(confusions: pd.DataFrame, victims: npt.ArrayLike) -> pd.Series:
    """The class that each victim is taken for most often through the augmentation.

    That is the one with the largest growth on the selection half; ties go to the larger confusion
    rate at the tested condition, then to the lower class id.

    Args:
        confusions: the table of that name.
        victims: class ids, integers [V].

    Returns:
        Index: `victims`; values: class id, or -1 where no confusion grew.
    """
    grew = confusions[(confusions["half"] == "select") & (confusions["growth"] > 0)]
    first = grew.sort_values(
        ["growth", "rate_tested", "predicted_id"], ascending=[False, False, True]
    ).drop_duplicates("class_id")
    found = first.set_index("class_id")["predicted_id"]
    return found.reindex(np.asarray(victims, np.int64), fill_value=-1)


def categories(
    effects: pd.DataFrame,
    confusions: pd.DataFrame,
    overlaps: pd.DataFrame,
    classes: pd.DataFrame,
    *,
    overlap: float,
    similarity: float,
    vectors: Floats | None = None,
) -> pd.DataFrame:
    """Name the swallower of each affected class, and the kind of the pair.

    The swallower is chosen on the selection half, its growth is reported from the estimation half.
    The kind (Kirichenko et al., NeurIPS 2023) is a 2x2 of annotation overlap, the larger
    of the two directions, against similarity in the class tree; values at a threshold count as
    high:

    ============  ================  ===============
    overlap       high similarity   low similarity
    ============  ================  ===============
    high          ambiguous         co-occurring
    low           fine-grained      unrelated
    ============  ================  ===============

    Without a class tree the cosine of the classes' embeddings stands in for similarity; without
    either the kind is unknown.

    Args:
        effects, confusions, classes: the tables of those names.
        overlaps: what the function `overlaps` gives.
        overlap, similarity: thresholds in [0, 1].
        vectors: embeddings of the classes by class id, [C, D], where there are any.

    Returns:
        Table "categories", sorted by class; category "none" where no confusion grew.
    """
    affected = np.sort(effects.loc[effects["affected"], "class_id"].unique())
    found = swallowers(confusions, affected)
    table = pd.DataFrame({"class_id": affected, "swallower_id": found.to_numpy()})
    pair = ["class_id", "swallower_id"]
    estimate = confusions[confusions["half"] == "estimate"]
    grown = estimate.rename(columns={"predicted_id": "swallower_id"})
    table = table.merge(grown[[*pair, "growth", "low", "high"]], how="left", on=pair)
    table = table.merge(overlaps.rename(columns={"other_id": "swallower_id"}), how="left", on=pair)
    table = table.assign(**closeness(table, classes, vectors))
    has_swallower = table["swallower_id"] >= 0
    shares = ["overlap", "overlap_reverse", "jaccard", "both"]
    table.loc[has_swallower, shares] = table.loc[has_swallower, shares].fillna(0)
    table["both"] = table["both"].fillna(0).astype(np.int64)
    return table.assign(category=kinds(table, overlap, similarity))


def sensitivity(
    categories: pd.DataFrame,
    *,
    overlap: Sequence[float] = (0.05, 0.1, 0.15, 0.2, 0.3),
    similarity: Sequence[float] = (0.5, 0.6, 0.7, 0.8, 0.9),
) -> pd.DataFrame:
    """How many classes fall into each category as the thresholds vary.

    Returns:
        Columns overlap, similarity (thresholds), category, classes (count): one row for each
        combination, empty categories included.
    """
    rows = []
    for overlap_threshold in overlap:
        for similarity_threshold in similarity:
            found = kinds(categories, overlap_threshold, similarity_threshold)
            rows += [
                {
                    "overlap": overlap_threshold,
                    "similarity": similarity_threshold,
                    "category": category,
                    "classes": int((found == category).sum()),
                }
                for category in CATEGORIES
            ]
    return pd.DataFrame(rows)


def kinds_by_share(
    effects: pd.DataFrame,
    confusions: pd.DataFrame,
    overlaps: pd.DataFrame,
    classes: pd.DataFrame,
    *,
    overlap: float,
    similarity: float,
    vectors: Floats | None = None,
    shares: Sequence[float] = SHARES,
) -> pd.DataFrame:
    """How many classes of each kind there are if other shares of the classes were followed up.

    Args:
        effects, confusions, overlaps, classes, overlap, similarity, vectors: as for `categories`.
        shares: of the classes, chosen by the rule "top".

    Returns:
        Table "share_sensitivity": one row for each share and kind, empty kinds included.
    """
    drop = selection_drop(effects).sort_index()
    rows = []
    for share in shares:
        chosen = Affected("top", share, at_least=1, q=0.05).choose(drop.to_numpy(), drop.to_numpy())
        found = categories(
            effects.assign(affected=effects["class_id"].isin(drop.index[chosen])),
            confusions,
            overlaps,
            classes,
            overlap=overlap,
            similarity=similarity,
            vectors=vectors,
        )
        for kind in CATEGORIES:
            own = found[found["category"] == kind]
            rows.append(
                {
                    "share": share,
                    "category": kind,
                    "classes": len(own),
                    "growing": int((own["low"] > 0).sum()),
                }
            )
    return pd.DataFrame(rows)


def closeness(
    pairs: pd.DataFrame, classes: pd.DataFrame, vectors: Floats | None
) -> dict[str, Floats]:
    """How close the classes of pairs are, by column: `similarity` in the class tree, and
    `embedding`, the cosine of their embeddings; NaN where there are none, or no second class.

    Args:
        pairs: with the columns class_id and swallower_id, [rows].
        classes: the table of that name.
        vectors: as for `categories`.
    """
    own, other = pairs[["class_id", "swallower_id"]].to_numpy(np.int64).T
    tree = similarity(list(classes.sort_values("class_id")["path"]))[own, other]
    cosine = np.full(len(pairs), np.nan)
    if vectors is not None:
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        cosine = np.clip((unit[own] * unit[other]).sum(axis=1), -1.0, 1.0)
    return {
        name: np.where(other >= 0, values, np.nan)
        for name, values in (("similarity", tree), ("embedding", cosine))
    }


def kinds(table: pd.DataFrame, overlap: float, similarity: float) -> np.ndarray:
    """Category of each row of table "categories" under two thresholds, [rows]."""
    close = table["similarity"].fillna(table["embedding"])
    # A hair of slack, so that a similarity of 0.7 in floating point reaches a threshold of 0.7.
    near = close >= similarity - 1e-9
    shared = table[["overlap", "overlap_reverse"]].max(axis=1) >= overlap - 1e-9
    kinds = np.where(
        shared,
        np.where(near, "ambiguous", "co-occurring"),
        np.where(near, "fine-grained", "unrelated"),
    )
    kinds = np.where(close.isna(), "unknown", kinds)
    return np.where(table["swallower_id"] >= 0, kinds, "none")
