"""A logit shift per class: the remedy against lopsided predictions that needs no training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

ROWS = 4096  # logits that are turned into probabilities at a time, to bound memory
SPREAD = 1.0  # standard deviation of the shifts' normal prior, in nats: one power of e is plausible


def fit_shift(
    logits: npt.NDArray[np.floating], labels: npt.NDArray[np.integer]
) -> npt.NDArray[np.float64]:
    """The shift of each class's logit that makes the labels most likely.

    Maximises ``sum log softmax(logits + shift)[label] - sum shift**2 / (2 SPREAD**2)``, which is
    concave. Where the last term does not matter, the gradient vanishes where the predicted
    probabilities of a class add up to its number of labels: the most likely shift is also the one
    that matches the labels' prior (Saerens, Latinne and Decaestecker, Neural Computation 2002;
    logit adjustment of Menon et al., ICLR 2021, fitted instead of computed from counts). The term
    keeps the shift of a class with few pictures near 0, and makes it unique.

    Args:
        logits: shape [pictures, classes], finite.
        labels: class of each picture, in [0, classes).

    Returns:
        float64 [classes], of mean 0.
    """
    classes = logits.shape[1]
    counts = np.bincount(labels, minlength=classes).astype(np.float64)

    def loss(shift: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        total, expected = 0.0, np.zeros(classes)
        for start in range(0, len(logits), ROWS):
            rows = logits[start : start + ROWS] + shift.astype(logits.dtype)
            rows -= rows.max(axis=1, keepdims=True)
            own = rows[np.arange(len(rows)), labels[start : start + ROWS]]
            np.exp(rows, out=rows)
            sums = rows.sum(axis=1, keepdims=True)
            total += float((np.log(sums[:, 0], dtype=np.float64) - own).sum())
            expected += (rows / sums).sum(axis=0, dtype=np.float64)
        penalty = float(shift @ shift) / (2 * SPREAD**2)
        return total + penalty, expected - counts + shift / SPREAD**2

    found: npt.NDArray[np.float64] = minimize(
        loss, np.zeros(classes), jac=True, method="L-BFGS-B", options={"maxiter": 200}
    ).x
    return found - found.mean()
