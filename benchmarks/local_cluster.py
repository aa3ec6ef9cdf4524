"""A Ray cluster of several nodes on this machine, to attach searches to, and to take nodes from."""

from __future__ import annotations

# First, since Ray reads its settings when it is imported.
import experiments  # noqa: F401

# isort: split
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from ray.cluster_utils import Cluster

NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
"""A node of one CPU, with the least object store that Ray takes."""


@contextmanager
def local_cluster(n_nodes: int) -> Iterator[Cluster]:
    """Start nodes of one CPU each, the first of them the head; they end with the block.

    Processes started within the block may join: they find the token in their environment.
    """
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # to stay: Ray reads it once a process
    # Short, since sockets are in it.
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as directory:
        Path(directory, "ray").mkdir()  # Ray writes the cluster's address there
        with mock.patch.dict(os.environ, RAY_TMPDIR=directory):
            cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
            try:
                for _ in range(n_nodes - 1):
                    cluster.add_node(**NODE)
                yield cluster
            finally:
                cluster.shutdown()  # type: ignore[no-untyped-call]
