"""Drivers of one study killed at random moments, and what the study holds in the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.mlflow_store import prepared_store

from benchmarks.chaos import compare
from benchmarks.local_cluster import local_cluster

TRIALS = 4  # of which each driver trains some
KILLS, SEED = 2, 63  # the first in the middle of a driver's work, the second while one starts: as this seed has it


def test_a_study_whose_drivers_are_killed_is_the_same_as_one_that_nobody_disturbed(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in ("undisturbed", "killed"):
        (tmp_path / name).mkdir()
        prepared_store(tmp_path / name / "mlflow.db", tmp_path_factory)
    with local_cluster(1) as cluster:
        _, killed, wrong = compare(tmp_path, cluster.address, trials=TRIALS, concurrency=1, kills=KILLS, seed=SEED)
    assert wrong == []
    assert killed.kills == KILLS
