"""What a database of studies says when it cannot be used any more, in one line."""

from __future__ import annotations

import errno
import os

from optuna.exceptions import StorageInternalError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from experiments.tuning.worker.addresses import mask_credentials
from narm.errors import InputError

DATABASE_ERRORS = (StorageInternalError, SQLAlchemyError)

_FULL = "database or disk is full"  # SQLite's words


def explain_database_error(error: BaseException, url: str, study: str) -> InputError:
    """Say which database it is, what ails it, and how the search goes on.

    Args:
        error: one of `DATABASE_ERRORS`. Optuna's message guesses at the cause, which it holds.
        url: address of the database.
        study: the study that was being written.
    """
    while error.__cause__ is not None:
        error = error.__cause__
    reason = str(error).partition("\n")[0]
    is_full = _FULL in reason
    place = make_url(url).database if url.startswith("sqlite") else None
    return InputError(
        f"{place or mask_credentials(url)}: {os.strerror(errno.ENOSPC) if is_full else mask_credentials(reason)}; "
        f"--resume {study} goes on once {'there is room' if is_full else 'it can be written'}"
    )
