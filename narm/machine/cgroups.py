"""What Linux lets this process use of the machine: the CPU quota and the memory limit of its control groups.

A container has both in its cgroup, or a cgroup above it has; none of what Python says of the machine knows of them.
Version 1 of cgroups has a tree of folders for each resource, version 2 one for all; some machines have both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/")


class MemoryLimit(NamedTuple):
    """Bytes that the processes of a cgroup may use together, and what they use, without files that can be dropped."""

    bytes: int
    used: int


def cpu_quota(root: Path = ROOT) -> float | None:
    """Cores' worth of time that this process gets, the least of its cgroup and all above it; None: it is not limited.

    Args:
        root: where `/proc` and the mounts are.
    """
    quotas = [quota for folder in _cgroups("cpu", root) if (quota := _quota(folder)) is not None]
    return min(quotas, default=None)


def memory_limit(root: Path = ROOT) -> MemoryLimit | None:
    """The tightest limit of this process's cgroup and all above it; None: there is none.

    Args:
        root: where `/proc` and the mounts are.
    """
    limits = [limit for folder in _cgroups("memory", root) if (limit := _limit(folder)) is not None]
    return min(limits, default=None)


def _cgroups(controller: str, root: Path) -> Iterator[Path]:
    """Folders of the cgroups that this process is in, from its own up, as far as they can be seen."""
    own = _own_paths(controller, root)
    for line in _read(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        _, _, _, seen_from, mount_point, *_ = map(_unescaped, before.split(" "))
        kind, _, options, *_ = [*after.split(" "), "", ""]
        if kind == "cgroup" and controller in options.split(",") and "1" in own:
            yield from _up_from(own["1"], Path(seen_from), root / mount_point.lstrip("/"))
        elif kind == "cgroup2" and "2" in own:
            yield from _up_from(own["2"], Path(seen_from), root / mount_point.lstrip("/"))


def _own_paths(controller: str, root: Path) -> dict[str, Path]:
    """The cgroup of this process in the tree of a controller, by version of cgroups."""
    found = {}
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers:
            found["2"] = Path(path)
        elif controller in controllers.split(","):
            found["1"] = Path(path)
    return found


def _up_from(own: Path, seen_from: Path, mount_point: Path) -> Iterator[Path]:
    """Folders of a cgroup and of those above it, up to the mount.

    A container may see only its own part of the tree, and a path from outside of it: then the mount is its cgroup.
    """
    below = own.relative_to(seen_from) if own.is_relative_to(seen_from) else Path()
    if ".." in below.parts:
        below = Path()
    for folder in (below, *below.parents):
        yield mount_point / folder


def _quota(cgroup: Path) -> float | None:
    quota, period = [*_read(cgroup / "cpu.max").split(), "", ""][:2]  # version 2: `max 100000`, `150000 100000`
    quota = quota or _read(cgroup / "cpu.cfs_quota_us")  # version 1: `-1`, `150000`
    period = period or _read(cgroup / "cpu.cfs_period_us")
    granted, of = _number(quota), _number(period)
    return granted / of if granted and of else None


def _limit(cgroup: Path) -> MemoryLimit | None:
    limit = _number(_read(cgroup / "memory.max") or _read(cgroup / "memory.limit_in_bytes"))
    if limit is None:
        return None
    used = _number(_read(cgroup / "memory.current") or _read(cgroup / "memory.usage_in_bytes")) or 0
    counts = dict(re.findall(r"^(\w+) (\d+)$", _read(cgroup / "memory.stat"), re.MULTILINE))
    droppable = counts.get("total_inactive_file") or counts.get("inactive_file", "0")  # version 1 counts both ways
    return MemoryLimit(limit, max(0, used - int(droppable)))


def _number(text: str) -> int | None:
    """A positive number; `max`, `-1` and what cannot be read are no limit."""
    return int(text) if text.strip().isdecimal() and int(text) else None


def _unescaped(field: str) -> str:
    """A path of mountinfo, which writes a space as `\\040`."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="surrogateescape").strip()
    except OSError:
        return ""
