"""Settings of the training recipe as axes: what a study varies instead of an augmentation.

Balestriero et al. (NeurIPS 2022, "The effects of regularization and data augmentation are class
dependent") find that weight decay hurts classes as crops do. A setting is one for all classes: its
policies are uniform, and nothing happens to pictures.
"""

from __future__ import annotations

from daclass.augment.axis import AXES, Axis


def _setting(name: str, high: float, meaning: str, label: str) -> Axis:
    return Axis(
        name=f"training.{name}",
        low=0.0,
        high=high,
        stronger="higher",
        identity=0.0,
        meaning=meaning,
        label=label,
        draws=0,
        setting=name,
    )


SETTINGS = {
    axis.name: axis
    for axis in (
        _setting("label_smoothing", 1.0, "the share of a target that is spread over all classes",
                 "label smoothing"),
        _setting("momentum", 1.0, "the momentum of stochastic gradient descent", "momentum"),
        _setting("weight_decay", 1e4, "the weight decay of all but biases and normalisation layers",
                 "weight decay"),
    )
}  # fmt: skip
"""The settings that can be an axis, by their dotted names in a config."""


def find_axis(name: str) -> Axis | None:
    """An augmentation's axis, or a setting's; None where there is none of this name."""
    return SETTINGS.get(name) or AXES.get(name)


def known_axis(name: str) -> Axis:
    """An axis that is there.

    Raises:
        KeyError: it is not.
    """
    return SETTINGS[name] if name in SETTINGS else AXES[name]
