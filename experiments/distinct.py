"""Any Optuna sampler, without its repetitions.

Optuna's samplers draw a configuration again: 20 to 23 of TPE's 30 trials on the 30 points of RecBole's space are
distinct, 13 of GP's. Training is deterministic given the seed, so a repetition is a trial wasted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FixedTrial, FrozenTrial, TrialState

from search_spaces.space import SearchSpace

Params = dict[str, Any]

REPLACED = "repetitions_replaced"  # user attribute of the study
ENUMERATED = 10_000  # configurations of a finite space that are listed rather than drawn
CANDIDATES = 500


class DistinctSampler(BaseSampler):
    """Draws from another sampler; a configuration that the study has already gives way to the nearest new one.

    The whole configuration is drawn at once, before anything of it is stored, so that no trial is spent on a
    repetition.

    Args:
        inner: draws the proposals.
        space: what it draws from; trials of the study that lie outside are hidden from it.
        seed: of the candidates that replace a repetition.
    """

    def __init__(self, inner: BaseSampler, space: SearchSpace, seed: int) -> None:
        self._inner = inner
        self._space = space
        self._rng = np.random.default_rng(seed)
        self._candidates = RandomSampler(seed=seed)
        self._joint = _joint_space(inner, space)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Pass on."""
        self._inner.before_trial(study, trial)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Pass on."""
        self._inner.after_trial(study, trial, state, values)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Everything: the parameters are drawn together."""
        return dict(self._space.distributions)

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]) -> Params:
        """A configuration that no trial of the study has; conditional parameters only where they apply.

        The space must not be exhausted. The study counts what was replaced, in the attribute `REPLACED`.
        """
        seen = configurations(study)
        proposal = self._draw(self._inner, study, trial)
        if configuration(proposal) not in seen:
            return proposal
        study.set_user_attr(REPLACED, study.user_attrs.get(REPLACED, 0) + 1)
        return min(self._unseen(study, trial, seen), key=lambda params: _distance(params, proposal, self._space))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Never asked: `sample_relative` draws every parameter that applies."""
        raise AssertionError(f"{param_name} is not in the space")

    def _draw(self, sampler: BaseSampler, study: Study, trial: FrozenTrial) -> Params:
        inside = cast("Study", _TrialsInside(study, self._joint))
        drawn = sampler.sample_relative(inside, trial, self._joint)
        for name, distribution in self._space.distributions.items():
            if name not in drawn:
                drawn[name] = sampler.sample_independent(inside, trial, name, distribution)
        return self._space.suggest(FixedTrial(drawn))

    def _unseen(self, study: Study, trial: FrozenTrial, seen: set[Configuration]) -> list[Params]:
        """New configurations, in random order: all there are, or some of very many."""
        unseen: list[Params] = []
        if self._space.size is not None and self._space.size <= ENUMERATED:
            unseen = [params for params in self._space.grid() if configuration(params) not in seen]
            return [unseen[index] for index in self._rng.permutation(len(unseen))]
        while not unseen:
            drawn = [self._draw(self._candidates, study, trial) for _ in range(CANDIDATES)]
            unseen = [params for params in drawn if configuration(params) not in seen]
        return unseen


Configuration = frozenset[tuple[str, Any]]


def configuration(params: Mapping[str, Any]) -> Configuration:
    """The identity of a configuration."""
    return frozenset(params.items())


def configurations(study: Study) -> set[Configuration]:
    """Configurations that the trials of a study have or had, whatever became of them."""
    return {configuration(trial.params) for trial in study.get_trials(deepcopy=False) if trial.params}


class _TrialsInside:
    """A study as a sampler sees it: without finished trials that lack a parameter of the space.

    Such are a default configuration outside the space; GPSampler cannot do with them.
    """

    def __init__(self, study: Study, joint: Mapping[str, BaseDistribution]) -> None:
        self._study = study
        self._joint = joint

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def _get_trials(self, *args: Any, **kwargs: Any) -> list[FrozenTrial]:
        trials = self._study._get_trials(*args, **kwargs)
        return [trial for trial in trials if not trial.state.is_finished() or self._joint.keys() <= trial.params.keys()]


def _joint_space(sampler: BaseSampler, space: SearchSpace) -> dict[str, BaseDistribution]:
    """Parameters that a sampler may draw together: those that always apply, for CMA-ES the numeric ones."""
    return {
        parameter.name: parameter.distribution
        for parameter in space.parameters
        if not parameter.when
        and not parameter.distribution.single()
        and not (isinstance(sampler, CmaEsSampler) and isinstance(parameter.distribution, CategoricalDistribution))
    }


def _distance(one: Params, other: Params, space: SearchSpace) -> float:
    """How far two configurations lie apart, in [0, parameters]; a parameter that only one has counts 1."""
    shared = one.keys() & other.keys()
    apart = len(one.keys() ^ other.keys())
    return apart + sum(_gap(space.distributions[name], one[name], other[name]) for name in shared)


def _gap(distribution: BaseDistribution, one: Any, other: Any) -> float:
    """How far two values of a parameter lie apart, as a share of its range, logarithmic where the range is."""
    if not isinstance(distribution, FloatDistribution | IntDistribution):
        return float(one != other)
    points = np.array([one, other, distribution.low, distribution.high], dtype=float)
    one, other, low, high = np.log(points) if distribution.log else points
    return float(abs(one - other) / (high - low)) if high > low else 0.0
