"""Data that have moved since a study was begun."""

from __future__ import annotations

import pytest

from experiments.cli.recorded_data import load_recorded
from narm.config import DataConfig
from narm.errors import InputError


def test_data_that_are_no_longer_there_can_be_named_where_they_are():
    with pytest.raises(InputError, match=r"^dataset: study 's' was on /gone/clicks.csv, .*: name .* with --dataset$"):
        load_recorded(DataConfig(dataset="/gone/clicks.csv"), "s")


def test_a_dataset_with_a_name_is_everywhere():
    assert load_recorded(DataConfig(dataset="synthetic"), "s").name == "synthetic"


def test_a_study_is_not_said_to_be_on_data_that_the_command_line_names():
    with pytest.raises(InputError, match=r"^/gone/other.csv: no such file$"):
        load_recorded(DataConfig(dataset="/gone/other.csv"), "s", named_now=True)
