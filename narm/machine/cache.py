"""Where this user's cache is: compiled kernels and downloaded datasets, which can be made again."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

NAME = "narm-search"


def user_cache() -> Path:
    """The folder of this program in `XDG_CACHE_HOME`, else in `~/.cache`, whether or not it can be written.

    A relative `XDG_CACHE_HOME` is ignored, as its specification has it: each working directory would have a cache.
    A user of a container may have neither a home nor an entry that names one: `temporary_cache` then.
    """
    given = os.environ.get("XDG_CACHE_HOME", "")
    if Path(given).is_absolute():
        return Path(given) / NAME
    try:
        return Path.home() / ".cache" / NAME
    except RuntimeError:
        return temporary_cache()


def temporary_cache() -> Path:
    """A folder of the user's own among the temporary files; see `is_own`."""
    return Path(tempfile.gettempdir()) / f"{NAME}-{os.getuid()}"


def is_own(folder: Path) -> bool:
    """Whether `folder` is this user's alone to write; it is made where there is nothing.

    Anyone may make a folder, or a link, of that name in /tmp before us, and what is loaded from it is run.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
