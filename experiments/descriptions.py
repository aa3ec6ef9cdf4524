"""What MLflow shows of a run under its name: what it is, or came to, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from experiments.finalists import FinalistRun
from experiments.objectives import describe
from experiments.spec import StudySpec
from experiments.summary import (
    Comparison,
    FinalistFailure,
    FinalistSummary,
    Finals,
    Spread,
    Summary,
    TrialState,
    TrialSummary,
    format_params,
)
from experiments.verdict import compared_metrics
from narm.metrics import metric_key, parse_metric

_OUTCOME: dict[TrialState, str] = {
    "COMPLETE": "Trained to its end",
    "PRUNED": "Stopped",
    "FAIL": "Failed",
    "INTERRUPTED": "Interrupted",
}


def describe_search(spec: StudySpec, dataset: str) -> str:
    """A study that has begun."""
    return (
        f"A search for the best {describe(spec.objectives)} of **{spec.config.model.model}** on **{dataset}**: up to "
        f"{spec.trials_possible} trials of {spec.config.training.epochs} epochs at most from the space "
        f"**{spec.space.name}**, drawn by {spec.sampler}, stopped by {spec.scheduler}. The verdict will stand here."
    )


def describe_trial(trial: TrialSummary, objective: str) -> str:
    """A trial that has ended, in a sentence."""
    result = "" if trial.value is None else f", {objective} {trial.value:.4f} at epoch {trial.best_epoch}"
    reason = "" if trial.reason is None else f": {_verbatim(trial.reason)}"
    return f"{_OUTCOME[trial.state]} after {_epochs(trial.epochs)}{result}{reason}."


def describe_finalist(outcome: FinalistRun | FinalistFailure, objective: str) -> str:
    """A training of a finalist, in a sentence."""
    if isinstance(outcome, FinalistFailure):
        return f"Trial {outcome.number} trained again failed: {_verbatim(outcome.reason)}."
    metrics = ", ".join(f"{name} {outcome.test[_key(name)]:.4f}" for name in compared_metrics(objective))
    return (
        f"{_capital(outcome.finalist.label)} trained again: {metrics} on test, with the weights of epoch "
        f"{outcome.best_epoch} of {outcome.epochs}."
    )


def describe_verdict(summary: Summary) -> str:
    """A study that has ended: the winner, and how sure that is."""
    return "\n".join(_verdict(summary))


def _verdict(summary: Summary) -> Iterator[str]:
    winner = next((trial for trial in summary.trials if trial.number == summary.winner), None)
    if winner is None:
        yield f"**No winner**: no trial has a result. The search ended: {summary.stop_reason}."
        return
    yield f"**Winner: trial {winner.number}**, `{format_params(winner.params)}`"
    yield ""
    if summary.finals is None:
        yield (
            f"{summary.objective} {winner.value:.4f} on validation, with one seed; no finalists were trained, so "
            "nothing is known of the test split."
        )
    else:
        yield from _finalists(summary.finals, summary.objective)
        yield ""
        yield from _comparisons(summary.finals)
    yield ""
    counts = summary.counts
    yield (
        f"{len(summary.trials)} trials: {counts.complete} complete, {counts.pruned} pruned, {counts.failed} failed, "
        f"{counts.interrupted} interrupted. The search ended: {summary.stop_reason}."
    )


def _finalists(finals: Finals, objective: str) -> Iterator[str]:
    metrics = compared_metrics(objective)
    header = ["finalist", f"validation {objective}", *(f"test {metric}" for metric in metrics), "seeds"]
    yield _row(header)
    yield _row(["---"] + ["---:"] * (len(header) - 1))
    for finalist in finals.finalists:
        figures = [finalist.valid[_key(objective)], *(finalist.test[_key(metric)] for metric in metrics)]
        yield _row([_name(finalist), *map(_spread, figures), f"{len(finalist.seeds)}"])


def _comparisons(finals: Finals) -> Iterator[str]:
    default = next((finalist.number for finalist in finals.finalists if finalist.is_default), None)
    for compared in finals.comparisons:
        rival = "the default configuration" if compared.against == default else f"trial {compared.against}"
        yield f"- {_difference(compared)} against {rival} on test (95 % interval): {_judgement(compared)}"


def _difference(compared: Comparison) -> str:
    return f"{compared.metric} {compared.difference:+.4f} [{compared.low:+.4f}, {compared.high:+.4f}]"


def _judgement(compared: Comparison) -> str:
    if compared.low > 0:
        return "**better**"
    return "**worse**" if compared.high < 0 else "no evidence of a difference"


def _name(finalist: FinalistSummary) -> str:
    return f"trial {finalist.number}{' (default)' if finalist.is_default else ''}"


def _spread(spread: Spread) -> str:
    return f"{spread.mean:.4f}" if spread.sd is None else f"{spread.mean:.4f} ± {spread.sd:.4f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _epochs(n: int) -> str:
    return "1 epoch" if n == 1 else f"{n} epochs"


def _verbatim(reason: str) -> str:
    """A reason may hold what Markdown would take for its own: `<class 'int'>`."""
    return f"`{reason.replace('`', chr(39))}`" if set(reason) & set("<>*_`[]") else reason


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _key(metric: str) -> str:
    return metric_key(*parse_metric(metric))
