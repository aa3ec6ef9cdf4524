"""What a search loses to an MLflow server that is away, slow, killed and restarted.

    python -m benchmarks.tracking_faults

The same search, twice a round and both at once: with a server that is well, and with one that is down at the start,
comes up late, takes two seconds for a call, is killed and comes back. One trial at a time on one thread, so that the
seed alone decides what is trained. A machine is slower at one moment than at another, by more than what is measured
here: at the same time, it is that for both. Each search has a core, and they change places every round.

A server, which others would have on another machine, runs on the core of the search that does not talk to it. Whoever
starts one slows that search down: beside the undisturbed search another server is started, killed and restarted, that
no one talks to, so that each core sees the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Barrier, Thread

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.mlflow_server import Proxy, Server, wait_until
from benchmarks.results_file import write_results
from experiments.cli.running import run_command
from narm.errors import InputError

SLOW = 2.0  # seconds that every call takes
STUDY = "s"
_READY = 120.0  # seconds until both searches can begin: a server starts in 5 to 15


@dataclass
class Torment:
    """What happens to a server while a search sends to it.

    Attributes:
        server: not started yet.
        proxy: before it, slow.
        outbox: of the search.
        stays_slow: also when all has happened.
        happened: so far.
        is_over: whether that is all.
    """

    server: Server
    proxy: Proxy
    outbox: Path
    stays_slow: bool = False
    happened: list[str] = field(default_factory=list)
    is_over: bool = False

    def __call__(self) -> None:
        """Let it all happen, one after the other, each when the search has got so far."""
        try:
            self._wait(self.n_updates, 3)
            self.server.start()
            self.happened.append("started late")
            self._wait(self.n_answers, 4)
            self.server.kill()
            self.happened.append("killed")
            self._wait(self.n_updates, 2)
            self.server.start()
            self.happened.append("restarted")
            self._wait(self.n_answers, 2)
            self.happened.append("slow")
        finally:
            self.proxy.delay = SLOW if self.stays_slow else 0.0
            self.is_over = True

    def n_updates(self) -> int:
        """Of the search, so far."""
        return self.outbox.read_bytes().count(b"\n") if self.outbox.exists() else 0

    def n_answers(self) -> int:
        """Of the server, so far."""
        return self.proxy.n_answers

    def _wait(self, count: Callable[[], int], more: int) -> None:
        target = count() + more
        wait_until(lambda: count() >= target, f"{more} more {count.__name__} after {self.happened}")


@dataclass(frozen=True, slots=True)
class Load:
    """A search of so many trials of so many epochs each, none of them stopped."""

    trials: int
    epochs: int

    def arguments(self, output: Path) -> list[str]:
        """Of the command line, into that folder."""
        return [
            "--study", STUDY, "--output", str(output), "--quiet", "--trials", str(self.trials),
            "--epochs", str(self.epochs), "--stopping_step", str(self.epochs), "--scheduler", "none",
            "--sampler", "random", "--concurrency", "1", "--threads", "1", "--finalists", "0",
        ]  # fmt: skip


def search(output: Path, load: Load, tracking_uri: str, core: int) -> dict[str, float]:
    """Seconds of a search in a process of its own, on that core: on the clock, and of its training."""
    command = [sys.executable, "-m", "experiments.search", *load.arguments(output), "--tracking-uri", tracking_uri]
    with on_core(core):
        process = subprocess.Popen(command)
    if process.wait():
        raise subprocess.CalledProcessError(process.returncode, command)
    summary = json.loads((output / STUDY / "summary.json").read_text(encoding="utf-8"))
    return {"search": summary["timing"]["wall_s"], "training": sum(trial["seconds"] for trial in summary["trials"])}


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Keep this thread, and what it starts meanwhile, on one core."""
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usable)


def undisturbed(folder: Path, load: Load, core: int, together: Barrier) -> dict[str, float]:
    """With a server that is up and quick; what happens to the other way's server happens to a second one.

    Raises:
        RuntimeError: the search was over before everything had happened.
    """
    with Server(folder / "server") as server, Server(folder / "second") as second, Proxy(server) as proxy:
        server.start()
        torment = Torment(second, proxy, folder / STUDY / "outbox.jsonl")
        return _while_it_happens(torment, folder, load, core, together)


def tormented(folder: Path, load: Load, core: int, together: Barrier) -> dict[str, float]:
    """With a server that is not.

    Raises:
        RuntimeError: the search was over before everything had happened.
    """
    with Server(folder / "server") as server, Proxy(server) as proxy:
        proxy.delay = SLOW
        torment = Torment(server, proxy, folder / STUDY / "outbox.jsonl", stays_slow=True)
        return _while_it_happens(torment, folder, load, core, together)


def _while_it_happens(torment: Torment, folder: Path, load: Load, core: int, together: Barrier) -> dict[str, float]:
    together.wait(_READY)
    Thread(target=torment, daemon=True).start()
    found = search(folder, load, torment.proxy.uri, core)
    if not torment.is_over:
        raise RuntimeError(f"the search was too short: {torment.happened} is all that happened")
    return found


WAYS = {"undisturbed": undisturbed, "tormented": tormented}


def both(load: Load, cores: Sequence[int]) -> dict[str, dict[str, float]]:
    """Seconds of the search in each way, run at the same time: the first way on the first core.

    Raises:
        RuntimeError: a search was over before everything had happened.
    """
    together = Barrier(len(WAYS))

    def one(way: str, own: int, of_server: int) -> dict[str, float]:
        with on_core(of_server), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            return WAYS[way](Path(folder), load, own, together)

    with ThreadPoolExecutor(len(WAYS)) as pool:
        found = {
            way: pool.submit(one, way, own, other) for way, own, other in zip(WAYS, cores, reversed(cores), strict=True)
        }
        return {way: future.result() for way, future in found.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--trials", type=int, default=5, help="(default: 5)")
    parser.add_argument("--epochs", type=int, default=5, help="of each (default: 5)")
    parser.add_argument("--rounds", type=int, default=6, help="an even number: the searches change places (default: 6)")
    given = parser.parse_args(arguments)
    load = Load(given.trials, given.epochs)
    cores = sorted(os.sched_getaffinity(0))[: len(WAYS)]
    if len(cores) < len(WAYS):
        raise InputError("cores: two searches need one each, and there is only one")
    rows: list[dict[str, float]] = []
    for number in range(1, given.rounds + 1):
        of_round = both(load, cores if number % 2 else cores[::-1])
        calm, other = of_round["undisturbed"], of_round["tormented"]
        rows.append(
            {
                "round": number,
                "undisturbed, s": round(calm["search"], 1),
                "tormented, s": round(other["search"], 1),
                "ratio": round(other["search"] / calm["search"], 3),
                "not training, undisturbed, s": round(calm["search"] - calm["training"], 1),
                "not training, tormented, s": round(other["search"] - other["training"], 1),
            }
        )
        print(rows[-1], flush=True)
    write_results(
        "tracking_faults",
        title="A search with an MLflow server that is away, slow, killed and restarted",
        notes=f"{load.trials} trials of ml-100k, {load.epochs} epochs each; every call to the server takes {SLOW:g} s. "
        f"The median ratio is {median(row['ratio'] for row in rows):.3f}. That nothing is lost or doubled is shown by "
        "tests/integration/test_tracking_faults.py.",
        rows=rows,
    )
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
