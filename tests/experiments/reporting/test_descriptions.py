"""What MLflow shows of runs, in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.search_summary import trial

from experiments.reporting.descriptions import describe_finalist, describe_trial
from experiments.tuning.study.summary import FinalistFailure
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun


def test_a_trial_is_a_sentence():
    told = replace(trial(4, "COMPLETE", 0.25), reason="no better after epoch 3")
    assert describe_trial(told, "MRR@10") == (
        "Trained to its end after 12 epochs, MRR@10 0.2500 at epoch 3: no better after epoch 3."
    )


@pytest.mark.parametrize(
    ("reason", "shown"),
    [("the loss is nan in epoch 1", "the loss is nan in epoch 1"), ("no <b>_x_</b> `y`", "`no <b>_x_</b> 'y'`")],
)
def test_a_failure_is_told_in_its_own_words_and_not_as_markdown(reason, shown):
    told = replace(trial(4, "FAIL", None), reason=reason, epochs=1)
    assert describe_trial(told, "MRR@10") == f"Failed after 1 epoch: {shown}."


def test_a_finalist_is_a_sentence():
    run = FinalistRun(
        finalist=Finalist(number=0, options={}, is_default=True), seed=5, epochs=9, best_epoch=7, seconds=1.0,
        valid={"mrr_at_10": 0.3}, test={"mrr_at_10": 0.25, "recall_at_10": 0.5}, ranks=np.ones(1, np.int32),
    )  # fmt: skip
    assert describe_finalist(run, "MRR@10") == (
        "The default configuration trained again: MRR@10 0.2500, Recall@10 0.5000 on test, "
        "with the weights of epoch 7 of 9."
    )
    failure = FinalistFailure(number=3, seed=5, reason="the worker died")
    assert describe_finalist(failure, "MRR@10") == "Trial 3 trained again failed: the worker died."
