"""A small study as the engine leaves it, in memory, for the tests of what is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from support.search_summary import FINALS, SUMMARY

from experiments.tuning.study import trial_attributes
from experiments.tuning.study.results import summarize_trial
from experiments.tuning.study.saved_study import SavedStudy
from experiments.tuning.study.stored_spec import Record
from experiments.tuning.study.summary import Best, Counts, Default, ParetoPoint, Summary
from narm.config import Config

SPACE = "learning_rate: {low: 1e-4, high: 1e-2, log: true}\nhidden_size: [16, 32]\n"
_DISTRIBUTIONS = {
    "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
    "hidden_size": CategoricalDistribution([16, 32]),
}
_START = datetime(2026, 1, 2, 3, 4)


def trial(
    number: int,
    values: Sequence[float],
    params: dict[str, Any] | None = None,
    *,
    state: TrialState = TrialState.COMPLETE,
    costs: Sequence[float] = (),
    **attributes: Any,
) -> FrozenTrial:
    """A trial that reported one value an epoch; without parameters it is outside the space, as a default may be."""
    params = params or {}
    progress = {"epochs": len(values), "best_epoch": len(values), "seconds": 2.0 * len(values)}
    made = create_trial(
        state=state,
        values=[values[-1], *costs] if state is TrialState.COMPLETE else None,
        params=params,
        distributions={name: _DISTRIBUTIONS[name] for name in params},
        intermediate_values=dict(enumerate(values, start=1)),
        user_attrs={
            trial_attributes.OPTIONS: params or {"learning_rate": 0.001, "hidden_size": 128},
            trial_attributes.REASON: "because",
            **({trial_attributes.PROGRESS: progress | _metrics(values[-1])} if values else {}),
            **attributes,
        },
    )
    made.datetime_start = _START + timedelta(seconds=5 * number)
    ended = made.datetime_start + timedelta(seconds=2 * len(values) + 1)
    made.datetime_complete = ended if state.is_finished() else None
    return made


def _metrics(value: float) -> dict[str, Any]:
    return {"value": value, "valid": {"recall_at_10": value, "mrr_at_10": value}}


def search(n: int = 12, seed: int = 0) -> list[FrozenTrial]:
    """Trials of a search: the default, then some that learn the better the nearer their rate is to 0.003."""
    rng = np.random.default_rng(seed)
    trials = [trial(0, [0.05, 0.10, 0.15, 0.20], **{trial_attributes.DEFAULT: True})]
    for number in range(1, n):
        rate = float(10 ** rng.uniform(-4, -2))
        best = 0.3 - 0.1 * abs(np.log10(rate / 0.003))
        epochs = 4 if best > 0.25 else 1
        values = [best * (0.4 + 0.2 * epoch) for epoch in range(epochs)]
        state = TrialState.COMPLETE if epochs == 4 else TrialState.PRUNED
        trials.append(trial(number, values, {"learning_rate": rate, "hidden_size": [16, 32][number % 2]}, state=state))
    failed = trial(n, [], {"learning_rate": 0.005, "hidden_size": 16}, state=TrialState.FAIL)
    failed.user_attrs |= {
        trial_attributes.REASON: "MemoryError: <out> of & memory",
        trial_attributes.TRACEBACK: "Traceback /secret",
    }
    return [*trials, failed]


def study_of(
    trials: Sequence[FrozenTrial],
    *,
    name: str = "my-study",
    directions: Sequence[str] = ("maximize",),
    storage: BaseStorage | str | None = None,
) -> optuna.Study:
    study = optuna.create_study(study_name=name, directions=directions, storage=storage)
    study.add_trials(trials)
    return study


def summary_of(study: optuna.Study, **changes: Any) -> Summary:
    """Its summary, with the finalists of `search_summary`, which are trials 1, 2 and 0."""
    trials = [summarize_trial(trial) for trial in study.trials]
    valued = [trial for trial in trials if trial.value is not None]
    best = max(valued, key=lambda trial: trial.value or 0.0, default=None)
    summary = replace(
        SUMMARY,
        study=study.study_name,
        trials=trials,
        counts=Counts.of(trials),
        best=best and Best(number=best.number, params=best.params, valid={"recall_at_10": best.value or 0.0}),
        default=Default(number=0, valid={"recall_at_10": 0.2}),
        finals=FINALS,
        pareto=[
            ParetoPoint(number=trial.number, values={"Recall@10": trial.values[0], "n_parameters": trial.values[1]})
            for trial in (study.best_trials if len(study.directions) > 1 else [])
        ],
    )
    return replace(summary, **changes)


RECORD: Record = {
    "config": Config.from_flat(dataset="synthetic", valid_metric="Recall@10", epochs=4).flat(),
    "space": {"name": "mine", "file": "mine.yaml", "source": SPACE},
    "objectives": "Recall@10",
    "sampler": "tpe", "scheduler": "asha", "trials": 13, "time_budget": None, "concurrency": 2, "threads": 1,
    "finalists": 2, "finalist_seeds": 3, "limits": {}, "tracking_uri": "sqlite:////tmp/mlflow.db", "fingerprint": "f00",
}  # fmt: skip


def saved(folder: Path, trials: Sequence[FrozenTrial] | None = None, **changes: Any) -> SavedStudy:
    """The study as a report gets it; its database is in memory."""
    study = study_of(search() if trials is None else trials, name=folder.name)
    return SavedStudy(
        study=study,
        record=RECORD,
        summary=summary_of(study, **changes),
        folder=folder,
        storage=f"sqlite:///{folder.parent.resolve()}/studies.db",
    )
