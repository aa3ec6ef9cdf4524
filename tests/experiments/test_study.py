"""Opening a study, and reading its results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from experiments.presets import PRESETS
from experiments.results import default_trial, summarize, winner
from experiments.spec import StudySpec
from experiments.study import open_study
from narm.config import Config
from narm.errors import InputError
from search_spaces.space import load_space


@pytest.fixture
def spec(tmp_path: Path) -> StudySpec:
    return make_spec(tmp_path)


def make_spec(output: Path, **changes: Any) -> StudySpec:
    settings: dict[str, Any] = {
        "name": "s",
        "config": Config.from_flat({"epochs": 3}),
        "space": load_space("recbole"),
        "sampler": "tpe",
        "scheduler": "asha",
        "trials": 4,
        "concurrency": 1,
        "threads": 1,
        "device": "cpu",
        "time_budget": None,
        "storage": f"sqlite:///{output}/studies.db",
        "tracking_uri": f"sqlite:///{output}/mlflow.db",
        "output": output,
        "command": "test",
    }
    return StudySpec(**{**settings, **changes})


def add(study: optuna.Study, value: float | None, state: TrialState, **attributes: Any) -> None:
    study.add_trial(
        optuna.create_trial(
            state=state,
            value=value,
            params={"learning_rate": 0.01, "hidden_size": 128, "n_layers": 1, "dropout_probs": "[0.1,0.2]"},
            distributions=load_space("recbole").distributions,
            user_attrs={"valid": {"mrr_at_10": value}, "reason": "", **attributes},
        )
    )


def test_a_new_study_waits_with_the_default_configuration(spec):
    study = open_study(spec)
    assert [trial.state for trial in study.trials] == [TrialState.WAITING]
    assert spec.checkpoints.is_dir()
    assert study.direction is optuna.study.StudyDirection.MAXIMIZE


def test_a_study_whose_folder_exists_is_refused(spec):
    open_study(spec)
    with pytest.raises(InputError, match=r"s exists already: choose another name"):
        open_study(spec)


def test_a_study_that_the_storage_has_is_refused(spec, tmp_path):
    open_study(spec)
    elsewhere = make_spec(tmp_path / "elsewhere", storage=spec.storage)
    with pytest.raises(InputError, match=r"study: 's' exists already in sqlite"):
        open_study(elsewhere)
    assert not elsewhere.folder.exists()


def test_a_password_of_the_storage_is_never_shown(tmp_path):
    with pytest.raises(InputError, match="cannot be opened") as error:
        open_study(make_spec(tmp_path, storage="postgresql://me:secret@nowhere.invalid/db"))
    assert "secret" not in str(error.value)


def test_a_space_smaller_than_the_number_of_trials_limits_it(tmp_path):
    assert make_spec(tmp_path, trials=100).trials_possible == 30
    assert make_spec(tmp_path, trials=100, config=Config.from_flat({"hidden_size": 8})).trials_possible == 31
    assert make_spec(tmp_path, trials=100, space=load_space("narm")).trials_possible == 100


def test_the_winner_is_the_best_with_a_value_and_the_first_of_equals(spec):
    study = open_study(spec)
    assert winner(study) is None
    add(study, None, TrialState.FAIL)
    assert winner(study) is None
    for value, state in ((0.1, TrialState.COMPLETE), (0.3, TrialState.PRUNED), (0.3, TrialState.COMPLETE)):
        add(study, value, state)
    best = winner(study)
    assert best is not None
    assert (best.number, best.value) == (3, 0.3)  # after the default, which waits, and the failed one


def test_the_default_is_known_once_it_has_a_value(spec):
    study = open_study(spec)
    assert default_trial(study) is None
    trial = study.ask()
    trial.report(0.2, 1)
    study.tell(trial, state=TrialState.PRUNED)
    found = default_trial(study)
    assert found is not None
    assert (found.number, found.value) == (0, 0.2)


def test_a_summary_counts_finished_trials_only_and_shows_options(spec, ring_splits):
    study = open_study(spec)
    study.ask()
    add(study, 0.2, TrialState.COMPLETE, epochs=3, best_epoch=2, seconds=1.5)
    add(study, None, TrialState.FAIL)
    summary = summarize(spec, ring_splits, study, run_ids={1: "run"}, wall_seconds=4.0)
    assert [trial.number for trial in summary.trials] == [1, 2]
    assert summary.trials[0].params["dropout_probs"] == [0.1, 0.2]  # not text, as Optuna holds it
    assert [trial.mlflow_run_id for trial in summary.trials] == ["run", None]
    assert (summary.counts.complete, summary.counts.failed) == (1, 1)
    assert summary.timing.training_s == 1.5
    assert summary.timing.overhead_s == 2.5
    assert summary.best is not None
    assert summary.best.number == 1
    assert summary.default is None


def test_presets_are_searches_that_can_end():
    for preset in PRESETS.values():
        assert preset.trials >= 1
        assert preset.epochs >= 1
        assert preset.purpose
