"""Bootstrap intervals: against theory, against the definition, and where sessions matter."""

from __future__ import annotations

import numpy as np
import pytest

from narm.evaluation.bootstrap import Interval, slice_intervals


def mean_interval(values: np.ndarray, sessions: np.ndarray, *, resamples: int = 2_000, seed: int) -> Interval:
    """The interval of one metric over all targets."""
    return slice_intervals(values[None], sessions, [np.arange(len(values))], resamples=resamples, seed=seed)[0][0]


def test_with_a_target_a_session_the_interval_is_that_of_the_normal_law():
    values = np.random.default_rng(0).normal(3.0, 2.0, 4_000)
    interval = mean_interval(values, np.arange(4_000), resamples=4_000, seed=1)
    half = 1.96 * values.std() / np.sqrt(4_000)
    assert interval.mean == values.mean()
    assert interval.low == pytest.approx(values.mean() - half, abs=0.05 * half)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.05 * half)


def test_the_interval_holds_the_truth_19_times_in_20():
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(300):
        lengths = rng.integers(1, 6, 150)
        sessions = np.repeat(np.arange(150), lengths)
        values = rng.normal(0.0, 1.0, 150)[sessions] + rng.normal(0.0, 1.0, len(sessions))
        interval = mean_interval(values, sessions, resamples=400, seed=int(rng.integers(2**31)))
        covered += interval.low <= 0.0 <= interval.high
    assert 0.91 <= covered / 300 <= 0.98


def test_targets_of_one_session_count_as_one_observation():
    values = np.random.default_rng(3).normal(size=500)
    alone = mean_interval(values, np.arange(500), seed=0)
    tenfold = mean_interval(np.repeat(values, 10), np.repeat(np.arange(500), 10), seed=0)
    assert (tenfold.low, tenfold.high) == pytest.approx((alone.low, alone.high))


def test_the_mean_of_a_resample_weighs_targets_and_not_sessions():
    """Two sessions, of one target and of three: a resample has the first 0, 1 or 2 times."""
    values, sessions = np.array([1.0, 0.0, 0.0, 0.0]), np.array([0, 1, 1, 1])
    interval = mean_interval(values, sessions, resamples=5_000, seed=0)
    assert (interval.mean, interval.low, interval.high) == (0.25, 0.0, 1.0)
    fewer = mean_interval(np.tile(values, 40), np.repeat(np.arange(80), [1, 3] * 40), seed=0)
    assert fewer.low < 0.25 < fewer.high < 0.5  # the mean over sessions is 0.5


def test_sessions_may_have_any_numbers_in_any_order():
    values = np.random.default_rng(4).random(60)
    sessions = np.repeat(np.arange(20), 3)
    order = np.random.default_rng(5).permutation(60)
    plain = mean_interval(values, sessions, seed=0)
    shuffled = mean_interval(values[order], sessions[order] * 7 + 1_000_000, seed=0)
    assert (shuffled.low, shuffled.high) == pytest.approx((plain.low, plain.high))


def test_the_same_seed_gives_the_same_interval_and_another_one_another():
    values, sessions = np.random.default_rng(8).random(100), np.arange(100)
    assert mean_interval(values, sessions, seed=1) == mean_interval(values, sessions, seed=1)
    assert mean_interval(values, sessions, seed=1) != mean_interval(values, sessions, seed=2)


@pytest.mark.parametrize(
    ("values", "sessions", "said"),
    [
        ([], [], "0 values"),
        ([1.0, 2.0], [0], "2 values and 1 sessions"),
        ([1.0, float("nan")], [0, 1], "infinite or NaN"),
    ],
)
def test_what_has_no_mean_is_refused(values, sessions, said):
    with pytest.raises(ValueError, match=said):
        mean_interval(np.array(values), np.array(sessions, dtype=np.int64), seed=0)


def test_all_metrics_and_slices_come_from_the_same_resamples():
    rng = np.random.default_rng(9)
    sessions = np.repeat(np.arange(200), rng.integers(1, 5, 200))
    values = rng.random((3, len(sessions)))
    some = np.flatnonzero(rng.random(len(sessions)) < 0.5)
    whole, part = slice_intervals(values, sessions, [np.arange(len(sessions)), some], seed=4)
    for of_metric, interval in zip(values, whole, strict=True):
        alone = mean_interval(of_metric, sessions, seed=4)
        assert (interval.mean, interval.low, interval.high) == pytest.approx((alone.mean, alone.low, alone.high))
    drawn = np.random.default_rng(4).integers(0, 200, (2_000, 200))  # the definition, a resample at a time
    inside = np.isin(np.arange(len(sessions)), some)
    totals = np.bincount(sessions[inside], weights=values[0][inside], minlength=200)
    counts = np.bincount(sessions[inside], minlength=200)
    means = [totals[resample].sum() / counts[resample].sum() for resample in drawn]
    assert (part[0].low, part[0].high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))


def test_the_interval_of_a_slice_holds_its_truth_19_times_in_20():
    rng = np.random.default_rng(10)
    covered = 0
    for _ in range(300):
        sessions = np.repeat(np.arange(200), 4)
        values = rng.normal(0.0, 1.0, 200)[sessions] + rng.normal(0.0, 1.0, 800)
        members = np.flatnonzero(rng.random(800) < 0.3)
        [[interval]] = slice_intervals(values[None], sessions, [members], resamples=400, seed=int(rng.integers(2**31)))
        covered += interval.low <= 0.0 <= interval.high
    assert 0.91 <= covered / 300 <= 0.98


def test_a_resample_without_a_session_of_the_slice_says_nothing_of_it():
    values, sessions = np.arange(4.0)[None], np.arange(4)
    [[interval]] = slice_intervals(values, sessions, [np.array([3])], seed=0)
    assert (interval.mean, interval.low, interval.high) == (3.0, 3.0, 3.0)


def test_a_slice_without_targets_is_refused():
    with pytest.raises(ValueError, match="a slice has no targets"):
        slice_intervals(np.zeros((1, 2)), np.arange(2), [np.arange(0)], seed=0)
