"""Bounds on what a model may cost: read, written, and held against costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.tuning.study.constraints import (
    KNOWN_BEFORE,
    Constraint,
    broken,
    parse_constraint,
    parse_constraints,
    values,
)
from narm.errors import InputError

SMALL, QUICK = Constraint("n_parameters", 4e6), Constraint("request_ms", 5)


@pytest.mark.parametrize("text", ["megabytes <= 50", "megabytes<=50", " megabytes  <=  5e1 "])
def test_a_cost_and_its_bound(text):
    assert parse_constraint(text) == Constraint("megabytes", 50)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("megabytes", r"'megabytes' is none: write COST <= BOUND, as in 'megabytes <= 50'"),
        ("megabytes < 50", "is none: write COST <= BOUND"),
        ("megabytes >= 50", "is none: write COST <= BOUND"),
        ("50 <= megabytes", "there is no cost '50'"),
        ("megabyte <= 50", "there is no cost 'megabyte'.*megabytes"),
        ("epoch_seconds <= 5", "epoch_seconds is known only after training: bound n_parameters, megabytes, request_ms"),
        ("megabytes <= 0", "'0' is no bound: write a number above 0"),
        ("megabytes <= -3", "is no bound"),
        ("megabytes <= nan", "is no bound"),
        ("megabytes <= inf", "is no bound"),
        ("megabytes <= 50MB", "'50MB' is no bound"),
    ],
)
def test_what_is_no_constraint_is_refused(text, message):
    with pytest.raises(InputError, match=f"^constraint: .*{message}"):
        parse_constraint(text)


def test_one_cost_has_one_bound():
    with pytest.raises(InputError, match="megabytes is bounded twice"):
        parse_constraints(["megabytes <= 50", "request_ms <= 5", "megabytes <= 60"])


@given(st.sampled_from(KNOWN_BEFORE), st.floats(min_value=1e-6, max_value=1e12))
def test_a_constraint_is_read_as_it_is_written(cost, bound):
    assert parse_constraint(str(Constraint(cost, bound))) == Constraint(cost, bound)


def test_what_is_above_its_bound_is_named_with_both_figures():
    assert broken([SMALL, QUICK], {"n_parameters": 5_100_000, "request_ms": 12.3456}) == (
        "n_parameters 5,100,000 (at most 4,000,000), request_ms 12.3 (at most 5)"
    )
    assert broken([SMALL, QUICK], {"n_parameters": 4_000_000}) is None  # the bound itself is allowed


def test_optuna_gets_the_share_above_the_bound_of_what_is_known():
    assert values([SMALL, QUICK], {"n_parameters": 5e6}) == {"n_parameters <= 4e+06": 0.25}
    assert values([QUICK], {"request_ms": 4.0}) == {"request_ms <= 5": pytest.approx(-0.2)}
