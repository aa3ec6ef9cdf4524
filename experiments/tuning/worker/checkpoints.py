"""Where the checkpoints of a study are kept: a folder, or any file system that pyarrow can address.

A training run keeps its latest checkpoint under one name. It is written under another name and then renamed, so that a
reader finds the old one or the new one, never a part; on an object store, where a rename is a copy on the server, too.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pyarrow.fs import FileSystem, FileType, LocalFileSystem

from experiments.tuning.worker.addresses import mask_credentials
from narm.errors import InputError
from narm.machine.files import atomic_file

_CHUNK = 16 * 2**20  # bytes: an object store takes a request for each


def trial_checkpoint(number: int) -> str:
    """Name of a trial's checkpoint."""
    return f"{number:04d}.pt"


@dataclass(frozen=True, slots=True)
class CheckpointStore:
    """The latest checkpoints of training runs, by name.

    It holds nothing but its address, so that it travels to Ray's workers, which each open it for themselves.

    Args:
        uri: a folder, or the URI of a pyarrow file system: `s3://BUCKET/PATH`, `gs://...`, `file:///...`.
    Raises:
        InputError: no file system is known by that URI, it cannot be reached, or it holds a password, which the
            study would keep.
    """

    uri: str

    def __post_init__(self) -> None:
        # Made absolute here, since a worker's working directory is another one.
        if "://" not in self.uri:
            object.__setattr__(self, "uri", str(Path(self.uri).absolute()))
        _open(self.uri)

    def __str__(self) -> str:
        return self.uri

    @property
    def folder(self) -> Path | None:
        """The folder it is on this machine; None for any other file system."""
        file_system, base = _open(self.uri)
        return Path(base) if isinstance(file_system, LocalFileSystem) else None

    def prepare(self) -> None:
        """Make the folder, and find out that files can be written: before the search, not in its first epoch.

        Raises:
            InputError: they cannot.
        """
        file_system, base = _open(self.uri)
        probe = f"{base}/{_temporary('probe')}"
        try:
            file_system.create_dir(base, recursive=True)
            with file_system.open_output_stream(probe) as stream:
                stream.write(b"narm")
            file_system.delete_file(probe)
        except OSError as error:
            raise InputError(f"checkpoint storage: {self} cannot be written: {_reason(error)}") from None

    def save(self, name: str, write: Callable[[Path], None]) -> None:
        """Replace a checkpoint.

        Args:
            name: name of its file.
            write: writes a checkpoint to the path it is given. When it fails, the old checkpoint stays.
        Raises:
            OSError: the file system failed; for a folder also that it is not there, as on a node of a cluster that
                does not share it.
        """
        file_system, base = _open(self.uri)
        temporary = f"{base}/{_temporary(name)}"
        try:
            if self.folder:
                self._require_folder(self.folder)
                write(Path(temporary))
            else:
                with tempfile.TemporaryDirectory(prefix="narm-") as directory:
                    local = Path(directory) / name
                    write(local)
                    _upload(local, file_system, temporary)
            file_system.move(temporary, self._path(name))
        except BaseException as error:
            _remove(file_system, temporary)
            if isinstance(error, OSError) and error.filename == temporary:
                raise OSError(error.errno, error.strerror, self._path(name)) from None
            raise

    def fetch(self, name: str, into: Path) -> Path | None:
        """A checkpoint as a file on this machine.

        Args:
            name: name of its file.
            into: folder for a copy, which only a store that is no folder needs.
        Returns:
            the file, to be read only; None if there is no such checkpoint.
        """
        if not self.exists(name):
            return None
        if self.folder:
            return self.folder / name
        file_system, _ = _open(self.uri)
        local = into / name
        with file_system.open_input_stream(self._path(name)) as source, atomic_file(local) as target:
            shutil.copyfileobj(source, target, _CHUNK)
        return local

    def exists(self, name: str) -> bool:
        """Whether there is such a checkpoint."""
        file_system, _ = _open(self.uri)
        return bool(file_system.get_file_info(self._path(name)).type is FileType.File)

    def _path(self, name: str) -> str:
        return f"{_open(self.uri)[1]}/{name}"

    def _require_folder(self, folder: Path) -> None:
        """Require it, not make it: made on a node that does not share it, it would keep the checkpoint to itself."""
        if not folder.is_dir():
            raise FileNotFoundError(
                f"checkpoint storage: {folder} is not on this node: name a folder that all nodes share, or a bucket"
            )


@cache
def _open(uri: str) -> tuple[Any, str]:
    """The file system and the path on it, without a slash at the end."""
    if "://" not in uri:
        return LocalFileSystem(), uri
    _refuse_credentials(uri)
    try:
        file_system, path = FileSystem.from_uri(uri)
    except (OSError, ValueError) as error:
        raise InputError(
            f"checkpoint storage: {uri} cannot be opened ({_reason(error)}): write a folder, or s3://BUCKET/PATH"
        ) from None
    if not path:
        raise InputError(f"checkpoint storage: {uri} names no bucket: write s3://BUCKET/PATH")
    return file_system, path.rstrip("/")


def _refuse_credentials(uri: str) -> None:
    scheme, _, rest = uri.partition("://")
    user = rest.rpartition("@")[0]  # of abfs:// it is the container
    if ":" in user or mask_credentials(rest) != rest:
        raise InputError(
            f"checkpoint storage: leave the credentials out of the {scheme}:// address, which the study keeps: give "
            "them to every node in its environment (S3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) or by its role"
        )


def _temporary(name: str) -> str:
    """A name that no two writers share and no reader looks for."""
    return f".{name}.{secrets.token_hex(8)}"


def _upload(local: Path, file_system: Any, path: str) -> None:
    with local.open("rb") as source, file_system.open_output_stream(path) as target:
        shutil.copyfileobj(source, target, _CHUNK)


def _remove(file_system: Any, path: str) -> None:
    """Clear up after a failure, which is the one to tell of."""
    try:
        file_system.delete_file(path)
    except OSError:
        return


def _reason(error: Exception) -> str:
    """The first line of what the file system says."""
    return (str(error).splitlines() or [type(error).__name__])[0]
