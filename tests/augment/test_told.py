"""What a policy says of itself on a terminal."""

from __future__ import annotations

from daclass.augment import AXES, RRC_SCALE, Policy
from daclass.augment.mixture import Mixture
from daclass.augment.told import policy_lines


def test_every_part_of_a_policy_is_told():
    mixture = Mixture(0.25, {0.9: 1.0})
    policy = Policy(RRC_SCALE, 0.08, {"tench": 0.5, 1: 0.75}, {"tench": 2}, mixture, True)
    said = list(policy_lines(policy))
    assert said[0].startswith("axis rrc_scale: the lower bound of a random resized crop")
    assert said[1:4] == [
        "  0.5      tench",
        "  0.75     class number 1",
        "  0.08     all other classes",
    ]
    assert said[4] == "  25% of the pictures get one of these instead: 0.9 (100%)"
    assert said[5] == "  the loss of tench counts 2 times"
    shown = [line.split()[0] for line in said if line.endswith("%")]
    assert shown == ["0.08", "0.5", "0.75", "0.9"]
    assert "PolicyCrop" in said[-2]


def test_another_axis_names_what_trains_with_it():
    said = list(policy_lines(Policy(AXES["mixup"], 0.2)))
    assert said[1:] == [
        "  0.2      all classes",
        "To train with it: daclass.augment.batch.batch_operation",
    ]
