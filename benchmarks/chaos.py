"""A search whose driver is killed at random moments, again and again, beside one that nobody disturbs.

    python -m benchmarks.chaos --kills 50

All drivers attach to one Ray cluster on this machine, so that a kill costs the start of a driver and not that of Ray.
They are forked from a process that has imported everything, and killed with SIGKILL: what they had in memory, and
their workers, are gone. Trials are tiny and the data synthetic, since only the order of events matters.

Every other driver, by chance, is killed at a random moment while it starts: it opens the study, joins Ray, waits for a
worker. The others are killed when they have written a random number of events (trials begun and paused, epochs) to
their outbox, and a random time after that, between two writes or in the middle of one.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from signal import SIGKILL
from unittest import mock

import numpy as np

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.local_cluster import local_cluster
from benchmarks.results_file import write_results
from benchmarks.stores import Stores
from experiments import search
from experiments.cli.running import run_command
from experiments.tuning.study.trial_attributes import OPTIONS, REASON

SPACE = """\
learning_rate: {low: 0.001, high: 0.03, log: true}
hidden_size: [8, 16]
dropout_probs[0]: {low: 0.0, high: 0.5}
"""
CONFIG = "{hidden_size: 16, embedding_size: 8, dataset: synthetic, epochs: 9}"
STARTING = 6.0  # seconds in which a driver starts, about
EVENTS = 12  # of a driver's life, at most
SECONDS = 0.2  # from the last of them to the kill, at most
STUDY = "s"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a study.

    Attributes:
        stores: what it left.
        kills: of its drivers.
        seconds: wall clock of all of them.
    """

    stores: Stores
    kills: int
    seconds: float


class Drivers:
    """The drivers of one study, one after the other.

    Args:
        output: a folder of its own, which may hold an empty MLflow database.
        address: of the cluster.
        trials: of the study.
        concurrency: trials at once.
    """

    def __init__(self, output: Path, address: str, *, trials: int, concurrency: int) -> None:
        self._output = output
        self._outbox = output / STUDY / "outbox.jsonl"
        output.mkdir(parents=True, exist_ok=True)
        space, config = output / "space.yaml", output / "config.yaml"
        space.write_text(SPACE)
        config.write_text(CONFIG)
        self._common = ["--output", str(output), "--address", address, "--quiet"]
        self._first = [
            "--study", STUDY, "--space", str(space), "--config", str(config), "--trials", str(trials),
            "--concurrency", str(concurrency), "--threads", "1", "--finalists", "0", "--time-budget", "none",
        ]  # fmt: skip

    def run(self, kills: int = 0, *, seed: int = 0) -> Outcome:
        """Kill that many drivers, fewer if the study is done before, and let the last one finish.

        Raises:
            RuntimeError: a driver failed by itself.
        """
        random, killed, began = np.random.default_rng(seed), 0, time.monotonic()
        status: int | None = -SIGKILL
        while status == -SIGKILL:
            driver = self._start()
            if killed < kills:
                if random.integers(2):
                    self._wait(driver, events=0, seconds=random.uniform(0, STARTING))
                else:
                    self._wait(driver, events=int(random.integers(EVENTS + 1)), seconds=random.uniform(0, SECONDS))
                driver.kill()
            driver.join()
            status = driver.exitcode
            killed += status == -SIGKILL
        if status:
            raise RuntimeError(f"a driver that nobody killed ended with status {status}, after {killed} kills")
        stores = Stores.below(self._output, STUDY, experiment="synthetic")
        return Outcome(stores, killed, time.monotonic() - began)

    def _start(self) -> BaseProcess:
        arguments = ["--resume", STUDY] if self._outbox.exists() else self._first
        driver = _context().Process(target=_drive, args=([*self._common, *arguments],))
        driver.start()
        return driver

    def _wait(self, driver: BaseProcess, *, events: int, seconds: float) -> None:
        """Wait until it may be killed; the first one not before the study exists, or there is nothing to go on with."""
        wanted = self._events() + events if self._outbox.exists() else max(events, 2)
        while self._events() < wanted and driver.is_alive():
            time.sleep(0.01)
        driver.join(timeout=seconds)

    def _events(self) -> int:
        return self._outbox.read_bytes().count(b"\n") if self._outbox.exists() else 0


def _drive(arguments: Sequence[str]) -> None:
    """A driver; that another process joins the cluster first, to see whether it can, is left out for its seconds."""
    with mock.patch("experiments.tuning.driver.ray_session._require_cluster"):
        sys.exit(run_command(search.main, arguments))


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.chaos"])
    return context


def compare(
    folder: Path, address: str, *, trials: int, concurrency: int, kills: int, seed: int
) -> tuple[Outcome, Outcome, list[str]]:
    """The same study undisturbed and with kills, and all that is wrong with them; nothing, if all is well.

    Args:
        folder: for both.
        address: of the cluster.
        trials: of each study.
        concurrency: trials at once. With one the studies must be the same to the last value; with more the order of
            events, and with it what the sampler knows, is not.
        kills: of drivers.
        seed: of the moments.
    """
    drivers = (
        Drivers(folder / name, address, trials=trials, concurrency=concurrency) for name in ("undisturbed", "killed")
    )
    calm, killed = next(drivers).run(), next(drivers).run(kills, seed=seed)
    wrong = [*calm.stores.problems(trials), *killed.stores.problems(trials)]
    if concurrency == 1:
        wrong += differences(calm.stores, killed.stores)
    return calm, killed, wrong


def differences(calm: Stores, killed: Stores) -> Iterator[str]:
    """How the trials of two studies differ."""
    for one, other in zip(calm.trials(), killed.trials(), strict=False):  # their numbers are another matter
        for what in ("state", "values", "intermediate_values"):
            if getattr(one, what) != getattr(other, what):
                yield f"trial {one.number}: {what} {getattr(one, what)}, with kills {getattr(other, what)}"
        for name in (OPTIONS, REASON):
            if one.user_attrs[name] != other.user_attrs.get(name):
                yield f"trial {one.number}: {name} {one.user_attrs[name]}, with kills {other.user_attrs.get(name)}"


def row(what: str, outcome: Outcome, wrong: Sequence[str]) -> dict[str, object]:
    """A line of the table."""
    trials = outcome.stores.trials()
    return {
        "study": what,
        "drivers killed": outcome.kills,
        "trials": len(trials),
        "epochs": sum(len(trial.intermediate_values) for trial in trials),
        "seconds": round(outcome.seconds),
        "wrong": "; ".join(wrong) or "nothing",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--kills", type=int, default=50, help="of drivers, in each study (default: 50)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    given = parser.parse_args(arguments)
    rows = []
    with tempfile.TemporaryDirectory() as folder, local_cluster(2) as cluster:
        for concurrency in (1, 2):
            calm, killed, wrong = compare(
                Path(folder, str(concurrency)),
                cluster.address,
                trials=trials_for(given.kills),
                concurrency=concurrency,
                kills=given.kills,
                seed=given.seed,
            )
            rows += [row(f"{concurrency} at once, undisturbed", calm, []), row(f"{concurrency} at once", killed, wrong)]
            print(rows[-2], rows[-1], sep="\n")
    write_results(
        "chaos",
        title="Drivers killed at random moments",
        notes="Wrong would be: another number of trials, one that still runs, a configuration or an MLflow run twice, "
        "an epoch missing or told twice in either store, and at one trial at once any value that differs.",
        rows=rows,
    )
    return int(any(row["wrong"] != "nothing" for row in rows))


def trials_for(kills: int) -> int:
    """Enough for that many drivers: one writes about four events on average, and a trial has six."""
    return max(12, 2 * kills)


if __name__ == "__main__":
    sys.exit(run_command(main))
