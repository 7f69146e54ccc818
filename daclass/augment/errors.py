"""The one exception that means: what this module was given is wrong."""


class AugmentError(ValueError):
    """Bad input: a strength, a class, a label, a picture, a file. The message names it."""
