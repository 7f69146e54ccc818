"""What a policy asks for, and what crops show, in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from daclass.augment.axes.rrc_scale import RRC_SCALE
from daclass.augment.boxes import realised_area
from daclass.augment.policy import Policy

DEFAULT_SIZE = (400, 350)
"""Width and height in px of the picture whose crops are told of."""


def policy_lines(policy: Policy, size: tuple[int, int] = DEFAULT_SIZE) -> Iterator[str]:
    """Which class gets which strength, what crops of these strengths show of a picture of that
    width and height, and what trains with them."""
    axis = policy.axis
    yield f"axis {axis.name}: {axis.meaning}"
    named = {
        f"class number {name}" if isinstance(name, int) else name: strength
        for name, strength in policy.classes.items()
    }
    rest = "all other classes" if named else "all classes"
    for name, strength in {**named, rest: policy.default}.items():
        yield f"  {strength:<8g} {name}"
    if policy.mixture:
        mixed = ", ".join(f"{s:g} ({p:.0%})" for s, p in policy.mixture.strengths.items())
        yield f"  {policy.mixture.share:.0%} of the pictures get one of these instead: {mixed}"
    for name, weight in policy.loss_weights.items():
        yield f"  the loss of {name} counts {weight:g} times"
    if policy.view_aware:
        yield "  the training loss adds how likely a crop is under each class's strengths"
    if axis == RRC_SCALE:
        mixed_in = policy.mixture.strengths if policy.mixture else ()
        yield from crop_lines(sorted({policy.default, *policy.classes.values(), *mixed_in}), size)
        yield "To train with it: daclass.augment.transform.PolicyCrop in torchvision's pipelines,"
        yield "daclass.augment.decoder.PolicyCropDecoder in FFCV's"
    elif not axis.setting:
        yield "To train with it: daclass.augment.batch.batch_operation"


def crop_lines(strengths: Sequence[float], size: tuple[int, int]) -> Iterator[str]:
    """The realised area of crops of each strength.

    Raises:
        AugmentError: a strength outside the range, or a picture without pixels.
    """
    width, height = size
    found = realised_area(strengths, height, width)
    yield f"random resized crops of a picture of {width} x {height} px, shares of its area"
    yield "  strength   mean   5% below   centred fallback"
    for row in zip(strengths, found.mean, found.smallest, found.fallback, strict=True):
        yield "  {:<8g} {:6.1%} {:10.1%} {:18.1%}".format(*row)


def parse_size(text: str) -> tuple[int, int]:
    """Width and height of a text such as 400x350.

    Raises:
        ValueError: it is another text.
    """
    width, _, height = text.partition("x")
    return int(width), int(height)
