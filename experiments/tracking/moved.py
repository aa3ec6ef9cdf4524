"""Studies that were moved or copied to another folder or machine since they were begun.

MLflow's databases, and outboxes of earlier versions, hold absolute paths. What was in the folder of studies is in the
one where the study is now.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from experiments.tuning.study.folder import ARTIFACTS

_LOCATIONS = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}
"""Where MLflow's tables hold addresses of artifacts."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a study is.

    Attributes:
        folder: of the study.
        begun_in: the folder of studies in which its outbox was begun.
    """

    folder: Path
    begun_in: Path

    @classmethod
    def of(cls, header: Mapping[str, str], outbox: Path) -> Place:
        """That of an outbox, whose header says where it was begun; earlier versions named the artifacts alone."""
        folder = outbox.resolve().parent
        begun_in = Path(header["folder"]).parent if "folder" in header else Path(header.get("artifact_dir", "")).parent
        return cls(folder, begun_in)

    def now(self, path: str) -> Path:
        """Where a file is now: in the study's folder if it is relative to that, and one that moved with all studies."""
        given = self.folder / path
        if not given.is_relative_to(self.begun_in):
            return given
        moved = self.folder.parent / given.relative_to(self.begun_in)
        return moved if moved.exists() or not given.exists() else given

    def within(self, path: Path) -> str:
        """A file as it can be found after the next move."""
        path = path.resolve()
        return str(path.relative_to(self.folder) if path.is_relative_to(self.folder) else path)


def correct_locations(database: Path) -> None:
    """Let a database of MLflow find its artifacts beside it, where it was moved or copied together with them.

    Args:
        database: SQLite's file.
    """
    here = database.parent / ARTIFACTS
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        known = [location for (location,) in connection.execute("SELECT artifact_location FROM experiments")]
        for location in {place for place in known if place and _was_beside(place, database)}:
            for table, columns in _LOCATIONS.items():
                for column in columns:
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                        (here.as_uri(), len(location) + 1, len(location), location),
                    )


def _was_beside(location: str, database: Path) -> bool:
    """Whether artifacts were beside this database when it was elsewhere.

    Then the folder of both is gone; or the artifacts came along, and are gone from there, or there is the original.
    """
    address = urlsplit(location)
    there = Path(unquote(address.path))
    if address.scheme != "file" or there.name != ARTIFACTS or there.parent == database.parent:
        return False
    came_along = (database.parent / ARTIFACTS).is_dir()
    return not there.parent.exists() or (came_along and (not there.exists() or (there.parent / database.name).exists()))
