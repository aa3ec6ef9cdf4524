"""The progress of one search: a line for each event, and a summary for a live display."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from experiments.reporting.display import Display
from experiments.reporting.durations import format_duration
from experiments.reporting.within_epoch import A_LINE_EVERY, Heard
from experiments.tuning.study.summary import STATE_WORDS, TRAINED_ON, FinalistFailure, TrialState, format_params
from experiments.tuning.worker.reports import FinalistRun
from narm.data.sessions import Held
from narm.metrics import key_of
from narm.pulse import EpochProgress


@dataclass(slots=True)
class _Trial:
    params: Mapping[str, object]
    epoch: int = 0
    value: float | None = None
    state: TrialState | Literal["RUNNING", "PAUSED"] = "RUNNING"
    may_ship: bool = True

    @property
    def may_win(self) -> bool:
        return self.value is not None and self.state != "FAIL" and self.may_ship


class Progress:
    """Trials begun, running, paused and ended, the epochs trained, the best so far, and the time left.

    A context manager, within which it is shown. Calls may come from any thread; a larger value is better.

    Args:
        total_trials: trials to run.
        objective: name of the value, `MRR@10`.
        most_epochs: epochs of all trials together, if none ends early.
        display: where to show it.
        time_budget: seconds after which the search ends by itself; None: no limit.
        label: what to call the study, beside others.
    """

    def __init__(
        self,
        total_trials: int,
        objective: str,
        *,
        most_epochs: int,
        display: Display,
        time_budget: float | None = None,
        label: str = "",
    ) -> None:
        self._total = total_trials
        self._objective = objective
        self._most_epochs = most_epochs
        self._time_budget = time_budget
        self._display = display
        self._label = label
        self._trials: dict[int, _Trial] = {}
        self._finalist_runs = 0
        self._finalists_done = 0
        self._epochs_before = 0
        self._start = self._last_line = time.monotonic()
        self._within: dict[str, Heard] = {}
        self._lock = threading.RLock()  # the live display is drawn by a thread of its own

    def __enter__(self) -> Self:
        self._start = time.monotonic()
        self._display.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.remove(self)

    def known(
        self,
        number: int,
        params: Mapping[str, object],
        epoch: int,
        value: float | None,
        state: TrialState,
        *,
        may_ship: bool = True,
    ) -> None:
        """Show a trial of an earlier session."""
        with self._lock:
            self._trials[number] = _Trial(params, epoch, value, state, may_ship)
            self._epochs_before += epoch

    def started(self, number: int, params: Mapping[str, object]) -> None:
        """A job of a trial has started."""
        with self._lock:
            self._trials.setdefault(number, _Trial(params)).state = "RUNNING"

    def epoch(self, number: int, epoch: int, value: float | None, *, may_ship: bool = True) -> None:
        """A trial has trained an epoch; `value` is its best objective so far, None before the first."""
        with self._lock:
            trial = self._trials[number]
            trial.epoch, trial.value, trial.may_ship = epoch, value, may_ship
            self._within.pop(_name(number), None)

    def within_epoch(self, number: int, progress: EpochProgress, *, seed: int | None = None) -> None:
        """A trial, or with a seed a finalist, is so far in an epoch; in a log a line a minute says so."""
        with self._lock:
            now = time.monotonic()
            self._within[_name(number, seed)] = Heard(progress, now)
            if now - self._last_line >= A_LINE_EVERY:
                jobs = "; ".join(f"{name} in {heard.words(now)}" for name, heard in self._within.items())
                self._print(f"[{self._begun}, {self._trained}] {jobs}")

    def paused(self, number: int) -> None:
        """A trial is paused."""
        with self._lock:
            self._trials[number].state = "PAUSED"
            self._within.pop(_name(number), None)
            self._print(self._line(number, "paused"))

    def retried(self, number: int, reason: str) -> None:
        """A trial has failed and will be retried."""
        with self._lock:
            self._trials[number].state = "PAUSED"
            self._within.pop(_name(number), None)
            self._print(f"trial {number} failed and will be tried again: {reason}")

    def finished(self, number: int, state: TrialState, value: float | None) -> None:
        """A trial reached a final state; `value` is its objective, None if it has none."""
        with self._lock:
            trial = self._trials[number]
            was_paused = trial.state == "PAUSED"
            trial.state, trial.value = state, value
            self._within.pop(_name(number), None)
            if not (was_paused and state == "PRUNED"):  # that it paused was said
                self._print(self._line(number, STATE_WORDS[state]))

    def skipped(self, number: int, reason: str) -> None:
        """A trial is not trained, since it breaks a constraint."""
        with self._lock:
            self._trials[number].state = "INFEASIBLE"
            self._print(f"trial {number} is not trained, {reason}: {format_params(self._trials[number].params)}")

    def finalists(self, runs: int) -> None:
        """The search is over, and training the finalists begins, in so many runs at most."""
        with self._lock:
            self._finalist_runs = runs
            self._within.clear()  # trials that the end of the search cut short
            self._print(f"training the finalists: {runs} runs at most")

    def finalist_done(self, outcome: FinalistRun | FinalistFailure) -> None:
        """A run of a finalist is done, or was given up."""
        with self._lock:
            self._finalists_done += 1
            number = outcome.number if isinstance(outcome, FinalistFailure) else outcome.finalist.number
            self._within.pop(_name(number, outcome.seed), None)
            count = f"[{self._finalists_done}/{self._finalist_runs}] finalist"
            if isinstance(outcome, FinalistFailure):
                self._print(f"{count}, trial {outcome.number} with seed {outcome.seed}, failed: {outcome.reason}")
            else:
                value = outcome.valid[key_of(self._objective)]
                self._print(f"{count}, {outcome.finalist.label}: {self._objective} {value:.4f} on validation")

    def refit(self, runs: int, on: Held) -> None:
        """So many runs that ship are trained again, on what was held out too."""
        with self._lock:
            self._print(f"training what ships again, on {TRAINED_ON[on]}: {runs} {'run' if runs == 1 else 'runs'}")

    def bag(self, runs: int) -> None:
        """So many runs of the finalist to ship become one model."""
        with self._lock:
            self._print(f"making one model of {runs} runs, and judging it")

    def _print(self, line: str) -> None:
        self._last_line = time.monotonic()
        self._display.print(f"{self._label}: {line}" if self._label else line)

    def _line(self, number: int, state: str) -> str:
        trial = self._trials[number]
        parts = [f"[{self._begun}, {self._trained}] trial {number} {state} at epoch {trial.epoch}"]
        if trial.value is not None:
            parts.append(f"{self._objective} {trial.value:.4f}")
        if self._best() == number:
            parts.append(f"best so far: {format_params(trial.params)}" if trial.params else "best so far")
        if left := self._time_left():
            parts.append(f"{left} left")
        return ", ".join(parts)

    @property
    def _begun(self) -> str:
        begun = sum(trial.state != "INFEASIBLE" for trial in self._trials.values())
        return f"{begun}/{self._total} trials"

    @property
    def _trained(self) -> str:
        return "1 epoch" if self._epochs == 1 else f"{self._epochs} epochs"

    @property
    def _epochs(self) -> int:
        return sum(trial.epoch for trial in self._trials.values())

    def _counts(self) -> Counter[str]:
        return Counter(trial.state for trial in self._trials.values())

    def _best(self) -> int | None:
        """The trial that would win if the search ended now; the earlier one of equals."""
        values = {number: trial.value for number, trial in self._trials.items() if trial.may_win}
        return max(values, key=lambda number: (values[number], -number), default=None)

    def _time_left(self) -> str | None:
        """Until all epochs are trained at the speed so far, or until the time budget ends; None: unknown.

        It is a bound, since trials end early.
        """
        if self._finalist_runs:
            return None
        now = time.monotonic()
        elapsed = now - self._start
        in_training = sum(heard.share(now) for heard in self._within.values())
        trained = self._epochs - self._epochs_before + in_training
        left = max(self._most_epochs - self._epochs - in_training, 0)
        estimates = [elapsed / trained * left] if trained else []
        if self._time_budget is not None:
            estimates.append(max(self._time_budget - elapsed, 0.0))
        return f"at most {format_duration(min(estimates))}" if estimates else None

    def render(self) -> RenderableType:
        """As a live display shows it."""
        with self._lock:
            return Group(self._headline(), *self._best_row(), *self._running_rows())

    def _headline(self) -> RenderableType:
        counts = self._counts()
        words = [self._label] if self._label else []
        words += [self._begun, self._trained, f"{counts['RUNNING']} running", f"{counts['PAUSED']} paused"]
        words += [f"{counts[state]} {STATE_WORDS[state]}" for state in ("COMPLETE", "PRUNED", "FAIL")]
        words += [f"{counts['INFEASIBLE']} {STATE_WORDS['INFEASIBLE']}"] if counts["INFEASIBLE"] else []
        if self._finalist_runs:
            words.append(f"{self._finalists_done}/{self._finalist_runs} runs of finalists")
        if left := self._time_left():
            words.append(f"{left} left")
        bar = Table.grid()
        bar.add_row(ProgressBar(total=self._most_epochs, completed=self._epochs))
        return Group(bar, Text(" · ".join(words)))

    def _best_row(self) -> list[RenderableType]:
        number = self._best()
        if number is None:
            return []
        trial = self._trials[number]
        words = f"best  {self._objective} {trial.value:.4f}  trial {number}  {format_params(trial.params)}"
        return [_text(words, style="bold")]

    def _running_rows(self) -> list[RenderableType]:
        now = time.monotonic()
        trials = [
            _text(
                f"trial {number}  {self._position(number, trial, now)}  "
                f"{'' if trial.value is None else f'{trial.value:.4f}  '}{format_params(trial.params)}",
                style="dim",
            )
            for number, trial in self._trials.items()
            if trial.state == "RUNNING" and not self._finalist_runs
        ]
        finalists = [
            _text(f"{name}  {heard.words(now)}", style="dim")
            for name, heard in self._within.items()
            if self._finalist_runs
        ]
        return [*trials, *finalists]

    def _position(self, number: int, trial: _Trial, now: float) -> str:
        heard = self._within.get(_name(number))
        return f"epoch {trial.epoch}" if heard is None else heard.words(now)


def _name(number: int, seed: int | None = None) -> str:
    return f"trial {number}" if seed is None else f"finalist {number}, seed {seed},"


def _text(words: str, style: str = "") -> Text:
    """One line, cut where a narrow terminal ends."""
    return Text(words, style=style, no_wrap=True, overflow="ellipsis")
