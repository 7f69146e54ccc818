"""The one exception that means: the input is wrong, and this is how to mend it; in one line."""


class InputError(Exception):
    """Bad input from outside: a setting, a file, a row.

    The message is one line that names the culprit. The command line prints it without a traceback
    and exits with status 2; everything else that is raised is a defect of daclass.
    """


def printable(line: str) -> str:
    """A line for terminals and comments: what cannot be printed as Python writes it in strings.

    Names of files may hold line breaks and commands to the terminal.
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in line
    )
