"""A comparison of models for a person: a table and sentences, as text and as Markdown, and a plot by session length."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.reporting.narrow import print_widest
from experiments.reporting.report.markdown_table import markdown_table
from experiments.tuning.study.summary import format_params

if TYPE_CHECKING:
    from experiments.tuning.engine.model_comparison import ModelComparison, Row
    from narm.evaluation.bootstrap import Interval
    from narm.evaluation.paired_difference import Difference, Seeds

COLOURS = 10  # of matplotlib's cycle
LINE_STYLES = ("-", "--", ":")


def print_comparison(comparison: ModelComparison, console: Console) -> None:
    """Print the table, and what it says."""
    print_widest(console, _tables(comparison))
    for sentence in sentences(comparison):
        console.print(Text(sentence))


def _tables(comparison: ModelComparison) -> Iterator[Table]:
    """The table, the same without intervals and seconds, and the first metric on test alone."""
    headings, first = _headings(comparison), comparison.metrics[0]
    yield _table(comparison, headings, [_cells(row, comparison) for row in comparison.rows])
    means = [
        [
            row.model,
            f"{row.valid.mean:.4f}",
            *(f"{row.test[metric].mean:.4f}" for metric in comparison.metrics),
            "" if row.ahead is None else f"{row.ahead[first].mean:+.4f}",
        ]
        for row in comparison.rows
    ]
    yield _table(comparison, headings[:-1], means)
    yield _table(comparison, [headings[0], headings[2], headings[-2]], [[row[0], row[2], row[-1]] for row in means])


def _table(comparison: ModelComparison, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=_title(comparison), title_justify="left", box=SIMPLE_HEAD)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left", no_wrap=index == 0)
    for row in rows:
        table.add_row(*row)
    return table


def markdown(comparison: ModelComparison) -> str:
    """The same as a Markdown document, with the options of each model and the figures by session length."""
    lines = [
        f"# {_title(comparison)}",
        "",
        *markdown_table(_headings(comparison), [_cells(row, comparison) for row in comparison.rows]),
        "",
        *sentences(comparison),
        "",
        "## What each search chose",
        "",
        *markdown_table(
            ["model", "trials", "seeds", "options"],
            [[row.model, f"{row.trials}", f"{len(row.seeds)}", format_params(row.params)] for row in comparison.rows],
        ),
    ]
    for metric in comparison.metrics:
        names = [each.name for each in comparison.reference.by_length]
        lines += [
            "",
            f"## {metric} by session length",
            "",
            *markdown_table(
                ["model", *names],
                [
                    [row.model, *(f"{each.values[metric].mean:.4f}" for each in row.by_length)]
                    for row in comparison.rows
                ],
            ),
        ]
    return "\n".join(lines) + "\n"


def sentences(comparison: ModelComparison) -> Iterator[str]:
    """What can be said of the models that are behind the reference, and what cannot."""
    reference, metric = comparison.reference, comparison.metrics[0]
    yield f"{reference.model} is the best on validation, by {comparison.objective}."
    sure = [row.model for row in comparison.rows[1:] if _ahead(row, metric).low > 0]
    better = [row.model for row in comparison.rows[1:] if _ahead(row, metric).high < 0]
    open_ = [row.model for row in comparison.rows[1:] if row.model not in (*sure, *better)]
    if sure:
        yield f"On test it is ahead of {_listed(sure)} in {metric}."
    if better:
        yield f"On test it is behind {_listed(better)} in {metric}: validation chose otherwise."
    if open_:
        yield f"There is no evidence of a difference in {metric} from {_listed(open_)}."
    yield from _about_the_intervals(comparison, metric)
    yield from _by_length(comparison, metric)


def _about_the_intervals(comparison: ModelComparison, metric: str) -> Iterator[str]:
    """What the figures in brackets hold, and what they do not."""
    several = len(comparison.rows) - 1
    together = f"; those of 'behind' hold together, for all {several} comparisons (Bonferroni)" if several > 1 else ""
    yield f"In brackets: 95 % intervals, for other sessions ({comparison.n_sessions:,} on test){together}."
    by_seeds: dict[Seeds, list[str]] = defaultdict(list)
    for row in comparison.rows[1:]:
        by_seeds[_ahead(row, metric).seeds].append(row.model)
    if held := by_seeds["held"]:
        yield f"How far {_listed(held)} {_are(held)} behind holds for other seeds, too."
    if alone := by_seeds["left out"]:
        yield (
            f"One seed each: how far {_listed(alone)} {_are(alone)} behind is about the models that were trained, and "
            "another seed may order them otherwise."
        )


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def plot_by_length(comparison: ModelComparison) -> bytes:
    """A PNG: the first metric of each model by session length, with 95 % intervals."""
    metric = comparison.metrics[0]
    names = [each.name for each in comparison.reference.by_length]
    from matplotlib.figure import Figure  # here, for it takes a second

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(comparison.rows):
        found = [each.values[metric] for each in row.by_length]
        means = [each.mean for each in found]
        style = LINE_STYLES[place // COLOURS % len(LINE_STYLES)]  # colours come round again
        (line,) = axes.plot(names, means, marker="o", markersize=3, linestyle=style, label=row.model)
        low, high = [each.low for each in found], [each.high for each in found]
        axes.fill_between(names, low, high, alpha=0.12, color=line.get_color())
    axes.set(xlabel="events of the session", ylabel=f"{metric} on test", ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    return content.getvalue()


def _title(comparison: ModelComparison) -> str:
    return f"{len(comparison.rows)} models on {comparison.dataset}, {comparison.n_targets:,} test targets"


def _headings(comparison: ModelComparison) -> list[str]:
    first = comparison.metrics[0]
    return [
        "model",
        f"validation {comparison.objective}",
        *(f"test {metric}" for metric in comparison.metrics),
        f"behind, {first}",
        "training",
    ]


def _cells(row: Row, comparison: ModelComparison) -> list[str]:
    ahead = "" if row.ahead is None else _signed(row.ahead[comparison.metrics[0]])
    return [
        row.model,
        f"{row.valid.mean:.4f}" + ("" if row.valid.sd is None else f" ± {row.valid.sd:.4f}"),
        *(_estimate(row.test[metric]) for metric in comparison.metrics),
        ahead,
        f"{row.seconds:,.0f} s",
    ]


def _by_length(comparison: ModelComparison, metric: str) -> Iterator[str]:
    """Where a network that is behind on the whole is not, or the other way round."""
    said = [f"{row.model}: {places}" for row in comparison.rows[1:] if (places := _places(row, metric))]
    if said:
        tested = sum(each.ahead is not None for row in comparison.rows[1:] for each in row.by_length)
        together = f" (95 % intervals that hold together, for all {tested} comparisons)" if tested > 1 else ""
        yield f"By length{together}, {comparison.reference.model} against {'; '.join(said)}."


def _places(row: Row, metric: str) -> str:
    """Where the reference is ahead of a model, and where behind it."""
    ahead = [each.name for each in row.by_length if each.ahead and each.ahead[metric].low > 0]
    behind = [each.name for each in row.by_length if each.ahead and each.ahead[metric].high < 0]
    said = [f"ahead in sessions of {_listed(ahead)} events"] if ahead else []
    said += [f"behind in sessions of {_listed(behind)}"] if behind else []
    return ", ".join(said)


def _ahead(row: Row, metric: str) -> Difference:
    assert row.ahead is not None
    return row.ahead[metric]


def _estimate(estimate: Interval) -> str:
    return f"{estimate.mean:.4f} [{estimate.low:.4f}, {estimate.high:.4f}]"


def _signed(estimate: Difference) -> str:
    return f"{estimate.mean:+.4f} [{estimate.low:+.4f}, {estimate.high:+.4f}]"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
