"""A small study as a search records it, for the tests of what MLflow then holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlflow.entities import Run

from experiments.tracking.tracker import Tracker


def start(tracker: Tracker, **params: object) -> None:
    tracker.start_study(tags={"sampler": "tpe"}, params=params, artifacts={"space.yaml": "a: 1\n"})


def end(tracker: Tracker, **given: Any) -> None:
    nothing: dict[str, Any] = {"status": "FINISHED", "metrics": {}, "tags": {}, "artifacts": {}, "files": {}}
    tracker.end_study(**nothing | given)


def trial(tracker: Tracker, number: int, state: str | None = "COMPLETE", epochs: int = 3) -> None:
    tracker.start_trial(number, params={"learning_rate": 0.01, "dropout_probs": (0.25, 0.5)}, tags={})
    for epoch in range(1, epochs + 1):
        tracker.log_epoch(number, epoch=epoch, metrics={"mrr_at_10": epoch / 10, "train_loss": 7.0 - epoch})
    if state:
        tracker.end_trial(number, state=state, reason="because", metrics={"best_mrr_at_10": epochs / 10})  # type: ignore[arg-type]


def artifact(run: Run, name: str) -> bytes:
    return Path(run.info.artifact_uri.removeprefix("file://"), name).read_bytes()
