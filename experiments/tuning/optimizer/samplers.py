"""Samplers by name: how the next configuration is drawn.

Each factory takes the space and a seed. None of them is protected against drawing a configuration twice, and some learn
of finished trials only: `experiments.tuning.engine.proposals` sees to both.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

from optuna.distributions import CategoricalDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, QMCSampler, RandomSampler, TPESampler

from narm.errors import InputError
from search_spaces.space import SearchSpace


def tpe(space: SearchSpace, seed: int) -> BaseSampler:
    """Tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011), multivariate, with a constant liar."""
    return TPESampler(seed=seed)


def random(space: SearchSpace, seed: int) -> BaseSampler:
    """Uniform draws (Bergstra & Bengio, JMLR 2012)."""
    return RandomSampler(seed=seed)


def grid(space: SearchSpace, seed: int) -> BaseSampler:
    """Every configuration of a finite space, in random order, so that a grid cut short is a fair sample of it.

    Raises:
        InputError: the space is not finite.
    """
    if space.size is None:
        raise InputError(f"sampler: grid needs a finite space, and {space.name} has continuous ranges: use tpe")
    return RandomSampler(seed=seed)


def qmc(space: SearchSpace, seed: int) -> BaseSampler:
    """A scrambled Sobol sequence (Owen 1998)."""
    with _experimental_parts():
        return QMCSampler(seed=seed, scramble=True)


def gp(space: SearchSpace, seed: int) -> BaseSampler:
    """A Gaussian process with logarithmic expected improvement (Ament et al., NeurIPS 2023)."""
    return GPSampler(seed=seed)


def cmaes(space: SearchSpace, seed: int) -> BaseSampler:
    """Covariance matrix adaptation (Hansen 2016), for the space's numeric ranges; choices are drawn at random.

    Raises:
        InputError: the space has fewer than two numeric ranges to adapt to.
    """
    ranges = [d for d in space.distributions.values() if not isinstance(d, CategoricalDistribution) and not d.single()]
    if len(ranges) < 2:
        raise InputError(f"sampler: cmaes needs two numeric ranges, and {space.name} has {len(ranges)}: use tpe")
    with _experimental_parts():
        return CmaEsSampler(seed=seed, consider_pruned_trials=True)


def _experimental_parts() -> warnings.catch_warnings[None]:
    """Optuna warns of parts whose interface may change; the versions are pinned."""
    return warnings.catch_warnings(action="ignore", category=ExperimentalWarning)


SAMPLERS: dict[str, Callable[[SearchSpace, int], BaseSampler]] = {
    "tpe": tpe,
    "random": random,
    "grid": grid,
    "qmc": qmc,
    "gp": gp,
    "cmaes": cmaes,
}

WORTH_GP = range(11, 251)
"""Trials of a search that a Gaussian process serves: it draws ten at random, and takes longer by their third power."""


def default_sampler(space: SearchSpace, *, trials: int, n_objectives: int = 1) -> str:
    """The sampler of a search that names none: what won in replayed searches (docs/decisions/0013).

    A Gaussian process where there is a surface to learn; the Parzen estimator on a grid, and where the other draws at
    random or is slow: with conditions, with several objectives, with very few or very many trials.
    """
    is_surface = space.size is None and not any(parameter.when for parameter in space.parameters)
    return "gp" if is_surface and n_objectives == 1 and trials in WORTH_GP else "tpe"
