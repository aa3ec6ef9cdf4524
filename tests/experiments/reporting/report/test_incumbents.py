"""What is said of the model that a person has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.search_summary import FINALS, INCUMBENT, KEPT, SHIPPING, SUMMARY, comparison, finalist

from experiments.reporting.report.answer import headline, verdict
from experiments.reporting.report.incumbents import known_items
from experiments.tuning.study.summary import IncumbentSummary, Summary


def judged(incumbent: IncumbentSummary, **changes: Any) -> Summary:
    return replace(SUMMARY, finals=replace(FINALS, incumbent=incumbent, **changes))


def lead(difference: float, low: float, high: float, **how: Any) -> dict[str, Any]:
    return {"comparisons": [replace(comparison(0, difference, low, high, **how), against=None)]}


def test_a_model_that_validation_does_not_prefer_gives_way_and_the_answer_is_about_it():
    summary = judged(INCUMBENT)
    assert (summary.recommended, summary.keep) == (1, None)
    assert headline(summary) == "Ship trial 1: better than prod.pt, Recall@10 +0.0800 (+40%) on test."


def test_a_model_that_validation_prefers_is_kept_with_the_reason_and_what_test_says():
    summary = judged(KEPT)
    assert (summary.recommended, summary.keep) == (None, "prod.pt")
    assert headline(summary) == ("Keep prod.pt: trial 1 is no better on validation, Recall@10 0.2800 against 0.3000.")
    first, second, *_ = verdict(summary)
    assert first == (
        "prod.pt, which you have: Recall@10 0.3000 on validation, 0.2000 on test; it knows 1,203 of 1,349 items."
    )
    assert second == (
        "Trial 1 is better than prod.pt on test: Recall@10 +0.0800 [+0.0300, +0.1300], 3 seeds against this one model; "
        "validation does not prefer it, and decides."
    )


def test_a_bag_is_what_the_model_has_to_be_better_than():
    assert judged(KEPT, shipping=SHIPPING).keep is None
    better = replace(KEPT, valid={"recall_at_10": 0.32})
    assert headline(judged(better, shipping=SHIPPING)) == (
        "Keep prod.pt: the bag of trial 1 is no better on validation, Recall@10 0.3100 against 0.3200."
    )


@pytest.mark.parametrize(
    ("interval", "said", "sentence"),
    [
        (
            (0.01, -0.01, 0.03),
            "the best on validation; no evidence on test that it is better than prod.pt",
            "No evidence that trial 1 is better than prod.pt on test",
        ),
        (
            (-0.05, -0.08, -0.02),
            "the best on validation, but worse than prod.pt, Recall@10 -0.0500 (-25%) on test",
            "Trial 1 is worse than prod.pt on test",
        ),
    ],
)
def test_test_says_how_sure_it_is_and_does_not_decide(interval, said, sentence):
    summary = judged(replace(INCUMBENT, **lead(*interval)))
    assert headline(summary) == f"Ship trial 1: {said}."
    [found] = [each for each in verdict(summary) if each.startswith(sentence)]
    assert found.endswith("validation has it ahead, and decides.") == (interval[2] < 0)


def test_a_single_seed_makes_it_a_sentence_about_one_model():
    incumbent = replace(INCUMBENT, **lead(0.08, 0.03, 0.13, seeds="left out"))
    summary = judged(incumbent, finalists=[finalist(1, 0.28, seeds=1)], comparisons=[])
    assert headline(summary) == "Ship trial 1: its model is better than prod.pt, Recall@10 +0.0800 (+40%) on test."
    told = list(verdict(summary))
    assert told[1] == (
        "The model of trial 1 is better than prod.pt on test: Recall@10 +0.0800 [+0.0300, +0.1300], one seed: another "
        "may order the two otherwise."
    )
    assert any("for other sessions (test has 943) only." in sentence for sentence in told)


def test_a_winner_that_no_seed_changes_is_no_matter_of_seeds():
    told = list(verdict(judged(replace(INCUMBENT, **lead(0.08, 0.03, 0.13, seeds="none")))))
    assert told[1] == "Trial 1 is better than prod.pt on test: Recall@10 +0.0800 [+0.0300, +0.1300]."


def test_other_data_may_hold_sessions_of_these_splits():
    assert not any("trained on other data" in each for each in verdict(judged(INCUMBENT)))
    told = list(verdict(judged(replace(INCUMBENT, same_data=False))))
    assert told[1] == (
        "prod.pt was trained on other data: if they hold sessions of this validation or test split, it looks better "
        "here than it is."
    )


def test_a_default_that_is_the_best_finalist_is_not_to_be_shipped_where_the_model_is_kept():
    finalists = [finalist(0, 0.28, default=True), finalist(2, 0.25)]
    summary = judged(KEPT, winner=0, finalists=finalists, comparisons=[comparison(2, 0.03, -0.01, 0.07)])
    assert "The default configuration is the best of the finalists." in list(verdict(summary))
    assert headline(summary).startswith("Keep prod.pt: the default configuration is no better on validation")
    assert headline(judged(INCUMBENT, winner=0, finalists=finalists)).startswith("Ship the default configuration: ")


def test_items_are_counted():
    assert known_items(19, 19) == "it knows all 19 items"
    assert known_items(1_203, 1_349) == "it knows 1,203 of 1,349 items"
