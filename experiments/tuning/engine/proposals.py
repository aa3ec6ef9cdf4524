"""Proposes configurations: any Optuna sampler, without its repetitions.

Optuna's samplers draw a configuration again: 20 to 23 of TPE's 30 trials on the 30 points of RecBole's space are
distinct, 13 of GP's. Training is deterministic given the seed, so a repetition is a trial wasted.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial

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
        params: by parameter; conditional ones only where they apply.
        notes: what the sampler wants to read in the trial later on (Optuna's system attributes).
        replaced: whether the sampler itself proposed one that the study has already.
    """

    params: Params
    notes: dict[str, Any]
    replaced: bool


class Proposer:
    """Draws from a sampler; a configuration that the study has already gives way to the nearest new one.

    A draw follows from the seed, the number of the trial and what the study holds, so that a search resumed draws
    as if it had never stopped.

    Args:
        sampler: draws them.
        space: what it draws from.
        seed: of the study.
    """

    def __init__(self, sampler: Sampler, space: SearchSpace, seed: int) -> None:
        self._sampler = sampler
        self._space = space
        self._seed = seed
        self._joint = sampler.joint_space(space)

    def propose(self, study: Study, number: int, *, paused: Collection[int] = ()) -> Proposal:
        """A configuration that no trial of the study has. The space must not be exhausted.

        Args:
            study: what is known so far.
            number: that the trial will have.
            paused: trials that train no further for now; the sampler learns from them as from pruned ones.
        """
        trials = study.get_trials(deepcopy=False)
        seen = {configuration(plain_names(trial.params)) for trial in trials if trial.params}
        seed = derived_seed(self._seed, number)
        n_drawn = sum(origin_of(trial.user_attrs) == SAMPLER for trial in trials)
        sampler = self._sampler.make(Draw(seed=seed, study_seed=self._seed, index=n_drawn))
        history = _History(study, trials, self._space, paused, only_finished=self._sampler.finished_only)
        params = self._draw(sampler, history, number)
        replaced = configuration(params) in seen
        if replaced:
            unseen = self._unseen(history, number, seen, seed)
            params = min(unseen, key=lambda candidate: _distance(candidate, params, self._space))
        return Proposal(params=params, notes=history.notes, replaced=replaced)

    def _draw(self, sampler: BaseSampler, history: _History, number: int) -> Params:
        study, trial = cast("Study", history), _trial_to_be(number)
        drawn = sampler.sample_relative(study, trial, self._joint)
        for name, distribution in self._space.distributions.items():
            if name not in drawn:
                drawn[name] = sampler.sample_independent(study, trial, name, distribution)
        return self._space.suggest(FixedTrial(drawn))

    def _unseen(self, history: _History, number: int, seen: Collection[Configuration], seed: int) -> list[Params]:
        """New configurations, in random order: all there are, or some of very many."""
        unseen: list[Params] = []
        if self._space.size is not None and self._space.size <= ENUMERATED:
            unseen = [params for params in self._space.grid() if configuration(params) not in seen]
            return [unseen[index] for index in np.random.default_rng(seed).permutation(len(unseen))]
        candidates = RandomSampler(seed=seed)
        while not unseen:
            drawn = [self._draw(candidates, history, number) for _ in range(CANDIDATES)]
            unseen = [params for params in drawn if configuration(params) not in seen]
        return unseen


def configuration(params: Mapping[str, Any]) -> Configuration:
    """The identity of a configuration."""
    return frozenset(params.items())


def _trial_to_be(number: int) -> FrozenTrial:
    """What a sampler is told of the trial that it draws for, which the study does not have yet."""
    trial = create_trial(state=TrialState.RUNNING)
    trial.number = number
    return trial


class _History:
    """A study as a sampler sees it.

    Trials with a parameter too few, or a value outside the space (of an earlier space, or a default configuration
    outside it), are left out: samplers cannot do with them. Paused trials are shown as pruned, and to a sampler that
    learns of nothing but finished ones (`only_finished`), all as finished where the first was held up. What the
    sampler notes down for its trial is collected in `notes`.
    """

    def __init__(
        self,
        study: Study,
        trials: Sequence[FrozenTrial],
        space: SearchSpace,
        paused: Collection[int],
        *,
        only_finished: bool,
    ) -> None:
        self._study = study
        self._space = space
        self._paused = paused
        self.notes: dict[str, Any] = {}
        self._storage = cast("BaseStorage", _NotingStorage(study._storage, self.notes))
        self._trials = [shown for trial in trials if (shown := self._shown(trial))]
        if only_finished and len(study.directions) == 1:
            self._trials = _cut_alike(self._trials)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def get_trials(
        self, deepcopy: bool = True, states: Collection[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        """As Optuna's."""
        return [trial for trial in self._trials if states is None or trial.state in states]

    _get_trials = get_trials

    @property
    def trials(self) -> list[FrozenTrial]:
        """As Optuna's."""
        return self._trials

    def _shown(self, trial: FrozenTrial) -> FrozenTrial | None:
        params = plain_names(trial.params)
        if not params or not self._space.contains(params):
            return None
        shown = copy.copy(trial)
        shown.distributions = {name: self._space.distributions[name] for name in params}
        shown.params = params
        if not trial.state.is_finished() and (trial.number in self._paused or trial.state is TrialState.WAITING):
            shown.state = TrialState.PRUNED if trial.intermediate_values else TrialState.WAITING
        return shown


def _cut_alike(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials as they stood when they had as many epochs as that which was held up first, as finished ones.

    Values after different numbers of epochs do not compare, and one regression takes all for the same. A trial that
    began later than that, from another's weights, is left out; where nothing was held up, all are as they are.
    """
    held_up = [max(trial.intermediate_values) for trial in trials if _is_pruned(trial)]
    if not held_up:
        return list(trials)
    return [cut for trial in trials if (cut := _cut(trial, min(held_up)))]


def _is_pruned(trial: FrozenTrial) -> bool:
    return trial.state is TrialState.PRUNED and bool(trial.intermediate_values)


def _cut(trial: FrozenTrial, epochs: int) -> FrozenTrial | None:
    """A trial after so many epochs, or at its end where that came earlier; None: it has no value there."""
    in_training = trial.state is TrialState.RUNNING and max(trial.intermediate_values, default=0) < epochs
    if in_training or trial.state in (TrialState.WAITING, TrialState.FAIL):
        return trial
    reported = [epoch for epoch in trial.intermediate_values if epoch <= epochs]
    if not reported:
        return None
    cut = copy.copy(trial)
    cut.state, cut.values = TrialState.COMPLETE, [trial.intermediate_values[max(reported)]]
    return cut


class _NotingStorage:
    """A storage that keeps the notes of a trial that is not there yet."""

    def __init__(self, storage: BaseStorage, notes: dict[str, Any]) -> None:
        self._storage = storage
        self._notes = notes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Note it down."""
        self._notes[key] = value


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
