"""The race gives each seed where it helps to choose right, and stops what cannot win."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.tuning.engine.racing import Bounds, Racer, next_turn, noise, standings

WIDE = Bounds(seeds=50, runs=500)
VALUES = st.floats(0, 1, allow_nan=False)


def racer(number: int, *runs: float, **attributes: Any) -> Racer:
    return Racer(number=number, runs=runs, **attributes)


RACERS = st.lists(
    st.builds(
        Racer,
        number=st.just(0),
        runs=st.lists(VALUES, max_size=5),
        trial=st.none() | VALUES,
        in_flight=st.integers(0, 2),
        failed=st.integers(0, 2),
    ),
    min_size=1,
    max_size=6,
).map(lambda found: [replace(one, number=number, is_default=number == 1) for number, one in enumerate(found)])


@given(RACERS, st.integers(1, 8), st.integers(1, 30), st.booleans())
def test_bounds_hold_and_every_turn_has_a_reason(racers, seeds, runs, is_time_over):
    turn = next_turn(racers, Bounds(seeds=seeds, runs=runs, is_time_over=is_time_over))
    assert turn.reason
    if turn.number is None:
        return
    chosen = racers[turn.number]
    assert chosen.begun < seeds
    if chosen.runs:
        assert not is_time_over
        assert sum(one.begun for one in racers) < runs


@given(RACERS)
def test_the_race_ends(racers):
    bounds = Bounds(seeds=4, runs=30)
    for _ in range(31):
        if (turn := next_turn(racers, bounds)).number is None:
            return
        racers[turn.number] = replace(racers[turn.number], runs=[*racers[turn.number].runs, 0.5])
    raise AssertionError("it does not")


def test_seeds_go_to_near_rivals_and_not_to_what_is_far_behind():
    racers = [racer(1, 0.50, 0.52), racer(2, 0.49, 0.52), racer(3, 0.40, 0.41)]
    for _ in range(8):
        turn = next_turn(racers, WIDE)
        assert turn.number in (1, 2)
        place = turn.number - 1
        again = fmean(racers[place].runs) + 0.01 * (-1) ** len(racers[place].runs)
        racers[place] = replace(racers[place], runs=[*racers[place].runs, again])


def test_shares_are_those_of_optimal_computing_budget_allocation():
    """Gaps of .01 and .02: shares 4 and 1, and of the leader the root of 17."""
    racers = [racer(1, *[0.52, 0.48] * 8), racer(2, *[0.51, 0.47] * 8), racer(3, *[0.50, 0.46] * 2)]
    assert next_turn(racers, WIDE).number == 1  # has 16 of 37 and should have 4.12 / 9.12
    racers[0] = racer(1, *[0.52, 0.48] * 10)
    assert next_turn(racers, WIDE).number == 2
    racers[1] = racer(2, *[0.51, 0.47] * 10)
    assert next_turn(racers, WIDE).number == 3


def test_what_is_in_flight_counts_as_if_it_were_done():
    racers = [racer(1, 0.50, 0.54), racer(2, 0.49, 0.53)]
    assert next_turn(racers, WIDE).number == 1
    assert next_turn([replace(racers[0], in_flight=1), racers[1]], WIDE).number == 2


def test_reasons_say_how_far_behind_it_is_and_how_likely_it_is_to_be_better():
    racers = [racer(1, 0.50, 0.54), racer(2, 0.49, 0.53)]
    assert next_turn(racers, WIDE).reason == (
        "it leads, 0.0100 ahead of trial 2, which is the better one with a chance of 38 %"
    )
    assert next_turn([replace(racers[0], in_flight=1), racers[1]], WIDE).reason == (
        "it is 0.0100 behind trial 1, and better than that with a chance of 38 %"
    )


def test_as_long_as_nothing_is_known_of_the_noise_no_finalist_is_out():
    turn = next_turn([racer(1, 0.9), racer(2, 0.1)], WIDE)
    assert turn.number == 1
    assert turn.reason == "it leads, 0.8000 ahead of trial 2"


def test_a_winner_is_trained_with_the_seeds_it_has_left_and_no_other_is():
    racers = [racer(1, 0.500, 0.501, 0.502), racer(2, 0.300, 0.301, 0.302)]
    turn = next_turn(racers, Bounds(seeds=4, runs=20))
    assert (turn.number, turn.reason) == (1, "no other can win any more; the rest of its seeds say how good it is")
    racers[0] = racer(1, 0.500, 0.501, 0.502, 0.501)
    assert next_turn(racers, Bounds(seeds=4, runs=20)).reason == "the winner has all its seeds"


def test_a_single_finalist_has_all_its_seeds():
    assert next_turn([racer(1, 0.5)], Bounds(seeds=2, runs=2)).number == 1
    assert next_turn([racer(1, 0.5, 0.6)], Bounds(seeds=2, runs=3)).number is None


def test_the_default_configuration_has_two_seeds_however_bad_it_is():
    racers = [racer(1, 0.500, 0.501), racer(0, 0.1, is_default=True)]
    assert next_turn(racers, WIDE).number == 0
    assert next_turn(racers, replace(WIDE, seeds=1)).number is None


def test_the_trial_counts_as_one_run_without_what_trials_have_beyond_runs():
    racers = [racer(1, 0.50, trial=0.56), racer(2, 0.48, trial=0.58), racer(3, 0.45)]
    known = standings(racers)  # trials are .08 above their runs on average
    assert [round(known[number].mean, 12) for number in (1, 2, 3)] == [0.49, 0.49, 0.45]
    assert [known[number].values for number in (1, 2, 3)] == [2, 2, 1]
    found = noise(racers)
    assert found is not None
    assert found.freedom == 1  # four values, less two means and the luck of trials
    assert found.sd == pytest.approx(0.02)


def test_what_trials_have_beyond_runs_follows_from_the_runs_there_are():
    racers = [racer(1, 0.50, 0.50, 0.50, trial=0.56), racer(2, 0.48, trial=0.58)]
    excess = (0.75 * 0.06 + 0.5 * 0.10) / 1.25
    assert standings(racers)[2].mean == pytest.approx((0.48 + 0.58 - excess) / 2)


def test_a_single_trial_says_nothing_of_luck_and_does_not_count():
    assert standings([racer(1, 0.5, trial=0.9), racer(2, 0.6)])[1].mean == 0.5


@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=5), st.floats(-1, 1))
def test_how_lucky_all_trials_were_makes_no_difference(values, luck):
    racers = [racer(number, run, trial=trial) for number, (run, trial) in enumerate(values)]
    luckier = [replace(one, trial=one.trial + luck) for one in racers if one.trial is not None]
    for number, standing in standings(racers).items():
        assert standings(luckier)[number].mean == pytest.approx(standing.mean)


def test_a_finalist_whose_first_run_is_in_flight_races_with_its_trial():
    racers = [racer(1, 0.50, trial=0.55), racer(2, 0.49, trial=0.54), racer(3, trial=0.53, in_flight=1)]
    assert standings(racers)[3].mean == pytest.approx(0.48)


def test_a_finalist_that_failed_is_out_unless_all_failed_as_often():
    racers = [racer(1, 0.9, failed=1), racer(2, 0.4, 0.5)]
    assert next_turn(racers, WIDE).number == 2
    assert next_turn([replace(racers[0]), replace(racers[1], failed=1)], WIDE).number == 1


def test_without_any_result_no_second_seed_is_given():
    assert next_turn([racer(1, in_flight=1), racer(2, in_flight=1)], WIDE).number is None


def test_models_without_randomness_need_no_second_run_of_what_is_behind():
    racers = [racer(1, 0.5, 0.5, trial=0.5), racer(2, 0.4, 0.4, trial=0.4)]
    assert next_turn(racers, WIDE).number == 1


def test_what_cannot_ship_has_its_seeds_to_be_compared_with_and_never_leads():
    bounds = Bounds(seeds=4, runs=20)
    default = racer(0, is_default=True, may_win=False)
    turn = next_turn([racer(1, 0.30), racer(2, 0.29), default], bounds)
    assert (turn.number, turn.reason) == (0, "its first seed")
    ahead = racer(0, 0.50, 0.51, is_default=True, may_win=False)
    for _ in range(3):
        turn = next_turn([racer(1, 0.30), racer(2, 0.29), ahead], bounds)
        assert turn.number in (1, 2)
        assert "default" not in turn.reason
