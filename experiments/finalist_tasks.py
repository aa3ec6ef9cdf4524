"""Trains the finalists in parallel, as Ray tasks."""

from __future__ import annotations

import logging
import textwrap
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from experiments.checkpoints import CheckpointStore
from experiments.finalists import Finalist, FinalistRun, read_run, train_finalist, write_run
from experiments.summary import FinalistFailure
from narm.config import Config
from narm.data.sessions import Splits

logger = logging.getLogger(__name__)

Reference = ray.ObjectRef[FinalistRun]

ATTEMPTS = 2
_POLL = 0.2  # seconds until `stop` is asked again
_GRACE = 3.0  # seconds for a task to end by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What became of the finalists.

    Attributes:
        runs: those done, now or before.
        failures: those given up.
        stopped: whether there were more to come when `stop` ended it.
    """

    runs: Sequence[FinalistRun]
    failures: Sequence[FinalistFailure]
    stopped: bool


@dataclass(frozen=True, slots=True)
class _Task:
    finalist: Finalist
    seed: int
    attempt: int = 1


def train_finalists(
    finalists: Sequence[Finalist],
    *,
    splits: Splits,
    config: Config,
    seeds: Sequence[int],
    threads: int,
    device: str,
    resources: Mapping[str, float],
    concurrency: int,
    folder: Path,
    checkpoints: CheckpointStore,
    stop: Callable[[], bool],
    on_done: Callable[[FinalistRun | FinalistFailure], None],
) -> Trained:
    """Train every finalist with every seed, as far as that is not done yet, within a running Ray session.

    The seeds go round: when it is stopped, all finalists have been trained about equally often. A task that fails
    is tried a second time, from its checkpoint. When it is stopped, what runs is cancelled within seconds, and goes
    on from its checkpoint the next time.

    Args:
        finalists: what to train.
        splits: the data; put into Ray's object store once.
        config: of the study.
        seeds: of the runs of each finalist.
        threads: of each task.
        device: auto, cpu or cuda.
        resources: Ray's of each task, `cpu` and `gpu`, as of a trial.
        concurrency: tasks at once.
        folder: of the results.
        checkpoints: for the tasks, wherever they run.
        stop: whether to end now; asked several times a second.
        on_done: is told of each run at once, also of those done before. It must not raise.
    """
    tasks = [_Task(finalist, seed) for seed, finalist in product(seeds, finalists)]
    known = [read_run(folder, task.finalist, task.seed, splits=splits, config=config) for task in tasks]
    missing = [task for task, run in zip(tasks, known, strict=True) if run is None]
    queue = _Queue(missing, _starter(splits, config, threads, device, resources, checkpoints), concurrency)
    runs = [run for run in known if run is not None]
    failures: list[FinalistFailure] = []
    for run in runs:
        on_done(run)
    try:
        while queue.unfinished and not stop():
            for outcome in queue.outcomes():
                if isinstance(outcome, FinalistRun):
                    _keep(folder, outcome, splits, config)
                    runs.append(outcome)
                else:
                    failures.append(outcome)
                on_done(outcome)
    finally:
        queue.cancel()
    return Trained(runs=runs, failures=failures, stopped=queue.unfinished)


def _keep(folder: Path, run: FinalistRun, splits: Splits, config: Config) -> None:
    try:
        write_run(folder, run, splits=splits, config=config)
    except OSError as error:  # a full disk must not cost what is known
        logger.warning("%s: the result of %s is not kept: %s", folder, run.finalist.label, error.strerror)


def _starter(
    splits: Splits,
    config: Config,
    threads: int,
    device: str,
    resources: Mapping[str, float],
    checkpoints: CheckpointStore,
) -> Callable[[_Task], Reference]:
    """What starts a task in Ray."""
    remote: Any = ray.remote(train_finalist)  # type: ignore[arg-type]  # keywords are beyond its types
    remote = remote.options(
        num_cpus=resources["cpu"],
        num_gpus=resources["gpu"],
        max_retries=0,  # the queue tries again, for a lost worker as for an error
    )
    shared = ray.put(splits)

    def start(task: _Task) -> Reference:
        reference: Reference = remote.remote(
            task.finalist,
            task.seed,
            splits=shared,
            config=config,
            threads=threads,
            device=device,
            checkpoints=checkpoints,
        )
        return reference

    return start


class _Queue:
    """Tasks that wait, and those that run, a few at a time."""

    def __init__(self, tasks: Sequence[_Task], start: Callable[[_Task], Reference], concurrency: int) -> None:
        self._waiting = deque(tasks)
        self._running: dict[Reference, _Task] = {}
        self._start = start
        self._concurrency = concurrency

    @property
    def unfinished(self) -> bool:
        """Whether there is more to come."""
        return bool(self._waiting or self._running)

    def outcomes(self) -> Iterator[FinalistRun | FinalistFailure]:
        """Start what there is room for, wait a moment, and bring what has ended."""
        while self._waiting and len(self._running) < self._concurrency:
            task = self._waiting.popleft()
            self._running[self._start(task)] = task
        for reference in ray.wait(list(self._running), timeout=_POLL)[0]:
            task = self._running.pop(reference)
            try:
                yield ray.get(reference)
            except RayError as error:
                if task.attempt < ATTEMPTS:
                    self._waiting.append(replace(task, attempt=task.attempt + 1))
                else:
                    yield FinalistFailure(number=task.finalist.number, seed=task.seed, reason=_reason(error))

    def cancel(self) -> None:
        """End what runs: at its next step, or at once if it has none within the grace."""
        running = list(self._running)
        for force in (False, True):
            for reference in running:
                ray.cancel(reference, force=force)
            if running:
                running = ray.wait(running, num_returns=len(running), timeout=_GRACE)[1]


def _reason(error: RayError) -> str:
    """In one line."""
    cause = error.cause if isinstance(error, RayTaskError) else error
    return textwrap.shorten(f"{type(cause).__name__}: {cause}", width=300, placeholder=" ...")
