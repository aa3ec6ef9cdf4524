"""Several studies share the slots of one run of Ray Tune."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import pytest

from experiments.tuning.driver.dispatcher import Job, Relay
from experiments.tuning.driver.study_run import StudyRun
from experiments.tuning.engine.engine import Idle
from experiments.tuning.optimizer.scheduler import Verdict
from experiments.tuning.worker.finalists import FinalistLeg
from experiments.tuning.worker.jobs import Leg


def leg(number: int) -> Leg:
    return Leg(number=number, seed=1, options={}, epochs=0, parent=None)


@dataclass
class Study:
    """Has legs to hand out, waits for their reports, and is over."""

    legs: list[Leg | FinalistLeg]
    in_flight: list[Leg | FinalistLeg] = field(default_factory=list)
    may_end: bool = False
    told: list[Any] = field(default_factory=list)

    def next_leg(self) -> Leg | FinalistLeg | Idle:
        if self.legs:
            self.in_flight.append(self.legs.pop(0))
            return self.in_flight[-1]
        self.may_end = not self.in_flight
        return Idle.WAIT if self.in_flight else Idle.DONE

    def report(self, leg: Leg | FinalistLeg, report: object) -> Verdict:
        self.in_flight.remove(leg)
        self.told.append(report)
        return Verdict.STOP

    def failed(self, leg: Leg | FinalistLeg, reason: str, details: str, *, worth_a_retry: bool) -> None:
        self.in_flight.remove(leg)
        self.told.append(reason)

    def look_at_the_clock(self) -> None:
        self.told.append("clock")

    def settle(self, *, is_interrupted: bool) -> None:
        self.told.append("interrupted" if is_interrupted else "settled")

    @property
    def result(self) -> object:
        return None if self.legs or self.in_flight else "a result"

    def abandon(self, error: BaseException) -> None:
        self.told.append(error)


def relay_of(*studies: Study) -> Relay:
    return Relay([partial(lambda study: cast("StudyRun", study), study) for study in studies])


def start(relay: Relay) -> Job:
    job = relay.next_job()
    assert isinstance(job, Job)
    return job


def report(relay: Relay, job: Job, what: str = "report") -> None:
    assert relay.report(job, cast("Any", what)) is Verdict.STOP


def test_a_study_begins_when_the_one_before_it_leaves_a_slot_empty() -> None:
    first, second = Study([leg(0), leg(1)]), Study([leg(0)])
    relay = relay_of(first, second)
    jobs = [start(relay), start(relay)]
    assert [job.study for job in jobs] == [0, 0]
    assert len(relay.begun) == 1
    report(relay, jobs[0])
    assert start(relay).study == 1
    assert relay.next_job() is Idle.WAIT


def test_an_earlier_study_comes_first_once_it_has_work_again() -> None:
    first, second = Study([leg(0)]), Study([leg(0), leg(1)])
    relay = relay_of(first, second)
    job, other = start(relay), start(relay)
    report(relay, job)
    first.legs.append(leg(1))  # a promotion
    report(relay, other, "of the second")
    assert (first.told, second.told) == (["report"], ["of the second"])
    assert [start(relay).study, start(relay).study] == [0, 1]


def test_a_failure_reaches_the_study_whose_leg_it_is() -> None:
    first, second = Study([leg(0)]), Study([leg(0)])
    relay = relay_of(first, second)
    start(relay)
    relay.failed(start(relay), "no luck", "a traceback", worth_a_retry=True)
    assert (first.told, second.told) == ([], ["no luck"])


def test_it_is_over_when_all_studies_are() -> None:
    first, second = Study([leg(0)]), Study([leg(0)])
    relay = relay_of(first, second)
    jobs = [start(relay), start(relay)]
    report(relay, jobs[0])
    assert relay.next_job() is Idle.WAIT
    assert not relay.may_end
    report(relay, jobs[1])
    assert relay.next_job() is Idle.DONE
    assert relay.may_end
    assert not relay.settle()


def test_no_study_that_has_not_begun_is_forgotten() -> None:
    first, second = Study([leg(0)], may_end=True), Study([leg(0)])
    relay = relay_of(first, second)
    relay.begin_next()
    assert not relay.may_end


def test_a_run_of_tune_that_ends_early_leaves_the_rest_for_the_next() -> None:
    study = Study([leg(0), leg(1)])
    relay = relay_of(study)
    start(relay)
    assert relay.settle()
    assert study.told == ["settled"]


def test_an_interruption_ends_all_and_begins_none() -> None:
    first, second = Study([leg(0)]), Study([leg(0)])
    relay = relay_of(first, second)
    start(relay)
    relay.interrupt()
    assert relay.may_end
    assert relay.next_job() is Idle.DONE
    assert not relay.settle()
    assert first.told == ["interrupted"]
    assert len(relay.begun) == 1


def test_an_error_ends_the_training_and_is_raised_outside_of_tune() -> None:
    study = Study([leg(0)])

    def refuse() -> StudyRun:
        raise ValueError("the study exists")

    relay = Relay([lambda: cast("StudyRun", study), refuse])
    start(relay)
    assert relay.next_job() is Idle.DONE
    assert relay.may_end
    with pytest.raises(ValueError, match="the study exists") as raised:
        relay.settle()
    relay.abandon(raised.value)
    assert study.told == [raised.value]


def test_a_job_travels_as_a_configuration_of_tune() -> None:
    job = Job(2, leg(3))
    assert Job(**job.config) == job
