"""The one error that is the user's to fix."""

LONGEST_MESSAGE = 1_000
KEPT_END = 300  # of a longer one: it says what would be right


class InputError(ValueError):
    """Bad input: usage, configuration or data.

    The message is one line that says what is wrong, where (file, line, key), and what would be right.
    Command lines print it and exit with status 2, without a traceback.
    """

    def __str__(self) -> str:
        """The message, on one line whatever a file put into it: a terminal obeys control characters."""
        message = super().__str__()
        if len(message) > LONGEST_MESSAGE:
            message = f"{message[: LONGEST_MESSAGE - KEPT_END]} ... {message[-KEPT_END:]}"
        if message.isprintable():
            return message
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)
