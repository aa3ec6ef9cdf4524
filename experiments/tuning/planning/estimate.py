"""What a study would take: its size, and what its configurations cost on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

import optuna
from optuna.samplers import RandomSampler

from experiments.tuning.planning.probe import Cost, probe
from experiments.tuning.study.spec import StudySpec
from narm.config import Config
from narm.data.sessions import Splits
from narm.machine.threads import set_threads
from narm.seeds import derived_seed

DRAWN = 4
"""Configurations drawn from the space: a mean of their costs, which differ tenfold, and how far they lie apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a study would take.

    Attributes:
        default: cost of the default configuration.
        recipe: cost of the recipe; None: the study tries none.
        drawn: costs of configurations drawn from the space at random.
        epochs_per_pass: epochs that make a pass over the training targets.
        trial_epochs: epochs of all trials together, if none ends early.
        finalist_epochs: epochs of all finalists together, if none ends early.
        concurrency: jobs at once.
    """

    default: Cost
    recipe: Cost | None
    drawn: list[Cost]
    epochs_per_pass: int
    trial_epochs: int
    finalist_epochs: int
    concurrency: int

    def epoch_seconds(self, cost: Cost) -> float:
        """Wall clock of an epoch and its validation, on one worker."""
        return cost.pass_seconds / self.epochs_per_pass + cost.validation_seconds

    @property
    def mean_epoch_seconds(self) -> float:
        """Of the configurations that were drawn: what a trial of the search takes an epoch, on average."""
        return fmean(self.epoch_seconds(cost) for cost in self.drawn)

    @property
    def search_seconds(self) -> float:
        """Wall clock of the trials, if none ends early and all workers are busy."""
        return self.trial_epochs * self.mean_epoch_seconds / self.concurrency

    @property
    def finalists_seconds(self) -> float:
        """Wall clock of the finalists, if none ends early."""
        return self.finalist_epochs * self.mean_epoch_seconds / self.concurrency

    def epochs_within(self, seconds: float) -> int:
        """Epochs of the search that a time budget holds."""
        return int(seconds * self.concurrency / self.mean_epoch_seconds)


def estimate(spec: StudySpec, splits: Splits) -> Estimate:
    """Measure what a study would take; this process computes on the threads of a worker from then on.

    Args:
        spec: the study.
        splits: its data.
    Raises:
        InputError: a configuration cannot be trained on these data.
    """
    set_threads(spec.threads)
    training, recipe = spec.config.training, spec.recipe_trial
    runs = (spec.finalists + spec.default_is_finalist) * spec.finalist_seeds if spec.finalists else 0
    return Estimate(
        default=probe(spec.config, splits, device=spec.device),
        recipe=None
        if recipe is None or recipe.options is None
        else probe(spec.config.replace(recipe.options), splits, device=spec.device),
        drawn=[probe(config, splits, device=spec.device) for config in drawn_configs(spec, DRAWN)],
        epochs_per_pass=training.epochs_per_pass,
        trial_epochs=spec.build_scheduler().most_epochs(spec.trials_possible, training.epochs),
        finalist_epochs=runs * training.epochs,
        concurrency=spec.concurrency,
    )


def drawn_configs(spec: StudySpec, count: int) -> list[Config]:
    """Configurations of the space, drawn at random; the same for the same seed."""
    study = optuna.create_study(sampler=RandomSampler(seed=derived_seed(spec.seed, 0)))
    drawn = [spec.space.suggest(study.ask()) for _ in range(count)]
    return [spec.config.replace(spec.space.to_options(params, spec.config)) for params in drawn]
