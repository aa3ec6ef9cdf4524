"""The table of results: a line for each candidate, with its difference to the base on every data set."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from benchmarks.knobs.candidates import BASE, Candidate
from benchmarks.knobs.data_sets import DataSet
from benchmarks.knobs.evidence import Difference, difference, pooled_spread
from benchmarks.knobs.protocol import Run, Values, judges, search
from benchmarks.results_file import write_results

NOTES = """Validation only. Base and candidates are searched alike: the best variant, and a learning rate of its own by
factors of two, with one seed. Further seeds, the same for all and twice as many for the base, are then compared: a
figure is the difference of the means over them, in percent of the base's, of the best epochs' metric ({metrics}), with
an interval of 95 % (Student's t; the standard deviation over seeds is pooled over all configurations of a data set). It
holds for seeds, not for other sessions, since all runs share theirs; and of so many comparisons a few leave zero out by
chance. In brackets: what was chosen. *One seed*: searched, not compared yet. The base: the mean of its metric."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A candidate on a data set: the text, and the difference if it is known."""

    text: str
    difference: Difference | None = None


def write_report(data_sets: Sequence[DataSet], candidates: Sequence[Candidate], values: Values, seeds: int) -> None:
    """Write the table, as far as there are runs."""
    columns = {data_set.name: cells(data_set, candidates, values, seeds) for data_set in data_sets}
    rows = [_row(candidate, {name: column[candidate.name] for name, column in columns.items()})
            for candidate in (BASE, *candidates)]  # fmt: skip
    metrics = ", ".join(f"{data_set.name}: {data_set.metric}" for data_set in data_sets)
    notes = NOTES.replace("\n", " ").format(metrics=metrics)
    write_results("knobs", title="What each knob of NARM brings", notes=notes, rows=rows)


def cells(data_set: DataSet, candidates: Sequence[Candidate], values: Values, seeds: int) -> dict[str, Cell]:
    """What the table says of the base and of every candidate on a data set, by name."""
    base = search(BASE, data_set, values).chosen
    if base is None:
        return dict.fromkeys([BASE.name, *(candidate.name for candidate in candidates)], Cell(""))
    searches = {each.name: search(each, data_set, values) for each in candidates if data_set.name not in each.not_on}
    chosen = [base, *(found.chosen for found in searches.values() if found.chosen is not None)]
    judged = {run: _judged(run, values, 2 * seeds if run == base else seeds) for run in chosen}
    spread = pooled_spread(judged.values())

    def cell(candidate: Candidate) -> Cell:
        found = searches.get(candidate.name)
        if found is None or found.missing:
            return Cell("–" if found is None else "")
        if found.chosen is None:
            return Cell("failed")
        if found.chosen == base:
            return Cell(f"the base's own {_said(base, data_set)}")
        said = f"{_said(found.chosen, data_set)}{_failures(found.chosen, values, seeds)}"
        if spread is None or not judged[base] or not judged[found.chosen]:
            percent = 100 * (values[found.chosen] / values[base] - 1)
            return Cell(f"{percent:+.1f}, *one seed* {said}")
        known = difference(judged[found.chosen], judged[base], spread)
        return Cell(f"{known.percent:+.1f} [{known.low:+.1f}, {known.high:+.1f}] {said}", known)

    worth = mean(judged[base] or [values[base]])
    return {BASE.name: Cell(f"{worth:.4f} {_said(base, data_set)}"), **{each.name: cell(each) for each in candidates}}


def verdict(row: Mapping[str, Cell]) -> str:
    """What the data sets say together: a gain on one is not to be paid for on another."""
    known = [cell.difference for cell in row.values() if cell.difference is not None]
    gains, harms = any(each.gains for each in known), any(each.harms for each in known)
    if gains and harms:
        return "mixed"
    if gains or harms:
        return "gains" if gains else "harms"
    return "noise" if known else ""


def _row(candidate: Candidate, row: Mapping[str, Cell]) -> dict[str, str]:
    source = f" ({candidate.source})" if candidate.source else ""
    return {
        "candidate": candidate.name,
        "what it does": f"{candidate.what}{source}",
        **{name: cell.text for name, cell in row.items()},
        "verdict": verdict(row),
    }


def _judged(chosen: Run, values: Values, seeds: int) -> list[float]:
    """The values of the seeds that compare, as far as they are there; a failed run has none."""
    known = [values[run] for run in judges(chosen, seeds) if run in values]
    return [value for value in known if not math.isnan(value)]


def _failures(chosen: Run, values: Values, seeds: int) -> str:
    failed = sum(math.isnan(values[run]) for run in judges(chosen, seeds) if run in values)
    return f" ({failed} of {seeds} failed)" if failed else ""


def _said(chosen: Run, data_set: DataSet) -> str:
    """What a run changes in the base, its learning rate first."""
    options = json.loads(chosen.options)
    changed = {name: value for name, value in options.items() if data_set.base.get(name) != value}
    changed |= dict.fromkeys(name for name in data_set.base if name not in options)
    rate = f"learning_rate={options['learning_rate']:g}"
    others = (f"{name}={value}" for name, value in sorted(changed.items()) if name != "learning_rate")
    return f"({' '.join([rate, *others])})"
