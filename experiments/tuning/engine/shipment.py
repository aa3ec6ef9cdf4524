"""From the finalist that is to ship to the model that ships: its best run, or all its runs as one. Knows no Ray.

What ships may be trained once more before, on what was held out too: each run with its own seed and number of epochs.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from experiments.tuning.engine.engine import Idle
from experiments.tuning.study.constraints import Constraint, broken
from experiments.tuning.study.shipping_results import ShippingResults
from experiments.tuning.study.summary import RefitModel, ShippedModel, Shipping
from experiments.tuning.worker.finalist_training import run_checkpoint
from experiments.tuning.worker.jobs import RefitJob, ShippingJob
from experiments.tuning.worker.reports import FinalistRun, JobFailure, ShippingResult
from experiments.tuning.worker.shipping import shipped_checkpoint
from narm.data.sessions import Refit
from narm.footprint import Footprint
from narm.models import MODELS, ModelName

logger = logging.getLogger(__name__)

ATTEMPTS = 2


@dataclass(slots=True)
class Shipment:
    """Trains again what ships, if that is wanted; then a last job makes the bag, if there is one, and measures it all.

    When a training fails for good, what ships was trained on train alone; when the last job does, the best run ships,
    unmeasured.

    Args:
        runs: of the finalist to ship, the best on validation first.
        wants_bag: whether all runs are to ship as one model.
        refit: what the runs that ship are to be trained on again, beside train.
        model: name of the model, of which nothing may be random.
        results: keeps the result, and has that of an earlier session.
        constraints: what may ship; a bag that breaks one does not.
        n_parameters: numbers in a single run's model; it matters where constraints bound it.

    Attributes:
        shipping: what ships; None before it is known, and where the last job failed.
    """

    runs: Sequence[FinalistRun]
    wants_bag: bool
    refit: Refit
    model: ModelName
    results: ShippingResults
    constraints: Sequence[Constraint] = ()
    n_parameters: float = 0.0
    shipping: Shipping | None = field(init=False, default=None)
    _waiting: deque[RefitJob | ShippingJob] = field(init=False, default_factory=deque)
    _running: int = field(init=False, default=0)
    _last: ShippingJob | None = field(init=False, default=None)
    _why_no_refit: str | None = field(init=False, default=None)
    _why_not_this_bag: str | None = field(init=False, default=None)

    def take_up(self) -> None:
        """Take over the result of an earlier session, or begin; what that session has trained again is not lost."""
        self._begin(self._shipping_job(self.refit))

    def _begin(self, job: ShippingJob) -> None:
        if (known := self.results.read(job)) is not None:
            self._take(job, known)
            return
        self.results.forget(job.finalist)
        self._waiting.extend(self._refits(job))
        self._last = job
        self._go_on()

    def _shipping_job(self, refit: Refit) -> ShippingJob:
        best, shipped = self.runs[0], self.runs if self.makes_bag else self.runs[:1]
        return ShippingJob(
            best.finalist,
            best.seed,
            tuple(sorted(run.seed for run in shipped)) if self.makes_bag else (),
            refit,
            {run.seed: run.best_epoch for run in shipped},
        )

    @property
    def makes_bag(self) -> bool:
        """Whether the runs become one model."""
        return self.wants_bag and self._why_no_bag is None

    @property
    def n_refits(self) -> int:
        """Runs that wait to be trained again."""
        return sum(isinstance(job, RefitJob) for job in self._waiting)

    @property
    def _why_no_bag(self) -> str | None:
        """Why the runs do not ship as one model."""
        if self._why_not_this_bag is not None:
            return self._why_not_this_bag
        if MODELS[self.model].learned_at_once:
            return f"nothing is random in {self.model}: a bag of its runs is one of them"
        return "there is only one run of it: a bag of that is the run itself" if len(self.runs) == 1 else None

    def _refits(self, job: ShippingJob) -> Iterator[RefitJob]:
        if job.refit == "none":
            return
        for seed in job.seeds:
            yield RefitJob(finalist=job.finalist, seed=seed, epochs=job.best_epochs[seed], refit=job.refit)

    def _go_on(self) -> None:
        """The last job waits for those before it."""
        if self._last is not None and not self._waiting and not self._running:
            self._waiting.append(self._last)
            self._last = None

    def next_job(self) -> RefitJob | ShippingJob | Idle:
        """What to do next."""
        if not self._waiting:
            return Idle.WAIT if self._running else Idle.DONE
        self._running += 1
        return self._waiting.popleft()

    def refitted(self) -> None:
        """A run was trained again: its checkpoint is there."""
        self._running -= 1
        self._go_on()

    def made(self, job: ShippingJob, result: ShippingResult) -> None:
        """Take the result of the last job."""
        self._running -= 1
        self.results.write(job, result)
        self._take(job, result)

    def _take(self, job: ShippingJob, result: ShippingResult) -> None:
        """Take what was made; of a bag that may not ship, the best run does."""
        if (
            result.bag is not None
            and (above := broken(self.constraints, self._costs(result.bag.footprint))) is not None
        ):
            self._why_not_this_bag = f"a bag of its runs cannot ship: {above}"
            self._begin(self._shipping_job(self.refit))
        else:
            self.shipping = self._shipping(job, result)

    def _costs(self, of_bag: Footprint) -> dict[str, float]:
        return {
            "n_parameters": self.n_parameters * len(self.runs),
            "megabytes": of_bag.megabytes,
            "request_ms": of_bag.milliseconds,
        }

    def _shipping(self, job: ShippingJob, result: ShippingResult) -> Shipping:
        best, bag, again = self.runs[0], result.bag, result.refit
        seeds = sorted(run.seed for run in self.runs)
        refit = None
        if job.refit != "none" and again is not None:
            model = _model(job.seeds, {}, again.test, again.footprint)
            refit = RefitModel(on=job.refit, epochs=[job.best_epochs[seed] for seed in job.seeds], model=model)
        return Shipping(
            single=_model([best.seed], best.valid, best.test, result.single),
            bag=None if bag is None else _model(seeds, bag.valid, bag.test, bag.footprint),
            why_no_bag=self._why_no_bag if self.wants_bag else None,
            refit=refit,
            why_no_refit=self._why_no_refit,
        )

    def failed(self, job: RefitJob | ShippingJob, failure: JobFailure) -> None:
        """Take the failure of a job: it is tried again, or what ships is made without it."""
        self._running -= 1
        if failure.worth_a_retry and job.attempt < ATTEMPTS:
            self._waiting.append(replace(job, attempt=job.attempt + 1))
        elif isinstance(job, RefitJob):
            self._give_up_refit(job, failure)
        else:
            what = "the bag could not be made" if job.bag else "the model to ship could not be measured"
            logger.warning("%s: %s: the best run ships", what, failure.reason)
        self._go_on()

    def _give_up_refit(self, job: RefitJob, failure: JobFailure) -> None:
        """Ship what was compared: a bag of some runs that know more than others is what nobody has asked for."""
        self._why_no_refit = f"with seed {job.seed} it failed: {failure.reason}"
        logger.warning("the last training, %s: what was trained on train alone ships", self._why_no_refit)
        self._waiting.clear()
        self._last = self._shipping_job("none")

    @property
    def checkpoint(self) -> str:
        """Name of the checkpoint to ship, among those of the finalists."""
        best = self.runs[0]
        if self.shipping is None:
            return run_checkpoint(best.finalist, best.seed)
        return shipped_checkpoint(self._shipping_job("none" if self.shipping.refit is None else self.shipping.refit.on))


def _model(
    seeds: Sequence[int], valid: Mapping[str, float], test: Mapping[str, float], footprint: Footprint
) -> ShippedModel:
    return ShippedModel(
        seeds=seeds,
        valid=valid,
        test=test,
        megabytes=footprint.megabytes,
        milliseconds=footprint.milliseconds,
    )
