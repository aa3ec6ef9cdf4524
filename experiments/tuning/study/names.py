"""Names of studies: which ones a study may have, and those that the program makes itself."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from experiments.tuning.study.folder import ARTIFACTS, DATABASE, MLFLOW
from narm.errors import InputError
from narm.text.names import plain_part

LONGEST = 200  # bytes: a folder's name has at most 255, and a comparison of models adds the model to its own name

_TAKEN = re.compile(rf"({re.escape(DATABASE)}|{re.escape(MLFLOW)})(-wal|-shm|-journal)?|{ARTIFACTS}")


def check_name(name: str) -> None:
    """Check the name that a person gave a study, which is the name of a folder too.

    Raises:
        InputError: it is none.
    """
    if not re.fullmatch(r"[\w.+-]+", name) or name[0] in ".-":
        raise InputError(
            f"study: '{name}' is no name for a folder: use letters, digits, '-', '_' and '.', and begin with none of "
            "'-' and '.'"
        )
    if (length := len(name.encode())) > LONGEST:
        raise InputError(f"study: '{name[:20]}...' has {length} bytes: use a name of {LONGEST} at most")
    if _TAKEN.fullmatch(name):
        raise InputError(f"study: '{name}' is a file or folder that all studies share: choose another name")


def new_name(*parts: str) -> str:
    """A name for a study that nobody named: valid whatever the parts are, and no other search's.

    Letters by chance keep searches apart that begin in the same second, on this machine or on another one.

    Args:
        parts: what it is about, such as the dataset's name and the space's.
    """
    return "-".join([*map(plain_part, parts), f"{datetime.now():%Y%m%d-%H%M%S}", secrets.token_hex(3)])
