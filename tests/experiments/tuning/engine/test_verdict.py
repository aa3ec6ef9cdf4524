"""Judging the finalists: validation chooses, test tells, and the seeds and sessions say how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from experiments.tuning.engine.leads import Trained, leads
from experiments.tuning.engine.verdict import compared_metrics, judge_finalists
from experiments.tuning.study.summary import Comparison, Estimate, FinalistFailure, Finals, Spread
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.data.sessions import Examples, Sessions
from narm.evaluation.paired_difference import Configuration, difference, run_moments, seed_noise, simultaneous
from narm.metrics import summarize

SESSIONS = 50
TEST = Examples.every_prefix(
    Sessions(np.ones(3 * SESSIONS, dtype=np.int32), np.arange(0, 3 * SESSIONS + 1, 3))
)  # two targets a session


def run(number: int, seed: int, valid: float, ranks: Sequence[int] | int, *, default: bool = False) -> FinalistRun:
    of_all = np.resize(np.atleast_1d(ranks), len(TEST))
    return FinalistRun(
        finalist=Finalist(number=number, options={"n_layers": number}, is_default=default),
        seed=seed,
        epochs=10 + seed,
        best_epoch=5,
        seconds=1.0,
        valid={"mrr_at_10": valid},
        test=summarize(of_all, ["MRR", "Recall"], [10]),
        ranks=of_all,
    )


def judge(runs: Sequence[FinalistRun], failures: Sequence[FinalistFailure] = (), objective: str = "MRR@10") -> Finals:
    finals = judge_finalists(runs, failures, test=TEST, objective=objective, seed=0)
    assert finals is not None
    return finals


def against(finals: Finals) -> list[tuple[str, int]]:
    return [(comparison.metric, comparison.against) for comparison in finals.comparisons]


def test_validation_chooses_and_not_test():
    finals = judge([run(1, 0, 0.3, 100), run(2, 0, 0.2, 1)])
    assert finals.winner == 1
    assert [finalist.number for finalist in finals.finalists] == [1, 2]
    assert finals.comparisons[0].difference < 0


def test_the_mean_over_the_seeds_chooses_and_not_the_best_seed():
    finals = judge([run(1, 0, 0.9, 1), run(1, 1, 0.1, 1), run(2, 0, 0.6, 1), run(2, 1, 0.6, 1)])
    assert finals.winner == 2


def test_of_equals_the_earlier_trial_wins():
    assert judge([run(4, 0, 0.5, 1), run(2, 0, 0.5, 1)]).winner == 2


def test_a_finalist_that_failed_with_a_seed_comes_last():
    failure = FinalistFailure(number=1, seed=1, reason="diverged")
    finals = judge([run(1, 0, 0.9, 1), run(2, 0, 0.2, 1), run(2, 1, 0.2, 1)], [failure])
    assert finals.winner == 2
    assert finals.failures == [failure]


def test_to_have_fewer_runs_is_no_failure():
    assert judge([run(1, 0, 0.9, 1), run(2, 0, 0.2, 1), run(2, 1, 0.2, 1)]).winner == 1


def test_of_those_that_failed_the_one_that_failed_less_often_comes_first():
    failures = [
        FinalistFailure(number=number, seed=seed, reason="diverged") for number, seed in ((1, 1), (1, 2), (2, 1))
    ]
    assert judge([run(1, 0, 0.9, 1), run(2, 0, 0.2, 1)], failures).winner == 2


def test_the_trial_counts_as_a_run_less_what_trials_owe_to_luck():
    runs = [run(1, 0, 0.30, 1), run(2, 0, 0.29, 1)]
    finals = judge_finalists(runs, [], test=TEST, objective="MRR@10", seed=0, trials={1: 0.40, 2: 0.45})
    assert finals is not None
    assert finals.winner == 2
    assert [finalist.estimate for finalist in finals.finalists] == pytest.approx([0.305, 0.285])
    assert finals.finalists[0].valid["mrr_at_10"].mean == 0.29
    assert judge(runs).winner == 1


def test_metrics_are_means_and_deviations_over_the_seeds():
    finals = judge([run(1, 0, 0.2, 1), run(1, 1, 0.4, 2)])
    [finalist] = finals.finalists
    assert (finalist.number, finalist.is_default, finalist.params) == (1, False, {"n_layers": 1})
    assert (finalist.seeds, finalist.epochs) == ([0, 1], [10, 11])
    assert finalist.valid["mrr_at_10"].mean == pytest.approx(0.3)
    assert finalist.valid["mrr_at_10"].sd == pytest.approx(0.02**0.5)  # n - 1 below the line
    assert finalist.test["mrr_at_10"] == Spread(mean=0.75, sd=pytest.approx(0.125**0.5))
    assert (finals.n_targets, finals.n_sessions) == (2 * SESSIONS, SESSIONS)


def test_one_seed_has_no_deviation():
    assert judge([run(1, 0, 0.2, 1)]).finalists[0].valid["mrr_at_10"] == Spread(mean=0.2, sd=None)


def test_the_winner_is_compared_with_the_default_and_then_with_the_runner_up():
    finals = judge([run(1, 0, 0.5, 1), run(2, 0, 0.4, 1), run(3, 0, 0.3, 1), run(0, 0, 0.1, 1, default=True)])
    assert against(finals) == [("MRR@10", 0), ("Recall@10", 0), ("MRR@10", 2), ("Recall@10", 2)]


def test_a_default_that_is_runner_up_is_compared_with_once():
    finals = judge([run(1, 0, 0.5, 1), run(0, 0, 0.4, 1, default=True), run(2, 0, 0.3, 1)])
    assert against(finals) == [("MRR@10", 0), ("Recall@10", 0)]


def test_a_default_that_wins_is_compared_with_the_runner_up():
    finals = judge([run(0, 0, 0.5, 1, default=True), run(2, 0, 0.3, 1)])
    assert against(finals) == [("MRR@10", 2), ("Recall@10", 2)]


def test_one_finalist_has_none_to_be_compared_with():
    assert judge([run(1, 0, 0.5, 1)]).comparisons == []


def test_test_does_not_choose_what_is_shipped():
    finals = judge([run(1, 0, 0.3, 100), run(0, 0, 0.2, 1, default=True)])
    assert finals.comparisons[0].meaning == "worse"
    assert finals.decided_by == "validation"
    assert finals.recommended == finals.winner == 1


def test_the_default_is_shipped_if_validation_prefers_it():
    finals = judge([run(1, 0, 0.2, 1), run(0, 0, 0.3, 100, default=True)])
    assert finals.recommended == 0


def test_a_difference_is_that_of_means_over_seeds_and_its_interval_holds_sessions_and_seeds():
    better, worse = [1, 2, 3, 40], [2, 2, 5, 60]
    runs = [run(1, 0, 0.5, better), run(1, 1, 0.5, worse), run(2, 0, 0.4, worse), run(2, 1, 0.4, worse)]
    third = [run(3, 0, 0.3, better), run(3, 1, 0.3, worse)]
    comparison = judge([*runs, *third]).comparisons[0]
    values = np.stack([np.resize(1 / np.where(np.array(ranks) > 10, np.inf, ranks), 100)
                       for ranks in (better, worse, worse, worse, better, worse)])  # fmt: skip
    moments = run_moments(values, np.repeat(np.arange(SESSIONS), 2))
    configurations = [Configuration([0, 1]), Configuration([2, 3]), Configuration([4, 5])]
    expected = difference(moments, *configurations[:2], seed_noise(moments, configurations))
    assert (comparison.difference, comparison.low, comparison.high) == pytest.approx(
        (expected.mean, expected.low, expected.high)
    )
    assert comparison.difference == pytest.approx(values[:2].mean() - values[2:4].mean())
    assert comparison.low < comparison.difference < comparison.high
    assert comparison.seeds == "held"


def test_one_seed_each_says_nothing_of_other_seeds():
    assert judge([run(1, 0, 0.5, 1), run(2, 0, 0.4, 2)]).comparisons[0].seeds == "left out"


def test_models_that_no_seed_changes_have_sessions_alone():
    runs = [run(1, 0, 0.5, [1, 2]), run(2, 0, 0.4, [2, 5])]
    finals = judge_finalists(runs, [], test=TEST, objective="MRR@10", seed=0, depends_on_seed=False)
    assert finals is not None
    assert {comparison.seeds for comparison in finals.comparisons} == {"none"}


def test_no_run_is_no_verdict():
    assert judge_finalists([], [], test=TEST, objective="MRR@10", seed=0) is None


@pytest.mark.parametrize("objective", ["Recall@10", "Hit@10"])
def test_recall_is_not_compared_twice(objective):
    assert compared_metrics(objective) == [objective]


def test_comparisons_are_plain_numbers():
    [first, *_] = judge([run(1, 0, 0.5, 1), run(2, 0, 0.4, 2)]).comparisons
    assert first == Comparison(metric="MRR@10", against=2, difference=0.5, low=0.5, high=0.5, seeds="left out")
    assert {type(value) for value in (first.difference, first.low, first.high)} == {float}


def test_the_winner_and_the_default_are_told_apart_by_session_length():
    lengths = np.array([2] * 20 + [4] * 20 + [8] * 5)  # 1, 3 and 7 targets each
    test = Examples.every_prefix(
        Sessions(np.ones(lengths.sum(), dtype=np.int32), np.concatenate([[0], lengths.cumsum()]))
    )
    short = np.repeat(lengths == 2, lengths - 1)
    runs = [
        replace(run(1, 0, 0.5, 1), ranks=np.where(short, 1, 2)),
        replace(run(1, 1, 0.5, 1), ranks=np.where(short, 2, 2)),
        replace(run(0, 0, 0.4, 1, default=True), ranks=np.full(len(test), 4)),
    ]
    finals = judge_finalists(runs, [], test=test, objective="MRR@10", seed=0)
    assert finals is not None
    assert [(each.name, each.n_targets, each.n_sessions) for each in finals.by_length] == [
        ("2", 20, 20), ("4", 60, 20), ("6-10", 35, 5),
    ]  # fmt: skip
    shortest, middle, longest = finals.by_length
    assert shortest.winner == Estimate(mean=0.75, interval=(0.75, 0.75))
    assert (middle.winner.mean, longest.winner.mean) == (0.5, 0.5)
    assert all(each.default is not None and each.default.mean == 0.25 for each in finals.by_length)
    assert longest.winner.interval is None  # of 5 sessions an interval would be far too narrow
    assert longest.lead == Estimate(mean=0.25, interval=None)
    assert shortest.lead is not None
    assert shortest.lead.mean == 0.5
    assert shortest.lead.interval is not None  # the winner's two seeds differ in short sessions, and nowhere else
    assert shortest.lead.interval[0] < -1 < 2 < shortest.lead.interval[1]
    assert middle.lead == Estimate(mean=0.25, interval=(0.25, 0.25))


def test_by_session_length_a_default_that_wins_is_alone():
    finals = judge([run(0, 0, 0.5, 1, default=True), run(2, 0, 0.3, 1)])
    assert [(each.name, each.default, each.lead) for each in finals.by_length] == [("3", None, None)]


def test_intervals_by_session_length_hold_together():
    lengths = np.array([2] * 20 + [4] * 20)
    test = Examples.every_prefix(
        Sessions(np.ones(lengths.sum(), dtype=np.int32), np.concatenate([[0], lengths.cumsum()]))
    )
    rng = np.random.default_rng(0)
    runs = [replace(run(number, seed, 0.5, 1, default=number == 0), ranks=rng.integers(1, 30, len(test)))
            for number in (1, 0) for seed in (0, 1)]  # fmt: skip
    runs = [replace(each, valid={"mrr_at_10": 0.5 if each.finalist.number else 0.4}) for each in runs]
    finals = judge_finalists(runs, [], test=test, objective="MRR@10", seed=0)
    assert finals is not None
    short = np.flatnonzero(np.repeat(lengths == 2, lengths - 1))
    trained = [Trained(runs[:2]), Trained(runs[2:])]
    [alone] = leads(trained, "MRR@10", test.session_of_target, short)
    [together] = leads(trained, "MRR@10", test.session_of_target, short, confidence=simultaneous(2))
    assert finals.by_length[0].lead is not None
    assert finals.by_length[0].lead.interval == (together.low, together.high)
    assert together.low < alone.low


def test_what_breaks_a_constraint_does_not_win_however_good_it_is():
    default = run(0, 0, 0.9, 1, default=True)
    default = replace(default, finalist=replace(default.finalist, may_ship=False))
    finals = judge([default, run(1, 0, 0.2, 2)])
    assert finals.winner == finals.recommended == 1
    assert against(finals)[0] == ("MRR@10", 0)
    assert judge_finalists([default], [], test=TEST, objective="MRR@10", seed=0) is None
