"""What a study says about the place it ran in: code, packages, command; never a password."""

from __future__ import annotations

import getpass
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from experiments.tuning.worker.addresses import mask_credentials

_ANOTHER_REPOSITORY = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")
"""Set by git in a hook, in `git rebase --exec` and in `git bisect run`: the repository, whatever folder is asked."""

PACKAGES = ("torch", "optuna", "ray", "mlflow", "numba", "narm-search")


def command_line(arguments: Sequence[str] | None = None) -> str:
    """The command that started this process, ready to paste into a shell, credentials masked.

    Args:
        arguments: as in `sys.orig_argv`, which is the default: the interpreter first.
    """
    program, *rest = sys.orig_argv if arguments is None else arguments
    return shlex.join([Path(program).name, *map(mask_credentials, rest)])


@cache
def git_commit(file: Path = Path(__file__)) -> str | None:
    """Commit of the checkout that `file` belongs to, with `-dirty` when tracked files differ from it.

    Asked once a process: what runs is the code that was there at the start.

    Args:
        file: this code by default. A file that git does not track has no commit, so that an installed package
            inside someone else's checkout does not claim theirs.
    Returns:
        None without a commit, or without git.
    """
    if _git(file, "ls-files", "--error-unmatch", file.name) is None:
        return None
    return _git(file, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(file: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", *arguments],
            cwd=file.parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
            env={
                **{name: value for name, value in os.environ.items() if name not in _ANOTHER_REPOSITORY},
                "GIT_OPTIONAL_LOCKS": "0",  # looking must not lock a checkout in use
            },
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def user_name() -> str | None:
    """Who runs this process; None where the system has no name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def versions() -> dict[str, str | None]:
    """Versions of Python and of the packages a result depends on; None for one that is not installed."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
