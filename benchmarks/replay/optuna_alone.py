"""Optuna without Ray: TPE with a Hyperband pruner, by ask and tell, as several workers on one study use it."""

from __future__ import annotations

import optuna
from optuna.pruners import HyperbandPruner
from optuna.samplers import TPESampler

from benchmarks.replay.world import Job, Report, World


class OptunaAlone:
    """What a user of Optuna would write; trials report their best value so far.

    Args:
        world: what is searched.
        seed: of the sampler, and of the brackets: Optuna draws these from the study's name.
        trials: Optuna's `n_trials`.
    """

    def __init__(self, world: World, seed: int, trials: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = world.space
        self._study = optuna.create_study(
            study_name=f"hyperband-{seed}",
            direction="maximize",
            sampler=TPESampler(seed=seed),
            pruner=HyperbandPruner(max_resource=world.max_epochs),
        )
        self._trials: list[optuna.Trial] = []
        self._n_trials = trials

    def next(self) -> Job | None:
        """What the study proposes."""
        if len(self._trials) == self._n_trials:
            return None
        trial = self._study.ask()
        params = self._space.suggest(trial)
        self._trials.append(trial)
        return Job(trial=trial.number, params=params)

    def reported(self, trial: int, report: Report) -> bool:
        """What the pruner decides; a trial is worth its best."""
        asked = self._trials[trial]
        asked.report(report.value, report.epoch)
        if report.final:
            self._study.tell(asked, report.value)
        elif asked.should_prune():
            self._study.tell(asked, state=optuna.trial.TrialState.PRUNED)
            return False
        return True
