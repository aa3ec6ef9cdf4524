"""Accidents in Ray's workers: what befalls a job in the middle of its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest import mock

from experiments.tuning.worker import tune_function
from experiments.tuning.worker.jobs import Job
from experiments.tuning.worker.reports import Report


def train_with(befall: Callable[[Job, int], None]) -> Callable[..., None]:
    """A function for `experiments.tuning.driver.run.train`, with accidents.

    Args:
        befall: called in the worker with the job and its last epoch, 0 before the first: it may raise, or end the
            process.
    """
    befall.__module__ = "__main__"  # pickled with its code: workers cannot import the module of a test

    def befallen(train: Callable[..., Iterator[Report]]) -> Callable[..., Iterator[Report]]:
        def train_until_then(job: Job, *rest: Any) -> Iterator[Report]:
            befall(job, 0)
            for report in train(job, *rest):
                yield report
                befall(job, getattr(report, "epoch", 0))

        return train_until_then

    def train(config: Mapping[str, Any], **given: Any) -> None:
        trial, finalist = (befallen(of_kind) for of_kind in (tune_function.train_trial, tune_function.train_finalist))
        with mock.patch.multiple(tune_function, train_trial=trial, train_finalist=finalist):
            tune_function.train(config, **given)

    return train
