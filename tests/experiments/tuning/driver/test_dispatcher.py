"""Several studies share the slots of one run of Ray Tune."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import pytest

from experiments.tuning.driver.dispatcher import Dispatcher, StudyJob
from experiments.tuning.driver.study_run import StudyRun
from experiments.tuning.engine.engine import Idle
from experiments.tuning.optimizer.scheduler import Decision
from experiments.tuning.worker.jobs import FinalistJob, TrialJob


def trial_job(number: int) -> TrialJob:
    return TrialJob(number=number, seed=1, options={}, epochs=0, parent=None)


@dataclass
class Study:
    """Has jobs to hand out, waits for their reports, and is over."""

    jobs: list[TrialJob | FinalistJob]
    in_flight: list[TrialJob | FinalistJob] = field(default_factory=list)
    may_end: bool = False
    told: list[Any] = field(default_factory=list)

    def next_job(self) -> TrialJob | FinalistJob | Idle:
        if self.jobs:
            self.in_flight.append(self.jobs.pop(0))
            return self.in_flight[-1]
        self.may_end = not self.in_flight
        return Idle.WAIT if self.in_flight else Idle.DONE

    def report(self, job: TrialJob | FinalistJob, report: object) -> Decision:
        self.in_flight.remove(job)
        self.told.append(report)
        return Decision.STOP

    def check_deadline(self) -> None:
        self.told.append("clock")

    def settle(self, *, is_interrupted: bool) -> None:
        self.told.append("interrupted" if is_interrupted else "settled")

    @property
    def result(self) -> object:
        return None if self.jobs or self.in_flight else "a result"

    def abandon(self, error: BaseException) -> None:
        self.told.append(error)


def dispatcher_of(*studies: Study) -> Dispatcher:
    return Dispatcher([partial(lambda study: cast("StudyRun", study), study) for study in studies])


def start(dispatcher: Dispatcher) -> StudyJob:
    job = dispatcher.next_job()
    assert isinstance(job, StudyJob)
    return job


def report(dispatcher: Dispatcher, job: StudyJob, what: str = "report") -> None:
    assert dispatcher.report(job, cast("Any", what)) is Decision.STOP


def test_a_study_begins_when_the_one_before_it_leaves_a_slot_empty() -> None:
    first, second = Study([trial_job(0), trial_job(1)]), Study([trial_job(0)])
    dispatcher = dispatcher_of(first, second)
    jobs = [start(dispatcher), start(dispatcher)]
    assert [job.study for job in jobs] == [0, 0]
    assert len(dispatcher.begun) == 1
    report(dispatcher, jobs[0])
    assert start(dispatcher).study == 1
    assert dispatcher.next_job() is Idle.WAIT


def test_an_earlier_study_comes_first_once_it_has_work_again() -> None:
    first, second = Study([trial_job(0)]), Study([trial_job(0), trial_job(1)])
    dispatcher = dispatcher_of(first, second)
    job, other = start(dispatcher), start(dispatcher)
    report(dispatcher, job)
    first.jobs.append(trial_job(1))  # a promotion
    report(dispatcher, other, "of the second")
    assert (first.told, second.told) == (["report"], ["of the second"])
    assert [start(dispatcher).study, start(dispatcher).study] == [0, 1]


def test_a_report_reaches_the_study_whose_job_it_is() -> None:
    first, second = Study([trial_job(0)]), Study([trial_job(0)])
    dispatcher = dispatcher_of(first, second)
    start(dispatcher)
    report(dispatcher, start(dispatcher), "no luck")
    assert (first.told, second.told) == ([], ["no luck"])


def test_it_is_over_when_all_studies_are() -> None:
    first, second = Study([trial_job(0)]), Study([trial_job(0)])
    dispatcher = dispatcher_of(first, second)
    jobs = [start(dispatcher), start(dispatcher)]
    report(dispatcher, jobs[0])
    assert dispatcher.next_job() is Idle.WAIT
    assert not dispatcher.may_end
    report(dispatcher, jobs[1])
    assert dispatcher.next_job() is Idle.DONE
    assert dispatcher.may_end
    assert not dispatcher.settle()


def test_no_study_that_has_not_begun_is_forgotten() -> None:
    first, second = Study([trial_job(0)], may_end=True), Study([trial_job(0)])
    dispatcher = dispatcher_of(first, second)
    dispatcher.begin_next()
    assert not dispatcher.may_end


def test_a_run_of_tune_that_ends_early_leaves_the_rest_for_the_next() -> None:
    study = Study([trial_job(0), trial_job(1)])
    dispatcher = dispatcher_of(study)
    start(dispatcher)
    assert dispatcher.settle()
    assert study.told == ["settled"]


def test_an_interruption_ends_all_and_begins_none() -> None:
    first, second = Study([trial_job(0)]), Study([trial_job(0)])
    dispatcher = dispatcher_of(first, second)
    start(dispatcher)
    dispatcher.interrupt()
    assert dispatcher.may_end
    assert dispatcher.next_job() is Idle.DONE
    assert not dispatcher.settle()
    assert first.told == ["interrupted"]
    assert len(dispatcher.begun) == 1


def test_an_error_ends_the_training_and_is_raised_outside_of_tune() -> None:
    study = Study([trial_job(0)])

    def refuse() -> StudyRun:
        raise ValueError("the study exists")

    dispatcher = Dispatcher([lambda: cast("StudyRun", study), refuse])
    start(dispatcher)
    assert dispatcher.next_job() is Idle.DONE
    assert dispatcher.may_end
    with pytest.raises(ValueError, match="the study exists") as raised:
        dispatcher.settle()
    dispatcher.abandon(raised.value)
    assert study.told == [raised.value]


def test_an_error_in_a_report_ends_the_training_too() -> None:
    study = Study([trial_job(0)])
    dispatcher = dispatcher_of(study)
    job = dispatcher.next_job()
    assert isinstance(job, StudyJob)
    study.in_flight.clear()  # so that it does not know the job
    assert dispatcher.report(job, "a report") is Decision.STOP
    assert dispatcher.report(job, "another") is Decision.STOP
    assert dispatcher.may_end
    with pytest.raises(ValueError, match="not in list"):
        dispatcher.settle()


def test_a_job_travels_as_a_configuration_of_tune() -> None:
    job = StudyJob(2, trial_job(3))
    assert StudyJob(**job.config) == job
