"""Settings of the recipe as axes."""

from __future__ import annotations

import numpy as np
import pytest

from daclass.augment import AXES, RRC_SCALE, AugmentError, Mixture, Policy
from daclass.augment.settings import SETTINGS, find_axis, known_axis
from daclass.config import Training

DECAY = SETTINGS["training.weight_decay"]


@pytest.mark.parametrize("axis", SETTINGS.values())
def test_a_setting_is_one_of_the_recipe_and_its_range_is_the_settings(axis):
    assert axis.name == f"training.{axis.setting}" and axis.operation is None
    bounds = {type(b).__name__: b for b in Training.model_fields[axis.setting].metadata}
    assert (axis.low, axis.high) == (bounds["Ge"].ge, bounds["Le"].le)


def test_axes_are_found_by_their_names():
    assert find_axis("training.weight_decay") is DECAY and find_axis("nobody") is None
    assert find_axis("rrc_scale") == RRC_SCALE == known_axis("rrc_scale")
    assert not set(SETTINGS) & set(AXES)


def test_a_policy_of_a_setting_survives_its_file_and_is_uniform(tmp_path):
    policy = Policy(DECAY, 5e-4)
    policy.save(tmp_path / "policy.yaml")
    assert Policy.load(tmp_path / "policy.yaml") == policy
    np.testing.assert_array_equal(policy.strengths(["a", "b"]), 5e-4)
    with pytest.raises(AugmentError, match="one for all classes"):
        Policy(DECAY, 5e-4, {"a": 0.1})
    with pytest.raises(AugmentError, match="one for all classes"):
        Policy(DECAY, 5e-4, mixture=Mixture(0.5, {0.1: 1.0}))
