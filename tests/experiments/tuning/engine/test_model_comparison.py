"""Models side by side: the reference, the differences, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from experiments.reporting.model_comparison.report import markdown, plot_by_length, print_comparison, sentences
from experiments.tuning.engine.leads import Trained, leads
from experiments.tuning.engine.model_comparison import Contender, ModelComparison, compare_models
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.data.sessions import Examples, Sessions
from narm.evaluation.paired_difference import simultaneous
from narm.metrics import recall

N_SESSIONS = 120


@pytest.fixture
def test_split() -> Examples:
    """As many sessions of 2 events as of 7."""
    lengths = np.where(np.arange(N_SESSIONS) % 2, 2, 7)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    return Examples.every_prefix(Sessions(np.ones(offsets[-1], np.int32), offsets))


def contender(model: str, valid: float, *ranks: np.ndarray) -> Contender:
    runs = [
        FinalistRun(
            finalist=Finalist(number=0, options={}),
            seed=seed,
            epochs=1,
            best_epoch=1,
            seconds=1.0,
            valid={"mrr_at_20": valid},
            test={},
            ranks=of_seed,
        )
        for seed, of_seed in enumerate(ranks)
    ]
    return Contender(model=model, params={"learning_rate": 0.001}, runs=runs, trials=3, seconds=2.0)


def compared(contenders: list[Contender], test_split: Examples) -> ModelComparison:
    return compare_models(
        contenders,
        test_split,
        dataset="made up",
        fingerprint="f",
        objective="MRR@20",
        metrics=["Recall@20"],
        seed=1,
    )


@pytest.fixture
def comparison(test_split: Examples) -> ModelComparison:
    """`good` finds every target, `luck` half of them, `short` those of the short sessions."""
    rng = np.random.default_rng(0)
    n = len(test_split)
    is_short = test_split.sessions.lengths[test_split.session_of_target] == 2
    return compared(
        [
            contender("luck", 0.2, np.where(rng.random(n) < 0.5, 1, 99), np.where(rng.random(n) < 0.5, 1, 99)),
            contender("good", 0.9, np.ones(n, np.int64), np.ones(n, np.int64)),
            contender("short", 0.3, np.where(is_short, 1, 99)),
            contender("equal", 0.8, np.ones(n, np.int64)),
        ],
        test_split,
    )


def test_validation_chooses_the_order(comparison: ModelComparison) -> None:
    assert [row.model for row in comparison.rows] == ["good", "equal", "short", "luck"]


def test_means_are_those_over_targets_and_seeds(comparison: ModelComparison, test_split: Examples) -> None:
    luck = comparison.rows[-1]
    means = [luck.spread["Recall@20"].mean, luck.test["Recall@20"].mean]
    assert means[0] == pytest.approx(means[1])
    assert luck.test["Recall@20"].low < means[0] < luck.test["Recall@20"].high
    short = comparison.rows[2].test["Recall@20"].mean
    lengths = test_split.sessions.lengths[test_split.session_of_target]
    assert short == pytest.approx(recall(np.where(lengths == 2, 1, 99), 20).mean())


def test_what_is_ahead_is_told_from_what_is_equal(comparison: ModelComparison) -> None:
    reference, equal, _, luck = comparison.rows
    assert reference.ahead is None
    assert equal.ahead is not None
    assert equal.ahead["Recall@20"].mean == 0
    assert equal.ahead["Recall@20"].low < 0 < equal.ahead["Recall@20"].high
    assert luck.ahead is not None
    assert luck.ahead["Recall@20"].low > 0.2


@pytest.fixture
def three(test_split: Examples) -> list[Contender]:
    """Three models of one seed each, that find a half, a third and a quarter of the targets."""
    rng = np.random.default_rng(1)
    return [
        contender(name, share, np.where(rng.random(len(test_split)) < share, 1, 99))
        for name, share in (("half", 1 / 2), ("third", 1 / 3), ("quarter", 1 / 4))
    ]


def test_intervals_hold_together_over_all_models(three: list[Contender], test_split: Examples) -> None:
    trained = [Trained(one.runs) for one in three]
    expected = leads(trained, "Recall@20", test_split.session_of_target, confidence=simultaneous(2))
    found = [row.ahead for row in compared(three, test_split).rows[1:]]
    assert [each and each["Recall@20"] for each in found] == expected
    [alone] = [row.ahead for row in compared(three[:2], test_split).rows[1:]]
    assert alone is not None
    assert alone["Recall@20"].low > expected[0].low  # a single comparison needs no correction


def test_intervals_by_length_hold_together_over_all_models_and_lengths(
    three: list[Contender], test_split: Examples
) -> None:
    trained, sessions = [Trained(one.runs) for one in three], test_split.session_of_target
    short = np.flatnonzero(test_split.sessions.lengths[sessions] == 2)
    [expected, _] = leads(trained, "Recall@20", sessions, short, confidence=simultaneous(4))
    first = compared(three, test_split).rows[1].by_length[0]
    assert first.ahead is not None
    assert first.ahead["Recall@20"] == expected


def test_lengths_of_few_sessions_are_not_compared() -> None:
    lengths = np.array([2] * 9 + [7] * 30)
    test = Examples.every_prefix(Sessions(np.ones(lengths.sum(), np.int32), np.concatenate(([0], np.cumsum(lengths)))))
    row = compared([contender(name, 0.5, np.ones(len(test), np.int64)) for name in "ab"], test).rows[1]
    assert [each.ahead is None for each in row.by_length] == [True, False]


def test_what_seeds_do_is_no_difference_of_models(test_split: Examples) -> None:
    """Seeds of either model differ by 2 of 100 targets, the models by 4, which sessions alone would call sure."""
    target = np.arange(len(test_split)) * 37 % 100
    first, second, third, fourth = (np.where(target < percent, 1, 99) for percent in (50, 48, 46, 44))
    pair = [contender("one", 0.5, first, second), contender("other", 0.4, third, fourth)]
    fixed = [replace(each, depends_on_seed=False) for each in pair]
    found, alone = (compared(each, test_split).rows[1].ahead for each in (pair, fixed))
    assert found is not None
    assert alone is not None
    assert alone["Recall@20"].low > 0
    assert found["Recall@20"].low < 0 < found["Recall@20"].mean
    assert found["Recall@20"].seeds == "held"


def test_a_model_that_no_seed_changes_adds_no_chance_of_seeds(three: list[Contender], test_split: Examples) -> None:
    fixed = [replace(one, depends_on_seed=False) for one in three]
    assert {row.ahead["Recall@20"].seeds for row in compared(fixed, test_split).rows[1:] if row.ahead} == {"none"}
    one_each = " ".join(sentences(compared(three, test_split)))
    assert "One seed each: how far third and quarter are behind is about the models that were trained" in one_each
    assert "One seed each" not in " ".join(sentences(compared(fixed, test_split)))


def test_by_length_a_model_may_be_as_good(comparison: ModelComparison) -> None:
    short = comparison.rows[2]
    ahead = {each.name: each.ahead["Recall@20"].mean for each in short.by_length if each.ahead}
    assert ahead == {"2": 0.0, "6-10": 1.0}


def test_the_sentences_say_who_is_behind_and_where(comparison: ModelComparison) -> None:
    said = " ".join(sentences(comparison))
    assert "good is the best on validation" in said
    assert "ahead of short and luck in Recall@20" in said
    assert "no evidence of a difference in Recall@20 from equal" in said
    assert "good against short: ahead in sessions of 6-10 events" in said
    assert "hold together, for all 3 comparisons (Bonferroni)" in said
    assert "How far equal, short and luck are behind holds for other seeds, too." in said
    assert "By length (95 % intervals that hold together, for all 6 comparisons)" in said


def test_every_model_is_in_every_form_of_the_report(comparison: ModelComparison) -> None:
    console = Console(width=120, record=True, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    print_comparison(comparison, console)
    console.file.close()
    for text in (console.export_text(), markdown(comparison)):
        assert all(row.model in text for row in comparison.rows)
    assert plot_by_length(comparison).startswith(b"\x89PNG")
