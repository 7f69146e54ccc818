"""The one exception that means: the input is wrong, and this is how to mend it; in one line."""

import re

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
