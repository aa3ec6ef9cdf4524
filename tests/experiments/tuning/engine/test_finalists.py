"""Which trials become finalists, their seeds, and which of their models is shipped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from experiments.tuning.engine.finalists import choose_finalists, finalist_seeds, racers, runs_of, values_that_count
from experiments.tuning.study.summary import FinalistFailure, TrialSummary
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.config import Config
from narm.seeds import derived_seed


def trial(number: int, value: float | None, state: Any = "COMPLETE") -> TrialSummary:
    return TrialSummary(
        number=number,
        state=state,
        params={"n_layers": number},
        value=value,
        best_epoch=1,
        epochs=1,
        seconds=1.0,
        mlflow_run_id=None,
    )


def numbers(chosen: list[Finalist]) -> list[int]:
    return [finalist.number for finalist in chosen]


TRIALS = [trial(0, 0.1), trial(1, 0.3), trial(2, 0.2, "PRUNED"), trial(3, 0.3), trial(4, None, "FAIL"), trial(5, 0.05)]


def test_finalists_are_the_best_by_validation_and_the_default():
    chosen = choose_finalists(TRIALS, default=5, k=3)
    assert numbers(chosen) == [1, 3, 2, 5]
    assert [finalist.is_default for finalist in chosen] == [False, False, False, True]
    assert chosen[1].options == {"n_layers": 3}
    assert [chosen[0].label, chosen[3].label] == ["trial 1", "the default configuration"]


def test_a_default_among_the_best_is_there_once():
    assert numbers(choose_finalists(TRIALS, default=1, k=2)) == [1, 3]


def test_trials_without_a_value_are_never_finalists():
    valueless = [trial(0, None, "INTERRUPTED"), trial(1, float("nan")), trial(2, 0.9, "FAIL"), trial(3, 0.0)]
    assert numbers(choose_finalists(valueless, default=0, k=9)) == [3]


def test_a_comparison_of_models_does_without_the_default():
    without = numbers(choose_finalists(TRIALS, default=5, k=3, with_default=False))
    assert without == numbers(choose_finalists(TRIALS, default=None, k=3))


def test_a_default_among_the_best_is_a_finalist_of_a_comparison_too():
    assert numbers(choose_finalists(TRIALS, default=1, k=2, with_default=False)) == [1, 3]


def test_trials_count_that_were_chosen_and_trained_to_their_end():
    assert values_that_count(TRIALS, 3) == {1: 0.3, 3: 0.3}  # trial 2 was pruned, trial 5 is the default alone
    assert values_that_count(TRIALS, 0) == {}


def test_the_race_sees_values_on_validation_and_what_failed_or_is_in_flight():
    chosen = choose_finalists(TRIALS, default=5, k=1)
    run = FinalistRun(
        finalist=chosen[0], seed=7, epochs=1, best_epoch=1, seconds=1.0, valid={"mrr_at_10": 0.4},
        test={"mrr_at_10": 0.9}, ranks=np.arange(1),
    )  # fmt: skip
    failure = FinalistFailure(number=5, seed=7, reason="diverged")
    best, default = racers(chosen, [run], [failure], "mrr_at_10", {1: 0.3}, {5: 2})
    assert (best.number, best.runs, best.trial, best.begun, best.is_default) == (1, [0.4], 0.3, 1, False)
    assert (default.runs, default.trial, default.in_flight, default.failed, default.begun) == ([], None, 2, 1, 3)
    assert default.is_default


def test_no_finalists_means_not_even_the_default():
    assert choose_finalists(TRIALS, default=5, k=0) == []


def test_seeds_of_finalists_are_their_own():
    seeds = finalist_seeds(2020, 5)
    assert len(set(seeds)) == 5
    assert seeds[:2] == finalist_seeds(2020, 2)
    assert seeds != finalist_seeds(2021, 5)
    assert not set(seeds) & {derived_seed(2020, number) for number in range(10_000)}


def run(number: int, seed: int, value: float) -> FinalistRun:
    return FinalistRun(
        finalist=Finalist(number=number, options={}),
        seed=seed,
        epochs=3,
        best_epoch=2,
        seconds=1.25,
        valid={"mrr_at_10": value},
        test={"mrr_at_10": 0.25},
        ranks=np.array([1, 5, 19]),
    )


def test_the_runs_of_a_finalist_begin_with_the_one_that_was_best_on_validation():
    runs = [run(7, 5, 0.1), run(7, 6, 0.3), run(8, 6, 0.9), run(7, 4, 0.3)]
    assert [(found.finalist.number, found.seed) for found in runs_of(7, runs, Config())] == [(7, 6), (7, 4), (7, 5)]


def test_what_breaks_a_constraint_is_a_finalist_only_as_the_default_to_compare_with():
    broken = [replace(TRIALS[1], infeasible="megabytes 60 (at most 50)"), *TRIALS[2:4]]
    chosen = choose_finalists(broken, default=1, k=2)
    assert [(finalist.number, finalist.may_ship) for finalist in chosen] == [(3, True), (2, True), (1, False)]
    assert numbers(choose_finalists(broken, default=1, k=2, with_default=False)) == [3, 2]
    assert choose_finalists(broken[:1], default=1, k=2) == []  # alone it is compared with nothing
