"""What the engine does with configurations that break a constraint."""

from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState
from support.engines import CONFIG, Diary, begin, make_engine, report

from experiments.tuning.engine import engine as engine_module
from experiments.tuning.engine.engine import ALL_TRIALS, EXHAUSTED, NONE_FEASIBLE, Idle
from experiments.tuning.engine.feasibility import Feasibility
from experiments.tuning.optimizer.samplers import SAMPLERS
from experiments.tuning.optimizer.scheduler import Decision
from experiments.tuning.study.constraints import parse_constraints
from experiments.tuning.study.limits import Limits
from experiments.tuning.study.results import state_of, summarize_trial, winner
from narm.footprint import Costs
from search_spaces.space import parse_space

SIZES = parse_space("sizes", "sizes.yaml", "hidden_size: [16, 32, 64, 128]\nlearning_rate: [0.001, 0.01]\n")
WIDE = parse_space("wide", "wide.yaml", "hidden_size: {low: 16, high: 512}\nlearning_rate: {low: 1e-4, high: 1e-2}\n")
DEFAULT = {"hidden_size": 128, "learning_rate": 0.001}


def feasible(*constraints: str) -> Feasibility:
    return Feasibility(constraints=parse_constraints(constraints), config=CONFIG, n_items=100)


SMALL = "n_parameters <= 33000"  # hidden_size 64 has 47 thousand, 32 has 22


def make(study, *constraints, space=SIZES, sampler="random", **changes):
    return make_engine(study, space=space, sampler=SAMPLERS[sampler], feasibility=feasible(*constraints), **changes)


def train(engine, value=0.3) -> dict:
    """Train the next trial to its end; its options."""
    job = begin(engine)
    assert engine.report(job.number, report(1, value, final=True)) is Decision.STOP
    return job.options


@pytest.fixture
def study() -> optuna.Study:
    return optuna.create_study(direction="maximize")


def test_what_is_too_large_is_skipped_with_the_reason_and_takes_no_trial_from_the_others(study):
    engine = make(study, SMALL)
    sizes = {train(engine)["hidden_size"] for _ in range(4)}
    assert sizes == {16, 32}
    assert engine.next_job() is Idle.DONE
    assert engine.close() == ALL_TRIALS
    skipped = [trial for trial in study.trials if state_of(trial) == "INFEASIBLE"]
    assert len(study.trials) == 4 + len(skipped)
    for trial in skipped:
        assert trial.state is TrialState.PRUNED
        assert trial.user_attrs["reason"].startswith("infeasible: n_parameters ")
        assert trial.constraints["n_parameters <= 33000"] > 0
        assert summarize_trial(trial).infeasible is not None
        assert not trial.intermediate_values
    assert all(trial.constraints["n_parameters <= 33000"] <= 0 for trial in study.trials if trial not in skipped)


def test_callbacks_hear_of_a_skipped_trial_as_of_any_other(study):
    diary = Diary()
    engine = make(study, SMALL, callbacks=diary)
    engine.enqueue({"hidden_size": 64, "learning_rate": 0.01}, origin="mine.yaml")
    begin(engine)
    assert diary.events[:2] == [("start", 0, "mine.yaml"), ("end", 0, "PRUNED")]
    assert diary.events[-1][0] == "start"


def test_it_does_not_count_as_failed(study):
    engine = make(study, SMALL, limits=Limits(max_failed=0))
    for _ in range(4):
        train(engine)
    assert engine.close() == ALL_TRIALS


def test_the_default_configuration_is_trained_all_the_same_and_never_wins(study):
    engine = make(study, SMALL)
    engine.enqueue(DEFAULT, default=True)
    assert train(engine, 0.9) == DEFAULT
    default = study.trials[0]
    assert (state_of(default), default.value) == ("COMPLETE", 0.9)
    assert summarize_trial(default).infeasible == "n_parameters 129,408 (at most 33,000)"
    assert winner(study.trials) is None
    train(engine, 0.2)
    found = winner(study.trials)
    assert found is not None
    assert found.number == study.trials[-1].number == study.best_trial.number  # Optuna knows it too


@pytest.mark.parametrize("resumed", [False, True])
def test_a_space_without_a_feasible_configuration_comes_to_an_end(study, resumed):
    engine = make(study, "n_parameters <= 10")
    assert engine.next_job() is Idle.DONE
    if resumed:
        engine.close()
        engine = make(study, "n_parameters <= 10")
        assert engine.next_job() is Idle.DONE
    assert engine.close() == EXHAUSTED
    assert [state_of(trial) for trial in study.trials] == ["INFEASIBLE"] * 8


def test_so_does_one_that_is_not_finite(study):
    engine = make(study, "n_parameters <= 10", space=WIDE)
    assert engine.next_job() is Idle.DONE
    assert engine.close() == NONE_FEASIBLE
    assert len(study.trials) == engine_module.PATIENCE


@pytest.mark.parametrize("sampler", ["random", "qmc", "tpe", "gp", "cmaes"])
def test_where_little_is_feasible_proposals_give_way_to_it(study, sampler):
    engine = make(study, "n_parameters <= 14000", space=WIDE, sampler=sampler)  # hidden_size 19 at most
    sizes = [train(engine, 0.1 + 0.1 * number)["hidden_size"] for number in range(4)]
    assert max(sizes) <= 19
    skipped = [trial for trial in study.trials if state_of(trial) == "INFEASIBLE"]
    assert len(skipped) <= 4 * engine_module.PATIENCE


def test_a_request_that_takes_too_long_ends_a_trial_before_it_is_trained(study):
    engine = make(study, "request_ms <= 5")
    job = begin(engine)
    assert job.measure
    costs = Costs(n_parameters=10, megabytes=1.0, request_ms=7.0)
    assert engine.measured(job.number, costs) is Decision.STOP
    assert state_of(study.trials[0]) == "INFEASIBLE"
    assert study.trials[0].user_attrs["reason"] == "infeasible: request_ms 7 (at most 5)"
    assert study.trials[0].constraints == {"request_ms <= 5": pytest.approx(0.4)}
    begun = begin(engine)  # another shape: this one is known
    assert begun.options["hidden_size"] != job.options["hidden_size"]


def test_a_shape_is_measured_by_the_first_that_has_it(study):
    engine = make(study, "request_ms <= 5")
    engine.enqueue({"hidden_size": 16, "learning_rate": 0.001})
    engine.enqueue({"hidden_size": 16, "learning_rate": 0.01})
    first = begin(engine)
    costs = Costs(n_parameters=10, megabytes=1.0, request_ms=3.0)
    assert engine.measured(first.number, costs) is Decision.CONTINUE
    assert engine.report(first.number, report(1, 0.3, final=True)) is Decision.STOP
    assert not begin(engine).measure
    assert study.trials[1].constraints == study.trials[0].constraints == {"request_ms <= 5": pytest.approx(-0.4)}
    engine.stop("interrupted")
    engine.close()
    assert not begin(make(study, "request_ms <= 5")).measure  # a session that goes on knows it too


def test_the_default_is_measured_and_trained_however_slow_it_is(study):
    engine = make(study, "request_ms <= 5")
    engine.enqueue(DEFAULT, default=True)
    job = begin(engine)
    costs = Costs(n_parameters=10, megabytes=1.0, request_ms=7.0)
    assert engine.measured(job.number, costs) is Decision.CONTINUE
    assert summarize_trial(study.trials[0]).infeasible == "request_ms 7 (at most 5)"


@pytest.mark.parametrize("resumed", [False, True])
def test_what_cannot_ship_is_no_best_that_a_plateau_is_measured_from(study, resumed):
    limits = Limits(plateau=2)
    engine = make(study, SMALL, limits=limits)
    engine.enqueue(DEFAULT, default=True)
    train(engine, 0.9)
    if resumed:
        engine = make(study, SMALL, limits=limits)
    for value in (0.1, 0.2, 0.3):  # each a new best of what may ship
        train(engine, value)
    assert engine.reason is None
