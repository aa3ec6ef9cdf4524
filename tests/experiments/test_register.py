"""`python -m experiments.register` after a search, in another store, and where there is nothing to register."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from support.search_summary import FINALS, KEPT, SUMMARY

from experiments import register
from experiments.cli.exit_status import EXIT_NOT_REGISTERED, EXIT_USAGE
from experiments.cli.running import run_command
from experiments.tuning.study.summary import write_summary
from narm.checkpoint import save_checkpoint
from narm.config import Config
from narm.training import create_model, fit

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a study that is over, but for its winner."""
    folder = tmp_path / "my-study"
    folder.mkdir()
    write_summary(folder / "summary.json", SUMMARY)
    header = {"study": "5eed", "name": "my-study", "experiment": "synthetic", "artifact_dir": str(tmp_path / "kept")}
    (folder / "outbox.jsonl").write_text(json.dumps(header) + "\n")
    return folder


@pytest.fixture
def winner(folder, ring_splits) -> Path:
    config = Config.from_flat(embedding_size=4, hidden_size=4, epochs=1)
    for epoch in fit(create_model(20, config), ring_splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(folder / "winner.pt", epoch.state, config=config, splits=ring_splits)
    return folder / "winner.pt"


def run(folder: Path, *more: str) -> int:
    return run_command(register.main, ["my-study", "--output", str(folder.parent), *more])


def test_the_winner_becomes_champion_with_links_to_its_study(folder, winner, tmp_path, capsys):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert run(folder, "--tracking-uri", uri) == 0
    assert capsys.readouterr().out == "models:/narm-synthetic@champion\n"
    client = MlflowClient(uri)
    version = client.get_model_version_by_alias("narm-synthetic", "champion")
    assert client.get_run(version.run_id).info.run_name == "my-study"
    assert version.tags["narm.study"] == "5eed"


def test_a_study_may_be_named_by_its_folder(folder, winner):
    nowhere = ["--tracking-uri", "http://127.0.0.1:9"]
    assert run_command(register.main, [f"{folder}/", *nowhere]) == EXIT_NOT_REGISTERED


def test_a_server_that_is_away_is_one_line_and_its_own_status(folder, winner, capsys):
    assert run(folder, "--tracking-uri", "http://127.0.0.1:9") == EXIT_NOT_REGISTERED
    error = capsys.readouterr().err
    assert error.startswith("error: MLflow at http://127.0.0.1:9 did not take it: ")
    assert error.count("\n") == 1


def test_without_a_winner_there_is_nothing_to_register(folder, capsys):
    assert run(folder) == EXIT_USAGE
    error = capsys.readouterr().err
    assert "winner.pt: no such file: the search has not come to its end, or somebody has removed it; " in error
    assert error.endswith("--resume my-study writes it\n")


def test_without_an_outbox_it_is_not_known_where_to(folder, winner, capsys):
    (folder / "outbox.jsonl").unlink()
    assert run(folder) == EXIT_USAGE
    assert f"study: there is no {folder}/outbox.jsonl" in capsys.readouterr().err
    assert not (folder / "outbox.jsonl").exists()


def test_without_a_study_neither(tmp_path, capsys):
    assert run(tmp_path / "gone") == EXIT_USAGE
    assert "cannot read" in capsys.readouterr().err


def test_a_summary_that_is_none_is_named(folder, capsys):
    (folder / "summary.json").write_text('{"study": 3}')
    assert run(folder) == EXIT_USAGE
    assert "summary.json: not the summary of a search: " in capsys.readouterr().err


def test_a_study_that_keeps_another_model_has_none_to_register(folder, winner, capsys):
    write_summary(folder / "summary.json", replace(SUMMARY, finals=replace(FINALS, incumbent=KEPT)))
    assert run(folder) == EXIT_USAGE
    assert capsys.readouterr().err == ("error: study 'my-study' says to keep prod.pt: it has no model to register\n")
