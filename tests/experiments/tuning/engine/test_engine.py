"""What the study holds after whatever can happen to a trial, and how a search goes on after a crash."""

from __future__ import annotations

import random
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from support.engines import EPOCHS, begin, make_engine, report

from experiments.tuning.engine.engine import Engine, Idle
from experiments.tuning.optimizer.samplers import SAMPLERS
from experiments.tuning.optimizer.scheduler import Decision
from experiments.tuning.study.database import open_storage
from experiments.tuning.study.limits import Limits
from experiments.tuning.study.objectives import parse_objectives
from experiments.tuning.worker.jobs import TrialJob
from experiments.tuning.worker.reports import JobFailure
from narm.seeds import derived_seed


@pytest.fixture
def study() -> optuna.Study:
    return optuna.create_study(direction="maximize")


def failure(reason: str, *, worth_a_retry: bool = True) -> JobFailure:
    return JobFailure(reason=reason, details="a traceback", worth_a_retry=worth_a_retry)


def test_the_default_configuration_comes_first_inside_the_space_or_outside_it(study):
    engine = make_engine(study, space="smoke")
    assert engine.enqueue({"learning_rate": 0.001, "hidden_size": 128}, default=True)
    assert not engine.enqueue({"learning_rate": 0.001, "hidden_size": 128})  # not twice
    assert begin(engine).options == {"learning_rate": 0.001, "hidden_size": 128}
    assert study.trials[0].params == {}
    assert begin(engine).options["hidden_size"] in (16, 32)


def test_every_epoch_is_reported_under_its_own_number_and_once(study):
    engine = make_engine(study)
    number = begin(engine).number
    for epoch, value in ((2, 0.1), (2, 0.9), (4, 0.3)):
        assert engine.report(number, report(epoch, value)) is Decision.CONTINUE
    assert study.trials[0].intermediate_values == {2: 0.1, 4: 0.3}


@pytest.mark.parametrize(
    ("stopped_early", "reason"), [(True, "no better after epoch 2"), (False, "all epochs trained")]
)
def test_a_trial_that_ends_by_itself_is_complete(study, stopped_early, reason):
    engine = make_engine(study)
    number = begin(engine).number
    assert engine.report(number, report(2, 0.2, final=True, stopped_early=stopped_early)) is Decision.STOP
    trial = study.trials[0]
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.2)
    assert trial.user_attrs["reason"] == reason
    assert trial.user_attrs["progress"] == {
        "epochs": 2, "best_epoch": 2, "valid": {"mrr_at_10": 0.2}, "seconds": 1.0, "value": 0.2,
    }  # fmt: skip


def test_a_failure_is_tried_again_from_where_it_stood_and_then_told(study):
    engine = make_engine(study, limits=Limits(max_retries=1))
    number = begin(engine).number
    engine.report(number, report(1, 0.1))
    engine.failed(number, failure("worker died"))
    again = begin(engine)
    assert (again.number, again.epochs) == (number, 1)
    engine.failed(number, failure("worker died again"))
    trial = study.trials[0]
    assert trial.state is TrialState.FAIL
    assert trial.user_attrs["reason"] == "worker died again"
    assert trial.user_attrs["traceback"] == "a traceback"
    assert trial.user_attrs["retries"] == 1


def test_what_would_fail_again_is_not_tried_again(study):
    engine = make_engine(study, limits=Limits(max_retries=5))
    engine.failed(begin(engine).number, failure("NonFiniteLoss", worth_a_retry=False))
    assert study.trials[0].state is TrialState.FAIL


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(epochs=3), "epoch budget (3)"),
        (Limits(plateau=2), "no new best in 2 epochs"),
        (Limits(max_failed=0), "too many trials failed (1)"),
    ],
)
def test_a_limit_ends_the_search_and_says_why(study, limits, reason):
    engine = make_engine(study, limits=limits)
    number = begin(engine).number
    for epoch in (1, 2, 3):
        engine.report(number, report(epoch, 0.1))
    if limits.max_failed is not None:
        engine.failed(number, failure("no luck"))
    assert engine.next_job() is Idle.DONE
    assert engine.close() == reason


def test_a_limit_waits_for_what_is_in_flight_and_counts_no_more_of_it(study):
    engine = make_engine(study, limits=Limits(epochs=2))
    first, second = begin(engine), begin(engine)
    assert engine.report(first.number, report(1, 0.1)) is Decision.CONTINUE
    assert engine.report(first.number, report(2, 0.1)) is Decision.STOP
    assert engine.is_training
    assert engine.next_job() is Idle.WAIT
    assert engine.report(second.number, report(1, 0.9)) is Decision.STOP
    assert not engine.is_training
    assert engine.next_job() is Idle.DONE
    assert engine.close() == "epoch budget (2)"
    assert [trial.intermediate_values for trial in study.trials] == [{1: 0.1, 2: 0.1}, {}]
    assert [trial.state for trial in study.trials] == [TrialState.WAITING] * 2


def test_an_interrupted_search_leaves_nothing_running_and_goes_on(study):
    engine = make_engine(study)
    first, second = begin(engine), begin(engine)
    engine.report(second.number, report(1, 0.1))
    engine.stop("interrupted")
    assert engine.close() == "interrupted"
    assert not engine.is_training
    assert [trial.state for trial in study.trials] == [TrialState.WAITING] * 2
    resumed = make_engine(study)
    jobs = [begin(resumed), begin(resumed)]
    assert [(job.number, job.epochs) for job in jobs] == [(second.number, 1), (first.number, 0)]
    assert [job.options for job in jobs] == [second.options, first.options]


def test_a_finite_space_ends_when_it_is_exhausted(study):
    engine = make_engine(study, space="smoke", n_trials=100)
    while isinstance(job := engine.next_job(), TrialJob):
        engine.report(job.number, report(1, 0.1, final=True))
    assert engine.close() == "every configuration of the space was tried"
    assert len({str(trial.params) for trial in study.trials}) == len(study.trials) == 4


def test_a_seed_follows_from_the_study_and_the_number_alone(study):
    engine = make_engine(study)
    assert [begin(engine).seed for _ in range(2)] == [derived_seed(7, 0), derived_seed(7, 1)]


def test_several_objectives_are_told_together():
    study = optuna.create_study(directions=["maximize", "minimize"])
    engine = make_engine(study, objectives=parse_objectives("MRR@10,n_parameters"))
    engine.report(begin(engine).number, report(1, 0.1, final=True))
    assert study.trials[0].values == [0.1, 100.0]
    assert study.trials[0].intermediate_values == {1: 0.1}


def search_to_the_end(make: Any, crash: float) -> int:
    """Train everything there is on two workers; with some probability everything is forgotten after an epoch."""
    chance, engine, running, crashes = random.Random(1), make(), dict[int, int](), 0
    while True:
        while len(running) < 2 and isinstance(job := engine.next_job(), TrialJob):
            running[job.number] = job.epochs
        if not running:
            break
        number = chance.choice(list(running))
        running[number] += 1
        value = 0.01 * (number % 7) + 0.001 * running[number]
        if (
            engine.report(number, report(running[number], value, final=running[number] == EPOCHS))
            is not Decision.CONTINUE
        ):
            del running[number]
        if chance.random() < crash:
            engine, running, crashes = make(), {}, crashes + 1
    engine.close()
    return crashes


def test_a_search_that_is_killed_again_and_again_does_the_same_trials(tmp_path):
    storage = open_storage(f"sqlite:///{tmp_path}/s.db")
    for name, crash in (("calm", 0.0), ("killed", 0.15)):
        optuna.create_study(study_name=name, storage=storage, direction="maximize")

        def make(name: str = name) -> Engine:
            return make_engine(
                optuna.load_study(study_name=name, storage=storage),
                scheduler="asha",
                sampler=SAMPLERS["tpe"],
                n_trials=12,
            )

        assert (search_to_the_end(make, crash) > 3) == bool(crash)
    calm, killed = (optuna.load_study(study_name=name, storage=storage).trials for name in ("calm", "killed"))
    assert len(killed) == len(calm) == 12
    assert {trial.state for trial in killed} == {TrialState.COMPLETE, TrialState.PRUNED}
    assert len({str(trial.params) for trial in killed}) == 12
    for trial in killed:
        assert sorted(trial.intermediate_values) == list(range(1, len(trial.intermediate_values) + 1))


def test_epochs_of_a_failed_trial_count_against_the_budget_after_a_crash_too(study):
    engine = make_engine(study)
    number = begin(engine).number
    engine.report(number, report(1, 0.9))
    engine.failed(number, failure("no luck"))
    resumed = make_engine(study, limits=Limits(epochs=2))
    resumed.report(begin(resumed).number, report(1, 0.1))
    assert resumed.close() == "epoch budget (2)"


def test_callbacks_hear_of_a_trial_before_the_study_has_it(study):
    engine = make_engine(study, n_trials=2, scheduler="asha", limits=Limits(max_retries=1))
    number = begin(engine).number
    engine.failed(number, failure("worker died"))
    begin(engine)
    engine.report(number, report(1, 0.1))
    assert engine.callbacks.events == [
        ("start", 0, "sampler"), ("pause", 0, "FAILED"),
        ("start", 0, "sampler"), ("epoch", 0, 1), ("pause", 0, "PAUSED"),
    ]  # fmt: skip
    last = begin(engine).number
    engine.report(last, report(1, 0.2, final=True))
    assert engine.callbacks.events[-1] == ("end", 1, "COMPLETE")
    assert study.trials[1].user_attrs["note"] == "the last word on trial 1"
