"""Finalists: the few configurations that are trained again, over several seeds, and judged on test once.

A run of a finalist leaves two files: the checkpoint, written after every epoch, from which a killed run goes on, and
which holds the model; and the result, written when it has been judged, which is never trained again. This module
knows no Ray: the finalist queue says what is trained when, and `experiments.tuning.worker.trainable` trains it.

Q targets of the test split.
"""

from __future__ import annotations

import json
import logging
import math
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from experiments.tuning.study.summary import TrialSummary
from experiments.tuning.worker.checkpoints import CheckpointStore
from narm.checkpoint import load_model, read_checkpoint, save_checkpoint
from narm.config import OPTIONS, Config
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.evaluation.full_ranking import chosen_targets, rank_targets
from narm.machine.files import atomic_file
from narm.metrics import Ranks, summarize
from narm.seeds import derived_seed
from narm.training import create_model, fit, is_last

logger = logging.getLogger(__name__)

FORMAT = "narm-finalist-1"

_FIRST_NUMBER = 2**32
"""Trials are numbered from 0 and never reach this, so no finalist's seed derives from the number of a trial's."""

# What a run depends on beside the data, whose fingerprint does not know how much of a prefix the model sees.
_OPTIONS = {"max_item_list_length", *(name for name, option in OPTIONS.items() if option.section != "data")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalist:
    """A configuration to train again.

    Attributes:
        number: of its trial in the study.
        options: values of the options that the space varies.
        is_default: whether it is the default configuration.
    """

    number: int
    options: Mapping[str, Any]
    is_default: bool = False

    @property
    def label(self) -> str:
        """What to call it in a sentence."""
        return "the default configuration" if self.is_default else f"trial {self.number}"


@dataclass(frozen=True, slots=True)
class FinalistJob:
    """A training of a finalist, as a worker gets it.

    Attributes:
        finalist: what to train.
        seed: of its training.
        attempt: 1, or more after failures.
    """

    finalist: Finalist
    seed: int
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalistRun:
    """A finalist trained with one seed, and judged.

    Attributes:
        finalist: what was trained.
        seed: of its training.
        epochs: trained.
        best_epoch: the one by validation, whose weights were judged.
        seconds: wall clock of its epochs.
        valid: validation metrics of that epoch, by key.
        test: test metrics, by key.
        ranks: rank of each test target, [Q].
    """

    finalist: Finalist
    seed: int
    epochs: int
    best_epoch: int
    seconds: float
    valid: dict[str, float]
    test: dict[str, float]
    ranks: Ranks


def choose_finalists(
    trials: Sequence[TrialSummary], *, default: int | None, k: int, with_default: bool = True
) -> list[Finalist]:
    """The best k trials by validation, from the best down, then the default configuration if it is not among them.

    A trial without a value, or failed, is never one.

    Args:
        trials: of the study.
        default: number of the trial of the default configuration; None: there was none.
        k: how many; with 0 there are no finalists at all.
        with_default: whether the default configuration is one in any case.
    """
    if k == 0:
        return []
    valued = sorted((trial for trial in trials if _value(trial) > -math.inf), key=lambda t: (-_value(t), t.number))
    chosen = valued[:k] + [trial for trial in valued[k:] if with_default and trial.number == default]
    return [Finalist(number=trial.number, options=trial.params, is_default=trial.number == default) for trial in chosen]


def _value(trial: TrialSummary) -> float:
    has_value = trial.state != "FAIL" and trial.value is not None and math.isfinite(trial.value)
    return trial.value if has_value and trial.value is not None else -math.inf


def finalist_seeds(study_seed: int, count: int) -> list[int]:
    """Seeds of the runs of each finalist, the same for all, so that they begin and shuffle alike.

    They are none of the trials' seeds, which chose the finalists: a trial that was merely lucky with its seed must
    not be lucky again. (Hashes of 32 bits may still agree, for one pair in four billion.)
    """
    return [derived_seed(study_seed, _FIRST_NUMBER + i) for i in range(count)]


def result_path(folder: Path, finalist: Finalist, seed: int) -> Path:
    """Where the result of a run stands: an npz of `ranks` [Q] and of `record`, a JSON text."""
    return folder / f"{finalist.number:04d}-{seed}.npz"


def run_checkpoint(finalist: Finalist, seed: int) -> str:
    """Name of the checkpoint of a run, which holds its model."""
    return f"{finalist.number:04d}-{seed}.pt"


def best_checkpoint(runs: Sequence[FinalistRun], number: int, config: Config) -> str:
    """Name of the checkpoint of a finalist's run that was best on validation.

    Args:
        runs: of all finalists, at least one of them of this.
        number: of the finalist's trial.
        config: of the study.
    """
    of_one = [run for run in runs if run.finalist.number == number]
    best = max(of_one, key=lambda run: run.valid[config.evaluation.objective])
    return run_checkpoint(best.finalist, best.seed)


def train_finalist(
    finalist: Finalist, seed: int, *, splits: Splits, config: Config, device: str, checkpoints: CheckpointStore
) -> Iterator[int | FinalistRun]:
    """Train a finalist from one seed until its early stopping, then rank the test targets, once.

    Goes on from the run's checkpoint where there is one.

    Args:
        finalist: what to train.
        seed: of its training.
        splits: the data.
        config: of the study, whose options the finalist changes.
        device: auto, cpu or cuda.
        checkpoints: of the finalists.
    Yields:
        after every epoch how many are trained; at last the run.
    Raises:
        InputError: as `narm.training.fit`.
        NonFiniteLoss: training diverged.
    """
    config, name = _config(finalist, seed, config), run_checkpoint(finalist, seed)
    with tempfile.TemporaryDirectory() as scratch:
        yield from _train(config, splits, device, checkpoints, name, Path(scratch))
        last = checkpoints.fetch(name, Path(scratch))
        assert last is not None
        trained, model = read_checkpoint(last), load_model(last, device=device)
    evaluation = config.evaluation
    test = chosen_targets(splits.test, evaluation)
    ranks = rank_targets(model, test, max_length=splits.max_length, batch_size=evaluation.eval_batch_size)
    metrics = dict.fromkeys((*evaluation.metrics_to_report, "Recall"))  # which the verdict always looks at
    yield FinalistRun(
        finalist=finalist,
        seed=seed,
        epochs=trained["epoch"],
        best_epoch=trained["best_epoch"],
        seconds=sum(epoch["seconds"] for epoch in trained["history"]),
        valid=trained["best"],
        test=summarize(ranks, metrics, evaluation.cutoffs),
        ranks=ranks,
    )


def write_run(folder: Path, run: FinalistRun, *, splits: Splits, config: Config) -> None:
    """Keep the result of a run, atomically, with all that it depends on."""
    record = {
        "format": FORMAT,
        "number": run.finalist.number,
        "config": _config(run.finalist, run.seed, config).flat(),
        "fingerprint": splits.fingerprint,
        "epochs": run.epochs,
        "best_epoch": run.best_epoch,
        "seconds": run.seconds,
        "valid": run.valid,
        "test": run.test,
    }
    with atomic_file(result_path(folder, run.finalist, run.seed)) as file:
        np.savez_compressed(file, ranks=run.ranks, record=np.array(json.dumps(record)))


def read_run(folder: Path, finalist: Finalist, seed: int, *, splits: Splits, config: Config) -> FinalistRun | None:
    """The kept result of a run; None where there is none, or it is one of other data, options or epochs."""
    path = result_path(folder, finalist, seed)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            record, ranks = json.loads(str(content["record"])), content["ranks"]
        if record["format"] != FORMAT:
            raise ValueError(f"its format is {record['format']}, not {FORMAT}")
    except FileNotFoundError:
        return None
    except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        logger.warning("%s: not the result of a finalist (%s): it is trained anew", path, error)
        return None
    if not _is_of_run(record, _config(finalist, seed, config), splits):
        return None
    return FinalistRun(
        finalist=finalist,
        seed=seed,
        epochs=record["epochs"],
        best_epoch=record["best_epoch"],
        seconds=record["seconds"],
        valid=record["valid"],
        test=record["test"],
        ranks=ranks,
    )


def kept_runs(
    folder: Path, finalist: Finalist, seeds: Sequence[int], *, splits: Splits, config: Config
) -> list[FinalistRun]:
    """The kept results of a finalist, one a seed.

    Raises:
        InputError: one of them is not there any more, or is of other data or options.
    """
    runs = [read_run(folder, finalist, seed, splits=splits, config=config) for seed in seeds]
    missing = [seed for seed, run in zip(seeds, runs, strict=True) if run is None]
    if missing:
        raise InputError(f"{folder}: the ranks of trial {finalist.number}, seed {missing[0]}, are not there")
    return [run for run in runs if run is not None]


def _config(finalist: Finalist, seed: int, config: Config) -> Config:
    return config.replace({**finalist.options, "seed": seed})


def _train(
    config: Config, splits: Splits, device: str, checkpoints: CheckpointStore, name: str, scratch: Path
) -> Iterator[int]:
    """Train to the end, from the run's checkpoint where there is one; the epochs trained, after each."""
    resume = checkpoints.fetch(name, scratch)
    begun = None if resume is None else _content(resume, config, splits)
    if begun is not None and is_last(begun["history"][-1], config.training):
        return
    model = create_model(splits.n_items, config)
    resume = None if begun is None else resume
    for result in fit(model, splits, config.training, config.evaluation, device=device, resume=resume):
        checkpoints.save(name, partial(save_checkpoint, state=result.state, config=config, splits=splits))
        yield result.epoch


def _content(checkpoint: Path, config: Config, splits: Splits) -> dict[str, Any] | None:
    """What is in a checkpoint of this run; None if it is of another, or unreadable."""
    try:
        content = read_checkpoint(checkpoint)
    except InputError:
        return None
    return content if _is_of_run(content, config, splits) else None


def _is_of_run(saved: Mapping[str, Any], config: Config, splits: Splits) -> bool:
    """Whether a checkpoint or a record is of this configuration, seed included, on these data."""
    if saved["fingerprint"] != splits.fingerprint:
        return False
    flat = config.flat()
    return all(saved["config"].get(name) == flat[name] for name in _OPTIONS)
