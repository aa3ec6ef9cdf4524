"""What a person looks at when the search is over: the trials, the verdict, and where to look further."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.summary import (
    STATE_WORDS,
    Comparison,
    FinalistSummary,
    Finals,
    Spread,
    Summary,
    TrialSummary,
    format_params,
    format_value,
)
from experiments.verdict import compared_metrics
from narm.metrics import metric_key, parse_metric


def print_summary(
    summary: Summary, console: Console, *, n_valid: int, where: Mapping[str, str], rows: int = 10
) -> None:
    """Print the best trials, the finalists, the verdict on the winner, what went wrong, and where to look.

    Args:
        summary: of the search.
        console: where to print.
        n_valid: validation targets, which set how sure the figures of the search are.
        where: places to look, by what is to be seen there.
        rows: trials to show, and failures.
    """
    console.print(_trial_table(summary, rows, wide=console.width >= 70))
    if summary.pareto:
        console.print(_pareto_table(summary))
    if summary.finals is not None:
        console.print(_finalist_table(summary.finals, summary.objective, wide=console.width >= 90))
    for line in _sentences(summary, n_valid, rows):
        console.print(Text(line))
    for what, place in where.items():
        console.print(Text(f"{what}: {place}"), soft_wrap=True)  # unbroken, so that it can be pasted


def _sentences(summary: Summary, n_valid: int, rows: int) -> Iterator[str]:
    if summary.finals is not None:
        yield from _verdict(summary.finals)
    else:
        yield from _provisional_verdict(summary, n_valid)
    for parameter in summary.on_boundary:
        value = format_value(parameter.value)
        yield f"{parameter.name} {value} is the {parameter.side} bound of the space: widen it."
    yield from _failures(summary.trials, rows)


# The search: what one seed on validation says.


def _trial_table(summary: Summary, rows: int, *, wide: bool) -> Table:
    table = _table(f"{summary.study}: {_counts(summary)}")
    for heading in ("trial", summary.objective, *(["epoch", "seconds"] if wide else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("parameters", overflow="fold")
    for trial in _ranked(summary)[:rows]:
        table.add_row(*_trial_cells(trial, summary, wide=wide))
    return table


def _counts(summary: Summary) -> str:
    counts = summary.counts
    words = [f"{counts.complete} complete", f"{counts.pruned} pruned", f"{counts.failed} failed"]
    return ", ".join(words + ([f"{counts.interrupted} interrupted"] if counts.interrupted else []))


def _ranked(summary: Summary) -> list[TrialSummary]:
    """The winner, the complete trials and the others, each from the best value down."""

    def rank(trial: TrialSummary) -> tuple[bool, bool, float, int]:
        value = -math.inf if trial.value is None or math.isnan(trial.value) else trial.value
        return trial.number != summary.winner, trial.state != "COMPLETE", -value, trial.number

    return sorted(summary.trials, key=rank)


def _trial_cells(trial: TrialSummary, summary: Summary, *, wide: bool) -> list[str]:
    value = "" if trial.value is None or math.isnan(trial.value) else f"{trial.value:.4f}"
    epochs = f"{trial.epochs}" if trial.best_epoch is None else f"{trial.best_epoch}/{trial.epochs}"
    effort = [epochs, f"{trial.seconds:.0f}"] if wide else []
    notes = "".join(f" ({note})" for note in _notes(trial, summary))
    return [f"{trial.number}", value, *effort, format_params(trial.params) + notes]


def _notes(trial: TrialSummary, summary: Summary) -> Iterator[str]:
    if trial.number == summary.winner:
        yield "winner"
    if summary.default and trial.number == summary.default.number:
        yield "default"
    if trial.state != "COMPLETE":
        yield STATE_WORDS[trial.state]


def _pareto_table(summary: Summary) -> Table:
    table = _table("Pareto front: no other trial is better in every objective")
    for heading in ("trial", *summary.pareto[0].values):
        table.add_column(heading, justify="right")
    for point in summary.pareto:
        table.add_row(f"{point.number}", *map(format_value, point.values.values()))
    return table


def _provisional_verdict(summary: Summary, n_valid: int) -> Iterator[str]:
    """The best trial against the default configuration, as far as validation can tell."""
    if summary.best is None:
        yield "No trial has a result: there is no winner."
        return
    key = metric_key(*parse_metric(summary.objective))
    best = summary.best.valid[key]
    # A value in [0, 1] with mean p has a variance of p(1 - p) at most: of exactly that if it is 0 or 1.
    error = math.sqrt(max(best * (1 - best), 0.0) / n_valid)
    yield f"Winner: trial {summary.best.number}, validation {summary.objective} {best:.4f}"
    if summary.default is not None:
        yield _gain(best, summary.default.valid[key], error)
    yield (
        f"One validation split of {n_valid:,} targets: the standard error of a value is {error:.4f} at most; "
        f"the best of {len(summary.trials)} trials looks better there than it is."
    )
    yield "No finalists were trained: nothing is known of other seeds, nor of the test split."


def _gain(best: float, default: float, error: float) -> str:
    gain = best - default
    if gain <= 0:
        return f"No better than the default configuration ({default:.4f})."
    relative = f" ({gain / default:+.1%})" if default > 0 else ""
    doubt = "" if gain > 2 * error else ", less than two standard errors: it may be chance"
    return f"Better than the default configuration ({default:.4f}) by {gain:.4f}{relative}{doubt}."


# The finalists: what several seeds say on test.


def _finalist_table(finals: Finals, objective: str, *, wide: bool) -> Table:
    n_seeds = len(finals.finalists[0].seeds)
    spread = f"mean ± standard deviation over {n_seeds} seeds" if n_seeds > 1 else "a single seed"
    table = _table(f"Finalists, {spread}")
    table.add_column("trial", justify="right")
    metrics = compared_metrics(objective)
    for heading in (
        f"validation {objective}",
        *(f"test {metric}" for metric in metrics),
        *(["epochs"] if wide else []),
    ):
        table.add_column(heading, justify="right")
    table.add_column("")
    for finalist in finals.finalists:
        table.add_row(*_finalist_cells(finalist, finals, objective, metrics, wide=wide))
    return table


def _finalist_cells(
    finalist: FinalistSummary, finals: Finals, objective: str, metrics: Sequence[str], *, wide: bool
) -> Iterator[str]:
    yield f"{finalist.number}"
    yield _format_spread(finalist.valid[metric_key(*parse_metric(objective))])
    for metric in metrics:
        yield _format_spread(finalist.test[metric_key(*parse_metric(metric))])
    if wide:
        low, high = min(finalist.epochs), max(finalist.epochs)
        yield f"{low}" if low == high else f"{low}-{high}"
    is_winner = finalist.number == finals.winner
    yield " ".join(["(winner)"] * is_winner + ["(default)"] * finalist.is_default)


def _format_spread(spread: Spread) -> str:
    return f"{spread.mean:.4f}" if spread.sd is None else f"{spread.mean:.4f} ± {spread.sd:.4f}"


def _verdict(finals: Finals) -> Iterator[str]:
    """The winner against the default configuration and the runner-up, in plain words."""
    winner, *others = finals.finalists
    if winner.is_default:
        yield "The default configuration is the best on validation: ship it."
    elif not any(other.is_default for other in others):
        yield "The default configuration has no result that the winner could be compared with."
    by_number = {finalist.number: finalist for finalist in others}
    for against, compared in groupby(finals.comparisons, key=lambda comparison: comparison.against):
        yield _sentence(winner, by_number[against], list(compared))
    if finals.comparisons:
        yield (
            f"In brackets: 95 % intervals of the difference, by a paired bootstrap over {finals.n_sessions:,} "
            f"test sessions. Validation chose the winner, test did not."
        )
    for failure in finals.failures:
        yield f"Trial {failure.number} failed as a finalist, seed {failure.seed}: {failure.reason}"


def _sentence(winner: FinalistSummary, rival: FinalistSummary, compared: Sequence[Comparison]) -> str:
    """How sure it is that the winner is better than the rival; the first comparison, of the objective, decides."""
    objective = compared[0]
    subject, other = _name(winner), _name(rival) if rival.is_default else f"the runner-up, {_name(rival)},"
    figures = ", ".join(f"{c.metric} {c.difference:+.4f} [{c.low:+.4f}, {c.high:+.4f}]" for c in compared)
    seeds = f"{len(winner.seeds)} seeds" if len(winner.seeds) > 1 else "1 seed"
    if objective.low > 0:
        claim, advice = f"{subject} is better than {other} on test", ""
    elif objective.high < 0:
        claim, advice = f"{subject} is worse than {other} on test", "; ship the default"
    else:
        claim = f"no evidence that {subject} is better than {other} on test"
        advice = "; ship the default unless you have other reasons"
    return f"{claim[0].upper()}{claim[1:]}: {figures}, {seeds}{advice if rival.is_default else ''}."


def _name(finalist: FinalistSummary) -> str:
    return "the default configuration" if finalist.is_default else f"trial {finalist.number}"


# What went wrong.


def _failures(trials: Sequence[TrialSummary], rows: int) -> Iterator[str]:
    failed = [trial for trial in trials if trial.state == "FAIL"]
    for trial in failed[:rows]:
        retries = {0: "", 1: " after 1 retry"}.get(trial.retries, f" after {trial.retries} retries")
        yield f"Trial {trial.number} failed{retries}: {trial.reason or 'no reason is known'}"
    if len(failed) > rows:
        yield f"{len(failed) - rows} more trials failed."


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD)
