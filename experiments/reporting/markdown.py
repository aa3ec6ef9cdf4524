"""The report in a few lines of Markdown, for a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.reporting import answer, facts
from experiments.reporting.answer_markdown import answer_markdown, escape
from experiments.reporting.importances import importances
from experiments.reporting.markdown_table import markdown_table
from experiments.reporting.views import judged
from experiments.saved_study import SavedStudy
from experiments.summary import Summary, TrialSummary, format_params


def study_markdown(saved: SavedStudy, *, rows: int = 5) -> str:
    """The answer, the finalists, the best trials, and how to see more.

    Args:
        saved: the study.
        rows: trials to show.
    """
    return "\n".join(_lines(saved, rows)) + "\n"


def _lines(saved: SavedStudy, rows: int) -> Iterator[str]:
    summary = saved.summary
    yield answer_markdown(summary)
    yield ""
    yield from _trials(summary, rows)
    yield ""
    yield from _decisive(saved)
    yield from _reproduce(saved)


def _trials(summary: Summary, rows: int) -> Iterator[str]:
    cells = [
        [f"{trial.number}", _value(trial), f"{trial.epochs}", _described(trial, summary)]
        for trial in answer.ranked(summary)[:rows]
    ]
    yield from markdown_table(["trial", f"validation {summary.objective}", "epochs", "parameters"], cells, words=-1)
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
        yield f"What decided (PED-ANOVA): {escape(told)}."
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


def _value(trial: TrialSummary) -> str:
    return "" if trial.value is None else f"{trial.value:.4f}"
