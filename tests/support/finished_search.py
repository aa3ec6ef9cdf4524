"""A search that is over, as a person called it: for the tests that only read what it left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType
from optuna.trial import TrialState

ROOT = Path(__file__).parents[2]
# One trial more than the space has configurations, for the default lies outside it, and one that finds none left.
_COMMAND = [sys.executable, "-m", "experiments.search", "--preset", "smoke", "--trials", "6", "--system-metrics",
            "--json"]  # fmt: skip
_STATUSES = {
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.FAIL: "FAILED",
    TrialState.WAITING: "KILLED",
}


@dataclass(frozen=True)
class FinishedSearch:
    """What a search on the synthetic dataset left.

    Attributes:
        output: the folder of studies.
        name: of the study.
        status: the exit status.
    """

    output: Path
    name: str
    status: int

    @property
    def folder(self) -> Path:
        return self.output / self.name

    @property
    def study(self) -> optuna.Study:
        return optuna.load_study(study_name=self.name, storage=f"sqlite:///{self.output}/studies.db")

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads((self.folder / "summary.json").read_text())

    @property
    def tracking_uri(self) -> str:
        return f"sqlite:///{self.output}/mlflow.db"

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(self.tracking_uri)

    def runs(self) -> list[Run]:
        experiment = self.client.get_experiment_by_name("synthetic")
        return self.client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL)

    def parent(self) -> Run:
        (parent,) = (run for run in self.runs() if "mlflow.parentRunId" not in run.data.tags)
        return parent

    def children(self) -> dict[int, Run]:
        return {int(run.data.tags["trial_number"]): run for run in self.of_kind("trial")}

    def of_kind(self, kind: str) -> list[Run]:
        return [run for run in self.runs() if run.data.tags["kind"] == kind]

    def assert_settled(self) -> None:
        """Nothing runs any more, in either store, and they agree."""
        states = {trial.number: trial.state for trial in self.study.trials}
        assert not set(states.values()) & {TrialState.RUNNING}
        for number, run in self.children().items():
            assert run.info.status == _STATUSES[states[number]]
        assert self.parent().info.status != "RUNNING"


@dataclass(frozen=True)
class CalledSearch(FinishedSearch):
    """A search in a process of its own.

    Attributes:
        stdout: what it printed there.
        stderr: what it printed there.
    """

    stdout: str
    stderr: str


def called_search(folder: Path) -> CalledSearch:
    """The smoke preset, called in an empty folder; the search that is there, if it has been called before.

    Args:
        folder: new, or from an earlier call.
    """
    call = folder / "call.json"
    if not call.exists():
        folder.mkdir()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # this checkout, installed or not
        done = subprocess.run(_COMMAND, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
        call.write_text(json.dumps({"status": done.returncode, "stdout": done.stdout, "stderr": done.stderr}))
    said = json.loads(call.read_text())
    (summary,) = (folder / "runs").glob("*/summary.json")
    return CalledSearch(output=folder / "runs", name=summary.parent.name, **said)
