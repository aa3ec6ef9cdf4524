"""A Ray cluster of several nodes on this machine: attaching to it, and losing a node in the middle of a search."""

from __future__ import annotations

# First, since Ray reads its settings when it is imported.
from experiments.tuning.driver.ray_session import ray_session

# isort: split
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from benchmarks.local_cluster import NODE, local_cluster
from benchmarks.stores import Stores
from experiments.tuning.study.job_log import jobs_in
from experiments.tuning.study.trial_attributes import PROGRESS, RETRIES
from experiments.tuning.worker.checkpoints import trial_checkpoint
from narm.checkpoint import read_checkpoint
from narm.errors import InputError

pytestmark = pytest.mark.usefixtures("no_ray")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with local_cluster(2) as cluster:
        yield cluster


@ray.remote(num_cpus=1)
class Here:
    """Holds a CPU, and says on which node."""

    def node(self) -> str:
        return ray.get_runtime_context().get_node_id()

    def niceness(self) -> int:
        return os.nice(0)


def test_a_session_uses_all_nodes_and_leaves_the_cluster_running(cluster, ring_splits):
    for _ in range(2):
        with ray_session(1, ring_splits, resources={"cpu": 1}, address=cluster.address) as folder:
            actors = [Here.remote() for _ in range(2)]
            assert len(set(ray.get([actor.node.remote() for actor in actors]))) == 2
            assert folder.is_dir()
        assert not ray.is_initialized()
        assert not folder.exists()
        assert cluster.remaining_processes_alive()


def test_without_an_address_ray_is_ones_own_whatever_the_environment_says(cluster, ring_splits, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    with ray_session(3, ring_splits, resources={"cpu": 1}, nice=2):
        assert ray.get(Here.remote().niceness.remote()) == os.nice(0) + 2
        assert ray.get_runtime_context().gcs_address != cluster.address
        assert ray.cluster_resources()["CPU"] == 3


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({"cpu": 2, "gpu": 0}, r"a trial takes 2 CPU, and no node of Ray has that \(at most 1 CPU\): ask for less"),
        ({"cpu": 1, "gpu": 0.25}, r"a trial takes 1 CPU, 0.25 GPU, .* \(at most 1 CPU, 0 GPU\)"),
    ],
)
def test_a_trial_that_fits_no_node_is_refused_instead_of_waiting_for_ever(cluster, ring_splits, resources, message):
    with (
        pytest.raises(InputError, match=message),
        ray_session(1, ring_splits, resources=resources, address=cluster.address),
    ):
        raise AssertionError("a trial would wait for ever")
    assert not ray.is_initialized()


def test_a_cluster_is_not_joined_without_its_token(cluster, ring_splits, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))  # where Ray would look for one
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    message = "^address: cannot join a Ray cluster at .*no authentication token was found.*RAY_AUTH_TOKEN"
    with (
        pytest.raises(InputError, match=message) as error,
        ray_session(1, ring_splits, resources={"cpu": 1}, address=cluster.address),
    ):
        raise AssertionError("joined")
    assert "\n" not in str(error.value)


@pytest.fixture
def shared(tmp_path) -> Path:
    """The folder that all nodes share."""
    return tmp_path / "shared"


@pytest.fixture
def attached_search(cluster, output, shared) -> Iterator[tuple[subprocess.Popen[bytes], Stores]]:
    """Three trials of the smoke space at once, on the cluster."""
    size = ["--preset", "smoke", "--trials", "3", "--epochs", "60", "--stopping_step", "1000", "--scheduler", "none"]
    where = ["--address", cluster.address, "--concurrency", "3", "--threads", "1", "--max-retries", "2"]
    results = ["--output", str(output), "--study", "s", "--checkpoint-storage", shared.as_uri()]
    rest = ["--finalists", "0", "--quiet"]
    with subprocess.Popen([sys.executable, "-m", "experiments.search", *size, *where, *results, *rest]) as process:
        yield process, Stores.below(output, "s", experiment="synthetic")
        process.kill()


def test_a_search_outlives_the_loss_of_a_node(cluster, attached_search, shared, output):
    process, stores = attached_search
    lost = cluster.add_node(**NODE)
    at_the_loss = wait_for_an_epoch_everywhere(process, output / "s", n_nodes=3)
    cluster.remove_node(lost, allow_graceful=False)

    assert process.wait(timeout=300) == 0
    assert stores.problems(n_trials=3) == []
    (retried,) = (trial for trial in stores.trials() if trial.user_attrs.get(RETRIES))
    assert at_the_loss[retried.number] >= 1  # it had a checkpoint to go on from
    assert retried.user_attrs[PROGRESS]["epochs"] == 60
    # No two trainings take the same time: the epochs in the last checkpoint are those reported before the loss.
    checkpoint = read_checkpoint(shared / "s" / "checkpoints" / trial_checkpoint(retried.number))
    trained = [epoch["seconds"] for epoch in checkpoint["history"]]
    assert trained == [seconds.value for seconds in stores.history(retried.number, "epoch_seconds")]


def wait_for_an_epoch_everywhere(process: subprocess.Popen[bytes], study: Path, *, n_nodes: int) -> dict[int, int]:
    """Wait until a trial on every node has reported an epoch; epochs of each by then."""
    epochs: dict[int, int] = {}
    while len(epochs) < n_nodes:
        assert process.poll() is None, f"the search ended before it had {n_nodes} trials at once"
        time.sleep(0.1)
        epochs = {job.number: len(job.epochs) for job in jobs_in(study) if job.epochs}
    return epochs
