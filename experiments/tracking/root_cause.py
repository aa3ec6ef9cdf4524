"""The innermost cause of an error, fit to be shown."""

from __future__ import annotations

from experiments.tuning.worker.addresses import mask_credentials


def root_cause(error: BaseException) -> str:
    """The first cause of an error, in one line without credentials: `[Errno 111] Connection refused`."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    first_line = (str(error).splitlines() or [""])[0]
    return mask_credentials(first_line)[:200] or type(error).__name__
