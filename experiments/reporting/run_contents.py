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
        metrics |= {f"best_{name}": value for name, value in summary.best.valid.items()}
    if summary.finals is not None:
        kept = summary.finals.kept
        tested = summary.finals.shipped_test if kept is None else kept.test
        metrics |= {f"test_{name}": value for name, value in tested.items()}
        metrics |= {} if kept else {f"refit_test_{name}": value for name, value in _refit_test(summary.finals).items()}
        metrics |= {} if kept else _cost(summary.finals.shipping)
        metrics |= _against(summary.finals.incumbent)
    return metrics


def _refit_test(finals: Finals) -> Mapping[str, float]:
    return {} if finals.refit is None else finals.refit.model.test


def _against(incumbent: IncumbentSummary | None) -> dict[str, float]:
    """The figures of the model that a person has."""
    if incumbent is None:
        return {}
    valid = {f"against_valid_{name}": value for name, value in incumbent.valid.items()}
    return valid | {f"against_test_{name}": value for name, value in incumbent.test.items()}


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
    best = {f"best_{name}": value for name, value in progress["valid"].items()}
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
