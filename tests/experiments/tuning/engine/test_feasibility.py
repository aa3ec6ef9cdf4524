"""What is known of the costs of a configuration before it is trained."""

from __future__ import annotations

import pytest

from experiments.tuning.engine import feasibility
from experiments.tuning.engine.feasibility import Feasibility
from experiments.tuning.study.constraints import parse_constraints
from narm.build_model import build_model
from narm.config import Config

CONFIG = Config.from_flat({"embedding_size": 8})
ITEMS = 31


def bounded(*constraints: str, config: Config = CONFIG) -> Feasibility:
    return Feasibility(constraints=parse_constraints(constraints), config=config, n_items=ITEMS)


@pytest.mark.parametrize("options", [{"hidden_size": 16}, {"hidden_size": 64, "n_layers": 2}, {"scoring": "cosine"}])
def test_the_size_of_a_network_follows_from_its_configuration(options):
    model = build_model(ITEMS, CONFIG.replace(options))
    assert bounded("megabytes <= 1").costs(options) == {
        "n_parameters": model.n_parameters,
        "megabytes": pytest.approx(4 * model.n_parameters / 1e6, rel=1e-3),
    }


def test_nothing_is_computed_where_nothing_is_bounded(monkeypatch):
    monkeypatch.setattr(feasibility, "costs_of_shape", lambda *_: pytest.fail("computed"))
    free = bounded()
    assert (free.costs({}), free.values({}), free.broken({}), free.must_measure({})) == ({}, {}, None, False)


def test_a_shape_is_computed_once_whatever_else_differs(monkeypatch):
    computed = []
    real = feasibility.costs_of_shape

    def counted(config, n_items):
        computed.append(config)
        return real(config, n_items)

    monkeypatch.setattr(feasibility, "costs_of_shape", counted)
    small = bounded("n_parameters <= 3000")
    for rate in (0.1, 0.01):
        assert small.broken({"hidden_size": 8, "learning_rate": rate, "dropout_probs": [rate, rate]}) is None
        assert small.broken({"hidden_size": 128, "learning_rate": rate}) is not None
    assert len(computed) == 2


def test_a_request_is_measured_once_a_shape():
    quick = bounded("request_ms <= 5", "megabytes <= 50")
    assert quick.must_measure({"hidden_size": 8})
    assert quick.broken({"hidden_size": 8}) is None  # as far as is known
    quick.learn({"hidden_size": 8, "learning_rate": 0.1}, {"request_ms": 7.0})
    assert quick.broken({"hidden_size": 8, "learning_rate": 0.2}) == "request_ms 7 (at most 5)"
    assert not quick.must_measure({"hidden_size": 8})
    assert quick.must_measure({"hidden_size": 16})
    assert quick.values({"hidden_size": 8}).keys() == {"request_ms <= 5", "megabytes <= 50"}


def test_all_costs_of_a_baseline_are_measured_and_depend_on_every_option():
    size = bounded("megabytes <= 1", config=Config.from_flat({"model": "s_knn"}))
    assert size.must_measure({"k_neighbors": 100})
    size.learn({"k_neighbors": 100}, {"n_parameters": 1.0, "megabytes": 2.0, "request_ms": 3.0})
    assert size.broken({"k_neighbors": 100}) == "megabytes 2 (at most 1)"
    assert size.must_measure({"k_neighbors": 200})
