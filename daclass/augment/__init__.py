"""Class-conditional augmentation: policies, reproducible crop boxes, and loaders that use them.

`Policy` and `Axis` need neither torch nor FFCV. The decoder for FFCV is in
`daclass.augment.decoder`, the torchvision dataset in `daclass.augment.dataset`.
"""

from daclass.augment.axis import AXES, RRC_SCALE, Axis
from daclass.augment.boxes import random_resized_crop_boxes
from daclass.augment.policy import Policy

__all__ = ["AXES", "RRC_SCALE", "Axis", "Policy", "random_resized_crop_boxes"]
