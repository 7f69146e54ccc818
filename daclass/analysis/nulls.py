"""What would be seen if the augmentation had no effect on any class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from daclass.analysis.cells import TRUTHS, Cells, Truth
from daclass.analysis.conditions import Conditions
from daclass.inference.arrays import Floats
from daclass.inference.crossed import Crossed, crossed_difference
from daclass.inference.resampling import two_way_bootstrap
from daclass.inference.simultaneous import max_p


@dataclass(frozen=True)
class Nulls:
    """Accuracies around their means, drawn as they would come out if no condition mattered.

    Attributes:
        conditions: the conditions.
        draws: truth -> deviation of each replicate's accuracy from its mean, float32 [B, K, C]. For
            each class the spread is scaled so that the fixed contrast has the standard error that
            `crossed` gives it. NaN for classes without pictures and where there is one seed.
        contrast: truth -> the fixed contrast on all pictures, reference less tested, [C].
        mean: truth -> observed accuracy, [K, C].
    """

    conditions: Conditions
    draws: Mapping[Truth, npt.NDArray[np.float32]]
    contrast: Mapping[Truth, Crossed]
    mean: Mapping[Truth, Floats]

    @classmethod
    def draw(
        cls,
        cells: Cells,
        conditions: Conditions,
        *,
        confidence: float,
        replicates: int,
        random_seed: int,
    ) -> Nulls:
        """Resample seeds and pictures; see `two_way_bootstrap`.

        Raises:
            InputError: as `Conditions.replicates`.
        """
        rows = conditions.replicates(cells.table)
        level, n_classes = conditions.reference_level, cells.images.n_classes
        draws, contrasts, means = {}, {}, {}
        for truth in TRUTHS:
            counted = cells.counted[truth]
            correct = [cells.correct[truth][own][:, counted] for own in rows]
            labels = cells.images.labels[counted]
            found = crossed_difference(
                correct[level],
                correct[0],
                labels,
                n_classes,
                paired=conditions.paired,
                confidence=confidence,
                moderate=True,
            )
            sampled = two_way_bootstrap(
                correct,
                labels,
                n_classes,
                paired=conditions.paired,
                replicates=replicates,
                random_seed=random_seed,
            )
            means[truth] = _accuracies(correct, labels, n_classes)
            sampled -= means[truth].astype(np.float32)
            spread = (sampled[:, level] - sampled[:, 0]).std(axis=0)
            scale = np.divide(found.error, spread, out=np.zeros_like(found.error), where=spread > 0)
            draws[truth] = sampled * scale.astype(np.float32)
            contrasts[truth] = conditions.holding(found, confidence)
        return cls(conditions, draws, contrasts, means)

    def difference(self, truth: Truth) -> npt.NDArray[np.float32]:
        """Draws of the fixed contrast, reference less tested, [B, C]."""
        return self.draws[truth][:, self.conditions.reference_level] - self.draws[truth][:, 0]

    def max_t(self, truth: Truth) -> Floats:
        """p-values of the fixed contrast, adjusted for all classes at once, [C]; see `max_p`."""
        found = self.contrast[truth]
        return max_p(found.p, found.spread.shared)

    def class_band(self, truth: Truth, confidence: float) -> tuple[Floats, Floats]:
        """Where each class's accuracy at each condition would lie without an effect, 2 x [K, C].

        Around the class's mean over all conditions, since without an effect there is only one
        accuracy; cut to [0, 1].
        """
        draws = self.draws[truth]
        centre = self.mean[truth].mean(axis=0)
        tail = (1 - confidence) / 2
        low, high = np.quantile(draws - draws.mean(axis=1, keepdims=True), [tail, 1 - tail], axis=0)
        return np.maximum(centre + low, 0.0), np.minimum(centre + high, 1.0)

    def sorted_drops(self, confidence: float) -> pd.DataFrame:
        """The drops of all classes in descending order, as no effect at all would give them.

        For reference "fixed" the drop is the fixed contrast. For "plug_in" it is the paper's
        ``max_s a_k(s) - a_k(tested)`` taken on the same pictures and seeds: positive for nearly
        every class, though there is no effect.

        Returns:
            Table "null_band"; no rows where there is one seed.
        """
        frames = []
        for truth in TRUTHS:
            draws = self.draws[truth]
            known = ~np.isnan(draws).any(axis=(0, 1))
            if not known.any():
                continue
            drops = {
                "fixed": self.difference(truth)[:, known],
                "plug_in": draws[:, :, known].max(axis=1) - draws[:, 0, known],
            }
            for reference, values in drops.items():
                ordered = -np.sort(-values, axis=1)
                tail = (1 - confidence) / 2
                low, high = np.quantile(ordered, [tail, 1 - tail], axis=0)
                frames.append(
                    pd.DataFrame(
                        {
                            "truth": truth,
                            "reference": reference,
                            "rank": np.arange(1, ordered.shape[1] + 1),
                            "expected": ordered.mean(axis=0),
                            "low": low,
                            "high": high,
                        }
                    )
                )
        columns = ["truth", "reference", "rank", "expected", "low", "high"]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _accuracies(correct: list, labels: np.ndarray, n_classes: int) -> Floats:
    images = np.bincount(labels, minlength=n_classes)
    with np.errstate(invalid="ignore"):
        return np.array(
            [
                np.bincount(labels, rows.mean(axis=0), minlength=n_classes) / images
                for rows in correct
            ]
        )
