"""What every model promises, NARM and baselines alike: one interface, one checkpoint, one rule of ties."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from narm.baselines.baseline import Baseline
from narm.build_model import Model
from narm.checkpoint import load_model, read_checkpoint, save_checkpoint
from narm.config import Config
from narm.data.sessions import Examples, Sessions, Splits
from narm.errors import InputError
from narm.evaluation.full_ranking import rank_targets
from narm.models import MODELS
from narm.training import create_model, fit
from narm.training_state import LiveEpoch, read_history

AT_ONCE = [name for name, entry in MODELS.items() if entry.learned_at_once]
SMALL = {"embedding_size": 8, "hidden_size": 12, "train_batch_size": 128, "learning_rate": 0.02, "epochs": 2}


def run(name: str, splits: Splits, **options: object) -> tuple[Model, list[LiveEpoch], Config]:
    config = Config.from_flat({**SMALL, "model": name, **options})
    model = create_model(splits.n_items, config)
    return model, list(fit(model, splits, config.training, config.evaluation, device="cpu")), config


def ranks(model: Model, examples: Examples) -> np.ndarray:
    return rank_targets(model, examples, max_length=6, batch_size=64)


def padded(examples: Examples, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Prefixes of up to 6 events, [Q, width], and their lengths."""
    found = [examples.prefix(example, 6) for example in range(len(examples))]
    prefixes = torch.zeros(len(found), width, dtype=torch.long)
    for row, prefix in zip(prefixes, found, strict=True):
        row[: len(prefix)] = torch.from_numpy(prefix.astype(np.int64))
    return prefixes, torch.tensor([len(prefix) for prefix in found])


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_checkpoint_scores_as_the_model_that_was_saved(name, ring_splits, tmp_path):
    model, epochs, config = run(name, ring_splits)
    save_checkpoint(tmp_path / "run.pt", epochs[-1].state, config=config, splits=ring_splits)
    loaded = load_model(tmp_path / "run.pt")
    assert type(loaded) is type(model)
    assert (ranks(loaded, ring_splits.test) == ranks(model, ring_splits.test)).all()
    assert loaded.n_parameters == model.n_parameters == epochs[-1].n_parameters > 0


@pytest.mark.parametrize("name", MODELS)
def test_ranks_are_those_of_the_scores_and_ties_count_against(name, ring_splits):
    model, _, _ = run(name, ring_splits)
    found = ranks(model, ring_splits.test)
    if isinstance(model, torch.nn.Module):
        model.eval()
    with torch.no_grad():
        scores = model.scores(*padded(ring_splits.test, width=6))
    targets = torch.from_numpy(ring_splits.test.target_items.astype(np.int64))
    own = scores.gather(1, targets[:, None])
    assert (scores[:, 0] == -torch.inf).all()
    assert (found == (scores[:, 1:] >= own).sum(1).numpy()).all()


@pytest.mark.parametrize("name", MODELS)
def test_padding_and_the_rest_of_a_batch_change_no_score(name, ring_splits):
    model, _, _ = run(name, ring_splits)
    if isinstance(model, torch.nn.Module):
        model.eval()
    prefixes, lengths = padded(ring_splits.test, width=6)
    wider, _ = padded(ring_splits.test, width=9)
    with torch.no_grad():
        together = model.scores(wider, lengths)
        for row in (0, 7, len(lengths) - 1):
            alone = model.scores(prefixes[row : row + 1, : lengths[row]], lengths[row : row + 1])
            torch.testing.assert_close(alone[0], together[row])


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("length", [0, 4])
def test_an_impossible_length_is_refused(name, length, ring_splits):
    model, _, _ = run(name, ring_splits)
    with pytest.raises(ValueError, match=r"lengths must be in 1\.\.3"):
        model.scores(torch.ones(2, 3, dtype=torch.long), torch.tensor([1, length]))


@pytest.mark.parametrize("name", ["narm", "global", "local", "sr", "stan", "vstan"])
def test_models_that_know_the_order_learn_the_ring(name, ring_splits):
    """The next item is the one after; sets of items cannot tell it from the one before."""
    _, epochs, _ = run(name, ring_splits, epochs=20)
    assert epochs[-1].best["mrr_at_10"] > 0.3  # chance is 0.15


@pytest.mark.parametrize("name", ["bpr_mf", "item_knn", "s_knn", "v_sknn"])
def test_models_that_know_sets_learn_which_items_go_together(name, ring_splits):
    _, epochs, _ = run(name, ring_splits, epochs=20)
    assert epochs[-1].best["recall_at_10"] > 0.8  # chance is 0.53


@pytest.mark.parametrize("name", AT_ONCE)
def test_what_is_learned_at_once_has_one_epoch_and_is_final_after_it(name, ring_splits, tmp_path):
    _, epochs, config = run(name, ring_splits, epochs=300)
    (only,) = epochs
    assert (only.epoch, only.best_epoch, only.train_loss, config.training.epochs) == (1, 1, None, 1)
    assert only.n_targets == len(ring_splits.train)
    assert only.is_last
    save_checkpoint(tmp_path / "run.pt", only.state, config=config, splits=ring_splits)
    assert read_history(read_checkpoint(tmp_path / "run.pt")["history"], config.training) == only.state.history
    again = create_model(20, config)
    with pytest.raises(InputError, match=r"run\.pt: nothing to go on from"):
        next(fit(again, ring_splits, config.training, config.evaluation, resume=tmp_path / "run.pt"))


def test_threads_and_chunks_change_nothing(ring_splits, monkeypatch):
    model, _, _ = run("v_sknn", ring_splits)
    expected = ranks(model, ring_splits.test)
    monkeypatch.setattr("narm.evaluation.full_ranking._SCORES", 7 * 20)
    torch.set_num_threads(2)
    assert (ranks(model, ring_splits.test) == expected).all()


def test_without_compiled_kernels_the_same_loop_runs_in_python(ring_splits, monkeypatch):
    model, _, _ = run("stan", ring_splits)
    some = dataclasses.replace(ring_splits.test, targets=ring_splits.test.targets[:20])
    expected = ranks(model, some)
    monkeypatch.setattr("narm.baselines.neighbors.compiled", lambda name, dtype: None)
    assert (ranks(model, some) == expected).all()


@pytest.mark.parametrize("name", AT_ONCE)
def test_items_and_sessions_that_are_unheard_of_are_no_surprise(name):
    """A prefix of items without any event in train, and a train session of one item."""
    model = create_model(6, Config.from_flat(model=name))
    assert isinstance(model, Baseline)
    model.learn(Examples.every_prefix(Sessions(np.array([1, 2, 3, 3], np.int32), np.array([0, 2, 4]))))
    scores = model.scores(torch.tensor([[5, 4]]), torch.tensor([2]))[0, 1:]
    assert scores.isfinite().all()
