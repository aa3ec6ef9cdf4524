"""The search itself: which trial is trained next, for how long, and what the study stores of it.

Knows Optuna, and no Ray. A trial is trained in one job or several: a job goes on from the trial's latest checkpoint
after the scheduler paused the trial, after a failure, after the search itself was interrupted. The study database is
the truth: an engine made on a study that another left behind, however that ended, goes on from there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from experiments.tuning.engine.callbacks import Callbacks
from experiments.tuning.engine.feasibility import Feasibility
from experiments.tuning.engine.proposals import Configuration, Proposer, configuration
from experiments.tuning.optimizer.samplers import Sampler
from experiments.tuning.optimizer.scheduler import Curve, CurveState, Decision, Offspring, Promotion, Scheduler
from experiments.tuning.study import trial_attributes
from experiments.tuning.study.limits import Limits, Tally
from experiments.tuning.study.objectives import Objective
from experiments.tuning.study.parameter_names import ParameterNames, plain_names
from experiments.tuning.study.storage import StoredTrial, add_trial
from experiments.tuning.study.trial_attributes import options_of, origin_of, progress_of, read_progress, trials_of
from experiments.tuning.worker.jobs import TrialJob
from experiments.tuning.worker.reports import JobFailure
from narm.config import Config
from narm.footprint import Costs
from narm.seeds import derived_seed
from narm.training_state import EpochResult
from search_spaces.space import SearchSpace

ALL_TRIALS = "all trials done"
EXHAUSTED = "every configuration of the space was tried"
NONE_FEASIBLE = "no further configuration was found that keeps the constraints"

PATIENCE = 10
"""Configurations in a row that break a constraint, before a proposal gives way to one that keeps them."""
MOST_SKIPPED = 200
"""Such configurations in a row, before the search ends."""


class Idle(Enum):
    """Why there is no job to train."""

    WAIT = "what is in flight may bring work"
    DONE = "there is no more to come"


@dataclass(slots=True)
class _Open:
    """A trial that has not ended."""

    stored: StoredTrial
    phase: Literal["queued", "running", "paused"] = "queued"
    epochs: int = 0
    has_begun: bool = False
    may_ship: bool = True
    retries: int = 0

    @property
    def number(self) -> int:
        return self.stored.number

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.stored.attributes[trial_attributes.OPTIONS])


@dataclass(slots=True)
class Engine:
    """Asks for jobs, takes reports, and keeps the study up to date.

    One engine at a time works on a study. Methods are called from one thread.

    Args:
        study: Optuna's, with one direction an objective.
        space: what is searched.
        config: what the space varies, and the seed of the study.
        objectives: a metric, and costs.
        sampler: draws new configurations.
        scheduler: decides which trials go on.
        n_trials: trials that the study has in the end, those of earlier sessions included.
        limits: what ends the search early.
        callbacks: called with what happens to trials.
        feasibility: says which configurations may ship.
    """

    study: optuna.Study
    space: SearchSpace
    config: Config
    objectives: tuple[Objective, ...]
    sampler: Sampler
    scheduler: Scheduler
    n_trials: int
    limits: Limits
    callbacks: Callbacks
    feasibility: Feasibility = field(default_factory=Feasibility)
    reason: str | None = field(init=False, default=None)
    """Why the search ends, None as long as it does not."""
    _names: ParameterNames = field(init=False)
    _proposer: Proposer = field(init=False)
    _open: dict[int, _Open] = field(init=False, default_factory=dict)
    _curves: dict[int, Curve] = field(init=False, default_factory=dict)
    _tally: Tally = field(init=False, default_factory=Tally)
    _n_created: int = field(init=False, default=0)  # counted here: asking the database takes long
    _tried: set[Configuration] = field(init=False, default_factory=set)
    _n_skipped: int = field(init=False, default=0)
    _skipped_in_a_row: int = field(init=False, default=0)
    _none_feasible: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._names = ParameterNames(self.space, self.study)
        self._proposer = Proposer(self.sampler, self.space, self.config.training.seed)
        for trial in trials_of(self.study):
            self._count(trial.params)
            self._take_up(trial)
        self._tally.epochs_at_best = self._tally.epochs  # a search that is resumed gets a new chance
        for interrupted in [trial for trial in self._open.values() if trial.epochs]:
            self._schedule(interrupted)  # it may have been waiting for a promotion

    def enqueue(self, options: Mapping[str, Any], **attributes: Any) -> bool:
        """Queue a configuration, inside the space or outside it, unless the study has it.

        Args:
            options: values of the options that the space varies; others are those of the config.
            attributes: user attributes of the trial.
        Returns:
            whether it was queued.
        """
        config = self.config.replace(options)
        params = self.space.from_options(config)
        flat = config.flat()
        wanted = {name: flat[name] for name in self.space.options}
        if wanted in [options_of(trial) for trial in trials_of(self.study)]:
            return False
        self._create(TrialState.WAITING, params or {}, {trial_attributes.OPTIONS: wanted, **attributes})
        return True

    def next_job(self) -> TrialJob | Idle:
        """The most urgent work: what was interrupted or queued, what the scheduler promotes, a new configuration."""
        while self.reason is None and (found := self._queued() or self._scheduled() or self._proposed()) is not None:
            if (broken := self._broken(found)) is None:
                return self._start(found)
            self._skip(found, broken)
        return Idle.WAIT if self.is_training else Idle.DONE

    @property
    def is_training(self) -> bool:
        """Whether a job is in flight."""
        return any(trial.phase == "running" for trial in self._open.values())

    def measured(self, number: int, costs: Costs) -> Decision:
        """Take what the model of a running trial costs, and decide whether it is trained."""
        trial = self._open.get(number)
        if trial is None or trial.phase != "running":
            return Decision.STOP
        self.feasibility.learn(trial.options, costs.known)
        if (broken := self._broken(trial)) is not None:
            self._skip(trial, broken)
            return Decision.STOP
        self._note_costs(trial)
        return Decision.CONTINUE if self.reason is None else self._release(trial)

    def report(self, number: int, result: EpochResult) -> Decision:
        """Take an epoch of a running trial, and decide whether its job goes on."""
        trial = self._open.get(number)
        if trial is None or trial.phase != "running":
            return Decision.STOP
        if self.reason is not None:  # its checkpoint has the epoch, for a search that is resumed
            return self._release(trial)
        if result.epoch > trial.epochs:
            self._store(trial, result)
        if result.is_last:
            reason = f"no better after epoch {result.best_epoch}" if result.stopped_early else "all epochs trained"
            self._end(trial, TrialState.COMPLETE, reason, [goal.value(result) for goal in self.objectives])
            decision = Decision.STOP
        else:
            decision = self._schedule(trial)
        self._check_limits()
        return decision if self.reason is None else self._release(trial)

    def _release(self, trial: _Open) -> Decision:
        """End a job with the search: its trial waits."""
        if trial.phase == "running":
            trial.phase = "queued"
        return Decision.STOP

    def failed(self, number: int, failure: JobFailure) -> None:
        """Take the failure of a running trial: it is queued again, from its checkpoint, or has failed for good."""
        trial = self._open.get(number)
        if trial is None or trial.phase != "running":
            return
        trial.stored.set_attribute(trial_attributes.TRACEBACK, failure.details)
        if failure.worth_a_retry and trial.retries < self.limits.max_retries:
            trial.retries += 1
            trial.stored.set_attribute(trial_attributes.RETRIES, trial.retries)
            trial.phase = "queued"
            self.callbacks.on_trial_pause(number, "FAILED", failure.reason)
        else:
            self._end(trial, TrialState.FAIL, failure.reason)
            self._check_limits()

    def stop(self, reason: str) -> None:
        """End the search: no job is begun any more."""
        self.reason = self.reason or reason

    def close(self) -> str:
        """Settle every trial: a paused one is pruned if the search is done, and can go on if it was stopped.

        Returns:
            why the search ended.
        """
        done = self.reason is None
        for trial in list(self._open.values()):
            if done and trial.phase == "paused":
                self._end(trial, TrialState.PRUNED, f"behind others after epoch {trial.epochs}")
            else:
                self._put_back(trial, f"interrupted: {self.reason or 'the search failed'}")
        if self.reason is None:
            self.reason = self._why_no_more()
        return self.reason

    def _why_no_more(self) -> str:
        if not self._has_trials_left:
            return ALL_TRIALS
        return NONE_FEASIBLE if self._none_feasible else EXHAUSTED

    # Finding work

    def _queued(self) -> _Open | None:
        """What was interrupted first, then what was queued, each in the order of its number."""
        queued = [trial for trial in self._open.values() if trial.phase == "queued"]
        return min(queued, key=lambda trial: (not trial.has_begun, trial.number), default=None)

    def _scheduled(self) -> _Open | None:
        match self.scheduler.next(list(self._curves.values()), more=self._wants_more()):
            case Promotion(number):
                return self._open[number]
            case Offspring() as offspring:
                return self._descendant(offspring)
        return None

    def _descendant(self, offspring: Offspring) -> _Open:
        """A new trial in the place of another, which goes on itself when there may be no more trials."""
        replaced = self._open[offspring.instead_of]
        if not self._wants_more():
            return replaced
        options = self.space.to_options(offspring.params, self.config)
        attributes = {trial_attributes.OPTIONS: options, trial_attributes.PARENT: offspring.parent}
        created = self._create(TrialState.RUNNING, offspring.params, attributes)
        self._end(replaced, TrialState.PRUNED, f"replaced by trial {created.number} after epoch {replaced.epochs}")
        return created

    def _proposed(self) -> _Open | None:
        if not self._wants_more():
            return None
        paused = {trial.number for trial in self._open.values() if trial.phase == "paused"}
        keeps = self._keeps if self._skipped_in_a_row >= PATIENCE else None
        proposal = self._proposer.propose(self.study, paused=paused, keeps=keeps)
        if proposal is None:
            self._none_feasible = True
            return None
        if proposal.replaced:
            replaced = self.study.user_attrs.get(trial_attributes.REPLACED, 0)
            self.study.set_user_attr(trial_attributes.REPLACED, replaced + 1)
        options = self.space.to_options(proposal.params, self.config)
        return self._create(TrialState.RUNNING, proposal.params, {trial_attributes.OPTIONS: options}, proposal.notes)

    def _wants_more(self) -> bool:
        """Whether there may be another trial, and a configuration of the space for it that has had none."""
        is_exhausted = self.space.size is not None and len(self._tried) >= self.space.size
        return self._has_trials_left and not is_exhausted and not self._none_feasible

    @property
    def _has_trials_left(self) -> bool:
        """Trials that were skipped take none from those that are wanted."""
        return self._n_created - self._n_skipped < self.n_trials

    # Writing to the study

    def _create(
        self,
        state: TrialState,
        params: Mapping[str, Any],
        attributes: Mapping[str, Any],
        notes: Mapping[str, Any] | None = None,
    ) -> _Open:
        number = self._n_created
        seed = derived_seed(self.config.training.seed, number)
        stored, distributions = self._names.write(params)
        template = create_trial(
            state=state,
            params=stored,
            distributions=distributions,
            user_attrs={trial_attributes.SEED: seed, **attributes},
            system_attrs=dict(notes or {}),
        )
        self._count(stored)
        return self._open.setdefault(number, _Open(add_trial(self.study, template)))

    def _start(self, trial: _Open) -> TrialJob:
        attributes = trial.stored.attributes
        trial.stored.set_state(TrialState.RUNNING)  # one that waited
        trial.phase = "running"
        trial.has_begun = True
        job = TrialJob(
            number=trial.number,
            seed=attributes[trial_attributes.SEED],
            options=trial.options,
            epochs=trial.epochs,
            parent=attributes.get(trial_attributes.PARENT),
            measure=self.feasibility.must_measure(trial.options),
        )
        self._update_curve(trial, "running")
        self.callbacks.on_trial_start(job, origin_of(attributes))
        if not job.measure:
            self._note_costs(trial)
        return job

    # Constraints

    def _broken(self, trial: _Open) -> str | None:
        """Why a trial is not trained: which constraint it breaks. The default configuration is, to compare with."""
        is_default = trial_attributes.DEFAULT in trial.stored.attributes
        return None if is_default else self.feasibility.broken(trial.options)

    def _keeps(self, params: Mapping[str, Any]) -> bool:
        """Whether a configuration keeps the constraints, as far as is known."""
        return self.feasibility.broken(self.space.to_options(params, self.config)) is None

    def _skip(self, trial: _Open, broken: str) -> None:
        """End a trial that breaks a constraint before it is trained."""
        if trial.phase != "running":
            self._start(trial)
        self._note_costs(trial)
        trial.stored.set_attribute(trial_attributes.SKIPPED, True)
        self._count_skipped()
        self._end(trial, TrialState.PRUNED, f"infeasible: {broken}")

    def _count_skipped(self) -> None:
        self._n_skipped += 1
        self._skipped_in_a_row += 1
        self._none_feasible = self._skipped_in_a_row >= MOST_SKIPPED

    def _note_costs(self, trial: _Open) -> None:
        """Write what a trial costs, for Optuna too, and which constraint it breaks."""
        if not self.feasibility.constraints or trial_attributes.COSTS in trial.stored.attributes:
            return
        trial.stored.set_constraints(self.feasibility.values(trial.options))
        if (broken := self.feasibility.broken(trial.options)) is None:
            self._skipped_in_a_row = 0
        else:
            trial.may_ship = False
            trial.stored.set_attribute(trial_attributes.INFEASIBLE, broken)
        trial.stored.set_attribute(trial_attributes.COSTS, self.feasibility.costs(trial.options))

    def _store(self, trial: _Open, result: EpochResult) -> None:
        """Store an epoch: callbacks come first, so that none is missing elsewhere after a crash."""
        value = self.objectives[0].value(result)
        self.callbacks.on_epoch(trial.number, result)
        trial.stored.set_value(result.epoch, value)
        trial.stored.set_attribute(trial_attributes.PROGRESS, progress_of(result, value))
        self._tally.count(result.epoch - trial.epochs, value if trial.may_ship else -math.inf)
        trial.epochs = result.epoch
        self._update_curve(trial, "running", {result.epoch: value})

    def _schedule(self, trial: _Open) -> Decision:
        """Let the scheduler decide about a trial, and carry that out."""
        decision = self.scheduler.on_result(self._curves[trial.number], list(self._curves.values()))
        if decision is Decision.STOP:
            self._end(trial, TrialState.PRUNED, f"stopped by the scheduler after epoch {trial.epochs}")
        elif decision is Decision.PAUSE:
            trial.phase = "paused"
            self._update_curve(trial, "paused")
            self.callbacks.on_trial_pause(trial.number, "PAUSED", f"paused by the scheduler after epoch {trial.epochs}")
        return decision

    def _end(self, trial: _Open, state: TrialState, reason: str, values: list[float] | None = None) -> None:
        trial.stored.set_attribute(trial_attributes.REASON, reason)
        self.callbacks.before_trial_end(trial.stored)
        del self._open[trial.number]
        if state is TrialState.FAIL:
            self._tally.failed += 1
        if state is TrialState.FAIL or trial_attributes.SKIPPED in trial.stored.attributes:
            self._curves.pop(trial.number, None)
        else:
            self._update_curve(trial, "complete" if state is TrialState.COMPLETE else "stopped")
        self.callbacks.on_trial_end(trial.stored.tell(state, values))

    def _put_back(self, trial: _Open, reason: str) -> None:
        """Let a trial wait for the search to be resumed."""
        trial.phase = "queued"
        trial.stored.set_attribute(trial_attributes.REASON, reason)
        trial.stored.set_state(TrialState.WAITING)
        if trial.has_begun:
            self.callbacks.on_trial_pause(trial.number, "INTERRUPTED", reason)

    # Keeping count

    def _count(self, stored: Mapping[str, Any]) -> None:
        params = plain_names(stored)
        self._n_created += 1
        if params and self.space.contains(params):
            self._tried.add(configuration(params))

    def _take_up(self, trial: FrozenTrial) -> None:
        """Go on with a trial as the study has it."""
        progress, costs = read_progress(trial), trial.user_attrs.get(trial_attributes.COSTS)
        if costs is not None:
            self.feasibility.learn(options_of(trial), costs)
        if trial_attributes.SKIPPED in trial.user_attrs:
            self._count_skipped()
        elif costs is not None:
            self._skipped_in_a_row = 0
        may_ship = trial_attributes.INFEASIBLE not in trial.user_attrs
        self._tally.failed += trial.state is TrialState.FAIL
        if progress is not None:
            has_failed = trial.state is TrialState.FAIL
            self._tally.count(progress["epochs"], progress["value"] if may_ship and not has_failed else -math.inf)
            if not has_failed:
                self._curves[trial.number] = _curve(trial)
        if not trial.state.is_finished():
            stored = StoredTrial(self.study, trial)
            if progress is not None:
                stored.set_state(TrialState.RUNNING)
            self._open[trial.number] = _Open(
                stored,
                epochs=0 if progress is None else progress["epochs"],
                has_begun=progress is not None,
                may_ship=may_ship,
                retries=trial.user_attrs.get(trial_attributes.RETRIES, 0),
            )

    def _update_curve(self, trial: _Open, state: CurveState, values: Mapping[int, float] | None = None) -> None:
        """Keep what the scheduler sees of a trial up to date."""
        curve = self._curves.get(trial.number) or _curve(trial.stored.read())
        self._curves[trial.number] = replace(curve, state=state, values={**curve.values, **(values or {})})

    def _check_limits(self) -> None:
        if (reason := self._tally.reached(self.limits)) is not None:
            self.stop(reason)


_CURVE_STATES: dict[TrialState, CurveState] = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "stopped"}


def _curve(trial: FrozenTrial) -> Curve:
    """The curve of a trial as the study has it; one in flight, or that waits, counts as running."""
    progress = read_progress(trial)
    reported = sorted(trial.intermediate_values.items())
    return Curve(
        number=trial.number,
        state=_CURVE_STATES.get(trial.state, "running"),
        values={epoch: value for epoch, value in reported if progress and epoch <= progress["epochs"]},
        params=plain_names(trial.params),
        never_stopped=trial_attributes.NEVER_STOPPED in trial.user_attrs,
    )
