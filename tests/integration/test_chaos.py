"""Drivers of one study killed at random moments, and what the study holds in the end."""

from __future__ import annotations

from benchmarks.chaos import compare, trials_for
from benchmarks.local_cluster import local_cluster

KILLS = 4  # two while a driver starts, two in the middle of its work: as this seed has it


def test_a_study_whose_drivers_are_killed_is_the_same_as_one_that_nobody_disturbed(tmp_path):
    with local_cluster(1) as cluster:
        _, killed, wrong = compare(
            tmp_path, cluster.address, trials=trials_for(KILLS), concurrency=1, kills=KILLS, seed=2020
        )
    assert wrong == []
    assert killed.kills == KILLS
