"""MovieLens 100K, out of the RecBole wheel on the package index: its licence forbids passing it on."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from narm.errors import InputError
from narm.machine.cache import user_cache
from narm.machine.files import atomic_file

REQUIREMENT = "recbole==1.2.1"
WHEEL = "recbole-1.2.1-py3-none-any.whl"
WHEEL_SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
MEMBER = "recbole/dataset_example/ml-100k/ml-100k.inter"
INTER_SHA256 = "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff"

logger = logging.getLogger(__name__)


def ml_100k() -> Path:
    """The file ml-100k.inter, 100,000 events of 943 users and 1,682 items, fetched through pip at first use.

    It is kept in `NARM_DATA_DIR`, else in `narm-search/datasets` of the user's cache (`XDG_CACHE_HOME`).

    Raises:
        InputError: no download (the message says where to put the file by hand), or a wrong checksum.
    """
    path = data_directory() / "ml-100k" / "ml-100k.inter"
    try:
        if not path.exists():
            logger.info("downloading ml-100k (in the package %s) to %s", REQUIREMENT, path)
            content = _from_wheel(path)
            with atomic_file(path) as file:
                file.write(content)
        elif _sha256(path.read_bytes()) != INTER_SHA256:
            raise InputError(
                f"{path}: not the ml-100k.inter of {REQUIREMENT} (SHA-256 differs); delete it to download it"
            )
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror or error}; NARM_DATA_DIR names another folder for datasets"
        ) from None
    return path


def data_directory() -> Path:
    """Where downloaded datasets are kept."""
    if given := os.environ.get("NARM_DATA_DIR"):
        return Path(given)
    return user_cache() / "datasets"


def _from_wheel(path: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        try:
            download(Path(folder))
        except (OSError, subprocess.SubprocessError) as error:
            raise InputError(
                f"cannot download ml-100k ({_reason(error)});"
                f" by hand: unpack {MEMBER} of the wheel of {REQUIREMENT} to {path}"
            ) from None
        wheel = Path(folder) / WHEEL
        if not wheel.exists() or _sha256(wheel.read_bytes()) != WHEEL_SHA256:
            raise InputError(f"the package index gave another {WHEEL} than the known one (SHA-256 differs)")
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(MEMBER)
    return content


def download(folder: Path) -> None:
    """Download the wheel into a folder through pip, which knows the user's package index."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    subprocess.run(
        [*command, "--dest", str(folder), REQUIREMENT],
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )


def _reason(error: Exception) -> str:
    output = getattr(error, "stderr", None) or str(error)
    return output.strip().splitlines()[-1]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
