"""What crops of a strength come to: `python -m daclass.augment 0.08 0.99 --size 400x350`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from daclass.augment.errors import AugmentError
from daclass.augment.told import DEFAULT_SIZE, crop_lines, parse_size


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the realised area of each strength; the exit status is 0, or 2 after bad input."""
    parser = argparse.ArgumentParser(prog="python -m daclass.augment", description=__doc__)
    parser.add_argument("strengths", nargs="+", type=float, help="lower area bounds in [0.001, 1]")
    parser.add_argument(
        "--size",
        type=parse_size,
        default=DEFAULT_SIZE,
        metavar="WIDTHxHEIGHT",
        help="of a picture in px",
    )
    options = parser.parse_args(arguments)
    try:
        print("\n".join(crop_lines(options.strengths, options.size)))
    except AugmentError as error:
        print(f"daclass: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
