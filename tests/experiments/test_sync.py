"""Bringing MLflow up to date after the search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from experiments import sync
from experiments.cli.running import run_command
from experiments.tracking.outbox import Outbox
from experiments.tracking.tracker import open_tracker
from experiments.tuning.study.trial_attributes import SPEC

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database that all tests share, as its creation takes seconds; each has an experiment of its own."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture
def runs(store: str, tmp_path: Path) -> Callable[[], dict[str, Run]]:
    def find() -> dict[str, Run]:
        client = MlflowClient(store)
        experiment = client.get_experiment_by_name(tmp_path.name)
        found = [] if experiment is None else client.search_runs([experiment.experiment_id])
        assert len({run.info.run_name for run in found}) == len(found)
        return {run.info.run_name: run for run in found}

    return find


@pytest.fixture
def study(tmp_path: Path) -> str:
    """A study whose server was never there."""
    record(tmp_path, None)
    (tmp_path / "my-study").mkdir()
    tracker = open_tracker(
        "http://127.0.0.1:1",
        name="my-study",
        experiment=tmp_path.name,
        artifact_dir=tmp_path / "artifacts",
        outbox=tmp_path / "my-study" / "outbox.jsonl",
        flush_seconds=0,
    )
    tracker.start_study(tags={}, params={"seed": 1}, artifacts={"space.yaml": "a: 1\n"})
    tracker.start_trial(0, params={"learning_rate": 0.01}, tags={})
    tracker.log_epoch(0, epoch=1, metrics={"mrr_at_10": 0.1})
    tracker.end_trial(0, state="COMPLETE", reason="done", metrics={})
    tracker.end_study(status="FINISHED", metrics={}, tags={}, artifacts={}, files={})
    return "my-study"


def record(output: Path, uri: str | None) -> None:
    """What the study database knows of where results went."""
    storage = f"sqlite:///{output}/studies.db"
    study = optuna.create_study(study_name="my-study", storage=storage, load_if_exists=True)
    study.set_user_attr(SPEC, {"tracking_uri": uri})


def synchronize(output: Path, *arguments: str) -> int:
    return run_command(sync.main, ["my-study", "--output", str(output), *arguments])


def test_what_waits_is_sent_once(study, store, runs, tmp_path, capsys):
    record(tmp_path, store)
    assert synchronize(tmp_path) == 0
    assert capsys.readouterr().out == f"my-study: 5 updates of 2 runs sent to {store}\n"
    found = runs()
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    assert found["trial 0"].data.metrics == {"mrr_at_10": 0.1}

    assert synchronize(tmp_path) == 0
    assert capsys.readouterr().out == f"my-study: nothing waits for {store} (--all sends everything again)\n"
    assert synchronize(tmp_path, "--all") == 0
    assert capsys.readouterr().out == f"my-study: 5 updates of 2 runs sent to {store}\n"
    assert {name: run.to_dictionary() for name, run in runs().items()} == {
        name: run.to_dictionary() for name, run in found.items()
    }


def test_a_study_may_be_named_by_its_folder(study, store, runs, tmp_path, capsys):
    assert run_command(sync.main, [f"{tmp_path}/my-study/", "--tracking-uri", store]) == 0
    assert capsys.readouterr().out == f"my-study: 5 updates of 2 runs sent to {store}\n"


def test_another_server_is_sent_everything(study, store, runs, tmp_path):
    assert synchronize(tmp_path, "--tracking-uri", store) == 0
    assert set(runs()) == {"my-study", "trial 0"}


def test_a_server_that_is_away_is_status_1_and_nothing_is_lost(study, store, runs, tmp_path, capsys):
    assert synchronize(tmp_path, "--tracking-uri", "http://me:pass@127.0.0.1:1") == 1
    message = capsys.readouterr().err
    assert message.startswith("error: http://***@127.0.0.1:1 does not take results (")
    assert message.endswith(f"): {tmp_path}/my-study/outbox.jsonl keeps them\n")
    assert message.count("\n") == 1
    assert synchronize(tmp_path, "--tracking-uri", store) == 0
    assert set(runs()) == {"my-study", "trial 0"}


def test_what_mlflow_does_not_take_is_status_1(study, store, runs, tmp_path, capsys):
    artifacts = tmp_path / "artifacts"
    artifacts.write_text("where a folder should be")
    assert synchronize(tmp_path, "--tracking-uri", store) == 1
    assert capsys.readouterr().err.endswith("error: MLflow did not take 1 of them, see above\n")
    assert {run.info.status for run in runs().values()} == {"FINISHED"}
    artifacts.unlink()
    assert synchronize(tmp_path, "--tracking-uri", store, "--all") == 0


def test_it_waits_for_the_search_to_end(study, store, tmp_path, capsys):
    searching = Outbox(tmp_path / "my-study" / "outbox.jsonl", {}, receiver="x")
    assert synchronize(tmp_path, "--tracking-uri", store) == 2
    assert "in use by another process" in capsys.readouterr().err
    searching.close()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my-studi", "did you mean 'my-study'?"),
        ("my-study", "tracking URI: it had a password, and is kept nowhere: give --tracking-uri"),
    ],
)
def test_a_mistake_is_one_line(study, tmp_path, capsys, name, message):
    assert run_command(sync.main, [name, "--output", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.endswith(f"{message}\n")
    assert error.count("\n") == 1


def test_an_empty_folder_has_no_studies(tmp_path, capsys):
    assert synchronize(tmp_path) == 2
    assert "has no studies: name their folder with --output" in capsys.readouterr().err


def test_without_the_study_database_the_server_must_be_named(study, store, tmp_path, capsys):
    (tmp_path / "studies.db").unlink()
    assert synchronize(tmp_path) == 2
    assert "studies.db is not there, and it knows the server: give --tracking-uri or --storage" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "studies.db").exists()
    assert synchronize(tmp_path, "--tracking-uri", store) == 0
