"""A strength for every class, as far as the data tell classes apart."""

from __future__ import annotations

import numpy as np

from daclass.analysis.best import best_level
from daclass.analysis.designers.evidence import Design, Evidence, designed
from daclass.designer import designer
from daclass.inference.arrays import Floats
from daclass.inference.shrinkage import shrink


@designer(
    title="own optimum for each",
    summary="Every class at the strength that is best for it, as far as seeds agree that classes "
    "differ.",
)
def graded(evidence: Evidence) -> Design:
    """Every class at the strength that is best for it once its profile is shrunken.

    With a[r, s, k] the accuracy (original labels, selection half) of class k at strength s in seed
    r, and A[r, s] that over all pictures, a class deviates from the average profile over strengths
    by ::

        d[r, s, k] = (a[r, s, k] - mean_s a[r, s, k]) - (A[r, s] - mean_s A[r, s])

    Its mean over the R seeds has the squared error ``V[s] / (n[k] R)``: n[k] is the number of the
    class's pictures, and V[s] the mean over classes of n[k] times the variance of d over seeds, so
    that classes share what few seeds say of the noise. For each strength, empirical Bayes over the
    classes (`analysis.shrinkage`) gives the shrunken deviation D[s, k], and the class gets ::

        argmax_s mean_r A[r, s] + D[s, k]

    the weaker one of strengths that tie. Where classes differ by no more than noise, that is the
    best average strength for all. A single seed says nothing of the noise: the same.

    The error speaks of these pictures: how they in particular respond to a strength in every seed
    is not in it, so the shrinkage is somewhat too weak for classes of few pictures.
    """
    average, best = evidence.average(), evidence.best_level()
    strength = evidence.ordered[best]
    if evidence.seeds < 2:
        summary = "one seed says nothing of the noise: the same as uniform_best"
        return designed(evidence, strength, summary)
    deviation = _shrunken(evidence)
    profile = average[:, None] + np.nan_to_num(deviation)
    own = [best_level(of_class) for of_class in profile.T]
    strengths = {k: evidence.ordered[level] for k, level in enumerate(own) if level != best}
    reasons = {
        k: f"best at {evidence.ordered[own[k]]:g}: its shrunken profile there is "
        f"{100 * (profile[own[k], k] - profile[best, k]):.1f} points above that at {strength:g}"
        for k in strengths
    }
    summary = (
        f"every class at its own shrunken optimum: {len(strengths)} of {len(own)} away from the "
        f"best average strength, {strength:g}"
        if strengths
        else f"classes differ from the average profile by no more than noise: the same as "
        f"uniform_best, {strength:g}"
    )
    return designed(evidence, strength, summary, strengths, reasons)


def _shrunken(evidence: Evidence) -> Floats:
    """Shrunken deviation of each class from the average profile, [K, C]; NaN without pictures."""
    right, images = evidence.by_seed("correct"), evidence.by_seed("images")
    with np.errstate(invalid="ignore"):
        own = right / images
    average = right.sum(axis=2) / images.sum(axis=2)
    deviation = own - own.mean(axis=1, keepdims=True)
    deviation -= (average - average.mean(axis=1, keepdims=True))[:, :, None]
    seeds, pictures = len(own), images.mean(axis=(0, 1))
    known = pictures > 0
    variance = deviation.var(axis=0, ddof=1)
    shared = (variance * pictures)[:, known].mean(axis=1)
    # Seeds that agree exactly still leave one prediction in doubt.
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.maximum(np.sqrt(shared[:, None] / (pictures * seeds)), 1 / (pictures * seeds))
    estimate = deviation.mean(axis=0)
    return np.stack([shrink(*of_strength) for of_strength in zip(estimate, error, strict=True)])
