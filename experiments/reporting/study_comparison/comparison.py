"""Two searches side by side: what differs between them, and whether one winner is better than the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.reporting.report.answer import about_seeds, headline
from experiments.reporting.report.facts import finalists_of
from experiments.tuning.engine.leads import Trained, leads
from experiments.tuning.engine.verdict import compared_metrics
from experiments.tuning.study.finalist_runs import FinalistRuns
from experiments.tuning.study.folder import FINALISTS
from experiments.tuning.study.saved_study import SavedStudy
from experiments.tuning.study.stored_spec import stored_space
from experiments.tuning.study.summary import Best, Comparison, Default, FinalistSummary
from experiments.tuning.worker.jobs import Finalist
from narm.config import Config
from narm.data.datasets import load_splits
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.evaluation.full_ranking import chosen_targets
from narm.metrics import key_of
from narm.models import MODELS

Row = tuple[str, str]
"""What there is of something in the first study, and in the second."""

NONE = "–"
_SHOWN_ELSEWHERE = {"epochs", "seed", "valid_metric"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyComparison:
    """Two studies of the same data.

    Attributes:
        first: one study.
        second: the other; another one.
        results: values by what they are of.
        budgets: what each search spent, and on what.
        space: parameters that differ, and how.
        same_space: number of parameters that do not.
        options: fixed options that differ.
        winners: the first winner less the second on test, one for each metric; empty where they cannot be compared.
        notes: what a reader should know: what does not compare, and why.
    """

    first: SavedStudy
    second: SavedStudy
    results: Mapping[str, Row]
    budgets: Mapping[str, Row]
    space: Mapping[str, Row]
    same_space: int
    options: Mapping[str, Row]
    winners: list[Comparison]
    notes: list[str]

    @property
    def verdict(self) -> str:
        """Which winner is better, in one line."""
        if not self.winners:
            return "Which winner is better cannot be told from these searches."
        compared = self.winners[0]
        names = [f"the winner of {study.name}" for study in (self.first, self.second)]
        figures = f"{compared.metric} {compared.difference:+.4f} [{compared.low:+.4f}, {compared.high:+.4f}] on test"
        if compared.meaning == "undecided":
            return f"No evidence that either winner is better: {figures}{about_seeds(compared, *self.seeds)}."
        better, worse = names if compared.meaning == "better" else reversed(names)
        return f"{better[0].upper()}{better[1:]} is better than {worse}: {figures}{about_seeds(compared, *self.seeds)}."

    @property
    def seeds(self) -> tuple[int, int]:
        """Seeds of either winner; 0 where there is none."""
        winners = (_winner(self.first), _winner(self.second))
        first, second = (0 if winner is None else len(winner.seeds) for winner in winners)
        return first, second

    @property
    def tables(self) -> dict[str, Mapping[str, Row]]:
        """What there is to be read side by side, by title."""
        same = f"; {self.same_space} parameters are the same" if self.same_space else ""
        return {
            "Results": self.results,
            "Budgets": self.budgets,
            f"Spaces: what differs{same}": self.space,
            "Fixed options that differ": self.options,
        }


def compare_studies(first: SavedStudy, second: SavedStudy) -> StudyComparison:
    """Compare two searches.

    Raises:
        InputError: they are the same, or of other data: then no value of one means anything beside the other's.
    """
    _check_comparable(first, second)
    notes = list(_other_objective(first, second))
    winners: list[Comparison] = []
    try:
        winners = _compare_winners(first, second)
    except InputError as reason:
        notes.append(f"The winners are not compared on test: {reason}")
    space, same_space = _space_rows(first, second)
    return StudyComparison(
        first=first,
        second=second,
        results=_result_rows(first, second),
        budgets=_budget_rows(first, second),
        space=space,
        same_space=same_space,
        options=_option_rows(first, second),
        winners=winners,
        notes=notes,
    )


def _check_comparable(first: SavedStudy, second: SavedStudy) -> None:
    if (first.folder.resolve(), first.storage) == (second.folder.resolve(), second.storage):
        raise InputError(f"compare: '{first.name}' is compared with itself: name another study")
    data = [study.summary.dataset for study in (first, second)]
    if data[0].fingerprint != data[1].fingerprint:
        told = [f"'{study.name}' on {study.summary.dataset.name} ({study.summary.dataset.fingerprint[:12]})"
                for study in (first, second)]  # fmt: skip
        raise InputError(f"compare: {told[0]} and {told[1]} are of other data: their values do not compare")


def _other_objective(first: SavedStudy, second: SavedStudy) -> list[str]:
    objectives = [study.record["objectives"] for study in (first, second)]
    if objectives[0] == objectives[1]:
        return []
    return [f"The objectives differ, {objectives[0]} and {objectives[1]}: each search chose by its own."]


def _result_rows(first: SavedStudy, second: SavedStudy) -> dict[str, Row]:
    """Values in the metrics of both objectives, on validation and on test."""
    metrics = list(dict.fromkeys((*_metrics(first), *_metrics(second))))
    columns = [_results(study, metrics) for study in (first, second)]
    return {name: (columns[0][name], columns[1][name]) for name in columns[0]}


def _results(study: SavedStudy, metrics: list[str]) -> dict[str, str]:
    summary = study.summary
    objective = key_of(summary.objective)
    found = {
        "answer": headline(summary),
        "objective": summary.objective,
        "best of the search, validation": _of(summary.best, objective),
        "default configuration, validation": _of(summary.default, objective),
    }
    default = summary.finals.default if summary.finals else None
    for name, finalist in (("winner", _winner(study)), ("default configuration", default)):
        for metric in metrics:
            key = key_of(metric)
            found[f"{name}, test {metric}"] = NONE if finalist is None else str(finalist.test.get(key, NONE))
    return found


def _of(trial: Best | Default | None, key: str) -> str:
    return NONE if trial is None or key not in trial.valid else f"{trial.valid[key]:.4f}"


def _winner(study: SavedStudy) -> FinalistSummary | None:
    return study.summary.finals.finalists[0] if study.summary.finals else None


def _metrics(study: SavedStudy) -> list[str]:
    return compared_metrics(study.summary.objective)


def _budget_rows(first: SavedStudy, second: SavedStudy) -> dict[str, Row]:
    columns = [_budget(study) for study in (first, second)]
    return {name: (columns[0][name], columns[1][name]) for name in columns[0]}


def _budget(study: SavedStudy) -> dict[str, str]:
    summary, record = study.summary, study.record
    ended = summary.counts
    return {
        "trials": f"{len(summary.trials)} of {record['trials']}",
        "complete, pruned, failed": f"{ended.complete}, {ended.pruned}, {ended.failed}",
        "epochs trained": f"{sum(trial.epochs for trial in summary.trials):,}",
        "epochs of a trial at most": f"{record['config']['epochs']}",
        "training": f"{sum(trial.seconds for trial in summary.trials):,.0f} s",
        "sampler": record["sampler"],
        "scheduler": record["scheduler"],
        "seed": f"{summary.seed}",
        "finalists": finalists_of(record),
        "ended": summary.stop_reason or "not yet",
    }


def _space_rows(first: SavedStudy, second: SavedStudy) -> tuple[dict[str, Row], int]:
    """Parameters that differ, and how many do not."""
    spaces = [
        {parameter.name: parameter.describe() for parameter in stored_space(study.record).parameters}
        for study in (first, second)
    ]
    rows = _rows(spaces[0], spaces[1])
    return rows, len(spaces[0].keys() | spaces[1].keys()) - len(rows)


def _option_rows(first: SavedStudy, second: SavedStudy) -> dict[str, Row]:
    """Options that neither search varied and that are not the same; those younger than a study had their default."""
    varied = {name for study in (first, second) for name in stored_space(study.record).options}
    told = [
        {
            name: str(value)
            for name, value in (Config().flat() | study.record["config"]).items()
            if name not in varied | _SHOWN_ELSEWHERE
        }
        for study in (first, second)
    ]
    return _rows(told[0], told[1])


def _rows(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, Row]:
    """What differs."""
    names = dict.fromkeys((*first, *second))
    return {
        name: (first.get(name, NONE), second.get(name, NONE)) for name in names if first.get(name) != second.get(name)
    }


# The winners, on the same test targets.


def _compare_winners(first: SavedStudy, second: SavedStudy) -> list[Comparison]:
    """The first winner less the second, in the first's metrics and then the second's.

    Raises:
        InputError: a search has no finalists, they were judged on other targets, or the winners' ranks or the data are
            not there any more.
    """
    for study in (first, second):
        if study.summary.finals is None:
            raise InputError(f"'{study.name}' has no finalists")
    splits, evaluation = _load(first), _config(first).evaluation
    if (other := _config(second).evaluation.eval_targets) != evaluation.eval_targets:
        raise InputError(f"eval_targets is {evaluation.eval_targets} in '{first.name}', {other} in '{second.name}'")
    test = chosen_targets(splits.test, evaluation)
    (winner, *others), (rival, *rest) = (_trained(study, splits.fingerprint, len(test)) for study in (first, second))
    configurations, sessions = [winner, rival, *others, *rest], test.session_of_target
    metrics = dict.fromkeys((*_metrics(first), *_metrics(second)))
    return [
        Comparison.of(leads(configurations, metric, sessions)[0], metric=metric, against=rival.runs[0].finalist.number)
        for metric in metrics
    ]


def _load(study: SavedStudy) -> Splits:
    splits = load_splits(_config(study).data)
    if splits.fingerprint != study.summary.dataset.fingerprint:
        raise InputError(f"{study.summary.dataset.name} is not what it was when '{study.name}' was searched")
    return splits


def _config(study: SavedStudy) -> Config:
    return Config.from_flat(study.record["config"])


def _trained(study: SavedStudy, fingerprint: str, n_targets: int) -> list[Trained]:
    """The winner, and the other finalists as far as their ranks are there: they say what another seed does."""
    assert study.summary.finals is not None
    config, folder = _config(study), study.folder / FINALISTS
    kept = FinalistRuns(folder, config, fingerprint)
    winner, *others = study.summary.finals.finalists
    runs = [kept.require(_finalist(winner), winner.seeds)]
    if any(len(run.ranks) != n_targets for run in runs[0]):
        raise InputError(f"{folder}: the ranks are not of the {n_targets:,} test targets")
    for other in others:
        found = [kept.find(_finalist(other), seed) for seed in other.seeds]
        runs.append([run for run in found if run is not None and len(run.ranks) == n_targets])
    depends_on_seed = not MODELS[config.model.model].learned_at_once
    return [Trained(of_one, depends_on_seed) for of_one in runs if of_one]


def _finalist(summary: FinalistSummary) -> Finalist:
    return Finalist(number=summary.number, options=summary.params, is_default=summary.is_default)
