"""What a worker says of a job that failed."""

from __future__ import annotations

import pickle

import pytest

from experiments.tuning.worker.reports import JobFailure
from narm.training import NonFiniteLoss


def failure_of(error: Exception) -> JobFailure:
    with pytest.raises(type(error)) as caught:
        raise error
    return JobFailure.of(caught.value)


def test_a_failure_is_its_last_line_and_its_traceback():
    failure = failure_of(ZeroDivisionError("the trial divides by zero"))
    assert failure.reason == "ZeroDivisionError: the trial divides by zero"
    assert failure.details.startswith("Traceback (most recent call last)")
    assert failure.details.endswith(failure.reason)
    assert failure.worth_a_retry
    assert pickle.loads(pickle.dumps(failure)) == failure  # noqa: S301  # as Ray sends it


def test_training_that_diverges_would_diverge_again():
    failure = failure_of(NonFiniteLoss("the loss is nan in epoch 3"))
    assert failure.reason == "narm.training.NonFiniteLoss: the loss is nan in epoch 3"
    assert not failure.worth_a_retry


def test_a_file_that_cannot_be_written_is_named_in_words():
    failure = failure_of(OSError(28, "No space left on device", "/runs/s/checkpoints/0000.pt"))
    assert failure.reason == "/runs/s/checkpoints/0000.pt: No space left on device"
    assert failure.worth_a_retry


def test_a_long_reason_is_shortened():
    assert len(failure_of(ValueError("a " * 1000)).reason) <= 300
