"""Which training of which finalist comes next, what became of each, and which fail for good. Knows no Ray."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from experiments.tuning.engine.engine import Idle
from experiments.tuning.engine.finalists import racers
from experiments.tuning.engine.racing import Bounds, Turn, next_turn
from experiments.tuning.study.finalist_runs import FinalistRuns
from experiments.tuning.study.summary import Allocation, FinalistFailure
from experiments.tuning.worker.jobs import Finalist, FinalistJob
from experiments.tuning.worker.reports import FinalistRun, JobFailure

logger = logging.getLogger(__name__)

ATTEMPTS = 2


@dataclass(slots=True, kw_only=True)
class FinalistQueue:
    """Gives the finalists their seeds one by one, as the race says, until there are enough.

    What earlier sessions trained counts: the race is run again as far as their results go, and goes on from there. So,
    with one run at a time, a search that was interrupted comes to what it would have come to. A training that fails is
    tried a second time, from its checkpoint; so is one that was interrupted, by the next session.

    Args:
        finalists: what to train, the best trial first.
        seeds: seeds of the runs of each finalist, at most.
        runs_at_most: runs of all finalists together, at most.
        objective: key of the metric on validation that decides.
        trials: values of the finalists' trials that count, by number.
        results: keeps the runs that are done, and has those of earlier sessions.
        on_done: called with each run at once, also with those done before. It must not raise.
        is_time_over: whether no seed may be begun any more.

    Attributes:
        runs: runs that are done, now or before.
        failures: runs that were given up.
        allocations: which finalist was given which seed, in this order, and why.
        why_enough: why none is given another; None as long as one may be.
    """

    finalists: Sequence[Finalist]
    seeds: Sequence[int]
    runs_at_most: int
    objective: str
    trials: Mapping[int, float]
    results: FinalistRuns
    on_done: Callable[[FinalistRun | FinalistFailure], None]
    is_time_over: Callable[[], bool] = lambda: False
    runs: list[FinalistRun] = field(init=False, default_factory=list)
    failures: list[FinalistFailure] = field(init=False, default_factory=list)
    allocations: list[Allocation] = field(init=False, default_factory=list)
    why_enough: str | None = field(init=False, default=None)
    _again: deque[FinalistJob] = field(init=False, default_factory=deque)
    _in_flight: Counter[int] = field(init=False, default_factory=Counter)

    def __post_init__(self) -> None:
        kept = {
            (finalist.number, seed): run
            for seed, finalist in product(self.seeds, self.finalists)
            if (run := self.results.read(finalist, seed)) is not None
        }
        while (following := self._next_in(turn := self._turn())) is not None and following in kept:
            self._take_up(kept.pop(following), turn.reason)
        for run in kept.values():  # of runs at the same time, or of a session with other bounds
            self._take_up(run, "an earlier session trained it")

    def _take_up(self, run: FinalistRun, reason: str) -> None:
        self.allocations.append(Allocation(number=run.finalist.number, seed=run.seed, reason=reason))
        self.runs.append(run)
        self.on_done(run)

    def next_job(self) -> FinalistJob | Idle:
        """What to train next."""
        if self._again:
            return self._again.popleft()
        turn = self._turn()
        if (following := self._next_in(turn)) is None:
            if self._in_flight.total():
                return Idle.WAIT
            self.why_enough = turn.reason
            return Idle.DONE
        number, seed = following
        self.allocations.append(Allocation(number=number, seed=seed, reason=turn.reason))
        self._in_flight[number] += 1
        return FinalistJob(next(each for each in self.finalists if each.number == number), seed)

    def _turn(self) -> Turn:
        known = racers(self.finalists, self.runs, self.failures, self.objective, self.trials, self._in_flight)
        return next_turn(known, Bounds(seeds=len(self.seeds), runs=self.runs_at_most, is_time_over=self.is_time_over()))

    def _next_in(self, turn: Turn) -> tuple[int, int] | None:
        """The finalist that is next, and its first seed that it was not given yet."""
        if turn.number is None:
            return None
        given = {each.seed for each in self.allocations if each.number == turn.number}
        return turn.number, next(seed for seed in self.seeds if seed not in given)

    def trained(self, run: FinalistRun) -> None:
        """Take the result of a job."""
        self._in_flight[run.finalist.number] -= 1
        self._keep(run)
        self.runs.append(run)
        self.on_done(run)

    def failed(self, job: FinalistJob, failure: JobFailure) -> None:
        """Take the failure of a job: it is queued again, or has failed for good."""
        if failure.worth_a_retry and job.attempt < ATTEMPTS:
            self._again.append(replace(job, attempt=job.attempt + 1))
            return
        self._in_flight[job.finalist.number] -= 1
        given_up = FinalistFailure(number=job.finalist.number, seed=job.seed, reason=failure.reason)
        self.failures.append(given_up)
        self.on_done(given_up)

    def _keep(self, run: FinalistRun) -> None:
        try:
            self.results.write(run)
        except OSError as error:  # a full disk must not cost what is known
            logger.warning(
                "%s: the result of %s is not kept: %s", self.results.folder, run.finalist.label, error.strerror
            )
