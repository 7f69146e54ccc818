"""The one exception that means: the input is wrong, and this is how to mend it; in one line."""

import re
import unicodedata
from collections.abc import Iterable

FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode's kinds of control characters, half characters, and breaks of lines and paragraphs."""
REORDERING = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
"""Marks that turn round what stands beside a name; those that only say which way a name itself
reads, and those that join or part its letters, belong to how languages are written."""

_ENDLESS = re.compile(r"([^\s/\\]{57})[^\s/\\]{200,}")


class InputError(Exception):
    """Bad input from outside: a setting, a file, a row.

    The message is one line that names the culprit. The command line prints it without a traceback
    and exits with status 2; everything else that is raised is a defect of daclass. What is longer
    than any file's name, such as a number of 5,000 digits, is cut.
    """

    def __init__(self, message: str) -> None:
        super().__init__(_ENDLESS.sub(r"\1...", message))


def printable(line: str) -> str:
    """A line for terminals and comments: what cannot be printed as Python writes it in strings.

    Names of files may hold line breaks and commands to the terminal.
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in line
    )


def refuse_unshowable(place: str, what: str, names: Iterable[str]) -> None:
    """Refuse names that no figure, page or line can show as they are.

    Args:
        place: the file or setting that they come from.
        what: what they name, such as "class".

    Raises:
        InputError: naming the first.
    """
    for name in names:
        for letter in name:
            kind, way = unicodedata.category(letter), unicodedata.bidirectional(letter)
            no_character = ord(letter) & 0xFFFE == 0xFFFE
            if kind in FORBIDDEN or way in REORDERING or no_character:
                shown = ascii(name[:60])
                raise InputError(
                    f"{place}: {what} {shown}: a name cannot hold U+{ord(letter):04X}, which has "
                    "no shape of its own; rename it"
                )
