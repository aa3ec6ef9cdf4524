"""The bag of some runs as a checkpoint: it loads like one of a single run, and takes runs of one configuration only."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from support.trained_runs import SMALL, train_run, train_runs

from narm.bag import Bag
from narm.bag_checkpoint import save_bag
from narm.checkpoint import load_model, load_vocabulary, read_checkpoint, save_for_use
from narm.config import Config
from narm.errors import InputError
from narm.recommending import Recommender
from narm.training import create_model, fit

PREFIXES, LENGTHS = torch.tensor([[3, 4, 5], [7, 0, 0]]), torch.tensor([3, 1])


def scores(path) -> torch.Tensor:
    with torch.no_grad():
        return load_model(path).scores(PREFIXES, LENGTHS)[:, 1:]


@pytest.mark.parametrize("scoring", [{"scoring": "dot"}, {"scoring": "cosine", "learn_temperature": True}], ids=str)
def test_a_bag_loads_as_one_model_with_the_mean_of_the_scores(ring_splits, tmp_path, scoring):
    runs = train_runs(tmp_path, ring_splits, **scoring)
    save_bag(runs, tmp_path / "bag.pt")
    model = load_model(tmp_path / "bag.pt")
    assert isinstance(model, Bag)
    assert not model.training
    expected = torch.stack([scores(run) for run in runs]).mean(dim=0)
    torch.testing.assert_close(scores(tmp_path / "bag.pt"), expected, rtol=1e-5, atol=1e-5)
    assert load_vocabulary(tmp_path / "bag.pt").raw(1) == "101"


def test_it_says_of_which_runs_it_is(ring_splits, tmp_path):
    save_bag(train_runs(tmp_path, ring_splits, seeds=(4, 5)), tmp_path / "bag.pt")
    members = read_checkpoint(tmp_path / "bag.pt")["members"]
    assert [member["seed"] for member in members] == [4, 5]
    assert [member["best"] for member in members] == [read_checkpoint(tmp_path / f"{s}.pt")["best"] for s in (4, 5)]


def test_a_bag_of_one_run_is_that_run_for_use(ring_splits, tmp_path):
    (run,) = train_runs(tmp_path, ring_splits, seeds=[1])
    save_bag([run], tmp_path / "bag.pt")
    save_for_use(run, tmp_path / "model.pt")
    assert not isinstance(load_model(tmp_path / "bag.pt"), Bag)
    assert torch.equal(scores(tmp_path / "bag.pt"), scores(tmp_path / "model.pt"))


def test_a_bag_recommends_and_may_be_written_again(ring_splits, tmp_path):
    save_bag(train_runs(tmp_path, ring_splits), tmp_path / "bag.pt")
    save_for_use(tmp_path / "bag.pt", tmp_path / "again.pt")
    first, again = (Recommender.load(tmp_path / name).recommend([[103, 104]], k=4) for name in ("bag.pt", "again.pt"))
    assert len(first[0].items) == 4
    assert first == again


def test_training_does_not_go_on_from_a_bag(ring_splits, tmp_path):
    save_bag(train_runs(tmp_path, ring_splits), tmp_path / "bag.pt")
    config = Config.from_flat({**SMALL, "epochs": 2})
    model = create_model(ring_splits.n_items, config)
    again = fit(model, ring_splits, config.training, config.evaluation, device="cpu", resume=tmp_path / "bag.pt")
    with pytest.raises(InputError, match="holds a model to use, not its training"):
        next(again)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hidden_size": 13}, "hidden_size 13, and .*1.pt with 12; a bag takes runs of one configuration"),
        ({"learning_rate": 0.02}, "learning_rate 0.02, and .*1.pt with 0.01"),
        ({"max_item_list_length": 4}, "max_item_list_length 4, and .*1.pt with 50"),
    ],
)
def test_runs_of_other_configurations_are_refused(ring_splits, tmp_path, options, said):
    (first,) = train_runs(tmp_path, ring_splits, seeds=[1])
    other = train_run(tmp_path / "other.pt", ring_splits, **options)
    with pytest.raises(InputError, match=said):
        save_bag([first, other], tmp_path / "bag.pt")
    assert not (tmp_path / "bag.pt").exists()


def test_runs_may_have_been_allowed_more_epochs(ring_splits, tmp_path):
    (first,) = train_runs(tmp_path, ring_splits, seeds=[1])
    longer = train_run(tmp_path / "longer.pt", ring_splits, seed=2, epochs=2)
    save_bag([first, longer], tmp_path / "bag.pt")
    assert [member["epoch"] for member in read_checkpoint(tmp_path / "bag.pt")["members"]] == [1, 2]


def test_other_data_are_refused(ring_splits, tmp_path):
    (first,) = train_runs(tmp_path, ring_splits, seeds=[1])
    other = train_run(tmp_path / "other.pt", replace(ring_splits, fingerprint="another ring"))
    with pytest.raises(InputError, match=r"was trained on other data than .*1.pt"):
        save_bag([first, other], tmp_path / "bag.pt")


@pytest.mark.parametrize("kind", ["baseline", "bag"])
def test_what_is_no_single_network_is_refused(ring_splits, tmp_path, kind):
    path = tmp_path / "it.pt"
    if kind == "bag":
        save_bag(train_runs(tmp_path, ring_splits), path)
    else:
        train_run(path, ring_splits, model="s_pop")
    with pytest.raises(InputError, match=r"a bag takes single networks, and this is a (Bag|SessionPopularity)"):
        save_bag([path, path], tmp_path / "bag.pt")
