"""Proposes configurations: any Optuna sampler, without its repetitions.

Optuna's samplers draw a configuration again: 20 to 23 of TPE's 30 trials on the 30 points of RecBole's space are
distinct, 13 of GP's. Training is deterministic given the seed, so a repetition is a trial wasted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FixedTrial, FrozenTrial

from experiments.tuning.engine.study_for_sampler import study_for_sampler, trial_to_draw
from experiments.tuning.optimizer.samplers import Draw, Sampler
from experiments.tuning.study.parameter_names import plain_names
from experiments.tuning.study.trial_attributes import SAMPLER, origin_of
from narm.seeds import derived_seed
from search_spaces.space import SearchSpace

Params = dict[str, Any]
Configuration = frozenset[tuple[str, Any]]

ENUMERATED = 10_000  # configurations of a finite space that are listed rather than drawn
CANDIDATES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A configuration to try.

    Attributes:
        params: values by parameter; conditional ones only where they apply.
        notes: what the sampler reads again in the stored trial, at later draws (Optuna's system attributes).
        replaced: whether the sampler itself drew one that the study has already.
    """

    params: Params
    notes: dict[str, Any]
    replaced: bool


class Proposer:
    """Draws from a sampler; a configuration that the study has already gives way to the nearest new one.

    A draw follows from the seed and what the study holds, so that a resumed search draws as if it had never stopped.

    Args:
        sampler: the sampler to draw from.
        space: the space that it draws from.
        seed: seed of the study.
    """

    def __init__(self, sampler: Sampler, space: SearchSpace, seed: int) -> None:
        self._sampler = sampler
        self._space = space
        self._seed = seed
        self._joint = sampler.joint_space(space)

    def propose(
        self, study: Study, *, paused: Collection[int] = (), keeps: Callable[[Params], bool] | None = None
    ) -> Proposal | None:
        """A configuration that no trial of the study has. The space must not be exhausted.

        Args:
            study: what is known so far.
            paused: numbers of trials that train no further for now; the sampler learns from them as from pruned ones.
            keeps: whether a configuration keeps the constraints, where it has to; None: any will do.
        Returns:
            None if no configuration that is new keeps the constraints, of very many that were drawn.
        """
        trials = study.get_trials(deepcopy=False)
        seen = {configuration(plain_names(trial.params)) for trial in trials if trial.params}
        shown = study_for_sampler(
            trials,
            self._space,
            directions=study.directions,
            paused=paused,
            finished_only=self._sampler.finished_only,
            filled=self._sampler.filled,
        )
        draw = self._next_draw(trials)
        params = self._draw(self._sampler.make(draw), shown)
        replaced = configuration(params) in seen
        if replaced or not (keeps is None or keeps(params)):
            unseen = self._unseen(shown, seen, draw.seed)
            nearest = sorted(unseen, key=lambda candidate: _distance(candidate, params, self._space))
            found = next((candidate for candidate in nearest if keeps is None or keeps(candidate)), None)
            if found is None:
                return None
            params = found
        return Proposal(params=params, notes=trial_to_draw(shown).system_attrs, replaced=replaced)

    def _next_draw(self, trials: Sequence[FrozenTrial]) -> Draw:
        """Which draw it is follows from the trials alone."""
        return Draw(
            seed=derived_seed(self._seed, len(trials)),
            study_seed=self._seed,
            index=sum(origin_of(trial.user_attrs) == SAMPLER for trial in trials),
        )

    def _draw(self, sampler: BaseSampler, study: Study) -> Params:
        trial = trial_to_draw(study)
        drawn = sampler.sample_relative(study, trial, self._joint)
        for name, distribution in self._space.distributions.items():
            if name not in drawn:
                drawn[name] = sampler.sample_independent(study, trial, name, distribution)
        return self._space.suggest(FixedTrial(drawn))

    def _unseen(self, study: Study, seen: Collection[Configuration], seed: int) -> list[Params]:
        """New configurations, in random order: all there are, or some of very many."""
        unseen: list[Params] = []
        if self._space.size is not None and self._space.size <= ENUMERATED:
            unseen = [params for params in self._space.grid() if configuration(params) not in seen]
            return [unseen[index] for index in np.random.default_rng(seed).permutation(len(unseen))]
        candidates = RandomSampler(seed=seed)
        while not unseen:
            drawn = [self._draw(candidates, study) for _ in range(CANDIDATES)]
            unseen = [params for params in drawn if configuration(params) not in seen]
        return unseen


def configuration(params: Mapping[str, Any]) -> Configuration:
    """The identity of a configuration."""
    return frozenset(params.items())


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
