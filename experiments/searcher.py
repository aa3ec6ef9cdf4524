"""Ray Tune's searcher over an Optuna study.

The study is the truth about the search. Every epoch is reported to it under its own number; a trial that the
scheduler stops is PRUNED, one that trained to its end (all its epochs, or its own early stopping) is COMPLETE, one
that failed is FAIL; the objective is the best value so far.

Ray's own OptunaSearch tells pruned trials COMPLETE, does not report the epoch at which a trial is stopped, leaves
failed trials RUNNING, and repeats configurations.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import optuna
from optuna.trial import FrozenTrial, TrialState
from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.search import Searcher

from experiments.distinct import configurations
from experiments.trainable import EpochReport, TrialConfig
from narm.config import Config
from narm.seeds import derived_seed
from search_spaces.space import SearchSpace

# User attributes of a trial in the study.
DEFAULT = "default"  # it is the default configuration
OUTSIDE = "outside"  # its options, where the default configuration lies outside the space


def enqueue_default(study: optuna.Study, space: SearchSpace, config: Config) -> None:
    """Make the configuration that the space varies the next trial, outside the space too.

    Outside, the trial has none of the study's parameters, and its options stand in the user attribute `outside`.
    """
    params = space.from_options(config)
    if params is not None:
        study.enqueue_trial(params, user_attrs={DEFAULT: True})
    else:
        flat = config.flat()
        outside = {name: flat[name] for name in space.options}
        study.enqueue_trial({}, user_attrs={DEFAULT: True, OUTSIDE: outside})


def trial_options(trial: optuna.Trial | FrozenTrial, space: SearchSpace, config: Config) -> dict[str, Any]:
    """The values that a trial of the study has of the options that the space varies."""
    if OUTSIDE in trial.user_attrs:
        return dict(trial.user_attrs[OUTSIDE])
    return space.to_options(trial.params, config)


class Listener(Protocol):
    """Is told what happens to the trials, as it happens. It must not raise: that would end the search."""

    def started(self, number: int, options: dict[str, Any]) -> None:
        """A trial begins, with these values of the options that the space varies."""

    def reported(self, number: int, report: EpochReport) -> None:
        """A trial has trained an epoch."""

    def finished(self, trial: FrozenTrial) -> None:
        """A trial has ended, as the study has it."""

    def run_id(self, number: int) -> str | None:
        """The MLflow run of a trial, as far as it is known."""


@dataclass(slots=True)
class _Live:
    """A trial in flight."""

    trial: optuna.Trial
    last: EpochReport | None = None
    seconds: float = 0.0


class OptunaSearcher(Searcher):
    """Asks the study for configurations, and tells it what became of them.

    A finite space ends when every configuration has had its trial.

    Args:
        study: maximised; drawn from by a sampler that repeats nothing (`experiments.distinct`).
        space: what is searched.
        config: what the space varies, and the seed of the study.
        listener: who else should know.
    """

    def __init__(self, study: optuna.Study, space: SearchSpace, config: Config, listener: Listener) -> None:
        super().__init__()
        self._study = study
        self._space = space
        self._config = config
        self._listener = listener
        self._live: dict[str, _Live] = {}

    def suggest(self, trial_id: str) -> TrialConfig | str:  # type: ignore[override]  # TypedDict
        """The next trial, or Ray's word for the end."""
        if self._exhausted():
            return str(Searcher.FINISHED)
        trial = self._study.ask()
        self._live[trial_id] = _Live(trial)
        if OUTSIDE not in trial.user_attrs:
            self._space.suggest(trial)
        options = trial_options(trial, self._space, self._config)
        seed = derived_seed(self._config.training.seed, trial.number)
        trial.set_user_attr("seed", seed)
        self._listener.started(trial.number, options)
        return TrialConfig(number=trial.number, seed=seed, options=options, spared=DEFAULT in trial.user_attrs)

    def _exhausted(self) -> bool:
        """Whether every configuration of the space has had its trial."""
        return self._space.size is not None and len(configurations(self._study)) >= self._space.size

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Report an epoch, once."""
        live, report = self._live[trial_id], result["report"]
        if live.last is not None and report.epoch <= live.last.epoch:
            return
        live.last = report
        live.seconds += report.seconds
        live.trial.report(report.value, report.epoch)
        self._listener.reported(live.trial.number, report)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell how a trial ended; of an error, `failed` brings the reason."""
        if error or trial_id not in self._live or result is None:
            return
        self.on_trial_result(trial_id, result)
        report: EpochReport = result["report"]
        if not report.final:
            self._tell(trial_id, TrialState.PRUNED, f"stopped by the scheduler after epoch {report.epoch}")
        elif report.stopped_early:
            self._tell(trial_id, TrialState.COMPLETE, f"no better after epoch {report.best_epoch}")
        else:
            self._tell(trial_id, TrialState.COMPLETE, "all epochs trained")

    def failed(self, trial_id: str, reason: str, details: str) -> None:
        """Tell that a trial failed."""
        if trial_id in self._live:
            self._live[trial_id].trial.set_user_attr("traceback", details)
            self._tell(trial_id, TrialState.FAIL, reason)

    def settle(self, reason: str) -> None:
        """End every trial still in flight: PRUNED where it has a value, else FAIL."""
        for trial_id, live in list(self._live.items()):
            self._tell(trial_id, TrialState.FAIL if live.last is None else TrialState.PRUNED, reason)

    def _tell(self, trial_id: str, state: TrialState, reason: str) -> None:
        live = self._live.pop(trial_id)
        trial, last = live.trial, live.last
        trial.set_user_attr("reason", reason)
        if (run_id := self._listener.run_id(trial.number)) is not None:
            trial.set_user_attr("mlflow_run_id", run_id)
        if last is not None:
            trial.set_user_attr("epochs", last.epoch)
            trial.set_user_attr("seconds", live.seconds)
            trial.set_user_attr("best_epoch", last.best_epoch)
            trial.set_user_attr("valid", last.best)
        value = last.value if last is not None and state is TrialState.COMPLETE else None
        self._listener.finished(self._study.tell(trial, value, state))

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing: the study has it all already."""

    def restore_from_dir(self, checkpoint_dir: str) -> None:
        """Nothing, likewise."""

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Ray pickles its searcher to disk, and the address of the study may hold a password."""
        return {}


_ANSI_COLOUR = re.compile(r"\x1b\[\d*m")


class Failures(Callback):
    """Brings the searcher the reasons of failures, which Ray tells only to callbacks."""

    def __init__(self, searcher: OptunaSearcher) -> None:
        self._searcher = searcher

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """A trial has failed for good."""
        details = _ANSI_COLOUR.sub("", Path(trial.error_file).read_text()).strip()
        reason = textwrap.shorten(details.splitlines()[-1], width=300, placeholder=" ...")
        self._searcher.failed(trial.trial_id, reason, details)
