"""Finalists: the few configurations that are trained again, over several seeds, and compared on test once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from experiments.tuning.engine.racing import Racer
from experiments.tuning.study.summary import FinalistFailure, TrialSummary
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.config import Config
from narm.seeds import derived_seed

_FIRST_NUMBER = 2**32
"""Trials are numbered from 0 and never reach this, so no finalist's seed derives from the number of a trial."""


def choose_finalists(
    trials: Sequence[TrialSummary], *, default: int | None, k: int, with_default: bool = True
) -> list[Finalist]:
    """The best k trials by validation, from the best down, then the default configuration if it is not among them.

    A trial without a value, or failed, is never one. One that breaks a constraint is one only as the default
    configuration, which the others are compared with, and not without others.

    Args:
        trials: those of the study.
        default: number of the trial of the default configuration; None: there was none.
        k: how many; with 0 there are no finalists at all.
        with_default: whether the default configuration is one in any case.
    """
    if k == 0:
        return []
    valued = _ranked(trials)
    chosen = _feasible(valued)[:k]
    if not chosen:
        return []
    if with_default and default not in [trial.number for trial in chosen]:
        chosen += [trial for trial in valued if trial.number == default]
    return [
        Finalist(
            number=trial.number,
            options=trial.params,
            is_default=trial.number == default,
            may_ship=trial.infeasible is None,
        )
        for trial in chosen
    ]


def values_that_count(trials: Sequence[TrialSummary], k: int) -> dict[int, float]:
    """Values of the best k trials that say as much of their configuration as another run would, by number.

    Those are what was trained to its end. The default configuration, where it is a finalist in any case, has a trial
    that was not chosen, and so was not lucky either.
    """
    return {trial.number: _value(trial) for trial in _feasible(_ranked(trials))[:k] if trial.state == "COMPLETE"}


def _ranked(trials: Sequence[TrialSummary]) -> list[TrialSummary]:
    """Those with a value, from the best down."""
    return sorted((trial for trial in trials if _value(trial) > -math.inf), key=lambda t: (-_value(t), t.number))


def _feasible(trials: Sequence[TrialSummary]) -> list[TrialSummary]:
    """Those that keep the constraints of the search."""
    return [trial for trial in trials if trial.infeasible is None]


def _value(trial: TrialSummary) -> float:
    has_value = trial.state != "FAIL" and trial.value is not None and math.isfinite(trial.value)
    return trial.value if has_value and trial.value is not None else -math.inf


def finalist_seeds(study_seed: int, count: int) -> list[int]:
    """Seeds of the runs of each finalist, the same for all, so that they begin and shuffle alike.

    They are none of the trials' seeds, which chose the finalists: a trial that was merely lucky with its seed must
    not be lucky again. (Hashes of 32 bits may still agree, for one pair in four billion.)
    """
    return [derived_seed(study_seed, _FIRST_NUMBER + i) for i in range(count)]


def racers(
    finalists: Sequence[Finalist],
    runs: Sequence[FinalistRun],
    failures: Sequence[FinalistFailure],
    objective: str,
    trials: Mapping[int, float],
    in_flight: Mapping[int, int] | None = None,
) -> list[Racer]:
    """The finalists as the race sees them.

    Args:
        finalists: all of them, the best trial first.
        runs: runs that are done.
        failures: runs that were given up.
        objective: key of the metric on validation that decides.
        trials: values of trials that count, by number.
        in_flight: runs that have begun and not ended, by number.
    """
    return [
        Racer(
            number=finalist.number,
            runs=[run.valid[objective] for run in runs if run.finalist.number == finalist.number],
            trial=trials.get(finalist.number),
            in_flight=(in_flight or {}).get(finalist.number, 0),
            failed=sum(failure.number == finalist.number for failure in failures),
            is_default=finalist.is_default,
            may_win=finalist.may_ship,
        )
        for finalist in finalists
    ]


def runs_of(number: int, runs: Sequence[FinalistRun], config: Config) -> list[FinalistRun]:
    """The runs of a finalist, the best on validation first; of equals, in their order.

    Args:
        number: number of the finalist's trial.
        runs: runs of all finalists.
        config: options of the study.
    """
    of_one = [run for run in runs if run.finalist.number == number]
    return sorted(of_one, key=lambda run: -run.valid[config.evaluation.objective])
