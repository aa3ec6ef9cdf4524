"""Which runs a candidate needs, as a function of those that there are.

Base and candidate are searched alike, with the first seed: each variant at the same learning rate, then the best
variant at rates by factors of two, until both neighbours of the best rate are tried, or MOST_RATES are. What the search
has chosen is trained again with further seeds, and these alone judge: the value that won a search was a lucky one, the
luckier the more variants there were. The base, to which all candidates are compared, has twice as many of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from benchmarks.knobs.candidates import BASE, Candidate
from benchmarks.knobs.data_sets import DataSet, Options

FIRST_SEED = 2020
MOST_RATES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training run.

    Attributes:
        data_set: name of its data.
        options: what differs from narm's defaults, in JSON with sorted keys, so that it can be compared.
        seed: of the training.
    """

    data_set: str
    options: str
    seed: int


Values = Mapping[Run, float]
"""Of the runs that there are: the metric of the best epoch on validation; NaN where training failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How far the search for a candidate's variant and learning rate has come.

    Attributes:
        missing: runs that it needs next; none: it is over.
        chosen: its best run; None: it is not over, or every run failed.
    """

    missing: list[Run]
    chosen: Run | None = None


def runs_needed(
    data_sets: Iterable[DataSet], candidates: Iterable[Candidate], values: Values, seeds: int
) -> Iterator[Run]:
    """All runs that can be trained now, the most valuable first.

    A data set is done before the next, and in it the base first; then every candidate is searched before any is judged.
    """
    chosen = list(candidates)
    for data_set in data_sets:
        base = search(BASE, data_set, values)
        yield from base.missing
        yield from _missing(judges(base.chosen, 2 * seeds), values)
        searches = [
            search(candidate, data_set, values) for candidate in chosen if data_set.name not in candidate.not_on
        ]
        for of_candidate in searches:
            yield from of_candidate.missing
        for of_candidate in searches:
            yield from _missing(judges(of_candidate.chosen, seeds), values)


def judges(chosen: Run | None, seeds: int) -> list[Run]:
    """The chosen configuration with the seeds that had no part in the choice; none before it is chosen."""
    return [] if chosen is None else [replace(chosen, seed=FIRST_SEED + number) for number in range(1, seeds + 1)]


def search(candidate: Candidate, data_set: DataSet, values: Values) -> Search:
    """Search a candidate's variant and learning rate on a data set, as far as values are there.

    The search of a candidate begins when that of the base is over: at its learning rate.
    """
    start = candidate.learning_rate or _base_rate(candidate, data_set, values)
    if start is None:
        return Search(missing=[])
    at_start = [run_of(data_set, variant, start) for variant in candidate.variants]
    if missing := _missing(at_start, values):
        return Search(missing=missing)
    variant = candidate.variants[at_start.index(_best(at_start, values))]
    tried = {0: run_of(data_set, variant, start)}  # by the power of two that their rate is of the first
    while len(tried) < MOST_RATES:
        best = max(tried, key=lambda power: _comparable(values[tried[power]]))
        beside = {power: run_of(data_set, variant, start * 2.0**power) for power in (best - 1, best + 1)}
        if beside.keys() <= tried.keys():
            break
        tried |= beside
        if missing := _missing(tried.values(), values):
            return Search(missing=missing)
    chosen = _best(tried.values(), values)
    return Search(missing=[], chosen=None if math.isnan(values[chosen]) else chosen)


def run_of(data_set: DataSet, variant: Options, learning_rate: float) -> Run:
    """The run of a variant at a learning rate, with the first seed."""
    changed = {**data_set.base, **variant, "learning_rate": learning_rate}
    options = {name: value for name, value in changed.items() if value is not None}
    return Run(data_set=data_set.name, options=json.dumps(options, sort_keys=True), seed=FIRST_SEED)


def _base_rate(candidate: Candidate, data_set: DataSet, values: Values) -> float | None:
    if candidate is BASE:
        return data_set.learning_rate
    base = search(BASE, data_set, values).chosen
    return None if base is None else float(json.loads(base.options)["learning_rate"])


def _missing(runs: Iterable[Run], values: Values) -> list[Run]:
    return [run for run in runs if run not in values]


def _best(runs: Iterable[Run], values: Values) -> Run:
    return max(runs, key=lambda run: _comparable(values[run]))


def _comparable(value: float) -> float:
    """A failed run is worse than any other."""
    return -math.inf if math.isnan(value) else value
