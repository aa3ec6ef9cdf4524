"""Trains a trial of a study again, and compares its value with the one that it had."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from optuna.trial import FrozenTrial

from experiments.cli.exit_status import EXIT_ANOTHER_VALUE
from experiments.cli.flags import given_options, study_place
from experiments.cli.recorded_data import load_recorded
from experiments.tuning.study.storage import closing_study, load_study, read_stored_spec, storage_in
from experiments.tuning.study.stored_spec import Record
from experiments.tuning.study.trial_attributes import PARENT, SEED, TrialProgress, options_of, read_progress, trials_of
from experiments.tuning.worker.checkpoints import CheckpointStore
from experiments.tuning.worker.jobs import Training, TrialJob
from experiments.tuning.worker.trial_training import train_trial
from narm.config import Config
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.machine.threads import set_threads
from narm.training import NonFiniteLoss
from narm.training_state import EpochResult

_ROUNDING = 1e-4
"""Difference of a metric that counts as rounding: the fourth decimal, as in early stopping."""


class Agreement(Enum):
    """How a value compares with the one that a trial had."""

    SAME = "the same, to the last bit"
    ROUNDED = "the same within rounding"
    ANOTHER = "another value"

    @classmethod
    def of(cls, then: TrialProgress, epoch: int, value: float) -> Agreement:
        """Compare a trial as the study has it with the same trial trained again."""
        if epoch != then["epochs"]:
            return cls.ANOTHER
        if value == then["value"]:
            return cls.SAME
        return cls.ROUNDED if abs(value - then["value"]) <= _ROUNDING else cls.ANOTHER


def run_replay(given: argparse.Namespace) -> int:
    """Train a trial again.

    Args:
        given: a command line, as `experiments.replay` reads it.
    Returns:
        the exit status.
    Raises:
        InputError: no such study or trial, or other data.
    """
    name, output = study_place(given.study, given.output)
    with closing_study(load_study(name, given.storage or storage_in(output))) as study:
        record, trials = read_stored_spec(study), trials_of(study)
    trial, then = _find(trials, given.number, name)
    options = given_options(given)
    config = Config.from_flat({**record["config"], **options})
    splits = _load(config, record, name, named_now="dataset" in options)
    threads = record["threads"] if given.threads is None else given.threads
    device = given.device or record["device"]
    set_threads(threads)
    epochs, metric = then["epochs"], config.evaluation.valid_metric
    seed = trial.user_attrs[SEED]
    print(f"Trial {trial.number}: {options_of(trial)}, seed {seed}, {epochs} epochs, threads: {threads}")
    try:
        now = replay(trials, trial.number, epochs, splits=splits, config=config, threads=threads, device=device)
    except NonFiniteLoss as error:
        print(f"It had a value then, and diverges now: {error}")
        return EXIT_ANOTHER_VALUE
    value = now.best[config.evaluation.objective]
    agreement = Agreement.of(then, now.epoch, value)
    print(f"{metric} after epoch {epochs} then: {then['value']!r}")
    print(f"{metric} after epoch {now.epoch} now:  {value!r}: {agreement.value}")
    return EXIT_ANOTHER_VALUE if agreement is Agreement.ANOTHER else 0


def replay(
    trials: Sequence[FrozenTrial],
    number: int,
    epochs: int,
    *,
    splits: Splits,
    config: Config,
    threads: int,
    device: str,
) -> EpochResult:
    """Train a trial again, as its workers did, and return its result after that epoch, or its last if it ends before.

    Args:
        trials: all trials of the study, by number.
        number: the trial to train.
        epochs: how many to train.
        splits: the data of the study.
        config: the default configuration of the study.
        threads: for torch and the kernels.
        device: auto, cpu or cuda.
    Raises:
        InputError: it started from the checkpoint of another trial, after an epoch that is not known.
        NonFiniteLoss: it diverges.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = CheckpointStore(folder)
        training = Training(
            config=config, threads=threads, device=device, checkpoints=store, finalist_checkpoints=store
        )
        return _Replay(trials, splits, training, Path(folder)).train(number, epochs)


@dataclass
class _Replay:
    """Trains trials again, each after the one whose checkpoint it started from."""

    trials: Sequence[FrozenTrial]
    splits: Splits
    training: Training
    folder: Path

    def train(self, number: int, epochs: int) -> EpochResult:
        """As `replay`."""
        attributes = self.trials[number].user_attrs
        parent = attributes.get(PARENT)
        if parent is not None:
            self.train(parent, self._inherited(number))
        job = TrialJob(
            number=number, seed=attributes[SEED], options=options_of(self.trials[number]), epochs=0, parent=parent
        )
        config = self.training.config.replace({"epochs": epochs})
        *_, last = train_trial(job, self.splits, replace(self.training, config=config), self.folder)
        return last

    def _inherited(self, number: int) -> int:
        """Epochs that the parent had trained when the trial started from it."""
        if self.training.config.training.eval_step > 1:
            raise InputError(
                f"trial {number} started from the checkpoint of another, and with eval_step "
                f"{self.training.config.training.eval_step} it is not known after which epoch: choose another trial"
            )
        return min(self.trials[number].intermediate_values) - 1


def _find(trials: Sequence[FrozenTrial], number: int, study: str) -> tuple[FrozenTrial, TrialProgress]:
    """A trial, and how far it came.

    Raises:
        InputError: there is no such trial, or it has no value to get again.
    """
    if not 0 <= number < len(trials):
        raise InputError(f"trial: study '{study}' has no {number}: choose 0 to {len(trials) - 1}")
    progress = read_progress(trials[number])
    if progress is None:
        raise InputError(f"trial: {number} of study '{study}' has no value to get again: choose one that was validated")
    return trials[number], progress


def _load(config: Config, record: Record, study: str, *, named_now: bool) -> Splits:
    """The data of the study.

    Raises:
        InputError: they are no longer where they were, or have changed.
    """
    splits = load_recorded(config.data, study, named_now=named_now)
    if splits.fingerprint != record["fingerprint"]:
        raise InputError(
            f"dataset: study '{study}' was on other data (fingerprint {record['fingerprint'][:12]}, now "
            f"{splits.fingerprint[:12]}): name those with --dataset"
        )
    return splits
