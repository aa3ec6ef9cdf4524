"""What a study stores of its spec."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
from support.data_size import BY_DATA, LARGE
from support.study_spec import make_spec

from experiments.cli.search_arguments import build_spec
from experiments.cli.search_parser import build_parser
from experiments.tuning.study.constraints import parse_constraints
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.stored_spec import (
    NOT_STORED,
    check_resumable,
    restored_settings,
    stored_space,
    stored_spec,
)
from narm.config_file import OptionsFile
from narm.errors import InputError
from search_spaces.recipe import Recipe
from search_spaces.space import parse_space


def spec(output: Path) -> StudySpec:
    return build_spec(build_parser().parse_args(["--output", str(output), "--max-failed", "3"]), OptionsFile())


def test_every_field_is_stored_or_named_with_the_reason(tmp_path):
    names = {field.name for field in fields(StudySpec)}
    restored = restored_settings(stored_spec(spec(tmp_path), "f00"))
    assert NOT_STORED.keys() < names
    assert restored.keys() == names - NOT_STORED.keys()
    assert all(NOT_STORED.values())


def test_the_keys_are_those_of_the_studies_there_are(tmp_path):
    """Changing one makes `--resume` forget a setting of every study begun before."""
    stored = stored_spec(spec(tmp_path), "f00")
    assert stored.keys() == {
        "sampler", "scheduler", "grace_epochs", "reduction", "trials", "time_budget", "concurrency", "threads",
        "device", "gpus_per_trial", "finalists", "finalist_seeds", "checkpoint_storage", "system_metrics", "config",
        "recipe", "space", "objectives", "limits", "tracking_uri", "fingerprint", "ship",
        "refit", "finalist_epochs",
        "finalist_runs", "finalist_time",
        "nice", "constraints",
        "against",
    }  # fmt: skip
    assert stored["limits"] == {"epochs": None, "plateau": None, "max_retries": 1, "max_failed": 3}
    assert stored["space"].keys() == {"name", "file", "source"}
    assert stored["objectives"] == "MRR@10"


def test_the_size_of_the_data_is_stored_with_a_space_that_depends_on_it(tmp_path):
    space = parse_space("a", "a.yaml", BY_DATA, LARGE)
    recipe = Recipe("narm", {"learning_rate": 0.005, "dropout_probs": [0.4, 0.3]})
    stored = json.loads(json.dumps(stored_spec(make_spec(tmp_path, space=space, recipe=recipe), "f00")))
    assert stored["space"].keys() == {"name", "file", "source", "data"}
    assert stored_space(stored) == space
    assert stored_space(stored).distributions == space.distributions
    assert restored_settings(stored)["recipe"] == recipe


def test_a_study_from_before_a_setting_has_none_for_it(tmp_path):
    stored = stored_spec(spec(tmp_path), "f00")
    del stored["system_metrics"], stored["limits"]
    restored = restored_settings(stored)
    assert not {"system_metrics", "max_retries", "max_failed"} & restored.keys()


def test_a_study_goes_on_with_the_constraints_that_it_has(tmp_path):
    bounds = parse_constraints(["megabytes <= 50", "request_ms <= 5"])
    begun = make_spec(tmp_path, constraints=bounds)
    stored = json.loads(json.dumps(stored_spec(begun, "f00")))
    assert restored_settings(stored)["constraints"] == bounds
    check_resumable(stored, begun, "f00")
    other = make_spec(tmp_path, constraints=parse_constraints(["megabytes <= 40"]))
    with pytest.raises(InputError, match="has megabytes <= 50, request_ms <= 5, not megabytes <= 40: start"):
        check_resumable(stored, other, "f00")
    del stored["constraints"]  # of an earlier version
    check_resumable(stored, make_spec(tmp_path), "f00")
    with pytest.raises(InputError, match=r"^resume: study 's' has no constraints, not megabytes <= 40"):
        check_resumable(stored, other, "f00")
