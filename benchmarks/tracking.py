"""What it costs to keep trials in MLflow: through the outbox, and with a call an epoch or a call a metric.

    python -m benchmarks.tracking

There is no training: epochs come at a pace, on which depends how many of them the outbox sends together. What counts is
how long the search is held up, and how much the store is asked.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.mlflow_server import Server
from benchmarks.results_file import write_results
from experiments.cli.running import run_command
from experiments.tracking import mlflow_writer as mirror
from experiments.tracking.tracker import open_tracker
from narm.metrics import METRICS, metric_key

CONCURRENCY = 2
PARAMS = {"learning_rate": 0.001, "hidden_size": 128, "n_layers": 1, "dropout_probs": (0.25, 0.5)}
NAMES = [
    *(metric_key(name, cutoff) for name in METRICS for cutoff in (10, 20)),
    *("train_loss", "epoch_seconds", "targets_per_second", "n_parameters"),
]


@dataclass(frozen=True, slots=True)
class Load:
    """A search, as MLflow sees it: so many trials, two at a time, of so many epochs, each of so many seconds."""

    trials: int
    epochs: int
    epoch_seconds: float

    def pairs(self) -> Iterator[range]:
        """Numbers of the trials that run at the same time."""
        for first in range(0, self.trials, CONCURRENCY):
            yield range(first, min(first + CONCURRENCY, self.trials))


@dataclass(slots=True)
class Calls:
    """A client of MLflow whose calls are counted and timed."""

    client: MlflowClient
    n: int = 0
    seconds: float = 0.0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return getattr(self.client, name)(*arguments, **options)
            finally:
                self.n += 1
                self.seconds += time.perf_counter() - start

        return call


@dataclass(slots=True)
class Stopwatch:
    """Seconds spent inside the block, over all its uses."""

    seconds: float = 0.0
    _start: float = field(init=False, default=0.0)

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._start


def metrics_of_an_epoch() -> dict[str, float]:
    """Every metric, with a value that no other epoch has."""
    return {name: random.random() for name in NAMES}


def through_the_outbox(calls: Calls, uri: str, load: Load, held_up: Stopwatch) -> None:
    """As a search does it, up to the moment when the store has everything."""
    with tempfile.TemporaryDirectory() as folder, patch.object(mirror, "_new_client", lambda _: calls):
        tracker = open_tracker(
            uri,
            name="benchmark",
            experiment=f"outbox {time.time_ns()}",
            artifact_dir=Path(folder) / "artifacts",
            outbox=Path(folder) / "outbox.jsonl",
            flush_seconds=600,
        )
        tracker.start_study(tags={}, params={}, artifacts={})
        for pair in load.pairs():
            for number in pair:
                with held_up:
                    tracker.start_trial(number, params=PARAMS, tags={})
            for epoch in range(1, load.epochs + 1):
                time.sleep(load.epoch_seconds)
                for number in pair:
                    with held_up:
                        tracker.log_epoch(number, epoch=epoch, metrics=metrics_of_an_epoch())
            for number in pair:
                with held_up:
                    tracker.end_trial(number, state="COMPLETE", reason="all epochs trained", metrics={})
        tracker.end_study(status="FINISHED", metrics={}, tags={}, artifacts={}, files={})


def a_call_an_epoch(client: Any, run_id: str, epoch: int, metrics: Mapping[str, float]) -> None:
    """What `mlflow.log_metrics` does."""
    now = time.time_ns() // 1_000_000
    client.log_batch(run_id, metrics=[Metric(name, value, now, epoch) for name, value in metrics.items()])


def a_call_a_metric(client: Any, run_id: str, epoch: int, metrics: Mapping[str, float]) -> None:
    """What Ray Tune's callback for MLflow does."""
    for name, value in metrics.items():
        client.log_metric(run_id, name, value, step=epoch)


def inside_the_loop(log: Callable[..., None]) -> Callable[[Calls, str, Load, Stopwatch], None]:
    """A search that calls MLflow itself, and waits for it."""

    def search(calls: Calls, uri: str, load: Load, held_up: Stopwatch) -> None:
        client: Any = calls
        experiment = client.create_experiment(f"{log.__name__} {time.time_ns()}")
        with held_up:
            for number in range(load.trials):
                run_id = client.create_run(experiment, run_name=f"trial {number}").info.run_id
                client.log_batch(run_id, params=[Param(name, str(value)) for name, value in PARAMS.items()])
                for epoch in range(1, load.epochs + 1):
                    log(client, run_id, epoch, metrics_of_an_epoch())
                client.set_terminated(run_id)

    return search


WAYS = {
    "the outbox": through_the_outbox,
    "a call an epoch": inside_the_loop(a_call_an_epoch),
    "a call a metric": inside_the_loop(a_call_a_metric),
}


def measure(store: str, uri: str, way: str, load: Load) -> dict[str, object]:
    """One row: a whole search."""
    calls, held_up = Calls(MlflowClient(tracking_uri=uri)), Stopwatch()
    WAYS[way](calls, uri, load, held_up)
    return {
        "store": store,
        "way": way,
        "calls a trial": round(calls.n / load.trials, 1),
        "seconds of calls a trial": round(calls.seconds / load.trials, 3),
        "search held up, ms a trial": round(1000 * held_up.seconds / load.trials, 1),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--trials", type=int, default=30, help="(default: 30)")
    parser.add_argument("--epochs", type=int, default=20, help="of each (default: 20)")
    parser.add_argument("--epoch-seconds", type=float, default=0.2, help="between epochs of a trial (default: 0.2)")
    given = parser.parse_args(arguments)
    load = Load(given.trials, given.epochs, given.epoch_seconds)
    rows = []
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder, "server")) as server:
        server.start()
        for store, uri in (("SQLite", f"sqlite:///{folder}/mlflow.db"), ("server", server.uri)):
            MlflowClient(tracking_uri=uri).search_experiments()  # the first call creates the database
            for way in WAYS:
                rows.append(measure(store, uri, way, load))
                print(rows[-1], flush=True)
    write_results(
        "tracking",
        title="What it costs to keep a trial in MLflow",
        notes=f"{load.trials} trials, {CONCURRENCY} at once, of {load.epochs} epochs with {len(NAMES)} metrics. For "
        f"the outbox epochs come every {load.epoch_seconds:g} s; its calls are made by a thread of its own, those for "
        "the study's run included. `server` is an `mlflow server --workers 1` on SQLite, on the same machine.",
        rows=rows,
    )
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
