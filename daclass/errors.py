"""The one exception that means: the input is wrong, and this is how to mend it."""


class InputError(Exception):
    """Bad input from outside: a setting, a file, a row.

    The message is one line that names the culprit. The command line prints it without a traceback
    and exits with status 2; everything else that is raised is a defect of daclass.
    """
