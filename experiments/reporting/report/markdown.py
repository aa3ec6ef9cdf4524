"""The report in a few lines of Markdown, for a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.reporting.figures.by_length import difference_text, estimate_text, length_lines
from experiments.reporting.figures.importances import importances
from experiments.reporting.figures.trial_views import judged
from experiments.reporting.report import answer, facts
from experiments.reporting.report.answer_markdown import answer_markdown, escape
from experiments.reporting.report.markdown_table import markdown_table
from experiments.tuning.study.saved_study import SavedStudy
from experiments.tuning.study.summary import Finals, Summary, TrialSummary, format_params


def study_markdown(saved: SavedStudy, *, rows: int = 5) -> str:
    """The answer, the finalists, on the whole and by session length, the best trials, and how to see more.

    Args:
        saved: the study.
        rows: trials to show.
    """
    return "\n".join(_lines(saved, rows)) + "\n"


def _lines(saved: SavedStudy, rows: int) -> Iterator[str]:
    summary = saved.summary
    yield answer_markdown(summary)
    yield ""
    if summary.finals is not None and summary.finals.by_length:
        yield from _by_length(summary.finals, summary.objective)
        yield ""
    yield from _trials(summary, rows)
    yield ""
    yield from _decisive(saved)
    yield from _reproduce(saved)


def _by_length(finals: Finals, objective: str) -> Iterator[str]:
    """A row a class of session lengths, with a column for each finalist that the page draws, and their difference."""
    lines = length_lines(finals)
    leads = [each.lead for each in finals.by_length]
    is_compared = any(leads)
    rows = [
        [
            each.name,
            f"{each.n_targets:,}",
            *(escape(estimate_text(line.estimates[place])) for line in lines),
            *([escape(difference_text(each.lead))] if is_compared else []),
        ]
        for place, each in enumerate(finals.by_length)
    ]
    headings = ["events of the session", "test targets", *(line.name for line in lines)]
    yield from markdown_table(headings + ["difference"] * is_compared, rows, words=0)
    yield ""
    yield (
        f"Test {objective} by session length, means over the seeds. In brackets: 95 % intervals over sessions, where "
        "there are ten or more."
    )
    tested = sum(lead is not None and lead.interval is not None for lead in leads)
    if tested > 1:
        yield f"Those of the difference, which is paired, hold together for all {tested} classes (Bonferroni)."


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
    marks = "".join(f" ({escape(note)})" for note in answer.notes(trial, summary))
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
