"""A model that a person has, beside the finalists."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.trained_runs import train_run

from experiments.tuning.engine.incumbent import Incumbent, with_incumbent
from experiments.tuning.engine.verdict import judge_finalists
from experiments.tuning.study.summary import Finals
from experiments.tuning.worker.finalist_training import metrics_on_test, rank_test
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.checkpoint import load_model
from narm.config import EvaluationConfig
from narm.data.sessions import ItemVocabulary, Splits
from narm.errors import InputError
from narm.evaluation.full_ranking import evaluate

EVALUATION = EvaluationConfig(valid_metric="MRR@10")


@pytest.fixture
def checkpoint(tmp_path: Path, ring_splits: Splits) -> Path:
    return train_run(tmp_path / "mine.pt", ring_splits, max_item_list_length=6)


def judge(
    incumbent: Incumbent, splits: Splits, valid: float, *, seeds: int = 2, learned_at_once: bool = False
) -> Finals:
    """The verdict on one finalist, whose runs find half of the targets, each seed others."""
    runs = [
        FinalistRun(
            finalist=Finalist(number=3, options={}), seed=seed, epochs=1, best_epoch=1, seconds=1.0,
            valid={"mrr_at_10": valid}, test={"mrr_at_10": 0.5, "recall_at_10": 0.5},
            ranks=np.resize([1, 99] if seed % 2 else [1, 1, 99, 99], len(splits.test)),
        )
        for seed in range(seeds)
    ]  # fmt: skip
    random = not learned_at_once
    finals = judge_finalists(runs, [], test=splits.test, objective="MRR@10", seed=0, depends_on_seed=random)
    assert finals is not None
    return with_incumbent(finals, incumbent, runs, splits.test, "MRR@10", depends_on_seed=random)


def test_a_model_of_these_data_is_judged_as_a_finalist_is(checkpoint, ring_splits):
    incumbent = Incumbent.load(checkpoint, "mine.pt", ring_splits, EVALUATION)
    model = load_model(checkpoint)
    assert incumbent.valid == evaluate(model, ring_splits.valid, EVALUATION, max_length=6)
    found = judge(incumbent, ring_splits, 0.5).incumbent
    assert found is not None
    assert found.test == metrics_on_test(rank_test(model, ring_splits, EVALUATION), EVALUATION)
    assert (found.name, found.same_data, found.known_items, found.n_items) == ("mine.pt", True, 19, 19)


def test_validation_follows_eval_targets(checkpoint, ring_splits):
    last = EVALUATION.model_copy(update={"eval_targets": "last"})
    incumbent = Incumbent.load(checkpoint, "mine.pt", ring_splits, last)
    assert incumbent.valid == evaluate(load_model(checkpoint), ring_splits.valid, last, max_length=6)


def test_a_model_of_other_data_says_how_many_of_the_items_it_knows(checkpoint, ring_splits):
    other = ItemVocabulary(np.array([999, *range(102, 120)]))  # 999 took the place of 101
    incumbent = Incumbent.load(
        checkpoint, "mine.pt", replace(ring_splits, vocabulary=other, fingerprint="new"), EVALUATION
    )
    assert (len(incumbent.items), incumbent.n_items, incumbent.same_data) == (18, 19, False)
    assert max(incumbent.rank(ring_splits.test)) == 19


def test_the_lead_over_it_holds_the_seeds_of_the_winner_alone(checkpoint, ring_splits):
    incumbent = Incumbent.load(checkpoint, "mine.pt", ring_splits, EVALUATION)
    held, alone, certain = (
        judge(incumbent, ring_splits, 0.5, seeds=seeds, learned_at_once=at_once).incumbent
        for seeds, at_once in ((2, False), (1, False), (1, True))
    )
    assert held
    assert alone
    assert certain
    assert [each.lead.seeds for each in (held, alone, certain)] == ["held", "left out", "none"]
    assert held.lead.difference == pytest.approx(0.5 - held.test["mrr_at_10"], abs=0.01)
    assert [compared.metric for compared in held.comparisons] == ["MRR@10", "Recall@10"]


def test_it_is_kept_unless_validation_prefers_the_winner(checkpoint, ring_splits):
    incumbent = Incumbent.load(checkpoint, "mine.pt", ring_splits, EVALUATION)
    own = incumbent.valid["mrr_at_10"]
    assert judge(incumbent, ring_splits, own - 0.01).kept is not None
    assert judge(incumbent, ring_splits, own).kept is not None  # a change has its price
    assert judge(incumbent, ring_splits, own + 0.01).kept is None


def test_a_copy_is_kept_in_the_folder_of_the_study(checkpoint, ring_splits, tmp_path):
    incumbent = Incumbent.load(checkpoint, "mine.pt", ring_splits, EVALUATION)
    content = checkpoint.read_bytes()
    (tmp_path / "s").mkdir()
    kept = incumbent.kept_in(tmp_path / "s")
    checkpoint.unlink()
    again = Incumbent.load(kept.checkpoint, "mine.pt", ring_splits, EVALUATION).kept_in(tmp_path / "s")
    assert again.checkpoint.read_bytes() == content
    with pytest.raises(InputError, match=r"incumbent.pt/incumbent.pt: cannot be written: Not a directory"):
        again.kept_in(kept.checkpoint)


def test_what_is_no_model_for_these_data_is_refused_in_one_line(checkpoint, ring_splits, tmp_path):
    with pytest.raises(InputError, match=r"gone.pt: no such checkpoint"):
        Incumbent.load(tmp_path / "gone.pt", "gone.pt", ring_splits, EVALUATION)
    strangers = replace(ring_splits, vocabulary=ItemVocabulary(np.array([f"sku-{i}" for i in range(19)])))
    with pytest.raises(InputError, match=r"knows none of the 19 items of ring: its first is '101', theirs 'sku-0'"):
        Incumbent.load(checkpoint, "mine.pt", strangers, EVALUATION)
    content = torch.load(checkpoint, weights_only=True)
    content["best_weights"]["item_embedding.weight"][:] = torch.nan
    torch.save(content, checkpoint)
    with pytest.raises(InputError, match=r"mine.pt: scores are NaN or overflow"):
        Incumbent.load(checkpoint, "mine.pt", ring_splits, EVALUATION)
