"""Samplers by name: how the next configuration is drawn, and what each sampler needs.

A new sampler is a factory and an entry in `SAMPLERS`. None of them needs to avoid configurations that were tried, or to
learn from trials that are paused: `experiments.tuning.engine` sees to both. The names are listed by `--help`, so
Optuna, which takes a second to import, is imported when a sampler is made.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from narm.errors import InputError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

    from search_spaces.space import SearchSpace

WORTH_GP = range(11, 251)
"""Trials of a search that a Gaussian process serves: it draws ten at random, and takes longer by their third power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Which draw of a study a sampler is made for.

    Attributes:
        seed: for this draw alone; it differs from draw to draw.
        study_seed: the same for all draws of the study.
        index: how many configurations the sampler has drawn for the study before.
    """

    seed: int
    study_seed: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """A way to draw configurations, and what it needs.

    Attributes:
        name: as `--sampler` takes it.
        make: makes Optuna's sampler for one draw.
        joint: which parameters it draws together; it draws the others one by one. All: also those that turn out not to
            apply.
        one_objective: whether it follows a single objective only.
        finished_only: whether it learns from finished trials only, and takes each for trained equally long.
        finite_only: whether it draws from finite spaces only.
        filled: whether it draws together only what all trials have, so that parameters which do not apply to a trial
            are shown at random values.
    """

    name: str
    make: Callable[[Draw], BaseSampler]
    joint: Literal["all", "unconditional", "unconditional numeric"] = "unconditional"
    one_objective: bool = False
    finished_only: bool = False
    finite_only: bool = False
    filled: bool = False

    def joint_space(self, space: SearchSpace) -> dict[str, BaseDistribution]:
        """Distributions of the parameters that the sampler draws together."""
        from optuna.distributions import CategoricalDistribution

        varied = [parameter for parameter in space.parameters if not parameter.distribution.single()]
        if self.joint == "all":
            return {parameter.name: parameter.distribution for parameter in varied}
        unconditional = {parameter.name: parameter.distribution for parameter in varied if not parameter.when}
        if self.joint == "unconditional":
            return dict(unconditional)
        return {name: one for name, one in unconditional.items() if not isinstance(one, CategoricalDistribution)}

    def check(self, space: SearchSpace, *, n_objectives: int = 1) -> None:
        """Check that the sampler can draw for such a study.

        Raises:
            InputError: it cannot; the message suggests another sampler.
        """
        if self.one_objective and n_objectives > 1:
            raise InputError(f"sampler: {self.name} follows one objective: use tpe or gp")
        if self.finite_only and space.size is None:
            raise InputError(
                f"sampler: {self.name} needs a finite space, and {space.name} has continuous ranges: use tpe"
            )
        if self.joint == "unconditional numeric" and (n_ranges := len(self.joint_space(space))) < 2:
            raise InputError(f"sampler: {self.name} needs two numeric ranges, and {space.name} has {n_ranges}: use tpe")


def tpe(draw: Draw) -> BaseSampler:
    """Tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011), multivariate, with a constant liar."""
    from optuna.samplers import TPESampler

    return TPESampler(seed=draw.seed)


def random(draw: Draw) -> BaseSampler:
    """Uniform draws (Bergstra & Bengio, JMLR 2012)."""
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=draw.seed)


def qmc(draw: Draw) -> BaseSampler:
    """The next point of a scrambled Sobol sequence, one sequence for the study."""
    from experiments.tuning.optimizer.sobol import SobolSampler

    return SobolSampler(seed=draw.study_seed, index=draw.index)


def gp(draw: Draw) -> BaseSampler:
    """A Gaussian process with logarithmic expected improvement (Ament et al., NeurIPS 2023)."""
    from optuna.samplers import GPSampler

    return GPSampler(seed=draw.seed)


def cmaes(draw: Draw) -> BaseSampler:
    """Covariance matrix adaptation (Hansen 2016) of the numeric ranges; choices are drawn at random."""
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import CmaEsSampler

    with warnings.catch_warnings(
        action="ignore", category=ExperimentalWarning
    ):  # the argument may go; versions are pinned
        return CmaEsSampler(seed=draw.seed, consider_pruned_trials=True, warn_independent_sampling=False)


SAMPLERS: dict[str, Sampler] = {
    sampler.name: sampler
    for sampler in (
        Sampler(name="tpe", make=tpe),
        Sampler(name="random", make=random),
        # Nothing is drawn twice, so a finite space is covered; in random order, a grid cut short is a fair sample.
        Sampler(name="grid", make=random, finite_only=True),
        Sampler(name="qmc", make=qmc, joint="all"),
        Sampler(name="gp", make=gp, joint="all", finished_only=True, filled=True),
        Sampler(name="cmaes", make=cmaes, joint="unconditional numeric", one_objective=True),
    )
}


def default_sampler(space: SearchSpace, *, trials: int, n_objectives: int = 1) -> str:
    """The sampler of a search that names none: what won in replayed searches (docs/decisions/0013).

    A Gaussian process where there is a surface to learn; the Parzen estimator on a grid, and where the other draws at
    random or is slow: with several objectives, with very few or very many trials.
    """
    return "gp" if space.size is None and n_objectives == 1 and trials in WORTH_GP else "tpe"
