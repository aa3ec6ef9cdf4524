"""Quotas and limits are found in every layout of cgroups that containers have."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cgroup_tree import V1_MOUNTS, V2_MOUNT, cgroup_tree

from narm.machine.cgroups import MemoryLimit, cpu_quota, memory_limit

V1_OWN = "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n"
UNLIMITED = {"cpu,cpuacct/cpu.cfs_quota_us": -1, "cpu,cpuacct/cpu.cfs_period_us": 100000}
V1_QUOTA = {"cpu.cfs_quota_us": 150000, "cpu.cfs_period_us": 100000}


def below(folder: str, files: dict[str, int]) -> dict[str, int]:
    return {f"{folder}/{name}": content for name, content in files.items()}


@pytest.mark.parametrize(
    ("own", "files", "quota"),
    [
        pytest.param("0::/\n", {"cpu.max": "200000 100000"}, 2.0, id="namespace of its own"),
        pytest.param("0::/a/b\n", {"a/b/cpu.max": "50000 100000"}, 0.5, id="the machine's tree"),
        pytest.param("0::/a/b\n", {"a/cpu.max": "100000 100000", "a/b/cpu.max": "max 100000"}, 1.0, id="above"),
        pytest.param("0::/a/b\n", {"a/cpu.max": "400000 100000", "a/b/cpu.max": "300000 100000"}, 3.0, id="own"),
        pytest.param("0::/\n", {"cpu.max": "max 100000"}, None, id="max"),
        pytest.param("0::/\n", {"cpu.max": "max"}, None, id="max alone"),
        pytest.param("0::/\n", {"cpu.max": "nonsense here"}, None, id="nonsense"),
        pytest.param("0::/\n", {}, None, id="no controller"),
        pytest.param("0::/../other\n", {"cpu.max": "100000 100000"}, 1.0, id="a path from outside"),
    ],
)
def test_a_quota_of_version_2(tmp_path: Path, own, files, quota):
    assert cpu_quota(cgroup_tree(tmp_path, own=own, mounts=V2_MOUNT, files=files)) == quota


@pytest.mark.parametrize(
    ("files", "seen_from", "quota"),
    [
        pytest.param(below("cpu,cpuacct/docker/abc", V1_QUOTA), "/", 1.5, id="the machine's tree"),
        pytest.param(below("cpu,cpuacct", V1_QUOTA), "/docker/abc", 1.5, id="the container's part alone"),
        pytest.param(below("cpu,cpuacct", V1_QUOTA), "/elsewhere", 1.5, id="another part"),
        pytest.param(UNLIMITED | below("cpu,cpuacct/docker", V1_QUOTA), "/", 1.5, id="above"),
        pytest.param(UNLIMITED, "/", None, id="-1"),
    ],
)
def test_a_quota_of_version_1(tmp_path: Path, files, seen_from, quota):
    tree = cgroup_tree(tmp_path, own=V1_OWN, mounts=V1_MOUNTS, files=files, seen_from=seen_from)
    assert cpu_quota(tree) == quota


def test_both_versions_at_once(tmp_path: Path) -> None:
    unified = V2_MOUNT.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
    tree = cgroup_tree(
        tmp_path, own=f"{V1_OWN}0::/docker/abc\n", mounts=V1_MOUNTS + unified,
        files=below("cpu,cpuacct/docker/abc", V1_QUOTA) | {"unified/docker/abc/memory.max": 2**30},
    )  # fmt: skip
    assert cpu_quota(tree) == 1.5
    limit = memory_limit(tree)
    assert limit is not None
    assert limit.bytes == 2**30


def test_a_mount_whose_path_has_spaces(tmp_path: Path) -> None:
    tree = cgroup_tree(
        tmp_path, own="0::/\n", mounts=V2_MOUNT.replace("/sys/fs/cgroup", "/sys/fs/cgroup/my\\040groups"),
        files={"my groups/cpu.max": "100000 100000"},
    )  # fmt: skip
    assert cpu_quota(tree) == 1.0


def test_memory_of_version_2_is_the_tightest_limit_and_what_is_used_without_dropping_files(tmp_path: Path) -> None:
    files = {
        "a/memory.max": 8 * 2**30, "a/memory.current": 3 * 2**30,
        "a/b/memory.max": 2**30, "a/b/memory.current": 2**29, "a/b/memory.stat": f"anon 5\ninactive_file {2**28}",
    }  # fmt: skip
    tree = cgroup_tree(tmp_path, own="0::/a/b\n", mounts=V2_MOUNT, files=files)
    assert memory_limit(tree) == MemoryLimit(2**30, 2**29 - 2**28)


def test_memory_of_version_1(tmp_path: Path) -> None:
    files = {
        "memory/memory.limit_in_bytes": 9223372036854771712,
        "memory/docker/abc/memory.limit_in_bytes": 2**30,
        "memory/docker/abc/memory.usage_in_bytes": 1000,
        "memory/docker/abc/memory.stat": "inactive_file 1\ntotal_inactive_file 400",
    }
    tree = cgroup_tree(tmp_path, own=V1_OWN, mounts=V1_MOUNTS, files=files)
    assert memory_limit(tree) == MemoryLimit(2**30, 600)


def test_a_system_without_cgroups_bounds_nothing(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None
    assert memory_limit(tmp_path) is None
