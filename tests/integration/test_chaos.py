"""Drivers of one study killed at random moments, and what the study holds in the end."""

from __future__ import annotations

import pytest

from benchmarks.chaos import compare, trials_for
from benchmarks.local_cluster import local_cluster

pytestmark = [pytest.mark.integration, pytest.mark.slow]

KILLS = 10


def test_a_study_whose_drivers_are_killed_ten_times_is_the_same_as_one_that_nobody_disturbed(tmp_path):
    with local_cluster(1) as cluster:
        _, killed, wrong = compare(
            tmp_path, cluster.address, trials=trials_for(KILLS), concurrency=1, kills=KILLS, seed=2020
        )
    assert wrong == []
    assert killed.kills == KILLS
