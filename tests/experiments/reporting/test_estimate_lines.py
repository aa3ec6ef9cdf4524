"""What `--plan` says."""

from __future__ import annotations

import json
from pathlib import Path

from support.ring import ring_of_items
from support.study_spec import make_spec

from experiments.reporting.estimate_lines import estimate_document, estimate_lines
from experiments.tuning.planning.estimate import Estimate
from experiments.tuning.planning.probe import Cost

FOUND = Estimate(
    default=Cost(pass_seconds=310, validation_seconds=6, parameter_bytes=10_000_000),
    recipe=Cost(pass_seconds=34, validation_seconds=5, parameter_bytes=20_000_000),
    drawn=[
        Cost(pass_seconds=20, validation_seconds=4, parameter_bytes=40_000_000),
        Cost(pass_seconds=100, validation_seconds=8, parameter_bytes=80_000_000),
    ],
    epochs_per_pass=1,
    trial_epochs=170,
    finalist_epochs=0,
    concurrency=2,
)


def lines(output: Path, **changes: object) -> str:
    return "\n".join(estimate_lines(FOUND, make_spec(output, **changes), ring_of_items()))


def test_costs_are_said_of_the_default_the_recipe_and_the_space(tmp_path):
    said = lines(tmp_path, time_budget=None)
    assert "  default configuration  5 min 10 s, 6.0 s\n" in said
    assert "  recipe                 34 s, 5.0 s\n" in said
    assert "  2 from the space       20 s to 1 min 40 s, 1 min 0 s on average; 6.0 s\n" in said
    assert "up to 80 MB" in said
    assert "at most 170 epochs in all: about 1 h 33 min" in said  # 170 of 66 s, two at once
    assert "finalists" not in said
    assert "budget" not in said


def test_a_budget_says_what_it_holds_and_what_to_do_where_that_is_too_little(tmp_path):
    enough = lines(tmp_path, time_budget=3600.0, trials=20)
    assert "The time budget of 1 h 0 min holds about 109 of the search's epochs." in enough
    assert "less than an epoch" not in enough
    short = lines(tmp_path, time_budget=120.0, trials=20)
    assert "less than an epoch for each trial" in short
    assert "--epochs_per_pass 20" in short  # 60 s a pass; 120 s on two workers give each of 20 trials 4 epochs of 3 s


def test_a_program_gets_the_figures():
    document = json.loads(estimate_document(FOUND))
    assert document["default"]["pass_seconds"] == 310
    assert document["search_seconds"] == 5610.0
