"""A spec of a study, for tests that change some of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.tuning.study.objectives import parse_objectives
from experiments.tuning.study.spec import StudySpec
from narm.config import Config
from search_spaces.space import load_space


def make_spec(output: Path, **changes: Any) -> StudySpec:
    settings: dict[str, Any] = {
        "name": "s",
        "config": Config.from_flat({"epochs": 3}),
        "space": load_space("recbole"),
        "sampler": "tpe",
        "scheduler": "asha",
        "trials": 4,
        "concurrency": 1,
        "threads": 1,
        "device": "cpu",
        "time_budget": None,
        "objectives": parse_objectives("MRR@10"),
        "grace_epochs": None,
        "reduction": 3,
        "max_retries": 0,
        "max_failed": None,
        "gpus_per_trial": 0.0,
        "finalists": 0,
        "finalist_seeds": 1,
        "address": None,
        "checkpoint_storage": None,
        "storage": f"sqlite:///{output}/studies.db",
        "tracking_uri": f"sqlite:///{output}/mlflow.db",
        "output": output,
        "command": "test",
    }
    return StudySpec(**{**settings, **changes})
