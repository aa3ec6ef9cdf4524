"""What two files of sessions share."""

from __future__ import annotations

import pytest

from narm.data.overlap import require_apart
from narm.data.session_log import group_events
from narm.errors import InputError


@pytest.fixture
def train(as_log):
    return group_events(as_log([(s, item, 10 * s + item) for s in range(4) for item in (1, 2)]))


def test_a_session_in_two_files_is_refused(train):
    with pytest.raises(InputError, match=r"4 test sessions are sessions of the training file too, the first with id 0"):
        require_apart(train, train, "test")


def test_ids_alone_are_reported_unless_they_are_users(train, as_log):
    test = group_events(as_log([(2, 1, 100), (2, 2, 101), (9, 1, 100), (9, 2, 103)]))
    assert require_apart(train, test, "test") == ("1 test sessions have the id of a train session",)
    assert require_apart(train, test, "test", ids_are_users=True) == ()


def test_sessions_before_the_end_of_train_are_reported(train, as_log):
    valid = group_events(as_log([(7, 1, 5), (7, 2, 6), (9, 1, 100), (9, 2, 103)]))
    (note,) = require_apart(train, valid, "validation")
    assert note == "1 of 2 validation sessions begin before the last train session has ended"
