"""From the finalist that is to ship to the model that ships: its best run, or all its runs as one. Knows no Ray."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from experiments.tuning.engine.engine import Idle
from experiments.tuning.study.constraints import Constraint, broken
from experiments.tuning.study.shipping_results import ShippingResults
from experiments.tuning.study.summary import ShippedModel, Shipping
from experiments.tuning.worker.finalist_training import run_checkpoint
from experiments.tuning.worker.jobs import ShippingJob
from experiments.tuning.worker.reports import FinalistRun, JobFailure, ShippingResult
from experiments.tuning.worker.shipping import bag_checkpoint
from narm.footprint import Footprint
from narm.models import MODELS, ModelName

logger = logging.getLogger(__name__)

ATTEMPTS = 2


@dataclass(slots=True)
class Shipment:
    """One job, which makes the bag if there is to be one, and measures what there is to ship.

    When it fails for good, the best run ships, unmeasured.

    Args:
        runs: of the finalist to ship, the best on validation first.
        wants_bag: whether all runs are to ship as one model.
        model: name of the model, of which nothing may be random.
        results: keeps the result, and has that of an earlier session.
        constraints: what may ship; a bag that breaks one does not.
        n_parameters: numbers in a single run's model; it matters where constraints bound it.

    Attributes:
        shipping: what ships; None before it is known, and where the job failed.
    """

    runs: Sequence[FinalistRun]
    wants_bag: bool
    model: ModelName
    results: ShippingResults
    constraints: Sequence[Constraint] = ()
    n_parameters: float = 0.0
    shipping: Shipping | None = field(init=False, default=None)
    _waiting: ShippingJob | None = field(init=False, default=None)
    _is_running: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        best = self.runs[0]
        seeds = sorted(run.seed for run in self.runs) if self.makes_bag else []
        job = ShippingJob(best.finalist, best.seed, tuple(seeds))
        if (known := self.results.read(job)) is not None:
            self.shipping = self._shipping(known)
        else:
            self.results.forget(best.finalist)
            self._waiting = job

    @property
    def makes_bag(self) -> bool:
        """Whether the runs become one model."""
        return self.wants_bag and self._why_no_bag is None

    @property
    def _why_no_bag(self) -> str | None:
        """Why the runs cannot be more than one of them is."""
        if MODELS[self.model].learned_at_once:
            return f"nothing is random in {self.model}: a bag of its runs is one of them"
        return "there is only one run of it: a bag of that is the run itself" if len(self.runs) == 1 else None

    def next_job(self) -> ShippingJob | Idle:
        """What to do next."""
        if self._waiting is None:
            return Idle.WAIT if self._is_running else Idle.DONE
        job, self._waiting, self._is_running = self._waiting, None, True
        return job

    def made(self, job: ShippingJob, result: ShippingResult) -> None:
        """Take the result of the job."""
        self._is_running = False
        self.results.write(job, result)
        self.shipping = self._shipping(result)

    def _shipping(self, result: ShippingResult) -> Shipping:
        best, bag, why_no_bag = self.runs[0], result.bag, self._why_no_bag
        if bag is not None and (above := broken(self.constraints, self._costs(bag.footprint))) is not None:
            bag, why_no_bag = None, f"a bag of its runs cannot ship: {above}"
        seeds = sorted(run.seed for run in self.runs)
        return Shipping(
            single=_model([best.seed], best.valid, best.test, result.single),
            bag=None if bag is None else _model(seeds, bag.valid, bag.test, bag.footprint),
            why_no_bag=why_no_bag if self.wants_bag else None,
        )

    def _costs(self, of_bag: Footprint) -> dict[str, float]:
        return {
            "n_parameters": self.n_parameters * len(self.runs),
            "megabytes": of_bag.megabytes,
            "request_ms": of_bag.milliseconds,
        }

    def failed(self, job: ShippingJob, failure: JobFailure) -> None:
        """Take the failure of the job: it is tried again, or the best run ships."""
        self._is_running = False
        if failure.worth_a_retry and job.attempt < ATTEMPTS:
            self._waiting = replace(job, attempt=job.attempt + 1)
            return
        what = "the bag could not be made" if job.bag else "the model to ship could not be measured"
        logger.warning("%s: %s: the best run ships", what, failure.reason)

    @property
    def checkpoint(self) -> str:
        """Name of the checkpoint to ship, among those of the finalists."""
        best = self.runs[0]
        has_bag = self.shipping is not None and self.shipping.bag is not None
        return bag_checkpoint(best.finalist) if has_bag else run_checkpoint(best.finalist, best.seed)


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
