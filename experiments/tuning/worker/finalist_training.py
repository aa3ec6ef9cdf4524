"""Trains a finalist from one seed until its early stopping, then ranks the test targets, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from experiments.tuning.worker.jobs import Finalist, FinalistJob, Training
from experiments.tuning.worker.reports import FinalistRun
from narm.checkpoint import load_model, read_checkpoint, save_checkpoint
from narm.config import OPTIONS, Config, EvaluationConfig
from narm.data.sessions import Refit, Splits
from narm.errors import InputError
from narm.evaluation.full_ranking import chosen_targets, rank_targets
from narm.evaluation.scorer import Scorer
from narm.metrics import Ranks, summarize
from narm.optimization import ENDS_WITH_EPOCHS
from narm.pulse import Pulse
from narm.training import create_model, fit
from narm.training_state import EpochResult, read_history

# What a run depends on beside the data, whose fingerprint does not know how much of a prefix the model sees. How long
# it may go on decides nothing of what it has learned so far, but for schedules that end with the last epoch.
_OF_TRAINING = {name for name, option in OPTIONS.items() if option.section != "data"}
_DECISIVE = _OF_TRAINING - {"epochs"} | {"max_item_list_length"}


def train_finalist(
    job: FinalistJob, splits: Splits, training: Training, scratch: Path, pulse: Pulse | None = None
) -> Iterator[EpochResult | FinalistRun]:
    """Train a finalist, from the run's checkpoint where there is one, and rank the test targets.

    Args:
        job: the finalist and the seed.
        splits: the data.
        training: how.
        scratch: folder for a copy of a checkpoint that is kept elsewhere.
        pulse: says how far an epoch has come.
    Yields:
        every epoch; at last the run.
    Raises:
        InputError: see `narm.training.fit`.
        NonFiniteLoss: training diverged.
    """
    name, config = run_checkpoint(job.finalist, job.seed), finalist_config(job.finalist, job.seed, training.config)
    yield from train_run(name, config, splits, training, scratch, epochs=config.training.epochs, pulse=pulse)
    last = training.finalist_checkpoints.fetch(name, scratch)
    assert last is not None
    yield _rank(job, last, splits, training)


def finalist_config(finalist: Finalist, seed: int, config: Config) -> Config:
    """The options of a finalist's run, given those of the study."""
    epochs = {} if finalist.epochs is None else {"epochs": finalist.epochs}
    return config.replace({**finalist.options, **epochs, "seed": seed})


def run_checkpoint(finalist: Finalist, seed: int, refit: Refit = "none") -> str:
    """Name of the checkpoint of a run, which holds its model, or of its last training on what was held out too."""
    return f"{finalist.number:04d}-{seed}{ending(refit)}"


def ending(refit: Refit) -> str:
    """How the name of a checkpoint ends."""
    return ".pt" if refit == "none" else f"-refit-{refit}.pt"


def is_of_run(saved: Mapping[str, Any], config: Config, fingerprint: str) -> bool:
    """Whether a checkpoint or a stored result is of this configuration, seed included, on these data.

    It may have been trained for longer, or not as long. An option that is younger than the record had what is its
    default now.
    """
    if saved["fingerprint"] != fingerprint:
        return False
    flat, recorded = config.flat(), Config().flat() | dict(saved["config"])
    decisive = _DECISIVE | ({"epochs"} if config.training.learning_rate_schedule in ENDS_WITH_EPOCHS else set())
    return all(recorded[name] == flat[name] for name in decisive)


def train_run(
    name: str,
    config: Config,
    splits: Splits,
    training: Training,
    scratch: Path,
    *,
    epochs: int,
    pulse: Pulse | None = None,
) -> Iterator[EpochResult]:
    """Train a run, from its checkpoint where there is one, and keep it there after every epoch.

    Args:
        name: name of the checkpoint.
        config: options of the run.
        splits: the data.
        training: how.
        scratch: folder for a copy of a checkpoint that is kept elsewhere.
        epochs: the last one, if early stopping does not end the run before; a schedule may be for more.
        pulse: told how far an epoch has come.
    Yields:
        every epoch that is trained now; none if the run is over.
    """
    checkpoints = training.finalist_checkpoints
    resume = checkpoints.fetch(name, scratch)
    begun = None if resume is None else _content(resume, config, splits.fingerprint)
    if begun is not None and begun["epoch"] > epochs:  # it went too far, and cannot go back
        begun = None
    done = 0 if begun is None else begun["epoch"]
    if begun is not None and (done == epochs or read_history(begun["history"], config.training)[-1].is_last):
        return
    model = create_model(splits.n_items, config)
    resume = None if begun is None else resume
    live = fit(model, splits, config.training, config.evaluation, device=training.device, resume=resume, pulse=pulse)
    for epoch in islice(live, epochs - done):
        checkpoints.save(name, partial(save_checkpoint, state=epoch.state, config=config, splits=splits))
        yield epoch.state.history[-1]


def _content(checkpoint: Path, config: Config, fingerprint: str) -> dict[str, Any] | None:
    """What is in a checkpoint of this run; None if it is of another, or unreadable."""
    try:
        content = read_checkpoint(checkpoint)
    except InputError:
        return None
    return content if is_of_run(content, config, fingerprint) else None


def _rank(job: FinalistJob, checkpoint: Path, splits: Splits, training: Training) -> FinalistRun:
    """The trained run, with the rank of each test target."""
    trained, model = read_checkpoint(checkpoint), load_model(checkpoint, device=training.device)
    ranks = rank_test(model, splits, training.config.evaluation)
    return FinalistRun(
        finalist=job.finalist,
        seed=job.seed,
        epochs=trained["epoch"],
        best_epoch=trained["best_epoch"],
        seconds=sum(epoch["seconds"] for epoch in trained["history"]),
        valid=trained["best"],
        test=metrics_on_test(ranks, training.config.evaluation),
        ranks=ranks,
    )


def rank_test(model: Scorer, splits: Splits, evaluation: EvaluationConfig) -> Ranks:
    """Rank of each test target that `eval_targets` keeps, [Q]."""
    test = chosen_targets(splits.test, evaluation)
    return rank_targets(model, test, max_length=splits.max_length, batch_size=evaluation.eval_batch_size)


def metrics_on_test(ranks: Ranks, evaluation: EvaluationConfig) -> dict[str, float]:
    """Mean metrics over the test targets, by key; finalists are always compared by Recall too."""
    return summarize(ranks, dict.fromkeys((*evaluation.metrics_to_report, "Recall")), evaluation.cutoffs)
