"""What a sampler needs, as its entry says."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.data_size import SMALL

from experiments.tuning.optimizer.samplers import SAMPLERS
from narm.errors import InputError
from search_spaces.space import load_space, parse_space

CONDITIONAL = parse_space(
    "conditional",
    "conditional.yaml",
    """
    learning_rate: {low: 1.0e-4, high: 1.0, log: true}
    loss_type: [CE, sampled_softmax]
    softmax_samples: {low: 256, high: 4096, log: true, when: {loss_type: sampled_softmax}}
    hidden_size: {low: 64, high: 64}
    """,
)


def test_grid_refuses_a_continuous_space():
    with pytest.raises(InputError, match="grid needs a finite space, and conditional has continuous ranges: use tpe"):
        SAMPLERS["grid"].check(CONDITIONAL)


@pytest.mark.parametrize(("space", "ranges"), [(load_space("recbole"), 0), (CONDITIONAL, 1)])
def test_cmaes_refuses_a_space_with_fewer_than_two_ranges_that_always_apply(space, ranges):
    with pytest.raises(InputError, match=f"cmaes needs two numeric ranges, and {space.name} has {ranges}: use tpe"):
        SAMPLERS["cmaes"].check(space)


def test_cmaes_refuses_several_objectives():
    with pytest.raises(InputError, match="cmaes follows one objective: use tpe or gp"):
        SAMPLERS["cmaes"].check(load_space("narm", SMALL), n_objectives=2)


@pytest.mark.parametrize("sampler", sorted(set(SAMPLERS) - {"grid", "cmaes"}))
def test_the_others_take_any_space_and_several_objectives(sampler):
    SAMPLERS[sampler].check(CONDITIONAL, n_objectives=2)


@pytest.mark.parametrize(
    ("sampler", "expected"),
    [
        ("qmc", {"learning_rate", "loss_type", "softmax_samples"}),
        ("gp", {"learning_rate", "loss_type", "softmax_samples"}),
        ("tpe", {"learning_rate", "loss_type"}),
        ("cmaes", {"learning_rate"}),
    ],
)
def test_what_a_sampler_draws_together(sampler, expected):
    assert SAMPLERS[sampler].joint_space(CONDITIONAL).keys() == expected


def test_the_names_are_listed_without_optuna():
    code = (
        "import sys; from experiments.tuning.optimizer import samplers, schedulers; "
        "print(*samplers.SAMPLERS, *schedulers.SCHEDULERS, *({'optuna', 'scipy', 'torch'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "tpe",
        "random",
        "grid",
        "qmc",
        "gp",
        "cmaes",
        "asha",
        "hyperband",
        "median",
        "pbt",
        "none",
    ]
