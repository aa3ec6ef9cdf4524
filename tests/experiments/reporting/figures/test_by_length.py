"""The finalists by session length."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.search_summary import FINALS, finalist

from experiments.reporting.figures.by_length import length_lines
from experiments.reporting.figures.interactive import figures


def test_by_session_length_the_winner_stands_beside_the_default(drawn):
    winner, default = drawn.made["by_length"].data
    assert (winner.name, default.name) == ("trial 1, winner", "trial 0, default")
    assert (winner.y, default.y) == ((0.31, 0.25), (0.22, 0.15))
    assert winner.error_y.array == pytest.approx((0.04, 0.0))  # no whisker over 8 sessions
    assert winner.error_y.arrayminus == pytest.approx((0.04, 0.0))
    assert winner.text[0] == "2 events: 0.3100 [0.2700, 0.3500], 400 targets of 400 sessions"
    assert winner.text[1] == "3 events: 0.2500, 16 targets of 8 sessions"


def test_by_session_length_a_default_that_wins_is_alone():
    alone = [replace(each, default=None) for each in FINALS.by_length]
    [line] = length_lines(replace(FINALS, winner=0, finalists=[finalist(0, 0.3, default=True)], by_length=alone))
    assert (line.name, line.group) == ("trial 0, the default configuration", "winner")


@pytest.mark.parametrize("finals", [None, replace(FINALS, by_length=())])
def test_without_finalists_and_in_older_summaries_there_is_nothing_by_session_length(
    study, summary, finals, static_figure
):
    drawn = figures(study, replace(summary, finals=finals))
    assert "by_length" in drawn.left_out
    assert static_figure("by_length", study, replace(summary, finals=finals)).made == {}
