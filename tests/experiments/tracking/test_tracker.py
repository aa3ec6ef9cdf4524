"""What MLflow then holds: through real SQLite stores, and with a server that fails."""

import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from experiments.tracking import mlflow_writer as mirror
from experiments.tracking import tracker as tracking
from experiments.tracking.mlflow_writer import RUN_TAG, STUDY_TAG, MlflowWriter
from experiments.tracking.outbox import Outbox
from experiments.tracking.registry import Registration
from experiments.tracking.tracker import LONGEST_TAG, Dataset, Tracker, flat_params
from experiments.tuning.worker.addresses import absolute_tracking_uri
from narm.checkpoint import save_checkpoint
from narm.config import Config
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.metrics import METRICS, metric_key
from narm.training import create_model, fit


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database that all tests share, as its creation takes seconds; each has an experiment of its own."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture
def make(store: str, tmp_path: Path) -> Iterator[Callable[..., Tracker]]:
    """Trackers of one study, one after the other, as in sessions of the same search."""
    made: list[Tracker] = []

    def make(uri: str = store, **options: Any) -> Tracker:
        options = {"experiment": tmp_path.name, "artifact_dir": tmp_path / "artifacts"} | options
        made.append(Tracker(uri, outbox=tmp_path / "outbox.jsonl", flush_seconds=60, **options))
        return made[-1]

    yield make
    for tracker in made:
        if hasattr(tracker, "_drainer"):
            tracker._drainer.stop()
            tracker._outbox.close()


@pytest.fixture
def tracker(make: Callable[..., Tracker]) -> Tracker:
    return make()


@pytest.fixture
def runs(store: str, tmp_path: Path) -> Callable[[], dict[str, Run]]:
    """All runs of this test's experiment, by their name; none has a name twice."""

    def find() -> dict[str, Run]:
        client = MlflowClient(tracking_uri=store)
        experiment = client.get_experiment_by_name(tmp_path.name)
        found = client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL)
        by_name = {run.info.run_name: run for run in found}
        assert len(by_name) == len(found)
        return by_name

    return find


def start(tracker: Tracker, **params: object) -> None:
    tracker.start_study("my study", tags={"sampler": "tpe"}, params=params, artifacts={"space.yaml": "a: 1\n"})


def end(tracker: Tracker, **given: Any) -> None:
    nothing: dict[str, Any] = {"status": "FINISHED", "metrics": {}, "tags": {}, "artifacts": {}, "files": {}}
    tracker.end_study(**nothing | given)


def trial(tracker: Tracker, number: int, state: str | None = "COMPLETE", epochs: int = 3) -> None:
    tracker.start_trial(number, params={"learning_rate": 0.01, "dropout_probs": (0.25, 0.5)}, tags={})
    for epoch in range(1, epochs + 1):
        tracker.log_epoch(number, epoch=epoch, metrics={"mrr_at_10": epoch / 10, "train_loss": 7.0 - epoch})
    if state:
        tracker.end_trial(number, state=state, reason="because", metrics={"best_mrr_at_10": epochs / 10})  # type: ignore[arg-type]


def artifact(run: Run, name: str) -> bytes:
    return Path(run.info.artifact_uri.removeprefix("file://"), name).read_bytes()


def test_a_study_is_a_parent_run_with_its_trials_below(
    tracker: Tracker, runs: Callable[[], dict[str, Run]], store: str, tmp_path: Path
) -> None:
    start(tracker, trials=3, topk=(10, 20))
    for number, state in enumerate(["COMPLETE", "PRUNED", "FAIL"]):
        trial(tracker, number, state)
    checkpoint = tmp_path / "0000.pt"
    checkpoint.write_bytes(b"weights")
    end(
        tracker,
        metrics={"best_mrr_at_10": 0.3},
        tags={"winner": "0"},
        artifacts={"environment/versions.json": "{}"},
        files={"winner/model.pt": checkpoint, "0000.pt": checkpoint},
    )

    found = runs()
    study = found.pop("my study")
    assert study.info.status == "FINISHED"
    assert study.data.params == {"trials": "3", "topk": "[10, 20]", "topk_0": "10", "topk_1": "20"}
    assert study.data.metrics == {"best_mrr_at_10": 0.3}
    assert {"sampler": "tpe", "winner": "0"}.items() <= study.data.tags.items()
    assert artifact(study, "space.yaml") == b"a: 1\n"
    assert artifact(study, "environment/versions.json") == b"{}"
    assert artifact(study, "winner/model.pt") == artifact(study, "0000.pt") == b"weights"
    assert study.info.artifact_uri.startswith((tmp_path / "artifacts").as_uri())

    assert {name: run.info.status for name, run in found.items()} == {
        "trial 0": "FINISHED",
        "trial 1": "KILLED",
        "trial 2": "FAILED",
    }
    for number, state in enumerate(["COMPLETE", "PRUNED", "FAIL"]):
        run = found[f"trial {number}"]
        assert run.info.run_id == tracker.run_id(number)
        assert {
            "mlflow.parentRunId": study.info.run_id,
            "state": state,
            "reason": "because",
            "trial_number": str(number),
        }.items() <= run.data.tags.items()
        assert run.data.params == {
            "learning_rate": "0.01",
            "dropout_probs": "[0.25, 0.5]",
            "dropout_probs_0": "0.25",
            "dropout_probs_1": "0.5",
        }
        assert run.data.metrics == {"mrr_at_10": 0.3, "train_loss": 4.0, "best_mrr_at_10": 0.3}
        assert run.info.end_time >= run.info.start_time > 1e12
    history = MlflowClient(tracking_uri=store).get_metric_history(found["trial 0"].info.run_id, "mrr_at_10")
    assert [(point.step, point.value) for point in history] == [(1, 0.1), (2, 0.2), (3, 0.3)]


DATASET = Dataset(name="clicks", fingerprint="f" * 64, source="clicks.csv", counts={"n_items": 20})


def finalist(tracker: Tracker, *, epochs: int = 5, test: float = 0.2) -> None:
    tracker.log_finalist(
        0, 17, ordinal=1, seconds=3.0, epochs=epochs, params={"learning_rate": 0.01}, tags={"study": "s"},
        metrics={"test_mrr_at_10": test}, description="Better.",
    )  # fmt: skip


def test_a_finalist_is_a_run_of_its_own_that_points_to_its_trial(
    tracker: Tracker, runs: Callable[[], dict[str, Run]]
) -> None:
    start(tracker)
    trial(tracker, 0)
    finalist(tracker)
    tracker.fail_finalist(0, 18, ordinal=2, reason="the worker died", tags={}, description="It failed.")
    end(tracker)
    found = runs()
    trained, failed = found["finalist 0.1"], found["finalist 0.2"]
    assert trained.info.status == "FINISHED"
    assert trained.info.end_time - trained.info.start_time == pytest.approx(3000, abs=100)
    assert trained.data.params == {"learning_rate": "0.01"}
    assert trained.data.metrics == {"test_mrr_at_10": 0.2}
    assert {
        "mlflow.parentRunId": found["my study"].info.run_id,
        "trial_run_id": found["trial 0"].info.run_id,
        "trial_number": "0",
        "seed": "17",
        "kind": "finalist",
        "mlflow.note.content": "Better.",
    }.items() <= trained.data.tags.items()
    assert (failed.info.status, failed.data.tags["reason"]) == ("FAILED", "the worker died")
    assert {name: run.data.tags["kind"] for name, run in found.items()} == {
        "my study": "study", "trial 0": "trial", "finalist 0.1": "finalist", "finalist 0.2": "finalist",
    }  # fmt: skip


def test_a_finalist_that_an_earlier_session_trained_is_not_logged_again(
    make: Callable[..., Tracker], runs: Callable[[], dict[str, Run]], store: str
) -> None:
    for epochs, test in [(5, 0.2), (5, 0.9), (8, 0.3)]:  # of the same training, again, and of a longer one
        session = make()
        start(session)
        assert session.open_trials == []
        finalist(session, epochs=epochs, test=test)
        end(session)
    run = runs()["finalist 0.1"]
    assert run.data.tags["narm.run"] == "finalist 0, seed 17"  # as in outboxes of old, whose runs are not to be doubled
    assert run.data.metrics == {"test_mrr_at_10": 0.3}
    history = MlflowClient(tracking_uri=store).get_metric_history(run.info.run_id, "test_mrr_at_10")
    assert [(point.step, point.value) for point in history] == [(5, 0.2), (8, 0.3)]


def test_every_run_names_its_data_and_what_they_were_used_for(
    tracker: Tracker, runs: Callable[[], dict[str, Run]]
) -> None:
    tracker.start_study("my study", tags={}, params={}, artifacts={}, dataset=DATASET)
    trial(tracker, 0)
    finalist(tracker)
    end(tracker)
    used = {}
    for name, run in runs().items():
        [given] = run.inputs.dataset_inputs
        used[name] = given.tags[0].value
        assert (given.dataset.name, given.dataset.digest) == ("clicks", "f" * 12)
        assert json.loads(given.dataset.profile) == {"n_items": 20, "sha256": "f" * 64}
    assert used == {
        "my study": "train, valid, test", "trial 0": "train, valid", "finalist 0.1": "train, valid, test",
    }  # fmt: skip


def test_a_verdict_takes_the_place_of_the_description(tracker: Tracker, runs: Callable[[], dict[str, Run]]) -> None:
    tracker.start_study("my study", tags={}, params={}, artifacts={}, description="To come.")
    tracker.start_trial(0, params={}, tags={})
    tracker.end_trial(0, state="FAIL", reason="x" * 10_000, metrics={}, description="It failed.")
    end(tracker, description="Trial 0.")
    found = runs()
    assert found["my study"].data.tags["mlflow.note.content"] == "Trial 0."
    assert found["trial 0"].data.tags["mlflow.note.content"] == "It failed."
    assert found["trial 0"].data.tags["reason"] == "x" * LONGEST_TAG  # MLflow refuses a longer one, and all with it


def test_system_metrics_are_those_of_the_study_and_go_on(
    make: Callable[..., Tracker], runs: Callable[[], dict[str, Run]], store: str
) -> None:
    for value in (1.0, 2.0):
        session = make()
        start(session)
        session.log_system({"workers": value})
        end(session)
    history = MlflowClient(tracking_uri=store).get_metric_history(runs()["my study"].info.run_id, "system/workers")
    assert [(point.step, point.value) for point in history] == [(1, 1.0), (2, 2.0)]


def test_nothing_is_left_running(tracker: Tracker, runs: Callable[[], dict[str, Run]]) -> None:
    start(tracker)
    trial(tracker, 0, state=None)
    trial(tracker, 1)
    end(tracker, status="KILLED")
    found = runs()
    assert {run.info.status for run in found.values()} == {"KILLED", "FINISHED"}
    assert found["trial 0"].info.status == found["my study"].info.status == "KILLED"
    assert found["trial 0"].data.tags["state"] == "INTERRUPTED"
    assert found["trial 0"].data.tags["reason"] == "the search ended before the trial did"


def test_a_killed_session_goes_on_in_the_same_runs(
    make: Callable[..., Tracker], runs: Callable[[], dict[str, Run]]
) -> None:
    killed = make()
    start(killed, trials=2)
    trial(killed, 0)
    trial(killed, 1, state=None, epochs=1)
    trial(killed, 2, state=None, epochs=1)
    assert killed._drainer.flush(60)
    killed._drainer.stop()
    killed._outbox.close()
    before = {name: run.info.run_id for name, run in runs().items()}

    resumed = make()
    start(resumed, trials=3, seed=1)
    assert resumed.open_trials == [1, 2]
    trial(resumed, 2)
    end(resumed)
    after = runs()
    assert {name: run.info.run_id for name, run in after.items()} == before
    assert resumed.run_id(0) == before["trial 0"]
    assert after["trial 1"].info.status == "KILLED"
    assert after["trial 1"].data.tags["reason"] == "the search ended before the trial did"
    assert after["trial 2"].info.status == after["my study"].info.status == "FINISHED"
    # MLflow keeps a parameter's first value; what is new is added
    assert after["my study"].data.params == {"trials": "2", "seed": "1"}


def test_a_study_that_goes_on_is_running_again(
    make: Callable[..., Tracker], runs: Callable[[], dict[str, Run]]
) -> None:
    interrupted = make()
    start(interrupted)
    end(interrupted, status="KILLED")
    assert runs()["my study"].info.status == "KILLED"
    resumed = make()
    start(resumed)
    assert resumed._drainer.flush(60)
    assert runs()["my study"].info.status == "RUNNING"
    end(resumed)
    assert runs()["my study"].info.status == "FINISHED"


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
    again = MlflowWriter(store, outbox.header)
    for update in outbox.read(limit=10_000)[0]:  # one by one: batches need not be cut in the same places
        again.send([update])
    outbox.close()
    assert {name: run.to_dictionary() for name, run in runs().items()} == before
    assert len(client.get_metric_history(again.run_ids["0"], "mrr_at_10")) == 3


class Flaky:
    """A client whose every call fails at first, some of them after they have taken effect."""

    def __init__(self, uri: str, failures: Counter[str], calls: Counter[str]) -> None:
        self._client = MlflowClient(tracking_uri=uri)
        self._failures = failures
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            self._calls[name] += 1
            self._failures[name] -= 1
            if self._failures[name] == 1:
                raise ConnectionError("not reached")
            result = getattr(self._client, name)(*arguments, **options)
            if self._failures[name] == 0:
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
    monkeypatch: pytest.MonkeyPatch,
    store: str,
) -> None:
    failures = Counter({failing: 2})
    calls: Counter[str] = Counter()
    monkeypatch.setattr("experiments.tracking.mlflow_writer._new_client", lambda uri: Flaky(uri, failures, calls))
    tracker = make()
    start(tracker)
    trial(tracker, 0)
    trial(tracker, 1)
    end(tracker)
    assert calls[failing] >= 2
    found = runs()
    assert set(found) == {"my study", "trial 0", "trial 1"}
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    assert found["trial 1"].data.metrics == {"mrr_at_10": 0.3, "train_loss": 4.0, "best_mrr_at_10": 0.3}
    history = MlflowClient(tracking_uri=store).get_metric_history(found["trial 0"].info.run_id, "mrr_at_10")
    assert len(history) == 3
    assert artifact(found["my study"], "space.yaml") == b"a: 1\n"


def test_an_absent_server_ends_in_one_line_without_the_password(
    make: Callable[..., Tracker], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    tracker = make("http://me:pass@127.0.0.1:1")
    tracker._flush_seconds = 0.5
    start(tracker)
    trial(tracker, 0)
    end(tracker)
    assert tracker.run_id(0) is None
    warnings = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings[0].startswith("MLflow at http://***@127.0.0.1:1 does not take results (")
    assert warnings[1:] == [
        f"not everything has reached MLflow: the rest waits in {tmp_path}/outbox.jsonl; "
        "`python -m experiments.sync` sends it"
    ]
    assert "pass@" not in "".join(path.read_text() for path in tmp_path.glob("outbox.jsonl*")) + caplog.text


def test_a_run_that_a_slow_server_created_after_all_is_deleted(
    tracker: Tracker, runs: Callable[[], dict[str, Run]], store: str
) -> None:
    start(tracker)
    trial(tracker, 0, state=None)
    assert tracker._drainer.flush(60)
    client = MlflowClient(tracking_uri=store)
    study, real = runs()["my study"], tracker.run_id(0)
    tags = {STUDY_TAG: study.data.tags[STUDY_TAG], RUN_TAG: "0"}
    late = client.create_run(study.info.experiment_id, run_name="late", tags=tags).info.run_id
    tracker._mirror._client = None  # as after an outage: what runs there are is asked anew
    tracker.log_epoch(0, epoch=4, metrics={"mrr_at_10": 0.4})
    assert tracker._drainer.flush(60)
    assert tracker.run_id(0) == real
    assert client.get_run(late).info.lifecycle_stage == "deleted"

    tracker._mirror._has_failed = True
    later = client.create_run(study.info.experiment_id, run_name="later", tags=tags).info.run_id
    end(tracker)  # with no outage in between
    assert client.get_run(later).info.lifecycle_stage == "deleted"
    assert runs()["trial 0"].info.lifecycle_stage == "active"


def test_the_end_of_a_search_lets_a_call_finish_and_begins_no_other(
    make: Callable[..., Tracker], monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    calls: Counter[str] = Counter()

    class Slow(Flaky):
        def __getattr__(self, name: str) -> Any:
            call = super().__getattr__(name)

            def slow(*arguments: Any, **options: Any) -> Any:
                time.sleep(0.3)
                return call(*arguments, **options)

            return slow

    monkeypatch.setattr("experiments.tracking.mlflow_writer._new_client", lambda uri: Slow(uri, Counter(), calls))
    tracker = make()
    tracker._flush_seconds = 0.1
    start(tracker)
    for number in range(20):
        trial(tracker, number)
    end(tracker)
    assert not tracker._drainer._thread.is_alive()
    assert calls.total() < 15


def test_the_search_goes_on_where_a_run_was_deleted(
    tracker: Tracker, runs: Callable[[], dict[str, Run]], store: str, caplog: pytest.LogCaptureFixture
) -> None:
    start(tracker)
    trial(tracker, 0, state=None)
    assert tracker._drainer.flush(60)
    MlflowClient(tracking_uri=store).delete_run(tracker.run_id(0) or "")
    tracker._mirror._client = None  # as after an outage: what runs there are is asked anew
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


def registration(checkpoint: Path) -> Registration:
    return Registration(
        name=f"narm-{checkpoint.parent.name}", checkpoint=str(checkpoint), description="", tags={"trial": "0"}
    )


def test_a_model_is_registered_with_links_to_its_study_and_trial(
    tracker: Tracker, runs: Callable[[], dict[str, Run]], store: str, tmp_path: Path, ring_splits: Splits
) -> None:
    config = Config.from_flat(embedding_size=4, hidden_size=4, epochs=1)
    for epoch in fit(create_model(20, config), ring_splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(tmp_path / "winner.pt", epoch.state, config=config, splits=ring_splits)
    start(tracker)
    trial(tracker, 0)
    end(tracker, registration=registration(tmp_path / "winner.pt"))
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
    end(tracker, metrics={"best_mrr_at_10": 0.3}, registration=registration(tmp_path / "gone.pt"))
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
    make: Callable[..., Tracker],
    runs: Callable[[], dict[str, Run]],
    monkeypatch: pytest.MonkeyPatch,
    store: str,
    tmp_path: Path,
) -> None:
    calls: Counter[str] = Counter()
    monkeypatch.setattr("experiments.tracking.mlflow_writer._new_client", lambda uri: Flaky(uri, Counter(), calls))
    names = [metric_key(name, cutoff) for name in METRICS for cutoff in (1, 5, 10, 20)]
    outbox = Outbox(
        tmp_path / "outbox.jsonl", {"study": "x", "name": "many", "experiment": tmp_path.name}, receiver="x"
    )
    header = {**outbox.header, "artifact_dir": str(tmp_path)}
    outbox.close()
    mirror = MlflowWriter(store, header)
    mirror.send(
        [
            tracking.Update(run="0", time=1000 + epoch, step=epoch, metrics=dict.fromkeys(names, 0.1))
            for epoch in range(100)
        ]
    )
    assert calls["log_batch"] == 3  # 2000 metrics, 800 a call
    assert set(runs()["trial 0"].data.metrics) == set(names)


def test_values_that_are_not_finite_are_kept(tracker: Tracker, runs: Callable[[], dict[str, Run]]) -> None:
    start(tracker)
    tracker.start_trial(0, params={}, tags={})
    tracker.log_epoch(0, epoch=1, metrics={"train_loss": float("nan"), "mrr_at_10": 0.1})
    end(tracker)
    metrics = runs()["trial 0"].data.metrics
    assert metrics["mrr_at_10"] == 0.1
    assert metrics["train_loss"] != metrics["train_loss"]


def test_a_full_disk_does_not_end_the_search(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    start(tracker)
    monkeypatch.setattr(tracker._outbox, "append", full)
    trial(tracker, 0)
    assert "No space left on device: an update for MLflow is lost" in caplog.text


def test_two_searches_do_not_write_one_study(make: Callable[..., Tracker]) -> None:
    start(make())
    with pytest.raises(InputError, match="in use by another process"):
        start(make())


def test_nothing_secret_and_no_address_stands_in_the_outbox(tracker: Tracker, tmp_path: Path, store: str) -> None:
    start(tracker)
    end(tracker)
    content = (tmp_path / "outbox.jsonl").read_text()
    assert store not in content
    assert set(json.loads(content.splitlines()[0])) == {"study", "name", "experiment", "artifact_dir"}


QUIET = """
from pathlib import Path
from experiments.tracking.tracker import Tracker
tracker = Tracker("sqlite:///m.db", experiment="e", artifact_dir=Path("a"), outbox=Path("o"), flush_seconds=60)
tracker.start_study("s", tags={}, params={}, artifacts={})
tracker.start_trial(0, params={}, tags={})
tracker.end_study(status="FINISHED", metrics={}, tags={}, artifacts={}, files={})
assert tracker.run_id(0)
"""


def test_mlflow_prints_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(tracking.__file__).parents[1])}
    command = [sys.executable, "-c", QUIET]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.db", "o", "o.sent"]


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("sqlite:////data/my runs/m.db", "mlflow ui --backend-store-uri 'sqlite:////data/my runs/m.db'"),
        ("http://me:pass@host:5000", "http://***@host:5000"),
        ("postgresql://me:pass@host/db", "mlflow ui --backend-store-uri 'postgresql://***@host/db'"),
    ],
)
def test_where_to_look(make: Callable[..., Tracker], uri: str, shown: str) -> None:
    assert make(uri).where() == shown


def test_a_relative_database_does_not_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_tracking_uri("sqlite:///runs/m.db") == f"sqlite:///{tmp_path}/runs/m.db"
    assert absolute_tracking_uri("sqlite:////runs/m.db") == "sqlite:////runs/m.db"


@pytest.mark.parametrize("uri", ["", "mlruns", "file:///tmp/mlruns", "sqlite://", "sqlite:///", "http://", "ftp://x/y"])
def test_an_address_that_mlflow_cannot_write_to_is_refused(uri: str, make: Callable[..., Tracker]) -> None:
    with pytest.raises(InputError, match=r"tracking URI '.*': write sqlite:///FILE, http://"):
        make(uri)


def test_parameters_are_flat() -> None:
    assert flat_params(
        {
            "a": 1,
            "metrics": ("MRR", "Hit"),
            "args": {"sample_num": 2, "range": [0, 1.5]},
            "none": None,
            "empty": (),
        }
    ) == {
        "a": "1",
        "metrics": "['MRR', 'Hit']",
        "args_sample_num": "2",
        "args_range": "[0, 1.5]",
        "args_range_0": "0",
        "args_range_1": "1.5",
        "none": "None",
        "empty": "[]",
    }


def test_every_run_can_be_found_again_by_its_tags(tracker: Tracker, runs: Callable[[], dict[str, Run]]) -> None:
    start(tracker)
    trial(tracker, 7)
    end(tracker)
    assert {name: run.data.tags[RUN_TAG] for name, run in runs().items()} == {
        "my study": "study",
        "trial 7": "7",
    }


def test_a_database_is_there_with_all_its_tables_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "runs" / "mlflow.db"
    uri = f"sqlite:///{path}"

    def killed(*arguments: object, **options: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "search_experiments", killed)
        with pytest.raises(SystemExit):
            mirror._new_client(uri)
    assert not path.exists()
    assert mirror._new_client(uri).search_experiments()[0].name == "Default"
    assert [file.name for file in path.parent.iterdir()] == ["mlflow.db"]
