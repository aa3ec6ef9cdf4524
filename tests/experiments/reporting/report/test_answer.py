"""What a person is told to ship."""

from dataclasses import replace
from typing import Any

import pytest
from support.search_summary import FINALS, SUMMARY, comparison, finalist, trial

from experiments.reporting.report.answer import counts, headline, notes, verdict
from experiments.tuning.study.summary import Best, Summary, TrialSummary


def judged(**changes: Any) -> Summary:
    return replace(SUMMARY, finals=replace(FINALS, **changes))


def test_a_winner_shown_to_be_better_is_to_be_shipped():
    assert judged().recommended == 1
    assert headline(judged()) == (
        "Ship trial 1: better than the default configuration, Recall@10 +0.0900 (+47%) on test."
    )


@pytest.mark.parametrize(
    ("interval", "how_sure"),
    [
        ((0.001, -0.002, 0.005), "no evidence on test that it is better than the default configuration"),
        ((-0.02, -0.03, -0.01), "but worse than the default configuration, Recall@10 -0.0200 (-11%) on test"),
    ],
)
def test_what_validation_prefers_is_to_be_shipped_and_test_says_how_sure_that_is(interval, how_sure):
    summary = judged(comparisons=[comparison(0, *interval), comparison(2, 0.1, 0.05, 0.15)])
    assert summary.recommended == 1
    best = "the best on validation" + ("; " if how_sure.startswith("no") else ", ")
    assert headline(summary) == f"Ship trial 1: {best}{how_sure}."


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ((0.09, 0.05, 0.13), "its model is better than the default configuration's, Recall@10 +0.0900 (+47%) on test"),
        (
            (0.001, -0.002, 0.005),
            "the best on validation; no evidence on test that its model is better than the default configuration's",
        ),
        (
            (-0.02, -0.03, -0.01),
            "the best on validation, but its model is worse than the default configuration's, "
            "Recall@10 -0.0200 (-11%) on test",
        ),
    ],
)
def test_with_one_seed_each_the_answer_is_about_two_models(interval, said):
    summary = judged(
        finalists=[finalist(1, 0.28, seeds=1), finalist(0, 0.19, default=True, seeds=1)],
        comparisons=[comparison(0, *interval, seeds="left out")],
    )
    assert headline(summary) == f"Ship trial 1: {said}."


@pytest.mark.parametrize(
    ("interval", "recommended", "said"),
    [
        ((0.001, -0.002, 0.005), 0, "Ship the default configuration: trial 1 is not shown to be better."),
        ((-0.02, -0.03, -0.01), 0, "Ship the default configuration: trial 1 is worse on test."),
        (
            (0.09, 0.05, 0.13),
            1,
            "Ship trial 1: better than the default configuration, Recall@10 +0.0900 (+47%) on test.",
        ),
    ],
)
def test_a_study_of_an_earlier_version_shipped_by_test_and_says_what_it_shipped(interval, recommended, said):
    summary = judged(comparisons=[comparison(0, *interval, seeds="left out")], decided_by="test")
    assert summary.recommended == recommended
    assert headline(summary) == said
    advice = "python -m experiments.search --resume my-study ships trial 1."
    assert any(advice in sentence for sentence in verdict(summary)) == (recommended == 0)


def test_a_default_that_wins_is_to_be_shipped():
    summary = judged(winner=0, finalists=[finalist(0, 0.3, default=True)], comparisons=[])
    assert summary.recommended == 0
    assert headline(summary) == "Ship the default configuration: it is the best on validation."


def test_without_a_default_the_winner_is_to_be_shipped_and_the_gap_told():
    summary = judged(finalists=[finalist(1, 0.3)], comparisons=[])
    assert summary.recommended == 1
    assert headline(summary) == "Ship trial 1: it was not compared with the default configuration."


def test_without_finalists_nothing_is_claimed():
    assert SUMMARY.recommended == 1
    assert headline(SUMMARY) == "Trial 1 leads on validation; nothing was tested."
    default = replace(SUMMARY, best=Best(number=0, params={}, valid={"recall_at_10": 0.3}))
    assert headline(default) == "The default configuration leads on validation; nothing was tested."


def test_without_a_result_there_is_no_winner():
    summary = replace(SUMMARY, best=None, default=None)
    assert summary.recommended is None
    assert headline(summary) == "No winner: no trial has a result."


@pytest.mark.parametrize(
    ("origin", "noted"),
    [
        ("sampler", []),
        (None, []),  # of a summary of an earlier version
        ("default", ["default"]),
        ("recipe", ["recipe"]),
        ("mine.yaml", ["from mine.yaml"]),
        ("study spring", ["from study spring"]),
        ("trial 3", ["from trial 3"]),
    ],
)
def test_a_trial_that_no_sampler_drew_says_where_it_came_from(origin, noted):
    known: TrialSummary = replace(trial(7, "COMPLETE", 0.1), origin=origin)
    assert list(notes(known, SUMMARY)) == noted
    assert list(notes(replace(SUMMARY.trials[1], origin=origin), SUMMARY)) == ["default"]
    pruned = replace(known, state="PRUNED", number=1)
    assert list(notes(pruned, SUMMARY)) == ["winner", *noted, "pruned"]


def test_constraints_are_said_with_what_they_kept_from_shipping():
    trials = [replace(each, origin="sampler", infeasible=None) for each in SUMMARY.trials]
    trials[0] = replace(trials[0], origin="default", infeasible="megabytes 61.2 (at most 50)")
    bounded = replace(
        SUMMARY,
        trials=trials,
        constraints=["megabytes <= 50", "request_ms <= 5"],
        counts=replace(SUMMARY.counts, infeasible=3),
    )
    assert list(verdict(bounded))[:2] == [
        "What ships has megabytes <= 50, request_ms <= 5; configurations not trained because they break one: 3.",
        "The default configuration cannot ship: megabytes 61.2 (at most 50). It is here to be compared with.",
    ]
    assert "infeasible" in notes(trials[0], bounded)
    assert counts(bounded).endswith(", 3 infeasible")
    interval = comparison(0, 0.001, -0.002, 0.005)
    undecided = replace(bounded, finals=replace(FINALS, comparisons=[interval]))
    assert headline(undecided).startswith("Ship trial 1: the best on validation of what may ship; no evidence on test")
    nothing = replace(bounded, best=None, finals=None)
    assert headline(nothing) == "No winner: no trial that may ship has a result."
