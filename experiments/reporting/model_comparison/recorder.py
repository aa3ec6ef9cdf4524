"""Records a comparison of models in MLflow: one run, beside those of its searches.

Its outbox is in the comparison's folder: a repeated comparison updates the same run, and `python -m experiments.sync`
sends what the server has missed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from experiments.reporting.model_comparison.report import sentences
from experiments.reporting.run_contents import source_tags
from experiments.tracking.tracker import open_tracker
from experiments.tuning.engine.model_comparison import ModelComparison
from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.environment import git_commit
from experiments.tuning.study.folder import ARTIFACTS, COMPARISON, OUTBOX
from experiments.tuning.study.spec import StudySpec
from narm.errors import InputError
from narm.metrics import key_of

logger = logging.getLogger(__name__)

_FILES = (COMPARISON, "comparison.md", "by_length.png")


def record_comparison(
    comparison: ModelComparison, folder: Path, *, of: StudySpec, dataset: Dataset, without_result: Sequence[str]
) -> None:
    """Write a comparison's run, or bring it up to date; what goes wrong is a warning, as the results are on disk.

    Args:
        comparison: the result.
        folder: folder of the comparison, which holds the artifacts; the run has its name.
        of: one of the searches: they share data, objective and server.
        dataset: description of the data.
        without_result: models that have no result.
    """
    try:
        tracker = open_tracker(
            of.tracking_uri,
            name=folder.name,
            experiment=dataset.name,
            artifact_dir=of.output / ARTIFACTS,
            outbox=folder / OUTBOX,
            dataset=dataset,
        )
    except (InputError, OSError) as error:
        logger.warning("The comparison is not recorded in MLflow (%s): its results are in %s", error, folder)
        return
    tracker.start_study(
        kind="comparison",
        tags=source_tags(folder.name, "experiments.compare") | _tags(comparison, of, without_result),
        # MLflow keeps a parameter's first value: these are the ones that no repetition can change.
        params={"dataset": comparison.dataset, "objective": comparison.objective, "seed": of.seed},
        artifacts={},
    )
    tracker.end_study(
        status="FINISHED",
        metrics=comparison_metrics(comparison),
        tags={},
        artifacts={},
        files={name: folder / name for name in _FILES},
        description=" ".join(sentences(comparison)),
    )


def comparison_metrics(comparison: ModelComparison) -> dict[str, float]:
    """Each model's figures, as `v_sknn_mrr_at_20` on test and `v_sknn_valid_mrr_at_20` on validation."""
    found: dict[str, float] = {}
    for row in comparison.rows:
        found |= {f"{row.model}_{key_of(metric)}": row.test[metric].mean for metric in comparison.metrics}
        found[f"{row.model}_valid_{key_of(comparison.objective)}"] = row.valid.mean
    return found


def _tags(comparison: ModelComparison, of: StudySpec, without_result: Sequence[str]) -> dict[str, str]:
    """Tags by which runs can be filtered; a repetition may change any of them."""
    return {
        "command": of.command,
        "git_commit": git_commit() or "",
        "dataset": comparison.dataset,
        "fingerprint": comparison.fingerprint,
        "objective": comparison.objective,
        "best_model": comparison.reference.model,
        "models": ", ".join(row.model for row in comparison.rows),
        "without_result": ", ".join(without_result),
    }
