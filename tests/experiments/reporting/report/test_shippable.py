"""The models that could ship, side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.search_summary import FINALS, REFIT, SHIPPED_RUN, SHIPPING, finalist

from experiments.reporting.report.shippable import headings, notes, shippable, title
from experiments.tuning.study.summary import Finals, Shipping


def rows(finals: Finals, objective: str = "Recall@10") -> list[tuple[str, ...]]:
    return [(row.name, *row.figures, "ships" if row.ships else "") for row in shippable(finals, objective)]


def test_a_run_on_average_the_best_one_and_the_bag():
    finals = replace(FINALS, shipping=SHIPPING)
    assert headings("Recall@10") == ["validation Recall@10", "test Recall@10", "MB", "ms"]
    assert rows(finals) == [
        ("mean of 3 runs", "0.2800 ± 0.0100", "0.2800 ± 0.0100", "0.812", "0.432", ""),
        ("the best on validation", "0.2900", "0.2750", "0.812", "0.432", ""),
        ("bag of 3 runs", "0.3100", "0.3050", "2.44", "1.1", "ships"),
    ]
    assert title(finals) == "The model to ship, of trial 1"
    assert list(notes(finals)) == []


def test_recall_stands_beside_another_objective():
    [mean, *_] = rows(replace(FINALS, shipping=SHIPPING), "MRR@10")
    assert headings("MRR@10") == ["validation MRR@10", "test MRR@10", "test Recall@10", "MB", "ms"]
    assert len(mean) == 7


def test_without_a_bag_the_best_run_ships():
    finals = replace(FINALS, shipping=Shipping(single=SHIPPED_RUN))
    assert [row[-1] for row in rows(finals)] == ["", "ships"]


def test_a_single_run_is_one_row_and_why_there_is_no_bag_is_said():
    shipping = Shipping(single=SHIPPED_RUN, why_no_bag="nothing is random in s_knn")
    finals = replace(FINALS, finalists=[finalist(1, 0.28, seeds=1)], comparisons=[], shipping=shipping)
    assert rows(finals) == [("the run", "0.2900", "0.2750", "0.812", "0.432", "ships")]
    assert list(notes(finals)) == ["No bag: nothing is random in s_knn."]


def test_a_summary_of_an_earlier_version_has_no_rows():
    assert rows(FINALS) == []
    assert list(notes(FINALS)) == []


def test_a_default_that_ships_is_named():
    finals = replace(FINALS, winner=0, finalists=[finalist(0, 0.3, default=True)], comparisons=[], shipping=SHIPPING)
    assert title(finals) == "The model to ship, of the default configuration"


@pytest.mark.parametrize("shipping", [None, SHIPPING])
def test_what_ships_has_its_own_figures_if_it_is_a_bag_and_else_the_means(shipping):
    finals = replace(FINALS, shipping=shipping)
    assert finals.shipped_test["recall_at_10"] == (0.28 if shipping is None else 0.305)
    assert finals.shipped_valid["recall_at_10"] == (0.28 if shipping is None else 0.31)


def test_a_refit_ships_and_has_no_figures_on_what_it_learned_from():
    finals = replace(FINALS, shipping=replace(SHIPPING, refit=REFIT))
    assert [row[-1] for row in rows(finals)] == ["", "", "", "ships"]
    assert rows(finals)[-1] == ("bag of 3 runs, refit", "-", "0.3200", "2.44", "1.1", "ships")
    [note] = notes(finals)
    assert "trained once more, on train and validation, for 7 and 9 and 8 epochs" in note
    assert "test figures are a single look, which decided nothing" in note


def test_a_refit_on_everything_has_no_figures():
    everything = replace(REFIT, on="all", epochs=[1], model=replace(REFIT.model, test={}))
    finals = replace(FINALS, shipping=Shipping(single=SHIPPED_RUN, refit=everything))
    assert rows(finals)[-1][:3] == ("the best on validation, refit", "-", "-")
    [note] = notes(finals)
    assert (
        "on train, validation and test, for 1 epoch, as was best on validation. Nothing is left to judge it by" in note
    )


def test_why_nothing_was_trained_again_is_said():
    shipping = replace(SHIPPING, why_no_refit="with seed 1 it failed: the loss is nan")
    assert list(notes(replace(FINALS, shipping=shipping))) == ["No refit: with seed 1 it failed: the loss is nan."]


def test_the_figures_before_a_refit_are_those_of_what_ships():
    finals = replace(FINALS, shipping=replace(SHIPPING, refit=REFIT))
    assert (finals.shipped_valid["recall_at_10"], finals.shipped_test["recall_at_10"]) == (0.31, 0.305)
