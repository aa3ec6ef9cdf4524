"""Metrics of runs, by name."""

from __future__ import annotations

from dataclasses import replace

from optuna.trial import TrialState
from support.search_summary import FINALS, INCUMBENT, KEPT, REFIT, SHIPPED_RUN, SHIPPING, SUMMARY
from support.small_study import trial

from experiments.reporting.run_contents import study_metrics, trial_metrics
from experiments.tuning.study.summary import Shipping


def test_a_trial_has_the_metrics_of_its_best_epoch_and_what_it_took() -> None:
    assert trial_metrics(trial(1, [0.1, 0.2])) == {
        "best_recall_at_10": 0.2, "best_mrr_at_10": 0.2, "best_epoch": 2.0, "epochs": 2.0, "seconds": 4.0,
    }  # fmt: skip
    assert trial_metrics(trial(1, [], state=TrialState.FAIL)) == {}


def test_a_study_has_the_test_metrics_of_the_model_to_ship() -> None:
    assert not any(name.startswith("test_") for name in study_metrics(SUMMARY))
    found = study_metrics(replace(SUMMARY, finals=FINALS))
    assert (found["test_recall_at_10"], found["best_recall_at_10"], found["wall_s"]) == (0.28, 0.3, 100.0)


def test_a_study_whose_bag_ships_has_the_bags_metrics_and_its_cost() -> None:
    found = study_metrics(replace(SUMMARY, finals=replace(FINALS, shipping=SHIPPING)))
    assert found["test_recall_at_10"] == 0.305
    assert (found["model_megabytes"], found["request_milliseconds"]) == (2.4375, 1.1)


def test_the_figures_of_a_refit_have_names_of_their_own() -> None:
    found = study_metrics(replace(SUMMARY, finals=replace(FINALS, shipping=replace(SHIPPING, refit=REFIT))))
    assert (found["test_recall_at_10"], found["refit_test_recall_at_10"]) == (0.305, 0.32)


def test_a_study_that_keeps_a_model_has_its_test_metrics_and_says_which_are_its_own() -> None:
    found = study_metrics(
        replace(SUMMARY, finals=replace(FINALS, incumbent=KEPT, shipping=Shipping(single=SHIPPED_RUN)))
    )
    assert found["test_recall_at_10"] == found["against_test_recall_at_10"] == 0.20
    assert found["against_valid_recall_at_10"] == 0.30
    assert "model_megabytes" not in found
    shipped = study_metrics(replace(SUMMARY, finals=replace(FINALS, incumbent=INCUMBENT)))
    assert (shipped["test_recall_at_10"], shipped["against_test_recall_at_10"]) == (0.28, 0.20)
