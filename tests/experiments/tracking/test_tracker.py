"""What MLflow then holds of a study, its trials and its finalists, through a real SQLite store."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from support.tracked_study import artifact, end, start, trial

from experiments.tracking import tracker as tracking
from experiments.tracking.mlflow_writer import RUN_TAG, MlflowWriter
from experiments.tracking.moved import Place
from experiments.tracking.outbox import Outbox
from experiments.tracking.sender import Sender
from experiments.tracking.tracker import Tracker, where_to_look
from experiments.tracking.update import Update
from experiments.tracking.update_fields import LONGEST_TAG
from experiments.tuning.study.dataset import Dataset
from experiments.tuning.worker.addresses import absolute_tracking_uri
from narm.errors import InputError

pytestmark = pytest.mark.slow


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


DATASET = Dataset(
    name="clicks", fingerprint="f" * 64, source="clicks.csv", n_items=20, n_sessions=4, n_train=9, n_valid=3, n_test=2,
    n_chosen_valid=1,
)  # fmt: skip


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
    make: Callable[..., Tracker], runs: Callable[[], dict[str, Run]]
) -> None:
    tracker = make(dataset=DATASET)
    start(tracker)
    trial(tracker, 0)
    finalist(tracker)
    end(tracker)
    used = {}
    for name, run in runs().items():
        [given] = run.inputs.dataset_inputs
        used[name] = given.tags[0].value
        assert (given.dataset.name, given.dataset.digest) == ("clicks", "f" * 12)
        assert json.loads(given.dataset.profile) == {
            "n_items": 20, "n_sessions": 4, "n_train": 9, "n_valid": 3, "n_test": 2, "sha256": "f" * 64,
        }  # fmt: skip
    assert used == {
        "my study": "train, valid, test", "trial 0": "train, valid", "finalist 0.1": "train, valid, test",
    }  # fmt: skip


def test_a_verdict_takes_the_place_of_the_description(tracker: Tracker, runs: Callable[[], dict[str, Run]]) -> None:
    tracker.start_study(tags={}, params={}, artifacts={}, description="To come.")
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
    assert killed.flush(60)
    killed.close()
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
    assert resumed.flush(60)
    assert runs()["my study"].info.status == "RUNNING"
    end(resumed)
    assert runs()["my study"].info.status == "FINISHED"


def test_an_absent_server_ends_in_one_line_without_the_password(
    make: Callable[..., Tracker], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    tracker = make("http://me:pass@127.0.0.1:1", flush_seconds=0.5)
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


def test_values_that_are_not_finite_are_kept(tracker: Tracker, runs: Callable[[], dict[str, Run]]) -> None:
    start(tracker)
    tracker.start_trial(0, params={}, tags={})
    tracker.log_epoch(0, epoch=1, metrics={"train_loss": float("nan"), "mrr_at_10": 0.1})
    end(tracker)
    metrics = runs()["trial 0"].data.metrics
    assert metrics["mrr_at_10"] == 0.1
    assert metrics["train_loss"] != metrics["train_loss"]


def test_a_full_disk_does_not_end_the_search(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class FullOutbox(Outbox):
        def append(self, update: Update) -> None:
            raise OSError(28, "No space left on device")

    outbox = FullOutbox(tmp_path / "outbox.jsonl", {}, receiver="x")
    place = Place.of(outbox.header, outbox.path)
    writer = MlflowWriter("sqlite:///nowhere.db", outbox.header, place)
    tracker = Tracker(outbox, place, writer, Sender(outbox, writer.send, name="x"))
    start(tracker)
    trial(tracker, 0)
    outbox.close()
    assert "No space left on device: an update for MLflow is lost" in caplog.text


def test_two_searches_do_not_write_one_study(make: Callable[..., Tracker]) -> None:
    make()
    with pytest.raises(InputError, match="in use by another process"):
        make()


def test_nothing_secret_and_no_address_stands_in_the_outbox(tracker: Tracker, tmp_path: Path, store: str) -> None:
    start(tracker)
    end(tracker)
    content = (tmp_path / "outbox.jsonl").read_text()
    assert store not in content
    assert set(json.loads(content.splitlines()[0])) == {"study", "name", "experiment", "artifact_dir", "folder"}


QUIET = """
from pathlib import Path
from experiments.tracking.tracker import open_tracker
tracker = open_tracker(
    "sqlite:///m.db", name="s", experiment="e", artifact_dir=Path("a"), outbox=Path("o"), flush_seconds=60
)
tracker.start_study(tags={}, params={}, artifacts={})
tracker.start_trial(0, params={}, tags={})
tracker.end_study(status="FINISHED", metrics={}, tags={}, artifacts={}, files={})
assert tracker.run_id(0)
"""


def test_mlflow_prints_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(tracking.__file__).parents[2])}
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
def test_where_to_look(uri: str, shown: str) -> None:
    assert where_to_look(uri) == shown


def test_a_relative_database_does_not_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_tracking_uri("sqlite:///runs/m.db") == f"sqlite:///{tmp_path}/runs/m.db"
    assert absolute_tracking_uri("sqlite:////runs/m.db") == "sqlite:////runs/m.db"


@pytest.mark.parametrize("uri", ["", "mlruns", "file:///tmp/mlruns", "sqlite://", "sqlite:///", "http://", "ftp://x/y"])
def test_an_address_that_mlflow_cannot_write_to_is_refused(uri: str, make: Callable[..., Tracker]) -> None:
    with pytest.raises(InputError, match=r"tracking URI '.*': write sqlite:///FILE, http://"):
        make(uri)


def test_every_run_can_be_found_again_by_its_tags(tracker: Tracker, runs: Callable[[], dict[str, Run]]) -> None:
    start(tracker)
    trial(tracker, 7)
    end(tracker)
    assert {name: run.data.tags[RUN_TAG] for name, run in runs().items()} == {
        "my study": "study",
        "trial 7": "7",
    }
