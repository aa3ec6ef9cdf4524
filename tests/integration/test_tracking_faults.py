"""A search whose MLflow server is away, slow, killed and restarted: nothing is lost, nothing doubled, nobody waits."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Thread
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from support.mlflow_store import prepared_store

from benchmarks.mlflow_server import Proxy, Server
from benchmarks.tracking_faults import SLOW, Torment
from experiments import search, sync
from experiments.cli.exit_status import EXIT_INTERRUPTED
from experiments.cli.running import run_command
from experiments.tracking import tracker as tracking
from experiments.tracking.sender import Sender
from experiments.tracking.tracker import Tracker
from experiments.tuning.driver.stopping import Interruption

pytestmark = pytest.mark.usefixtures("one_ray")

SPACE = "learning_rate: {low: 0.001, high: 0.01}\nhidden_size: [16, 32]\n"  # in which a search goes on for ever
# Few trials: each is sent twice, in several calls.
SETTINGS = ["--preset", "smoke", "--study", "s", "--trials", "10000", "--epochs", "10", "--stopping_step", "10",
            "--scheduler", "none", "--concurrency", "1", "--quiet"]  # fmt: skip
PAUSE = 2.0  # seconds between attempts at most, where a search would wait for half a minute
OWN_IDS = {"mlflow.parentRunId", "trial_run_id"}  # each store gives its own


def content(uri: str) -> dict[str, Any]:
    """All that an MLflow database holds of the study, by the name of the run, which none has twice."""
    client = MlflowClient(uri)
    runs = _runs(client)
    names = {run.info.run_id: run.info.run_name for run in runs}
    assert len(set(names.values())) == len(names)
    return {
        run.info.run_name: {
            "info": (run.info.status, run.info.start_time, run.info.end_time),
            "parent": names.get(run.data.tags.get("mlflow.parentRunId", "")),
            "params": run.data.params,
            "tags": {name: text for name, text in run.data.tags.items() if name not in OWN_IDS},
            "metrics": {name: _history(client, run, name) for name in run.data.metrics},
            "inputs": [(data.dataset.name, data.dataset.digest) for data in run.inputs.dataset_inputs],
            "artifacts": sorted(file.path for file in client.list_artifacts(run.info.run_id)),
        }
        for run in runs
    }


def _runs(client: MlflowClient) -> list[Run]:
    experiment = client.get_experiment_by_name("synthetic")
    return [] if experiment is None else client.search_runs([experiment.experiment_id])


def _history(client: MlflowClient, run: Run, name: str) -> list[tuple[int, int, float]]:
    points = client.get_metric_history(run.info.run_id, name)
    return sorted((point.step, point.timestamp, point.value) for point in points)


def interrupt_when(over: Callable[[], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """End the search as Ctrl-C does; a signal would reach whatever else this process runs."""
    stop_all = Interruption.stop_all
    requested: list[Interruption] = []

    def stop_when_over(interruption: Interruption) -> bool:
        if interruption not in requested and over():
            requested.append(interruption)
            interruption.request(signal.SIGINT, None)
        return stop_all(interruption)

    monkeypatch.setattr(Interruption, "stop_all", stop_when_over)


@dataclass
class Waiting:
    """Seconds that the search spends telling MLflow."""

    calls: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    longest: float = 0.0

    def measured(self, method: Callable[..., None]) -> Callable[..., None]:
        def measure(*arguments: Any, **options: Any) -> None:
            start = time.perf_counter()
            method(*arguments, **options)
            spent = time.perf_counter() - start
            self.calls[method.__name__] += 1
            self.seconds += spent
            self.longest = max(self.longest, spent)

        return measure


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "Sender", partial(Sender, longest_pause=PAUSE))


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    waiting = Waiting()
    for name in ("start_trial", "log_epoch", "pause_trial", "end_trial"):
        monkeypatch.setattr(Tracker, name, waiting.measured(getattr(Tracker, name)))
    return waiting


def test_a_server_that_is_away_killed_restarted_and_slow_ends_up_with_everything(
    waiting, impatient, monkeypatch, tmp_path, tmp_path_factory, capsys
):
    """Two searches never agree on times: the same search, sent to a store that is always well, is what to compare."""
    space, output = tmp_path / "space.yaml", ["--output", str(tmp_path)]
    space.write_text(SPACE)
    (tmp_path / "server").mkdir()
    prepared_store(tmp_path / "server" / "mlflow.db", tmp_path_factory)
    with Server(tmp_path / "server") as server, Proxy(server) as proxy:
        proxy.delay = SLOW
        torment = Torment(server, proxy, tmp_path / "s" / "outbox.jsonl")
        tormentor = Thread(target=torment, daemon=True)
        tormentor.start()
        arguments = [*SETTINGS, *output, "--space", str(space), "--tracking-uri", proxy.uri]
        interrupt_when(lambda: torment.is_over, monkeypatch)
        assert run_command(search.main, arguments) == EXIT_INTERRUPTED
        tormentor.join()
        assert torment.happened == ["started late", "killed", "restarted", "slow"]
        assert run_command(sync.main, ["s", *output]) == 0
        undisturbed = prepared_store(tmp_path / "undisturbed.db", tmp_path_factory)
        found = content(server.uri)
        assert run_command(sync.main, ["s", *output, "--tracking-uri", undisturbed]) == 0
    assert found == content(undisturbed)

    trials = json.loads((tmp_path / "s" / "summary.json").read_text())["trials"]
    for trial in [trial for trial in trials if trial["epochs"]]:
        steps = [step for step, _, _ in found[f"trial {trial['number']}"]["metrics"]["train_loss"]]
        assert sorted(steps) == list(range(1, trial["epochs"] + 1))

    wall = json.loads((tmp_path / "s" / "summary.json").read_text())["timing"]["wall_s"]
    with capsys.disabled():
        print(f" {len(trials)} trials, {waiting.calls['log_epoch']} epochs: {waiting.seconds:.2f} s of calls, "
              f"{waiting.longest:.3f} s at most, in {wall:.0f} s of search ")  # fmt: skip
    assert waiting.longest < SLOW  # nobody waited for a single call
    assert waiting.seconds < 0.05 * wall
