"""The one error that is the user's to fix."""


class InputError(ValueError):
    """Bad input: usage, configuration or data.

    The message is one line that says what is wrong, where (file, line, key), and what would be right.
    Command lines print it and exit with status 2, without a traceback.
    """
