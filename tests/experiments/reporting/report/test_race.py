"""The race as the report tells it: how many seeds each finalist had, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.search_summary import FINALS, SUMMARY, finalist

from experiments.reporting.report import race
from experiments.reporting.report.answer_markdown import answer_markdown
from experiments.tuning.study.summary import Allocation

RACED = replace(
    FINALS,
    finalists=[finalist(1, 0.28), finalist(2, 0.27, seeds=2), finalist(0, 0.19, default=True, seeds=1)],
    allocations=[
        Allocation(number=1, seed=11, reason="its first seed"),
        Allocation(number=0, seed=11, reason="its first seed"),
        Allocation(number=1, seed=12, reason="it leads"),
    ],
    why_enough="all runs are used",
)


@pytest.mark.parametrize(
    ("seeds", "numbers", "means"),
    [
        ([3, 3], "3 seeds", "mean ± standard deviation over 3 seeds"),
        ([3, 1], "1 to 3 seeds", "mean ± standard deviation over 1 to 3 seeds"),
        ([1, 1], "a single seed", "a single seed"),
    ],
)
def test_how_many_seeds_there_were(seeds, numbers, means):
    finals = replace(FINALS, finalists=[finalist(place, 0.2, seeds=count) for place, count in enumerate(seeds)])
    assert race.numbers_of_seeds(finals) == numbers
    assert race.mean_over_seeds(finals) == means
    assert race.differ(finals) == (len(set(seeds)) > 1)


def test_every_turn_has_its_finalist_and_the_ordinal_of_the_seed():
    assert [(turn.name, turn.ordinal, turn.reason) for turn in race.turns(RACED)] == [
        ("trial 1", 1, "its first seed"),
        ("trial 0 (default)", 1, "its first seed"),
        ("trial 1", 2, "it leads"),
    ]


def test_a_table_has_the_numbers_of_seeds_where_they_differ():
    shown = answer_markdown(replace(SUMMARY, finals=RACED))
    assert "| seeds |" in shown
    assert "Mean ± standard deviation over 1 to 3 seeds.\n" in shown + "\n"
    assert "| seeds |" not in answer_markdown(replace(SUMMARY, finals=FINALS))
