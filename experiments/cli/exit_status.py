"""Exit statuses of the commands; 0 is success."""

EXIT_USAGE = 2
"""Wrong usage, configuration or data: one line on stderr says what, and nothing was done."""

EXIT_INTERRUPTED = 130
"""Ctrl-C, SIGTERM or SIGHUP: 128 + SIGINT, as shells have it."""

EXIT_PIPE_CLOSED = 141
"""The reader of stdout has gone away, as `head` does: 128 + SIGPIPE."""

EXIT_ANOTHER_VALUE = 1
"""replay: the trial does not get its value again."""

EXIT_NOT_AT_HAND = 1
"""reproduce: none of the datasets is at hand."""

EXIT_NOT_SENT = 1
"""sync: the server does not have everything."""

EXIT_ALL_FAILED = 3
"""search: no trial has a value."""

EXIT_NO_RESULT = 3
"""compare: a model has no result."""

EXIT_NON_FINITE = 3
"""train: the loss became infinite or NaN."""

EXIT_OTHER_COUNTS = 3
"""prepare --check: the counts are not the published ones."""

EXIT_NOT_REGISTERED = 3
"""register: MLflow did not take the model."""
