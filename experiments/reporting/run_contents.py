"""Tags and metrics of the runs in MLflow: of a study, its trials, their epochs, and the finalists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from optuna.trial import FrozenTrial

from experiments.tuning.study.environment import git_commit, user_name
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.summary import Finals, IncumbentSummary, Shipping, Summary
from experiments.tuning.study.trial_attributes import COSTS, read_progress
from experiments.tuning.worker.reports import FinalistRun
from narm.training_state import EpochResult


def source_tags(name: str, program: str) -> dict[str, str]:
    """Tags for the origin of a run: its study or comparison, the program, the commit and the person."""
    return {
        "study": name,
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": program,
        "mlflow.source.git.commit": git_commit() or "",
        "mlflow.user": user_name() or "",
    }


def study_metrics(summary: Summary) -> dict[str, float]:
    """The figures by which studies are compared in MLflow; on test, those of the model to ship, or to keep.

    Its figures after a last training on what was held out, a single look, have names of their own.
    """
    metrics = dict(asdict(summary.timing)) | dict(asdict(summary.counts))
    if summary.best is not None:
        metrics |= _named("best", summary.best.valid)
    if summary.finals is not None:
        kept = summary.finals.kept
        metrics |= _shipped(summary.finals) if kept is None else _named("test", kept.test)
        metrics |= _against(summary.finals.incumbent)
    return metrics


def _shipped(finals: Finals) -> dict[str, float]:
    """The figures of the model to ship."""
    return _named("test", finals.shipped_test) | _named("refit_test", _refit_test(finals)) | _cost(finals.shipping)


def _refit_test(finals: Finals) -> Mapping[str, float]:
    return {} if finals.refit is None else finals.refit.model.test


def _against(incumbent: IncumbentSummary | None) -> dict[str, float]:
    """The figures of the model that a person has."""
    if incumbent is None:
        return {}
    return _named("against_valid", incumbent.valid) | _named("against_test", incumbent.test)


def _named(what: str, metrics: Mapping[str, float]) -> dict[str, float]:
    return {f"{what}_{name}": value for name, value in metrics.items()}


def _cost(shipping: Shipping | None) -> dict[str, float]:
    """What the model to ship costs to use."""
    if shipping is None:
        return {}
    return {"model_megabytes": shipping.model.megabytes, "request_milliseconds": shipping.model.milliseconds}


def trial_metrics(trial: FrozenTrial) -> dict[str, float]:
    """The metrics of a trial's best epoch as `best_mrr_at_10`, and what it took; what its model costs, if known."""
    progress = read_progress(trial)
    costs: dict[str, float] = dict(trial.user_attrs.get(COSTS, {}))
    if progress is None:
        return costs
    best = _named("best", progress["valid"])
    return costs | best | {name: float(progress[name]) for name in ("best_epoch", "epochs", "seconds")}


def epoch_metrics(result: EpochResult, spec: StudySpec) -> dict[str, float]:
    """Metrics of an epoch; the best objective first, as MLflow preselects the first where runs are compared."""
    best = {f"best_{spec.config.evaluation.objective}": spec.objectives[0].value(result)}
    return {
        **(best if result.valid else {}),
        **({} if result.train_loss is None else {"train_loss": result.train_loss}),
        "epoch_seconds": result.seconds,
        "targets_per_second": result.targets_per_second,
        "n_parameters": float(result.n_parameters),
        **(result.valid or {}),
    }


def finalist_metrics(run: FinalistRun, objective: str) -> dict[str, float]:
    """The figures of a finalist, named as those of trials and studies, the objective first."""
    return {
        f"best_{objective}": run.valid[objective],
        **{f"best_{name}": value for name, value in run.valid.items()},
        **{f"test_{name}": value for name, value in run.test.items()},
        "best_epoch": run.best_epoch,
        "epochs": run.epochs,
        "seconds": run.seconds,
    }
