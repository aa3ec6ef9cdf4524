"""The summary of a small search, for the tests of what is written and what is printed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from experiments.tuning.study.summary import (
    Best,
    Comparison,
    Counts,
    DatasetSummary,
    Default,
    Estimate,
    FinalistSummary,
    Finals,
    IncumbentSummary,
    LengthSummary,
    RefitModel,
    ShippedModel,
    Shipping,
    Spread,
    Summary,
    Timing,
    TrialSummary,
)
from narm.evaluation.paired_difference import Seeds


def trial(number: int, state: Any, value: float | None, **params: object) -> TrialSummary:
    return TrialSummary(
        number=number,
        state=state,
        params={"learning_rate": 0.001 * (number + 1), "dropout_probs": (0.25, 0.5), **params},
        value=value,
        best_epoch=None if value is None else 3,
        epochs=12,
        seconds=31.4,
        mlflow_run_id=None,
    )


def finalist(number: int, value: float, *, default: bool = False, seeds: int = 3) -> FinalistSummary:
    spread = Spread(mean=value, sd=0.01 if seeds > 1 else None)
    return FinalistSummary(
        number=number,
        is_default=default,
        params=trial(number, "COMPLETE", value).params,
        seeds=list(range(seeds)),
        epochs=[9, 12, 10][:seeds],
        valid={"recall_at_10": spread, "mrr_at_10": spread},
        test={"recall_at_10": spread, "mrr_at_10": spread},
    )


def comparison(
    against: int, difference: float, low: float, high: float, metric: str = "Recall@10", *, seeds: Seeds = "held"
) -> Comparison:
    return Comparison(metric=metric, against=against, difference=difference, low=low, high=high, seeds=seeds)


_TRIALS = [
    trial(2, "PRUNED", 0.02),
    trial(0, "COMPLETE", 0.20),
    trial(1, "COMPLETE", 0.30),
    trial(3, "FAIL", None),
]

SUMMARY = Summary(
    study="my-study",
    command="python -m experiments.search",
    git_commit=None,
    versions={"torch": "2.13.0", "ray": None},
    seed=7,
    dataset=DatasetSummary(name="synthetic", fingerprint="f00", n_sessions=10, n_items=20, n_targets=90, n_valid=900),
    objective="Recall@10",
    space={"learning_rate": {"type": "float", "low": 0.001}},
    trials=_TRIALS,
    counts=Counts.of(_TRIALS),
    best=Best(number=1, params=_TRIALS[2].params, valid={"recall_at_10": 0.30}),
    default=Default(number=0, valid={"recall_at_10": 0.20}),
    timing=Timing(wall_s=100.0, training_s=150.0, overhead_s=50.0),
)

FINALS = Finals(
    winner=1,
    n_targets=1_200,
    n_sessions=943,
    finalists=[finalist(1, 0.28), finalist(2, 0.25), finalist(0, 0.19, default=True)],
    comparisons=[comparison(0, 0.09, 0.05, 0.13), comparison(2, 0.03, -0.01, 0.07)],
    failures=[],
    by_length=[
        LengthSummary(
            name="2",
            n_targets=400,
            n_sessions=400,
            winner=Estimate(mean=0.31, interval=(0.27, 0.35)),
            default=Estimate(mean=0.22, interval=(0.19, 0.25)),
            lead=Estimate(mean=0.09, interval=(0.04, 0.14)),
        ),
        LengthSummary(
            name="3",
            n_targets=16,
            n_sessions=8,
            winner=Estimate(mean=0.25, interval=None),
            default=Estimate(mean=0.15, interval=None),
            lead=Estimate(mean=0.10, interval=None),
        ),
    ],
    decided_by="validation",
)

INCUMBENT = IncumbentSummary(
    name="prod.pt",
    valid={"recall_at_10": 0.26, "mrr_at_10": 0.26},
    test={"recall_at_10": 0.20, "mrr_at_10": 0.20},
    comparisons=[Comparison(metric="Recall@10", against=None, difference=0.08, low=0.03, high=0.13, seeds="held")],
    known_items=1_203,
    n_items=1_349,
    same_data=True,
)
"""Worse than trial 1 of `FINALS` by validation; test agrees."""

KEPT = replace(INCUMBENT, valid={"recall_at_10": 0.30, "mrr_at_10": 0.30})
"""Better by validation; test does not agree."""

SHIPPED_RUN = ShippedModel(
    seeds=[1],
    valid={"recall_at_10": 0.29, "mrr_at_10": 0.29},
    test={"recall_at_10": 0.275, "mrr_at_10": 0.275},
    megabytes=0.8125,
    milliseconds=0.4321,
)
SHIPPED_BAG = ShippedModel(
    seeds=[0, 1, 2],
    valid={"recall_at_10": 0.31, "mrr_at_10": 0.31},
    test={"recall_at_10": 0.305, "mrr_at_10": 0.305},
    megabytes=2.4375,
    milliseconds=1.1,
)
SHIPPING = Shipping(single=SHIPPED_RUN, bag=SHIPPED_BAG)
REFIT = RefitModel(
    on="valid",
    epochs=[7, 9, 8],
    model=replace(SHIPPED_BAG, valid={}, test={"recall_at_10": 0.32, "mrr_at_10": 0.32}),
)
