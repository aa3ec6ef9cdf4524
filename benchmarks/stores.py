"""What a search leaves in its two stores, the Optuna study and the MLflow runs, and whether they agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from mlflow import MlflowClient
from mlflow.entities import Metric, Run, ViewType
from optuna.trial import FrozenTrial, TrialState

from experiments.tuning.study.storage import closing_study, load_study, storage_in
from experiments.tuning.study.trial_attributes import OPTIONS, read_progress

_STATUS = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED", TrialState.FAIL: "FAILED"}
_PARENT = "mlflow.parentRunId"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Both stores of a search.

    Attributes:
        study_name: of the study.
        storage: URL of Optuna's database.
        tracking_uri: of MLflow.
        experiment: of MLflow, the name of the dataset.
    """

    study_name: str
    storage: str
    tracking_uri: str
    experiment: str

    @classmethod
    def below(cls, output: Path, study_name: str, *, experiment: str, storage: str | None = None) -> Stores:
        """Those of a study in a folder of studies, whose database may be elsewhere."""
        return cls(
            study_name=study_name,
            storage=storage or storage_in(output),
            tracking_uri=f"sqlite:///{(output / 'mlflow.db').resolve()}",
            experiment=experiment,
        )

    def trials(self) -> list[FrozenTrial]:
        """Of the study, by number."""
        with self._study() as study:
            return study.trials

    def attributes(self) -> dict[str, Any]:
        """Of the study."""
        with self._study() as study:
            return study.user_attrs

    @contextmanager
    def _study(self) -> Iterator[optuna.Study]:
        with closing_study(load_study(self.study_name, self.storage)) as study:
            yield study

    def runs(self) -> list[Run]:
        """All runs of the experiment, deleted ones too."""
        client = MlflowClient(self.tracking_uri)
        experiment = client.get_experiment_by_name(self.experiment)
        if experiment is None:
            return []
        return list(client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL))

    def parent(self) -> Run:
        """The run of the study."""
        (parent,) = (run for run in self.runs() if _PARENT not in run.data.tags)
        return parent

    def run(self, number: int) -> Run:
        """The run of a trial."""
        (run,) = (run for run in self.runs() if run.data.tags.get("trial_number") == str(number))
        return run

    def history(self, number: int, metric: str) -> list[Metric]:
        """What MLflow has of a metric of a trial, in the order of the steps."""
        history = MlflowClient(self.tracking_uri).get_metric_history(self.run(number).info.run_id, metric)
        return sorted(history, key=lambda value: value.step)

    def problems(self, n_trials: int) -> list[str]:
        """What is not as it should be when a search is done; nothing, if all is well.

        As it should be: the study has its trials once each, all ended, each of another configuration; MLflow has one
        run of the study and one a trial, in the same state; every epoch of every trial stands in both, once.
        """
        trials, runs = self.trials(), self.runs()
        return [*_of_trials(trials, n_trials), *_of_runs(trials, runs), *self._of_epochs(trials)]

    def _of_epochs(self, trials: Sequence[FrozenTrial]) -> Iterator[str]:
        for trial in trials:
            progress = read_progress(trial)
            epochs = list(range(1, progress["epochs"] + 1)) if progress else []
            if sorted(trial.intermediate_values) != epochs:
                yield f"trial {trial.number}: {len(epochs)} epochs, in the study {sorted(trial.intermediate_values)}"
            steps = [loss.step for loss in self.history(trial.number, "train_loss")]
            if steps != epochs:
                yield f"trial {trial.number}: {len(epochs)} epochs, in MLflow {steps}"


def _of_trials(trials: Sequence[FrozenTrial], n_trials: int) -> Iterator[str]:
    if [trial.number for trial in trials] != list(range(n_trials)):
        yield f"trials {[trial.number for trial in trials]}, and not {n_trials}"
    for trial in trials:
        if not trial.state.is_finished():
            yield f"trial {trial.number} is {trial.state.name}"
    if len({str(trial.user_attrs[OPTIONS]) for trial in trials}) < len(trials):
        yield "a configuration was tried twice"


def _of_runs(trials: Sequence[FrozenTrial], runs: Sequence[Run]) -> Iterator[str]:
    parents = [run.info.status for run in runs if _PARENT not in run.data.tags]
    if parents != ["FINISHED"]:
        yield f"runs of the study in MLflow: {parents}"
    statuses = sorted((int(run.data.tags["trial_number"]), run.info.status) for run in runs if _PARENT in run.data.tags)
    wanted = [(trial.number, _STATUS.get(trial.state, trial.state.name)) for trial in trials]
    if statuses != wanted:
        yield f"runs of trials in MLflow: {statuses}, and not {wanted}"
