"""What crops of a strength come to: `python -m daclass.augment 0.08 0.99 --size 400x350`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from daclass.augment.boxes import realised_area
from daclass.augment.errors import AugmentError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the realised area of each strength; the exit status is 0, or 2 after bad input."""
    parser = argparse.ArgumentParser(prog="python -m daclass.augment", description=__doc__)
    parser.add_argument("strengths", nargs="+", type=float, help="lower area bounds in [0.001, 1]")
    parser.add_argument(
        "--size", type=_size, default=(400, 350), metavar="WIDTHxHEIGHT", help="of a picture in px"
    )
    options = parser.parse_args(arguments)
    width, height = options.size
    try:
        found = realised_area(options.strengths, height, width)
    except AugmentError as error:
        print(f"daclass: {error}", file=sys.stderr)
        return 2
    print(f"random resized crops of a picture of {width} x {height} px, shares of its area")
    print("  strength   mean   5% below   centred fallback")
    for row in zip(options.strengths, found.mean, found.smallest, found.fallback, strict=True):
        print("  {:<8g} {:6.1%} {:10.1%} {:18.1%}".format(*row))
    return 0


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


if __name__ == "__main__":
    sys.exit(main())
