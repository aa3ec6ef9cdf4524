"""What a configuration costs: which part of the data is trained on, and what is made of the seconds."""

from __future__ import annotations

import numpy as np
import pytest
from support.ring import ring_of_items

from experiments.tuning.planning.probe import probe, some_sessions, some_targets
from narm.config import Config, DataConfig
from narm.data.datasets import load_splits
from narm.training import create_model


def test_some_sessions_are_whole_and_lie_evenly_among_all():
    train = load_splits(DataConfig(dataset="synthetic")).train
    some = some_sessions(train, len(train) // 10)
    assert len(some) == pytest.approx(len(train) / 10, rel=0.2)
    whole = {tuple(train.sessions[session].tolist()) for session in range(len(train.sessions))}
    chosen = [tuple(some.sessions[session].tolist()) for session in range(len(some.sessions))]
    assert set(chosen) <= whole
    last = len(train.sessions) - 1
    assert chosen[0] == tuple(train.sessions[0].tolist())
    assert chosen[-1] == tuple(train.sessions[last].tolist())


def test_some_targets_are_a_choice_of_them():
    valid = load_splits(DataConfig(dataset="synthetic")).valid
    some = some_targets(valid, 7)
    assert len(some) == 7
    assert np.isin(some.targets, valid.targets).all()
    assert some_targets(valid, 10**6) is valid


@pytest.mark.parametrize("model", ["narm", "item_knn"])
def test_a_configuration_is_measured(model):
    cost = probe(config_of(model), ring_of_items(), device="cpu")
    assert cost.pass_seconds > 0
    assert cost.validation_seconds > 0


def test_a_network_holds_gradients_and_two_moments_beside_its_weights():
    splits, config = ring_of_items(), config_of("narm")
    weights = 4 * create_model(splits.n_items, config).n_parameters
    assert probe(config, splits, device="cpu").parameter_bytes == 4 * weights


def config_of(model: str) -> Config:
    return Config.from_flat(model=model, **({"embedding_size": 8, "hidden_size": 8} if model == "narm" else {}))
