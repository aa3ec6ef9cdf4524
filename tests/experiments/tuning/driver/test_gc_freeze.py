"""The collector during a search."""

from __future__ import annotations

import gc

from experiments.tuning.driver.gc_freeze import short_collections


def test_what_was_there_before_is_left_alone_until_the_end() -> None:
    before = [gc]  # a list, which the collector goes through
    with short_collections():
        after = [gc]
        watched = {id(each) for each in gc.get_objects()}
        assert id(after) in watched
        assert id(before) not in watched
    assert id(before) in {id(each) for each in gc.get_objects()}
