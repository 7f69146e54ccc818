"""Which classes a data augmentation hurts, how sure that is, why, and what to change."""

__version__ = "0.1.0"
