"""The answer of a search in Markdown: what to ship, how sure that is, and the finalists.

MLflow shows it beside the study's run, and the summary for a pull request begins with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from experiments.reporting.report import answer, race, shippable
from experiments.reporting.report.markdown_table import markdown_table
from experiments.tuning.engine.verdict import compared_metrics
from experiments.tuning.study.summary import Finals, Summary
from narm.metrics import key_of

FAILURES_SHOWN = 3


def answer_markdown(summary: Summary) -> str:
    """The headline, the sentences that say how sure it is, and the finalists."""
    return "\n".join(_lines(summary)).rstrip()


def escape(text: str) -> str:
    """Text that Markdown shows as it is; underscores inside words are left alone, as CommonMark does."""
    return re.sub(r"([\\`*<>\[\]#])", r"\\\1", text)


def _lines(summary: Summary) -> Iterator[str]:
    yield f"## {escape(answer.headline(summary))}"
    yield ""
    yield f"NARM on {escape(summary.dataset.name)}, study `{summary.study}`: {answer.counts(summary)}."
    yield ""
    for sentence in (*answer.verdict(summary), *answer.bounds(summary), *answer.failures(summary, FAILURES_SHOWN)):
        yield f"- {escape(sentence)}"
    yield ""
    if summary.finals is not None:
        yield from _finalists(summary.finals, summary.objective)
        yield from _shippable(summary.finals, summary.objective)


def _finalists(finals: Finals, objective: str) -> Iterator[str]:
    metrics = compared_metrics(objective)
    shows_seeds = race.differ(finals)
    rows = []
    for finalist in finals.finalists:
        name = f"{finalist.number}" + (" (default)" if finalist.is_default else "")
        cells = [finalist.valid[key_of(objective)], *(finalist.test[key_of(metric)] for metric in metrics)]
        seeds = [f"{len(finalist.seeds)}"] if shows_seeds else []
        rows.append([f"**{name}**" if finalist.number == finals.winner else name, *map(str, cells), *seeds])
    if (incumbent := finals.incumbent) is not None:
        name = escape(incumbent.name)
        values = [incumbent.valid[key_of(objective)], *(incumbent.test[key_of(metric)] for metric in metrics)]
        seeds = ["1"] if shows_seeds else []
        rows.append([f"**{name}**" if finals.kept else name, *(f"{value:.4f}" for value in values), *seeds])
    headings = [f"validation {objective}", *(f"test {metric}" for metric in metrics), *["seeds"] * shows_seeds]
    yield from markdown_table(["finalist", *headings], rows, words=0)
    yield ""
    said = race.mean_over_seeds(finals)
    alone = "" if finals.incumbent is None else f"; {escape(finals.incumbent.name)} is one model"
    yield f"{said[0].upper()}{said[1:]}{'' if shows_seeds else ' each'}{alone}."


def _shippable(finals: Finals, objective: str) -> Iterator[str]:
    """The models that could ship, the one that does in bold."""
    rows = [
        [f"**{row.name}**" if row.ships else row.name, *row.figures] for row in shippable.shippable(finals, objective)
    ]
    if rows:
        yield ""
        yield from markdown_table([shippable.title(finals), *shippable.headings(objective)], rows)
        yield ""
        yield shippable.NOTE
    for note in shippable.notes(finals):
        yield ""
        yield escape(note)
