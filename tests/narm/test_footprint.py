"""What a model costs to use: its weights, and the time of a request."""

from __future__ import annotations

import pytest
from support.trained_runs import train_run, train_runs

from narm import footprint
from narm.bag_checkpoint import save_bag
from narm.checkpoint import load_model, read_checkpoint
from narm.config import Config
from narm.footprint import costs_of_shape, measure_footprint, measure_untrained
from narm.recommending import Recommender


def test_megabytes_are_those_of_the_weights_for_use(ring_splits, tmp_path):
    (run,) = train_runs(tmp_path, ring_splits, seeds=[1])
    expected = 4 * load_model(run).n_parameters / 1e6  # float32; the file has the optimizer's moments, too
    assert measure_footprint(run, ring_splits.test).megabytes == pytest.approx(expected)


def test_a_bag_is_as_large_as_its_members_together(ring_splits, tmp_path):
    runs = train_runs(tmp_path, ring_splits)
    save_bag(runs, tmp_path / "bag.pt")
    single, bag = (measure_footprint(path, ring_splits.test) for path in (runs[0], tmp_path / "bag.pt"))
    assert bag.megabytes == pytest.approx(3 * single.megabytes)


def test_requests_are_sessions_of_the_examples_one_at_a_time(ring_splits, tmp_path, monkeypatch):
    path, asked = train_run(tmp_path / "run.pt", ring_splits), []
    recommend = Recommender.recommend

    def noted(self, sessions, k):
        asked.append(sessions)
        return recommend(self, sessions, k)

    monkeypatch.setattr(Recommender, "recommend", noted)
    assert measure_footprint(path, ring_splits.test).milliseconds > 0
    assert len(asked) == footprint.WARM_UP + footprint.REQUESTS
    prefixes = [(ring_splits.test.prefix(row, 50) + 100).tolist() for row in range(len(ring_splits.test))]
    assert all(len(sessions) == 1 and sessions[0] in prefixes for sessions in asked)
    assert asked[0] != asked[-1]


def test_a_baseline_has_a_footprint_too(ring_splits, tmp_path):
    path = train_run(tmp_path / "run.pt", ring_splits, model="s_pop")
    assert measure_footprint(path, ring_splits.test).megabytes > 0


@pytest.mark.parametrize("model", ["narm", "bpr_mf", "s_knn"])
def test_what_a_model_costs_is_known_before_it_is_trained(ring_splits, tmp_path, model):
    path = train_run(tmp_path / "run.pt", ring_splits, model=model)
    config = Config.from_flat(read_checkpoint(path)["config"])
    before, after = measure_untrained(config, ring_splits), measure_footprint(path, ring_splits.test)
    assert before.megabytes == pytest.approx(after.megabytes)
    assert before.request_ms is not None
    assert before.request_ms > 0
    assert before.n_parameters == load_model(path).n_parameters
    if model != "s_knn":
        of_shape = costs_of_shape(config, ring_splits.n_items)
        assert of_shape.known == {"n_parameters": before.n_parameters, "megabytes": before.megabytes}


def test_a_size_is_computed_without_room_for_the_model():
    size = costs_of_shape(Config.from_flat({"embedding_size": 512}), n_items=10**9)  # 2 TB
    assert size.megabytes > 2e6
