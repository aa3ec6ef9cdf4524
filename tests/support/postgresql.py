"""A real PostgreSQL server for tests: the one that is installed, else Debian's package, unpacked but not installed."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

USER, PASSWORD = "narm", "a-secret-of-the-tests"


class Unavailable(Exception):
    """There is no PostgreSQL, and none to be had."""


class ProgramFailed(Exception):
    """A program ended with an error; the message has the end of what it said."""


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Start an empty server on this machine; yields the URL of its database, password included.

    Raises:
        Unavailable: with the reason.
        ProgramFailed: the server there is does not start.
    """
    # Not below pytest's own folder, which no other user may enter: the server refuses to be root.
    with tempfile.TemporaryDirectory(prefix="narm-pg-", dir="/tmp") as name:
        directory = Path(name)
        binaries = _installed(Path("/usr/lib/postgresql")) or _unpacked(directory / "package")
        server = _Server(binaries, directory, _unprivileged_user())
        port = server.start()
        try:
            yield f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            server.stop()


class _Server:
    """`initdb` and `pg_ctl`, run by a user who is not root."""

    def __init__(self, binaries: Path, directory: Path, user: str | None) -> None:
        self._binaries = binaries
        self._directory = directory
        self._data = directory / "data"
        self._user = user
        if user:
            shutil.chown(directory, user)

    def start(self) -> int:
        """Set up a database with a password, and serve it; the port."""
        password_file = self._directory / "password"
        password_file.write_text(PASSWORD)
        access = ["--username", USER, "--auth", "scram-sha-256", "--pwfile", str(password_file)]
        self._run("initdb", *access, "--encoding", "UTF8", "--no-locale", "--no-sync")
        port = _free_port()
        # Nothing here has to outlive a power cut; the compiler of queries is a package of its own.
        options = f"-h 127.0.0.1 -p {port} -k {self._directory} -F -c jit=off"
        self._run("pg_ctl", "start", "--wait", "--log", str(self._directory / "log"), "--options", options)
        return port

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--wait", "--mode", "immediate")

    def _run(self, program: str, *arguments: str) -> None:
        libraries = [str(path) for path in (self._directory / "package" / "usr" / "lib").glob("*-linux-gnu")]
        _run(
            [str(self._binaries / program), "--pgdata", str(self._data), *arguments],
            cwd=self._directory,
            user=self._user,
            environment={"LD_LIBRARY_PATH": ":".join(libraries)},
        )


def _installed(root: Path) -> Path | None:
    """The newest version's programs."""
    found = [path.parent for path in root.glob("*/bin/initdb")]
    return max(found, key=lambda path: int(re.sub(r"\D.*", "", path.parent.name) or 0), default=None)


def _unpacked(root: Path) -> Path:
    """Debian's package and what it needs beyond this machine, downloaded once and unpacked below `root`."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Unavailable("PostgreSQL is not installed, and this is no Debian to fetch it from")
    root.mkdir(parents=True)
    for package in _download(Path.home() / ".cache" / "narm-search" / "postgresql"):
        _run(["dpkg-deb", "--extract", str(package), str(root)])
    binaries = _installed(root / "usr" / "lib" / "postgresql")
    if binaries is None:
        raise Unavailable("Debian's package of PostgreSQL holds no server")
    return binaries


def _download(cache: Path) -> list[Path]:
    archives, lists = cache / "archives", cache / "lists"
    for folder in (archives, lists):
        (folder / "partial").mkdir(parents=True, exist_ok=True)
    apt = ["apt-get", "-q", "-y", "-o", f"Dir::Cache::archives={archives}", "-o", f"Dir::State::lists={lists}"]
    apt += ["-o", "Debug::NoLocking=true", "-o", "APT::Sandbox::User=root"]  # all folders are ours
    if not list(archives.glob("postgresql-[0-9]*.deb")):
        try:
            _run([*apt, "update"])
            _run([*apt, "install", "--download-only", "--no-install-recommends", "postgresql"])
        except ProgramFailed as error:
            raise Unavailable(f"PostgreSQL is not installed, and Debian's is out of reach: {error}") from None
    return sorted(archives.glob("*.deb"))


def _run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    user: str | None = None,
    environment: dict[str, str] | None = None,
) -> None:
    """Run a program to its end; what it prints tells why, if it fails. A server that it starts must not hold a pipe."""
    with tempfile.TemporaryFile() as output:
        code = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
        ).returncode
        if code:
            output.seek(0)
            raise ProgramFailed(f"{command[0]} failed: {output.read().decode(errors='replace').strip()[-500:]}")


def _unprivileged_user() -> str | None:
    return "nobody" if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
