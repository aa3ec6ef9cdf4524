"""What to ship, and how sure that is, in plain words: the same in the console, on the page and in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from experiments.reporting.report import incumbents
from experiments.reporting.report.claims import claim, figures, how_sure, name_of, seeds_in_words
from experiments.tuning.study.summary import (
    STATE_WORDS,
    Comparison,
    FinalistSummary,
    Finals,
    Summary,
    TrialSummary,
    format_value,
)
from experiments.tuning.study.trial_attributes import DEFAULT, RECIPE, SAMPLER
from narm.metrics import key_of


def objective_key(summary: Summary) -> str:
    """The key of the objective among metrics: `mrr_at_10`."""
    return key_of(summary.objective)


def ranked(summary: Summary) -> list[TrialSummary]:
    """The winner, the complete trials and the others, each from the best value down."""

    def rank(trial: TrialSummary) -> tuple[bool, bool, float, int]:
        value = -math.inf if trial.value is None or math.isnan(trial.value) else trial.value
        return trial.number != summary.winner, trial.state != "COMPLETE", -value, trial.number

    return sorted(summary.trials, key=rank)


def counts(summary: Summary) -> str:
    """`9 complete, 3 pruned, 0 failed`."""
    ended = summary.counts
    words = [f"{ended.complete} complete", f"{ended.pruned} pruned", f"{ended.failed} failed"]
    words += [f"{ended.interrupted} interrupted"] if ended.interrupted else []
    words += [f"{ended.infeasible} infeasible"] if ended.infeasible else []
    return ", ".join(words)


def notes(trial: TrialSummary, summary: Summary) -> Iterator[str]:
    """Notes on a trial: winner, where it came from if no sampler drew it, how it ended if not complete, and whether it
    breaks a constraint."""
    if trial.number == summary.winner:
        yield "winner"
    if (origin := origin_note(trial, summary)) is not None:
        yield origin
    if trial.state != "COMPLETE":
        yield STATE_WORDS[trial.state]
    if trial.infeasible is not None and trial.state != "INFEASIBLE":
        yield STATE_WORDS["INFEASIBLE"]


def origin_note(trial: TrialSummary, summary: Summary) -> str | None:
    """Where a configuration came from, unless a sampler drew it: default, recipe, `from trial 3`, `from mine.yaml`."""
    if trial.origin == DEFAULT or (summary.default and trial.number == summary.default.number):
        return DEFAULT
    if trial.origin in (None, SAMPLER):
        return None
    return RECIPE if trial.origin == RECIPE else f"from {trial.origin}"


def headline(summary: Summary) -> str:
    """What to do, in one line."""
    finals = summary.finals
    if finals is None:
        return _provisional_headline(summary)
    if finals.incumbent is not None:
        return incumbents.headline(finals, finals.incumbent)
    winner, compared = finals.finalists[0], finals.against_default
    if winner.is_default:
        return "Ship the default configuration: it is the best on validation."
    if compared is None:
        return f"Ship trial {winner.number}: it was not compared with the default configuration."
    if finals.recommended != winner.number:  # a summary of an earlier version
        doubt = "worse on test" if compared.meaning == "worse" else "not shown to be better"
        return f"Ship the default configuration: trial {winner.number} is {doubt}."
    best = "the best on validation" + (" of what may ship" if _default_is_infeasible(summary) else "")
    return f"Ship trial {winner.number}: {_over_default(finals, winner, compared, best)}."


def _over_default(finals: Finals, winner: FinalistSummary, compared: Comparison, best: str) -> str:
    """What test says of the winner beside the default configuration; `best` says among which it was chosen."""
    default = finals.default
    base = 0.0 if default is None else default.test[key_of(compared.metric)].mean
    if default is not None and _is_about_two_models(compared, winner, default):
        return how_sure(compared, one="its model", other="the default configuration's", base=base, best=best)
    return how_sure(compared, one="it", other="the default configuration", base=base, best=best)


def _provisional_headline(summary: Summary) -> str:
    if summary.best is None:
        which = "no trial that may ship" if summary.constraints else "no trial"
        return f"No winner: {which} has a result."
    is_default = summary.default is not None and summary.best.number == summary.default.number
    leader = "The default configuration" if is_default else f"Trial {summary.best.number}"
    return f"{leader} leads on validation; nothing was tested."


def verdict(summary: Summary) -> Iterator[str]:
    """How sure it is, a sentence each."""
    yield from _constraints(summary)
    if summary.finals is not None:
        yield from _final_verdict(summary, summary.finals)
    else:
        yield from _provisional_verdict(summary)


def _constraints(summary: Summary) -> Iterator[str]:
    """What could not ship, and why."""
    if not summary.constraints:
        return
    skipped = summary.counts.infeasible
    untrained = f"; configurations not trained because they break one: {skipped}" if skipped else ""
    yield f"What ships has {', '.join(summary.constraints)}{untrained}."
    default = _default_trial(summary)
    if default is not None and default.infeasible is not None:
        yield f"The default configuration cannot ship: {default.infeasible}. It is here to be compared with."


def _default_trial(summary: Summary) -> TrialSummary | None:
    return next((trial for trial in summary.trials if trial.origin == DEFAULT), None)


def _default_is_infeasible(summary: Summary) -> bool:
    default = _default_trial(summary)
    return default is not None and default.infeasible is not None


def bounds(summary: Summary) -> Iterator[str]:
    """Parameters of the winner that ask for a wider space."""
    for parameter in summary.on_boundary:
        value = format_value(parameter.value)
        yield f"{parameter.name} {value} is the {parameter.side} bound of the space: widen it."


def failures(summary: Summary, rows: int) -> Iterator[str]:
    """Trials that failed, and why; at most `rows` of them."""
    failed = [trial for trial in summary.trials if trial.state == "FAIL"]
    for trial in failed[:rows]:
        retries = {0: "", 1: " after 1 retry"}.get(trial.retries, f" after {trial.retries} retries")
        yield f"Trial {trial.number} failed{retries}: {trial.reason or 'no reason is known'}"
    if len(failed) > rows:
        yield f"{len(failed) - rows} more trials failed."


# The search: what one seed on validation says.


def _provisional_verdict(summary: Summary) -> Iterator[str]:
    """The best trial against the default configuration, as far as validation can tell."""
    if summary.best is None:
        which = "No trial that may ship" if summary.constraints else "No trial"
        yield f"{which} has a result: there is no winner."
        return
    key, n_valid = objective_key(summary), summary.dataset.n_valid
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


def _final_verdict(summary: Summary, finals: Finals) -> Iterator[str]:
    """The winner against the default configuration and the runner-up, in plain words."""
    winner, *others = finals.finalists
    if finals.incumbent is not None:
        yield from incumbents.sentences(finals, finals.incumbent)
    if winner.is_default:
        ship_it = "of the finalists" if finals.kept else "on validation: ship it"
        yield f"The default configuration is the best {ship_it}."
    elif not any(other.is_default for other in others):
        yield "The default was no finalist, or failed as one: the winner was not compared with it."
    by_number: dict[int | None, FinalistSummary] = {finalist.number: finalist for finalist in others}
    for against, compared in groupby(finals.comparisons, key=lambda comparison: comparison.against):
        yield _sentence(winner, by_number[against], list(compared))
    if compared_on_test := _comparisons(finals):
        yield _about_the_intervals(finals, compared_on_test)
    if finals.recommended != finals.winner:
        yield (
            "An earlier version decided so, by the interval on test. Validation decides now: "
            f"python -m experiments.search --resume {summary.study} ships trial {finals.winner}."
        )
    for failure in finals.failures:
        yield f"Trial {failure.number} failed as a finalist, seed {failure.seed}: {failure.reason}"


def _comparisons(finals: Finals) -> list[Comparison]:
    """Those of the verdict, with the model that a person has among them."""
    return [*(finals.incumbent.comparisons if finals.incumbent else ()), *finals.comparisons]


def _about_the_intervals(finals: Finals, comparisons: Sequence[Comparison]) -> str:
    """What the figures in brackets are, and what they had no say in."""
    sessions = f"other sessions (test has {finals.n_sessions:,})"
    held = {compared.seeds for compared in comparisons}
    scope = f"{sessions} and other seeds" if held == {"held"} else f"{sessions} only"
    nothing_random = "; no seed changes these models" if held == {"none"} else ""
    alone = ", each by itself" if len(comparisons) > 1 else ""
    decided = " Validation chose what to ship, test did not." if finals.recommended == finals.winner else ""
    return f"In brackets: 95 % intervals of the difference, for {scope}{alone}{nothing_random}.{decided}"


def _sentence(winner: FinalistSummary, rival: FinalistSummary, compared: Sequence[Comparison]) -> str:
    """How sure it is that the winner is better than the rival; the first comparison, of the objective, decides."""
    objective = compared[0]
    subject, other = name_of(winner), name_of(rival) if rival.is_default else f"the runner-up, {name_of(rival)},"
    if _is_about_two_models(objective, winner, rival):
        subject, other = f"the model of {subject}", f"that of {other}"
    disagrees = "; validation has it ahead, and decides" if objective.meaning == "worse" else ""
    seeds = about_seeds(objective, len(winner.seeds), len(rival.seeds))
    return f"{claim(objective.meaning, subject, other)}: {figures(compared)}{seeds}{disagrees}."


def about_seeds(compared: Comparison, first: int, second: int) -> str:
    """What a comparison says of seeds, to follow its figures: `, 3 seeds`.

    Args:
        compared: the comparison, of the first less the second.
        first: seeds of the first.
        second: seeds of the second.
    """
    if compared.seeds == "none":
        return ""
    if compared.seeds == "left out" and first == second == 1:
        return ", one seed each: another seed may order the configurations otherwise"
    seeds = seeds_in_words(first) if first == second else f"{seeds_in_words(first)} against {second}"
    return f", {seeds}" + (", and nothing is said of others" if compared.seeds == "left out" else "")


def _is_about_two_models(compared: Comparison, first: FinalistSummary, second: FinalistSummary) -> bool:
    """Whether there was one seed each: then nothing is known of the configurations beyond these trainings."""
    return compared.seeds == "left out" and len(first.seeds) == len(second.seeds) == 1
