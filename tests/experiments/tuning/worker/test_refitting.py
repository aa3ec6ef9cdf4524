"""A run that ships is trained again on what was held out too: as long as was best, once, and from where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from support.killed_training import killed_in_the_second_epoch

from experiments.tuning.worker.checkpoints import CheckpointStore
from experiments.tuning.worker.finalist_training import run_checkpoint
from experiments.tuning.worker.jobs import Finalist, RefitJob, Training
from experiments.tuning.worker.reports import RefitRun
from experiments.tuning.worker.tune_function import run_job
from narm.checkpoint import load_model, read_checkpoint
from narm.config import Config
from narm.data.refit import take_in
from narm.data.sessions import Splits
from narm.training import create_model, fit
from narm.training_state import EpochResult

CONFIG = Config.from_flat(
    embedding_size=8, hidden_size=8, epochs=5, train_batch_size=64, learning_rate=0.01, stopping_step=2
)
FINALIST = Finalist(number=7, options={"n_layers": 2}, epochs=20)


def refit(
    folder: Path,
    splits: Splits,
    *,
    epochs: int = 3,
    held_out: Literal["valid", "all"] = "valid",
    config: Config = CONFIG,
    finalist: Finalist = FINALIST,
) -> list[int]:
    """Train again; the epochs that were trained."""
    store = CheckpointStore(str(folder))
    store.prepare()
    training = Training(config=config, threads=1, device="cpu", checkpoints=store, finalist_checkpoints=store)
    job = RefitJob(finalist=finalist, seed=5, epochs=epochs, refit=held_out)
    *trained, run = run_job(job, splits, training)
    assert isinstance(run, RefitRun), run
    assert (run.seed, run.epochs) == (5, epochs)
    return [report.epoch for report in trained if isinstance(report, EpochResult)]


def weights(folder: Path, held_out: Literal["valid", "all"] = "valid") -> dict[str, Any]:
    return load_model(folder / run_checkpoint(FINALIST, 5, held_out)).state_dict()


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("held_out", ["valid", "all"])
def test_it_is_the_run_of_that_seed_on_more_sessions_after_so_many_epochs(ring_splits, tmp_path, held_out):
    assert refit(tmp_path, ring_splits, held_out=held_out) == [1, 2, 3]
    everything = take_in(ring_splits, held_out)
    config = CONFIG.replace({"n_layers": 2, "seed": 5, "epochs": 3, "eval_step": 0})
    model = create_model(everything.n_items, config)
    assert len(list(fit(model, everything, config.training, config.evaluation, device="cpu"))) == 3
    assert_same(weights(tmp_path, held_out), dict(model.state_dict()))
    assert read_checkpoint(tmp_path / run_checkpoint(FINALIST, 5, held_out))["refit"] == held_out


def test_a_schedule_runs_as_it_did_and_is_broken_off_where_it_was_best(ring_splits, tmp_path):
    cosine = CONFIG.replace({"learning_rate_schedule": "cosine", "epochs": 8})
    finalist = Finalist(number=7, options={"n_layers": 2}, epochs=8)
    assert refit(tmp_path, ring_splits, config=cosine, finalist=finalist) == [1, 2, 3]
    config = cosine.replace({"n_layers": 2, "seed": 5, "eval_step": 0})
    everything = take_in(ring_splits, "valid")
    model = create_model(everything.n_items, config)
    for epoch in fit(model, everything, config.training, config.evaluation, device="cpu"):
        if epoch.epoch == 3:
            break
    assert_same(weights(tmp_path), dict(model.state_dict()))


def test_an_average_of_the_weights_is_what_ships(ring_splits, tmp_path):
    refit(tmp_path, ring_splits, config=CONFIG.replace({"averaging_passes": 2}))
    saved = read_checkpoint(tmp_path / run_checkpoint(FINALIST, 5, "valid"))
    name = "item_embedding.weight"
    assert torch.equal(weights(tmp_path)[name], saved["average"][f"module.{name}"])
    assert not torch.equal(weights(tmp_path)[name], saved["model"][name])


def test_a_killed_one_goes_on_and_ends_as_if_it_had_not_been(ring_splits, tmp_path):
    refit(tmp_path / "whole", ring_splits)
    with killed_in_the_second_epoch():
        refit(tmp_path, ring_splits)
    assert refit(tmp_path, ring_splits) == [2, 3]
    assert_same(weights(tmp_path), weights(tmp_path / "whole"))
    assert refit(tmp_path, ring_splits) == []  # it is over


def test_one_that_is_to_be_longer_goes_on_and_one_that_is_to_be_shorter_begins_anew(ring_splits, tmp_path):
    refit(tmp_path, ring_splits)
    assert refit(tmp_path, ring_splits, epochs=4) == [4]
    assert refit(tmp_path, ring_splits, epochs=2) == [1, 2]


def test_what_is_learned_at_once_learns_from_all_of_it(ring_splits, tmp_path):
    config = Config.from_flat(model="pop")
    finalist = Finalist(number=7, options={}, epochs=300)
    assert refit(tmp_path, ring_splits, epochs=1, config=config, finalist=finalist) == [1]
    assert refit(tmp_path, ring_splits, epochs=1, config=config, finalist=finalist) == []
    counted = sum(int(weight.sum()) for weight in weights(tmp_path).values())
    assert counted == take_in(ring_splits, "valid").train.sessions.n_events
