"""Makes what there is to ship of a finalist, and measures it: its best run, and where wanted all its runs as one model.

Nothing is trained, and a bag that is there is written again: a study that goes on may have more runs. Where the runs
that ship were trained again on what was held out, these are measured beside the runs that were compared.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from experiments.tuning.worker.checkpoints import CheckpointStore
from experiments.tuning.worker.finalist_training import ending, metrics_on_test, rank_test, run_checkpoint
from experiments.tuning.worker.jobs import Finalist, ShippingJob, Training
from experiments.tuning.worker.reports import BagResult, RefitResult, ShippingResult
from narm.bag_checkpoint import save_bag
from narm.checkpoint import load_model
from narm.data.sessions import Refit, Splits
from narm.evaluation.full_ranking import evaluate
from narm.footprint import measure_footprint


def make_shippable(job: ShippingJob, splits: Splits, training: Training, scratch: Path) -> ShippingResult:
    """Make the bag of a finalist's runs, if that is wanted, judge it, and measure it and the best run.

    Args:
        job: of which runs.
        splits: the data.
        training: how runs are trained, and where their checkpoints are.
        scratch: folder for copies of checkpoints that are kept elsewhere.
    Raises:
        FileNotFoundError: the checkpoint of a run is not there any more.
        InputError: it is torn, or of another configuration than the others.
    """
    store = training.finalist_checkpoints
    best = _fetch(store, run_checkpoint(job.finalist, job.best), scratch)
    single = measure_footprint(best, splits.test, device=training.device)
    bag = _judge(_bag(job, "none", store, scratch), splits, training) if job.bag else None
    refit = None if job.refit == "none" else _judge_refit(job, splits, training, scratch)
    return ShippingResult(single=single, bag=bag, refit=refit)


def shipped_checkpoint(job: ShippingJob) -> str:
    """Name of the checkpoint that ships."""
    return bag_checkpoint(job.finalist, job.refit) if job.bag else run_checkpoint(job.finalist, job.best, job.refit)


def bag_checkpoint(finalist: Finalist, refit: Refit = "none") -> str:
    """Name of the checkpoint of a finalist's runs as one model, or of the runs that were trained again."""
    return f"{finalist.number:04d}-bag{ending(refit)}"


def _bag(job: ShippingJob, refit: Refit, store: CheckpointStore, scratch: Path) -> Path:
    """Make one model of the runs."""
    runs = [_fetch(store, run_checkpoint(job.finalist, seed, refit), scratch) for seed in job.bag]
    name = bag_checkpoint(job.finalist, refit)
    store.save(name, partial(save_bag, runs))
    return _fetch(store, name, scratch)


def _judge(bag: Path, splits: Splits, training: Training) -> BagResult:
    """The bag on validation and test, as every run was judged, and what it costs to use."""
    model, evaluation = load_model(bag, device=training.device), training.config.evaluation
    return BagResult(
        valid=evaluate(model, splits.valid, evaluation, max_length=splits.max_length),
        test=metrics_on_test(rank_test(model, splits, evaluation), evaluation),
        footprint=measure_footprint(bag, splits.test, device=training.device),
    )


def _judge_refit(job: ShippingJob, splits: Splits, training: Training, scratch: Path) -> RefitResult:
    """What ships on test, once, unless it has learned from test; validation it has learned from in any case."""
    store, evaluation = training.finalist_checkpoints, training.config.evaluation
    path = _bag(job, job.refit, store, scratch) if job.bag else _fetch(store, shipped_checkpoint(job), scratch)
    ranks = None if job.refit == "all" else rank_test(load_model(path, device=training.device), splits, evaluation)
    return RefitResult(
        test={} if ranks is None else metrics_on_test(ranks, evaluation),
        footprint=measure_footprint(path, splits.test, device=training.device),
    )


def _fetch(store: CheckpointStore, name: str, scratch: Path) -> Path:
    path = store.fetch(name, scratch)
    if path is None:
        raise FileNotFoundError(f"{store}/{name}: is not there any more")
    return path
