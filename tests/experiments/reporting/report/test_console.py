"""What a person reads when the search is over."""

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console
from support.search_summary import FINALS, INCUMBENT, KEPT, SHIPPED_RUN, SHIPPING, SUMMARY, comparison, finalist, trial

from experiments.reporting.report.console import print_summary
from experiments.tuning.study.summary import (
    Best,
    Counts,
    Default,
    FinalistFailure,
    OnBoundary,
    ParetoPoint,
    Shipping,
    Summary,
)

NAN = float("nan")


def printed(summary: Summary, width: int = 100, where: Mapping[str, str] | None = None) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_summary(summary, console, where=where or {})
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def prose(summary: Summary, n_valid: int = 900) -> str:
    """The sentences, unbroken."""
    return printed(replace(summary, dataset=replace(summary.dataset, n_valid=n_valid)), width=1000)


def judged(**changes: Any) -> str:
    """The sentences of a search whose finalists came to something else."""
    return prose(replace(SUMMARY, finals=replace(FINALS, **changes)))


def test_the_table_goes_from_the_winner_down():
    shown = printed(SUMMARY)
    rows = [shown.index(f"learning_rate=0.00{number + 1}") for number in (1, 0, 2, 3)]
    assert rows == sorted(rows)
    assert "my-study: 2 complete, 1 pruned, 1 failed" in shown
    winner = next(line for line in shown.splitlines() if "learning_rate=0.002" in line)
    assert winner.split()[:4] == ["1", "0.3000", "3/12", "31"]
    assert "(winner)" in shown
    assert "(default)" in shown


def test_a_file_that_trials_come_from_is_named_as_it_is():
    trials = [*SUMMARY.trials, replace(trial(9, "COMPLETE", 0.1), origin="[red].yaml")]
    assert "(from [red].yaml)" in printed(replace(SUMMARY, trials=trials), width=140)


def test_trials_that_wait_for_resume_are_counted_and_marked():
    trials = [*SUMMARY.trials, trial(9, "INTERRUPTED", 0.1)]
    shown = printed(replace(SUMMARY, trials=trials, counts=Counts.of(trials)))
    assert "1 failed, 1 interrupted" in shown
    assert next(line for line in shown.splitlines() if "rate=0.01 " in line).rstrip().endswith("(interrupted)")


def test_a_winner_that_was_cut_short_stands_first():
    cut = trial(9, "PRUNED", 0.4)
    best = Best(number=9, params=cut.params, valid={"recall_at_10": 0.4})
    lines = prose(replace(SUMMARY, trials=[*SUMMARY.trials, cut], best=best)).splitlines()
    assert next(line for line in lines if "learning_rate" in line).rstrip().endswith("(winner) (pruned)")


def test_the_winner_among_the_finalists_stands_first_even_if_it_was_not_the_best_of_the_search():
    lines = prose(replace(SUMMARY, finals=replace(FINALS, winner=2))).splitlines()
    assert next(line for line in lines if "learning_rate" in line).rstrip().endswith("(winner) (pruned)")


def test_many_trials_are_cut():
    many = [trial(number, "COMPLETE", 0.1 + number / 1000) for number in range(50)]
    assert printed(replace(SUMMARY, trials=many)).count("learning_rate=") == 10


@pytest.mark.parametrize("width", [100, 60])
def test_what_ships_stands_beside_what_could(width):
    shown = printed(replace(SUMMARY, finals=replace(FINALS, shipping=SHIPPING)), width=width)
    assert "The model to ship, of trial 1" in shown
    bag = next(line for line in shown.splitlines() if line.strip().startswith("bag of 3 runs"))
    assert bag.split()[-4:] == ["0.3050", "2.44", "1.1", "(ships)"]


class TestWithoutFinalists:
    """One seed on validation is all there is."""

    def test_it_is_said_plainly(self):
        said = "No finalists were trained: nothing is known of other seeds, nor of the test split."
        assert said in prose(SUMMARY)
        assert said not in judged()

    def test_a_better_winner_is_called_better_by_how_much(self):
        shown = prose(SUMMARY)
        assert "Winner: trial 1, validation Recall@10 0.3000" in shown
        assert "Better than the default configuration (0.2000) by 0.1000 (+50.0%)." in shown
        # sqrt(0.3 * 0.7 / 900)
        assert "One validation split of 900 targets: the standard error of a value is 0.0153 at most" in shown

    def test_a_small_gain_is_doubted(self):
        assert "less than two standard errors: it may be chance" in prose(SUMMARY, n_valid=50)
        assert "may be chance" not in prose(SUMMARY, n_valid=900)

    @pytest.mark.parametrize("value", [0.30, 0.31])
    def test_a_winner_that_is_no_better_is_called_so(self, value):
        shown = prose(replace(SUMMARY, default=Default(number=0, valid={"recall_at_10": value})))
        assert f"No better than the default configuration ({value:.4f})." in shown
        assert "Better" not in shown

    def test_a_default_of_zero_has_no_relative_gain(self):
        shown = prose(replace(SUMMARY, default=Default(number=0, valid={"recall_at_10": 0.0})))
        assert "Better than the default configuration (0.0000) by 0.3000." in shown

    def test_a_search_without_a_result_says_so(self):
        trials = [trial(0, "FAIL", NAN), trial(1, "FAIL", None)]
        shown = printed(replace(SUMMARY, trials=trials, counts=Counts.of(trials), best=None, default=None))
        assert "No trial has a result: there is no winner." in shown
        assert "nan" not in shown


class TestVerdict:
    """Whether the winner is really better."""

    def test_a_winner_whose_interval_lies_above_zero_is_better(self):
        assert (
            "\nTrial 1 is better than the default configuration on test: "
            "Recall@10 +0.0900 [+0.0500, +0.1300], 3 seeds.\n" in judged()
        )

    def test_one_whose_interval_holds_zero_may_not_be(self):
        shown = judged(comparisons=[comparison(0, 0.0012, -0.0023, 0.0048)])
        assert (
            "No evidence that trial 1 is better than the default configuration on test: Recall@10 +0.0012 "
            "[-0.0023, +0.0048], 3 seeds.\n" in shown
        )
        assert "is better than" not in shown.replace("evidence that trial 1 is better than", "")

    def test_one_whose_interval_lies_below_zero_is_worse(self):
        shown = judged(comparisons=[comparison(0, -0.02, -0.03, -0.01)])
        assert (
            "Trial 1 is worse than the default configuration on test: Recall@10 -0.0200 [-0.0300, -0.0100], 3 seeds; "
            "validation has it ahead, and decides.\n" in shown
        )

    def test_one_seed_each_is_said_to_be_about_two_models(self):
        shown = judged(
            finalists=[finalist(1, 0.28, seeds=1), finalist(0, 0.19, default=True, seeds=1)],
            comparisons=[comparison(0, 0.09, 0.05, 0.13, seeds="left out")],
        )
        assert (
            "The model of trial 1 is better than that of the default configuration on test: "
            "Recall@10 +0.0900 [+0.0500, +0.1300], one seed each: another seed may order the configurations "
            "otherwise.\n" in shown
        )
        assert "for other sessions (test has 943) only. Validation chose" in shown

    def test_unequal_numbers_of_seeds_are_told(self):
        shown = judged(
            finalists=[finalist(1, 0.28), finalist(0, 0.19, default=True, seeds=2)],
            comparisons=[comparison(0, 0.09, 0.05, 0.13)],
        )
        assert "[+0.0500, +0.1300], 3 seeds against 2.\n" in shown

    def test_models_that_no_seed_changes_are_no_matter_of_seeds(self):
        shown = judged(
            finalists=[finalist(1, 0.28, seeds=1), finalist(0, 0.19, default=True, seeds=1)],
            comparisons=[comparison(0, 0.09, 0.05, 0.13, seeds="none")],
        )
        assert (
            "Trial 1 is better than the default configuration on test: Recall@10 +0.0900 [+0.0500, +0.1300].\n" in shown
        )
        assert "other sessions (test has 943) only; no seed changes these models." in shown

    def test_an_interval_of_an_earlier_version_says_nothing_of_other_seeds(self):
        shown = judged(comparisons=[comparison(0, 0.09, 0.05, 0.13, seeds="left out")], decided_by="test")
        assert "[+0.0500, +0.1300], 3 seeds, and nothing is said of others.\n" in shown

    def test_the_sentence_is_about_the_objective_and_recall_is_told(self):
        mrr, recall = comparison(0, 0.004, 0.001, 0.007, "MRR@10"), comparison(0, 0.01, -0.001, 0.02)
        shown = prose(replace(SUMMARY, objective="MRR@10", finals=replace(FINALS, comparisons=[mrr, recall])))
        assert (
            "Trial 1 is better than the default configuration on test: MRR@10 +0.0040 [+0.0010, +0.0070], "
            "Recall@10 +0.0100 [-0.0010, +0.0200], 3 seeds." in shown
        )

    def test_the_runner_up_is_compared_with_too(self):
        assert (
            "No evidence that trial 1 is better than the runner-up, trial 2, on test: "
            "Recall@10 +0.0300 [-0.0100, +0.0700], 3 seeds.\n" in judged()
        )

    def test_a_default_that_wins_is_to_be_shipped(self):
        shown = judged(
            winner=0,
            finalists=[finalist(0, 0.3, default=True), finalist(2, 0.2)],
            comparisons=[comparison(2, 0.1, 0.05, 0.15)],
        )
        assert "The default configuration is the best on validation: ship it." in shown
        assert "The default configuration is better than the runner-up, trial 2, on test" in shown

    def test_a_missing_default_is_told(self):
        shown = judged(finalists=[finalist(1, 0.3)], comparisons=[])
        assert "The default was no finalist, or failed as one: the winner was not compared with it." in shown
        assert "In brackets" not in shown

    def test_what_the_intervals_are_is_told(self):
        assert (
            "In brackets: 95 % intervals of the difference, for other sessions (test has 943) and other seeds, "
            "each by itself. Validation chose what to ship, test did not.\n" in judged()
        )

    def test_a_failed_finalist_is_told(self):
        failure = FinalistFailure(number=2, seed=99, reason="ArithmeticError: the loss is nan")
        assert "Trial 2 failed as a finalist, seed 99: ArithmeticError: the loss is nan" in judged(failures=[failure])


def test_finalists_stand_in_a_table():
    rows = [" ".join(line.split()) for line in judged().splitlines()]
    assert "Finalists, mean ± standard deviation over 3 seeds" in rows
    assert "1 0.2800 ± 0.0100 0.2800 ± 0.0100 9-12 (winner)" in rows
    assert "0 0.1900 ± 0.0100 0.1900 ± 0.0100 9-12 (default)" in rows


def test_one_seed_has_no_deviation():
    rows = [
        " ".join(line.split()) for line in judged(finalists=[finalist(1, 0.28, seeds=1)], comparisons=[]).splitlines()
    ]
    assert "Finalists, a single seed" in rows
    assert "1 0.2800 0.2800 9 (winner)" in rows


def test_an_optimum_on_a_bound_is_flagged():
    bounds = [OnBoundary(name="learning_rate", value=0.01, side="upper")]
    assert "learning_rate 0.01 is the upper bound of the space: widen it." in prose(
        replace(SUMMARY, on_boundary=bounds)
    )


def test_the_pareto_front_is_shown():
    front = [ParetoPoint(number=1, values={"MRR@10": 0.3123456, "n_parameters": 123456})]
    rows = [line.split() for line in printed(replace(SUMMARY, pareto=front)).splitlines()]
    assert ["trial", "MRR@10", "n_parameters"] in rows
    assert ["1", "0.3123", "123456"] in rows


def test_every_failed_trial_has_its_reason():
    trials = [
        replace(trial(3, "FAIL", None), reason="MemoryError: out of memory", retries=2),
        replace(trial(4, "FAIL", None), reason="the worker died", retries=1),
        trial(5, "FAIL", None),
    ]
    shown = prose(replace(SUMMARY, trials=trials))
    assert "Trial 3 failed after 2 retries: MemoryError: out of memory\n" in shown
    assert "Trial 4 failed after 1 retry: the worker died\n" in shown
    assert "Trial 5 failed: no reason is known\n" in shown


def test_many_failures_are_cut():
    shown = prose(replace(SUMMARY, trials=[trial(number, "FAIL", None) for number in range(13)]))
    assert shown.count("no reason is known") == 10
    assert "3 more trials failed." in shown


def test_a_command_can_be_pasted_from_a_narrow_terminal():
    command = "mlflow ui --backend-store-uri sqlite:////a/very/long/path/[to]/the/database/mlflow.db"
    assert f"MLflow: {command}\n" in printed(SUMMARY, width=40, where={"MLflow": command})


@pytest.mark.parametrize("width", [40, 60, 80])
def test_values_are_whole_on_a_narrow_terminal(width):
    shown = printed(replace(SUMMARY, finals=FINALS), width=width)
    assert "0.3000" in shown
    assert "0.2800" in shown
    assert "Recall@10" in shown
    assert max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize("width", [120, 40])
def test_the_model_that_a_person_has_stands_below_the_finalists(width):
    shown = printed(replace(SUMMARY, finals=replace(FINALS, incumbent=INCUMBENT)), width=width)
    row = next(line for line in shown.splitlines() if line.split()[:1] == ["prod.pt"])
    assert row.split()[-1] == ("(yours)" if width == 120 else "0.2000")
    kept = printed(
        replace(SUMMARY, finals=replace(FINALS, incumbent=KEPT, shipping=Shipping(single=SHIPPED_RUN))), width=width
    )
    assert "(keep)" in kept
    assert "(ships)" not in kept


def test_the_model_that_a_person_has_is_one_run_where_others_had_more_or_fewer():
    raced = [finalist(1, 0.28), finalist(0, 0.19, default=True, seeds=2)]
    finals = replace(FINALS, finalists=raced, comparisons=[comparison(0, 0.09, 0.05, 0.13)], incumbent=INCUMBENT)
    lines = printed(replace(SUMMARY, finals=finals), width=120).splitlines()
    [heading] = [line for line in lines if "seeds" in line and "epochs" in line]
    [row] = [line for line in lines if line.split()[:1] == ["prod.pt"]]
    place = heading.index("seeds") + len("seeds")
    assert row[:place].split()[-1] == "1"
    assert row[place:].split() == ["(yours)"]
