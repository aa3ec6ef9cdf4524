"""Who is a finalist, and a finalist's training: once, with its own seeds, and from where it stopped."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.tuning.study.summary import TrialSummary
from experiments.tuning.worker import finalists
from experiments.tuning.worker.checkpoints import CheckpointStore
from experiments.tuning.study.finalist_runs import read_run, result_path, write_run
from experiments.tuning.worker.finalist_training import run_checkpoint, train_finalist
from experiments.tuning.engine.finalists import best_checkpoint, choose_finalists, finalist_seeds
from experiments.tuning.worker.reports import FinalistRun
from experiments.tuning.worker.jobs import Finalist
from narm.checkpoint import load_model
from narm.config import Config
from narm.evaluation.full_ranking import evaluate, rank_targets
from narm.seeds import derived_seed

CONFIG = Config.from_flat(
    embedding_size=8, hidden_size=8, epochs=3, train_batch_size=64, learning_rate=0.01, topk=[5], metrics=["MRR"]
)
FINALIST = Finalist(number=7, options={"n_layers": 2})


def trial(number: int, value: float | None, state: Any = "COMPLETE") -> TrialSummary:
    return TrialSummary(
        number=number,
        state=state,
        params={"n_layers": number},
        value=value,
        best_epoch=1,
        epochs=1,
        seconds=1.0,
        mlflow_run_id=None,
    )


def numbers(chosen: list[Finalist]) -> list[int]:
    return [finalist.number for finalist in chosen]


def train(folder: Path, splits, config: Config = CONFIG, finalist: Finalist = FINALIST, seed: int = 5) -> FinalistRun:
    store = CheckpointStore(str(folder))
    store.prepare()
    *epochs, run = train_finalist(finalist, seed, splits=splits, config=config, device="cpu", checkpoints=store)
    assert isinstance(run, FinalistRun)
    assert epochs == list(range(1, run.epochs + 1))[run.epochs - len(epochs) :]
    return run


def assert_same(one: FinalistRun, other: FinalistRun | None) -> None:
    assert other is not None
    assert (one.ranks == other.ranks).all()
    for field in ("seed", "epochs", "best_epoch", "valid", "test"):
        assert getattr(one, field) == getattr(other, field)


TRIALS = [trial(0, 0.1), trial(1, 0.3), trial(2, 0.2, "PRUNED"), trial(3, 0.3), trial(4, None, "FAIL"), trial(5, 0.05)]


def test_finalists_are_the_best_by_validation_and_the_default():
    chosen = choose_finalists(TRIALS, default=5, k=3)
    assert numbers(chosen) == [1, 3, 2, 5]
    assert [finalist.is_default for finalist in chosen] == [False, False, False, True]
    assert chosen[1].options == {"n_layers": 3}
    assert [chosen[0].label, chosen[3].label] == ["trial 1", "the default configuration"]


def test_a_default_among_the_best_is_there_once():
    assert numbers(choose_finalists(TRIALS, default=1, k=2)) == [1, 3]


def test_trials_without_a_value_are_never_finalists():
    valueless = [trial(0, None, "INTERRUPTED"), trial(1, float("nan")), trial(2, 0.9, "FAIL"), trial(3, 0.0)]
    assert numbers(choose_finalists(valueless, default=0, k=9)) == [3]


def test_a_comparison_of_models_does_without_the_default():
    without = numbers(choose_finalists(TRIALS, default=5, k=3, with_default=False))
    assert without == numbers(choose_finalists(TRIALS, default=None, k=3))


def test_a_default_among_the_best_is_a_finalist_of_a_comparison_too():
    assert numbers(choose_finalists(TRIALS, default=1, k=2, with_default=False)) == [1, 3]


def test_no_finalists_means_not_even_the_default():
    assert choose_finalists(TRIALS, default=5, k=0) == []


def test_seeds_of_finalists_are_their_own():
    seeds = finalist_seeds(2020, 5)
    assert len(set(seeds)) == 5
    assert seeds[:2] == finalist_seeds(2020, 2)
    assert seeds != finalist_seeds(2021, 5)
    assert not set(seeds) & {derived_seed(2020, number) for number in range(10_000)}


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
    save, saved = finalists.save_checkpoint, []

    def killed_in_the_second_epoch(path: Path, *args: Any, **keywords: Any) -> None:
        if saved:
            raise KeyboardInterrupt
        saved.append(path)
        save(path, *args, **keywords)

    monkeypatch.setattr(finalists, "save_checkpoint", killed_in_the_second_epoch)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, ring_splits)
    epochs = []

    def counting(path: Path, state: Any, **keywords: Any) -> None:
        epochs.append(state.epoch)
        save(path, state, **keywords)

    monkeypatch.setattr(finalists, "save_checkpoint", counting)
    assert_same(whole, train(tmp_path, ring_splits))
    assert epochs == [2, 3]


def test_a_run_that_was_killed_before_it_was_judged_is_judged_and_not_trained_again(ring_splits, tmp_path, monkeypatch):
    run = train(tmp_path, ring_splits)
    monkeypatch.setattr(finalists, "fit", None)
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


@pytest.fixture
def kept(ring_splits, tmp_path) -> FinalistRun:
    run = FinalistRun(
        finalist=FINALIST,
        seed=5,
        epochs=3,
        best_epoch=2,
        seconds=1.25,
        valid={"mrr_at_10": 0.1 + 0.2},
        test={"mrr_at_10": 0.25},
        ranks=np.array([1, 5, 19]),
    )
    write_run(tmp_path, run, splits=ring_splits, config=CONFIG)
    return run


def test_a_result_is_read_as_it_was_written(kept, ring_splits, tmp_path):
    read = read_run(tmp_path, FINALIST, 5, splits=ring_splits, config=CONFIG)
    assert_same(kept, read)
    assert read is not None
    assert (read.finalist, read.seconds) == (FINALIST, 1.25)
    assert [path.name for path in tmp_path.iterdir()] == ["0007-5.npz"]


def test_a_result_says_what_it_is_of(kept, ring_splits, tmp_path):
    with np.load(result_path(tmp_path, FINALIST, 5), allow_pickle=False) as content:
        record = json.loads(str(content["record"]))
    assert record["config"] == CONFIG.replace({"n_layers": 2, "seed": 5}).flat()
    assert record["fingerprint"] == "ring"


def test_only_a_result_of_the_same_run_is_used_again(kept, ring_splits, tmp_path):
    def read(finalist: Finalist = FINALIST, seed: int = 5, splits=ring_splits, **options: object) -> object:
        return read_run(tmp_path, finalist, seed, splits=splits, config=CONFIG.replace(options))

    assert read() is not None
    assert read(session_column="user") is not None  # another spelling of the same data
    assert read(seed=6) is None
    assert read(Finalist(number=8, options={"n_layers": 2})) is None
    assert read(Finalist(number=7, options={"n_layers": 1})) is None
    assert read(splits=dataclasses.replace(ring_splits, fingerprint="other")) is None
    for options in ({"epochs": 4}, {"hidden_size": 9}, {"topk": [5, 20]}, {"max_item_list_length": 20}):
        assert read(**options) is None, options


@pytest.mark.parametrize("content", [b"", b"torn", b"PK\x03\x04torn"])
def test_what_is_no_result_is_told_and_not_used(kept, ring_splits, tmp_path, content, caplog):
    result_path(tmp_path, FINALIST, 5).write_bytes(content)
    assert read_run(tmp_path, FINALIST, 5, splits=ring_splits, config=CONFIG) is None
    assert "0007-5.npz: not the result of a finalist" in caplog.text


def test_a_foreign_npz_is_not_used(kept, ring_splits, tmp_path, caplog):
    with result_path(tmp_path, FINALIST, 5).open("wb") as file:
        np.savez(file, ranks=np.arange(3), record=np.array("{}"))
    assert read_run(tmp_path, FINALIST, 5, splits=ring_splits, config=CONFIG) is None
    assert "not the result of a finalist" in caplog.text


def test_the_model_to_ship_is_the_winners_run_that_was_best_on_validation(kept):
    runs = [
        dataclasses.replace(kept, seed=seed, valid={"mrr_at_10": value}, finalist=Finalist(number=number, options={}))
        for number, seed, value in ((7, 5, 0.1), (7, 6, 0.3), (8, 6, 0.9))
    ]
    assert best_checkpoint(runs, 7, CONFIG) == "0007-6.pt"
