"""A trial that is trained again gets its value again, and the command says so when it does not."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import FrozenTrial, TrialState

from experiments import replay
from experiments.cli import run_replay
from experiments.cli.running import run_command
from experiments.cli.search_arguments import build_spec
from experiments.cli.search_parser import build_parser
from experiments.tuning.driver.study_run import build_engine
from experiments.tuning.optimizer.scheduler import Decision
from experiments.tuning.study.storage import closing_study, create_study, load_study, storage_in
from experiments.tuning.worker.checkpoints import CheckpointStore
from experiments.tuning.worker.jobs import Training, TrialJob
from experiments.tuning.worker.trial_training import train_trial
from narm.config_file import OptionsFile
from narm.data.datasets import load_splits
from narm.training import NonFiniteLoss

pytestmark = pytest.mark.slow


class NoCallbacks:
    """Callbacks that do nothing."""

    def __getattr__(self, _: str) -> Any:
        return lambda *_: None


def search(output: Path, *arguments: str) -> None:
    """A search of tiny models in this process, without Ray: study `s`."""
    space = output / "space.yaml"
    space.write_text("learning_rate: {low: 0.001, high: 0.1, log: true}\n")
    fixed = ["--preset", "smoke", "--space", str(space), "--study", "s", "--output", str(output), "--sampler", "random"]
    small = ["--hidden_size", "8", "--embedding_size", "8", "--concurrency", "1", "--threads", "1", "--device", "cpu"]
    spec = build_spec(build_parser().parse_args([*fixed, *small, *arguments]), OptionsFile())
    splits = load_splits(spec.config.data)
    store = CheckpointStore(str(output / "checkpoints"))
    store.prepare()
    training = Training(config=spec.config, threads=1, device="cpu", checkpoints=store, finalist_checkpoints=store)
    with closing_study(create_study(spec, splits.fingerprint)) as study:
        engine = build_engine(spec, study, NoCallbacks())
        while isinstance(job := engine.next_job(), TrialJob):
            for report in train_trial(job, splits, training, output):
                if engine.report(job.number, report) is not Decision.CONTINUE:
                    break
        engine.close()


def trials(output: Path) -> list[FrozenTrial]:
    with closing_study(load_study("s", storage_in(output))) as study:
        return study.trials


def change(output: Path, number: int, name: str, value: Any) -> None:
    """Another user attribute of a trial, which Optuna refuses once it has ended."""
    new = (json.dumps(value), name, trials(output)[number]._trial_id)
    with closing(sqlite3.connect(output / "studies.db")) as database, database:
        database.execute("UPDATE trial_user_attributes SET value_json = ? WHERE key = ? AND trial_id = ?", new)


def replayed(output: Path, number: int, *arguments: str) -> int:
    return run_command(replay.main, ["s", str(number), "--output", str(output), *arguments])


@pytest.fixture(scope="module")
def halved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six trials, of which the scheduler stops some."""
    output = tmp_path_factory.mktemp("halved")
    search(output, "--trials", "6", "--epochs", "3", "--scheduler", "median", "--grace-epochs", "1")
    return output


def test_every_trial_gets_its_value_again_to_the_last_bit_where_the_scheduler_stopped_it_too(halved, capsys):
    states = {trial.state for trial in trials(halved)}
    assert states == {TrialState.COMPLETE, TrialState.PRUNED}
    for trial in trials(halved):
        value = trial.user_attrs["progress"]["value"]
        assert replayed(halved, trial.number) == 0
        assert f"now:  {value!r}: the same, to the last bit" in capsys.readouterr().out


def test_a_trial_that_started_from_anothers_checkpoint_gets_its_value_again(tmp_path, capsys):
    search(tmp_path, "--trials", "6", "--epochs", "3", "--scheduler", "pbt", "--grace-epochs", "1")
    descendants = [trial for trial in trials(tmp_path) if "parent" in trial.user_attrs]
    assert min(descendants[-1].intermediate_values) > 1
    assert replayed(tmp_path, descendants[-1].number) == 0
    assert "to the last bit" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "value"), [("seed", 1), ("options", {"learning_rate": 0.05})])
def test_another_seed_or_option_is_another_value(halved, capsys, name, value):
    kept = trials(halved)[1].user_attrs[name]
    change(halved, 1, name, value)
    assert replayed(halved, 1) == 1
    change(halved, 1, name, kept)
    assert "another value" in capsys.readouterr().out


def test_a_trial_that_diverges_has_not_got_its_value_again(halved, capsys, monkeypatch):
    def diverge(*_: object, **__: object) -> None:
        raise NonFiniteLoss("the loss is nan in epoch 1")

    monkeypatch.setattr(run_replay, "train_trial", diverge)
    assert replayed(halved, 1) == 1
    assert "diverges now" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("now", "epoch", "agreement"),
    [(0.5, 3, "SAME"), (0.5 + 1e-9, 3, "ROUNDED"), (0.51, 3, "ANOTHER"), (0.5, 2, "ANOTHER")],
)
def test_a_value_compares_with_the_one_before(now, epoch, agreement):
    then = {"epochs": 3, "value": 0.5}
    assert run_replay.Agreement.of(then, epoch, now).name == agreement


def test_a_trial_without_a_value_is_told(halved, capsys):
    kept = trials(halved)[2].user_attrs["progress"]
    change(halved, 2, "progress", None)
    assert replayed(halved, 2) == 2
    change(halved, 2, "progress", kept)
    assert "trial: 2 of study 's' has no value to get again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["s", "9"], "error: trial: study 's' has no 9: choose 0 to 5\n"),
        (["r", "0"], "error: study: there is no 'r' in "),
        (["s", "0", "--test_share", "0.2"], "was on other data (fingerprint "),
        (["s", "0", "--threads", "0"], "error: threads: 0 should be 1 or more\n"),
        (["s", "0", "--device", "tpu"], "error: device: 'tpu' is none of auto, cpu, cuda\n"),
    ],
)
def test_a_mistake_is_told_in_one_line(halved, capsys, arguments, message):
    assert run_command(replay.main, [*arguments, "--output", str(halved)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
