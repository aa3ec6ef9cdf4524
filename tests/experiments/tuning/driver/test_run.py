"""Opening a study, and reading its results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy import event

from experiments.cli.presets import PRESETS
from experiments.tuning.study.objectives import parse_objectives
from experiments.tuning.study.results import default_trial, summarize, winner
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.storage import closing_study, create_study, load_study, resume_study
from experiments.tuning.study.trial_attributes import origin_of
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
        "objectives": parse_objectives("MRR@10"),
        "grace_epochs": None,
        "reduction": 3,
        "max_retries": 0,
        "max_failed": None,
        "gpus_per_trial": 0.0,
        "finalists": 0,
        "finalist_seeds": 1,
        "address": None,
        "checkpoint_storage": None,
        "storage": f"sqlite:///{output}/studies.db",
        "tracking_uri": f"sqlite:///{output}/mlflow.db",
        "output": output,
        "command": "test",
    }
    return StudySpec(**{**settings, **changes})


OPTIONS = {"learning_rate": 0.01, "hidden_size": 128, "n_layers": 1, "dropout_probs": [0.1, 0.2]}


def progress(value: float | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {"epochs": 3, "best_epoch": 2, "valid": {"mrr_at_10": value}, "seconds": 1.5, "value": value}


def add(study: optuna.Study, value: float | None, state: TrialState, **attributes: Any) -> None:
    study.add_trial(
        optuna.create_trial(
            state=state,
            value=value,
            params={"learning_rate": 0.01, "hidden_size": 128, "n_layers": 1, "dropout_probs": "[0.1,0.2]"},
            distributions=load_space("recbole").distributions,
            user_attrs={"options": OPTIONS, "progress": progress(value), "reason": "", **attributes},
        )
    )


def test_a_new_study_is_maximised_and_remembers_what_it_is_for(spec):
    study = create_study(spec, "f")
    assert study.trials == []
    assert study.direction is optuna.study.StudyDirection.MAXIMIZE
    assert study.user_attrs["spec"]["objectives"] == "MRR@10"


def test_a_study_goes_on_with_another_space_and_budget(spec, tmp_path):
    create_study(spec, "f")
    other = make_spec(tmp_path, space=load_space("narm"), trials=50, sampler="random")
    assert resume_study(other, "f").user_attrs["spec"]["trials"] == 50


@pytest.mark.parametrize(
    ("changes", "fingerprint", "message"),
    [
        ({}, "g", "was on other data"),
        ({"objectives": parse_objectives("Recall@20"), "config": Config.from_flat(epochs=3, valid_metric="Recall@20")},
         "f", "is for MRR@10, not Recall@20"),
        ({"config": Config.from_flat(epochs=3, train_batch_size=64)}, "f", "train_batch_size was 2048"),
    ],
)  # fmt: skip
def test_what_would_not_compare_is_refused(spec, tmp_path, changes, fingerprint, message):
    create_study(spec, "f")
    with pytest.raises(InputError, match=message):
        resume_study(make_spec(tmp_path, **changes), fingerprint)


def test_the_connections_to_a_study_are_closed_with_it(spec):
    closed: list[object] = []
    with closing_study(create_study(spec, "f")) as study:
        event.listen(study._storage._backend.engine, "close", lambda *_: closed.append(1))
        assert study.trials == []
        assert not closed
    assert closed


def test_a_study_that_is_not_there_is_told_with_the_nearest_name(spec):
    create_study(spec, "f")
    with pytest.raises(InputError, match="there is no 'ss' in sqlite"):
        load_study("ss", spec.storage)


def test_a_study_whose_folder_exists_is_refused(spec):
    create_study(spec, "f")
    with pytest.raises(InputError, match=r"s exists already: go on with it \(--resume s\)"):
        create_study(spec, "f")


def test_a_study_that_the_storage_has_is_refused(spec, tmp_path):
    create_study(spec, "f")
    elsewhere = make_spec(tmp_path / "elsewhere", storage=spec.storage)
    with pytest.raises(InputError, match=r"study: 's' exists already in sqlite"):
        create_study(elsewhere, "f")
    assert not elsewhere.folder.exists()


def test_a_password_of_the_storage_is_never_shown(tmp_path):
    with pytest.raises(InputError, match="cannot be opened") as error:
        create_study(make_spec(tmp_path, storage="postgresql://me:secret@nowhere.invalid/db"), "f")
    assert "secret" not in str(error.value)


def test_a_space_smaller_than_the_number_of_trials_limits_it(tmp_path):
    assert make_spec(tmp_path, trials=100).trials_possible == 30
    assert make_spec(tmp_path, trials=100, config=Config.from_flat({"hidden_size": 8})).trials_possible == 31
    assert make_spec(tmp_path, trials=100, space=load_space("narm")).trials_possible == 100


def test_the_winner_is_the_best_with_a_value_and_the_first_of_equals(spec):
    study = create_study(spec, "f")
    assert winner(study.trials) is None
    add(study, None, TrialState.FAIL)
    assert winner(study.trials) is None
    for value, state in ((0.1, TrialState.COMPLETE), (0.3, TrialState.PRUNED), (0.3, TrialState.COMPLETE)):
        add(study, value, state)
    best = winner(study.trials)
    assert best is not None
    assert (best.number, best.value) == (2, 0.3)


def test_the_default_is_known_once_it_has_a_value(spec):
    study = create_study(spec, "f")
    add(study, None, TrialState.FAIL, default=True)
    assert default_trial(study.trials) is None
    add(study, 0.2, TrialState.PRUNED, default=True)
    found = default_trial(study.trials)
    assert found is not None
    assert (found.number, found.value) == (1, 0.2)


@pytest.mark.parametrize(
    ("attributes", "origin"),
    [({}, "sampler"), ({"default": True}, "default"), ({"parent": 3}, "trial 3"), ({"origin": "a.yaml"}, "a.yaml")],
)
def test_a_trial_says_who_wanted_it(attributes, origin):
    assert origin_of(attributes) == origin


def test_a_summary_has_what_has_begun_and_shows_options(spec, ring_splits):
    study = create_study(spec, "f")
    add(study, 0.2, TrialState.COMPLETE)
    add(study, None, TrialState.FAIL)
    summary = summarize(spec, ring_splits, study, run_id={0: "run"}.get, wall_seconds=4.0)
    assert [trial.number for trial in summary.trials] == [0, 1]
    assert summary.trials[0].params["dropout_probs"] == [0.1, 0.2]  # not text, as Optuna holds it
    assert [trial.mlflow_run_id for trial in summary.trials] == ["run", None]
    assert (summary.counts.complete, summary.counts.failed) == (1, 1)
    assert summary.timing.training_s == 1.5
    assert summary.timing.overhead_s == 2.5
    assert summary.best is not None
    assert summary.best.number == 0
    assert summary.default is None
    assert [(end.name, end.side) for end in summary.on_boundary] == [("learning_rate", "upper")]


def test_presets_are_searches_that_can_end():
    for preset in PRESETS.values():
        assert preset.trials >= 1
        assert preset.epochs >= 1
        assert preset.purpose
