"""The optimizers are torch's own, to the last bit."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
import torch

from narm.optimization import OPTIMIZERS

TORCHS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "adagrad": torch.optim.Adagrad}
USE = """
import sys
import torch
from narm.optimization import OPTIMIZERS
weight = torch.nn.Parameter(torch.ones(3))
for make in OPTIMIZERS.values():
    optimizer = make([weight], lr=0.1, fused=True)
    optimizer.zero_grad(set_to_none=True)
    weight.square().sum().backward()
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
print("torch._dynamo" in sys.modules)
"""


def train(optimizer: torch.optim.Optimizer, weight: torch.Tensor, steps: int = 3) -> None:
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        (weight - 2).pow(4).sum().backward()
        optimizer.step()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_and_the_state_are_those_of_torch(name):
    settings = {"lr": 0.1, "weight_decay": 0.01, "fused": True}
    weights = [torch.nn.Parameter(torch.linspace(-1, 1, 5)) for _ in range(2)]
    ours, torchs = OPTIMIZERS[name]([weights[0]], **settings), TORCHS[name]([weights[1]], **settings)
    train(ours, weights[0])
    train(torchs, weights[1])
    assert torch.equal(*weights)

    resumed = OPTIMIZERS[name]([weights[0]], lr=1.0, fused=True)
    resumed.load_state_dict(copy.deepcopy(torchs.state_dict()))
    train(resumed, weights[0])
    train(torchs, weights[1])
    assert torch.equal(*weights)
    assert not weights[0].grad_fn


@pytest.mark.slow
def test_training_does_not_import_the_compiler_of_torch():
    done = subprocess.run([sys.executable, "-c", USE], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
