"""The report in a few lines of Markdown, for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from experiments.reporting import answer, facts
from experiments.reporting.importances import importances
from experiments.reporting.views import judged
from experiments.saved_study import SavedStudy
from experiments.summary import Finals, Summary, TrialSummary, format_params
from experiments.verdict import compared_metrics
from narm.metrics import metric_key, parse_metric

FAILURES_SHOWN = 3


def study_markdown(saved: SavedStudy, *, rows: int = 5) -> str:
    """The answer, the finalists, the best trials, and how to see more.

    Args:
        saved: the study.
        rows: trials to show.
    """
    return "\n".join(_lines(saved, rows)) + "\n"


def _lines(saved: SavedStudy, rows: int) -> Iterator[str]:
    summary = saved.summary
    yield f"## {_escape(answer.headline(summary))}"
    yield ""
    yield f"NARM on {_escape(summary.dataset.name)}, study `{saved.name}`: {answer.counts(summary)}."
    yield ""
    for sentence in (*answer.verdict(summary), *answer.bounds(summary), *answer.failures(summary, FAILURES_SHOWN)):
        yield f"- {_escape(sentence)}"
    yield ""
    if summary.finals is not None:
        yield from _finalists(summary.finals, summary.objective)
        yield ""
    yield from _trials(summary, rows)
    yield ""
    yield from _decisive(saved)
    yield from _reproduce(saved)


def _finalists(finals: Finals, objective: str) -> Iterator[str]:
    metrics = compared_metrics(objective)
    n_seeds = len(finals.finalists[0].seeds)
    yield from _table_head(["finalist", f"validation {objective}", *(f"test {metric}" for metric in metrics)])
    for finalist in finals.finalists:
        name = f"{finalist.number}" + (" (default)" if finalist.is_default else "")
        cells = [finalist.valid[_key(objective)], *(finalist.test[_key(metric)] for metric in metrics)]
        yield _row([f"**{name}**" if finalist.number == finals.winner else name, *map(str, cells)])
    yield ""
    yield f"Mean{' ± standard deviation' if n_seeds > 1 else ''}, {n_seeds} seed{'s' if n_seeds > 1 else ''} each."


def _trials(summary: Summary, rows: int) -> Iterator[str]:
    yield from _table_head(["trial", f"validation {summary.objective}", "epochs"], words=["parameters"])
    for trial in answer.ranked(summary)[:rows]:
        yield _row([f"{trial.number}", _value(trial), f"{trial.epochs}", _described(trial, summary)])
    hidden = len(summary.trials) - rows
    if hidden > 0:
        yield ""
        yield f"{hidden} more trials."


def _described(trial: TrialSummary, summary: Summary) -> str:
    marks = "".join(f" ({note})" for note in answer.notes(trial, summary))
    return f"`{format_params(trial.params)}`{marks}"


def _decisive(saved: SavedStudy) -> Iterator[str]:
    shares = importances(judged(saved.study))
    if shares:
        told = ", ".join(f"{name} {share:.0%}" for name, share in list(shares.items())[:4])
        yield f"What decided (PED-ANOVA): {_escape(told)}."
        yield ""


def _reproduce(saved: SavedStudy) -> Iterator[str]:
    summary = saved.summary
    yield "<details><summary>Reproduce</summary>"
    yield ""
    yield "```"
    yield summary.command
    if (train := facts.train_command(saved)) is not None:
        yield train
    yield "```"
    yield ""
    versions = ", ".join(f"{name} {version}" for name, version in summary.versions.items() if version)
    commit = f"commit {summary.git_commit}, " if summary.git_commit else ""
    yield f"Seed {summary.seed}, {commit}data {summary.dataset.fingerprint[:12]}; {versions}."
    yield ""
    yield "</details>"


def _key(metric: str) -> str:
    return metric_key(*parse_metric(metric))


def _value(trial: TrialSummary) -> str:
    return "" if trial.value is None else f"{trial.value:.4f}"


def _table_head(numbers: Sequence[str], words: Sequence[str] = ()) -> Iterator[str]:
    yield _row([*numbers, *words])
    yield _row(["---:"] * len(numbers) + ["---"] * len(words))


def _row(cells: Sequence[str]) -> str:
    escaped = [cell.replace("|", r"\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def _escape(text: str) -> str:
    """Text that Markdown shows as it is; underscores inside words are left alone, as CommonMark does."""
    return re.sub(r"([\\`*<>\[\]#])", r"\\\1", text)
