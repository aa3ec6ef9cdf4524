"""What a search found: `summary.json`, and the same for a person to read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from narm.data.sessions import Splits
from narm.files import write_text
from narm.metrics import metric_key, parse_metric

TrialState = Literal["COMPLETE", "PRUNED", "FAIL"]
STATE_WORDS: dict[TrialState, str] = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSummary:
    """The data; sessions and targets are those of training."""

    name: str
    fingerprint: str
    n_sessions: int
    n_items: int
    n_targets: int

    @classmethod
    def of(cls, splits: Splits) -> DatasetSummary:
        """Describe them."""
        return cls(
            name=splits.name,
            fingerprint=splits.fingerprint,
            n_sessions=len(splits.train.sessions),
            n_items=splits.n_items,
            n_targets=len(splits.train),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSummary:
    """One trial; `value` is its best objective, at `best_epoch` of the `epochs` trained."""

    number: int
    state: TrialState
    params: Mapping[str, Any]
    value: float | None
    best_epoch: int | None
    epochs: int
    seconds: float
    mlflow_run_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many trials ended how."""

    complete: int
    pruned: int
    failed: int

    @classmethod
    def of(cls, trials: Sequence[TrialSummary]) -> Counts:
        """Count them."""
        states = [trial.state for trial in trials]
        return cls(complete=states.count("COMPLETE"), pruned=states.count("PRUNED"), failed=states.count("FAIL"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The winner, and its validation metrics by key."""

    number: int
    params: Mapping[str, Any]
    valid: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """The trial of the default configuration, and its validation metrics by key."""

    number: int
    valid: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalMetrics:
    """Test metrics by key, of the two finalists."""

    winner: Mapping[str, float]
    default: Mapping[str, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds: on the wall; spent training, over all trials; and not spent training, of the workers' time."""

    wall_s: float
    training_s: float
    overhead_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All that `summary.json` holds; `best`, `default` and `test` are None until they are known.

    Attributes:
        objective: spelled `MRR@10`.
        space: the search space, in JSON types.
    """

    study: str
    command: str
    git_commit: str | None
    versions: Mapping[str, str | None]
    seed: int
    dataset: DatasetSummary
    objective: str
    space: Any
    trials: Sequence[TrialSummary]
    counts: Counts
    best: Best | None
    default: Default | None
    test: FinalMetrics | None
    timing: Timing


def write_summary(path: Path, summary: Summary) -> None:
    """Write `summary.json` atomically: keys in this order, trials by number, NaN and infinity as null."""
    content = asdict(summary)
    content["trials"] = sorted(content["trials"], key=lambda trial: trial["number"])
    write_text(path, json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_summary(
    summary: Summary, console: Console, *, n_valid: int, where: Mapping[str, str], rows: int = 10
) -> None:
    """Print the best trials, the winner against the default configuration, test metrics, and where to look.

    Args:
        summary: of the search.
        console: where to print.
        n_valid: validation targets, which set how sure the figures are.
        where: places to look, by what is to be seen there.
        rows: trials to show.
    """
    console.print(_trial_table(summary, rows, wide=console.width >= 70))
    for line in _verdict(summary, n_valid):
        console.print(Text(line))
    if summary.test:
        console.print(_test_table(summary.test))
    for what, place in where.items():
        console.print(Text(f"{what}: {place}"), soft_wrap=True)  # unbroken, so that it can be pasted


def _trial_table(summary: Summary, rows: int, *, wide: bool) -> Table:
    counts = summary.counts
    title = f"{summary.study}: {counts.complete} complete, {counts.pruned} pruned, {counts.failed} failed"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for heading in ("trial", summary.objective, *(["epoch", "seconds"] if wide else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("parameters", overflow="fold")
    for trial in _ranked(summary)[:rows]:
        table.add_row(*_trial_cells(trial, summary, wide=wide))
    return table


def _ranked(summary: Summary) -> list[TrialSummary]:
    """The winner, the complete trials and the others, each from the best value down."""

    def rank(trial: TrialSummary) -> tuple[bool, bool, float, int]:
        wins = summary.best is not None and trial.number == summary.best.number
        value = -math.inf if trial.value is None or math.isnan(trial.value) else trial.value
        return not wins, trial.state != "COMPLETE", -value, trial.number

    return sorted(summary.trials, key=rank)


def _trial_cells(trial: TrialSummary, summary: Summary, *, wide: bool) -> list[str]:
    value = "" if trial.value is None or math.isnan(trial.value) else f"{trial.value:.4f}"
    epochs = f"{trial.epochs}" if trial.best_epoch is None else f"{trial.best_epoch}/{trial.epochs}"
    effort = [epochs, f"{trial.seconds:.0f}"] if wide else []
    notes = "".join(f" ({note})" for note in _notes(trial, summary))
    return [f"{trial.number}", value, *effort, format_params(trial.params) + notes]


def _notes(trial: TrialSummary, summary: Summary) -> Iterator[str]:
    if summary.best and trial.number == summary.best.number:
        yield "winner"
    if summary.default and trial.number == summary.default.number:
        yield "default"
    if trial.state != "COMPLETE":
        yield STATE_WORDS[trial.state]


def format_params(params: Mapping[str, object]) -> str:
    """`learning_rate=0.005 dropout_probs=[0.1, 0.2]`."""
    return " ".join(f"{name}={_short(value)}" for name, value in params.items())


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_short, value))}]"
    return str(value)


def _verdict(summary: Summary, n_valid: int) -> list[str]:
    """The winner against the default configuration, in plain words."""
    if summary.best is None:
        return ["No trial has a result: there is no winner."]
    key = metric_key(*parse_metric(summary.objective))
    best = summary.best.valid[key]
    # A value in [0, 1] with mean p has a variance of p(1 - p) at most: of exactly that if it is 0 or 1.
    error = math.sqrt(max(best * (1 - best), 0.0) / n_valid)
    lines = [f"Winner: trial {summary.best.number}, validation {summary.objective} {best:.4f}"]
    if summary.default is not None:
        lines.append(_comparison(best, summary.default.valid[key], error))
    lines.append(
        f"One validation split of {n_valid:,} targets: the standard error of a value is {error:.4f} at most; "
        f"the best of {len(summary.trials)} trials looks better there than it is."
    )
    return lines


def _comparison(best: float, default: float, error: float) -> str:
    gain = best - default
    if gain <= 0:
        return f"No better than the default configuration ({default:.4f})."
    relative = f" ({gain / default:+.1%})" if default > 0 else ""
    doubt = "" if gain > 2 * error else ", less than two standard errors: it may be chance"
    return f"Better than the default configuration ({default:.4f}) by {gain:.4f}{relative}{doubt}."


def _test_table(test: FinalMetrics) -> Table:
    table = Table(title="test", title_justify="left", box=SIMPLE_HEAD)
    for heading in ("metric", "winner", *(["default"] if test.default else [])):
        table.add_column(heading, justify="left" if heading == "metric" else "right")
    for key, value in test.winner.items():
        table.add_row(key, f"{value:.4f}", *([f"{test.default[key]:.4f}"] if test.default else []))
    return table
