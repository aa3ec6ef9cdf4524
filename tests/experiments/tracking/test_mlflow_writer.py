"""What reaches MLflow through a client that fails, is slow, or finds that somebody deleted something."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from support.tracked_study import artifact, end, start, trial

from experiments.tracking.mlflow_writer import RUN_TAG, STUDY_TAG, MlflowWriter
from experiments.tracking.moved import Place
from experiments.tracking.outbox import Outbox
from experiments.tracking.registry import Registration
from experiments.tracking.tracker import Tracker
from experiments.tracking.update import Update
from narm.metrics import METRICS, metric_key

pytestmark = pytest.mark.slow


def test_sending_everything_again_changes_nothing(
    tracker: Tracker, runs: Callable[[], dict[str, Run]], store: str, tmp_path: Path
) -> None:
    start(tracker)
    trial(tracker, 0)
    trial(tracker, 1, state="PRUNED")
    end(tracker)
    before = {name: run.to_dictionary() for name, run in runs().items()}
    client = MlflowClient(tracking_uri=store)

    (tmp_path / "outbox.jsonl.sent").unlink()
    outbox = Outbox(tmp_path / "outbox.jsonl", {}, receiver="x")
    again = MlflowWriter(store, outbox.header, Place.of(outbox.header, outbox.path))
    for update in outbox.read(limit=10_000)[0]:  # one by one: batches need not be cut in the same places
        again.send([update])
    outbox.close()
    assert {name: run.to_dictionary() for name, run in runs().items()} == before
    assert len(client.get_metric_history(again.run_ids["0"], "mrr_at_10")) == 3


class Network:
    """Connects to a store in place of `connect`: counts calls, and lets some of them fail, or take their time.

    Args:
        failing: a call that fails twice: first without, then with effect.
        seconds: duration of every call.
    """

    def __init__(self, failing: str = "", *, seconds: float = 0.0) -> None:
        self.calls: Counter[str] = Counter()
        self.failures = Counter({failing: 2})
        self.seconds = seconds

    def connect(self, uri: str) -> Any:
        """A client of the store."""
        return _Client(MlflowClient(tracking_uri=uri), self)


class _Client:
    def __init__(self, client: MlflowClient, network: Network) -> None:
        self._client = client
        self._network = network

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            network = self._network
            time.sleep(network.seconds)
            network.calls[name] += 1
            network.failures[name] -= 1
            if network.failures[name] == 1:
                raise ConnectionError("not reached")
            result = getattr(self._client, name)(*arguments, **options)
            if network.failures[name] == 0:
                raise TimeoutError("the answer was lost")
            return result

        return call


CALLS = (
    "get_experiment_by_name",
    "create_experiment",
    "search_runs",
    "create_run",
    "log_batch",
    "set_terminated",
)


@pytest.mark.parametrize("failing", [*CALLS, "log_text"])
def test_a_failing_call_loses_and_doubles_nothing(
    failing: str,
    make: Callable[..., Tracker],
    runs: Callable[[], dict[str, Run]],
    store: str,
) -> None:
    network = Network(failing)
    tracker = make(connect=network.connect)
    start(tracker)
    trial(tracker, 0)
    trial(tracker, 1)
    end(tracker)
    assert network.calls[failing] >= 2
    found = runs()
    assert set(found) == {"my study", "trial 0", "trial 1"}
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    assert found["trial 1"].data.metrics == {"mrr_at_10": 0.3, "train_loss": 4.0, "best_mrr_at_10": 0.3}
    history = MlflowClient(tracking_uri=store).get_metric_history(found["trial 0"].info.run_id, "mrr_at_10")
    assert len(history) == 3
    assert artifact(found["my study"], "space.yaml") == b"a: 1\n"


def test_a_run_that_a_slow_server_created_after_all_is_deleted(
    make: Callable[..., Tracker], runs: Callable[[], dict[str, Run]], store: str
) -> None:
    network = Network()
    tracker = make(connect=network.connect)
    start(tracker)
    trial(tracker, 0, state=None)
    assert tracker.flush(60)
    client = MlflowClient(tracking_uri=store)
    study, real = runs()["my study"], tracker.run_id(0)
    tags = {STUDY_TAG: study.data.tags[STUDY_TAG], RUN_TAG: "0"}
    late = client.create_run(study.info.experiment_id, run_name="late", tags=tags).info.run_id
    network.failures["log_batch"] = 2  # after an outage, the runs are looked up again
    tracker.log_epoch(0, epoch=4, metrics={"mrr_at_10": 0.4})
    assert tracker.flush(60)
    assert tracker.run_id(0) == real
    assert client.get_run(late).info.lifecycle_stage == "deleted"

    later = client.create_run(study.info.experiment_id, run_name="later", tags=tags).info.run_id
    end(tracker)  # with no further outage in between
    assert client.get_run(later).info.lifecycle_stage == "deleted"
    assert runs()["trial 0"].info.lifecycle_stage == "active"


def test_the_end_of_a_search_lets_a_call_finish_and_begins_no_other(
    make: Callable[..., Tracker],
) -> None:
    network = Network(seconds=0.3)
    tracker = make(connect=network.connect, flush_seconds=0.1)
    start(tracker)
    for number in range(20):
        trial(tracker, number)
    end(tracker)
    calls = network.calls.total()
    assert calls < 15
    time.sleep(0.7)
    assert network.calls.total() == calls


def test_the_search_goes_on_where_a_run_was_deleted(
    make: Callable[..., Tracker], runs: Callable[[], dict[str, Run]], store: str, caplog: pytest.LogCaptureFixture
) -> None:
    network = Network()
    tracker = make(connect=network.connect)
    start(tracker)
    trial(tracker, 0, state=None)
    assert tracker.flush(60)
    MlflowClient(tracking_uri=store).delete_run(tracker.run_id(0) or "")
    network.failures["log_batch"] = 2  # after an outage, the runs are looked up again
    tracker.log_epoch(0, epoch=4, metrics={"mrr_at_10": 0.4})
    trial(tracker, 1)
    end(tracker)
    found = runs()
    assert found["trial 0"].info.lifecycle_stage == "deleted"
    assert found["trial 1"].info.status == "FINISHED"
    assert "MLflow refuses an update of run" in caplog.text


def test_an_artifact_that_cannot_be_kept_does_not_hold_up_the_rest(
    tracker: Tracker, runs: Callable[[], dict[str, Run]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start(tracker)
    end(tracker, files={"winner.pt": tmp_path / "gone.pt"}, artifacts={"summary.json": "{}"})
    study = runs()["my study"]
    assert study.info.status == "FINISHED"
    assert artifact(study, "summary.json") == b"{}"
    assert "MLflow does not keep the artifact winner.pt: " in caplog.text
    assert str(tmp_path / "gone.pt") in caplog.text  # and not where it would have been linked


def registration(name: str, checkpoint: Path) -> Registration:
    return Registration(name=name, checkpoint=str(checkpoint), description="", tags={"trial": "0"})


def test_a_model_is_registered_with_links_to_its_study_and_trial(
    tracker: Tracker, runs: Callable[[], dict[str, Run]], store: str, tmp_path: Path, checkpoint: Path
) -> None:
    start(tracker)
    trial(tracker, 0)
    end(tracker, registration=registration(f"narm-{tmp_path.name}", checkpoint))
    found = runs()
    version = MlflowClient(store).get_model_version_by_alias(f"narm-{tmp_path.name}", "champion")
    assert version.run_id == found["my study"].info.run_id
    assert version.tags["narm.study"] == found["my study"].data.tags["narm.study"]
    assert version.tags["trial_run_id"] == found["trial 0"].info.run_id
    assert found["my study"].info.status == "FINISHED"


def test_a_model_that_cannot_be_registered_does_not_hold_up_the_rest(
    tracker: Tracker, runs: Callable[[], dict[str, Run]], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    start(tracker)
    end(
        tracker,
        metrics={"best_mrr_at_10": 0.3},
        registration=registration(f"narm-{tmp_path.name}", tmp_path / "gone.pt"),
    )
    assert runs()["my study"].data.metrics == {"best_mrr_at_10": 0.3}
    assert runs()["my study"].info.status == "FINISHED"
    warning = caplog.records[-1].message
    assert warning.startswith(f"MLflow does not keep the model narm-{tmp_path.name}: [Errno 2]")


def test_a_deleted_experiment_is_restored(
    make: Callable[..., Tracker], runs: Callable[[], dict[str, Run]], store: str, tmp_path: Path
) -> None:
    client = MlflowClient(tracking_uri=store)
    client.delete_experiment(client.create_experiment(tmp_path.name))
    tracker = make()
    start(tracker)
    end(tracker)
    assert runs()["my study"].info.status == "FINISHED"


def test_many_epochs_take_few_calls(
    runs: Callable[[], dict[str, Run]],
    store: str,
    tmp_path: Path,
) -> None:
    network = Network()
    names = [metric_key(name, cutoff) for name in METRICS for cutoff in (1, 5, 10, 20)]
    header = {"study": "x", "name": "many", "experiment": tmp_path.name, "artifact_dir": str(tmp_path)}
    place = Place(folder=tmp_path / "x", begun_in=tmp_path)
    MlflowWriter(store, header, place, connect=network.connect).send(
        [Update(run="0", time=1000 + epoch, step=epoch, metrics=dict.fromkeys(names, 0.1)) for epoch in range(100)]
    )
    assert network.calls["log_batch"] == 3  # 2000 metrics, 800 a call
    assert set(runs()["trial 0"].data.metrics) == set(names)
