"""The parts of `/proc` and `/sys` that say what a container may use, as the kernel writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

V1_MOUNTS = (
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 {seen_from} /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 master:3 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 {seen_from} /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
)
V2_MOUNT = "30 23 0:26 {seen_from} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"


def cgroup_tree(root: Path, *, own: str, mounts: str, files: Mapping[str, str | int], seen_from: str = "/") -> Path:
    """A folder that looks like the root of a machine.

    Args:
        root: the folder.
        own: what `/proc/self/cgroup` says.
        mounts: what `/proc/self/mountinfo` says.
        files: content by path below `/sys/fs/cgroup`.
        seen_from: the part of the tree that is mounted.
    """
    proc = root / "proc/self"
    proc.mkdir(parents=True)
    (proc / "cgroup").write_text(own)
    (proc / "mountinfo").write_text(mounts.format(seen_from=seen_from))
    for path, content in files.items():
        file = root / "sys/fs/cgroup" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{content}\n")
    return root
