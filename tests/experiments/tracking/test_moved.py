"""What belongs to a study is found again where the study is now."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient
from support.mlflow_store import prepared_store

from experiments.tracking.moved import Place, correct_locations
from experiments.tracking.tracker import open_tracker

TABLES = (
    "CREATE TABLE experiments (artifact_location TEXT)",
    "CREATE TABLE runs (artifact_uri TEXT)",
    "CREATE TABLE logged_models (artifact_location TEXT)",
    "CREATE TABLE model_versions (source TEXT, storage_location TEXT)",
)


def database(folder: Path, location: str | None) -> Path:
    """The tables of MLflow's that have addresses, of one experiment with one run."""
    folder.mkdir(parents=True)
    file = folder / "mlflow.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        for table in TABLES:
            connection.execute(table)
        connection.execute("INSERT INTO experiments VALUES (?)", (location,))
        connection.execute("INSERT INTO runs VALUES (?)", (f"{location}/r/artifacts",))
        connection.execute("INSERT INTO model_versions VALUES (?, NULL)", (f"{location}/r/artifacts/models/m",))
    return file


def locations(file: Path) -> list[str | None]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for table in ("experiments", "runs", "model_versions")
                for row in connection.execute(f"SELECT * FROM {table}")]  # fmt: skip


def told(folder: Path) -> list[str]:
    home = (folder / "artifacts").as_uri()
    return [home, f"{home}/r/artifacts", f"{home}/r/artifacts/models/m"]


@pytest.mark.parametrize("name", ["moved", "50 % of it#1?", "日本"])
def test_a_moved_database_points_to_the_artifacts_beside_it(tmp_path, name):
    file = database(tmp_path / name, (tmp_path / "old % runs" / "artifacts").as_uri())
    (tmp_path / name / "artifacts").mkdir()
    correct_locations(file)
    assert locations(file) == told(tmp_path / name)


def test_a_copy_has_artifacts_of_its_own(tmp_path):
    original = database(tmp_path / "runs", (tmp_path / "runs" / "artifacts").as_uri())
    (tmp_path / "runs" / "artifacts").mkdir()
    shutil.copytree(tmp_path / "runs", tmp_path / "copy")
    correct_locations(tmp_path / "copy" / "mlflow.db")
    correct_locations(original)
    assert locations(tmp_path / "copy" / "mlflow.db") == told(tmp_path / "copy")
    assert locations(original) == told(tmp_path / "runs")


@pytest.mark.parametrize("location", ["s3://bucket/artifacts", "mlflow-artifacts:/1", "file:///mlruns/0", None])
def test_other_locations_stay_as_they_are(tmp_path, location):
    file = database(tmp_path / "runs", location)
    (tmp_path / "runs" / "artifacts").mkdir()
    before = locations(file)
    correct_locations(file)
    assert locations(file) == before


def test_artifacts_that_another_folder_keeps_stay_there(tmp_path):
    (tmp_path / "elsewhere" / "artifacts").mkdir(parents=True)
    file = database(tmp_path / "runs", (tmp_path / "elsewhere" / "artifacts").as_uri())
    (tmp_path / "runs" / "artifacts").mkdir()
    correct_locations(file)
    assert locations(file) == told(tmp_path / "elsewhere")


def test_files_of_a_study_are_found_after_each_move(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    (second / "s").mkdir(parents=True)
    (second / "s" / "winner.pt").touch()
    then = Place(folder=first / "s", begun_in=first)
    now = Place.of({"folder": str(first / "s")}, second / "s" / "outbox.jsonl")
    assert then.within(first / "s" / "winner.pt") == "winner.pt"
    assert now.now("winner.pt") == second / "s" / "winner.pt"
    assert now.now(str(first / "s" / "winner.pt")) == second / "s" / "winner.pt"  # as earlier versions wrote it
    assert now.now(str(first / "artifacts")) == second / "artifacts"
    assert now.now("/elsewhere/model.pt") == Path("/elsewhere/model.pt")
    assert now.within(Path("/elsewhere/model.pt")) == "/elsewhere/model.pt"


def test_an_outbox_of_an_earlier_version_says_where_it_was_by_its_artifacts(tmp_path):
    place = Place.of({"artifact_dir": "/old/runs/artifacts"}, tmp_path / "s" / "outbox.jsonl")
    assert place == Place(folder=tmp_path / "s", begun_in=Path("/old/runs"))


@pytest.fixture
def runs(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a study whose run MLflow has."""
    folder = tmp_path / "runs"
    (folder / "s").mkdir(parents=True)
    prepared_store(folder / "mlflow.db", tmp_path_factory)
    record(folder, {})
    return folder


def record(folder: Path, artifacts: dict[str, str]) -> None:
    """A session of the study."""
    tracker = open_tracker(
        f"sqlite:///{folder}/mlflow.db", name="s", experiment="e", artifact_dir=folder / "artifacts",
        outbox=folder / "s" / "outbox.jsonl",
    )  # fmt: skip
    tracker.start_study(tags={}, params={}, artifacts=artifacts)
    tracker.end_study(status="FINISHED", metrics={}, tags={}, artifacts={}, files={})


@pytest.mark.slow
def test_a_moved_study_goes_on_in_the_same_run_with_its_artifacts(runs, tmp_path):
    moved = runs.rename(tmp_path / "moved")  # within one process MLflow remembers where it kept an artifact
    record(moved, {"space.yaml": "a: 1\n"})
    client = MlflowClient(f"sqlite:///{moved}/mlflow.db")
    [run] = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["space.yaml"]
    assert not runs.exists()
