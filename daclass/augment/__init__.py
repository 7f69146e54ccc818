"""Class-conditional augmentation: policies, reproducible crop boxes, and loaders that use them.

What is imported here needs neither torch nor FFCV. With torch: `daclass.augment.transform` (a
torchvision-v2 transform), `daclass.augment.dataset` (data sets), `daclass.augment.crops` (crops of
a batch on any device) and `daclass.augment.batch` (the other axes). With FFCV:
`daclass.augment.decoder`.
"""

from daclass.augment.axes.rrc_scale import RRC_SCALE
from daclass.augment.axis import AXES, Axis
from daclass.augment.boxes import RealisedArea, random_resized_crop_boxes, realised_area
from daclass.augment.errors import AugmentError
from daclass.augment.mixture import Mixture, StrengthTable
from daclass.augment.policy import Policy, strength_table
from daclass.augment.variates import epoch_key, image_keys

__all__ = [
    "AXES",
    "RRC_SCALE",
    "AugmentError",
    "Axis",
    "Mixture",
    "Policy",
    "RealisedArea",
    "StrengthTable",
    "epoch_key",
    "image_keys",
    "random_resized_crop_boxes",
    "realised_area",
    "strength_table",
]
