"""A finalist's training: once, with its own seed, and from where it stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.killed_training import killed_in_the_second_epoch

from experiments.tuning.worker import finalist_training
from experiments.tuning.worker.checkpoints import CheckpointStore
from experiments.tuning.worker.finalist_training import run_checkpoint, train_finalist
from experiments.tuning.worker.jobs import Finalist, FinalistJob, Training
from experiments.tuning.worker.reports import FinalistRun
from narm.checkpoint import load_model
from narm.config import Config
from narm.evaluation.full_ranking import evaluate, rank_targets
from narm.training_state import EpochResult

CONFIG = Config.from_flat(
    embedding_size=8, hidden_size=8, epochs=3, train_batch_size=64, learning_rate=0.01, topk=[5], metrics=["MRR"]
)
FINALIST = Finalist(number=7, options={"n_layers": 2})


def train(folder: Path, splits, config: Config = CONFIG, seed: int = 5, finalist: Finalist = FINALIST) -> FinalistRun:
    store = CheckpointStore(str(folder))
    store.prepare()
    training = Training(config=config, threads=1, device="cpu", checkpoints=store, finalist_checkpoints=store)
    *reports, run = train_finalist(FinalistJob(finalist, seed), splits, training, folder)
    assert isinstance(run, FinalistRun)
    epochs = [report.epoch for report in reports if isinstance(report, EpochResult)]
    assert epochs == list(range(1, run.epochs + 1))[run.epochs - len(epochs) :]
    return run


def assert_same(one: FinalistRun, other: FinalistRun) -> None:
    assert (one.ranks == other.ranks).all()
    for field in ("seed", "epochs", "best_epoch", "valid", "test"):
        assert getattr(one, field) == getattr(other, field)


def test_a_finalist_is_judged_on_test_by_the_weights_of_its_best_epoch(ring_splits, tmp_path):
    run = train(tmp_path, ring_splits)
    model = load_model(tmp_path / run_checkpoint(FINALIST, 5))
    assert model.config.n_layers == 2
    ranks = rank_targets(model, ring_splits.test, max_length=6, batch_size=64)
    assert (run.ranks == ranks).all()
    assert run.test.keys() == {"mrr_at_5", "mrr_at_10", "recall_at_5", "recall_at_10"}
    assert run.test["recall_at_10"] == (ranks <= 10).mean()
    assert run.valid == evaluate(model, ring_splits.valid, CONFIG.evaluation, max_length=6)
    assert 1 <= run.best_epoch <= run.epochs == 3
    assert run.seconds > 0


def test_the_seed_decides(ring_splits, tmp_path):
    assert_same(train(tmp_path / "a", ring_splits), train(tmp_path / "b", ring_splits))
    assert (train(tmp_path, ring_splits, seed=6).ranks != train(tmp_path, ring_splits, seed=5).ranks).any()


def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been(ring_splits, tmp_path, monkeypatch):
    whole = train(tmp_path / "whole", ring_splits)
    with killed_in_the_second_epoch():
        train(tmp_path, ring_splits)
    save, epochs = finalist_training.save_checkpoint, []

    def counting(path: Path, state: Any, **keywords: Any) -> None:
        epochs.append(state.epoch)
        save(path, state, **keywords)

    monkeypatch.setattr(finalist_training, "save_checkpoint", counting)
    assert_same(whole, train(tmp_path, ring_splits))
    assert epochs == [2, 3]


def test_a_run_that_was_killed_before_it_was_judged_is_judged_and_not_trained_again(ring_splits, tmp_path, monkeypatch):
    run = train(tmp_path, ring_splits)
    monkeypatch.setattr(finalist_training, "fit", None)
    assert_same(run, train(tmp_path, ring_splits))


@pytest.mark.parametrize("change", [{"learning_rate": 0.02}, {"valid_metric": "Recall@5"}])
def test_a_checkpoint_of_another_configuration_is_not_gone_on_with(ring_splits, tmp_path, change):
    train(tmp_path, ring_splits)
    changed = CONFIG.replace(change)
    assert_same(train(tmp_path / "fresh", ring_splits, changed), train(tmp_path, ring_splits, changed))


def test_a_torn_checkpoint_is_not_gone_on_with(ring_splits, tmp_path):
    run = train(tmp_path, ring_splits)
    (tmp_path / run_checkpoint(FINALIST, 5)).write_bytes(b"PK torn")
    assert_same(run, train(tmp_path, ring_splits))


def with_bound(epochs: int) -> Finalist:
    return replace(FINALIST, epochs=epochs)


def test_a_run_that_its_bound_ended_goes_on_when_it_may(ring_splits, tmp_path):
    expected = train(tmp_path / "at once", ring_splits, finalist=with_bound(6))
    assert train(tmp_path, ring_splits).epochs == 3
    assert_same(expected, train(tmp_path, ring_splits, finalist=with_bound(6)))


def test_a_run_that_early_stopping_ended_is_the_same_under_any_bound(ring_splits, tmp_path, monkeypatch):
    config = CONFIG.replace({"stopping_step": 0, "learning_rate": 0.5})
    run = train(tmp_path, ring_splits, config, finalist=with_bound(50))
    assert run.epochs < 50
    monkeypatch.setattr(finalist_training, "fit", None)
    assert_same(run, train(tmp_path, ring_splits, config, finalist=with_bound(300)))


def test_a_run_that_went_further_than_it_may_now_begins_anew(ring_splits, tmp_path):
    train(tmp_path, ring_splits, finalist=with_bound(4))
    assert_same(train(tmp_path / "at once", ring_splits), train(tmp_path, ring_splits))


def test_a_schedule_that_ends_with_the_last_epoch_begins_anew_with_another_bound(ring_splits, tmp_path):
    config = CONFIG.replace({"learning_rate_schedule": "linear"})
    train(tmp_path, ring_splits, config)
    longer = with_bound(4)
    expected = train(tmp_path / "at once", ring_splits, config, finalist=longer)
    assert_same(expected, train(tmp_path, ring_splits, config, finalist=longer))
