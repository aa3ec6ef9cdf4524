"""Databases of studies are opened, whoever else is at it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from experiments.tuning.study.storage import open_storage
from narm.errors import InputError

SEARCHES = 4


def test_searches_that_begin_at_the_same_moment_share_a_new_database(tmp_path: Path) -> None:
    start = Barrier(SEARCHES)

    def begin(url: str) -> int:
        start.wait()
        return len(open_storage(url).get_all_studies())

    for attempt in range(3):
        with ThreadPoolExecutor(SEARCHES) as searches:
            assert list(searches.map(begin, [f"sqlite:///{tmp_path}/{attempt}.db"] * SEARCHES)) == [0] * SEARCHES


def test_what_cannot_be_opened_is_said_without_a_password(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"storage: sqlite:////.*/no/s.db cannot be opened"):
        open_storage(f"sqlite:///{tmp_path}/no/s.db")
