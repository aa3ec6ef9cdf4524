"""Whole sessions split by time, as `split: temporal` does it."""

from __future__ import annotations

from narm.data.cuts import by_share
from narm.data.session_log import SessionLog
from narm.data.splits import Partition, given


def temporal(log: SessionLog, *, valid_share: float, test_share: float) -> Partition:
    """The last sessions to end are test, the last of the others validation."""
    rest, test = by_share(log, test_share, "test")
    return given(rest, test, valid_share=valid_share)
