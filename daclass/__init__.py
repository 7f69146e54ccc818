"""Which classes a data augmentation hurts, how sure that is, why, and what to change."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "compare": "daclass.api",
    "class_effects": "daclass.api",
    "Comparison": "daclass.api",
    "Policy": "daclass.augment.policy",
    "RRC_SCALE": "daclass.augment",
    "random_resized_crop_boxes": "daclass.augment.boxes",
    "PolicyCrop": "daclass.augment.transform",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    """A name of another room, imported when it is first used: `import daclass` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'daclass' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
