"""Step times and the epoch they project to."""

import pytest

from benchmarks.step_timing import StepTiming


def timing(step_seconds: tuple[float, ...], step_targets: tuple[int, ...], n_targets: int) -> StepTiming:
    return StepTiming(
        dataset="synthetic",
        step_seconds=step_seconds,
        step_targets=step_targets,
        n_targets=n_targets,
        batch_size=100,
        n_items=10,
        n_threads=1,
        peak_rss_mib=1.0,
    )


def test_the_first_step_and_the_small_last_one_do_not_count_in_the_median() -> None:
    assert timing((9.0, 2.0, 3.0, 4.0, 0.1), (100, 100, 100, 100, 30), 430).seconds_per_step == 3.0


def test_a_single_step_is_all_there_is() -> None:
    assert timing((9.0,), (100,), 430).seconds_per_step == 9.0


def test_an_epoch_smaller_than_a_batch_has_its_own_pace() -> None:
    assert timing((2.0,), (30,), 30).seconds_per_step == 2.0


def test_the_last_batch_of_an_epoch_counts_as_a_step() -> None:
    assert timing((1.0,), (100,), 430).steps_per_epoch == 5
    assert timing((1.0,), (100,), 400).steps_per_epoch == 4


def test_epoch_seconds_are_known_only_of_a_whole_epoch() -> None:
    assert timing((1.0, 1.0), (100, 30), 130).epoch_seconds == 2.0
    assert timing((1.0,), (100,), 130).epoch_seconds is None


def test_the_projection_counts_targets_and_not_steps() -> None:
    measured = timing((9.0, 2.0), (100, 100), 430)
    assert measured.projected_epoch_seconds() == pytest.approx(8.6)
    assert measured.projected_epoch_seconds(n_targets=1000) == pytest.approx(20.0)
