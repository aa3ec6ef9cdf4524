"""What ships of a finalist's runs, and what becomes of it when the job fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from experiments.tuning.engine.engine import Idle
from experiments.tuning.engine.shipment import Shipment
from experiments.tuning.study.constraints import parse_constraints
from experiments.tuning.study.summary import ShippedModel
from experiments.tuning.worker.jobs import Finalist, RefitJob, ShippingJob
from experiments.tuning.worker.reports import BagResult, FinalistRun, JobFailure, RefitResult, ShippingResult
from narm.footprint import Footprint

SINGLE, OF_BAG = Footprint(megabytes=1.0, milliseconds=0.5), Footprint(megabytes=3.0, milliseconds=1.5)
RESULT = ShippingResult(
    single=SINGLE, bag=BagResult(valid={"mrr_at_10": 0.4}, test={"mrr_at_10": 0.3}, footprint=OF_BAG)
)
REFITTED = replace(RESULT, refit=RefitResult(test={"mrr_at_10": 0.35}, footprint=OF_BAG))
FAILURE = JobFailure(reason="OSError: no space left", details="...", worth_a_retry=True)


def runs(*seeds: int) -> list[FinalistRun]:
    """Runs of trial 7, the best on validation first."""
    return [
        FinalistRun(
            finalist=Finalist(number=7, options={}), seed=seed, epochs=3, best_epoch=2, seconds=1.0,
            valid={"mrr_at_10": 0.3 - place / 10}, test={"mrr_at_10": 0.2}, ranks=np.array([1]),
        )
        for place, seed in enumerate(seeds)
    ]  # fmt: skip


class Kept:
    """Results of earlier sessions, in memory."""

    def __init__(self) -> None:
        self.known: list[tuple[ShippingJob, ShippingResult]] = []

    def read(self, job: ShippingJob) -> ShippingResult | None:
        return next((result for known, result in self.known if known == job), None)

    def write(self, job: ShippingJob, result: ShippingResult) -> None:
        self.known.append((replace(job, attempt=1), result))

    def forget(self, finalist: Finalist) -> None:
        self.known.clear()


def shipment(
    of: Sequence[FinalistRun],
    *,
    bag: bool = True,
    refit: str = "none",
    model: str = "narm",
    results: Kept | None = None,
) -> Shipment:
    made = Shipment(of, wants_bag=bag, refit=refit, model=model, results=results or Kept())  # type: ignore[arg-type]
    made.take_up()
    return made


def begin(made: Shipment) -> ShippingJob:
    job = made.next_job()
    assert isinstance(job, ShippingJob)
    assert made.next_job() is Idle.WAIT
    return job


def begin_refit(made: Shipment) -> RefitJob:
    job = made.next_job()
    assert isinstance(job, RefitJob)
    return job


def test_all_runs_become_one_model_that_ships():
    made = shipment(runs(9, 5, 6))
    job = begin(made)
    assert job == ShippingJob(Finalist(number=7, options={}), best=9, bag=(5, 6, 9), best_epochs={5: 2, 6: 2, 9: 2})
    made.made(job, RESULT)
    assert made.next_job() is Idle.DONE
    assert made.checkpoint == "0007-bag.pt"
    assert made.shipping is not None
    assert made.shipping.model == made.shipping.bag
    assert made.shipping.bag == ShippedModel(
        seeds=[5, 6, 9], valid={"mrr_at_10": 0.4}, test={"mrr_at_10": 0.3}, megabytes=3.0, milliseconds=1.5
    )
    assert made.shipping.single == ShippedModel(
        seeds=[9], valid={"mrr_at_10": 0.3}, test={"mrr_at_10": 0.2}, megabytes=1.0, milliseconds=0.5
    )


def test_the_best_run_ships_and_is_measured_where_no_bag_is_asked_for():
    made = shipment(runs(9, 5), bag=False)
    job = begin(made)
    assert job.bag == ()
    made.made(job, ShippingResult(single=SINGLE, bag=None))
    assert made.checkpoint == "0007-9.pt"
    assert made.shipping is not None
    assert (made.shipping.bag, made.shipping.why_no_bag) == (None, None)
    assert made.shipping.model.milliseconds == 0.5


@pytest.mark.parametrize(
    ("seeds", "model", "why"),
    [
        ((9,), "narm", "there is only one run of it: a bag of that is the run itself"),
        ((9, 5), "s_knn", "nothing is random in s_knn: a bag of its runs is one of them"),
    ],
)
def test_a_bag_of_what_is_one_model_anyway_is_that_model_and_it_is_said(seeds, model, why):
    made = shipment(runs(*seeds), model=model)
    assert not made.makes_bag
    job = begin(made)
    assert job.bag == ()
    made.made(job, ShippingResult(single=SINGLE, bag=None))
    assert made.checkpoint == "0007-9.pt"
    assert made.shipping is not None
    assert made.shipping.why_no_bag == why


def test_a_job_that_fails_is_tried_again_and_then_the_best_run_ships(caplog):
    made = shipment(runs(9, 5))
    made.failed(begin(made), FAILURE)
    again = begin(made)
    assert again.attempt == 2
    made.failed(again, FAILURE)
    assert made.next_job() is Idle.DONE
    assert (made.checkpoint, made.shipping) == ("0007-9.pt", None)
    assert "the bag could not be made: OSError: no space left: the best run ships" in caplog.text


def test_a_second_attempt_may_succeed():
    made = shipment(runs(9, 5))
    made.failed(begin(made), FAILURE)
    job = begin(made)
    made.made(job, RESULT)
    assert made.checkpoint == "0007-bag.pt"


def test_what_an_earlier_session_made_is_not_made_again():
    results = Kept()
    first = shipment(runs(9, 5, 6), results=results)
    first.made(begin(first), RESULT)
    again = shipment(runs(9, 5, 6), results=results)
    assert again.next_job() is Idle.DONE
    assert (again.shipping, again.checkpoint) == (first.shipping, "0007-bag.pt")


def test_what_was_made_of_other_runs_is_forgotten_before_it_is_made_again():
    results = Kept()
    first = shipment(runs(9, 5), results=results)
    first.made(begin(first), RESULT)
    assert begin(shipment(runs(9, 5, 6), results=results)).bag == (5, 6, 9)
    assert not results.known  # a killed search must not find the old figures with the new bag


def test_every_run_of_a_bag_is_trained_again_with_its_own_seed_and_epochs_before_it_is_made():
    first, second = runs(9, 5)
    made = shipment([replace(first, best_epoch=4), second], refit="valid")
    assert made.n_refits == 2
    jobs = [begin_refit(made), begin_refit(made)]
    assert [(job.seed, job.epochs, job.refit) for job in jobs] == [(5, 2, "valid"), (9, 4, "valid")]
    assert made.next_job() is Idle.WAIT
    made.refitted()
    assert made.next_job() is Idle.WAIT  # the bag waits for all its members
    made.refitted()
    job = begin(made)
    assert (job.bag, job.refit) == ((5, 9), "valid")
    made.made(job, REFITTED)
    assert made.checkpoint == "0007-bag-refit-valid.pt"
    assert made.shipping is not None
    assert made.shipping.refit is not None
    assert made.shipping.refit.epochs == [2, 4]
    assert made.shipping.model == ShippedModel(
        seeds=(5, 9), valid={}, test={"mrr_at_10": 0.35}, megabytes=3.0, milliseconds=1.5
    )
    assert made.shipping.compared == made.shipping.bag


def test_of_a_single_run_that_ships_only_that_run_is_trained_again():
    made = shipment(runs(9, 5), bag=False, refit="all")
    assert begin_refit(made).seed == 9
    made.refitted()
    made.made(begin(made), ShippingResult(single=SINGLE, bag=None, refit=RefitResult(test={}, footprint=SINGLE)))
    assert made.checkpoint == "0007-9-refit-all.pt"


def test_a_refit_that_fails_for_good_ships_what_was_compared_and_says_why(caplog):
    made = shipment(runs(9, 5), refit="valid")
    first, second = begin_refit(made), begin_refit(made)
    made.failed(first, FAILURE)
    again = begin_refit(made)
    assert again.attempt == 2
    made.refitted()
    made.failed(again, FAILURE)
    job = begin(made)
    assert (second.seed, job.refit, job.bag) == (9, "none", (5, 9))
    made.made(job, RESULT)
    assert made.checkpoint == "0007-bag.pt"
    assert made.shipping is not None
    assert made.shipping.why_no_refit == "with seed 5 it failed: OSError: no space left"
    assert "what was trained on train alone ships" in caplog.text


def test_the_last_job_waits_for_a_refit_that_runs_beside_one_that_failed():
    made = shipment(runs(9, 5, 6), refit="valid")
    first = begin_refit(made)
    begin_refit(made)
    made.failed(first, replace(FAILURE, worth_a_retry=False))
    assert made.next_job() is Idle.WAIT  # and the third is not begun
    made.refitted()
    assert begin(made).refit == "none"


def test_a_refit_of_an_earlier_session_is_not_made_again_and_another_is():
    results = Kept()
    first = shipment(runs(9, 5), refit="valid", results=results)
    for _ in range(2):
        begin_refit(first)
        first.refitted()
    first.made(begin(first), REFITTED)
    again = shipment(runs(9, 5), refit="valid", results=results)
    assert again.next_job() is Idle.DONE
    assert again.shipping == first.shipping
    longer = [replace(run, best_epoch=3) for run in runs(9, 5)]  # the finalists went on, and have other weights
    assert begin_refit(shipment(longer, refit="valid", results=results)).epochs == 3


@pytest.mark.parametrize(
    ("constraint", "above"),
    [
        ("megabytes <= 2.5", "megabytes 3 (at most 2.5)"),
        ("request_ms <= 1", "request_ms 1.5 (at most 1)"),
        ("n_parameters <= 250", "n_parameters 300 (at most 250)"),
        ("megabytes <= 3", None),
    ],
)
def test_a_bag_that_breaks_a_constraint_does_not_ship(constraint, above):
    bounds = parse_constraints([constraint])
    results = Kept()
    made = Shipment(
        runs(1, 2, 3), True, "none", "narm", results, constraints=bounds, n_parameters=100,  # type: ignore[arg-type]
    )  # fmt: skip
    made.take_up()
    made.made(begin(made), RESULT)
    if above is None:
        assert made.shipping is not None
        assert made.shipping.bag is not None
    else:
        job = begin(made)
        assert not job.bag
        made.made(job, ShippingResult(single=SINGLE, bag=None))
        assert made.shipping is not None
        assert made.shipping.why_no_bag == f"a bag of its runs cannot ship: {above}"
        assert made.checkpoint == "0007-1.pt"
