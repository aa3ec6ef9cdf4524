"""The bag of a finalist's runs is made where their checkpoints are, and judged as each of them was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support.trained_runs import SMALL, train_run

from experiments.tuning.worker.checkpoints import CheckpointStore
from experiments.tuning.worker.finalist_training import run_checkpoint
from experiments.tuning.worker.jobs import Finalist, ShippingJob, Training
from experiments.tuning.worker.reports import JobFailure, ShippingResult
from experiments.tuning.worker.shipping import make_shippable, shipped_checkpoint
from experiments.tuning.worker.tune_function import run_job
from narm.bag import Bag
from narm.checkpoint import load_model
from narm.config import Config
from narm.data.refit import take_in
from narm.evaluation.full_ranking import evaluate, rank_targets

CONFIG = Config.from_flat(SMALL)
FINALIST = Finalist(number=7, options={})
BAG = ShippingJob(FINALIST, best=2, bag=(1, 2, 3))


@pytest.fixture
def training(ring_splits, tmp_path) -> Training:
    """Of a study whose finalist was trained with the seeds 1, 2 and 3."""
    store = CheckpointStore(str(tmp_path))
    for seed in (1, 2, 3):
        train_run(tmp_path / run_checkpoint(FINALIST, seed), ring_splits, seed=seed)
    return Training(config=CONFIG, threads=1, device="cpu", checkpoints=store, finalist_checkpoints=store)


def test_the_bag_is_judged_on_validation_and_test(ring_splits, training, tmp_path):
    made = make_shippable(BAG, ring_splits, training, tmp_path / "scratch")
    model = load_model(tmp_path / "0007-bag.pt")
    assert isinstance(model, Bag)
    members = [load_model(tmp_path / run_checkpoint(FINALIST, seed)) for seed in (1, 2, 3)]
    asked = torch.tensor([[3, 4, 5], [7, 0, 0]]), torch.tensor([3, 1])
    with torch.no_grad():
        expected = torch.stack([member.scores(*asked) for member in members]).mean(dim=0)
        torch.testing.assert_close(model.scores(*asked), expected, rtol=1e-5, atol=1e-5)
    ranks = rank_targets(model, ring_splits.test, max_length=6, batch_size=64)
    assert made.bag is not None
    assert made.bag.test["recall_at_10"] == (ranks <= 10).mean()
    assert made.bag.valid == evaluate(model, ring_splits.valid, CONFIG.evaluation, max_length=6)
    assert made.bag.footprint.megabytes == pytest.approx(3 * made.single.megabytes)
    assert min(made.single.milliseconds, made.bag.footprint.milliseconds) > 0


def test_a_single_run_is_measured_and_nothing_written(ring_splits, training, tmp_path):
    before = sorted(tmp_path.iterdir())
    made = make_shippable(ShippingJob(FINALIST, best=2), ring_splits, training, tmp_path)
    assert made.bag is None
    assert made.single.megabytes > 0
    assert sorted(tmp_path.iterdir()) == before


def test_a_bag_is_made_anew_when_there_are_more_runs(ring_splits, training, tmp_path):
    for seeds in ((1, 2), (1, 2, 3)):
        make_shippable(ShippingJob(FINALIST, best=2, bag=seeds), ring_splits, training, tmp_path)
        model = load_model(tmp_path / "0007-bag.pt")
        assert isinstance(model, Bag)
        assert len(model.members) == len(seeds)


def test_a_worker_reports_once_and_a_run_that_is_gone_is_a_failure(ring_splits, training, tmp_path: Path):
    [report] = run_job(BAG, ring_splits, training)
    assert isinstance(report, ShippingResult)
    (tmp_path / run_checkpoint(FINALIST, 3)).unlink()
    [report] = run_job(BAG, ring_splits, training)
    assert isinstance(report, JobFailure)
    assert report.reason.endswith("0007-3.pt: is not there any more")


@pytest.fixture
def refitted(ring_splits, training, tmp_path) -> Training:
    """The same, whose runs were trained again on validation, and on everything."""
    for held_out in ("valid", "all"):
        for seed in (1, 2, 3):
            path = tmp_path / run_checkpoint(FINALIST, seed, held_out)
            train_run(path, take_in(ring_splits, held_out), seed=seed, eval_step=0)
    return training


def test_a_refit_is_judged_on_test_once_and_what_was_compared_stands_beside(ring_splits, refitted, tmp_path):
    made = make_shippable(replace(BAG, refit="valid"), ring_splits, refitted, tmp_path / "scratch")
    model = load_model(tmp_path / "0007-bag-refit-valid.pt")
    assert isinstance(model, Bag)
    assert made.refit is not None
    ranks = rank_targets(model, ring_splits.test, max_length=6, batch_size=64)
    assert made.refit.test["recall_at_10"] == (ranks <= 10).mean()
    before = make_shippable(BAG, ring_splits, refitted, tmp_path / "scratch").bag
    assert made.bag is not None
    assert before is not None
    assert (made.bag.valid, made.bag.test) == (before.valid, before.test)


def test_a_refit_on_everything_is_not_judged(ring_splits, refitted, tmp_path):
    job = ShippingJob(FINALIST, best=2, refit="all")
    made = make_shippable(job, ring_splits, refitted, tmp_path)
    assert made.refit is not None
    assert (made.refit.test, made.refit.footprint.megabytes) == ({}, made.single.megabytes)
    assert shipped_checkpoint(job) == "0007-2-refit-all.pt"
