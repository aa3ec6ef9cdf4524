"""What a search says before it begins."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from support.data_size import BY_DATA, SMALL
from support.study_spec import make_spec

from experiments.cli import run_search
from experiments.tuning.study.spec import StudySpec
from narm.machine.capacity import Cores
from search_spaces.recipe import Recipe
from search_spaces.space import parse_space


@pytest.mark.parametrize(
    ("available", "address", "said"),
    [
        (Cores(1, 64, "CPU quota"), None, "1 at once, on 1 of 64 cores (CPU quota). Study s."),
        (Cores(64, 64), None, "1 at once. Study s."),
        (Cores(1, 64, "CPU quota"), "10.0.0.1:6379", "1 at once. Study s."),
    ],
)
def test_what_bounds_the_cores_is_said_unless_it_is_the_machine(tmp_path, monkeypatch, available, address, said):
    monkeypatch.setattr(run_search, "cores", lambda: available)
    out = io.StringIO()
    run_search._announce(make_spec(tmp_path, address=address), Console(file=out, width=300))
    assert out.getvalue().splitlines()[0].endswith(said)


def announced(spec: StudySpec) -> list[str]:
    out = io.StringIO()
    run_search._announce(spec, Console(file=out, width=300))
    run_search._announce_recipe(spec, Console(file=out, width=300))
    return out.getvalue().splitlines()[1:]


def test_what_the_data_decided_is_said(tmp_path):
    assert announced(make_spec(tmp_path, space=parse_space("a", "a.yaml", BY_DATA, SMALL))) == [
        "By the data, 98,000 training targets, 1,700 items: hidden_size 32 to 212 (high: items / 8 at most 512), "
        "loss_type CE (sampled_softmax where items > 10000), softmax_samples left out."
    ]
    assert announced(make_spec(tmp_path)) == []


def test_the_recipe_is_said_or_why_it_is_not_tried(tmp_path):
    recipe = Recipe("mine.yaml", {"learning_rate": 0.005})
    assert announced(make_spec(tmp_path, recipe=recipe)) == [
        "The recipe mine.yaml comes after the default configuration: learning_rate=0.005 hidden_size=128 n_layers=1 "
        "dropout_probs=[0.25, 0.5]."
    ]
    recipe = Recipe("mine.yaml", {"weight_decay": 0.1})
    assert announced(make_spec(tmp_path, recipe=recipe)) == [
        "The recipe mine.yaml is not tried: its weight_decay is 0.1, and the search has 0.0."
    ]
